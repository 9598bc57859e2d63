//! What an XPath names that is not there yet is made: elements, attributes, texts.

use super::tree::Tree;
use uppsala::{NodeId, NodeKind};

/// The last step of an XPath, if it is one that can be made.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// `name`, with a text if it is followed by `text()="…"`.
    Element(String, Option<String>),
    /// `@name`, with a value if there is `="…"`.
    Attribute(String, Option<String>),
    /// `name[… and …]`.
    Predicates(String, Vec<String>),
    /// `text()="…"` behind something else.
    Text(String),
}

/// Divides an XPath into what stands before its last step, and that.
pub(super) fn split(xpath: &str) -> Option<(&str, Step)> {
    let xpath = xpath.trim();
    let (before, last) = cut(xpath)?;
    if is_name(last) {
        return Some((before, Step::Element(last.to_owned(), None)));
    }
    if let Some(attribute) = last.strip_prefix('@') {
        let step = match attribute.split_once('=') {
            None if is_name(attribute) => Step::Attribute(attribute.to_owned(), None),
            Some((name, value)) if is_name(name) => {
                Step::Attribute(name.to_owned(), Some(unquoted(value)?.to_owned()))
            }
            _ => return None,
        };
        return Some((before, step));
    }
    if let Some(text) = last.strip_prefix("text()=") {
        let text = unquoted(text)?.to_owned();
        return Some(match cut(before) {
            Some((above, name)) if is_name(name) => {
                (above, Step::Element(name.to_owned(), Some(text)))
            }
            _ => (before, Step::Text(text)),
        });
    }
    let (name, predicates) = last.strip_suffix(']')?.split_once('[')?;
    let predicates = predicates.split(" and ").map(|part| part.trim().to_owned());
    is_name(name).then(|| {
        (
            before,
            Step::Predicates(name.to_owned(), predicates.collect()),
        )
    })
}

/// Before and behind the last slash that is in no quotes and no brackets.
fn cut(xpath: &str) -> Option<(&str, &str)> {
    let (mut depth, mut quote, mut last) = (0_usize, None, None);
    for (at, c) in xpath.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '[') => depth += 1,
            (None, ']') => depth = depth.saturating_sub(1),
            (None, '/') if depth == 0 => last = Some(at),
            _ => {}
        }
    }
    let (before, behind) = xpath.split_at_checked(last?)?;
    Some((before, behind.get(1..)?))
}

fn is_name(text: &str) -> bool {
    let is_part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '-' | '_'))
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
    };
    match text.split_once(':') {
        Some((prefix, name)) => is_part(prefix) && is_part(name),
        None => is_part(text),
    }
}

fn unquoted(text: &str) -> Option<&str> {
    ['"', '\'']
        .into_iter()
        .find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote))
}

/// Makes what the XPath names, and what is missing on the way, below `context` or the document's element.
///
/// # Errors
/// When it is not simple enough for that.
pub(super) fn make(tree: &mut Tree, context: Option<NodeId>, xpath: &str) -> Result<(), String> {
    let cannot = || format!("Can't process Xpath {xpath} in order to spawn nodes!");
    let (before, step) = split(xpath).ok_or_else(cannot)?;
    if before.is_empty() {
        return Err(format!(
            "{} The document's element is another one.",
            cannot()
        ));
    }
    if tree.elements(context, before)?.is_empty() {
        make(tree, context, before)?;
    }
    let parents = tree.elements(context, before)?;
    match step {
        // as with lxml, one new element goes from one to the next, and stays in the last
        Step::Element(name, text) => {
            let new = tree.element(&name)?;
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                tree.set_text(new, &text);
            }
            for parent in parents {
                tree.append(parent, new);
            }
        }
        Step::Predicates(name, predicates) => {
            let new = tree.element(&name)?;
            for parent in parents {
                tree.append(parent, new);
                for predicate in &predicates {
                    make(tree, Some(new), &format!("./{predicate}"))?;
                }
            }
        }
        Step::Text(text) => {
            for parent in parents {
                tree.set_text(parent, &text);
            }
        }
        Step::Attribute(name, value) => {
            for parent in parents {
                tree.set_attribute(parent, &name, value.as_deref().unwrap_or_default())?;
            }
        }
    }
    Ok(())
}

/// Takes out what an XPath selects.
///
/// # Errors
/// When that is neither elements nor attributes, or the whole document.
pub(super) fn remove(tree: &mut Tree, xpath: &str) -> Result<(), String> {
    for id in tree.select(None, xpath)? {
        match tree.doc.node_kind(id) {
            Some(NodeKind::Attribute(..)) => tree.remove_attribute(id),
            Some(NodeKind::Text(_) | NodeKind::CData(_)) => {
                return Err("texts cannot be taken out; set a value".to_owned());
            }
            _ if tree
                .doc
                .parent(id)
                .is_none_or(|parent| parent == tree.doc.root()) =>
            {
                return Err("it is the document's element".to_owned());
            }
            _ => tree.remove(id),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_step_is_found() {
        let element =
            |name: &str, text: Option<&str>| Step::Element(name.into(), text.map(Into::into));
        let attribute =
            |name: &str, value: Option<&str>| Step::Attribute(name.into(), value.map(Into::into));
        for (xpath, expected) in [
            ("/a/b", Some(("/a", element("b", None)))),
            ("/a[x/y]/n:b ", Some(("/a[x/y]", element("n:b", None)))),
            (
                "/a/b/text()=\"x/y\"",
                Some(("/a", element("b", Some("x/y")))),
            ),
            ("/a/*/text()='x'", Some(("/a/*", Step::Text("x".into())))),
            ("/a/@b", Some(("/a", attribute("b", None)))),
            ("./@b='c'", Some((".", attribute("b", Some("c"))))),
            (
                "/a/b[@c='d' and text()=\"e\"]",
                Some((
                    "/a",
                    Step::Predicates("b".into(), vec!["@c='d'".into(), "text()=\"e\"".into()]),
                )),
            ),
            ("/a/*", None),
            ("a", None),
            ("/a/@b=c", None),
            ("/a/b()", None),
        ] {
            assert_eq!(split(xpath), expected, "{xpath}");
        }
    }
}
