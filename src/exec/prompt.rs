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
    /// Waits; true if the user ended the waiting.
    fn wait(&self, duration: Duration) -> bool {
        std::thread::sleep(duration);
        false
    }
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
