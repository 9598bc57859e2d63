//! The steps that make machines, prepare them, and remove them.

use super::driver::Reach;
use super::observed::{Place, Seen};
use super::play::{Ended, Wanted};
use super::runner::{Runner, Said, failure, tasks};
use super::work::short_hash;
use super::{DriverKind, Step};
use crate::value::{Map, Value};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The files that a snapshot depends on, each with the hash of its content.
type Manifest = BTreeMap<String, String>;

impl Runner<'_> {
    pub(super) fn create(&mut self) -> Result<Said, String> {
        if self.state.driver.is_some() {
            return Ok(Said::skipped("the machines are there"));
        }
        // noted first: what is half made has to be removed too
        self.state.driver = Some(self.kind.name().to_owned());
        self.remember()?;
        let reach = match self.driver.create() {
            Ok(reach) => reach,
            Err(why) => {
                let _ = self.driver.destroy();
                self.state = super::work::State::default();
                self.remember()?;
                return Err(why);
            }
        };
        self.write_inventory(&reach)?;
        if let Some(playbook) = self.scenario.playbooks.of(Step::Create).map(Path::to_owned) {
            let ended = self.play(Step::Create, &playbook, &Wanted::default())?;
            if !ended.well() {
                return Ok(failure(&ended).log(&ended.log));
            }
        }
        let names: Vec<&str> = self
            .scenario
            .platforms
            .iter()
            .map(|p| p.name.as_str())
            .collect();
        Ok(Said::passed(match names.as_slice() {
            [] => "no machines of its own".to_owned(),
            names => format!("{} by {}", names.join(", "), self.kind.name()),
        }))
    }

    pub(super) fn destroy(&mut self) -> Result<Said, String> {
        if self.state.driver.is_none() {
            // what a command that was cut off may have left
            self.driver.destroy()?;
            return Ok(Said::skipped("there are no machines"));
        }
        if let Some(playbook) = self
            .scenario
            .playbooks
            .of(Step::Destroy)
            .map(Path::to_owned)
        {
            let ended = self.play(Step::Destroy, &playbook, &Wanted::default())?;
            if !ended.well() {
                return Ok(failure(&ended).log(&ended.log));
            }
        }
        self.driver.destroy()?;
        self.state = super::work::State::default();
        self.remember()?;
        let _ = fs::remove_file(self.work.file("inventory.yml"));
        Ok(Said::passed(""))
    }

    /// Undoes what happened outside of the machines, which may have outlived them: it runs without machines too, as in Molecule.
    pub(super) fn cleanup(&mut self) -> Result<Said, String> {
        let playbook = match self.scenario.playbooks.of(Step::Cleanup) {
            Some(path) if self.state.driver.is_none() => path.to_owned(),
            _ => return self.plain(Step::Cleanup),
        };
        self.write_inventory(&self.nowhere())?;
        let ended = self.play(Step::Cleanup, &playbook, &Wanted::default());
        let _ = fs::remove_file(self.work.file("inventory.yml"));
        let ended = ended?;
        let absent = |place: &Place, seen: &Seen| {
            let mut platforms = self.scenario.platforms.iter();
            seen.status == "unreachable" && platforms.any(|platform| platform.name == place.host)
        };
        let mut failures = ended.seen.failures().peekable();
        let said = if ended.well() {
            Said::passed(tasks(&ended))
        } else if failures.peek().is_some() && failures.all(|(place, seen)| absent(place, seen)) {
            Said::skipped("it ended at machines, and there are none")
        } else {
            failure(&ended)
        };
        Ok(said.log(&ended.log))
    }

    /// Addresses of machines that are not there. A name of theirs alone may be that of a real host elsewhere.
    fn nowhere(&self) -> Reach {
        let names = self.scenario.platforms.iter().map(|p| p.name.clone());
        let vars = |name: &str| {
            // RFC 6761: never resolved
            Map::new().with("ansible_host", Value::str(format!("{name}.invalid")))
        };
        match self.kind {
            // its machines are not the scenario's to give addresses to
            DriverKind::Delegated => Reach::new(),
            _ => names.map(|name| (name.clone(), vars(&name))).collect(),
        }
    }

    pub(super) fn prepare(&mut self) -> Result<Said, String> {
        let Some(playbook) = self
            .scenario
            .playbooks
            .of(Step::Prepare)
            .map(Path::to_owned)
        else {
            self.state.prepared = true;
            self.remember()?;
            return Ok(Said::skipped("there is no prepare.yml"));
        };
        if self.state.prepared {
            return Ok(Said::skipped("the machines are prepared"));
        }
        if let Some(snapshot) = self.fitting_snapshot() {
            let reach = self.driver.bring_back(&snapshot.join("machines"))?;
            self.write_inventory(&reach)?;
            self.state.prepared = true;
            self.state.snapshot = Some(snapshot);
            self.remember()?;
            return Ok(Said::passed("from a snapshot"));
        }
        let ended = self.play(Step::Prepare, &playbook, &Wanted::default())?;
        if !ended.well() {
            return Ok(failure(&ended).log(&ended.log));
        }
        self.state.prepared = true;
        self.remember()?;
        let mut summary = tasks(&ended);
        if self.options.snapshots && self.driver.snapshot_key().is_some() {
            self.keep_snapshot(&ended)?;
            summary.push_str(", kept as a snapshot");
        }
        Ok(Said::passed(summary).log(&ended.log))
    }

    /// Machines as they were after prepare: from the snapshot, or made anew.
    pub(super) fn back_to_prepared(&mut self) -> Result<(), String> {
        self.state.converged = false;
        self.remember()?;
        if let Some(snapshot) = self.state.snapshot.clone() {
            let reach = self.driver.bring_back(&snapshot.join("machines"))?;
            return self.write_inventory(&reach);
        }
        for step in [Step::Destroy, Step::Create, Step::Prepare] {
            let said = match step {
                Step::Destroy => self.destroy()?,
                Step::Create => self.create()?,
                _ => self.prepare()?,
            };
            if said.verdict == super::report::Verdict::Failed {
                return Err(format!("{step}: {}", said.summary));
            }
        }
        Ok(())
    }

    fn snapshots(&self) -> PathBuf {
        self.work.file("snapshots")
    }

    /// A snapshot whose inputs are all as they were.
    fn fitting_snapshot(&self) -> Option<PathBuf> {
        if !self.options.snapshots {
            return None;
        }
        let snapshot = self.snapshots().join(self.snapshot_name()?);
        let text = fs::read_to_string(snapshot.join("inputs.json")).ok()?;
        let manifest: Manifest = serde_json::from_str(&text).ok()?;
        let fits = manifest
            .iter()
            .all(|(path, hash)| hash_of(Path::new(path)).as_deref() == Some(hash));
        fits.then_some(snapshot)
    }

    fn snapshot_name(&self) -> Option<String> {
        let platforms = format!("{:?}", self.scenario.platforms);
        let machines = short_hash(platforms.as_bytes());
        Some(format!("{}-{machines}", self.driver.snapshot_key()?))
    }

    /// Keeps one snapshot, the last.
    fn keep_snapshot(&mut self, ended: &Ended) -> Result<(), String> {
        let Some(name) = self.snapshot_name() else {
            return Ok(());
        };
        let top = self.snapshots();
        let _ = fs::remove_dir_all(&top);
        let snapshot = top.join(name);
        fs::create_dir_all(&snapshot)
            .map_err(|error| format!("{}: {error}", snapshot.display()))?;
        self.driver.keep(&snapshot.join("machines"))?;
        let text = serde_json::to_string(&self.inputs(ended)).map_err(|error| error.to_string())?;
        let path = snapshot.join("inputs.json");
        fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
        self.state.snapshot = Some(snapshot);
        self.remember()
    }

    /// What preparing depended on: the scenario's files, the inventories, the files that its tasks are written in, and
    /// the roles that these belong to.
    fn inputs(&self, ended: &Ended) -> Manifest {
        let scenario = self.scenario;
        let mut roots = vec![scenario.directory.clone()];
        roots.extend(scenario.inventories.iter().cloned());
        let base = scenario.playbooks.of(Step::Prepare).and_then(Path::parent);
        let base = base.unwrap_or(&scenario.directory);
        for (place, _) in &ended.seen.results {
            let file = place.at.rsplitn(3, ':').nth(2).unwrap_or_default();
            let file = base.join(file);
            // `ROLE/tasks/main.yml` stands for all of the role
            let role = file
                .ancestors()
                .find(|path| path.file_name().is_some_and(|n| n == "tasks"));
            roots.push(role.and_then(Path::parent).unwrap_or(&file).to_owned());
        }
        roots.sort();
        roots.dedup();
        let mut manifest = Manifest::new();
        for root in roots {
            for entry in walkdir::WalkDir::new(&root)
                .into_iter()
                .filter_map(Result::ok)
            {
                if entry.file_type().is_file()
                    && let Some(hash) = hash_of(entry.path())
                {
                    manifest.insert(entry.path().display().to_string(), hash);
                }
            }
        }
        manifest
    }
}

fn hash_of(path: &Path) -> Option<String> {
    let bytes = fs::read(path).ok()?;
    Some(
        Sha256::digest(&bytes)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect(),
    )
}
