//! Settings: `ansible.cfg` and `ANSIBLE_*` variables, each setting knowing where it came from.
//!
//! See "Ansible Configuration Settings" in Ansible's documentation. The first file found of `$ANSIBLE_CONFIG`,
//! `./ansible.cfg`, `~/.ansible.cfg` and `/etc/ansible/ansible.cfg` is read and no other; the environment wins over it.

mod find;
mod ini;
pub mod known;
mod read;
mod setting;
mod settings;
mod table;
#[cfg(test)]
mod tests;

pub use known::Known;
pub use read::{DuplicateKeys, Gathering, GroupNameRule, HashBehaviour, PatternMismatch};
pub use setting::{Ignored, Origin, Setting};
pub use settings::Config;
pub use table::Row;
