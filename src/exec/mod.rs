//! Running plays: which host does which task when, what a task's keywords mean, and what becomes of results.
//!
//! [`Run`] drives one run of playbooks. It keeps hosts in step by their places in the play (`plan`), evaluates
//! keywords with templates, takes actions' next steps to machines, and emits events.

mod arguments;
mod background;
mod batches;
mod censor;
mod connected;
mod custom;
mod debugger;
mod dispatch;
mod effects;
mod emit;
mod fault;
mod flow;
mod free;
mod handlers;
mod include;
mod items;
mod known_action;
mod linear;
mod machines;
mod options;
mod pause;
mod play;
mod play_scope;
mod prompt;
mod prompts;
mod reboot;
mod refresh;
mod reserved;
mod retry;
mod run;
mod scope;
mod settings;
mod single;
mod synchronize;
mod task;

pub use machines::{Login, Machines};
pub use options::{RunOptions, VerifyTask};
pub use play_scope::PlayScope;
pub use prompt::{Keys, NoPrompt, Pressed, Prompt};
pub use refresh::{Refresh, Refreshed};
pub use run::{Run, RunEnd, RunParts};
