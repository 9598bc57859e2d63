//! runbook under Ansible's names, compared with what ansible-core prints for playbooks of our own.
//!
//! A case is `cases/<name>.yml`: a playbook, and after lines `#==> path` further files beside it. At its top stand
//! `# run: ansible-playbook -i inventory playbook.yml` (once or several times) and `# env: A=b`. Each command runs in one
//! directory, one after the other. What Ansible printed stands in `<name>.expected`: exit code, standard output, and
//! with `# stderr` at the top of the case standard error too. A case with `# own` at its top has no counterpart in
//! ansible-core: its expectation is what runbook printed when it was recorded, and was read by a person. What differs from run to run is replaced.
//!
//! `RUNBOOK_ORACLE_BIN=/path/to/bin RUNBOOK_RECORD=1` writes the expectations with the programs there; `CASES=loop` runs
//! the cases whose name contains `loop`.

mod case;

use case::Case;
use std::path::{Path, PathBuf};

fn cases() -> Vec<PathBuf> {
    let only = std::env::var("CASES").unwrap_or_default();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ansible_output/cases");
    let mut found: Vec<PathBuf> = std::fs::read_dir(root)
        .expect("the cases")
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "yml"))
        .filter(|path| path.to_string_lossy().contains(&only))
        .collect();
    found.sort();
    found
}

fn difference(expected: &str, seen: &str) -> String {
    similar::TextDiff::from_lines(expected, seen)
        .unified_diff()
        .context_radius(2)
        .header("ansible", "runbook")
        .to_string()
}

#[test]
fn prints_what_ansible_prints() {
    let cases = cases();
    assert!(!cases.is_empty(), "no cases found");
    let oracle = std::env::var_os("RUNBOOK_ORACLE_BIN").map(PathBuf::from);
    let record = std::env::var_os("RUNBOOK_RECORD").is_some();
    let mut failures = Vec::new();
    for path in &cases {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let case = Case::read(path);
        let expectation = path.with_extension("expected");
        let expected = match &oracle {
            Some(bin) => {
                let seen = case.run((!case.own).then_some(bin.as_path()));
                if record {
                    std::fs::write(&expectation, &seen).expect("the expectation");
                }
                seen
            }
            None if record && case.own => {
                let seen = case.run(None);
                std::fs::write(&expectation, &seen).expect("the expectation");
                seen
            }
            None => std::fs::read_to_string(&expectation)
                .unwrap_or_else(|error| format!("no expectation: {error}\n")),
        };
        let seen = case.run(None);
        if seen != expected {
            failures.push(format!("== {name}\n{}", difference(&expected, &seen)));
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {} cases differ:\n{}",
        failures.len(),
        cases.len(),
        failures.join("\n")
    );
}
