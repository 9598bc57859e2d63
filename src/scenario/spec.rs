//! What a scenario is: `scenario.yml`, or what a `molecule.yml` comes to.

use super::step::{Step, whole_test};
use crate::value::{Map, Value};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How machines are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DriverKind {
    /// Machines on this one by systemd-nspawn.
    Nspawn,
    /// Containers by podman.
    Podman,
    /// Containers by docker.
    Docker,
    /// Virtual machines by vagrant.
    Vagrant,
    /// By the scenario's own `create.yml` and `destroy.yml`, or not at all.
    Delegated,
}

impl DriverKind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Nspawn,
        Self::Podman,
        Self::Docker,
        Self::Vagrant,
        Self::Delegated,
    ];

    /// Its name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nspawn => "nspawn",
            Self::Podman => "podman",
            Self::Docker => "docker",
            Self::Vagrant => "vagrant",
            Self::Delegated => "delegated",
        }
    }

    /// The driver of that name. Molecule calls `delegated` also `default`.
    pub fn named(name: &str) -> Option<Self> {
        if name == "default" {
            return Some(Self::Delegated);
        }
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A machine of a scenario.
#[derive(Clone, Debug, Default)]
pub struct Platform {
    /// Its host name, and its name in the inventory.
    pub name: String,
    /// Its groups.
    pub groups: Vec<String>,
    /// Its variables.
    pub vars: Map,
    /// The image that a container or box starts from.
    pub image: Option<String>,
    /// The command of a container instead of one that does nothing; if it is empty, that of the image.
    pub command: Option<Vec<String>>,
    /// More words for `podman run` or `docker run`.
    pub options: Vec<String>,
    /// Whether containers run in it (nspawn), or it has all capabilities (containers).
    pub privileged: bool,
    /// Most memory that it may take, in MiB.
    pub memory: Option<u64>,
    /// Directories of this machine that it sees: here, there, and whether it may write.
    pub volumes: Vec<(PathBuf, PathBuf, bool)>,
}

/// What machines of the driver nspawn start from, besides what all have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image {
    /// The name of a Debian release; `bookworm` if nothing is said.
    pub suite: Option<String>,
    /// Packages that are there.
    pub packages: Vec<String>,
    /// Packages that can be installed without a network.
    pub download: Vec<String>,
}

/// The playbooks of a scenario, by what they are for. A file of the name of a step beside `scenario.yml` need not be named.
#[derive(Clone, Debug, Default)]
pub struct Playbooks(pub Vec<(Step, PathBuf)>);

impl Playbooks {
    /// That of a step, if there is one.
    pub fn of(&self, step: Step) -> Option<&Path> {
        self.0
            .iter()
            .find(|(other, _)| *other == step)
            .map(|(_, path)| path.as_path())
    }
}

/// A scenario, as read.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name: its directory's.
    pub name: String,
    /// Its directory, absolute.
    pub directory: PathBuf,
    /// Where its playbooks run: the directory that holds `molecule-like-tests` or `molecule`, absolute.
    pub project: PathBuf,
    /// The file that it was read from.
    pub file: PathBuf,
    /// One line on what it shows.
    pub about: String,
    /// How its machines are made; nothing if the best that there is.
    pub driver: Option<DriverKind>,
    /// Its machines.
    pub platforms: Vec<Platform>,
    /// What they start from.
    pub image: Image,
    /// Inventories besides that of the machines made.
    pub inventories: Vec<PathBuf>,
    /// Variables of all hosts.
    pub vars: Map,
    /// Variables of groups.
    pub group_vars: Map,
    /// Variables of hosts.
    pub host_vars: Map,
    /// Its playbooks.
    pub playbooks: Playbooks,
    /// The steps of a test.
    pub sequence: Vec<Step>,
    /// Files without which it is skipped.
    pub needs_files: Vec<PathBuf>,
    /// Programs without which it is skipped.
    pub needs_programs: Vec<String>,
    /// Variables of the environment without which it is skipped.
    pub needs_environment: Vec<String>,
    /// More words for `runbook play`.
    pub options: Vec<String>,
    /// Environment of the playbooks.
    pub environment: Vec<(String, String)>,
    /// Files whose content need not be the same after an interrupted run (globs).
    pub volatile: Vec<String>,
    /// How long each step may take.
    pub limit: Duration,
    /// The seed of what is chosen by chance.
    pub seed: Option<u64>,
    /// A command that gets what the playbooks need, instead of nothing.
    pub dependency: Option<String>,
    /// Roles and collections that would have to be fetched, with the file that says so.
    pub requirements: Option<PathBuf>,
}

