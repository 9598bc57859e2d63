//! Containers on this machine, by podman or docker.

use super::{Driver, Reach};
use crate::scenario::bed::{run, text};
use crate::scenario::spec::{DriverKind, Platform, Scenario};
use crate::value::{Map, Value};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// For a command of the engine; `run` may have to fetch an image.
const LIMIT: Duration = Duration::from_secs(600);
/// Until commands can be executed in a new container.
const START: Duration = Duration::from_secs(30);
/// Containers and networks bear it, with the scenario's mark as its value.
const LABEL: &str = "dev.runbook.scenario";
/// What a container does if nothing is said.
const IDLE: [&str; 3] = ["sh", "-c", "trap exit TERM; while :; do sleep 1; done"];

/// The containers of a scenario.
pub struct Containers {
    engine: &'static str,
    connection: &'static str,
    /// Keeps them apart from those of other scenarios.
    mark: String,
    platforms: Vec<Platform>,
}

impl Containers {
    /// For a scenario that keeps its state in `work`.
    pub fn new(kind: DriverKind, scenario: &Scenario, work: &Path) -> Self {
        let (engine, connection) = match kind {
            DriverKind::Docker => ("docker", "community.docker.docker"),
            _ => ("podman", "containers.podman.podman"),
        };
        let digest = Sha256::digest(work.as_os_str().as_encoded_bytes());
        let short: String = digest
            .iter()
            .take(4)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Self {
            engine,
            connection,
            mark: format!("{}-{short}", scenario.name),
            platforms: scenario.platforms.clone(),
        }
    }

    fn name(&self, platform: &str) -> String {
        format!("runbook-{}-{platform}", self.mark)
    }

    fn engine(&self, words: &[String]) -> Result<String, String> {
        let output = run(Command::new(self.engine).args(words), LIMIT)?;
        if output.status.success() {
            return Ok(text(&output.stdout).trim().to_owned());
        }
        let verb = words.first().map_or("", String::as_str);
        let said = text(&output.stderr);
        Err(format!("{} {verb}: {}", self.engine, said.trim()))
    }

    /// Names or numbers of what bears the scenario's mark: `what` are the words of a list command.
    fn marked(&self, what: &[&str]) -> Result<Vec<String>, String> {
        let mut words = owned(what);
        words.extend(owned(&[
            "--filter",
            &format!("label={LABEL}={}", self.mark),
        ]));
        let list = self.engine(&words)?;
        Ok(list.split_whitespace().map(str::to_owned).collect())
    }

    /// Machines find each other by name in a network of their own; one alone needs none.
    fn network(&self) -> Option<String> {
        let told = |platform: &Platform| {
            let mut options = platform.options.iter();
            options.any(|word| word.starts_with("--network") || word.starts_with("--net="))
        };
        (self.platforms.len() > 1 && !self.platforms.iter().any(told))
            .then(|| format!("runbook-{}", self.mark))
    }

    fn start(&self, platform: &Platform, network: Option<&str>) -> Result<(), String> {
        self.engine(&self.run_words(platform, network)?)?;
        let name = self.name(&platform.name);
        let end = Instant::now() + START;
        loop {
            match self.engine(&owned(&["exec", &name, "true"])) {
                Ok(_) => return Ok(()),
                Err(why) if Instant::now() > end => {
                    let log = self.engine(&owned(&["logs", "--tail", "5", &name]));
                    return Err(format!("{why}\n{}", log.unwrap_or_default()));
                }
                Err(_) => std::thread::sleep(Duration::from_millis(200)),
            }
        }
    }

    fn run_words(&self, platform: &Platform, network: Option<&str>) -> Result<Vec<String>, String> {
        let Some(image) = &platform.image else {
            return Err(format!(
                "the platform `{}` needs an `image` for the driver `{}`",
                platform.name, self.engine
            ));
        };
        let mut words = owned(&["run", "--detach", "--name", &self.name(&platform.name)]);
        words.extend(owned(&["--hostname", &platform.name]));
        words.extend(owned(&["--label", &format!("{LABEL}={}", self.mark)]));
        if let Some(network) = network {
            words.extend(owned(&[
                "--network",
                network,
                "--network-alias",
                &platform.name,
            ]));
        }
        if platform.privileged {
            words.push("--privileged".to_owned());
        }
        if let Some(memory) = platform.memory {
            words.extend(owned(&["--memory", &format!("{memory}m")]));
        }
        for (here, there, writable) in &platform.volumes {
            let access = if *writable { "rw" } else { "ro" };
            let volume = format!("{}:{}:{access}", here.display(), there.display());
            words.extend(owned(&["--volume", &volume]));
        }
        words.extend(platform.options.iter().cloned());
        words.push(image.clone());
        match &platform.command {
            Some(command) => words.extend(command.iter().cloned()),
            None => words.extend(owned(&IDLE)),
        }
        Ok(words)
    }

