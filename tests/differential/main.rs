//! Playbooks of our own, run by runbook and compared with what ansible-core did with them.
//!
//! A case is `tests/differential/cases/<name>.yml`: a playbook, and after lines `#==> path` further files beside it.
//! `# args: …` and `# env: A=b` lines at its top give the command line, `# apart` says that hosts are not in step. It runs in a directory of its own against
//! local hosts (`inventory`, unless the case brings one). Compared as data: the class of the exit code, the recap, each
//! line of each task on each host (with what `debug` shows), and every file that the playbook left in `out/`.
//!
//! What ansible-core did stands in `<name>.expected.json`. `RUNBOOK_ORACLE=/path/to/ansible-playbook` compares with that
//! program instead; `RUNBOOK_RECORD=1` beside it writes the expectations (`record.sh`). `CASES=role` runs those
//! whose name contains `role`. Where runbook means to differ is told by
//! `docs/compatibility.md`; there are no cases of it here.

mod case;
mod observed;

use case::Case;
use observed::Observed;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// All cases, sorted by name.
fn cases() -> Vec<PathBuf> {
    let only = std::env::var("CASES").unwrap_or_default();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential/cases");
    let mut found: Vec<PathBuf> = walkdir::WalkDir::new(root)
        .into_iter()
        .filter_map(Result::ok)
        .map(walkdir::DirEntry::into_path)
        .filter(|path| path.extension().is_some_and(|e| e == "yml"))
        .filter(|path| {
            path.file_stem()
                .is_some_and(|stem| stem.to_string_lossy().contains(&only))
        })
        .collect();
    found.sort();
    found
}

fn runbook() -> PathBuf {
    std::env::var_os("RUNBOOK_BIN").map_or_else(
        || PathBuf::from(env!("CARGO_BIN_EXE_runbook")),
        PathBuf::from,
    )
}

/// What the case is expected to do: recorded, or seen just now.
fn expectation(case: &Case, oracle: Option<&Path>) -> Result<Observed, String> {
    let path = case.path.with_extension("expected.json");
    let Some(oracle) = oracle else {
        let text = std::fs::read_to_string(&path).map_err(|e| format!("no expectation: {e}"))?;
        return serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()));
    };
    let seen = case.run(oracle, true)?;
    if std::env::var_os("RUNBOOK_RECORD").is_some() {
        let mut text = serde_json::to_string_pretty(&seen).map_err(|e| e.to_string())?;
        text.push('\n');
        std::fs::write(&path, text).map_err(|e| e.to_string())?;
    }
    Ok(seen)
}

fn check(path: &Path, oracle: Option<&Path>) -> Result<(), String> {
    let case = Case::read(path)?;
    let expected = expectation(&case, oracle)?;
    let seen = case.run(&runbook(), false)?;
    let problems = expected.compare(&seen);
    if problems.is_empty() {
        return Ok(());
    }
    Err(format!("{}\n{}", problems.join("\n"), seen.talk()))
}

/// Cases in which runbook still differs; each has a row in docs/compatibility.md or is a bug to be fixed.
const KNOWN: &[&str] = &[
    // a censored loop has one line for each item, and none for the whole
    "no-log",
];

#[test]
fn runbook_does_what_ansible_does() {
    let oracle = std::env::var_os("RUNBOOK_ORACLE").map(PathBuf::from);
    let cases = cases();
    assert!(!cases.is_empty(), "no cases found");
    let next = AtomicUsize::new(0);
    let failures: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(path) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let name = path.file_stem().unwrap_or_default().to_string_lossy();
                    let known = KNOWN.contains(&&*name);
                    let result = match check(path, oracle.as_deref()) {
                        Ok(()) if known => Err("it is equal now: take it off KNOWN".to_owned()),
                        Err(_) if known => Ok(()),
                        other => other,
                    };
                    if let Err(problem) = result {
                        let mut failures = failures.lock().expect("no thread has panicked");
                        failures.push((name.into_owned(), problem));
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().expect("no thread has panicked");
    failures.sort();
    let told: Vec<String> = failures
        .iter()
        .map(|(name, problem)| format!("== {name}\n{problem}"))
        .collect();
    assert!(
        failures.is_empty(),
        "{} of {} cases differ:\n{}\ndiffering: {}",
        failures.len(),
        cases.len(),
        told.join("\n"),
        failures
            .iter()
            .map(|(name, _)| name.as_str())
            .collect::<Vec<_>>()
            .join(" ")
    );
}
