//! Facts about the machine: setup, package_facts, service_facts.

mod boot;
mod distribution;
mod firmware;
mod local;
mod look;
mod network;
mod platform;
mod processor;
mod security;
mod session;
mod setup;
mod storage;
mod subset;
#[cfg(test)]
mod tests;

pub use setup::Setup;

use super::Entry;

/// The family's modules.
pub const MODULES: &[Entry] = &[Entry::of::<Setup>()];
