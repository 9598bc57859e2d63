//! Templates: as an argument, a file and a condition.

use crate::files;
use runbook::template::{
    Context, FileContext, FileOptions, Scope, Templar, TemplarOptions, Variable,
};
use runbook::value::{Map, Value};
use std::path::Path;
use std::sync::{Arc, LazyLock};

/// Lookups that run programs, write files or ask the network: what is broken at random must not get at them.
const REACHING: &[&str] = &[
    "pipe", "lines", "password", "url", "fileglob", "/dev", "/proc", "template", "unvault", "file",
];

#[derive(Debug)]
struct Variables(Map);

impl Scope for Variables {
    fn get(&self, name: &str) -> Option<Variable> {
        self.0.get(name).cloned().map(Variable::Lazy)
    }

    fn names(&self) -> Vec<Arc<str>> {
        self.0.str_iter().map(|(name, _)| name.into()).collect()
    }
}

/// Variables under the names that the cases use most.
const VARIABLES: &str = r#"{
  "x": 1, "y": "text", "z": [3, 1, 2], "a": "b", "b": {"c": [1, {"d": "e"}]}, "c": true, "d": {"k": "v", "l": 2},
  "e": null, "f": 1.5, "l": ["a", "b", "c"], "n": -7, "s": "some words, here", "t": "{{ s | upper }}", "v": "{{ d.k }}{{ x }}",
  "list": [{"name": "a", "n": 1}, {"name": "b", "n": 2}], "map": {"one": {"two": "{{ l }}"}}, "item": "i",
  "inventory_hostname": "h", "groups": {"all": ["h"]}, "circle": "{{ circle }}", "text": "a: 1\nb: [2]\n", "empty": ""
}"#;

static VALUES: LazyLock<Map> = LazyLock::new(|| {
    let json = serde_json::from_str(VARIABLES).unwrap_or_default();
    match Value::from_json(&json) {
        Value::Map(map) => (*map).clone(),
        _ => Map::new(),
    }
});

static TEMPLAR: LazyLock<Templar> = LazyLock::new(|| Templar::new(TemplarOptions::default()));

pub fn corpus() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for path in files::under(&["tests/templates"], |path| files::ends(path, &["txt"])) {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        if let Some((_, rest)) = text.split_once("\n--- template")
            && let Some((_, rest)) = rest.split_once('\n')
            && let Some((template, _)) = rest.split_once("\n--- ")
        {
            all.push(template.as_bytes().to_vec());
        }
    }
    all.extend(
        crate::strange::templates()
            .into_iter()
            .filter(|t| t.len() < 2000)
            .map(String::into_bytes),
    );
    let paths = files::under(&["roles", "tests"], |path| files::ends(path, &["j2"]));
    all.extend(files::texts(&paths));
    all.extend(files::of_cases(|name| {
        files::ends(Path::new(name), &["j2"])
    }));
    all
}

fn context() -> Context {
    let empty = Path::new("/nonexistent");
    let files = FileContext {
        search_path: vec![empty.to_owned()],
        basedir: empty.to_owned(),
    };
    Context::new(Arc::new(Variables(VALUES.clone())), Arc::new(files))
}

pub fn run(input: &[u8]) -> Result<(), String> {
    let text = String::from_utf8_lossy(input).into_owned();
    if REACHING.iter().any(|word| text.contains(word)) {
        return Ok(());
    }
    for problem in [
        TEMPLAR.render_str(&text, &context()).err(),
        TEMPLAR
            .render_file(&text, &FileOptions::default(), &context())
            .err(),
        TEMPLAR
            .condition(&Value::str(text.trim_matches(['{', '}', ' '])), &context())
            .err(),
    ]
    .into_iter()
    .flatten()
    {
        // what the user is told
        let _ = problem.to_string();
    }
    Ok(())
}
