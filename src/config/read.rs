//! From the text of a setting to its value.

use std::path::{Component, Path, PathBuf};

/// What reading a value needs to know.
pub(super) struct Context<'a> {
    pub env: &'a dyn Fn(&str) -> Option<String>,
    pub cwd: &'a Path,
    /// The directory that relative paths are relative to: that of the file, or the working directory.
    pub base: &'a Path,
    /// The text comes from the file: quotes around it are taken off.
    pub file: bool,
}

/// What was expected instead, or (second) that the value is taken all the same but deserves a warning.
pub(super) enum Problem<T> {
    Bad(String),
    Odd(T, String),
}

pub(super) type Read<T> = Result<T, Problem<T>>;

/// Whether facts are gathered when a play does not say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gathering {
    /// Unless the play says no.
    Implicit,
    /// Only if the play says so.
    Explicit,
    /// Unless the host's facts are known already.
    Smart,
}

/// What happens to a mapping that two places define.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashBehaviour {
    /// The stronger one wins.
    Replace,
    /// They are merged.
    Merge,
}

/// What a duplicate key in YAML is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DuplicateKeys {
    /// An error.
    Error,
    /// A warning.
    Warn,
    /// Nothing to speak of.
    Ignore,
}

/// What a host pattern that matches nothing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatternMismatch {
    /// An error.
    Error,
    /// A warning.
    Warning,
    /// Nothing to speak of.
    Ignore,
}

/// What happens to names of groups that could not be names of variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupNameRule {
    /// They stay, with a warning.
    Never,
    /// They stay.
    Ignore,
    /// They are changed, with a warning.
    Always,
    /// They are changed.
    Silently,
}

fn choice<T: Copy>(text: &str, choices: &[(&str, T)]) -> Read<T> {
    let text = unquote(text);
    choices
        .iter()
        .find(|(name, _)| *name == text)
        .map(|(_, value)| *value)
        .ok_or_else(|| {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            Problem::Bad(format!("one of {}", names.join(", ")))
        })
}

pub(super) fn gathering(text: &str, _: &Context<'_>) -> Read<Gathering> {
    choice(
        text,
        &[
            ("implicit", Gathering::Implicit),
            ("explicit", Gathering::Explicit),
            ("smart", Gathering::Smart),
        ],
    )
}

pub(super) fn hash_behaviour(text: &str, _: &Context<'_>) -> Read<HashBehaviour> {
    choice(
        text,
        &[
            ("replace", HashBehaviour::Replace),
            ("merge", HashBehaviour::Merge),
        ],
    )
}

pub(super) fn duplicate_keys(text: &str, _: &Context<'_>) -> Read<DuplicateKeys> {
    choice(
        text,
        &[
            ("error", DuplicateKeys::Error),
            ("warn", DuplicateKeys::Warn),
            ("ignore", DuplicateKeys::Ignore),
        ],
    )
}

pub(super) fn pattern_mismatch(text: &str, _: &Context<'_>) -> Read<PatternMismatch> {
    choice(
        text,
        &[
            ("warning", PatternMismatch::Warning),
            ("error", PatternMismatch::Error),
            ("ignore", PatternMismatch::Ignore),
        ],
    )
}

pub(super) fn group_name_rule(text: &str, _: &Context<'_>) -> Read<GroupNameRule> {
    choice(
        text,
        &[
            ("never", GroupNameRule::Never),
            ("ignore", GroupNameRule::Ignore),
            ("always", GroupNameRule::Always),
            ("silently", GroupNameRule::Silently),
        ],
    )
}

/// As Ansible: whatever is no boolean is false; here with a warning.
pub(super) fn boolean(text: &str, _: &Context<'_>) -> Read<bool> {
    match text.trim().to_lowercase().as_str() {
        "y" | "yes" | "on" | "1" | "true" | "t" | "1.0" => Ok(true),
        "n" | "no" | "off" | "0" | "false" | "f" | "0.0" | "" => Ok(false),
        _ => Err(Problem::Odd(false, "yes or no; taken as no".to_owned())),
    }
}

