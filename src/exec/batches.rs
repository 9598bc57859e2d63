//! Which hosts a play is for, in which order, and in which batches.
//!
//! Source: Ansible's documentation, "Controlling playbook execution: strategies and more".

use super::fault::Fault;
use super::run::Run;
use crate::diag::Diagnostic;
use crate::inventory::HostOrder;
use crate::playbook::Play;
use crate::template::Context;
use crate::value::Value;
use std::sync::{Arc, PoisonError};

impl Run {
    /// The hosts of a play: in its `order`, and in that of the inventory.
    #[expect(clippy::type_complexity, reason = "two lists of hosts")]
    pub(super) fn play_hosts(
        &self,
        play: &Play,
        cx: &Context,
    ) -> Result<(Vec<Arc<str>>, Vec<Arc<str>>), Box<Diagnostic>> {
        let value = self
            .templar
            .render(&play.hosts.to_value(), cx)
            .map_err(|e| Fault::template(&e, &play.hosts).0)?;
        let pattern = match &value {
            Value::List(items) => items
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(","),
            other => other.to_string(),
        };
        let selection = self
            .store
            .inventory(|inventory| inventory.select(&pattern))
            .map_err(|e| {
                Box::new(if e.span.is_some() {
                    e
                } else {
                    e.at(&play.hosts.span)
                })
            })?;
        for warning in selection.warnings {
            self.emitter.warn(warning.to_string());
        }
        let mut hosts = selection.hosts;
        let limit = self.limit.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(limit) = limit.as_ref() {
            hosts.retain(|host| limit.contains(host));
        }
        drop(limit);
        let plain = hosts.clone();
        let order = self
            .play_word(play.order.as_ref(), cx)?
            .map(|order| order.to_string());
        match order.as_deref() {
            None | Some("inventory") => {}
            Some("reverse_inventory") => HostOrder::ReverseInventory.arrange(&mut hosts),
            Some("sorted") => HostOrder::Sorted.arrange(&mut hosts),
            Some("reverse_sorted") => HostOrder::ReverseSorted.arrange(&mut hosts),
            Some("shuffle") => hosts.sort_by_cached_key(|_| random()),
            Some(other) => {
                let node = play.order.as_ref().unwrap_or(&play.hosts);
                return Err(Diagnostic::error(
                    "play::order",
                    format!("there is no order `{other}`"),
                )
                .at(&node.span)
                .into());
            }
        }
        Ok((hosts, plain))
    }

    pub(super) fn batches(
        &self,
        play: &Play,
        cx: &Context,
        hosts: Vec<Arc<str>>,
    ) -> Result<Vec<Vec<Arc<str>>>, Box<Diagnostic>> {
        let node = play.serial.as_ref();
        let (Some(value), Some(node)) = (self.play_word(node, cx)?, node) else {
            return Ok(vec![hosts]);
        };
        let steps = match value {
            Value::List(items) => items.to_vec(),
            one => vec![one],
        };
        let total = hosts.len();
        let mut sizes = Vec::new();
        for step in &steps {
            let text = step.to_string();
            let size = match text.trim().strip_suffix('%') {
                Some(percent) => percent
                    .trim()
                    .parse::<f64>()
                    .ok()
                    .map(|percent| share(percent, total))
                    .map(|size| size.max(1)),
                None => text.trim().parse::<usize>().ok(),
            };
            let Some(size) = size else {
                return Err(Diagnostic::error(
                    "play::serial",
                    format!("`serial` must be a number or a percentage, this is `{text}`"),
                )
                .at(&node.span)
                .into());
            };
            sizes.push(if size == 0 { total } else { size });
        }
        let mut batches = Vec::new();
        let mut rest = hosts.as_slice();
        let mut step = 0;
        while !rest.is_empty() {
            let size = sizes
                .get(step)
                .or(sizes.last())
                .copied()
                .unwrap_or(total)
                .min(rest.len());
            let (batch, after) = rest.split_at(size);
            batches.push(batch.to_vec());
            rest = after;
            step += 1;
        }
        Ok(batches)
    }
}

fn random() -> u64 {
    let mut bytes = [0; 8];
    // without randomness the order is as written, which is an order too
    let _ = getrandom::fill(&mut bytes);
    u64::from_ne_bytes(bytes)
}

/// So many percent of a number of hosts, rounded down.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "numbers of hosts; the cast saturates"
)]
fn share(percent: f64, total: usize) -> usize {
    ((percent / 100.0) * total as f64) as usize
}
