//! What the command line says: each directory of `cases/` is run with the real binary and compared with its
//! snapshot.
//!
//! A case holds a playbook and whatever belongs to it. Its file `args` has one command a line: the words after
//! `runbook`, or after `$ ` a whole line of shell; without that file it is [`USUAL`]. Each case runs in a copy of
//! its directory, with an empty home and a nearly empty environment. `cargo insta review`, or
//! `INSTA_UPDATE=always cargo test --test cli`, takes over what changed; `CASE=name` runs only cases of that name.

mod checks;
mod session;

use session::Session;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// What is run where a case does not say.
const USUAL: &str = "play play.yml -i localhost, -c local";

fn cases() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/cases");
    let wanted = std::env::var("CASE").unwrap_or_default();
    let mut cases: Vec<PathBuf> = std::fs::read_dir(root)
        .expect("the cases")
        .map(|entry| entry.expect("a case").path())
        .filter(|path| path.is_dir() && path.to_string_lossy().contains(&wanted))
        .collect();
    cases.sort();
    cases
}

/// Everything that a case's commands say, as the snapshot has it.
fn transcript(case: &Path) -> String {
    let session = Session::of(case);
    let commands = std::fs::read_to_string(case.join("args")).unwrap_or_else(|_| USUAL.to_owned());
    let mut all = String::new();
    for line in commands.lines().filter(|line| !line.trim().is_empty()) {
        let end = session.run(line);
        if line.contains("--output json") && !end.stdout.is_empty() {
            checks::json_lines(&end.stdout);
        }
        if line.contains("--output junit") && !end.stdout.is_empty() {
            checks::well_formed(&end.stdout);
        }
        all.push_str(&end.to_string());
    }
    all
}

#[test]
fn what_users_see() {
    let failures = Mutex::new(Vec::new());
    let queue = Mutex::new(cases().into_iter());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some(case) = { queue.lock().expect("the queue").next() } {
                    let name = case
                        .file_name()
                        .unwrap_or_default()
                        .to_string_lossy()
                        .into_owned();
                    let good = std::panic::catch_unwind(|| {
                        let text = without_costs(&transcript(&case));
                        let mut settings = insta::Settings::clone_current();
                        settings.set_snapshot_path(
                            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/snapshots"),
                        );
                        settings.set_prepend_module_to_snapshot(false);
                        settings.set_omit_expression(true);
                        settings.bind(|| insta::assert_snapshot!(name.as_str(), text.as_str()));
                        checks::nothing_internal(&name, &text);
                    });
                    if good.is_err() {
                        failures.lock().expect("the failures").push(name);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().expect("the failures");
    assert!(failures.is_empty(), "these cases differ: {failures:?}");
}

/// The text with zeros for what connections cost, which is another number each time.
fn without_costs(text: &str) -> String {
    let mut text = text.to_owned();
    for key in [
        "sent",
        "received",
        "uploaded",
        "connect_us",
        "agent_start_us",
    ] {
        let mark = format!("\"{key}\":");
        let mut out = String::new();
        let mut rest = text.as_str();
        while let Some(at) = rest.find(&mark) {
            let (before, after) = rest.split_at(at + mark.len());
            out.push_str(before);
            let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            out.push_str(if digits > 0 { "0" } else { "" });
            rest = &after[digits..];
        }
        out.push_str(rest);
        text = out;
    }
    text
}
