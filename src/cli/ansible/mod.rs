//! runbook under Ansible's names: a link or copy called `ansible-playbook`, `ansible`, `ansible-inventory`,
//! `ansible-config`, `ansible-doc`, `ansible-pull` or `ansible-vault` takes that program's arguments and prints what it prints.
//!
//! Each program's options are declared in a file of its own and become those of the command that does the work; the
//! report is chosen in `output`. What differs is told by `docs/called-as-ansible.md`.

mod adhoc;
mod config;
mod doc;
mod galaxy;
mod inventory;
mod options;
mod output;
mod playbook;
mod program;
mod pull;
mod show;

pub use config::config;
pub use output::{adhoc_report, report};
pub use program::Program;
pub use show::message;
