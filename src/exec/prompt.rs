//! Asking the user: `pause`, `vars_prompt`.

use std::time::Duration;

/// Somebody who can be asked.
pub trait Prompt: Send + Sync {
    /// Asks, and waits for a line. `None` when nobody is there.
    fn ask(&self, text: &str, echo: bool) -> Option<String>;
    /// Whether somebody is there: a question that only waits for a key is not asked otherwise.
    fn attended(&self) -> bool {
        false
    }
    /// Shows a text while the run waits.
    fn show(&self, text: &str);
    /// Says what was asked for.
    fn tell(&self, text: &str) {
        self.show(text);
    }
    /// Asks, and looks at each key until one ends it. `None` when nobody is there, or `stopped` becomes true.
    fn keys(&self, _text: &str, _keys: &Keys, _stopped: &dyn Fn() -> bool) -> Option<Pressed> {
        None
    }
}

/// What ends a question of which every key counts; Ctrl-C always does.
#[derive(Clone, Copy, Debug)]
pub struct Keys {
    /// Whether what is typed is shown.
    pub echo: bool,
    /// The answer is what was typed until then.
    pub limit: Option<Duration>,
    /// Keys that complete the answer, in lower case.
    pub complete: &'static [u8],
    /// Keys that do what Ctrl-C does, in lower case.
    pub abort: &'static [u8],
}

/// How such a question ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pressed {
    /// What was typed.
    Answer(String),
    /// Ctrl-C.
    Interrupted,
}

/// Nobody is there.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoPrompt;

impl Prompt for NoPrompt {
    fn ask(&self, _: &str, _: bool) -> Option<String> {
        None
    }
    fn show(&self, _: &str) {}
}
