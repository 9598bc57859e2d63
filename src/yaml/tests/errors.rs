//! The words for what is wrong: one snapshot of all cases, so that they can be read in one go.

use crate::diag::{RenderOptions, Source, render};
use crate::yaml::parse;

const CASES: [(&str, &str); 50] = [
    ("an unquoted template", "- copy:\n    dest: {{ base }}\n"),
    (
        "a template and text",
        "- copy:\n    dest: {{ base }}/etc\n    mode: '0644'\n",
    ),
    ("a template as the last value", "a: 1\nb: {{ x }} y"),
    ("a template in a list", "- {{ a }}\n- b\n"),
    (
        "a template with a string in it",
        "msg: {{ a[\"b\"] | d('c') }} # why\n",
    ),
    ("a statement", "msg: {% if a %}b{% endif %}\n"),
    ("a tab as indentation", "a:\n\tb: c\n"),
    ("a tab after spaces", "a:\n  b: 1\n  \tc: 2\n"),
    ("a tab before a list", "a:\n\t- b\n"),
    ("two colons", "- name: install: the thing\n  apt: name=x\n"),
    ("two colons and quotes", "msg: \"x\": y\n"),
    (
        "indented below a value",
        "- name: foo\n    debug:\n      msg: hi\n",
    ),
    (
        "no space after the colon",
        "- hosts: all\n  become:yes\n  tasks: []\n",
    ),
    ("no space after the first colon", "hosts:all\nbecome: yes\n"),
    ("no colon at all", "a: 1\nb\nc: 2\n"),
    ("an open double quote", "a: \"b\nc: d\n"),
    ("an open single quote", "a: 'it is\nc: d\n"),
    ("an apostrophe in quotes", "a: 'don't do'\nb: 1\n"),
    ("text after quotes", "a: \"b\" c\nd: e\n"),
    ("text after quotes in a list", "- 'a' | b\n- c\n"),
    ("too little indentation", "a:\n    b: 1\n  c: 2\n"),
    ("too much indentation", "a:\n  b: 1\n    c: 2\n"),
    ("a list item too far left", "a:\n    - b\n  - c\n"),
    ("a key among items", "- a\nb: c\n"),
    ("an item among keys", "a: 1\n- b\n"),
    ("a list on the key's line", "a: - b\n"),
    ("an open bracket", "a: [b, c\n"),
    ("an open bracket and more", "a: [b, c\nd: e\n"),
    ("an open brace", "a: {b: c\nd: e\n"),
    ("a wrong bracket", "a: [b, c}\n"),
    ("a bad escape", "a: \"\\d+\"\n"),
    ("an at sign", "a: @b\n"),
    ("a backtick", "- `ls`\n"),
    ("a percent sign", "- %d\n"),
    ("a star", "- hosts: *\n"),
    ("a glob", "files: *.log\n"),
    ("an unknown alias", "base: &base {}\na: *bse\n"),
    ("an alias in itself", "a: &a [*a]\n"),
    ("text after a bar", "a: | b\n  c\n"),
    ("a control character", "a: \u{1}\n"),
    ("an unknown tag", "a: !vualt x\n"),
    ("a bad value of a tag", "a: !!int many\n"),
    ("a list as a key", "[a, b]: c\n"),
    ("a bad merge", "a:\n  <<: b\n"),
    (
        "a template in a block is not to blame",
        "a: |\n  {{ x }} y\n b: 1\n",
    ),
    ("a bracket too many", "a: [b]]\nc: d\n"),
    ("no space after a dash", "- a: 1\n-b\n- c: 2\n"),
    ("a percent sign at the start", "a: b\n%c\n"),
    ("two documents", "a: 1\n---\nb: 2\n"),
    ("more after the document", "{a: 1}\nb: 2\n"),
];

#[test]
fn mistakes_are_explained() {
    let mut all = String::new();
    for (what, text) in CASES {
        let error = parse(&Source::new("play.yml", text)).err();
        let shown = error.map_or_else(
            || "NO ERROR".to_owned(),
            |error| {
                format!(
                    "[{}] {}",
                    error.code,
                    render(&error, RenderOptions::default())
                )
            },
        );
        all.push_str(&format!("== {what}\n{shown}\n\n"));
    }
    assert!(!all.contains("NO ERROR"), "{all}");
    insta::assert_snapshot!(all);
}

#[test]
fn duplicate_keys_are_warnings() {
    let source = Source::new("play.yml", "a: 1\nb: {x: 1}\na: 2\n");
    let document = parse(&source).unwrap();
    assert_eq!(document.node.get("a").unwrap().to_value().as_int(), Some(2));
    let [warning] = document.warnings.as_slice() else {
        panic!("one warning");
    };
    insta::assert_snapshot!(render(warning, RenderOptions::default()));
}

#[test]
fn merges_may_be_overridden_once_without_a_warning() {
    let text = "a: &a {x: 1}\nb:\n  <<: *a\n  x: 2\nc:\n  <<: *a\n  x: 2\n  x: 3\n";
    let document = parse(&Source::new("play.yml", text)).unwrap();
    let lines: Vec<usize> = document
        .warnings
        .iter()
        .filter_map(|warning| warning.span.as_ref().map(|span| span.line))
        .collect();
    assert_eq!(lines, [8]);
}

#[test]
fn tags_of_ansible_are_kept() {
    use crate::value::Trust;
    let text = "a: !unsafe '{{ x }}'\nb: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\nc: !unsafe [\"{{ y }}\", 1]\nd: !unsafe 5\n";
    let node = parse(&Source::new("v.yml", text)).unwrap().node;
    let trust = |name: &str| match &node.get(name).unwrap().kind {
        crate::yaml::Kind::Str(text) => (text.to_string(), text.trust()),
        other => panic!("{other:?}"),
    };
    assert_eq!(trust("a"), ("{{ x }}".into(), Trust::Data));
    assert_eq!(
        trust("b"),
        ("$ANSIBLE_VAULT;1.1;AES256\n6162\n".into(), Trust::Vault)
    );
    assert_eq!(trust("d"), ("5".into(), Trust::Data));
    assert!(node.get("c").unwrap().to_value().holds_data());
    let json = parse(&Source::new(
        "v.json",
        "{\"a\": {\"__ansible_unsafe\": \"{{ x }}\"}}",
    ))
    .unwrap();
    assert!(json.node.to_value().holds_data());
}
