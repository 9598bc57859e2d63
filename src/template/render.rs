//! One rendering: the variables as the engine's root, what it touched, and its errors.

use super::context::{Resolved, Session, lock};
use super::objects::wrap_resolved;
use super::{Templar, TemplateError, TemplateErrorKind};
use crate::diag::nearest;
use crate::value::{Trust, Value};
use minijinja::value::{Enumerator, Object, Value as Val};
use minijinja::{Error, ErrorKind, State};
use std::collections::HashMap;
use std::error::Error as _;
use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// The message of `mandatory`, until the name of what is undefined is known.
pub(crate) const MANDATORY: &str = "\0mandatory";

/// The note of why a value is undefined that has no name: what `undef()` said, what an item lacks.
pub(crate) const UNDEF: &str = "\0undef";

/// The name under which filters and functions find the rendering.
const HANDLE: &str = "\0render";

/// State of one rendering.
pub(crate) struct Render {
    pub(crate) templar: Templar,
    pub(crate) session: Arc<Session>,
    touched: AtomicBool,
    notes: Mutex<HashMap<String, TemplateError>>,
    seen: Mutex<HashMap<String, Option<Val>>>,
    pub(super) opened: Mutex<super::sealed::Opened>,
}

/// A rendering while it lasts. What it has seen holds the rendering in turn, so it is let go of at the end:
/// otherwise neither would ever be freed.
pub(crate) struct Rendering(Arc<Render>);

impl std::ops::Deref for Rendering {
    type Target = Arc<Render>;

    fn deref(&self) -> &Arc<Render> {
        &self.0
    }
}

impl Drop for Rendering {
    fn drop(&mut self) {
        let seen = std::mem::take(&mut *lock(&self.0.seen));
        drop(seen);
    }
}

impl Render {
    pub(crate) fn begin(templar: &Templar, session: &Arc<Session>) -> Rendering {
        Rendering(Arc::new(Self {
            templar: templar.clone(),
            session: Arc::clone(session),
            touched: AtomicBool::new(false),
            notes: Mutex::default(),
            seen: Mutex::default(),
            opened: Mutex::default(),
        }))
    }

