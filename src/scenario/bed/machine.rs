//! One machine of a bed.

use super::image::proxy;
use super::process::{must, run, text};
use super::record::{Booted, Shared, bridge, cgroups, make_cgroups};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// What a machine is to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// Its host name, and its name in the inventory.
    pub name: String,
    /// Whether containers run in it: all capabilities, writable control groups, and directories that are no overlay.
    #[serde(default)]
    pub containers: bool,
    /// Most memory that it may take, in MiB.
    #[serde(default)]
    pub memory: Option<u64>,
    /// Directories of this machine that it sees, read-only: here and there.
    #[serde(default)]
    pub binds: Vec<(PathBuf, PathBuf)>,
}

/// nspawn mounts these read-only.
const WRITABLE: &str = "[Unit]
Description=Control groups and kernel settings can be written
DefaultDependencies=no
Before=sysinit.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'for group in /sys/fs/cgroup /sys/fs/cgroup/*; do mount -o remount,bind,rw \"$$group\" || true; done; mount -o remount,bind,rw /proc/sys'
";

/// Starts nspawn again whenever the machine reboots: it then ends with 133, and leaves the rest to who started it. The
/// first argument is [`INTO_GROUPS`].
const ON_AND_ON: &str = r#"into=$1; shift
while :; do
    sh -c "$into" sh "$@"
    code=$?
    [ "$code" -eq 133 ] || exit "$code"
done"#;

/// Into the machine's own control groups, then the same process becomes nspawn: beside it, there is none in them.
const INTO_GROUPS: &str = r#"for group in $GROUPS_OF_IT; do echo $$ > "$group/cgroup.procs"; done
unset GROUPS_OF_IT
exec "$@""#;

/// Where container runtimes keep what cannot lie on an overlay.
const PLAIN: [&str; 3] = ["/var/lib/containerd", "/var/lib/docker", "/var/lib/kubelet"];

/// A booted system with its own init, network and sshd.
#[derive(Debug)]
pub struct Machine {
    /// Its host name, and its name in the inventory.
    pub name: String,
    /// Its address, reachable from this machine only.
    pub addr: Ipv4Addr,
    /// Its public host key, as in `known_hosts` without the name.
    pub host_key: String,
    /// Its root directory as seen from here. For looking only: the machine is running.
    pub root: PathBuf,
    pub(super) wish: Wish,
    pub(super) id: String,
    pub(super) directory: PathBuf,
    pub(super) subnet: u8,
    pub(super) record: Shared,
}

/// What came back from a command on a machine.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Exit code; -1 if ssh was killed.
    pub rc: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// What machines of a bed share.
pub(super) struct Plan<'a> {
    pub image: &'a Path,
    pub directory: &'a Path,
    pub subnet: u8,
    pub wishes: &'a [Wish],
    pub public_key: &'a str,
}

