//! Containers as machines: the connections `podman` and `chroot`, and the scenario driver `podman`, on an image that is made
//! here from one static busybox. It needs root, podman and busybox; without them it is skipped, loudly, unless
//! `RUNBOOK_REQUIRE_HOSTS` is set.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const IMAGE: &str = "localhost/runbook-test:1";
const APPLETS: [&str; 24] = [
    "sh", "sleep", "cat", "mkdir", "chmod", "uname", "id", "mv", "rm", "mktemp", "ls", "dd", "wc",
    "head", "true", "test", "gzip", "gunzip", "printf", "echo", "cp", "ln", "rmdir", "stat",
];

/// Podman with a storage of its own, and its settings: what nested machines allow.
struct Engine {
    home: tempfile::TempDir,
}

impl Engine {
    fn set_up() -> Option<Self> {
        let busybox = ["/bin/busybox", "/usr/bin/busybox"]
            .into_iter()
            .map(PathBuf::from)
            .find(|path| path.exists());
        let podman = Command::new("podman").arg("--version").output().is_ok();
        let root = nix::unistd::geteuid().is_root();
        let (true, true, Some(busybox)) = (podman, root, busybox) else {
            assert!(
                std::env::var_os("RUNBOOK_REQUIRE_HOSTS").is_none(),
                "podman, busybox-static or root is missing, and RUNBOOK_REQUIRE_HOSTS is set"
            );
            eprintln!("SKIPPED: containers need root, podman and busybox-static");
            return None;
        };
        let engine = Self {
            home: tempfile::tempdir().expect("a directory"),
        };
        let home = engine.home.path();
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
        let root = engine.root();
        for directory in ["bin", "tmp", "etc", "root", "proc", "sys", "dev"] {
            fs::create_dir_all(root.join(directory)).expect("made");
        }
        fs::copy(busybox, root.join("bin/busybox")).expect("copied");
        for applet in APPLETS {
            symlink("busybox", root.join("bin").join(applet)).expect("linked");
        }
        nix::sys::stat::mknod(
            &root.join("dev/null"),
            nix::sys::stat::SFlag::S_IFCHR,
            nix::sys::stat::Mode::from_bits_truncate(0o666),
            nix::sys::stat::makedev(1, 3),
        )
        .expect("made");
        fs::write(root.join("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n").expect("written");
        fs::write(root.join("etc/group"), "root:x:0:\n").expect("written");
        let archive = home.join("root.tar");
        good(
            Command::new("tar")
                .arg("-C")
                .arg(&root)
                .arg("-cf")
                .arg(&archive)
                .arg("."),
        );
        good(engine.of("podman").arg("import").arg(&archive).arg(IMAGE));
        Some(engine)
    }

    fn root(&self) -> PathBuf {
        self.home.path().join("root")
    }

    /// A program that finds this podman's settings, and an empty home.
    fn of(&self, program: &str) -> Command {
        let home = self.home.path();
        let mut command = Command::new(program);
        command
            .env("HOME", home)
            .env("CONTAINERS_CONF", home.join("containers.conf"))
            .env("CONTAINERS_STORAGE_CONF", home.join("storage.conf"))
            .env("NO_COLOR", "1")
            .current_dir(home)
            .stdin(Stdio::null());
        command
    }

    fn runbook(&self, words: &[&str]) -> Command {
        let mut command = self.of(env!("CARGO_BIN_EXE_runbook"));
        command.args(words);
        command
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self
            .of("podman")
            .args(["rm", "--all", "--force", "--time", "0"])
            .output();
        let _ = self.of("podman").args(["rmi", "--all", "--force"]).output();
    }
}

#[track_caller]
fn good(command: &mut Command) -> String {
    let output = command.output().expect("it starts");
    assert!(output.status.success(), "{command:?}\n{}", said(&output));
    said(&output)
}

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a parent")).expect("made");
    fs::write(path, text).expect("written");
}

const PLAY: &str = "- hosts: all
  gather_facts: false
  tasks:
    - name: a file
      copy: {content: 'for {{ inventory_hostname }}', dest: /etc/here}
    - name: who
      command: id -u
      register: who
      changed_when: false
    - assert: {that: who.stdout == '0'}
";

#[test]
fn connections_and_the_driver() {
    let Some(engine) = Engine::set_up() else {
        return;
    };
    chroot(&engine);
    scenario(&engine);
}

/// `ansible_connection: chroot`: the host is a directory.
fn chroot(engine: &Engine) {
    let root = engine.root();
    let project = engine.home.path();
    write(&project.join("play.yml"), PLAY);
    let inventory = format!(
        "tree ansible_connection=chroot ansible_host={}\n",
        root.display()
    );
    write(&project.join("hosts.ini"), &inventory);
    let first = good(&mut engine.runbook(&["play", "-i", "hosts.ini", "play.yml"]));
    assert!(first.contains("changed=1"), "{first}");
    assert_eq!(
        fs::read_to_string(root.join("etc/here")).expect("there"),
        "for tree"
    );
    let second = good(&mut engine.runbook(&["play", "-i", "hosts.ini", "play.yml"]));
    assert!(second.contains("changed=0"), "{second}");
    fs::remove_file(root.join("etc/here")).expect("removed");
}

/// A Molecule scenario with two containers: the whole test, what is left of it, and steps one by one.
fn scenario(engine: &Engine) {
    let project = engine.home.path().join("project");
    write(
        &project.join("molecule/default/molecule.yml"),
        &format!(
            "driver: {{name: podman}}\nplatforms:\n  - {{name: one, image: '{IMAGE}', pre_build_image: true, groups: [web]}}\n  \
             - {{name: two, image: '{IMAGE}', pre_build_image: true, env: {{ROLE: second}}}}\n"
        ),
    );
    write(&project.join("molecule/default/converge.yml"), PLAY);
    write(
        &project.join("molecule/default/verify.yml"),
        "- hosts: all\n  gather_facts: false\n  tasks:\n    - command: cat /etc/here\n      changed_when: false\n      \
         register: here\n    - assert: {that: here.stdout == 'for ' ~ inventory_hostname}\n- hosts: two\n  gather_facts: false\n  \
         tasks:\n    - raw: echo $ROLE\n      register: role\n    - assert: {that: role.stdout is search('second')}\n",
    );
    let runbook = |words: &[&str]| {
        let mut command = engine.runbook(words);
        command.current_dir(&project);
        command
    };
    let report = good(&mut runbook(&["test"]));
    assert!(report.contains("verify       passed"), "{report}");
    let left = good(engine.of("podman").args(["ps", "--all", "--quiet"]));
    assert_eq!(left.trim(), "", "a container is left");

    good(&mut runbook(&["scenario", "converge", "default"]));
    let running = good(engine.of("podman").args(["ps", "--quiet"]));
    assert_eq!(running.lines().count(), 2, "{running}");
    good(&mut runbook(&["scenario", "idempotence", "default"]));
    good(&mut runbook(&["scenario", "destroy", "default"]));
    let left = good(engine.of("podman").args(["ps", "--all", "--quiet"]));
    assert_eq!(left.trim(), "", "a container is left");
    let networks = good(engine.of("podman").args(["network", "ls", "--quiet"]));
    assert!(!networks.contains("runbook"), "{networks}");
}
