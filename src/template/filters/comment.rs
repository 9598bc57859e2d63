//! `comment`: text as a comment of a configuration language.
//!
//! Source: Ansible's documentation, "Adding comments to files".

use super::Filter;
use crate::template::call::Call;
use minijinja::Error;
use minijinja::value::Value as Val;

pub(super) const TABLE: &[(&str, Filter)] = &[("comment", comment)];

fn comment(call: &mut Call) -> Result<Val, Error> {
    let style = call
        .args
        .opt_text("style")?
        .unwrap_or_else(|| "plain".into());
    let (mut beginning, mut end) = (String::new(), String::new());
    let mut decoration = match style.as_str() {
        "erlang" => "% ",
        "c" => "// ",
        "cblock" => {
            beginning = "/*".into();
            end = " */".into();
            " * "
        }
        "xml" => {
            beginning = "<!--".into();
            end = "-->".into();
            " - "
        }
        _ => "# ",
    }
    .to_owned();
    let text = call.text()?;
    let mut named = |name: &str| -> Result<Option<String>, Error> {
        match call.args.take_named(name) {
            Some(value) => Ok(Some(crate::template::print::str_of(&value))),
            None => Ok(None),
        }
    };
    let newline = named("newline")?.unwrap_or_else(|| "\n".into());
    beginning = named("beginning")?.unwrap_or(beginning);
    end = named("end")?.unwrap_or(end);
    let given = named("decoration")?;
    let prefix = named("prefix")?;
    let postfix = named("postfix")?;
    if let Some(given) = given {
        decoration = given;
    }
    let prefix_line = prefix.unwrap_or_else(|| decoration.trim_end().to_owned());
    let postfix_line = postfix.unwrap_or_else(|| decoration.trim_end().to_owned());
    let count = |call: &mut Call, name: &str| -> Result<usize, Error> {
        match call.args.take_named(name) {
            Some(value) => Ok(value.as_usize().unwrap_or(0).min(10_000)),
            None => Ok(1),
        }
    };
    let prefixes = count(call, "prefix_count")?;
    let postfixes = count(call, "postfix_count")?;
    call.args.finish()?;
    let mut out = String::new();
    if !beginning.is_empty() {
        out.push_str(&beginning);
        out.push_str(&newline);
    }
    if !prefix_line.is_empty() {
        let line_end = if prefix_line == newline { "" } else { &newline };
        out.push_str(&format!("{prefix_line}{line_end}").repeat(prefixes));
    }
    // a line that is nothing but the decoration loses the space at its end; the last one keeps it
    let body = format!(
        "{decoration}{}",
        text.replace(&newline, &format!("{newline}{decoration}"))
    );
    let bare = format!("{}{newline}", decoration.trim_end());
    out.push_str(&body.replace(&format!("{decoration}{newline}"), &bare));
    out.push_str(&format!("{newline}{postfix_line}").repeat(postfixes));
    if !end.is_empty() {
        out.push_str(&newline);
        out.push_str(&end);
    }
    Ok(Val::from(out))
}
