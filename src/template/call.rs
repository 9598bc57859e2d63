//! The arguments of a filter, test, function or method.

use super::convert::from_engine;
use super::objects::wrap;
use super::print;
use super::render::Render;
use crate::value::{Map, Value, to_bool};
use minijinja::value::Value as Val;
use minijinja::{Error, ErrorKind, State};
use std::collections::VecDeque;
use std::sync::Arc;

/// An error of a filter, test, function, method or operator.
pub(crate) fn fail<T>(message: impl Into<String>) -> Result<T, Error> {
    Err(Error::new(ErrorKind::InvalidOperation, message.into()))
}

/// Positional and named arguments, taken one by one.
pub(crate) struct Args {
    positional: VecDeque<Val>,
    named: Vec<(String, Val)>,
}

impl Args {
    pub(crate) fn new(args: &[Val]) -> Result<Self, Error> {
        let mut positional = VecDeque::new();
        let mut named = Vec::new();
        for arg in args {
            if arg.is_kwargs() {
                for key in arg.try_iter()? {
                    let value = arg.get_item(&key)?;
                    named.push((key.to_string(), value));
                }
            } else {
                positional.push_back(arg.clone());
            }
        }
        Ok(Self { positional, named })
    }

    /// The next argument, by position or name, as the engine has it.
    pub(crate) fn take(&mut self, name: &str) -> Option<Val> {
        self.positional
            .pop_front()
            .or_else(|| self.take_named(name))
    }

    /// An argument that is given by name only.
    pub(crate) fn take_named(&mut self, name: &str) -> Option<Val> {
        let at = self.named.iter().position(|(known, _)| known == name)?;
        Some(self.named.swap_remove(at).1)
    }

    /// A required argument as the engine has it.
    pub(crate) fn need(&mut self, name: &str) -> Result<Val, Error> {
        match self.take(name) {
            Some(value) if value.is_undefined() => Err(Error::undefined(&value)),
            Some(value) => Ok(value),
            None => fail(format!("missing argument `{name}`")),
        }
    }

    /// A required argument.
    pub(crate) fn value(&mut self, name: &str) -> Result<Value, Error> {
        from_engine(&self.need(name)?)
    }

    /// An optional argument.
    pub(crate) fn opt(&mut self, name: &str) -> Result<Option<Value>, Error> {
        self.take(name).map(|value| from_engine(&value)).transpose()
    }

    /// A required string; numbers are converted.
    pub(crate) fn text(&mut self, name: &str) -> Result<String, Error> {
        Ok(print::str_of(&self.need(name)?))
    }

    /// An optional string; `None` counts as absent.
    pub(crate) fn opt_text(&mut self, name: &str) -> Result<Option<String>, Error> {
        Ok(self
            .opt(name)?
            .filter(|v| !v.is_null())
            .map(|value| crate::value::str_of(&value)))
    }

    /// A whole number.
    pub(crate) fn int(&mut self, name: &str, default: Option<i64>) -> Result<i64, Error> {
        match (self.opt(name)?, default) {
            (None | Some(Value::Null), Some(default)) => Ok(default),
            (None, None) => fail(format!("missing argument `{name}`")),
            (Some(value), _) => int_of(&value).map_or_else(
                || {
                    fail(format!(
                        "argument `{name}` must be a whole number, not {value:?}"
                    ))
                },
                Ok,
            ),
        }
    }

    /// A flag: Python's truth, except that Ansible's words for no are no.
    pub(crate) fn flag(&mut self, name: &str, default: bool) -> Result<bool, Error> {
        Ok(match self.opt(name)? {
            None => default,
            Some(value) => to_bool(&value).unwrap_or_else(|| value.truthy()),
        })
    }

    /// All positional arguments that are left.
    pub(crate) fn rest(&mut self) -> Vec<Val> {
        self.positional.drain(..).collect()
    }

    /// All named arguments that are left.
    pub(crate) fn rest_named(&mut self) -> Vec<(String, Val)> {
        std::mem::take(&mut self.named)
    }

