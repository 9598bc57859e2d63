//! The template engine with Ansible's rules of typing, trust and laziness.

use super::condition::OddConditions;
use super::context::Session;
use super::convert::from_engine;
use super::literal;
use super::render::Render;
use super::syntax;
use super::{Context, PluginPlaces, Setting, TemplateError, TemplateErrorKind};
use crate::value::{Map, Text, Trust, Value};
use crate::vault::{Vault, VaultError};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Value as Val;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Gives the hosts of a pattern (`inventory_hostnames`).
pub type HostPattern = Arc<dyn Fn(&str) -> Result<Vec<String>, String> + Send + Sync>;
/// Takes a warning for the user.
pub type Warn = Arc<dyn Fn(&str) + Send + Sync>;

/// What the engine needs of the rest of the program.
#[derive(Clone, Default)]
pub struct TemplarOptions {
    /// Ansible's `jinja2_native`: expressions keep their Python type.
    pub jinja2_native: bool,
    /// The inventory's hosts by pattern.
    pub hosts: Option<HostPattern>,
    /// Opens encrypted values and files.
    pub vault: Arc<Vault>,
    /// Settings.
    pub setting: Option<Setting>,
    /// Where plugins in Python may lie that templates name.
    pub plugins: PluginPlaces,
    /// Where warnings go (`errors='warn'` of lookups).
    pub warn: Option<Warn>,
    /// Where it is said what will not work in later versions of Ansible.
    pub deprecated: Option<Warn>,
    /// What a condition is that is neither true nor false.
    pub odd_conditions: OddConditions,
}

/// How a template file is rendered; the defaults are those of Ansible's `template` module.
#[derive(Clone, Debug)]
pub struct FileOptions {
    /// Whether the line break after a block is removed.
    pub trim_blocks: bool,
    /// Whether blanks before a block are removed.
    pub lstrip_blocks: bool,
    /// Whether Jinja2 itself keeps the last line break (it is kept in any case).
    pub keep_trailing_newline: bool,
    /// What a line break is written as.
    pub newline_sequence: String,
    /// `{{` and `}}`.
    pub variable_delimiters: (String, String),
    /// `{%` and `%}`.
    pub block_delimiters: (String, String),
    /// `{#` and `#}`.
    pub comment_delimiters: (String, String),
    /// Lines that begin so are statements.
    pub line_statement_prefix: Option<String>,
    /// What follows is a comment to the end of the line.
    pub line_comment_prefix: Option<String>,
    /// The file, if the text has one: its directory is searched for includes.
    pub path: Option<PathBuf>,
}

impl Default for FileOptions {
    fn default() -> Self {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        Self {
            trim_blocks: true,
            lstrip_blocks: false,
            keep_trailing_newline: false,
            newline_sequence: "\n".into(),
            variable_delimiters: pair("{{", "}}"),
            block_delimiters: pair("{%", "%}"),
            comment_delimiters: pair("{#", "#}"),
            line_statement_prefix: None,
            line_comment_prefix: None,
            path: None,
        }
    }
}

/// The template engine. Cheap to clone; one is enough for a run.
#[derive(Clone)]
pub struct Templar {
    pub(super) shared: Arc<Engine>,
}

pub(super) struct Engine {
    pub(super) env: Environment<'static>,
    options: TemplarOptions,
}

impl fmt::Debug for Templar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Templar")
    }
}

/// How many nested expansions run on one stack before the next gets a thread (and stack) of its own.
const STACK_DEPTH: usize = 12;
/// The size of such a stack in bytes.
const STACK_SIZE: usize = 32 << 20;

/// Runs this on a stack of its own if many expansions are on the one that there is; `step` of them may have come since the
/// last that asked.
///
/// # Errors
/// Its own, or that there is no stack.
pub(super) fn with_stack<T: Send>(
    session: &Session,
    step: usize,
    run: impl FnOnce() -> Result<T, TemplateError> + Send,
) -> Result<T, TemplateError> {
    let depth = super::context::lock(&session.shared.resolving).len();
    if depth % STACK_DEPTH < STACK_DEPTH - step {
        return run();
    }
    std::thread::scope(|scope| {
        let started = std::thread::Builder::new()
            .stack_size(STACK_SIZE)
            .spawn_scoped(scope, run);
        match started.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(result)) => result,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(error) => Err(TemplateError::new(
                TemplateErrorKind::Recursion,
                format!("cannot start a thread for a deep template: {error}"),
            )),
        }
    })
}