    /// The rendering that a filter, test or function runs in.
    pub(crate) fn of(state: &State) -> Result<Arc<Self>, Error> {
        state
            .lookup(HANDLE)
            .and_then(|value| value.downcast_object::<Handle>())
            .map(|handle| Arc::clone(&handle.0))
            .ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "not in a rendering"))
    }

    /// The engine's root.
    pub(crate) fn root(self: &Arc<Self>) -> Val {
        Val::from_object(Root(Arc::clone(self)))
    }

    /// Notes that a string was used that is data: the result is data then.
    pub(crate) fn touch(&self) {
        self.touched.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_touched(&self) -> bool {
        self.touched.load(Ordering::Relaxed)
    }

    /// Keeps the reason why a variable counts as undefined.
    pub(crate) fn note(&self, name: &str, error: TemplateError) {
        lock(&self.notes).insert(name.to_owned(), error);
    }

    fn variable(self: &Arc<Self>, name: &str) -> Option<Val> {
        if let Some(seen) = lock(&self.seen).get(name) {
            return seen.clone();
        }
        let value = match super::resolve::resolve(&self.templar, &self.session, name) {
            None => None,
            Some(Ok(Resolved::Value(Value::Str(text)))) if text.trust() == Trust::Vault => {
                // so that the message names the variable
                Some(match self.open(&text) {
                    Ok(_) => super::objects::wrap(&Value::Str(text), self),
                    Err(error) => super::sealed::locked(&text, error.through(name)),
                })
            }
            Some(Ok(resolved)) => Some(wrap_resolved(&resolved, &self.session, self)),
            Some(Err(error)) if error.is_undefined() => {
                self.note(name, error.through(name));
                None
            }
            Some(Err(error)) => Some(Val::from(engine_error(error.through(name)))),
        };
        lock(&self.seen).insert(name.to_owned(), value.clone());
        value
    }

    /// Turns the engine's error into ours. `position` maps an offset of the engine's text to one of `text`.
    pub(crate) fn error(
        &self,
        error: &Error,
        text: &str,
        position: impl Fn(usize) -> usize,
    ) -> TemplateError {
        let range = error
            .range()
            .map(|range| position(range.start)..position(range.end));
        let range = range.filter(|range| range.end <= text.len() && range.start <= range.end);
        let mut inner = error;
        let mut source = error.source();
        while let Some(next) = source {
            if let Some(ours) = next.downcast_ref::<TemplateError>() {
                let mut ours = ours.clone();
                if ours.message == MANDATORY {
                    let name = error.detail().and_then(undefined_expression);
                    let name = name.map_or_else(String::new, |name| format!("'{name}' "));
                    ours.message = format!("Mandatory variable {name} not defined.");
                }
                return ours.within(text, range);
            }
            if let Some(engine) = next.downcast_ref::<Error>() {
                inner = engine;
            }
            source = next.source();
        }
        let mut ours = self.plain_error(inner);
        // an error in a file that was included has a place in that file
        if let Some(name) = inner.name().filter(|name| !name.starts_with('<')) {
            ours.message = format!("{name}:{}: {}", inner.line().unwrap_or(0), ours.message);
        }
        let range = range.map(|range| narrow(text, range, ours.name.as_deref()));
        ours.within(text, range)
    }

    fn plain_error(&self, error: &Error) -> TemplateError {
        let detail = error.detail().unwrap_or_default();
        match error.kind() {
            ErrorKind::UnknownFunction => {
                if let Some(name) = detail.strip_suffix(" is unknown") {
                    return self.undefined(name);
                }
                TemplateError::new(TemplateErrorKind::Type, detail)
            }
            ErrorKind::SyntaxError | ErrorKind::BadEscape | ErrorKind::InvalidDelimiter => {
                TemplateError::new(
                    TemplateErrorKind::Syntax,
                    format!("syntax error in template: {detail}"),
                )
            }
            ErrorKind::UnknownFilter | ErrorKind::UnknownTest => {
                let filter = error.kind() == ErrorKind::UnknownFilter;
                let name = detail
                    .split_once(' ')
                    .map_or(detail, |(_, rest)| rest)
                    .strip_suffix(" is unknown")
                    .unwrap_or_default();
                let known: Vec<&str> = if filter {
                    super::filters::names().collect()
                } else {
                    super::tests::names().collect()
                };
                let what = if filter { "filter" } else { "test" };
                if let Some(why) = self.templar.plugins().unsupported(what, name) {
                    return TemplateError::new(TemplateErrorKind::Syntax, why);
                }
                let mut ours = TemplateError::new(
                    TemplateErrorKind::Syntax,
                    format!("no {what} named '{name}'"),
                );
                ours.hint = nearest(name, known).map(|near| format!("did you mean `{near}`?"));
                ours
            }
            ErrorKind::TemplateNotFound => TemplateError::new(TemplateErrorKind::File, detail),
            kind => {
                if let Some(expr) = undefined_expression(detail) {
                    return self.undefined(expr);
                }
                if let (ErrorKind::UndefinedError, "", Some(told)) =
                    (kind, detail, lock(&self.notes).get(UNDEF))
                {
                    return told.clone();
                }
                let message = match (kind, detail) {
                    (ErrorKind::UndefinedError, "") => "an undefined value was used".to_owned(),
                    (_, "") => kind.to_string(),
                    _ => detail.to_owned(),
                };
                let kind = match kind {
                    ErrorKind::UndefinedError => TemplateErrorKind::Undefined,
                    _ => TemplateErrorKind::Type,
                };
                TemplateError::new(kind, message)
            }
        }
    }

    /// The error for an expression such as `x.y[0]` that is undefined.
    fn undefined(&self, expr: &str) -> TemplateError {
        if expr.starts_with("undef(")
            && let Some(told) = lock(&self.notes).get(UNDEF)
        {
            return told.clone();
        }
        let root = expr.split(['.', '[']).next().unwrap_or_default();
        if let Some(known) = lock(&self.notes).get(root) {
            return known.clone();
        }
        let notes = lock(&self.notes);
        if let Some((_, known)) = notes.iter().find(|(name, _)| mentions(expr, name)) {
            return known.clone();
        }
        drop(notes);
        let exists = self.session.scope.get(root).is_some();
        let mut error = if root == expr || (!exists && !root.starts_with('(')) {
            let mut error = TemplateError::new(
                TemplateErrorKind::Undefined,
                format!("'{root}' is undefined"),
            );
            let names = self.session.scope.names();
            error.hint = nearest(root, names.iter().map(|name| &**name))
                .map(|near| format!("did you mean `{near}`?"));
            error
        } else if let Some(index) = last_index(expr) {
            TemplateError::new(
                TemplateErrorKind::Undefined,
                format!("list object has no element {index}: `{expr}` is undefined"),
            )
        } else {
            let attribute = last_attribute(expr);
            let parent = self.parent_of(expr);
            let kind = parent.as_ref().map_or("dict", Value::type_name);
            let message = if attribute.trim_matches('.').is_empty() {
                format!("'{kind} object' has no such attribute: `{expr}` is undefined")
            } else {
                format!("'{kind} object' has no attribute '{attribute}': `{expr}` is undefined")
            };
            let mut error = TemplateError::new(TemplateErrorKind::Undefined, message);
            error.hint = parent.as_ref().and_then(Value::as_map).and_then(|map| {
                nearest(attribute, map.str_iter().map(|(key, _)| key))
                    .map(|near| format!("did you mean `{near}`?"))
            });
            error
        };
        error.name = Some(expr.to_owned());
        error
    }

    /// What an expression such as `x.y.z` takes its last step from (`x.y`), if `x` is a variable.
    fn parent_of(&self, expr: &str) -> Option<Value> {
        let root = expr.split(['.', '[']).next()?;
        let Resolved::Value(mut value) =
            super::resolve::resolve(&self.templar, &self.session, root)?.ok()?
        else {
            return None;
        };
        let path = expr
            .strip_prefix(root)?
            .replace("['", ".")
            .replace("[\"", ".")
            .replace(['\'', '"', ']'], "");
        let steps: Vec<&str> = path.split('.').filter(|step| !step.is_empty()).collect();
        for step in steps.iter().take(steps.len().saturating_sub(1)) {
            value = value.get(step)?.clone();
        }
        Some(value)
    }
}

