//! Values as a whole: every string in them expanded.

use super::context::Session;
use super::syntax;
use super::{Context, Templar, TemplateError};
use crate::value::{Map, Trust, Value};
use std::sync::Arc;

impl Templar {
    /// The value with every template in its strings expanded. Keys of mappings and strings that are data
    /// stay as they are.
    ///
    /// # Errors
    /// When a template fails; the error names the text and the bytes in it.
    pub fn render(&self, value: &Value, cx: &Context) -> Result<Value, TemplateError> {
        self.expand(value, &cx.session)
    }

    /// The same, but strings that are encrypted stay so.
    ///
    /// # Errors
    /// When a template fails.
    pub fn render_sealed(&self, value: &Value, cx: &Context) -> Result<Value, TemplateError> {
        self.expand_variable(value, &cx.session)
    }

    pub(crate) fn expand(
        &self,
        value: &Value,
        session: &Arc<Session>,
    ) -> Result<Value, TemplateError> {
        self.expand_all(value, session, false)
    }

    /// The value of a variable: what is encrypted in it stays so until it is used.
    pub(crate) fn expand_variable(
        &self,
        value: &Value,
        session: &Arc<Session>,
    ) -> Result<Value, TemplateError> {
        self.expand_all(value, session, true)
    }

    /// The value with its templates expanded, but for those that come out undefined.
    pub(crate) fn expand_defined(
        &self,
        value: &Value,
        session: &Arc<Session>,
    ) -> Result<Value, TemplateError> {
        match value {
            Value::Str(text) => match self.expand_text(text, session) {
                Err(error) if error.is_undefined() => Ok(value.clone()),
                other => other,
            },
            Value::List(items) => items
                .iter()
                .map(|item| self.expand_defined(item, session))
                .collect::<Result<_, _>>()
                .map(Value::list),
            Value::Map(map) => map
                .iter()
                .map(|(key, value)| Ok((key.clone(), self.expand_defined(value, session)?)))
                .collect::<Result<Map, TemplateError>>()
                .map(Value::map),
            other => Ok(other.clone()),
        }
    }

    fn expand_all(
        &self,
        value: &Value,
        session: &Arc<Session>,
        sealed: bool,
    ) -> Result<Value, TemplateError> {
        match value {
            Value::Str(text) if sealed && text.trust() == Trust::Vault => {
                session.shared.holds_sealed();
                Ok(value.clone())
            }
            Value::Str(text) => self.expand_text(text, session),
            Value::List(items) if items.iter().any(needs_expansion) => items
                .iter()
                .map(|item| self.expand_all(item, session, sealed))
                .collect::<Result<_, _>>()
                .map(Value::list),
            Value::Map(map) if map.values().any(needs_expansion) => map
                .iter()
                .map(|(key, value)| Ok((key.clone(), self.expand_all(value, session, sealed)?)))
                .collect::<Result<Map, TemplateError>>()
                .map(Value::map),
            other => Ok(other.clone()),
        }
    }
}

/// Whether any string in the value is a template (or encrypted).
pub(crate) fn needs_expansion(value: &Value) -> bool {
    match value {
        Value::Str(text) => match text.trust() {
            Trust::Data => false,
            Trust::Vault => true,
            Trust::Template => syntax::is_template(text),
        },
        Value::List(items) => items.iter().any(needs_expansion),
        Value::Map(map) => map.values().any(needs_expansion),
        _ => false,
    }
}
