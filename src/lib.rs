//! runbook runs Ansible playbooks natively.
pub mod agent;
pub mod diag;
pub mod modules;
pub mod result;
pub mod sys;
pub mod template;
pub mod value;
pub mod wire;
pub mod yaml;
