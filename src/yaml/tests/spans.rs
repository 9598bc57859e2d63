//! Places: bytes, lines and columns.

use crate::diag::{Source, Span};
use crate::yaml::{Kind, Node, parse};

fn root(text: &str) -> Node {
    parse(&Source::new("t.yml", text)).unwrap().node
}

fn text_of(node: &Node) -> &str {
    &node.span.source().text[node.span.start..node.span.end]
}

/// Every span lies in the text and its line and column are those of its first byte.
pub(super) fn check(node: &Node) {
    let span = &node.span;
    let text = &span.source().text;
    let part = text
        .get(span.start..span.end)
        .unwrap_or_else(|| panic!("{span:?} is {}..{}", span.start, span.end));
    let mut counted = Span::of_bytes(span.source(), span.start, span.end);
    if text.starts_with('\u{feff}') && counted.line == 1 && span.start >= 3 {
        // a byte order mark has no column
        counted.column -= 1;
    }
    assert_eq!(
        (counted.line, counted.column),
        (span.line, span.column),
        "{part:?} in {text:?}"
    );
    match &node.kind {
        Kind::Seq(items) => items.iter().for_each(check),
        Kind::Map(entries) => {
            for entry in entries {
                check(&entry.key);
                check(&entry.value);
            }
        }
        _ => {}
    }
}

#[test]
fn spans_of_all_fixtures_are_sound() {
    for file in super::fixtures::files() {
        let text = std::fs::read_to_string(&file).unwrap();
        check(&parse(&Source::new(&file, text)).unwrap().node);
    }
}

#[test]
fn spans_hold_exactly_what_was_written() {
    let node = root("größe: 'ü b'\nlist:\n  - 😀 x\n  - [a, {b: c}]  # end\n\nlast: \"q\"\n");
    assert_eq!(text_of(node.get("größe").unwrap()), "'ü b'");
    let list = node.get("list").unwrap();
    assert_eq!(text_of(list), "- 😀 x\n  - [a, {b: c}]");
    let items = list.as_seq().unwrap();
    assert_eq!(text_of(&items[0]), "😀 x");
    assert_eq!((items[0].span.line, items[0].span.column), (3, 5));
    assert_eq!(text_of(&items[1]), "[a, {b: c}]");
    let last = node.entry("last").unwrap();
    assert_eq!(
        (text_of(&last.key), text_of(&last.value)),
        ("last", "\"q\"")
    );
    assert_eq!(last.key.span.to_string(), "t.yml:6:1");
}

#[test]
fn a_byte_order_mark_shifts_bytes_but_not_columns() {
    let node = root("\u{feff}a: [ü, b]\nc: d\n");
    let a = node.get("a").unwrap();
    assert_eq!((text_of(a), a.span.column), ("[ü, b]", 4));
    assert_eq!(text_of(&a.as_seq().unwrap()[1]), "b");
    assert_eq!(text_of(node.get("c").unwrap()), "d");
}

#[test]
fn json_has_places_too() {
    let node = root("{\n\t\"a\": [1, \"é\\n\"],\n\t\"b\": {\"c\": 1e3}\n}\n");
    assert_eq!(
        text_of(&node),
        "{\n\t\"a\": [1, \"é\\n\"],\n\t\"b\": {\"c\": 1e3}\n}"
    );
    let c = node.get("b").unwrap().get("c").unwrap();
    assert_eq!((text_of(c), c.span.line, c.span.column), ("1e3", 3, 13));
    let e = &node.get("a").unwrap().as_seq().unwrap()[1];
    assert_eq!((text_of(e), e.as_str()), ("\"é\\n\"", Some("é\n")));
    check(&node);
}

#[test]
fn an_alias_stands_where_it_is_written() {
    let node = root("a: &x {k: v}\nb: *x\n");
    assert_eq!(text_of(node.get("b").unwrap()), "*x");
    assert_eq!(node.get("b").unwrap().get("k").unwrap().span.line, 1);
}