    fn reach(&self) -> Reach {
        let each = self.platforms.iter().map(|platform| {
            let vars = Map::new()
                .with("ansible_connection", Value::str(self.connection))
                .with("ansible_host", Value::str(self.name(&platform.name)));
            (platform.name.clone(), vars)
        });
        each.collect()
    }
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

impl Driver for Containers {
    fn preflight(&self) -> Result<(), String> {
        let mut command = Command::new(self.engine);
        let output = run(
            command.args(["version", "--format", "{{.Client.Version}}"]),
            START,
        )
        .map_err(|_| format!("{} is not installed", self.engine))?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!(
            "{} does not work: {}",
            self.engine,
            text(&output.stderr).trim()
        ))
    }

    fn create(&mut self) -> Result<Reach, String> {
        let there = self.marked(&["ps", "--quiet"])?;
        if !self.platforms.is_empty() && there.len() == self.platforms.len() {
            return Ok(self.reach());
        }
        self.destroy()?;
        let network = self.network();
        if let Some(network) = &network {
            let label = format!("{LABEL}={}", self.mark);
            self.engine(&owned(&["network", "create", "--label", &label, network]))?;
        }
        for platform in &self.platforms {
            self.start(platform, network.as_deref())?;
        }
        Ok(self.reach())
    }

    fn destroy(&mut self) -> Result<(), String> {
        let containers = self.marked(&["ps", "--all", "--quiet"])?;
        if !containers.is_empty() {
            let mut words = owned(&["rm", "--force", "--volumes"]);
            words.extend(containers);
            self.engine(&words)?;
        }
        for network in self.marked(&["network", "ls", "--quiet"])? {
            self.engine(&owned(&["network", "rm", &network]))?;
        }
        Ok(())
    }

    fn login(&self, host: &str) -> Option<Command> {
        self.platforms
            .iter()
            .find(|platform| platform.name == host)?;
        let mut command = Command::new(self.engine);
        command.args(["exec", "-it", &self.name(host), "sh", "-l"]);
        Some(command)
    }

    fn snapshot_key(&self) -> Option<String> {
        None
    }

    fn keep(&mut self, _directory: &Path) -> Result<(), String> {
        Err(format!("the driver `{}` keeps no snapshots", self.engine))
    }

    fn bring_back(&mut self, _directory: &Path) -> Result<Reach, String> {
        Err(format!("the driver `{}` keeps no snapshots", self.engine))
    }
}

#[cfg(test)]
mod tests {
    use super::Containers;
    use crate::scenario::spec::{DriverKind, Platform, Scenario};
    use std::path::Path;

    fn containers(platforms: Vec<Platform>) -> Containers {
        let mut scenario = Scenario::new(
            "web",
            Path::new("/p/molecule/web/molecule.yml"),
            Path::new("/p"),
        );
        scenario.platforms = platforms;
        Containers::new(DriverKind::Podman, &scenario, Path::new("/work"))
    }

    fn platform(name: &str) -> Platform {
        Platform {
            name: name.to_owned(),
            image: Some("debian:12".to_owned()),
            ..Platform::default()
        }
    }

    #[test]
    fn words_of_run() {
        let all = containers(vec![Platform {
            privileged: true,
            memory: Some(64),
            volumes: vec![("/a".into(), "/b".into(), false)],
            options: vec!["--cgroupns".into(), "host".into()],
            command: Some(vec!["/sbin/init".into()]),
            ..platform("one")
        }]);
        let words = all.run_words(&all.platforms[0], all.network().as_deref());
        let words = words.unwrap().join(" ").replace(&all.mark, "MARK");
        assert_eq!(
            words,
            "run --detach --name runbook-MARK-one --hostname one --label dev.runbook.scenario=MARK --privileged \
             --memory 64m --volume /a:/b:ro --cgroupns host debian:12 /sbin/init"
        );
    }

    #[test]
    fn several_have_a_network_unless_they_are_told_another() {
        let two = containers(vec![platform("one"), platform("two")]);
        let network = two.network();
        assert!(network.is_some());
        let words = two
            .run_words(&two.platforms[1], network.as_deref())
            .unwrap();
        assert!(words.join(" ").contains("--network-alias two"));
        let mut told = platform("one");
        told.options = vec!["--network=host".into()];
        assert_eq!(containers(vec![told, platform("two")]).network(), None);
    }

    #[test]
    fn an_image_is_needed() {
        let all = containers(vec![Platform {
            image: None,
            ..platform("one")
        }]);
        let why = all.run_words(&all.platforms[0], None).unwrap_err();
        assert!(why.contains("needs an `image`"), "{why}");
    }
}
