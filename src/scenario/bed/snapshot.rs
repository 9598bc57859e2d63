//! The state of all machines of a bed, kept and brought back.

use super::machine::{Machine, Plan};
use super::process::run;
use super::{Bed, text};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// How long a machine may take to shut down.
const DOWN: Duration = Duration::from_secs(30);

impl Bed {
    /// Copies what the machines have written to `directory`, which must not exist yet. They are shut down for that, and
    /// are up again when it returns.
    ///
    /// # Errors
    /// A copy failed, or a machine does not come up again.
    pub fn keep(&self, directory: &Path) -> Result<(), String> {
        self.shut_down();
        let kept = self.copy_out(directory);
        for machine in &self.machines {
            machine.power_on()?;
        }
        self.wait()?;
        kept
    }

    /// Brings the machines back to what [`Self::keep`] kept.
    ///
    /// # Errors
    /// A copy failed, or a machine does not come up again.
    pub fn bring_back(&mut self, directory: &Path) -> Result<(), String> {
        self.machines.iter().for_each(Machine::power_off);
        let wishes: Vec<_> = self.machines.iter().map(|m| m.wish.clone()).collect();
        let public_key = self.public_key()?;
        let (image, own) = (self.image.clone(), self.directory.clone());
        let plan = Plan {
            image: &image,
            directory: &own,
            subnet: self.subnet().unwrap_or_default(),
            wishes: &wishes,
            public_key: &public_key,
        };
        for machine in &mut self.machines {
            unmount(&machine.root)?;
            for part in ["upper", "plain"] {
                let to = machine.directory.join(part);
                clear(&to)?;
                let from = directory.join(&machine.name).join(part);
                if from.exists() {
                    copy(&from, &to)?;
                } else {
                    fs::create_dir_all(&to)
                        .map_err(|error| format!("{}: {error}", to.display()))?;
                }
            }
            let work = machine.directory.join("work");
            clear(&work)?;
            fs::create_dir_all(&work).map_err(|error| format!("{}: {error}", work.display()))?;
            machine.begin(&plan)?;
        }
        self.write_files()?;
        self.wait()
    }

    /// Ends all systems in their own way, so that what they have written is whole.
    fn shut_down(&self) {
        for machine in &self.machines {
            let _ = machine.ssh("systemctl poweroff --no-block");
        }
        for machine in &self.machines {
            if !machine.wait_down(DOWN) {
                machine.power_off();
            }
        }
    }

    fn copy_out(&self, directory: &Path) -> Result<(), String> {
        let fresh = directory.with_extension("new");
        clear(&fresh)?;
        for machine in &self.machines {
            for part in ["upper", "plain"] {
                let from = machine.directory.join(part);
                if from.exists() {
                    let to = fresh.join(&machine.name).join(part);
                    let parent = to.parent().unwrap_or(&fresh);
                    fs::create_dir_all(parent)
                        .map_err(|error| format!("{}: {error}", parent.display()))?;
                    copy(&from, &to)?;
                }
            }
        }
        fs::rename(&fresh, directory).map_err(|error| format!("{}: {error}", directory.display()))
    }
}

/// A tree with everything that overlays put into it: devices, sockets, attributes, owners.
fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let mut command = Command::new("cp");
    command
        .args(["-a", "--reflink=auto", "-T", "--"])
        .arg(from)
        .arg(to);
    let output = run(&mut command, Duration::from_secs(600))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(format!("cp: {}", text(&output.stderr).trim()))
    }
}

fn clear(path: &Path) -> Result<(), String> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("{}: {error}", path.display()))
        }
        _ => Ok(()),
    }
}

fn unmount(root: &Path) -> Result<(), String> {
    nix::mount::umount2(root, nix::mount::MntFlags::MNT_DETACH)
        .map_err(|error| format!("{}: {error}", root.display()))
}
