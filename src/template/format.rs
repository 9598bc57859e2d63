//! How values are printed into a template's text.

use super::print;
use super::templar::is_silent;
use minijinja::value::{Value, ValueKind};
use minijinja::{Error, Output, State};

/// The same where expressions keep their type, where `None` is a word.
pub(crate) fn write_native(
    out: &mut Output,
    state: &mut State,
    value: &Value,
) -> Result<(), Error> {
    if value.is_none() {
        return out.write_str("None").map_err(Error::from);
    }
    write(out, state, value)
}

/// Writes a value as Ansible's Jinja2 does: `None` is nothing, the rest is Python's `str()`.
pub(crate) fn write(out: &mut Output, _: &mut State, value: &Value) -> Result<(), Error> {
    match value.kind() {
        ValueKind::Undefined if !is_silent(value) => Err(Error::undefined(value)),
        ValueKind::Undefined | ValueKind::None => Ok(()),
        ValueKind::Seq | ValueKind::Iterable | ValueKind::Map => {
            // an undefined value inside is an error as well
            super::convert::from_engine(value)?;
            out.write_str(&print::repr(value)).map_err(Error::from)
        }
        // Ansible reads them as text; what is none could only be shown
        ValueKind::Bytes => {
            let bytes = value.as_bytes().unwrap_or_default();
            out.write_str(&text_of(bytes)).map_err(Error::from)
        }
        ValueKind::Invalid => super::convert::from_engine(value).map(|_| ()),
        _ => out.write_str(&print::str_of(value)).map_err(Error::from),
    }
}

/// The text that bytes are, with `?` for each that belongs to none.
fn text_of(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| '?'));
    }
    text
}