    /// All named arguments that are left, as a mapping.
    pub(crate) fn rest_map(&mut self) -> Result<Map, Error> {
        self.rest_named()
            .into_iter()
            .map(|(name, value)| Ok((Value::str(name), from_engine(&value)?)))
            .collect()
    }

    /// Refuses arguments that nobody took.
    pub(crate) fn finish(&self) -> Result<(), Error> {
        if let Some((name, _)) = self.named.first() {
            return fail(format!("unexpected argument `{name}`"));
        }
        if !self.positional.is_empty() {
            return fail("too many arguments");
        }
        Ok(())
    }
}

/// The whole number that a value is or spells.
pub(crate) fn int_of(value: &Value) -> Option<i64> {
    match value {
        Value::Int(i) => Some(*i),
        Value::Bool(b) => Some(i64::from(*b)),
        #[expect(
            clippy::cast_possible_truncation,
            reason = "Python's int() cuts as well"
        )]
        Value::Float(f) if f.is_finite() => Some(*f as i64),
        Value::Str(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A call of a filter or test.
pub(crate) struct Call<'a, 'template, 'env> {
    pub(crate) state: &'a mut State<'template, 'env>,
    pub(crate) render: Arc<Render>,
    /// What stands before the `|` or `is`.
    pub(crate) input: Val,
    pub(crate) args: Args,
}

impl<'a, 'template, 'env> Call<'a, 'template, 'env> {
    pub(crate) fn new(state: &'a mut State<'template, 'env>, args: &[Val]) -> Result<Self, Error> {
        let render = Render::of(state)?;
        let (input, rest) = match args.split_first() {
            Some((input, rest)) if !input.is_kwargs() => (input.clone(), rest),
            _ => return fail("missing operand"),
        };
        // the engine lets such a value reach those alone that have a use for it
        if let Some(why) = super::convert::refusal(&input)
            && super::sealed::locked_in(&input).is_none()
        {
            return Err(why);
        }
        Ok(Self {
            state,
            render,
            input,
            args: Args::new(rest)?,
        })
    }

    /// The operand as our value.
    pub(crate) fn value(&self) -> Result<Value, Error> {
        from_engine(&self.input)
    }

    /// The operand as text.
    pub(crate) fn text(&self) -> Result<String, Error> {
        if self.input.is_undefined() {
            return Err(Error::undefined(&self.input));
        }
        Ok(print::str_of(&self.input))
    }

    /// The operand's items, as Python iterates it: characters of a string, keys of a mapping.
    pub(crate) fn items(&self) -> Result<Vec<Val>, Error> {
        iterate(&self.input)
    }

    /// A result for the engine.
    pub(crate) fn out(&self, value: impl Into<Value>) -> Result<Val, Error> {
        Ok(wrap(&value.into(), &self.render))
    }
}

/// What Python's iteration gives.
pub(crate) fn iterate(value: &Val) -> Result<Vec<Val>, Error> {
    if value.is_undefined() {
        return Err(Error::undefined(value));
    }
    if let Some(text) = value.as_str() {
        return Ok(text.chars().map(|c| Val::from(c.to_string())).collect());
    }
    if value.is_none() || value.is_number() || value.kind() == minijinja::value::ValueKind::Bool {
        return fail(format!("'{}' object is not iterable", type_name(value)));
    }
    Ok(value.try_iter()?.collect())
}

/// Python's name of the type.
pub(crate) fn type_name(value: &Val) -> &'static str {
    use minijinja::value::ValueKind;
    match value.kind() {
        ValueKind::Undefined => "AnsibleUndefined",
        ValueKind::None => "NoneType",
        ValueKind::Bool => "bool",
        ValueKind::Number if value.is_integer() => "int",
        ValueKind::Number => "float",
        ValueKind::String => "str",
        ValueKind::Bytes => "bytes",
        ValueKind::Seq | ValueKind::Iterable if value.is_tuple() => "tuple",
        ValueKind::Seq | ValueKind::Iterable => "list",
        ValueKind::Map => "dict",
        _ => "object",
    }
}
