//! Ansible's colours, byte for byte.

/// A colour by what Ansible uses it for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// `COLOR_OK`, and added lines of diffs.
    Ok,
    /// `COLOR_CHANGED`.
    Changed,
    /// `COLOR_SKIP`, and places in diffs.
    Skip,
    /// `COLOR_ERROR`, and removed lines of diffs.
    Error,
    /// `COLOR_UNREACHABLE`.
    Unreachable,
    /// `COLOR_WARN`.
    Warn,
    /// `COLOR_DEPRECATE`.
    Deprecate,
    /// `COLOR_DEBUG`.
    Debug,
    /// `COLOR_VERBOSE`.
    Verbose,
}

impl Colour {
    fn code(self) -> &'static str {
        match self {
            Self::Ok => "0;32",
            Self::Changed => "0;33",
            Self::Skip => "0;36",
            Self::Error => "0;31",
            Self::Unreachable => "1;31",
            Self::Warn => "1;35",
            Self::Deprecate => "0;35",
            Self::Debug => "1;30",
            Self::Verbose => "0;34",
        }
    }

    /// The text with each of its lines coloured, also the empty one behind a line break at the end.
    pub fn paint(self, text: &str) -> String {
        let lines: Vec<String> = text
            .split('\n')
            .map(|line| format!("\u{1b}[{}m{line}\u{1b}[0m", self.code()))
            .collect();
        lines.join("\n")
    }
}
