//! Objects of Kubernetes and the files that lead to it: `k8s`, `k8s_info`, `k8s_drain`, `kubeconfig`; charts by `helm`.
//!
//! Objects are applied by the server ([server-side apply][ssa]) under a field manager of runbook's own. What would change
//! is asked of the server too: a plan is a dry run, so that check mode, diff and changed are what the server says.
//! The server must prove who it is, always.
//!
//! [ssa]: https://kubernetes.io/docs/reference/using-api/server-side-apply/

mod access;
mod api;
mod apply;
mod compare;
mod condition;
mod config_file;
mod definition;
mod drain;
mod helm;
mod k8s;
mod k8s_info;
mod kubeconfig;
mod prune;
mod watch;

use super::Entry;

/// The family's modules.
pub const MODULES: &[Entry] = &[
    Entry::of::<k8s::K8s>(),
    Entry::of::<drain::K8sDrain>(),
    Entry::of::<k8s_info::K8sInfo>(),
    Entry::of::<kubeconfig::Kubeconfig>(),
    Entry::of::<helm::Helm>(),
    Entry::of::<helm::HelmInfo>(),
    Entry::of::<helm::HelmRepository>(),
];
