//! Playbooks of a scenario, each run by a runbook of its own: it can be killed, and what it says is kept in a file.

use super::observed::Observed;
use super::work::Work;
use super::{Scenario, Step};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Tags of tasks that a scenario leaves out, as Molecule has them.
const LEFT_OUT: &str = "molecule-notest,notest";
/// And of those that its second run leaves out.
const LEFT_OUT_AGAIN: &str = "molecule-notest,notest,molecule-idempotence-notest";

/// What to run, and how.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// More words for `runbook play`.
    pub options: Vec<String>,
    /// Whether it is the second run, which leaves out more.
    pub again: bool,
    /// Kill it after so many results of tasks.
    pub kill_after: Option<usize>,
}

impl Wanted {
    /// With these words.
    pub fn with(words: &[&str]) -> Self {
        Self {
            options: words.iter().map(|word| (*word).to_owned()).collect(),
            ..Self::default()
        }
    }
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Its exit code; nothing if it was killed.
    pub code: Option<i32>,
    /// What happened.
    pub seen: Observed,
    /// Its events.
    pub events: PathBuf,
    /// All that it printed.
    pub log: PathBuf,
    /// Whether its time was over.
    pub late: bool,
}

impl Ended {
    /// Whether it ended well.
    pub fn well(&self) -> bool {
        self.code == Some(0)
    }
}

/// Runs playbooks for one scenario.
pub struct Player<'a> {
    /// The scenario.
    pub scenario: &'a Scenario,
    /// Its state.
    pub work: &'a Work,
    /// The runbook to start.
    pub program: &'a Path,
    /// Whether to show what playbooks print while they run, with this before each line.
    pub show: Option<String>,
    /// Becomes true when everything is to end.
    pub stop: &'a AtomicBool,
    /// How many runs there were, which names their files.
    pub count: std::cell::Cell<u32>,
}

