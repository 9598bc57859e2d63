//! Playbooks of our own, run by runbook and compared with what ansible-core did with them.
//!
//! A case is `tests/differential/cases/<name>.yml`: a playbook, and after lines `#==> path` further files beside it.
//! `# args: …` and `# env: A=b` lines at its top give the command line, `# apart` says that hosts are not in step,
//! `# needs: collections` marks those with plugins that ansible-core does not have: their recordings are only made (again)
//! where `RUNBOOK_COLLECTIONS` names a directory that `collections.sh` has made. A case runs in a directory of its own against
//! local hosts (`inventory`, unless the case brings one). Compared as data: the class of the exit code, the recap, each
//! line of each task on each host (with what `debug` shows), and every file that the playbook left in `out/`.
//!
//! What ansible-core did stands in `<name>.expected.json`. `RUNBOOK_ORACLE=/path/to/ansible-playbook` runs that program
//! again on as many cases as `RUNBOOK_ORACLE_SECONDS` (150) allow, in an order that `RUNBOOK_ORACLE_SEED` gives, and compares it with what
//! was recorded; `RUNBOOK_RECORD=1` beside it writes the expectations (`record.sh`), `missing` only those that are not there. `CASES=role` runs those
//! whose name contains `role`. Where runbook means to differ is told by
//! `docs/compatibility.md`; there are no cases of it here.

mod case;
mod observed;

use case::Case;
use observed::Observed;
use sha2::Digest;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

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

/// What ansible-core did when it was recorded.
fn recorded(case: &Case) -> Result<Observed, String> {
    let path = case.path.with_extension("expected.json");
    let text = std::fs::read_to_string(&path).map_err(|e| format!("no expectation: {e}"))?;
    let mut recorded: Observed =
        serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?;
    recorded.settle();
    Ok(recorded)
}

/// Has ansible-core run the case, and writes down what it does.
fn record(case: &Case, oracle: &Path) -> Result<(), String> {
    let seen = case.run(oracle, true)?;
    let mut text = serde_json::to_string_pretty(&seen).map_err(|e| e.to_string())?;
    text.push('\n');
    std::fs::write(case.path.with_extension("expected.json"), text).map_err(|e| e.to_string())
}

fn check(path: &Path, recorder: Option<&Path>) -> Result<(), String> {
    let case = Case::read(path)?;
    let missing = !path.with_extension("expected.json").exists();
    let only_missing = std::env::var("RUNBOOK_RECORD").is_ok_and(|word| word == "missing");
    if let Some(recorder) = recorder.filter(|_| missing || !only_missing) {
        record(&case, recorder)?;
    }
    let expected = recorded(&case)?;
    let seen = case.run(&runbook(), false)?;
    let problems = expected.compare(&seen);
    if problems.is_empty() {
        return Ok(());
    }
    Err(format!("{}\n{}", problems.join("\n"), seen.talk()))
}

/// Cases in which runbook still differs, with what ansible-core does there.
const KNOWN: &[&str] = &[];

fn oracle() -> Option<PathBuf> {
    let path = std::env::var_os("RUNBOOK_ORACLE").filter(|path| !path.is_empty());
    path.map(PathBuf::from)
}

fn number(variable: &str, default: u64) -> u64 {
    let text = std::env::var(variable).ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// The recordings are true: ansible-core does the same again. As many cases as there is time for.
#[test]
fn ansible_does_what_was_recorded() {
    let recording = std::env::var_os("RUNBOOK_RECORD").is_some();
    let Some(oracle) = oracle().filter(|_| !recording) else {
        println!("SKIPPED: RUNBOOK_ORACLE is not set");
        return;
    };
    let seed = number("RUNBOOK_ORACLE_SEED", 0);
    let limit = Duration::from_secs(number("RUNBOOK_ORACLE_SECONDS", 150));
    let mut cases = cases();
    cases.sort_by_cached_key(|path| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        sha2::Sha256::digest(format!("{seed} {name}")).to_vec()
    });
    let start = Instant::now();
    let next = AtomicUsize::new(0);
    let failures: Mutex<Vec<String>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while start.elapsed() < limit
                    && let Some(path) = cases.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    let again = || {
                        let case = Case::read(path)?;
                        if case.needs_collections && case::collections().is_none() {
                            return Ok(());
                        }
                        let problems = recorded(&case)?.compare(&case.run(&oracle, true)?);
                        match problems.as_slice() {
                            [] => Ok(()),
                            all => Err(all.join("\n")),
                        }
                    };
                    // where the order is that of a set or of who ends first, no two runs of it need be the same
                    let attempts = again().or_else(|_| again()).or_else(|_| again());
                    if let Err(problem) = attempts.or_else(|_| again()) {
                        let mut failures = failures.lock().expect("no thread has panicked");
                        failures.push(format!("== {}\n{problem}", path.display()));
                    }
                }
            });
        }
    });
    let run = next.into_inner().min(cases.len());
    println!(
        "{run} of {} recordings were made again, seed {seed}",
        cases.len()
    );
    let failures = failures.into_inner().expect("no thread has panicked");
    assert!(
        failures.is_empty(),
        "ansible-core does something else now (+) than was recorded (-), in {} of {run} cases:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

#[test]
fn runbook_does_what_ansible_does() {
    let recording = std::env::var_os("RUNBOOK_RECORD").is_some();
    let recorder = oracle().filter(|_| recording);
    let cases = cases();
    let all = std::env::var_os("CASES").is_none();
    assert!(
        !all && !cases.is_empty() || cases.len() >= 300,
        "only {} cases were found",
        cases.len()
    );
    let next = AtomicUsize::new(0);
    let failures: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(path) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let name = path.file_stem().unwrap_or_default().to_string_lossy();
                    let known = KNOWN.contains(&&*name);
                    let result = match check(path, recorder.as_deref()) {
                        Ok(()) if known => Err("it is equal now: take it off KNOWN".to_owned()),
                        Err(_) if known => Ok(()),
                        // once more alone: what differs by chance only is told, not hidden
                        Err(first) if !recording => check(path, None).inspect(|()| {
                            let told = format!("differed once, not again: {name}\n{first}\n");
                            let _ =
                                std::io::Write::write_all(&mut std::io::stderr(), told.as_bytes());
                        }),
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
