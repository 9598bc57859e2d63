//! Where the time of a run went.

use super::Output;
use super::human::full_name;
use crate::result::{ConnectionCost, Event, EventSink};
use indexmap::IndexMap;
use std::cmp::Reverse;

/// Shows, after the recap, the slowest tasks, the time of each role and host, and what the connections cost.
///
/// A task takes as long as its slowest host; a role is the sum of its tasks, a host the sum of what it ran.
pub struct Timing {
    out: Output,
    top: usize,
    tasks: IndexMap<u64, Entry>,
    hosts: IndexMap<String, u64>,
    connections: Vec<ConnectionCost>,
}

struct Entry {
    name: String,
    role: Option<String>,
    path: String,
    slowest_ms: u64,
    slowest_host: String,
}

impl Timing {
    /// Writes to `out`; at most so many tasks and hosts are listed.
    pub fn new(out: Output, top: usize) -> Self {
        Self {
            out,
            top,
            tasks: IndexMap::new(),
            hosts: IndexMap::new(),
            connections: Vec::new(),
        }
    }

    fn show(&mut self, total_ms: u64) {
        let _ = writeln!(self.out, "TIME {} in all", seconds(total_ms));
        let mut tasks: Vec<&Entry> = self.tasks.values().collect();
        tasks.sort_by_key(|entry| Reverse(entry.slowest_ms));
        let mut roles: IndexMap<&str, u64> = IndexMap::new();
        for entry in self.tasks.values() {
            *roles
                .entry(entry.role.as_deref().unwrap_or("(no role)"))
                .or_default() += entry.slowest_ms;
        }
        let _ = writeln!(self.out, "  tasks, by their slowest host:");
        for entry in tasks.iter().take(self.top) {
            let Entry {
                name,
                path,
                slowest_ms,
                slowest_host,
                ..
            } = entry;
            let _ = writeln!(
                self.out,
                "  {:>10}  {name} [{slowest_host}]  {path}",
                seconds(*slowest_ms)
            );
        }
        let sums = |out: &mut Output, title: &str, sums: Vec<(&str, u64)>| {
            let mut sums = sums;
            sums.sort_by_key(|(_, time)| Reverse(*time));
            let _ = writeln!(out, "  {title}:");
            for (name, time) in sums.into_iter().take(self.top) {
                let _ = writeln!(out, "  {:>10}  {name}", seconds(time));
            }
        };
        sums(&mut self.out, "roles", roles.into_iter().collect());
        let hosts = self
            .hosts
            .iter()
            .map(|(name, time)| (name.as_str(), *time))
            .collect();
        sums(&mut self.out, "hosts", hosts);
        self.show_connections();
        let _ = self.out.flush();
    }
}

impl Timing {
    /// Sums over all connections; times are those of the slowest.
    fn show_connections(&mut self) {
        let all = &self.connections;
        if all.is_empty() {
            return;
        }
        let sum = |field: fn(&ConnectionCost) -> u64| all.iter().map(field).sum::<u64>();
        let slowest = |field: fn(&ConnectionCost) -> u64| {
            let us = all.iter().map(field).max().unwrap_or_default();
            format!("{}.{} ms", us / 1000, us % 1000 / 100)
        };
        let _ = writeln!(
            self.out,
            "  connections: {}, made in {}, agents started in {}, {} requests, {} bytes sent, {} bytes received, \
             {} bytes uploaded",
            all.len(),
            slowest(|cost| cost.connect_us),
            slowest(|cost| cost.agent_start_us),
            sum(|cost| cost.requests),
            sum(|cost| cost.sent),
            sum(|cost| cost.received),
            sum(|cost| cost.uploaded),
        );
    }
}

impl EventSink for Timing {
    fn event(&mut self, event: &Event) {
        match event {
            Event::TaskDone {
                task,
                host,
                elapsed_ms,
                ..
            } => {
                *self.hosts.entry(host.clone()).or_default() += elapsed_ms;
                let entry = self.tasks.entry(task.id).or_insert_with(|| Entry {
                    name: full_name(task),
                    role: task.role.clone(),
                    path: task.path.clone(),
                    slowest_ms: 0,
                    slowest_host: host.clone(),
                });
                if *elapsed_ms > entry.slowest_ms {
                    entry.slowest_ms = *elapsed_ms;
                    entry.slowest_host.clone_from(host);
                }
            }
            Event::Connections { machines } => self.connections.clone_from(machines),
            Event::Recap { elapsed_ms, .. } => self.show(*elapsed_ms),
            _ => {}
        }
    }
}

/// Milliseconds as seconds with two digits, in whole numbers.
pub(super) fn seconds(ms: u64) -> String {
    format!("{}.{:02}s", ms / 1000, ms % 1000 / 10)
}
