//! How diagnostics look, and that no span can break them.

use super::{Diagnostic, RenderOptions, Source, Span, render};
use proptest::prelude::*;

fn show(text: &str, start: usize, end: usize) -> String {
    let source = Source::new("play.yml", text);
    let span = Span::of_bytes(&source, start, end);
    render(
        &Diagnostic::error("x::y", "something is wrong")
            .at(&span)
            .label("here"),
        RenderOptions::default(),
    )
}

#[test]
fn everything_at_once() {
    let source = Source::new(
        "play.yml",
        "- hosts: all\n  tasks:\n    - debgu:\n        msg: hi\n      name: x\n",
    );
    let other = Source::new("roles/x/main.yml", "a: 1\nb: 2\n");
    let find = |needle: &str| {
        let at = source.text.find(needle).unwrap();
        Span::of_bytes(&source, at, at + needle.len())
    };
    let diagnostic = Diagnostic::error("playbook::unknown-module", "there is no module `debgu`")
        .at(&find("debgu"))
        .label("not a module")
        .related(&find("hosts"), "in this play")
        .related(&Span::of_bytes(&other, 5, 6), "and here")
        .note("modules are found by their short or full name")
        .hint("did you mean `debug`?");
    insta::assert_snapshot!(render(&diagnostic, RenderOptions::default()));
    assert_eq!(
        diagnostic.to_string(),
        "play.yml:3:7: there is no module `debgu` (did you mean `debug`?)"
    );
    let coloured = render(&diagnostic, RenderOptions { colour: true });
    assert!(coloured.contains("\u{1b}["));
}

#[test]
fn warnings_without_a_place() {
    let diagnostic = Diagnostic::warning("x::y", "no inventory was given").hint("use -i");
    insta::assert_snapshot!(render(&diagnostic, RenderOptions::default()));
}

#[test]
fn without_a_label() {
    let source = Source::new("a.yml", "one: two\n");
    let diagnostic = Diagnostic::error("x::y", "wrong").at(&Span::of_bytes(&source, 5, 8));
    insta::assert_snapshot!(render(&diagnostic, RenderOptions::default()));
}

#[test]
fn unusual_places() {
    let long = format!("a: {}HERE{}\n", "x".repeat(500), "y".repeat(500));
    let cases = [
        ("an empty file", show("", 0, 0)),
        ("the end of a file with a line break", show("a: b\n", 5, 5)),
        ("the end of a file without one", show("a: b", 4, 4)),
        ("beyond the end", show("a: b\n", 90, 99)),
        ("many lines", show("a:\n  - b\n  - c\n", 0, 14)),
        ("tabs", show("a:\n\tb: c\n", 3, 4)),
        ("CRLF", show("a: 1\r\nbb: 22\r\nc: 3\r\n", 10, 12)),
        ("a CRLF itself", show("a: 1\r\nb: 2\r\n", 4, 6)),
        ("wide characters", show("größe: 値😀 x\n", 9, 16)),
        ("inside of a character", show("ö: ö\n", 1, 5)),
        ("a long line", show(&long, 503, 507)),
        (
            "line 1234",
            show(&format!("{}b: c\n", "a\n".repeat(1233)), 2466, 2467),
        ),
        ("control characters", show("a: \u{1}\u{1b}[31m\n", 3, 4)),
        ("a line break", show("a: b\nc: d\n", 4, 5)),
    ];
    let all: Vec<String> = cases
        .iter()
        .map(|(what, text)| format!("== {what}\n{text}"))
        .collect();
    insta::assert_snapshot!(all.join("\n"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_span_breaks_rendering(text in "[a\t\n\r ö😀\u{feff}\u{301}\u{1}]{0,30}", a in 0usize..90, b in 0usize..90, c in 0usize..90, d in 0usize..90) {
        let source = Source::new("x", text);
        // also spans that were made by hand and are nonsense
        let span = Span::new(&source, a, b, c, d);
        let diagnostic = Diagnostic::error("x::y", "m\nn").at(&span)
            .related(&Span::of_bytes(&source, c, d), "r")
            .related(&Span::new(&source, d, c, 0, 0), "q");
        prop_assert!(!render(&diagnostic, RenderOptions::default()).is_empty());
        let coloured = render(&diagnostic, RenderOptions { colour: true });
        prop_assert!(!coloured.is_empty());
        let _ = (diagnostic.to_string(), Span::of_bytes(&source, a, b));
    }
}