impl Player<'_> {
    /// Runs a playbook to its end.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn play(&self, step: Step, playbook: &Path, wanted: &Wanted) -> Result<Ended, String> {
        let number = self.count.get() + 1;
        self.count.set(number);
        let name = format!("{number:02}-{step}");
        let (log, events) = (
            self.work.file(&format!("logs/{name}.log")),
            self.work.file(&format!("logs/{name}.jsonl")),
        );
        let directory = self.work.file("logs");
        fs::create_dir_all(&directory)
            .map_err(|error| format!("{}: {error}", directory.display()))?;
        let file = File::create(&log).map_err(|error| format!("{}: {error}", log.display()))?;
        let _ = fs::remove_file(&events);
        let mut command = self.command(playbook, &events, wanted);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", self.program.display()))?;
        let file = Arc::new(Mutex::new(file));
        let mut readers = Vec::new();
        if let Some(out) = child.stdout.take() {
            readers.push(self.copy(out, &file));
        }
        if let Some(out) = child.stderr.take() {
            readers.push(self.copy(out, &file));
        }
        let (code, late) = self.wait(&mut child, &events, wanted.kill_after)?;
        for reader in readers {
            let _ = reader.join();
        }
        let seen = match fs::read_to_string(&events) {
            Ok(text) => Observed::of(&text),
            Err(_) => Observed::default(),
        };
        Ok(Ended {
            code,
            seen,
            events,
            log,
            late,
        })
    }

    fn command(&self, playbook: &Path, events: &Path, wanted: &Wanted) -> Command {
        let scenario = self.scenario;
        let mut command = Command::new(self.program);
        command.arg("play");
        for source in &scenario.inventories {
            command.arg("-i").arg(source);
        }
        let own = self.work.file("inventory.yml");
        if own.exists() {
            command.arg("-i").arg(&own);
        }
        let left_out = if wanted.again {
            LEFT_OUT_AGAIN
        } else {
            LEFT_OUT
        };
        command
            .args(&scenario.options)
            .args(&wanted.options)
            .args(["--skip-tags", left_out])
            .arg("--events")
            .arg(events)
            .arg(playbook)
            .current_dir(&scenario.project);
        for (name, value) in self.environment() {
            command.env(name, value);
        }
        command
    }

    fn environment(&self) -> Vec<(String, String)> {
        let scenario = self.scenario;
        let text = |path: &Path| path.display().to_string();
        let mut all = vec![
            ("MOLECULE_FILE".to_owned(), text(&scenario.file)),
            ("MOLECULE_SCENARIO_NAME".to_owned(), scenario.name.clone()),
            (
                "MOLECULE_SCENARIO_DIRECTORY".to_owned(),
                text(&scenario.directory),
            ),
            (
                "MOLECULE_PROJECT_DIRECTORY".to_owned(),
                text(&scenario.project),
            ),
            (
                "MOLECULE_EPHEMERAL_DIRECTORY".to_owned(),
                text(&self.work.directory),
            ),
            (
                "MOLECULE_INVENTORY_FILE".to_owned(),
                text(&self.work.file("inventory.yml")),
            ),
            (
                "MOLECULE_INSTANCE_CONFIG".to_owned(),
                text(&self.work.file("instance_config.yml")),
            ),
        ];
        if std::env::var_os("ANSIBLE_ROLES_PATH").is_none() {
            // a role under test lies beside other roles, under its own name
            let mut paths = vec![scenario.project.join("roles")];
            paths.extend(scenario.project.parent().map(Path::to_owned));
            for path in ["/usr/share/ansible/roles", "/etc/ansible/roles"] {
                paths.push(path.into());
            }
            let paths: Vec<String> = paths.iter().map(|path| text(path)).collect();
            all.push(("ANSIBLE_ROLES_PATH".to_owned(), paths.join(":")));
        }
        all.extend(scenario.environment.iter().cloned());
        all
    }

    fn copy(
        &self,
        from: impl std::io::Read + Send + 'static,
        to: &Arc<Mutex<File>>,
    ) -> std::thread::JoinHandle<()> {
        let (to, show) = (Arc::clone(to), self.show.clone());
        std::thread::spawn(move || {
            let mut from = BufReader::new(from);
            let mut line = Vec::new();
            while from.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
                if let Some(before) = &show {
                    let mut out = std::io::stderr().lock();
                    let _ = out.write_all(before.as_bytes());
                    let _ = out.write_all(&line);
                }
                let mut to = to.lock().unwrap_or_else(PoisonError::into_inner);
                let _ = to.write_all(&line);
                line.clear();
            }
        })
    }

    /// Waits for the end, for the moment to kill it, or until its time is over.
    fn wait(
        &self,
        child: &mut Child,
        events: &Path,
        kill_after: Option<usize>,
    ) -> Result<(Option<i32>, bool), String> {
        let mut end = Instant::now() + self.scenario.limit;
        let (mut late, mut stopped) = (false, false);
        let mut results = Counter::default();
        let pause = Duration::from_millis(if kill_after.is_some() { 1 } else { 20 });
        loop {
            match child.try_wait().map_err(|error| error.to_string())? {
                Some(status) => return Ok((status.code(), late)),
                None if kill_after.is_some_and(|n| results.read(events) >= n) => {
                    // without a warning, as a power cut would come
                    let _ = child.kill();
                    let _ = child.wait();
                    return Ok((None, late));
                }
                None if self.stop.load(Ordering::Relaxed) && !stopped => {
                    stopped = true;
                    end = Instant::now();
                    signal(child, Signal::SIGINT);
                }
                None if Instant::now() > end && !late && !stopped => {
                    late = true;
                    signal(child, Signal::SIGINT);
                }
                None if Instant::now() > end + Duration::from_secs(30) => {
                    let _ = child.kill();
                }
                None => std::thread::sleep(pause),
            }
        }
    }
}

fn signal(child: &Child, signal: Signal) {
    if let Ok(pid) = i32::try_from(child.id()) {
        let _ = kill(Pid::from_raw(pid), signal);
    }
}

/// Counts results of tasks in a file that grows.
#[derive(Default)]
struct Counter {
    file: Option<BufReader<File>>,
    line: Vec<u8>,
    results: usize,
}

impl Counter {
    fn read(&mut self, path: &Path) -> usize {
        if self.file.is_none() {
            self.file = File::open(path).ok().map(BufReader::new);
        }
        let Some(file) = &mut self.file else { return 0 };
        while file.read_until(b'\n', &mut self.line).is_ok_and(|n| n > 0) {
            if !self.line.ends_with(b"\n") {
                break;
            }
            if self.line.starts_with(br#"{"event":"task_done""#) {
                self.results += 1;
            }
            self.line.clear();
        }
        self.results
    }
}
