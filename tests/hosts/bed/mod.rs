//! Machines for tests, with more users than [`runbook::scenario::bed`] makes by itself: `ops` with the password
//! `ops-password` and no key, also asked by sudo; `nobody2` with the key and no right to use sudo.

pub use runbook::scenario::bed::{Machine, Process, run, text};

use runbook::scenario::bed::{self, Recipe, Spec, Wish};
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The password of the user `ops`.
pub const OPS_PASSWORD: &str = "ops-password";

/// Some machines in a network of their own.
#[derive(Debug)]
pub struct Bed(bed::Bed);

impl std::ops::Deref for Bed {
    type Target = bed::Bed;
    fn deref(&self) -> &bed::Bed {
        &self.0
    }
}

impl Bed {
    /// Boots machines of these names.
    ///
    /// # Errors
    /// What is missing or failed, in words; nothing is left behind then.
    pub fn named(names: &[impl AsRef<str>]) -> Result<Self, String> {
        let machines = names.iter().map(|name| Wish {
            name: name.as_ref().to_owned(),
            ..Wish::default()
        });
        let spec = Spec {
            machines: machines.collect(),
            recipe: Recipe {
                download: vec!["etcd-server".to_owned(), "etcd-client".to_owned()],
                customize: include_str!("image.sh").to_owned(),
                ..Recipe::default()
            },
            ..Spec::default()
        };
        bed::Bed::create(&spec).map(Self)
    }

    /// Writes a file into the bed's directory and returns its path.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.directory.join(name);
        fs::create_dir_all(path.parent().unwrap_or(&self.directory))
            .expect("a directory in the bed");
        fs::write(&path, content).expect("a file in the bed");
        path
    }

    /// A command that would run the binary in the bed's home, with no other environment than a plain `PATH`.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command
            .args(arguments)
            .current_dir(&self.directory)
            .env_clear()
            .env("HOME", self.home())
            .env(
                "PATH",
                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            )
            .env("LANG", "C.UTF-8")
            .env("TERM", "dumb");
        command
    }

    /// Runs the binary, bounded to ten minutes.
    ///
    /// # Panics
    /// If it cannot be started or does not end.
    pub fn runbook(&self, arguments: &[&str]) -> Output {
        run(&mut self.command(arguments), Duration::from_secs(600)).expect("runbook ends")
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        if std::thread::panicking() && std::env::var_os("RUNBOOK_KEEP_BED").is_some() {
            for machine in &self.machines {
                say(&format!(
                    "console of {}:\n{}",
                    machine.name,
                    machine.console()
                ));
            }
        }
    }
}

/// Commands on a machine that cannot fail.
pub trait Must {
    /// Runs a shell command as `root` and returns what it printed.
    ///
    /// # Panics
    /// If it fails.
    fn must(&self, command: &str) -> String;
}

impl Must for Machine {
    #[track_caller]
    fn must(&self, command: &str) -> String {
        let answer = self.ssh(command);
        assert_eq!(
            answer.rc, 0,
            "{}: `{command}`: {}{}",
            self.name, answer.stdout, answer.stderr
        );
        answer.stdout
    }
}

/// The binary under test: `RUNBOOK_BIN`, else the one that Cargo built for these tests.
pub fn binary() -> PathBuf {
    let built = option_env!("CARGO_BIN_EXE_runbook").unwrap_or("runbook");
    std::env::var_os("RUNBOOK_BIN").map_or_else(|| built.into(), PathBuf::from)
}

/// Boots machines for a test. `None` where that is impossible: the test then passes, having said so.
///
/// # Panics
/// If it is impossible though `RUNBOOK_REQUIRE_HOSTS=1` says that it must not be, or if booting failed.
pub fn boot(names: &[&str]) -> Option<Bed> {
    if let Err(why) = bed::can_boot() {
        assert!(
            !required(),
            "the test machines are required (RUNBOOK_REQUIRE_HOSTS=1), but: {why}"
        );
        say(&format!("SKIPPED (loud): no test machines: {why}"));
        return None;
    }
    Some(Bed::named(names).unwrap_or_else(|why| panic!("the test bed did not come up: {why}")))
}

/// The bed that most tests share, one at a time: booting takes longer than most of them. It has the machines `m1`,
/// `m2` and `m3`; whoever changes one so that others would notice puts it right again.
pub fn shared() -> Option<Shared3> {
    static BED: Mutex<Option<Bed>> = Mutex::new(None);
    let mut bed = BED.lock().unwrap_or_else(PoisonError::into_inner);
    if bed.is_none() {
        *bed = boot(&["m1", "m2", "m3"]);
    }
    bed.is_some().then_some(Shared3(bed))
}

/// The shared bed, while a test has it for itself.
pub struct Shared3(MutexGuard<'static, Option<Bed>>);

impl std::ops::Deref for Shared3 {
    type Target = Bed;
    fn deref(&self) -> &Bed {
        self.0.as_ref().expect("there is a bed")
    }
}

/// Whether `RUNBOOK_REQUIRE_HOSTS=1` says that these tests must not be skipped.
pub fn required() -> bool {
    std::env::var("RUNBOOK_REQUIRE_HOSTS").is_ok_and(|value| value == "1")
}

/// Writes to the real stderr, past the test harness that hides the output of tests that pass.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
