//! What a connection cost.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Counts as the connection works; shared by its channels.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    sent: AtomicU64,
    received: AtomicU64,
    uploaded: AtomicU64,
    connect_us: AtomicU64,
    start_us: AtomicU64,
    requests: AtomicU64,
}

/// A reading of the counters of one machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes written to channels (before encryption), the agent's upload included.
    pub sent: u64,
    /// Bytes read from channels.
    pub received: u64,
    /// Bytes of agent executables that were sent, as they travelled (compressed, if they were).
    pub uploaded: u64,
    /// Requests sent to agents.
    pub requests: u64,
    /// The time that the last connect and login took.
    pub connect: Duration,
    /// The time from the command to the agent's first message, upload included, for the agent
    /// started last.
    pub agent_start: Duration,
}

impl Counters {
    pub(crate) fn sent(&self, bytes: usize) {
        self.sent.fetch_add(bytes as u64, Relaxed);
    }

    pub(crate) fn received(&self, bytes: usize) {
        self.received.fetch_add(bytes as u64, Relaxed);
    }

    pub(crate) fn uploaded(&self, bytes: usize) {
        self.uploaded.fetch_add(bytes as u64, Relaxed);
    }

    pub(crate) fn request(&self) {
        self.requests.fetch_add(1, Relaxed);
    }

    pub(crate) fn connected(&self, took: Duration) {
        self.connect_us.store(micros(took), Relaxed);
    }

    pub(crate) fn agent_started(&self, took: Duration) {
        self.start_us.store(micros(took), Relaxed);
    }

    pub(crate) fn read(&self) -> Traffic {
        Traffic {
            sent: self.sent.load(Relaxed),
            received: self.received.load(Relaxed),
            uploaded: self.uploaded.load(Relaxed),
            requests: self.requests.load(Relaxed),
            connect: Duration::from_micros(self.connect_us.load(Relaxed)),
            agent_start: Duration::from_micros(self.start_us.load(Relaxed)),
        }
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