impl Templar {
    /// An engine.
    pub fn new(options: TemplarOptions) -> Self {
        let mut env = Environment::new();
        env.set_undefined_behavior(UndefinedBehavior::Strict);
        env.set_debug(true);
        env.set_auto_escape_callback(|_| AutoEscape::None);
        env.set_container_adopter(super::objects::adopt);
        env.set_unknown_method_callback(super::methods::unknown);
        env.set_subtraction(super::filters::time::subtract);
        env.set_attribute_fallback(super::class::attribute);
        env.set_formatter(if options.jinja2_native {
            super::format::write_native
        } else {
            super::format::write
        });
        if let Some(syntax) = text_syntax(true) {
            env.set_syntax(syntax);
        }
        super::filters::register(&mut env);
        super::tests::register(&mut env);
        super::globals::register(&mut env);
        Self {
            shared: Arc::new(Engine { env, options }),
        }
    }

    pub(crate) fn options(&self) -> &TemplarOptions {
        &self.shared.options
    }

    /// What opens encrypted files and values.
    pub fn vault(&self) -> &Arc<Vault> {
        &self.shared.options.vault
    }

    /// Whether the text has a template in it.
    pub fn is_template(text: &str) -> bool {
        syntax::is_template(text)
    }

    /// One string, with Ansible's typing: `{{ name }}` alone keeps the value's type, other results are text,
    /// unless the text looks like a list, a dict or a boolean.
    ///
    /// # Errors
    /// When the template fails.
    pub fn render_str(&self, text: &str, cx: &Context) -> Result<Value, TemplateError> {
        self.expand_text(&Text::template(text), &cx.session)
    }

    /// The engine with other places for what it has to say.
    #[must_use]
    pub fn heard_by(&self, warn: Warn, deprecated: Warn) -> Self {
        Self {
            shared: Arc::new(Engine {
                env: self.shared.env.clone(),
                options: TemplarOptions {
                    warn: Some(warn),
                    deprecated: Some(deprecated),
                    ..self.shared.options.clone()
                },
            }),
        }
    }

    /// Whether expressions keep their type: Ansible's `jinja2_native`.
    pub fn is_native(&self) -> bool {
        self.options().jinja2_native
    }

    /// A bare expression, typed as `{{ expression }}` is.
    ///
    /// # Errors
    /// When the expression fails.
    pub fn expression(&self, expr: &str, cx: &Context) -> Result<Value, TemplateError> {
        let text = format!("{{{{{expr}}}}}");
        self.render_str(&text, cx).map_err(|mut error| {
            error.range = error.range.map(|range| {
                range.start.saturating_sub(2).min(expr.len())
                    ..range.end.saturating_sub(2).min(expr.len())
            });
            expr.clone_into(&mut error.template);
            error
        })
    }

    /// A template file's text. A first line `#jinja2: key:value` changes the options.
    ///
    /// # Errors
    /// When the template fails.
    pub fn render_file(
        &self,
        text: &str,
        options: &FileOptions,
        cx: &Context,
    ) -> Result<String, TemplateError> {
        let render = Render::begin(self, &cx.session);
        self.render_file_in(text, options, &render)
    }

    pub(crate) fn render_file_in(
        &self,
        text: &str,
        options: &FileOptions,
        render: &Arc<Render>,
    ) -> Result<String, TemplateError> {
        self.render_text_of(text, options, render)
            .map_err(|mut error| {
                error.file.clone_from(&options.path);
                error
            })
    }

    fn render_text_of(
        &self,
        text: &str,
        options: &FileOptions,
        render: &Arc<Render>,
    ) -> Result<String, TemplateError> {
        let mut options = options.clone();
        let body = syntax::read_header(text, &mut options).map_err(|message| {
            TemplateError::new(TemplateErrorKind::Syntax, message).within(text, None)
        })?;
        let offset = text.len() - body.len();
        let unix: Cow<str> = if body.contains('\r') {
            body.replace("\r\n", "\n").replace('\r', "\n").into()
        } else {
            body.into()
        };
        let mut builder = SyntaxConfig::builder();
        builder
            .trim_blocks(options.trim_blocks)
            .lstrip_blocks(options.lstrip_blocks)
            .keep_trailing_newline(options.keep_trailing_newline)
            .variable_delimiters(options.variable_delimiters.0, options.variable_delimiters.1)
            .block_delimiters(options.block_delimiters.0, options.block_delimiters.1)
            .comment_delimiters(options.comment_delimiters.0, options.comment_delimiters.1);
        if let Some(prefix) = options.line_statement_prefix {
            builder.line_statement_prefix(prefix);
        }
        if let Some(prefix) = options.line_comment_prefix {
            builder.line_comment_prefix(prefix);
        }
        let mut env = self.shared.env.clone();
        match builder.build() {
            Ok(syntax) => env.set_syntax(syntax),
            Err(error) => return Err(render.error(&error, text, |at| at)),
        }
        add_loader(&mut env, &render.session, options.path.as_deref());
        let mut out = env
            .render_named_str("<template>", &unix, render.root())
            .map_err(|error| render.error(&error, text, |at| at + offset))?;
        restore_newlines(&unix, &mut out);
        if options.newline_sequence != "\n" {
            out = out.replace('\n', &options.newline_sequence);
        }
        Ok(out)
    }

