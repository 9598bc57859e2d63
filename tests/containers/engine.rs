//! An engine of containers with an image that is made here from one static busybox, and nothing of the user's.

use super::daemon::Daemon;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

pub const IMAGE: &str = "localhost/runbook-test:1";
/// Containers and networks of scenarios bear it.
const LABEL: &str = "label=dev.runbook.scenario";
const APPLETS: [&str; 25] = [
    "sh", "sleep", "cat", "mkdir", "chmod", "uname", "id", "mv", "rm", "mktemp", "ls", "dd", "wc",
    "head", "true", "test", "gzip", "gunzip", "printf", "echo", "cp", "ln", "rmdir", "stat",
    "nslookup",
];

/// Podman or docker. Podman has a storage of its own and settings that nested machines allow; docker is the daemon that can be
/// reached, or one that is started here.
pub struct Engine {
    pub program: &'static str,
    home: tempfile::TempDir,
    daemon: Option<Daemon>,
    /// Containers and networks of scenarios that were there before, which are somebody else's.
    before: Vec<String>,
}

impl Engine {
    /// Podman; nothing, loudly, where it or root is missing.
    pub fn podman() -> Option<Self> {
        let there = Command::new("podman").arg("--version").output().is_ok();
        let (true, true, Some(busybox)) = (there, is_root(), busybox()) else {
            assert!(
                std::env::var_os("RUNBOOK_REQUIRE_HOSTS").is_none(),
                "podman, busybox-static or root is missing, and RUNBOOK_REQUIRE_HOSTS is set"
            );
            eprintln!("SKIPPED: containers by podman need root, podman and busybox-static");
            return None;
        };
        let mut engine = Self::new("podman");
        let home = engine.home();
        fs::write(
            home.join("containers.conf"),
            "[containers]\ndefault_ulimits = [\"nofile=1024:1024\", \"nproc=1024:1024\"]\nlog_driver = \"k8s-file\"\n\
             [engine]\nruntime = \"runc\"\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"none\"\n",
        )
        .expect("written");
        fs::write(
            home.join("storage.conf"),
            format!(
                "[storage]\ndriver = \"vfs\"\ngraphroot = \"{0}/graph\"\nrunroot = \"{0}/run\"\n",
                home.display()
            ),
        )
        .expect("written");
        engine.import(&busybox);
        Some(engine)
    }

    /// Docker; nothing, loudly, where no daemon can be reached or started. No test requires one: whoever installs Debian's
    /// package gets a daemon that takes over the firewall of the machine.
    pub fn docker() -> Option<Self> {
        let reached = |engine: &Self| {
            let mut command = engine.of("docker");
            let output = command.args(["version", "--format", "{{.Server.Version}}"]);
            output.output().is_ok_and(|output| output.status.success())
        };
        let mut engine = Self::new("docker");
        if !reached(&engine) && is_root() {
            engine.daemon = Daemon::start();
        }
        let (true, Some(busybox)) = (reached(&engine), busybox()) else {
            eprintln!(
                "SKIPPED: containers by docker need busybox-static and a daemon that can be reached, or dockerd and root"
            );
            return None;
        };
        engine.import(&busybox);
        Some(engine)
    }

    fn new(program: &'static str) -> Self {
        let home = tempfile::tempdir().expect("a directory");
        Self {
            program,
            home,
            daemon: None,
            before: Vec::new(),
        }
    }

    fn import(&mut self, busybox: &Path) {
        let root = self.root();
        for directory in ["bin", "tmp", "etc", "root", "proc", "sys", "dev"] {
            fs::create_dir_all(root.join(directory)).expect("made");
        }
        fs::copy(busybox, root.join("bin/busybox")).expect("copied");
        for applet in APPLETS {
            symlink("busybox", root.join("bin").join(applet)).expect("linked");
        }
        fs::write(root.join("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n").expect("written");
        fs::write(root.join("etc/group"), "root:x:0:\n").expect("written");
        let archive = self.home().join("root.tar");
        good(
            Command::new("tar")
                .arg("-C")
                .arg(&root)
                .arg("-cf")
                .arg(&archive)
                .arg("."),
        );
        self.say(&["import", &archive.display().to_string(), IMAGE]);
        self.before = [self.containers(&["--all"]), self.networks()].concat();
    }

    /// The files of the image.
    pub fn root(&self) -> PathBuf {
        self.home().join("root")
    }

    /// Its home, and that of programs which use it.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// A program that finds this engine, and an empty home.
    fn of(&self, program: &str) -> Command {
        let home = self.home();
        let mut command = Command::new(program);
        command
            .env("HOME", home)
            .env("CONTAINERS_CONF", home.join("containers.conf"))
            .env("CONTAINERS_STORAGE_CONF", home.join("storage.conf"))
            .env("NO_COLOR", "1")
            .current_dir(home)
            .stdin(Stdio::null());
        if let Some(daemon) = &self.daemon {
            command.env("DOCKER_HOST", daemon.address());
        }
        command
    }

    /// The binary under test: `RUNBOOK_BIN`, else the one that Cargo built for these tests.
    pub fn runbook(&self, words: &[&str]) -> Command {
        let given = std::env::var("RUNBOOK_BIN").ok();
        let program = given.as_deref().unwrap_or(env!("CARGO_BIN_EXE_runbook"));
        let mut command = self.of(program);
        command.args(words);
        command
    }

    /// What the engine says to these words.
    #[track_caller]
    pub fn say(&self, words: &[&str]) -> String {
        good(self.of(self.program).args(words))
    }

    /// Containers that scenarios of the test made.
    #[track_caller]
    pub fn containers(&self, more: &[&str]) -> Vec<String> {
        self.own(&[&["ps", "--quiet", "--filter", LABEL], more].concat())
    }

    #[track_caller]
    fn networks(&self) -> Vec<String> {
        self.own(&["network", "ls", "--quiet", "--filter", LABEL])
    }

    #[track_caller]
    fn own(&self, words: &[&str]) -> Vec<String> {
        let mut all: Vec<String> = self.say(words).lines().map(str::to_owned).collect();
        all.retain(|one| !self.before.contains(one));
        all
    }

    /// That a scenario has left nothing.
    #[track_caller]
    pub fn is_empty(&self) {
        let left = [self.containers(&["--all"]), self.networks()].concat();
        assert_eq!(left, Vec::<String>::new(), "something is left");
    }

    /// Whether containers find each other by name: podman needs a plugin for that.
    pub fn has_names(&self) -> bool {
        let plugins = [
            "/usr/lib/cni/dnsname",
            "/usr/libexec/cni/dnsname",
            "/usr/lib/podman/aardvark-dns",
            "/usr/libexec/podman/aardvark-dns",
        ];
        self.program == "docker" || plugins.iter().any(|path| Path::new(path).exists())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let remove = |words: &[&str]| {
            let _ = self.of(self.program).args(words).output();
        };
        if self.program == "podman" {
            remove(&["rm", "--all", "--force", "--time", "0"]);
        }
        remove(&["rmi", "--force", IMAGE]);
    }
}

fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

fn busybox() -> Option<PathBuf> {
    let places = ["/bin/busybox", "/usr/bin/busybox"];
    places.iter().map(PathBuf::from).find(|path| path.exists())
}

#[track_caller]
pub fn good(command: &mut Command) -> String {
    let output = command.output().expect("it starts");
    assert!(output.status.success(), "{command:?}\n{}", said(&output));
    said(&output)
}

pub fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

pub fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a parent")).expect("made");
    fs::write(path, text).expect("written");
}