/// A whole number that is not negative.
pub(super) fn number(text: &str, _: &Context<'_>) -> Read<u64> {
    let text = text.trim();
    let whole = text
        .split_once('.')
        .filter(|(_, fraction)| fraction.bytes().all(|b| b == b'0'))
        .map_or(text, |(whole, _)| whole);
    whole
        .parse()
        .map_err(|_| Problem::Bad("a whole number".to_owned()))
}

/// As [`number`], not zero.
pub(super) fn positive(text: &str, context: &Context<'_>) -> Read<u64> {
    match number(text, context)? {
        0 => Err(Problem::Bad("a whole number above zero".to_owned())),
        n => Ok(n),
    }
}

pub(super) fn optional_number(text: &str, context: &Context<'_>) -> Read<Option<u64>> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    match number(text, context) {
        Ok(n) => Ok(Some(n)),
        Err(Problem::Bad(expected) | Problem::Odd(_, expected)) => Err(Problem::Bad(expected)),
    }
}

/// Nothing, if the text is empty.
pub(super) fn optional_boolean(text: &str, context: &Context<'_>) -> Read<Option<bool>> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    match boolean(text, context) {
        Ok(value) => Ok(Some(value)),
        Err(Problem::Odd(value, expected)) => Err(Problem::Odd(Some(value), expected)),
        Err(Problem::Bad(expected)) => Err(Problem::Bad(expected)),
    }
}

pub(super) fn string(text: &str, context: &Context<'_>) -> Read<String> {
    Ok(if context.file { unquote(text) } else { text }.to_owned())
}

/// Nothing, if the text is empty.
pub(super) fn optional(text: &str, context: &Context<'_>) -> Read<Option<String>> {
    let text = if context.file { unquote(text) } else { text };
    Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
}

/// Comma separated.
pub(super) fn list(text: &str, _: &Context<'_>) -> Read<Vec<String>> {
    Ok(text
        .split(',')
        .map(|part| unquote(part.trim()).to_owned())
        .filter(|part| !part.is_empty())
        .collect())
}

pub(super) fn optional_path(text: &str, context: &Context<'_>) -> Read<Option<PathBuf>> {
    let text = text.trim();
    Ok((!text.is_empty()).then(|| path(text, context)))
}

/// Colon separated, as `$PATH`.
pub(super) fn search_path(text: &str, context: &Context<'_>) -> Read<Vec<PathBuf>> {
    Ok(paths(text.split(':'), context))
}

/// Comma separated.
pub(super) fn path_list(text: &str, context: &Context<'_>) -> Read<Vec<PathBuf>> {
    Ok(paths(text.split(','), context))
}

fn paths<'a>(parts: impl Iterator<Item = &'a str>, context: &Context<'_>) -> Vec<PathBuf> {
    parts
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| path(part, context))
        .collect()
}

/// `{{CWD}}`, `~` and variables replaced, relative to the base, without `.` and `..`.
fn path(text: &str, context: &Context<'_>) -> PathBuf {
    let text = text.replace("{{CWD}}", &context.cwd.to_string_lossy());
    normal(&context.base.join(expand(&text, context.env)))
}

fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

/// `~/` at the start, and `$NAME` and `${NAME}` of variables that are set.
pub(super) fn expand(text: &str, env: &dyn Fn(&str) -> Option<String>) -> String {
    let home = text
        .strip_prefix('~')
        .filter(|rest| rest.is_empty() || rest.starts_with('/'))
        .and_then(|rest| Some(format!("{}{rest}", env("HOME")?)));
    let text = home.as_deref().unwrap_or(text);
    let mut out = String::new();
    let mut parts = text.split('$');
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (name, rest) = match part.strip_prefix('{').and_then(|p| p.split_once('}')) {
            Some(split) => split,
            None => part.split_at(
                part.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                    .unwrap_or(part.len()),
            ),
        };
        if let Some(value) = (!name.is_empty()).then(|| env(name)).flatten() {
            out.push_str(&value);
            out.push_str(rest);
        } else {
            out.push('$');
            out.push_str(part);
        }
    }
    out
}

/// Without the quotes around it.
pub(super) fn unquote(text: &str) -> &str {
    for quote in ['"', '\''] {
        let inner = text
            .strip_prefix(quote)
            .and_then(|text| text.strip_suffix(quote));
        if let Some(inner) = inner.filter(|inner| !inner.ends_with('\\')) {
            return inner;
        }
    }
    text
}
