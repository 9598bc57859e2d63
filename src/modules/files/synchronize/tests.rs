//! Command lines, answers, and what is said about them.

use super::args::Args;
use super::command::Transfer;
use super::{MARKER, Synchronize, is_change};
use crate::modules::kit::{RunMode, run};
use crate::result::Outcome;
use crate::sys::{FakeRunner, Sys};
use crate::value::{Args as _, Map, Value};
use std::sync::Arc;

fn args(more: &[(&str, Value)]) -> Map {
    let mut args = Map::new()
        .with("src", "/a/")
        .with("dest", "root@web:/b")
        .with(
            "_rsh",
            Value::list(["ssh", "-o", "User=\"it's\""].map(Value::data).to_vec()),
        );
    for (name, value) in more {
        args.set(name, value.clone());
    }
    args
}

fn line(args: &Map) -> String {
    let decoded = Args::decode(args).unwrap();
    let runner = FakeRunner::new().answer("/usr/bin/rsync*", 0, "", "");
    let sys = Sys::rooted("/", Arc::new(runner))
        .with_environment(vec![("PATH".into(), "/usr/bin".into())]);
    let transfer = Transfer::new(&decoded, &sys).unwrap();
    transfer.words(false).join("|")
}

#[test]
fn the_way_is_one_word_that_rsync_splits() {
    let words = line(&args(&[]));
    assert_eq!(
        words,
        "/usr/bin/rsync|--delay-updates|-F|--compress|--archive|--rsh=ssh -o 'User=\"it''s\"'|--out-format=<<CHANGED>>%i %n%L|/a/|root@web:/b"
    );
    // their own way, and none where both ends are here
    let own = line(&args(&[("rsync_opts", Value::str("--rsh='ssh -x'"))]));
    assert!(
        own.contains("|--rsh=ssh -x|") && !own.contains("User="),
        "{own}"
    );
    let here = line(&args(&[("dest", Value::str("/b"))]));
    assert!(!here.contains("--rsh"), "{here}");
    let daemon = line(&args(&[("dest", Value::str("rsync://web/b"))]));
    assert!(!daemon.contains("--rsh"), "{daemon}");
}

#[test]
fn what_the_archive_has_is_turned_off_and_what_it_has_not_on() {
    let without = line(&args(&[("perms", false.into()), ("times", true.into())]));
    assert!(without.contains("--archive|--no-perms|--rsh"), "{without}");
    let alone = line(&args(&[
        ("archive", false.into()),
        ("perms", false.into()),
        ("times", true.into()),
        ("recursive", true.into()),
    ]));
    assert!(
        alone.contains("--compress|--recursive|--times|--rsh"),
        "{alone}"
    );
}

#[test]
fn links_are_changes_and_what_stays_is_none() {
    for line in [".f           x", ".d..........  ./"] {
        assert!(!is_change(line), "{line}");
    }
    for line in [
        "hf           x",
        ">f+++++++++ x",
        ".d..t......  ./",
        "*deleting   x",
    ] {
        assert!(is_change(line), "{line}");
    }
}

fn told(answer: (i32, &str, &str), more: &[(&str, Value)]) -> Outcome {
    let runner = FakeRunner::new().answer("/usr/bin/rsync*", answer.0, answer.1, answer.2);
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir(root.path().join("tmp")).unwrap();
    let mut sys = Sys::rooted(root.path(), Arc::new(runner));
    let mode = RunMode {
        check: true,
        ..RunMode::default()
    };
    run::<Synchronize>(&args(more), &mut sys, mode)
}

#[test]
fn failures_say_what_to_do() {
    for (rc, stderr, part) in [
        (
            127,
            "bash: line 1: rsync: command not found\nrsync error",
            "install rsync on that machine",
        ),
        (12, "sudo: a password is required", "without one"),
        (
            255,
            "Host key verification failed.\r\nrsync error",
            "verify_host: false",
        ),
        (
            14,
            "rsync: [sender] Failed to exec ssh: No such file or directory (2)",
            "OpenSSH client",
        ),
    ] {
        let outcome = told((rc, "", stderr), &[]);
        assert!(outcome.failed);
        let said = outcome.message().unwrap_or_default().to_owned();
        assert!(said.starts_with(stderr) && said.contains(part), "{said}");
        assert_eq!(outcome.data.get("rc"), Some(&Value::from(i64::from(rc))));
    }
}

#[test]
fn passwords_are_in_no_result_and_no_argument() {
    let outcome = told(
        (0, &format!("{MARKER}>f+++++++++ x\n"), ""),
        &[("_password", Value::data("hunter2"))],
    );
    assert!(outcome.changed, "{:?}", outcome.data);
    assert!(!format!("{:?}", outcome.data).contains("hunter2"));
}
