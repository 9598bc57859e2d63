//! The lookup plugins, a file per family. They run on the controller; what they give is data.
//!
//! Source: Ansible's documentation, "Lookup plugins" and "Index of all lookup plugins".

mod files;
mod generators;
mod ini;
mod loops;
mod merge;
mod programs;
mod secrets;
mod tables;
mod vars;

use super::call::{Args, fail, int_of};
use super::convert::from_engine;
use super::objects::wrap;
use super::render::{Render, engine_error};
use super::{TemplateError, TemplateErrorKind};
use crate::diag::nearest;
use crate::value::{Map, Text, TextClass, Value, str_of, to_bool};
use crate::vault::is_encrypted;
use minijinja::Error;
use minijinja::value::Value as Val;
use std::sync::Arc;

pub(crate) use files::glob;
pub(crate) use tables::rows;

/// What a lookup is called with.
pub(crate) struct Query {
    pub(crate) terms: Vec<Value>,
    pub(crate) options: Map,
    pub(crate) render: Arc<Render>,
}

/// A lookup plugin: its results, or why it has none.
pub(crate) type Lookup = fn(&mut Query) -> Result<Vec<Value>, String>;

const FAMILIES: &[&[(&str, Lookup)]] = &[
    files::TABLE,
    generators::TABLE,
    ini::TABLE,
    loops::TABLE,
    merge::TABLE,
    programs::TABLE,
    secrets::TABLE,
    tables::TABLE,
    vars::TABLE,
];

impl Query {
    /// An option by its name.
    fn option(&mut self, name: &str) -> Option<Value> {
        self.options.take(name)
    }

    fn text_option(&mut self, name: &str, default: &str) -> String {
        self.option(name)
            .filter(|v| !v.is_null())
            .map_or_else(|| default.to_owned(), |value| str_of(&value))
    }

    fn flag(&mut self, name: &str, default: bool) -> bool {
        self.option(name).map_or(default, |value| {
            to_bool(&value).unwrap_or_else(|| value.truthy())
        })
    }

    fn int_option(&mut self, name: &str, default: i64) -> i64 {
        self.option(name)
            .and_then(|value| int_of(&value))
            .unwrap_or(default)
    }

    /// The terms as text.
    fn texts(&self) -> Vec<String> {
        self.terms.iter().map(str_of).collect()
    }

    /// The file of that name on the search path.
    fn file(&self, kind: &str, name: &str) -> Option<std::path::PathBuf> {
        self.render.session.files.find(kind, name)
    }

    /// A file's text, decrypted if it is encrypted.
    fn read(&self, path: &std::path::Path) -> Result<String, String> {
        Ok(String::from_utf8_lossy(&self.read_bytes(path)?).into_owned())
    }

    fn read_bytes(&self, path: &std::path::Path) -> Result<Vec<u8>, String> {
        let bytes = std::fs::read(path)
            .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        Ok(if is_encrypted(&bytes) {
            self.render
                .templar
                .vault()
                .decrypt_file(path, &bytes)
                .map_err(|error| error.to_string())?
        } else {
            bytes
        })
    }
}

/// Runs a lookup by its short or full name. Results are data.
pub(crate) fn run(
    name: &str,
    terms: Vec<Value>,
    options: Map,
    render: &Arc<Render>,
) -> Result<Vec<Value>, TemplateError> {
    let results = results_of(name, terms, options, render)?;
    Ok(results.into_iter().map(Value::into_data).collect())
}

/// The results as the plugin gives them.
fn results_of(
    name: &str,
    terms: Vec<Value>,
    options: Map,
    render: &Arc<Render>,
) -> Result<Vec<Value>, TemplateError> {
    let short = name
        .strip_prefix("ansible.builtin.")
        .or_else(|| name.strip_prefix("ansible.legacy."))
        .or_else(|| name.strip_prefix("community.general."))
        .unwrap_or(name);
    let known = || FAMILIES.iter().flat_map(|family| family.iter());
    let Some((_, lookup)) = known().find(|(known, _)| *known == short) else {
        if let Some(why) = render.templar.plugins().unsupported("lookup", short) {
            return Err(TemplateError::new(TemplateErrorKind::Lookup, why));
        }
        let mut error = TemplateError::new(
            TemplateErrorKind::Lookup,
            format!("lookup plugin ({name}) not found"),
        );
        error.hint = nearest(short, known().map(|(name, _)| *name))
            .map(|near| format!("did you mean `{near}`?"));
        return Err(error);
    };
    let mut query = Query {
        terms,
        options,
        render: Arc::clone(render),
    };
    match lookup(&mut query) {
        Ok(results) => Ok(results),
        Err(message) if message.starts_with(vars::UNDEFINED) => Err(TemplateError::new(
            TemplateErrorKind::Undefined,
            message.trim_start_matches(vars::UNDEFINED),
        )),
        Err(message) => Err(match message.strip_prefix(vars::RECURSION) {
            Some(why) => TemplateError::new(TemplateErrorKind::Recursion, why),
            None => TemplateError::new(TemplateErrorKind::Lookup, message),
        }),
    }
}

