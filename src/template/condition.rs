//! Conditions: what `when`, `until`, `failed_when`, `that` and the like hold.
//!
//! Source: Ansible's documentation, "Conditionals" and the setting `ALLOW_BROKEN_CONDITIONALS`.

use super::render::Render;
use super::{Context, Templar, TemplateError, TemplateErrorKind, syntax};
use crate::value::{Trust, Value};
use minijinja::value::{Value as Val, ValueKind};

/// What is done with conditions whose value is no boolean: Ansible's `ALLOW_BROKEN_CONDITIONALS`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OddConditions {
    /// Python's truth of the value counts.
    #[default]
    Silent,
    /// It counts, and is told to be deprecated.
    Deprecated,
    /// It is an error.
    Refused,
}

impl Templar {
    /// One item of `when`, `until`, `failed_when`, `that`, ...: a bare expression as a string, or a value.
    ///
    /// # Errors
    /// When the expression fails, or comes from data.
    pub fn condition(&self, expr: &Value, cx: &Context) -> Result<bool, TemplateError> {
        self.condition_at(expr, None, cx)
    }

    /// The same; `place` says where it stands, for messages.
    ///
    /// # Errors
    /// As [`Self::condition`].
    pub fn condition_at(
        &self,
        expr: &Value,
        place: Option<&str>,
        cx: &Context,
    ) -> Result<bool, TemplateError> {
        self.decide(expr, place, cx).map_err(|mut error| {
            error.condition = Some(crate::value::str_of(expr));
            error
        })
    }

    fn decide(
        &self,
        expr: &Value,
        place: Option<&str>,
        cx: &Context,
    ) -> Result<bool, TemplateError> {
        let mut expr = match expr {
            Value::Bool(b) => return Ok(*b),
            Value::Null => return Ok(true),
            Value::Str(text) if text.is_empty() => return Ok(true),
            other => other.clone(),
        };
        if let Value::Str(text) = &expr
            && text.trust() == Trust::Template
            && syntax::is_template(text)
        {
            if let Some(warn) = &self.options().warn {
                warn(&format!(
                    "conditional statements should not include jinja2 templating delimiters such as {{{{ }}}} or \
                     {{% %}}. Found: {text}"
                ));
            }
            expr = self.expand_text(text, &cx.session)?;
            match &expr {
                Value::Bool(b) => return Ok(*b),
                Value::Str(text) if text.is_empty() => return Ok(false),
                _ => {}
            }
        }
        if let Value::Str(text) = &expr
            && text.trust() == Trust::Data
        {
            return Err(TemplateError::new(
                TemplateErrorKind::Type,
                format!(
                    "Conditional is marked as unsafe, and cannot be evaluated: `{text}` comes from data (a machine, a \
                     lookup, a file)"
                ),
            ));
        }
        let text = crate::value::str_of(&expr);
        let render = Render::begin(self, &cx.session);
        let value = self.evaluate(&text, &text, 0, &render)?;
        if value.is_undefined() {
            let printed = format!("{{{{{text}}}}}");
            let error = self
                .shared
                .env
                .render_named_str("<template>", &printed, render.root())
                .err()
                .unwrap_or_else(|| minijinja::Error::undefined(&value));
            return Err(render.error(&error, &text, |at| at.saturating_sub(2)));
        }
        let truth = value.is_true();
        if value.kind() != ValueKind::Bool {
            self.odd(&value, truth, &text, place)?;
        }
        Ok(truth)
    }

    /// What there is to say of a condition that is neither true nor false.
    fn odd(
        &self,
        value: &Val,
        truth: bool,
        text: &str,
        place: Option<&str>,
    ) -> Result<(), TemplateError> {
        let kind = super::call::type_name(value);
        match self.options().odd_conditions {
            OddConditions::Silent => Ok(()),
            OddConditions::Deprecated => {
                if let Some(deprecated) = &self.options().deprecated {
                    let place = place.map_or_else(
                        || format!("unknown location (conditional: '{text}')"),
                        str::to_owned,
                    );
                    let truth = if truth { "True" } else { "False" };
                    deprecated(&format!(
                        "Conditional result at {place} was of type '{kind}'. Conditional results should only be \
                         True or False. The result was interpreted as {truth}. This feature will be removed in \
                         version 2.19."
                    ));
                }
                Ok(())
            }
            OddConditions::Refused => Err(TemplateError::new(
                TemplateErrorKind::Type,
                format!(
                    "Conditional result was of type '{kind}'. Conditional results must be True or False when \
                     `ALLOW_BROKEN_CONDITIONALS` is disabled"
                ),
            )),
        }
    }
}