impl Scenario {
    /// One in that directory of which nothing is said.
    pub fn new(name: &str, file: &Path, project: &Path) -> Self {
        let directory = file.parent().unwrap_or(project).to_owned();
        Self {
            name: name.to_owned(),
            directory,
            project: project.to_owned(),
            file: file.to_owned(),
            about: String::new(),
            driver: None,
            platforms: Vec::new(),
            image: Image::default(),
            inventories: Vec::new(),
            vars: Map::new(),
            group_vars: Map::new(),
            host_vars: Map::new(),
            playbooks: Playbooks::default(),
            sequence: whole_test(),
            needs_files: Vec::new(),
            needs_programs: Vec::new(),
            needs_environment: Vec::new(),
            options: Vec::new(),
            environment: Vec::new(),
            volatile: Vec::new(),
            limit: Duration::from_secs(1800),
            seed: None,
            dependency: None,
            requirements: None,
        }
    }

    /// Adds the playbooks that lie beside the file under the names of steps.
    pub(super) fn find_playbooks(&mut self) {
        for step in Step::ALL {
            if self.playbooks.of(step).is_some() {
                continue;
            }
            let found = ["yml", "yaml"]
                .into_iter()
                .map(|end| self.directory.join(format!("{step}.{end}")))
                .find(|path| path.exists());
            if let Some(path) = found {
                self.playbooks.0.push((step, path));
            }
        }
    }

    /// The inventory of its machines, over what the driver says on how to reach each: a YAML inventory's value.
    pub fn inventory(&self, reach: &[(String, Map)]) -> Value {
        let mut hosts = Map::new();
        let mut groups: indexmap::IndexMap<String, Map> = indexmap::IndexMap::new();
        for platform in &self.platforms {
            let mut vars = platform.vars.clone();
            if let Some((_, how)) = reach.iter().find(|(name, _)| *name == platform.name) {
                for (name, value) in how.str_iter() {
                    vars.set(name, value.clone());
                }
            }
            if let Some(Value::Map(more)) = self.host_vars.get(platform.name.as_str()) {
                for (name, value) in more.str_iter() {
                    vars.set(name, value.clone());
                }
            }
            hosts.set(&platform.name, Value::map(vars));
            for group in &platform.groups {
                groups
                    .entry(group.clone())
                    .or_default()
                    .set(&platform.name, Value::map(Map::new()));
            }
        }
        for (group, _) in self
            .group_vars
            .str_iter()
            .filter(|(name, _)| *name != "all")
        {
            groups.entry(group.to_owned()).or_default();
        }
        let mut children = Map::new();
        for (name, members) in groups {
            let mut group = Map::new();
            group.set("hosts", Value::map(members));
            if let Some(vars) = self.group_vars.get(name.as_str()) {
                group.set("vars", vars.clone());
            }
            children.set(&name, Value::map(group));
        }
        let mut vars = self.vars.clone();
        if let Some(Value::Map(more)) = self.group_vars.get("all") {
            for (name, value) in more.str_iter() {
                vars.set(name, value.clone());
            }
        }
        let all = Map::new()
            .with("hosts", Value::map(hosts))
            .with("vars", Value::map(vars))
            .with("children", Value::map(children));
        Value::map(Map::new().with("all", Value::map(all)))
    }
}