/// What `with_<name>` loops over: the lookup's results for what stands behind it.
pub(crate) fn with(
    name: &str,
    terms: Value,
    options: Map,
    render: &Arc<Render>,
) -> Result<Vec<Value>, TemplateError> {
    let refused = |name: &str| {
        Err(TemplateError::new(
            TemplateErrorKind::Lookup,
            format!("with_{name} expects a list"),
        ))
    };
    let short = name.rsplit('.').next().unwrap_or(name);
    let terms = match (terms, short) {
        (Value::List(items), _) => items.to_vec(),
        (Value::Map(_), "list" | "indexed_items") => return refused(short),
        // Python's iteration over a mapping
        (Value::Map(map), "items" | "flattened") => map.keys().cloned().collect(),
        (Value::Str(_), "list") => return refused(short),
        (one, _) => vec![one],
    };
    run(name, terms, options, render)
}

/// Whether the results of lookups may be templates, unless a call says so itself (`allow_unsafe_lookups`).
fn setting_allows(render: &Render) -> bool {
    let setting = render.templar.options().setting.as_ref();
    setting
        .and_then(|setting| setting(None, "DEFAULT_ALLOW_UNSAFE_LOOKUPS"))
        .is_some_and(|found| to_bool(&found.value) == Some(true))
}

/// `lookup(name, *terms, **options)` and `query(...)`.
pub(crate) fn call(render: &Arc<Render>, args: &mut Args, query: bool) -> Result<Val, Error> {
    let name = args.text("plugin")?;
    let mut terms = Vec::new();
    for term in args.rest() {
        terms.push(from_engine(&term)?);
    }
    let mut options = args.rest_map()?;
    let want_list = options.take("wantlist").map_or(query, |flag| flag.truthy());
    let unsafe_allowed = options
        .take("allow_unsafe")
        .map_or_else(|| setting_allows(render), |flag| flag.truthy());
    let errors = options
        .take("errors")
        .map_or_else(|| "strict".to_owned(), |word| str_of(&word));
    let run = if unsafe_allowed { results_of } else { run };
    let results = run(&name, terms, options, render).map_err(|mut error| {
        // some say themselves who they are, in Ansible's words
        let named = ["The 'file' lookup", "the template file"]
            .iter()
            .any(|start| error.message.starts_with(start));
        if error.kind == TemplateErrorKind::Lookup && error.hint.is_none() && !named {
            error.message = format!("the lookup '{name}' failed: {}", error.message);
        }
        error
    });
    let results = match results {
        Ok(results) => results,
        Err(error) if errors == "strict" || error.is_undefined() => {
            return Err(engine_error(error));
        }
        Err(error) => {
            if errors == "warn"
                && let Some(warn) = &render.templar.options().warn
            {
                warn(&format!("lookup plugin error, {error}"));
            } else if !matches!(errors.as_str(), "ignore" | "warn") {
                return fail(format!(
                    "errors must be strict, warn or ignore, not `{errors}`"
                ));
            }
            return Ok(if want_list {
                wrap(&Value::list(Vec::new()), render)
            } else {
                Val::from(())
            });
        }
    };
    // what is allowed to be a template comes as the plugin gave it
    if want_list || unsafe_allowed || results.is_empty() {
        return Ok(wrap(&Value::list(results), render));
    }
    if results
        .iter()
        .any(|result| !matches!(result, Value::Str(_)))
    {
        return Ok(match results.as_slice() {
            [single] => wrap(single, render),
            _ => wrap(&Value::list(results), render),
        });
    }
    // the first says what the whole is
    let class = match results.first() {
        Some(Value::Str(text)) => text.class(),
        _ => TextClass::Plain,
    };
    let texts: Vec<String> = results.iter().map(str_of).collect();
    let joined = Text::data(texts.join(",")).of_class(class);
    Ok(wrap(&Value::Str(joined), render))
}
