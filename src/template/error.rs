//! Why a template failed.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

/// What kind of failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemplateErrorKind {
    /// A variable, attribute or item that does not exist was used.
    Undefined,
    /// The text is not a template, or names a filter or test that does not exist.
    Syntax,
    /// A filter, test, operator or method refused its operands.
    Type,
    /// A lookup failed.
    Lookup,
    /// Variables refer to each other in a circle, or too deep.
    Recursion,
    /// A template file could not be found or read.
    File,
    /// A vault value could not be decrypted.
    Vault,
}

/// A variable on the way from the text that was rendered to the text that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateStep {
    /// The variable's name.
    pub variable: String,
    /// The text in its value that failed (one string, even if the value is a list or mapping).
    pub template: String,
    /// The bytes of `template` that failed, if known.
    pub range: Option<Range<usize>>,
}

/// A template that failed: what, where in the text, through which variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// The kind.
    pub kind: TemplateErrorKind,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// The name that is undefined, if that is what happened: `x`, or `x.y` for an attribute.
    pub name: Option<String>,
    /// The text that was rendered (the outermost; one string of the value that was given).
    pub template: String,
    /// The bytes of `template` that failed, if known.
    pub range: Option<Range<usize>>,
    /// The file that `template` is the text of, if it is a file's.
    pub file: Option<PathBuf>,
    /// The variables whose values led to the failure, outermost first. Empty when the text itself failed.
    pub chain: Vec<TemplateStep>,
    /// What to do about it.
    pub hint: Option<String>,
    /// The condition (of `when`, `that`, ...) that could not be told, if it was one.
    pub condition: Option<String>,
}

impl TemplateError {
    /// An error with no place yet.
    pub fn new(kind: TemplateErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            name: None,
            template: String::new(),
            range: None,
            file: None,
            chain: Vec::new(),
            hint: None,
            condition: None,
        }
    }

    /// What Ansible says before the message: playbooks look for it in a result's `msg`.
    pub fn told(&self) -> Option<String> {
        let message = &self.message;
        match (&self.condition, self.is_undefined()) {
            (Some(condition), true) => Some(format!(
                "The conditional check '{condition}' failed. The error was: error while evaluating conditional \
                 ({condition}): {message}"
            )),
            (Some(condition), false) => Some(format!(
                "The conditional check '{condition}' failed. The error was: {message}"
            )),
            (None, true) => Some(format!(
                "The task includes an option with an undefined variable.. {message}"
            )),
            (None, false) => None,
        }
    }

    /// What Ansible says of a template file that cannot be rendered: the class of the error first.
    pub fn in_a_file(&self) -> String {
        let class = match self.kind {
            TemplateErrorKind::Undefined => "AnsibleUndefinedVariable",
            TemplateErrorKind::Syntax => "TemplateSyntaxError",
            TemplateErrorKind::Type => "TypeError",
            _ => "AnsibleError",
        };
        let name = self
            .message
            .strip_prefix("no test named '")
            .or_else(|| self.message.strip_prefix("no filter named '"))
            .and_then(|rest| rest.strip_suffix('\''));
        match name {
            Some(name) if name.contains(' ') => format!(
                "{class}: Could not load \"{name}\": 'invalid plugin name: ansible.builtin.{name}'"
            ),
            Some(name) => format!("{class}: Could not load \"{name}\": '{name}'"),
            None => format!("{class}: {}", self.message),
        }
    }

    /// Whether it says that something is undefined: `default` and `is defined` take that for an answer.
    pub fn is_undefined(&self) -> bool {
        self.kind == TemplateErrorKind::Undefined
    }

    /// The same error, seen from a text that uses the variable.
    #[must_use]
    pub(crate) fn through(mut self, variable: &str) -> Self {
        let step = TemplateStep {
            variable: variable.to_owned(),
            template: std::mem::take(&mut self.template),
            range: self.range.take(),
        };
        self.chain.insert(0, step);
        self
    }

    /// The same error, in this text.
    #[must_use]
    pub(crate) fn within(mut self, template: &str, range: Option<Range<usize>>) -> Self {
        template.clone_into(&mut self.template);
        self.range = range;
        self.file = None;
        self
    }
}

/// The message, and the chain of variables if there is one.
impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if !self.chain.is_empty() {
            let names: Vec<&str> = self
                .chain
                .iter()
                .map(|step| step.variable.as_str())
                .collect();
            write!(f, " (through `{}`)", names.join("` -> `"))?;
        }
        if let Some(hint) = &self.hint {
            write!(f, " ({hint})")?;
        }
        Ok(())
    }
}

impl std::error::Error for TemplateError {}
