//! `--set` and its kin: what they make of the values, as far as it can be told without helm.
//!
//! Source: helm's documentation, "Using Helm: The Format and Limitations of --set".

use super::values::merge;
use crate::modules::{Failure, ModuleResult};
use crate::sys::Sys;
use crate::value::{Map, Value, str_of};
use std::path::Path;

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Raw,
    String,
    Json,
    File,
}

/// One of `set_values`.
#[derive(Clone, Debug)]
pub(super) struct SetValue {
    kind: Kind,
    text: String,
}

impl SetValue {
    /// # Errors
    /// When it has no value, or a type that there is not.
    pub(super) fn read(item: &Map) -> ModuleResult<Self> {
        let kind = match item
            .get("value_type")
            .filter(|v| !v.is_null())
            .map(str_of)
            .as_deref()
        {
            None | Some("raw") => Kind::Raw,
            Some("string") => Kind::String,
            Some("json") => Kind::Json,
            Some("file") => Kind::File,
            Some(other) => {
                return Err(Failure::new(format!(
                    "set_values: value_type must be raw, string, json or file, not `{other}`"
                )));
            }
        };
        let value = item.get("value").filter(|v| !v.is_null());
        let text = value
            .map(str_of)
            .ok_or("set_values: each needs a `value`")?;
        Ok(Self { kind, text })
    }

    /// Whether helm must know of JSON here.
    pub(super) fn is_json(&self) -> bool {
        self.kind == Kind::Json
    }

    /// The words for helm.
    pub(super) fn words(&self) -> [String; 2] {
        let option = match self.kind {
            Kind::Raw => "--set",
            Kind::String => "--set-string",
            Kind::Json => "--set-json",
            Kind::File => "--set-file",
        };
        [option.to_owned(), self.text.clone()]
    }

    /// Puts it into the values; `None` where only helm knows what becomes of it (indexes of lists).
    pub(super) fn put(&self, into: &mut Map, sys: &Sys) -> Option<()> {
        if self.kind == Kind::Json {
            // `{…}` is merged as it is, else it is one `key=JSON`
            if self.text.trim_start().starts_with('{') {
                let json = serde_json::from_str(&self.text).ok()?;
                let value = Value::from_json(&json).into_data();
                merge(into, value.as_map()?);
                return Some(());
            }
            let (key, json) = self.text.split_once('=')?;
            let value = Value::from_json(&serde_json::from_str(json).ok()?).into_data();
            return place(into, &keys(key)?, value);
        }
        for (key, text) in pairs(&self.text)? {
            let value = match self.kind {
                Kind::File => Value::data(sys.read_text(Path::new(&text)).ok()??),
                _ => self.value(&text),
            };
            place(into, &keys(&key)?, value)?;
        }
        Some(())
    }

    fn value(&self, text: &str) -> Value {
        if let Some(items) = text
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
        {
            if items.is_empty() {
                return Value::list(Vec::new());
            }
            let items = split(items, ',').into_iter();
            return Value::list(items.map(|item| self.scalar(&item)).collect());
        }
        self.scalar(text)
    }

    /// `--set` knows booleans, null and whole numbers without leading zeros; all else is text.
    fn scalar(&self, text: &str) -> Value {
        let plain = unescaped(text);
        if self.kind == Kind::String || plain != text {
            return Value::data(plain);
        }
        match text {
            "true" => Value::from(true),
            "false" => Value::from(false),
            "null" => Value::Null,
            "0" => Value::from(0),
            _ if text.starts_with('0') => Value::data(text),
            _ => text
                .parse::<i64>()
                .map_or_else(|_| Value::data(text), Value::from),
        }
    }
}

/// Splits at a character that is not escaped and not within braces; the escapes stay.
fn split(text: &str, at: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let (mut depth, mut escaped) = (0_i32, false);
    for c in text.chars() {
        if !escaped && depth == 0 && c == at {
            parts.push(String::new());
            continue;
        }
        if !escaped {
            depth += i32::from(c == '{') - i32::from(c == '}');
        }
        escaped = !escaped && c == '\\';
        if let Some(last) = parts.last_mut() {
            last.push(c);
        }
    }
    parts
}

fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    let split_pair = |pair: &String| {
        let parts = split(pair, '=');
        let (key, rest) = parts.split_first()?;
        (!rest.is_empty()).then(|| (key.clone(), rest.join("=")))
    };
    split(text, ',').iter().map(split_pair).collect()
}

fn keys(key: &str) -> Option<Vec<String>> {
    if key.contains('[') {
        return None;
    }
    Some(split(key, '.').iter().map(|part| unescaped(part)).collect())
}

fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.extend(chars.next()),
            c => out.push(c),
        }
    }
    out
}

fn place(into: &mut Map, keys: &[String], value: Value) -> Option<()> {
    let (first, rest) = keys.split_first()?;
    if rest.is_empty() {
        into.set(first, value);
        return Some(());
    }
    let mut inner = into
        .get(first.as_str())
        .and_then(Value::as_map)
        .cloned()
        .unwrap_or_default();
    place(&mut inner, rest, value)?;
    into.set(first, Value::map(inner));
    Some(())
}

#[cfg(test)]
mod tests {
    use super::SetValue;
    use crate::sys::Sys;
    use crate::value::{Map, Value};

    fn put(all: &[(&str, &str)]) -> Option<String> {
        let mut values = Map::new();
        for (kind, text) in all {
            let item = Map::new()
                .with("value", Value::data(*text))
                .with("value_type", Value::data(*kind));
            SetValue::read(&item)
                .unwrap()
                .put(&mut values, &Sys::real())?;
        }
        Some(Value::map(values).to_json().to_string())
    }

    #[test]
    fn what_helm_makes_of_them() {
        assert_eq!(
            put(&[("raw", "a.b=1,a.c=x\\,y,n=null,z=007,t=true,l={a,2}")]).unwrap(),
            r#"{"a":{"b":1,"c":"x,y"},"n":null,"z":"007","t":true,"l":["a",2]}"#
        );
        assert_eq!(
            put(&[
                ("string", "a\\.b=1"),
                ("json", "c={\"d\":[1]}"),
                ("json", "{\"c\":{\"e\":2}}")
            ])
            .unwrap(),
            r#"{"a.b":"1","c":{"d":[1],"e":2}}"#
        );
        // the index of a list is helm's to know
        assert_eq!(put(&[("raw", "a[0].b=1")]), None);
    }
}
