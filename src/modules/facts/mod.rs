//! Facts about the machine: setup, package_facts, service_facts.

mod boot;
mod distribution;
mod firmware;
mod local;
mod look;
mod mount_facts;
mod network;
mod packages;
mod platform;
mod processor;
mod security;
mod services;
mod session;
mod setup;
mod storage;
mod subset;
#[cfg(test)]
mod tests;

pub use setup::Setup;

use super::Entry;

/// The family's modules.
pub const MODULES: &[Entry] = &[
    Entry::of::<Setup>(),
    Entry::of::<packages::PackageFacts>(),
    Entry::of::<services::ServiceFacts>(),
    Entry::of::<mount_facts::MountFacts>(),
];
