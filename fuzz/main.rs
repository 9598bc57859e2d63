//! `cargo run --example fuzz -- TARGET…|all [--seconds N] [--seed N] [--findings DIR]`, or `--replay FILE` for one input.
//!
//! See `fuzz/README.md`.

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
#[allow(dead_code)] // its own tests use the rest
mod strange;
mod target;
mod template;
mod words;
#[path = "../tests/modules/world.rs"]
#[allow(dead_code)] // its own tests use the rest
mod world;
mod yaml;

use drive::Order;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use target::{TARGETS, Target};

/// Memory that one process may have: an input that needs more is a finding.
const MEMORY: u64 = 6 << 30;

fn usage() -> ExitCode {
    let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    eprintln!("fuzz TARGET…|all [--seconds N] [--seed N] [--findings DIR] [--replay FILE]");
    eprintln!("targets: {}", names.join(" "));
    ExitCode::from(2)
}

fn main() -> ExitCode {
    let mut order = Order {
        seed: 1,
        time: Duration::from_secs(20),
        findings: std::env::temp_dir().join("runbook-fuzz"),
    };
    let mut chosen: Vec<&Target> = Vec::new();
    let mut replay: Option<PathBuf> = None;
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut number = || words.next().and_then(|text| text.parse::<u64>().ok());
        match word.as_str() {
            "all" => chosen = TARGETS.iter().collect(),
            "--seconds" => match number() {
                Some(seconds) => order.time = Duration::from_secs(seconds),
                None => return usage(),
            },
            "--seed" => match number() {
                Some(seed) => order.seed = seed,
                None => return usage(),
            },
            "--findings" => match words.next() {
                Some(path) => order.findings = path.into(),
                None => return usage(),
            },
            "--replay" => replay = words.next().map(PathBuf::from),
            name => match TARGETS.iter().find(|target| target.name == name) {
                Some(target) => chosen.push(target),
                None => return usage(),
            },
        }
    }
    if chosen.is_empty() {
        return usage();
    }
    limit_memory();
    drive::quiet_panics();
    let mut found = false;
    for target in chosen {
        if let Some(path) = &replay {
            let outcome = std::fs::read(path)
                .map_err(|e| e.to_string())
                .and_then(|input| drive::one(target, &input));
            println!("{}: {outcome:?}", target.name);
            found |= outcome.is_err();
            continue;
        }
        match drive::drive(target, &order) {
            Ok(tally) => {
                println!(
                    "{}: {} executions in {} s, the slowest {} ms, {} findings",
                    target.name,
                    tally.executions,
                    order.time.as_secs(),
                    tally.slowest.as_millis(),
                    tally.findings.len()
                );
                for finding in &tally.findings {
                    println!("  {finding}");
                }
                found |= !tally.findings.is_empty();
            }
            Err(error) => {
                eprintln!("{}: {error}", target.name);
                found = true;
            }
        }
    }
    if found {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

fn limit_memory() {
    let limit = libc::rlimit {
        rlim_cur: MEMORY,
        rlim_max: MEMORY,
    };
    // SAFETY: `limit` is valid for the read.
    unsafe { libc::setrlimit(libc::RLIMIT_AS, &raw const limit) };
}
