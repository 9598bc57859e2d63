//! A short run of each target (`RUNBOOK_FUZZ_SECONDS`, 1 if unset), and every input that once was a finding.

mod drive;
mod files;
#[path = "../tests/modules/fixture.rs"]
#[allow(dead_code)] // its own tests use the rest
mod fixture;
mod inventory;
mod machines;
#[path = "../tests/robust/mutate.rs"]
mod mutate;
mod playbook;
mod secrets;
#[path = "../tests/robust/strange.rs"]
#[allow(dead_code)]
mod strange;
mod target;
mod template;
mod words;
#[path = "../tests/modules/world.rs"]
#[allow(dead_code)]
mod world;
mod yaml;

use drive::Order;
use std::time::Duration;
use target::TARGETS;

fn short(name: &str) {
    drive::quiet_panics();
    let target = TARGETS.iter().find(|target| target.name == name);
    let target = target.unwrap_or_else(|| panic!("no target {name}"));
    for path in files::under(&["fuzz/found"], |path| {
        path.parent().is_some_and(|dir| dir.ends_with(name))
    }) {
        let input = std::fs::read(&path).expect("a finding");
        if let Err(problem) = drive::one(target, &input) {
            panic!("{}: {problem}", path.display());
        }
    }
    let seconds = std::env::var("RUNBOOK_FUZZ_SECONDS").ok();
    let seconds = seconds.and_then(|text| text.parse().ok()).unwrap_or(1);
    let order = Order {
        seed: 1,
        time: Duration::from_secs(seconds),
        findings: std::env::temp_dir().join("runbook-fuzz"),
    };
    let tally = drive::drive(target, &order).expect("a run");
    println!("{name}: {} executions", tally.executions);
    assert!(tally.executions > 0, "nothing was run");
    assert!(
        tally.findings.is_empty(),
        "{} findings:\n{}",
        tally.findings.len(),
        tally.findings.join("\n")
    );
}

macro_rules! targets {
    ($($name:ident),*) => {
        $(#[test]
        fn $name() {
            short(stringify!($name));
        })*

        #[test]
        fn all_are_run() {
            let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
            assert_eq!(names, [$(stringify!($name)),*]);
        }
    };
}

targets!(
    yaml, playbook, template, inventory, patterns, words, vault, machines
);
