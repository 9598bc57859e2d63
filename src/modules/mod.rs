//! The modules, and the kit that they are built with.
//!
//! A module looks at the machine through `&Sys` and returns a plan; the kit applies it, or does not in check mode.
//! Adding one: its file in a family's directory, one word in the family's list, its fixtures.

mod beneath;
pub mod commands;
pub mod containers;
pub mod crypto;
pub mod custom;
pub mod etcd;
pub mod facts;
pub mod files;
mod kit;
pub mod kubernetes;
pub mod net;
pub mod packages;
mod registry;
pub mod services;
pub mod source_control;
mod steps;
pub mod storage;
mod streams;
pub mod system;
pub mod users;

pub(crate) use beneath::over_defaults;
pub use kit::{CheckSupport, Failure, Module, ModuleResult, NOT_JUDGED, Plan, RunMode, run};
pub use registry::{Entry, Registry};
