//! runbook runs Ansible playbooks natively: one binary on the controller, a kernel and sshd on the targets.
//!
//! The modules, in the order in which data flows through them: text becomes [`yaml`] nodes, these a
//! [`playbook`]; [`inventory`] and [`vars`] say what each host knows; [`plan`] says which task is next; [`exec`]
//! renders arguments with [`template`], does what the controller does ([`actions`]), and takes the rest over
//! [`transport`] and [`wire`] to the [`agent`], which runs [`modules`] on [`sys`]. What happened is a
//! [`result`]; [`report`] shows it. `docs/architecture.md` has the rules, `tests/architecture.rs` enforces them.

pub mod actions;
pub mod agent;
pub mod cli;
pub mod config;
pub mod diag;
pub mod exec;
pub mod inventory;
pub mod modules;
pub mod plan;
pub mod playbook;
pub mod report;
pub mod result;
pub mod scenario;
pub mod sys;
pub mod template;
pub mod transport;
pub mod value;
pub mod vars;
pub mod vault;
pub mod wire;
pub mod x509;
pub mod yaml;
