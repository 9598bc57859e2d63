//! What holds for every transcript.

/// Nothing of the program's inside shows, and no secret.
pub fn nothing_internal(name: &str, text: &str) {
    let never = [
        "panicked",
        "a bug in runbook:",
        "RUST_BACKTRACE",
        "_runbook_",
        "Os {",
        "Error {",
        "Some(",
        "ErrorKind",
        "(os error",
        ".rs:",
        "Caused by",
        "hunter2",
        "[killed]",
    ];
    for word in never {
        assert!(!text.contains(word), "{name}: `{word}` in\n{text}");
    }
}

/// Each line that a command with `--output json` prints is JSON, the last one the recap.
pub fn json_lines(text: &str) {
    let mut lines = text.lines().peekable();
    assert!(lines.peek().is_some(), "no line");
    let mut last = String::new();
    for line in lines {
        let value: serde_json::Value =
            serde_json::from_str(line).unwrap_or_else(|e| panic!("{e} in {line}"));
        last = value["event"]
            .as_str()
            .expect("the kind of event")
            .to_owned();
    }
    assert_eq!(last, "recap");
}

/// A document that a command with `--output junit` prints is well-formed: tags nest, entities are known, no
/// character is one that XML cannot hold.
pub fn well_formed(text: &str) {
    let mut rest = text
        .strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>")
        .expect("the declaration")
        .trim_start();
    let mut open: Vec<String> = Vec::new();
    while let Some(at) = rest.find('<') {
        characters(&rest[..at]);
        let end = rest[at..].find('>').expect("the end of a tag") + at;
        let tag = &rest[at + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name));
            continue;
        }
        for value in tag.split('"').skip(1).step_by(2) {
            characters(value);
        }
        assert_eq!(tag.matches('"').count() % 2, 0, "quotes in <{tag}>");
        if !tag.ends_with('/') {
            open.push(tag.split_whitespace().next().expect("a name").to_owned());
        }
    }
    assert!(open.is_empty(), "not closed: {open:?}");
    assert_eq!(rest.trim(), "");
}

fn characters(text: &str) {
    for (at, _) in text.match_indices('&') {
        let end = text[at..].find(';').expect("the end of an entity") + at;
        let name = &text[at + 1..end];
        let known = ["amp", "lt", "gt", "quot", "apos"].contains(&name)
            || name
                .strip_prefix('#')
                .is_some_and(|n| n.parse::<u32>().is_ok());
        assert!(known, "&{name};");
    }
    assert!(!text.contains('<'));
    let bad = |c: char| c.is_control() && !"\n\t".contains(c);
    assert!(!text.contains(bad), "a control character in {text:?}");
}
