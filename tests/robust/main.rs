//! No input panics or hangs: the real binary over what people do not write, and over what they do, broken at random.
//!
//! The random cases are the same in each run. `RUNBOOK_ROBUST=10` makes ten times as many.

mod mutate;
mod sandbox;
mod strange;

use mutate::Mutator;
use sandbox::Sandbox;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

fn factor() -> u64 {
    std::env::var("RUNBOOK_ROBUST")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1)
}

fn dirs(path: &str) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(path))
        .expect("the seeds")
        .map(|entry| entry.expect("a seed").path())
        .filter(|path| path.is_dir())
        .collect();
    all.sort();
    all
}

/// Does all the jobs on all processors; panics with what went wrong.
fn all<T: Send>(jobs: Vec<T>, work: impl Fn(T) -> Result<(), String> + Sync) {
    let queue = Mutex::new(jobs.into_iter());
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some(job) = { queue.lock().expect("the queue").next() } {
                    if let Err(problem) = work(job) {
                        wrong.lock().expect("the problems").push(problem);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("the problems");
    assert!(
        wrong.is_empty(),
        "{} problems:\n{}",
        wrong.len(),
        wrong.join("\n\n")
    );
}

/// Files of the cases of the command line, broken, are read but not run: some of them would do something.
#[test]
fn broken_files_are_read() {
    let mut jobs = Vec::new();
    for (number, dir) in dirs("tests/cli/cases").into_iter().enumerate() {
        for round in 0..2 * factor() {
            jobs.push((dir.clone(), number as u64 * 1_000_003 + round));
        }
    }
    all(jobs, |(dir, seed)| {
        let sandbox = Sandbox::of(&dir);
        sandbox.break_a_file(&mut Mutator::new(seed));
        let sources = if sandbox.has("hosts") {
            "-i hosts"
        } else {
            "-i a,b"
        };
        sandbox.check(&format!(
            "play play.yml {sources} --list-tasks --list-tags --list-hosts"
        ))?;
        if sandbox.has("hosts") {
            sandbox.check("inventory -i hosts --list")?;
        }
        Ok(())
    });
}

/// Playbooks of actions that do nothing to the machine, broken, are run in check mode.
#[test]
fn broken_playbooks_are_run() {
    let mut jobs = Vec::new();
    for (number, dir) in dirs("tests/robust/seeds").into_iter().enumerate() {
        for round in 0..40 * factor() {
            jobs.push((dir.clone(), number as u64 * 7_000_003 + round));
        }
    }
    all(jobs, |(dir, seed)| {
        let sandbox = Sandbox::of(&dir);
        sandbox.break_a_file(&mut Mutator::new(seed));
        sandbox.check("play play.yml -i hosts -c local --check --diff -e @extra.yml")
    });
}

/// Words of the command line.
#[test]
fn strange_words() {
    let mut mutator = Mutator::new(99);
    let mut jobs: Vec<String> = Vec::new();
    for pattern in strange::PATTERNS {
        for round in 0..=2 * factor() {
            let text = if round == 0 {
                (*pattern).to_owned()
            } else {
                mutator.text(pattern)
            };
            jobs.push(text);
        }
    }
    all(jobs, |text| {
        let sandbox = Sandbox::empty();
        let word = sandbox::quoted(&text);
        for command in [
            "run WORD -i a,b,c1 --list-hosts",
            "inventory -i WORD --list",
            "play x.yml -i a, -e WORD",
            "run a -i a,b -l WORD --list-hosts",
        ] {
            sandbox.check(&command.replace("WORD", &word))?;
        }
        Ok(())
    });
}

/// Inputs that are bombs of one kind or another.
#[test]
fn bombs() {
    all(strange::playbooks(), |(name, text)| {
        let sandbox = Sandbox::empty();
        sandbox.write("play.yml", &text);
        sandbox
            .check("play play.yml -i a, -c local --check")
            .map_err(|problem| format!("{name}: {problem}"))
    });
    all(strange::templates(), |text| {
        let sandbox = Sandbox::empty();
        sandbox.write("play.yml", strange::around(&text).as_bytes());
        sandbox
            .check("play play.yml -i a, -c local --check")
            .map_err(|problem| format!("{text}: {problem}"))
    });
    all(strange::inventories(), |(name, text)| {
        let sandbox = Sandbox::empty();
        sandbox.write(name, &text);
        sandbox
            .check(&format!("inventory -i {name} --list"))
            .map_err(|problem| format!("{name}: {problem}"))
    });
}

/// As in containers, and where accounts are in a directory: who asks libc for the name dies, since the program is static.
#[test]
fn a_user_without_a_name_may_run() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    if !nix::unistd::getuid().is_root() {
        eprintln!("SKIPPED: not root, which may be another user");
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).expect("open");
    let program = directory.path().join("runbook");
    fs::copy(env!("CARGO_BIN_EXE_runbook"), &program).expect("a copy");
    let book = directory.path().join("book.yml");
    let text = "- hosts: localhost\n  gather_facts: false\n  tasks:\n  - ping:\n";
    fs::write(&book, text).expect("a playbook");
    let output = std::process::Command::new(&program)
        .args(["play", "-i", "localhost,", "-c", "local"])
        .arg(&book)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", directory.path())
        .current_dir(directory.path())
        .uid(54321)
        .output()
        .expect("it starts");
    assert!(output.status.success(), "{output:?}");
}
