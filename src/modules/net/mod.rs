//! Network: get_url, uri, wait_for, iptables.

mod body;
mod connections;
mod download;
mod firewalld;
mod get_url;
mod iptables;
#[cfg(test)]
mod tests;
mod ufw;
mod uri;
mod wait_for;
mod web;

pub(super) use download::Download;

use super::Entry;

/// The family's modules.
pub const MODULES: &[Entry] = &[
    Entry::of::<firewalld::Firewalld>(),
    Entry::of::<get_url::GetUrl>(),
    Entry::of::<iptables::Iptables>(),
    Entry::of::<ufw::Ufw>(),
    Entry::of::<uri::Uri>(),
    Entry::of::<wait_for::WaitFor>(),
];