impl fmt::Debug for Render {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Render")
    }
}

/// Our error as one of the engine.
pub(crate) fn engine_error(error: TemplateError) -> Error {
    let kind = if error.is_undefined() {
        ErrorKind::UndefinedError
    } else {
        ErrorKind::InvalidOperation
    };
    Error::new(kind, error.to_string()).with_source(error)
}

/// Whether the expression has the name as one of its parts (`hostvars['h'].x` has `x`).
fn mentions(expr: &str, name: &str) -> bool {
    expr.split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .skip(1)
        .any(|part| part == name)
}

/// The place of the name in the range, if it is there once: nearer than the whole operation.
fn narrow(text: &str, range: Range<usize>, name: Option<&str>) -> Range<usize> {
    let Some(name) = name else {
        return range;
    };
    let root = name.split(['.', '[']).next().unwrap_or(name);
    for name in [name, root] {
        let place = |from: usize, at: usize| from + at..from + at + name.len();
        let inside: Vec<usize> = words(text.get(range.clone()).unwrap_or_default(), name);
        if let [at] = inside.as_slice() {
            return place(range.start, *at);
        }
        // an attribute's range begins behind what it is an attribute of
        let before = text.get(..range.end).unwrap_or_default();
        if let (true, Some(at)) = (inside.is_empty(), words(before, name).last()) {
            let end = *at + name.len();
            if end <= range.start && before.get(end..range.start).is_some_and(is_path) {
                return place(0, *at);
            }
            if *at <= range.start && end > range.start {
                return place(0, *at);
            }
        }
    }
    range
}

/// Whether a text is the rest of an expression such as `.x['y']`.
fn is_path(text: &str) -> bool {
    text.chars()
        .all(|c| c.is_alphanumeric() || "._[]'\"".contains(c))
}

/// Where the name stands in the text as a word of its own.
fn words(text: &str, name: &str) -> Vec<usize> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(name)
        .map(|(at, _)| at)
        .filter(|at| {
            let before = text.get(..*at).and_then(|s| s.chars().next_back());
            let after = text.get(at + name.len()..).and_then(|s| s.chars().next());
            !before.is_some_and(|c| is_word(c) || c == '.') && !after.is_some_and(is_word)
        })
        .collect()
}

fn undefined_expression(detail: &str) -> Option<&str> {
    let end = detail.find("` is undefined")?;
    let before = detail.get(..end)?;
    let start = before.rfind('`')? + 1;
    before.get(start..)
}

fn last_index(expr: &str) -> Option<i64> {
    let open = expr.rfind('[')?;
    expr.get(open + 1..)?.strip_suffix(']')?.parse().ok()
}

fn last_attribute(expr: &str) -> &str {
    let start = expr.rfind(['.', '[']).map_or(0, |i| i + 1);
    expr.get(start..)
        .unwrap_or(expr)
        .trim_matches(['[', ']', '\'', '"'])
}

#[derive(Debug)]
struct Handle(Arc<Render>);

impl Object for Handle {}

#[derive(Debug)]
struct Root(Arc<Render>);

impl Object for Root {
    fn get_value(self: &Arc<Self>, key: &Val) -> Option<Val> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Val> {
        if key == HANDLE {
            return Some(Val::from_object(Handle(Arc::clone(&self.0))));
        }
        self.0.variable(key)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(
            self.0
                .session
                .scope
                .names()
                .into_iter()
                .map(Val::from)
                .collect(),
        )
    }
}