    /// What `with_<name>` loops over: the results of the lookup plugin for the value behind it. (`lookup` and
    /// `query` in templates work too.)
    ///
    /// # Errors
    /// When there is no such plugin, or it fails.
    pub fn lookup(
        &self,
        name: &str,
        terms: Value,
        kwargs: Map,
        cx: &Context,
    ) -> Result<Vec<Value>, TemplateError> {
        let render = Render::begin(self, &cx.session);
        super::lookups::with(name, terms, kwargs, &render)
    }

    pub(super) fn expand_text(
        &self,
        text: &Text,
        session: &Arc<Session>,
    ) -> Result<Value, TemplateError> {
        match text.trust() {
            Trust::Data => return Ok(Value::Str(text.clone())),
            Trust::Vault => return self.decrypt(text).map(Value::data),
            Trust::Template => {}
        }
        if !syntax::is_template(text) {
            return Ok(Value::Str(text.clone()));
        }
        with_stack(session, 1, || self.expand_template(text, session))
    }

    /// What an encrypted value holds.
    pub(crate) fn decrypt(&self, text: &Text) -> Result<String, TemplateError> {
        self.vault().decrypt_text(text).map_err(|why| {
            let message = match &why {
                VaultError::NoPasswords => VaultError::NO_PASSWORDS.to_owned(),
                why => format!("Decryption failed: {why}"),
            };
            let mut error = TemplateError::new(TemplateErrorKind::Vault, message);
            error.hint = why.hint();
            error
        })
    }

    fn expand_template(&self, text: &str, session: &Arc<Session>) -> Result<Value, TemplateError> {
        if !self.options().jinja2_native
            && let Some(name) = syntax::single_variable(text)
            && let Some(super::Variable::Lazy(value) | super::Variable::Final(value)) =
                session.scope.get(name)
            && matches!(
                value,
                Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Null
            )
        {
            return Ok(value);
        }
        let render = Render::begin(self, session);
        let value = self.expand_in(text, &render)?;
        Ok(if render.is_touched() {
            value.into_data()
        } else {
            value
        })
    }

    /// One string in a rendering; whether it used data is left to the rendering.
    fn expand_in(&self, text: &str, render: &Arc<Render>) -> Result<Value, TemplateError> {
        let escaped = syntax::escape_backslashes(text);
        let (source, added): (&str, &[usize]) = match &escaped {
            Some((source, added)) => (source, added),
            None => (text, &[]),
        };
        let position = |at: usize| at - added.iter().take_while(|offset| **offset < at).count();
        let body = source.strip_suffix('\n').unwrap_or(source);
        if let Some(range) = syntax::single_expression(body) {
            let expr = body.get(range.clone()).unwrap_or_default();
            let value = self
                .evaluate_with(expr, render)
                .map_err(|error| render.error(&error, text, |at| position(at + range.start)))?;
            return match self.typed(&value) {
                Ok(Value::Str(string)) if lacks_newlines(text, &string) => {
                    let mut out = string.to_string();
                    restore_newlines(text, &mut out);
                    Ok(Value::str(out))
                }
                Ok(other) => Ok(other),
                Err(error) => {
                    // printing it says more about what is undefined
                    let error = self
                        .shared
                        .env
                        .render_named_str("<template>", body, render.root())
                        .err()
                        .unwrap_or(error);
                    Err(render.error(&error, text, position))
                }
            };
        }
        let mut env = Cow::Borrowed(&self.shared.env);
        if ["include", "import", "extends"]
            .iter()
            .any(|word| text.contains(word))
        {
            add_loader(env.to_mut(), &render.session, None);
        }
        let mut out = env
            .render_named_str("<template>", source, render.root())
            .map_err(|error| render.error(&error, text, position))?;
        if let Some(value) = self.structure(&out) {
            return Ok(value);
        }
        restore_newlines(text, &mut out);
        Ok(Value::str(out))
    }

