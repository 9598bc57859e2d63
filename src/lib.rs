//! runbook runs Ansible playbooks natively.
pub mod diag;
pub mod value;
pub mod yaml;
pub mod template;
pub mod result;
pub mod wire;
pub mod transport;
