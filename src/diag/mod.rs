//! Sources, spans and diagnostics: every error that a user sees says where, shows the line, and helps.

mod hint;
mod place;
mod render;
mod source;
#[cfg(test)]
mod tests;

pub use hint::{did_you_mean, io_reason, nearest};
pub use place::{excerpt, place};
pub use render::{RenderOptions, render, render_body};
pub use source::{Source, Span};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The command cannot go on, or a task failed.
    Error,
    /// Worth knowing; the run goes on.
    Warning,
    /// Runs today, will not for ever.
    Deprecation,
}

/// A message for the user, with its place in a file if it has one.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// A stable name such as `playbook::unknown-keyword`.
    pub code: &'static str,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// Where.
    pub span: Option<Span>,
    /// A few words shown under the caret.
    pub label: Option<String>,
    /// Other places that matter, with what they are.
    pub related: Vec<(Span, String)>,
    /// More lines of explanation.
    pub notes: Vec<String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// What playbooks see as a result's `msg` instead of the message, if they may look for Ansible's words.
    pub told: Option<String>,
}

impl Diagnostic {
    /// An error.
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code,
            message: message.into(),
            span: None,
            label: None,
            related: Vec::new(),
            notes: Vec::new(),
            hint: None,
            told: None,
        }
    }

    /// A warning.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, message)
        }
    }

    /// Adds the place.
    #[must_use]
    pub fn at(mut self, span: &Span) -> Self {
        self.span = Some(span.clone());
        self
    }

    /// Adds words under the caret.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Adds another place that matters.
    #[must_use]
    pub fn related(mut self, span: &Span, what: impl Into<String>) -> Self {
        self.related.push((span.clone(), what.into()));
        self
    }

    /// Adds a line of explanation.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds what is said where scripts may look for Ansible's words.
    #[must_use]
    pub fn tell(mut self, words: impl Into<String>) -> Self {
        self.told = Some(words.into());
        self
    }

    /// Adds a hint if there is one.
    #[must_use]
    pub fn maybe_hint(mut self, hint: Option<String>) -> Self {
        if hint.is_some() {
            self.hint = hint;
        }
        self
    }
}

/// One line: `file:line:col: message`. The full form, with the source line and a caret, is [`render`].
impl std::fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(span) = &self.span {
            write!(f, "{span}: ")?;
        }
        f.write_str(&self.message)?;
        if let Some(hint) = &self.hint {
            write!(f, " ({hint})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostic {}
