//! Machines on this one, by systemd-nspawn.

use super::{Driver, Reach};
use crate::scenario::Scenario;
use crate::scenario::bed::{self, Bed, Recipe, Spec, Wish};
use crate::value::{Map, Value};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The bed of a scenario.
pub struct Nspawn {
    directory: PathBuf,
    wishes: Vec<Wish>,
    recipe: Recipe,
    /// The network of the snapshot that the machines will be brought back to.
    subnet: Option<u8>,
}

impl Nspawn {
    /// For a scenario; the machines' files are in `work`.
    pub fn new(scenario: &Scenario, work: &Path) -> Self {
        let wishes = scenario.platforms.iter().map(|platform| Wish {
            name: platform.name.clone(),
            containers: platform.privileged,
            memory: platform.memory,
            binds: platform
                .volumes
                .iter()
                .map(|(here, there, _)| (here.clone(), there.clone()))
                .collect(),
        });
        let mut recipe = Recipe {
            include: scenario.image.packages.clone(),
            download: scenario.image.download.clone(),
            ..Recipe::default()
        };
        if let Some(suite) = &scenario.image.suite {
            recipe.suite = suite.clone();
        }
        Self {
            directory: work.join("bed"),
            wishes: wishes.collect(),
            recipe,
            subnet: std::fs::read_to_string(work.join("subnet"))
                .ok()
                .and_then(|text| text.trim().parse().ok()),
        }
    }

    fn open(&self) -> Result<Bed, String> {
        Bed::open(&self.directory)?
            .ok_or_else(|| "there are no machines; `create` makes them".to_owned())
    }

    fn reach(bed: &Bed) -> Reach {
        let arguments = format!(
            "-o UserKnownHostsFile={} -o StrictHostKeyChecking=yes",
            bed.known_hosts().display()
        );
        let key = bed.key().display().to_string();
        let each = bed.machines.iter().map(|machine| {
            let vars = Map::new()
                .with("ansible_host", Value::str(machine.addr.to_string()))
                .with("ansible_user", Value::str("root"))
                .with("ansible_ssh_private_key_file", Value::str(key.as_str()))
                .with("ansible_ssh_common_args", Value::str(arguments.as_str()));
            (machine.name.clone(), vars)
        });
        each.collect()
    }

    fn note_network(&self, bed: &Bed) {
        if let Some(subnet) = bed.subnet() {
            let file = self.directory.with_file_name("subnet");
            let _ = std::fs::write(file, subnet.to_string());
        }
    }
}

impl Driver for Nspawn {
    fn preflight(&self) -> Result<(), String> {
        bed::can_boot()
    }

    fn create(&mut self) -> Result<Reach, String> {
        if let Some(bed) = Bed::open(&self.directory)? {
            return Ok(Self::reach(&bed));
        }
        let bed = Bed::create(&Spec {
            directory: Some(self.directory.clone()),
            kept: true,
            machines: self.wishes.clone(),
            recipe: self.recipe.clone(),
            subnet: self.subnet,
        })?;
        self.note_network(&bed);
        Ok(Self::reach(&bed))
    }

    fn destroy(&mut self) -> Result<(), String> {
        Bed::remove(&self.directory);
        Ok(())
    }

    fn login(&self, host: &str) -> Option<Command> {
        let bed = Bed::open(&self.directory).ok()??;
        bed.machines.iter().find(|machine| machine.name == host)?;
        let mut command = Command::new("ssh");
        command
            .arg("-F")
            .arg(bed.ssh_config())
            .args(["-l", "root", host]);
        Some(command)
    }

    fn snapshot_key(&self) -> Option<String> {
        // addresses are in what prepared machines have written, so a snapshot fits to its network only
        let bed = Bed::open(&self.directory).ok()??;
        Some(format!("{}-{}", self.recipe.key(), bed.subnet()?))
    }

    fn keep(&mut self, directory: &Path) -> Result<(), String> {
        self.open()?.keep(directory)
    }

    fn bring_back(&mut self, directory: &Path) -> Result<Reach, String> {
        let mut bed = self.open()?;
        bed.bring_back(directory)?;
        Ok(Self::reach(&bed))
    }
}
