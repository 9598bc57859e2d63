//! Filters of text.

use super::Filter;
use crate::template::call::{Call, fail};
use crate::template::methods;
use crate::template::print;
use minijinja::Error;
use minijinja::formatting::{FormatStyle, format};
use minijinja::value::Value as Val;

pub(super) const TABLE: &[(&str, Filter)] = &[
    ("upper", |c| Ok(Val::from(c.text()?.to_uppercase()))),
    ("lower", |c| Ok(Val::from(c.text()?.to_lowercase()))),
    ("capitalize", |c| {
        Ok(Val::from(methods::capitalize(&c.text()?)))
    }),
    ("title", |c| Ok(Val::from(title(&c.text()?)))),
    ("trim", |c| {
        let chars = c.args.opt_text("chars")?;
        let text = c.text()?;
        Ok(Val::from(match chars {
            Some(chars) => text.trim_matches(|x| chars.contains(x)),
            None => text.trim(),
        }))
    }),
    ("replace", |c| {
        let (old, new) = (c.args.text("old")?, c.args.text("new")?);
        let count = c.args.int("count", Some(-1))?;
        let text = c.text()?;
        Ok(Val::from(match usize::try_from(count) {
            Ok(count) => text.replacen(&old, &new, count),
            Err(_) => text.replace(&old, &new),
        }))
    }),
    ("format", |c| {
        let text = c.text()?;
        let mut values = c.args.rest();
        let named = c.args.rest_named();
        if !named.is_empty() {
            values.push(Val::from(
                named.into_iter().collect::<minijinja::value::Kwargs>(),
            ));
        }
        let text = crate::template::methods::reprs(&text, &mut values);
        if let Some(undefined) = values.iter().find(|value| value.is_undefined()) {
            return Err(Error::undefined(undefined));
        }
        format(FormatStyle::Printf, &text, &values).map(Val::from)
    }),
    ("center", |c| {
        let width = c.args.int("width", Some(80))?;
        let odd = usize::try_from(width).unwrap_or(0) & 1;
        let text = c.text()?;
        Ok(Val::from(methods::pad(&text, width, ' ', |missing| {
            missing / 2 + (missing & odd & 1)
        })?))
    }),
    ("escape", escape),
    ("e", escape),
    ("forceescape", escape),
    ("striptags", |c| {
        let text = c.text()?;
        let mut out = String::new();
        let mut rest = text.as_str();
        while let Some(open) = rest.find('<') {
            let after = rest.get(open..).unwrap_or_default();
            let Some(close) = after.find('>') else { break };
            out.push_str(rest.get(..open).unwrap_or_default());
            rest = after.get(close + 1..).unwrap_or_default();
        }
        out.push_str(rest);
        let words: Vec<&str> = out.split_whitespace().collect();
        Ok(Val::from(unescape(&words.join(" "))))
    }),
    ("wordcount", |c| {
        let text = c.text()?;
        let words = text
            .split(|x: char| !(x.is_alphanumeric() || x == '_'))
            .filter(|word| !word.is_empty());
        Ok(Val::from(words.count()))
    }),
    ("split", |c| {
        let separator = c.args.opt_text("sep")?;
        let limit = c.args.int("maxsplit", Some(-1))?;
        if c.input.as_str().is_none() {
            return super::types::wrong("split", "a string", &c.input);
        }
        methods::split(&c.text()?, separator.as_deref(), limit, false)
    }),
    ("quote", |c| {
        if c.input.is_none() {
            return Ok(Val::from("''"));
        }
        Ok(Val::from(quote(&c.text()?)))
    }),
    ("xmlattr", |c| {
        let autospace = c.args.flag("autospace", true)?;
        let mut out = Vec::new();
        for key in c.items()? {
            let value = c.input.get_item(&key)?;
            if value.is_none() || value.is_undefined() {
                continue;
            }
            let name = print::str_of(&key);
            if name.contains(|x: char| x.is_whitespace() || matches!(x, '/' | '>' | '=')) {
                return fail(format!(
                    "xmlattr: invalid character in attribute name {name:?}"
                ));
            }
            out.push(format!(
                "{}=\"{}\"",
                html(&name),
                html(&print::str_of(&value))
            ));
        }
        let text = out.join(" ");
        Ok(Val::from(if autospace && !text.is_empty() {
            format!(" {text}")
        } else {
            text
        }))
    }),
];

/// A word for a POSIX shell, as Python's `shlex.quote`.
pub(crate) fn quote(text: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./-_".contains(c);
    if !text.is_empty() && text.chars().all(safe) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\"'\"'"))
}

/// Jinja2's `title`: words begin after blanks, dashes and opening brackets.
fn title(text: &str) -> String {
    let mut start = true;
    let mut out = String::new();
    for c in text.chars() {
        if start {
            out.extend(c.to_uppercase());
        } else {
            out.extend(c.to_lowercase());
        }
        start = c.is_whitespace() || matches!(c, '-' | '(' | '{' | '[' | '<');
    }
    out
}

fn escape(call: &mut Call) -> Result<Val, Error> {
    Ok(Val::from_safe_string(html(&call.text()?)))
}

/// Text for HTML, as MarkupSafe escapes it.
pub(super) fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&#34;", "\"")
        .replace("&#39;", "'")
        .replace("&quot;", "\"")
        .replace("&amp;", "&")
}
