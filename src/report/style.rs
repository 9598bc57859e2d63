//! What colours stand for.

use console::Style;

/// The meaning of a piece of output. Colours are chosen by meaning, never at the place of printing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// Nothing had to be done.
    Ok,
    /// Something was changed.
    Changed,
    /// Skipped, ignored or included.
    Skipped,
    /// Failed.
    Failed,
    /// A machine that could not be reached.
    Unreachable,
    /// A warning.
    Warning,
    /// Of little weight: retries, progress, places in files.
    Faint,
    /// An added line of a diff.
    Added,
    /// A removed line of a diff.
    Removed,
    /// The place of a hunk in a diff.
    Hunk,
}

/// Colours on or off. Whether they are is for the caller to find out (terminal, `--no-color`, `NO_COLOR`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Palette {
    /// On.
    pub color: bool,
}

impl Palette {
    /// The text, in the colour of the label if colours are on.
    pub fn paint(self, label: Label, text: &str) -> String {
        if !self.color || text.is_empty() {
            return text.to_owned();
        }
        let style = Style::new().force_styling(true);
        let style = match label {
            Label::Ok | Label::Added => style.green(),
            Label::Changed => style.yellow(),
            Label::Skipped | Label::Hunk => style.cyan(),
            Label::Failed | Label::Removed => style.red(),
            Label::Unreachable => style.red().bright(),
            Label::Warning => style.magenta().bright(),
            Label::Faint => style.black().bright(),
        };
        style.apply_to(text).to_string()
    }
}