impl Machine {
    /// Prepares the root of the machine with this place in the list, and starts it. Does not wait for it.
    pub(super) fn start(plan: &Plan<'_>, index: usize, record: &Shared) -> Result<Self, String> {
        let wish = plan.wishes.get(index).cloned().ok_or("no such machine")?;
        let number = u8::try_from(index)
            .ok()
            .filter(|n| *n < 200)
            .ok_or("too many machines")?;
        let id = format!("rb{}-{}", plan.subnet, index + 1);
        let directory = plan.directory.join(&id);
        let root = directory.join("root");
        for part in ["upper", "work", "root"] {
            let path = directory.join(part);
            fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        let booted = Booted {
            id: id.clone(),
            root: root.clone(),
            keeper: None,
        };
        record
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .add(booted)?;
        let mut machine = Self {
            host_key: String::new(),
            name: wish.name.clone(),
            addr: Ipv4Addr::new(198, 18, plan.subnet, 11 + number),
            root,
            wish,
            id,
            directory,
            subnet: plan.subnet,
            record: Arc::clone(record),
        };
        machine.begin(plan)?;
        Ok(machine)
    }

    /// Mounts its root, makes it this machine, and starts it.
    pub(super) fn begin(&mut self, plan: &Plan<'_>) -> Result<(), String> {
        let options = format!(
            "lowerdir={},upperdir={},workdir={}",
            plan.image.display(),
            self.directory.join("upper").display(),
            self.directory.join("work").display()
        );
        nix::mount::mount(
            Some("overlay"),
            &self.root,
            Some("overlay"),
            nix::mount::MsFlags::empty(),
            Some(options.as_str()),
        )
        .map_err(|error| format!("overlay at {}: {error}", self.root.display()))?;
        self.host_key = configure(plan, &self.wish, self.addr, &self.root)?;
        self.power_on()
    }

    /// Pulls the plug, and returns when nothing of it runs any more.
    pub fn power_off(&self) {
        self.record
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .power_off(&self.id);
    }

    /// Waits until it has gone down by itself and stays down: a reboot is no such thing.
    pub fn wait_down(&self, limit: Duration) -> bool {
        self.record
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .wait_gone(&self.id, limit)
    }

    /// Boots it, as it was when it went down. Does not wait for it.
    ///
    /// # Errors
    /// nspawn cannot be started.
    pub fn power_on(&self) -> Result<(), String> {
        let groups = cgroups(&self.id);
        make_cgroups(&groups)?;
        let console = self.directory.join("console");
        let log =
            File::create(&console).map_err(|error| format!("{}: {error}", console.display()))?;
        let errors = log.try_clone().map_err(|error| error.to_string())?;
        let groups: Vec<String> = groups
            .iter()
            .map(|group| group.display().to_string())
            .collect();
        self.bound_memory();
        let child = Command::new("sh")
            .args([
                "-c",
                ON_AND_ON,
                "sh",
                INTO_GROUPS,
                "systemd-nspawn",
                "--quiet",
                "--boot",
                "--register=no",
                "--keep-unit",
            ])
            .args([
                "--console=pipe",
                "--resolv-conf=off",
                "--timezone=off",
                "--link-journal=no",
            ])
            .arg(format!("--machine={}", self.id))
            .arg(format!("--hostname={}", self.name))
            .arg(format!("--network-bridge={}", bridge(self.subnet)))
            .args(self.options()?)
            .arg("-D")
            .arg(&self.root)
            .env("GROUPS_OF_IT", groups.join(" "))
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .process_group(0)
            .spawn()
            .map_err(|error| format!("systemd-nspawn: {error}"))?;
        self.record
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .started(&self.id, child.id())
    }

    /// What nspawn has to be told for this machine only.
    fn options(&self) -> Result<Vec<String>, String> {
        let mut options = Vec::new();
        if self.wish.containers {
            options.push("--capability=all".to_owned());
            options.push("--system-call-filter=@keyring bpf perf_event_open".to_owned());
            options.push("--bind=/dev/kmsg".to_owned());
            for inside in PLAIN {
                let here = self.plain().join(inside.trim_start_matches('/'));
                fs::create_dir_all(&here)
                    .map_err(|error| format!("{}: {error}", here.display()))?;
                options.push(format!("--bind={}:{inside}", here.display()));
            }
        }
        for (here, inside) in &self.wish.binds {
            options.push(format!("--bind-ro={}:{}", here.display(), inside.display()));
        }
        Ok(options)
    }

    /// Where its directories are that are no overlay.
    pub(super) fn plain(&self) -> PathBuf {
        self.directory.join("plain")
    }

    /// Writes the bound on its memory, where the kernel takes one.
    fn bound_memory(&self) {
        let Some(mebibytes) = self.wish.memory else {
            return;
        };
        for group in cgroups(&self.id) {
            for file in ["memory.limit_in_bytes", "memory.max"] {
                let file = group.join(file);
                if file.exists() {
                    let _ = fs::write(file, (mebibytes * 1024 * 1024).to_string());
                }
            }
        }
    }

    /// Waits until sshd answers and the system has finished booting.
    ///
    /// # Errors
    /// It does not; with what its console shows.
    pub fn wait(&self, limit: Duration) -> Result<(), String> {
        let end = Instant::now() + limit;
        while !self.greets() {
            if Instant::now() > end {
                return Err(format!(
                    "{}: no sshd after {} s; console:\n{}",
                    self.name,
                    limit.as_secs(),
                    self.console()
                ));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        // Until then, only root may log in. Which services failed is not this function's matter.
        let answer = self.ssh_as("root", "systemctl is-system-running --wait");
        match answer.stdout.trim() {
            "running" | "degraded" => Ok(()),
            _ => Err(format!(
                "{}: not up: {answer:?}; console:\n{}",
                self.name,
                self.console()
            )),
        }
    }

    fn greets(&self) -> bool {
        let address = SocketAddr::from((self.addr, 22));
        let Ok(mut stream) = TcpStream::connect_timeout(&address, Duration::from_millis(500))
        else {
            return false;
        };
        let mut greeting = [0; 4];
        stream
            .set_read_timeout(Some(Duration::from_secs(2)))
            .is_ok()
            && stream.read_exact(&mut greeting).is_ok()
            && &greeting == b"SSH-"
    }

    /// What its console showed.
    pub fn console(&self) -> String {
        fs::read(self.directory.join("console"))
            .map(|bytes| text(&bytes))
            .unwrap_or_default()
    }

    /// Runs a shell command as `root`.
    pub fn ssh(&self, command: &str) -> Answer {
        self.ssh_as("root", command)
    }

    /// Runs a shell command as a user who has the bed's key (`root` or `deploy`), bounded to two minutes.
    pub fn ssh_as(&self, user: &str, command: &str) -> Answer {
        let config = self.directory.with_file_name("ssh_config");
        let mut ssh = Command::new("ssh");
        ssh.arg("-F")
            .arg(config)
            .args(["-l", user, "--", &self.name, command]);
        match run(&mut ssh, Duration::from_secs(120)) {
            Ok(output) => Answer {
                rc: output.status.code().unwrap_or(-1),
                stdout: text(&output.stdout),
                stderr: text(&output.stderr),
            },
            Err(error) => Answer {
                rc: -1,
                stdout: String::new(),
                stderr: error,
            },
        }
    }
}

/// Writes what makes a root this machine. Returns its public host key.
fn configure(plan: &Plan<'_>, wish: &Wish, addr: Ipv4Addr, root: &Path) -> Result<String, String> {
    let name = &wish.name;
    let write = |path: &str, text: &str| {
        let path = root.join(path);
        let parent = path.parent().unwrap_or(root);
        fs::create_dir_all(parent)
            .and_then(|()| fs::write(&path, text))
            .map_err(|error| format!("{}: {error}", path.display()))
    };
    write("etc/hostname", &format!("{name}\n"))?;
    let mut hosts = "127.0.0.1 localhost\n".to_owned();
    for (index, other) in plan.wishes.iter().enumerate() {
        let number = 11 + index;
        hosts.push_str(&format!("198.18.{}.{number} {}\n", plan.subnet, other.name));
    }
    write("etc/hosts", &hosts)?;
    write(
        "etc/systemd/network/10-host0.network",
        &format!(
            "[Match]\nName=host0\n[Link]\nMTUBytes=1400\n[Network]\nAddress={addr}/24\nGateway=198.18.{}.1\nLinkLocalAddressing=no\n",
            plan.subnet
        ),
    )?;
    // in a snapshot it may be a link, which from here leads elsewhere
    if !fs::symlink_metadata(root.join("etc/resolv.conf")).is_ok_and(|found| found.is_symlink()) {
        let servers = fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
        write("etc/resolv.conf", &servers)?;
    }
    if let Some(proxy) = proxy() {
        write(
            "etc/apt/apt.conf.d/91proxy",
            &format!("Acquire::http::Proxy \"{proxy}\";\n"),
        )?;
    }
    if wish.containers {
        write("etc/systemd/system/runbook-machine.service", WRITABLE)?;
        let wanted = root.join("etc/systemd/system/sysinit.target.wants");
        let link = wanted.join("runbook-machine.service");
        if fs::symlink_metadata(&link).is_err() {
            fs::create_dir_all(&wanted)
                .and_then(|()| {
                    std::os::unix::fs::symlink("/etc/systemd/system/runbook-machine.service", &link)
                })
                .map_err(|error| format!("{}: {error}", link.display()))?;
        }
    }
    let mut key = String::new();
    for kind in ["ed25519", "ecdsa"] {
        let path = root.join(format!("etc/ssh/ssh_host_{kind}_key"));
        // a machine that comes from a snapshot has keys, and keeps them
        if path.exists() {
            if key.is_empty() {
                key = fs::read_to_string(path.with_extension("pub"))
                    .map_err(|error| error.to_string())?;
            }
            continue;
        }
        must(
            "ssh-keygen",
            &[
                "-q",
                "-t",
                kind,
                "-N",
                "",
                "-C",
                name,
                "-f",
                &path.display().to_string(),
            ],
        )?;
        if key.is_empty() {
            key = fs::read_to_string(path.with_extension("pub"))
                .map_err(|error| error.to_string())?;
        }
    }
    for home in homes(root) {
        let owner = owner_of(root, &home)?;
        let directory = root.join(&home).join(".ssh");
        write(&format!("{home}/.ssh/authorized_keys"), plan.public_key)?;
        for (path, mode) in [
            (directory.clone(), 0o700),
            (directory.join("authorized_keys"), 0o600),
        ] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode))
                .and_then(|()| std::os::unix::fs::chown(&path, Some(owner), Some(owner)))
                .map_err(|error| format!("{}: {error}", path.display()))?;
        }
    }
    Ok(key.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
}

/// The home directories of those who accept the bed's key: root and all users.
fn homes(root: &Path) -> Vec<String> {
    let mut homes = vec!["root".to_owned()];
    for entry in fs::read_dir(root.join("home"))
        .into_iter()
        .flatten()
        .flatten()
    {
        let name = entry.file_name().to_string_lossy().into_owned();
        // who has a password of his own shows that logins by password work
        if !root.join("home").join(&name).join(".no-key").exists() {
            homes.push(format!("home/{name}"));
        }
    }
    homes
}

fn owner_of(root: &Path, path: &str) -> Result<u32, String> {
    use std::os::unix::fs::MetadataExt;
    let path = root.join(path);
    fs::metadata(&path)
        .map(|meta| meta.uid())
        .map_err(|error| format!("{}: {error}", path.display()))
}
