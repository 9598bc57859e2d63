//! No text makes the reader panic, hang or give places outside of the text.

use super::{fixtures, spans};
use crate::diag::{RenderOptions, Source, render};
use crate::yaml::{parse, parse_all};
use proptest::prelude::*;

fn survive(text: &str) {
    let source = Source::new("m.yml", text);
    match parse(&source) {
        Ok(document) => spans::check(&document.node),
        Err(error) => {
            assert!(error.span.is_some(), "{error} has no place in {text:?}");
            assert!(!render(&error, RenderOptions::default()).is_empty());
        }
    }
    let _ = parse_all(&source);
}

const BITS: [&str; 30] = [
    "\t",
    "\n",
    " ",
    "  ",
    ":",
    ": ",
    "- ",
    "?",
    "? ",
    "{",
    "}",
    "[",
    "]",
    "{{ ",
    " }}",
    "'",
    "\"",
    "#",
    "&a ",
    "*a",
    "!",
    "!x ",
    "|\n",
    ">-\n",
    "%",
    "@",
    "`",
    "\u{1}",
    "ü😀\u{feff}",
    "<<: ",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_fixtures(file in any::<prop::sample::Index>(), edits in prop::collection::vec(
        (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0usize..3), 1..5)) {
        let files = fixtures::files();
        let mut text: Vec<char> = std::fs::read_to_string(file.get(&files)).unwrap().chars().take(3000).collect();
        for (at, bit, kind) in edits {
            let at = at.index(text.len() + 1);
            match kind {
                0 => { text.splice(at..at, bit.get(&BITS).chars()); }
                1 => text.truncate(at),
                _ => { if at < text.len() { text.remove(at); } }
            }
        }
        survive(&text.into_iter().collect::<String>());
    }

    #[test]
    fn bits_in_any_order(bits in prop::collection::vec(prop::sample::select(&BITS[..]), 0..30)) {
        survive(&bits.concat());
    }
}

#[test]
fn depth_is_limited() {
    for open in ["[", "{a: ", "- ", "{\"a\":", "? "] {
        let text = open.repeat(100_000);
        assert!(parse(&Source::new("deep.yml", text)).is_err());
    }
    // anchors within anchors nest deeper than the text does
    let mut text = String::from("- &a0 [x]\n");
    for i in 1..300 {
        text.push_str(&format!("- &a{i} [*a{}]\n", i - 1));
    }
    let error = parse(&Source::new("deep.yml", text)).unwrap_err();
    assert_eq!(error.code, "yaml::too-deep");
}

#[test]
fn aliases_have_a_budget() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for i in 1..12 {
        let list = vec![format!("*a{}", i - 1); 10].join(", ");
        text.push_str(&format!("a{i}: &a{i} [{list}]\n"));
    }
    let error = parse(&Source::new("bomb.yml", text)).unwrap_err();
    assert_eq!(error.code, "yaml::alias-budget");
}
