//! A docker daemon of a test's own, in a network namespace of its own: the machine's bridges and firewall stay as they are.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Until it listens, and until it has ended.
const LIMIT: Duration = Duration::from_secs(30);

/// It runs until this is dropped.
pub struct Daemon {
    child: Child,
    directory: tempfile::TempDir,
}

impl Daemon {
    /// Starts one; nothing, with what it said, if there is none or it does not come up.
    pub fn start() -> Option<Self> {
        let directory = tempfile::tempdir().expect("a directory");
        let at = |name: &str| directory.path().join(name);
        // none of the machine's own settings
        std::fs::write(at("settings.json"), "{}").expect("written");
        let log = std::fs::File::create(at("log")).expect("a file");
        // a default bridge of its own, instead of the machine's
        let child = Command::new("unshare")
            .args(["--net", "--", "dockerd"])
            .arg("--data-root")
            .arg(at("data"))
            .arg("--exec-root")
            .arg(at("exec"))
            .arg("--pidfile")
            .arg(at("pid"))
            .arg("--host")
            .arg(address(directory.path()))
            .arg("--config-file")
            .arg(at("settings.json"))
            .args(["--storage-driver", "vfs", "--iptables=false"])
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file"))
            .stderr(log)
            .spawn()
            .ok()?;
        let mut daemon = Self { child, directory };
        let begun = Instant::now();
        while !daemon.directory.path().join("socket").exists() {
            let over = daemon.child.try_wait().ok().flatten().is_some();
            if over || begun.elapsed() > LIMIT {
                let log = std::fs::read_to_string(daemon.directory.path().join("log"));
                eprintln!("dockerd does not come up:\n{}", log.unwrap_or_default());
                return None;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(daemon)
    }

    /// Where it listens, as `DOCKER_HOST` has it.
    pub fn address(&self) -> String {
        address(self.directory.path())
    }
}

fn address(directory: &Path) -> String {
    format!("unix://{}/socket", directory.display())
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // a signal that lets it end its containers and its containerd
        if let Ok(pid) = i32::try_from(self.child.id()) {
            let pid = nix::unistd::Pid::from_raw(pid);
            let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
        }
        let begun = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) {
            if begun.elapsed() > LIMIT {
                let _ = self.child.kill();
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let mounts = self.directory.path().join("exec/netns/default");
        let _ = nix::mount::umount(&mounts);
    }
}
