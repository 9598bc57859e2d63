//! Filters that lay out text: indent, wordwrap, truncate.

use super::Filter;
use crate::template::call::{Call, fail};
use crate::template::methods;
use minijinja::Error;
use minijinja::value::Value as Val;

pub(super) const TABLE: &[(&str, Filter)] = &[
    ("indent", indent),
    ("wordwrap", wordwrap),
    ("truncate", truncate),
];

/// `indent(width=4, first=False, blank=False)`.
fn indent(call: &mut Call) -> Result<Val, Error> {
    let width = call.args.opt("width")?;
    let first = call.args.flag("first", false)?;
    let blank = call.args.flag("blank", false)?;
    let indention = match width {
        Some(crate::value::Value::Str(text)) => text.to_string(),
        Some(number) => {
            let width = crate::template::call::int_of(&number).unwrap_or(4);
            let width = usize::try_from(width).unwrap_or(0);
            if width > 10_000 {
                return fail("indent: the width is too large");
            }
            " ".repeat(width)
        }
        None => "    ".into(),
    };
    let text = call.text()?;
    let ends = text.ends_with('\n');
    let mut lines = methods::lines(&text, false);
    if ends {
        lines.push(String::new());
    }
    let mut out = String::new();
    for (i, line) in lines.iter().enumerate() {
        if i > 0 {
            out.push('\n');
        }
        let wanted = if i == 0 {
            first
        } else {
            blank || !line.is_empty()
        };
        if wanted {
            out.push_str(&indention);
        }
        out.push_str(line);
    }
    Ok(Val::from(out))
}

/// `wordwrap(width=79, break_long_words=True, wrapstring=None, break_on_hyphens=True)`.
fn wordwrap(call: &mut Call) -> Result<Val, Error> {
    let width = usize::try_from(call.args.int("width", Some(79))?).unwrap_or(0);
    let break_long = call.args.flag("break_long_words", true)?;
    let glue = call
        .args
        .opt_text("wrapstring")?
        .unwrap_or_else(|| "\n".into());
    let on_hyphens = call.args.flag("break_on_hyphens", true)?;
    if width == 0 {
        return fail("wordwrap: the width must be one or more");
    }
    let text = call.text()?;
    let paragraphs: Vec<String> = methods::lines(&text, false)
        .iter()
        .map(|line| fill(line, width, break_long, on_hyphens).join(&glue))
        .collect();
    Ok(Val::from(paragraphs.join(&glue)))
}

/// Blanks and words of a line; a word with hyphens is several.
fn chunks(line: &str, on_hyphens: bool) -> Vec<String> {
    let mut chunks: Vec<String> = Vec::new();
    let mut blank = None;
    for c in line.chars() {
        let is_blank = c.is_whitespace();
        match chunks.last_mut() {
            Some(last)
                if blank == Some(is_blank)
                    && (is_blank
                        || !on_hyphens
                        || !(last.ends_with('-') && last.len() > 1 && c.is_alphabetic())) =>
            {
                last.push(c);
            }
            _ => chunks.push(c.to_string()),
        }
        blank = Some(is_blank);
    }
    chunks
}

fn fill(line: &str, width: usize, break_long: bool, on_hyphens: bool) -> Vec<String> {
    let mut lines = Vec::new();
    let mut current = String::new();
    let mut len = 0;
    for chunk in chunks(line, on_hyphens) {
        let mut rest: Vec<char> = chunk.chars().collect();
        let blank = rest.first().is_some_and(|c| c.is_whitespace());
        if len + rest.len() > width && len > 0 && (!break_long || rest.len() <= width || blank) {
            lines.push(std::mem::take(&mut current).trim_end().to_owned());
            len = 0;
        }
        if blank && len == 0 && !lines.is_empty() {
            continue;
        }
        while break_long && len + rest.len() > width {
            let room = width - len;
            current.extend(rest.drain(..room));
            lines.push(std::mem::take(&mut current));
            len = 0;
        }
        len += rest.len();
        current.extend(rest);
    }
    if !current.trim_end().is_empty() || lines.is_empty() {
        lines.push(current.trim_end().to_owned());
    }
    lines
}

/// `truncate(length=255, killwords=False, end='...', leeway=5)`.
fn truncate(call: &mut Call) -> Result<Val, Error> {
    let length = usize::try_from(call.args.int("length", Some(255))?).unwrap_or(0);
    let kill = call.args.flag("killwords", false)?;
    let end = call.args.opt_text("end")?.unwrap_or_else(|| "...".into());
    let leeway = usize::try_from(call.args.int("leeway", Some(5))?).unwrap_or(0);
    let text = call.text()?;
    let end_len = end.chars().count();
    if length < end_len {
        return fail(format!(
            "truncate: expected a length of {end_len} or more, got {length}"
        ));
    }
    if text.chars().count() <= length.saturating_add(leeway) {
        return Ok(Val::from(text));
    }
    let cut: String = text.chars().take(length - end_len).collect();
    let cut = if kill {
        cut.as_str()
    } else {
        cut.rsplit_once(' ').map_or(cut.as_str(), |(head, _)| head)
    };
    Ok(Val::from(format!("{cut}{end}")))
}
