//! Machines made on this one: real systems with init, network and sshd, by systemd-nspawn, and without Python.
//!
//! [`Bed::create`] boots them in a network of their own. A bed that is not kept goes when it is dropped or its process ends,
//! however that comes. It needs root, `systemd-nspawn`, `mmdebstrap`, `iproute2`, `iptables` and an ssh client.
//! Users of each machine: `root` and `deploy` (passwordless sudo), both with the bed's key.

mod image;
mod kernel;
mod machine;
mod process;
mod record;
mod snapshot;

pub use image::Recipe;
pub use machine::{Answer, Machine, Wish};
pub use process::{Process, run, text};

use machine::Plan;
use record::{Record, Shared};
use serde::{Deserialize, Serialize};
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// Until then a machine has to be up. One boots in five seconds, on a machine that is busy in minutes.
const BOOT: Duration = Duration::from_secs(300);

/// Some machines in a network of their own.
#[derive(Debug)]
pub struct Bed {
    /// The machines, in order.
    pub machines: Vec<Machine>,
    /// Everything about the bed is in this directory.
    pub directory: PathBuf,
    image: PathBuf,
    kept: bool,
    record: Shared,
}

/// What a bed is made from.
#[derive(Clone, Debug, Default)]
pub struct Spec {
    /// Where to put it; a temporary directory if nothing is said. It goes with the bed.
    pub directory: Option<PathBuf>,
    /// Whether it outlives this process, until [`Bed::remove`].
    pub kept: bool,
    /// The machines.
    pub machines: Vec<Wish>,
    /// What is installed on them.
    pub recipe: Recipe,
    /// The number of the network to take if it is free.
    pub subnet: Option<u8>,
}

/// What [`Bed::open`] has to know of a bed.
#[derive(Serialize, Deserialize)]
struct Description {
    image: PathBuf,
    machines: Vec<(Wish, Ipv4Addr, String)>,
}

impl Bed {
    /// Boots machines.
    ///
    /// # Errors
    /// What is missing or failed, in words; nothing is left behind then.
    pub fn create(spec: &Spec) -> Result<Self, String> {
        can_boot()?;
        record::remove_stale();
        let image = image::ready(&spec.recipe)?;
        let directory = match &spec.directory {
            Some(directory) => {
                fs::create_dir_all(directory)
                    .map_err(|error| format!("{}: {error}", directory.display()))?;
                directory.clone()
            }
            None => tempfile::Builder::new()
                .prefix("runbook-bed-")
                .tempdir()
                .map_err(|error| format!("temporary directory: {error}"))?
                .keep(),
        };
        let bed = Self {
            machines: Vec::new(),
            record: Record::begin(&directory, spec.kept)?,
            directory,
            image,
            kept: spec.kept,
        };
        let record = Arc::clone(&bed.record);
        bed.fill(spec).inspect_err(|_| record::finish(&record))
    }

    fn fill(mut self, spec: &Spec) -> Result<Self, String> {
        let mark = self.directory.join(record::MARK);
        fs::write(&mark, "").map_err(|error| format!("{}: {error}", mark.display()))?;
        let subnet = self
            .record
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .make_network(spec.subnet)?;
        self.make_key()?;
        let public_key = self.public_key()?;
        let plan = Plan {
            image: &self.image,
            directory: &self.directory,
            subnet,
            wishes: &spec.machines,
            public_key: &public_key,
        };
        let mut machines = Vec::new();
        for index in 0..spec.machines.len() {
            machines.push(Machine::start(&plan, index, &self.record)?);
        }
        self.machines = machines;
        self.write_files()?;
        self.wait()?;
        Ok(self)
    }

    /// Waits until all machines are up.
    ///
    /// # Errors
    /// One does not come up; with what its console shows.
    pub fn wait(&self) -> Result<(), String> {
        self.machines
            .iter()
            .try_for_each(|machine| machine.wait(BOOT))
    }

    /// The kept bed in that directory, if there is one.
    ///
    /// # Errors
    /// What is written there cannot be read.
    pub fn open(directory: &Path) -> Result<Option<Self>, String> {
        let Some(record) = Record::find(directory) else {
            return Ok(None);
        };
        let path = directory.join("bed.json");
        let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let text = fs::read_to_string(&path).map_err(|error| wrong(&error))?;
        let known: Description = serde_json::from_str(&text).map_err(|error| wrong(&error))?;
        let subnet = record
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .subnet()
            .unwrap_or_default();
        let machines = known.machines.into_iter().enumerate();
        let machines = machines.map(|(index, (wish, addr, host_key))| {
            let id = format!("rb{subnet}-{}", index + 1);
            let directory = directory.join(&id);
            Machine {
                name: wish.name.clone(),
                addr,
                host_key,
                root: directory.join("root"),
                wish,
                id,
                directory,
                subnet,
                record: Arc::clone(&record),
            }
        });
        Ok(Some(Self {
            machines: machines.collect(),
            directory: directory.to_owned(),
            image: known.image,
            kept: true,
            record,
        }))
    }

    /// Takes down whatever a bed left in that directory; nothing, if there is none.
    pub fn remove(directory: &Path) {
        if let Some(record) = Record::find(directory) {
            record::finish(&record);
        }
    }

    fn make_key(&self) -> Result<(), String> {
        let path = self.key();
        if path.exists() {
            return Ok(());
        }
        let file = path.display().to_string();
        let words = ["-q", "-t", "ed25519", "-N", "", "-C", "bed", "-f", &file];
        process::must("ssh-keygen", &words).map(|_| ())
    }

    fn public_key(&self) -> Result<String, String> {
        let path = self.key().with_extension("pub");
        fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// The private key that the users accept.
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

    /// The number of its network.
    pub fn subnet(&self) -> Option<u8> {
        self.machines.first().map(|machine| machine.subnet)
    }

    /// What tells how to reach its machines, and what [`Self::open`] needs.
    fn write_files(&self) -> Result<(), String> {
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
        let known_machines = self.machines.iter();
        let description = Description {
            image: self.image.clone(),
            machines: known_machines
                .map(|m| (m.wish.clone(), m.addr, m.host_key.clone()))
                .collect(),
        };
        let description = serde_json::to_string(&description).map_err(|error| error.to_string())?;
        let files = [
            (self.known_hosts(), known),
            (self.ssh_config(), config),
            (self.inventory(), inventory),
            (self.directory.join("bed.json"), description),
        ];
        fs::create_dir_all(self.home().join(".ssh"))
            .and_then(|()| {
                files
                    .into_iter()
                    .try_for_each(|(path, text)| fs::write(path, text))
            })
            .map_err(|error| format!("{}: {error}", self.directory.display()))
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        if !self.kept {
            record::finish(&self.record);
        }
    }
}

/// What is missing here to boot machines.
///
/// # Errors
/// In words.
pub fn can_boot() -> Result<(), String> {
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
