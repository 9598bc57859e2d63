//! Runs the cases of `tests/templates`: one file per case, with its variables (JSON), its template and what
//! Ansible 2.18 makes of it.

use super::*;
use crate::value::{Map, Value};
use std::path::Path;
use std::sync::Arc;

#[derive(Debug)]
pub(super) struct Fixed(pub(super) Map);

impl Scope for Fixed {
    fn get(&self, name: &str) -> Option<Variable> {
        self.0.get(name).cloned().map(Variable::Lazy)
    }

    fn names(&self) -> Vec<Arc<str>> {
        self.0.str_iter().map(|(name, _)| name.into()).collect()
    }
}

pub(super) fn context(vars: Map) -> Context {
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/templates/files");
    let cx = FileContext {
        search_path: vec![files.clone()],
        basedir: files,
    };
    Context::new(Arc::new(Fixed(vars)), Arc::new(cx))
}

pub(super) fn vars(json: &str) -> Map {
    match Value::from_json(&serde_json::from_str(json).unwrap()) {
        Value::Map(map) => (*map).clone(),
        _ => panic!("the variables are no mapping"),
    }
}

struct Case {
    vars: Map,
    mode: String,
    template: String,
    expected: String,
}

fn read(text: &str) -> Case {
    let (head, rest) = text.split_once("\n--- template").expect("a template");
    let (mode, rest) = rest.split_once('\n').expect("a template");
    let (template, expected) = rest.split_once("\n--- ").expect("a result");
    Case {
        vars: vars(head),
        mode: mode.trim().to_owned(),
        template: template.to_owned(),
        expected: expected.trim_end_matches('\n').to_owned(),
    }
}

fn run(case: &Case) -> Result<(), String> {
    let templar = Templar::new(TemplarOptions::default());
    let cx = context(case.vars.clone());
    let result = match case.mode.as_str() {
        "file" => templar
            .render_file(&case.template, &FileOptions::default(), &cx)
            .map(Value::data),
        "condition" => templar
            .condition(&Value::str(case.template.as_str()), &cx)
            .map(Value::Bool),
        _ => templar.render_str(&case.template, &cx),
    };
    let (kind, expected) = case
        .expected
        .split_once('\n')
        .unwrap_or((&case.expected, ""));
    match (kind, result) {
        ("result", Ok(value)) => {
            let wanted =
                Value::from_json(&serde_json::from_str(expected).map_err(|e| e.to_string())?);
            let same = wanted.to_json() == value.to_json();
            if same {
                Ok(())
            } else {
                Err(format!(
                    "expected {}\n     got {}",
                    wanted.to_json(),
                    value.to_json()
                ))
            }
        }
        ("error", Err(error)) if error.to_string().contains(expected) => Ok(()),
        ("result", Err(error)) => Err(format!("expected {expected}\n     got the error {error}")),
        ("error", Err(error)) => Err(format!(
            "expected the error {expected}\n                 got {error}"
        )),
        ("error", Ok(value)) => Err(format!(
            "expected the error {expected}\n     got {}",
            value.to_json()
        )),
        _ => Err(format!("`{kind}` is neither result nor error")),
    }
}

#[test]
fn every_case_renders_as_ansible_does() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/templates");
    let mut failures = Vec::new();
    let mut count = 0;
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ext| ext != "txt") {
            continue;
        }
        count += 1;
        let case = read(&std::fs::read_to_string(&path).unwrap());
        if let Err(message) = run(&case) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            failures.push(format!("{name}: {}\n     {message}", case.template));
        }
    }
    failures.sort();
    assert!(
        failures.is_empty(),
        "{} of {count} failed:\n{}",
        failures.len(),
        failures.join("\n")
    );
    assert!(count >= 200, "only {count} cases were found");
}