    /// Ansible's typing of the value of a single expression.
    fn typed(&self, value: &Val) -> Result<Value, minijinja::Error> {
        use minijinja::value::ValueKind;
        if self.options().jinja2_native {
            return match from_engine(value)? {
                Value::Str(text) if !super::class::stays_text(value) => {
                    Ok(native(&text).unwrap_or(Value::Str(text)))
                }
                other => Ok(other),
            };
        }
        match value.kind() {
            // an `if` expression without `else` that was not taken is nothing
            ValueKind::Undefined if is_silent(value) => Ok(Value::str("")),
            ValueKind::None => Ok(Value::str("")),
            ValueKind::Bool => Ok(Value::Bool(value.is_true())),
            ValueKind::Number => Ok(Value::str(super::print::str_of(value))),
            ValueKind::Seq | ValueKind::Iterable if value.is_tuple() => {
                Ok(Value::str(super::print::str_of(value)))
            }
            ValueKind::Seq | ValueKind::Iterable | ValueKind::Map => from_engine(value),
            ValueKind::String if super::class::is_native(value) => from_engine(value),
            ValueKind::String if super::class::is_type(value) => {
                Ok(Value::str(value.as_str().unwrap_or_default()))
            }
            ValueKind::String => {
                let text = value.as_str().unwrap_or_default();
                match self.structure(text) {
                    Some(value) => Ok(value),
                    None => from_engine(value),
                }
            }
            _ => from_engine(value),
        }
    }

    /// The structure that a text looks like.
    fn structure(&self, text: &str) -> Option<Value> {
        if self.options().jinja2_native {
            return native(text);
        }
        match text {
            "True" => Some(Value::Bool(true)),
            "False" => Some(Value::Bool(false)),
            _ if text.starts_with(['{', '[']) => literal::eval(text),
            _ => None,
        }
    }

    fn evaluate_with(&self, expr: &str, render: &Arc<Render>) -> Result<Val, minijinja::Error> {
        let env: Cow<Environment> = Cow::Borrowed(&self.shared.env);
        env.compile_expression(expr)?.eval(render.root())
    }

    /// The value of an expression that stands at an offset of a text.
    pub(super) fn evaluate(
        &self,
        expr: &str,
        text: &str,
        offset: usize,
        render: &Arc<Render>,
    ) -> Result<Val, TemplateError> {
        self.evaluate_with(expr, render)
            .map_err(|error| render.error(&error, text, |at| at + offset))
    }
}

/// The Python value that a text is, unless it is a string: its quotes stay then.
/// What begins with blanks is no literal, as in Python.
fn native(text: &str) -> Option<Value> {
    if text.starts_with([' ', '\t']) {
        return None;
    }
    literal::eval(text).filter(|value| !matches!(value, Value::Str(_)))
}

/// Whether an undefined value is one that prints as nothing.
pub(crate) fn is_silent(value: &Val) -> bool {
    value.is_silent_undefined()
}

fn text_syntax(trim_blocks: bool) -> Option<SyntaxConfig> {
    SyntaxConfig::builder()
        .trim_blocks(trim_blocks)
        .build()
        .ok()
}

/// Whether a template ends in more line breaks than its result.
fn lacks_newlines(template: &str, out: &str) -> bool {
    syntax::newlines_at_end(template) > syntax::newlines_at_end(out)
}

/// Line breaks at the end of a template stay in the result.
fn restore_newlines(template: &str, out: &mut String) {
    let wanted = syntax::newlines_at_end(template);
    let present = syntax::newlines_at_end(out);
    for _ in present..wanted {
        out.push('\n');
    }
}

/// Lets the environment find templates on the search path.
fn add_loader(env: &mut Environment, session: &Session, path: Option<&Path>) {
    let files = Arc::clone(&session.files);
    let beside = path.and_then(Path::parent).map(Path::to_path_buf);
    env.set_loader(move |name| {
        let mut candidates = files.candidates("templates", name);
        if let Some(beside) = &beside {
            candidates.push(beside.join(name));
        }
        for candidate in candidates {
            if candidate.is_file() {
                return std::fs::read_to_string(&candidate)
                    .map(|text| Some(text.replace("\r\n", "\n")))
                    .map_err(|error| {
                        minijinja::Error::new(
                            minijinja::ErrorKind::TemplateNotFound,
                            format!("cannot read {}: {error}", candidate.display()),
                        )
                    });
            }
        }
        Ok(None)
    });
}
