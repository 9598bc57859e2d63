//! What was written: plays, blocks, tasks, roles and handlers, with static imports expanded.
//!
//! Everything keeps its place in the file. Keywords are inherited here, once, so that a [`Task`] carries
//! everything that applies to it. Nothing is templated except what must be known to find a file.

mod actions;
mod args;
mod block;
mod defaults;
mod import;
mod keywords;
mod library;
mod loader;
mod malformed;
mod play;
mod role;
mod static_names;
mod tags;
mod task;
mod trail;

pub use args::TaskArgs;
pub use block::{Block, Item};
pub use keywords::{Keywords, PLAY_KEYWORDS, TASK_KEYWORDS};
pub use library::CustomModule;
pub use loader::{Bases, DuplicateKeys, LoadOptions, Loader, Render, Vocabulary, shown};
pub use play::{Play, Section};
pub use role::{LoadedRole, Role, RoleRequest};
pub use tags::{TagFilter, tag_words};
pub use task::{LoopKind, Task};
pub use trail::Trail;

use crate::diag::Diagnostic;

/// Results of loading: the first thing that is wrong.
pub type Result<T, E = Box<Diagnostic>> = std::result::Result<T, E>;
