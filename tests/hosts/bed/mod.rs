//! A test bed: real machines with systemd and sshd on this one, by systemd-nspawn, and without Python.
//!
//! [`Bed::new`] boots them, dropping the bed takes down everything that it made. It needs root, `systemd-nspawn`,
//! `mmdebstrap`, `iproute2`, `iptables` and an ssh client; [`boot`] skips loudly where they are missing.
//! Users of each machine: `root` and `deploy` (passwordless sudo) with the bed's key; `ops` with the password
//! `ops-password` and no key, also asked by sudo; `nobody2` with the key and no right to use sudo.

mod image;
mod machine;
mod process;
mod record;

pub use machine::Machine;
pub use process::{Process, run, text};

use machine::Plan;
use record::{Record, Shared};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The password of the user `ops`.
pub const OPS_PASSWORD: &str = "ops-password";

/// Some machines in a network of their own.
#[derive(Debug)]
pub struct Bed {
    /// The machines, in order.
    pub machines: Vec<Machine>,
    /// Everything about the bed is in this directory; tests may put files there too.
    pub directory: PathBuf,
    record: Shared,
}

impl Bed {
    /// Boots machines named `m1`, `m2` and so on.
    ///
    /// # Errors
    /// What is missing or failed, in words; nothing is left behind then.
    pub fn new(count: usize) -> Result<Self, String> {
        let names: Vec<String> = (1..=count).map(|number| format!("m{number}")).collect();
        Self::named(&names)
    }

    /// Boots machines of these names.
    ///
    /// # Errors
    /// Like [`Self::new`].
    pub fn named(names: &[impl AsRef<str>]) -> Result<Self, String> {
        let names: Vec<String> = names.iter().map(|name| name.as_ref().to_owned()).collect();
        check_host()?;
        record::remove_stale();
        let image = image::ready()?;
        let directory = tempfile::Builder::new()
            .prefix("runbook-bed-")
            .tempdir()
            .map_err(|error| format!("temporary directory: {error}"))?
            .keep();
        let mut bed = Self {
            machines: Vec::new(),
            record: Record::begin(&directory)?,
            directory,
        };
        let subnet = bed
            .record
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .make_network()?;
        let plan = Plan {
            image: &image,
            directory: &bed.directory,
            subnet,
            names: &names,
            public_key: &bed.make_key()?,
        };
        let mut machines = Vec::new();
        for index in 0..names.len() {
            machines.push(Machine::start(&plan, index, &bed.record)?);
        }
        bed.machines = machines;
        bed.write_ssh_files()
            .map_err(|error| format!("{}: {error}", bed.directory.display()))?;
        for machine in &bed.machines {
            machine.wait(Duration::from_secs(60))?;
        }
        Ok(bed)
    }

    fn make_key(&self) -> Result<String, String> {
        let path = self.key();
        process::must(
            "ssh-keygen",
            &[
                "-q",
                "-t",
                "ed25519",
                "-N",
                "",
                "-C",
                "bed",
                "-f",
                &path.display().to_string(),
            ],
        )?;
        fs::read_to_string(path.with_extension("pub")).map_err(|error| error.to_string())
    }

    /// The private key that `root`, `deploy` and `nobody2` accept.
    pub fn key(&self) -> PathBuf {
        self.directory.join("id_ed25519")
    }

    /// A `known_hosts` file with the machines' keys, by name and by address.
    pub fn known_hosts(&self) -> PathBuf {
        self.home().join(".ssh/known_hosts")
    }

    /// A home directory with nothing in it but `.ssh/known_hosts`.
    pub fn home(&self) -> PathBuf {
        self.directory.join("home")
    }

    /// The inventory file: all machines, reached as `deploy` with the bed's key.
    pub fn inventory(&self) -> PathBuf {
        self.directory.join("inventory.ini")
    }

    /// A configuration for `ssh -F`, by machine name.
    pub fn ssh_config(&self) -> PathBuf {
        self.directory.join("ssh_config")
    }

    fn write_ssh_files(&self) -> std::io::Result<()> {
        fs::create_dir_all(self.home().join(".ssh"))?;
        let (mut known, mut config, mut inventory) = (String::new(), String::new(), String::new());
        for machine in &self.machines {
            let Machine {
                name,
                addr,
                host_key,
                ..
            } = machine;
            known.push_str(&format!("{name},{addr} {host_key}\n"));
            config.push_str(&format!("Host {name}\n  HostName {addr}\n"));
            inventory.push_str(&format!("{name} ansible_host={addr}\n"));
        }
        config.push_str(&format!(
            "Host *\n  User deploy\n  IdentityFile {}\n  IdentitiesOnly yes\n  UserKnownHostsFile {}\n  \
             StrictHostKeyChecking yes\n  BatchMode yes\n  ConnectTimeout 10\n  LogLevel ERROR\n",
            self.key().display(),
            self.known_hosts().display(),
        ));
        inventory.push_str(&format!(
            "\n[all:vars]\nansible_user=deploy\nansible_ssh_private_key_file={}\n\
             ansible_ssh_common_args='-o UserKnownHostsFile={} -o StrictHostKeyChecking=yes'\n",
            self.key().display(),
            self.known_hosts().display(),
        ));
        fs::write(self.known_hosts(), known)?;
        fs::write(self.ssh_config(), config)?;
        fs::write(self.inventory(), inventory)
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
        record::finish(&self.record);
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
    if let Err(why) = check_host() {
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

fn required() -> bool {
    std::env::var("RUNBOOK_REQUIRE_HOSTS").is_ok_and(|value| value == "1")
}

fn check_host() -> Result<(), String> {
    if !nix::unistd::geteuid().is_root() {
        return Err("not root".to_owned());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found =
        |tool: &str| std::env::split_paths(&path).any(|directory| directory.join(tool).is_file());
    match [
        "systemd-nspawn",
        "mmdebstrap",
        "ip",
        "iptables",
        "ssh",
        "ssh-keygen",
    ]
    .iter()
    .find(|tool| !found(tool))
    {
        Some(missing) => Err(format!("{missing} is not installed")),
        None if !Path::new("/proc/self/ns/net").exists() => Err("no network namespaces".to_owned()),
        None => Ok(()),
    }
}

/// Writes to the real stderr, past the test harness that hides the output of tests that pass.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
