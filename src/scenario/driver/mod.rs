//! Who makes the machines of a scenario.

mod containers;
mod nspawn;
mod vagrant;

use super::{DriverKind, Scenario};
use crate::value::Map;
use std::path::Path;
use std::process::Command;

/// How each machine is reached: its name, and variables of its connection.
pub type Reach = Vec<(String, Map)>;

/// Makes machines, and takes them away. Errors are in words.
pub trait Driver {
    /// What is missing here to make machines.
    ///
    /// # Errors
    /// That.
    fn preflight(&self) -> Result<(), String>;

    /// Makes the machines, if they are not there.
    ///
    /// # Errors
    /// What failed; what was made of them can be removed by [`Self::destroy`].
    fn create(&mut self) -> Result<Reach, String>;

    /// Removes the machines. That there are none is no error.
    ///
    /// # Errors
    /// Something is left.
    fn destroy(&mut self) -> Result<(), String>;

    /// The command that opens a shell on a machine.
    fn login(&self, host: &str) -> Option<Command>;

    /// Names what snapshots of these machines fit to; nothing if there are none.
    fn snapshot_key(&self) -> Option<String>;

    /// Keeps the state of all machines in a directory.
    ///
    /// # Errors
    /// A copy failed.
    fn keep(&mut self, directory: &Path) -> Result<(), String>;

    /// Brings all machines back to a state that was kept.
    ///
    /// # Errors
    /// A copy failed, or machines do not come up.
    fn bring_back(&mut self, directory: &Path) -> Result<Reach, String>;
}

/// The driver that a scenario gets: its own, or the best that there is here.
pub fn kind_of(scenario: &Scenario, wanted: Option<DriverKind>) -> DriverKind {
    wanted.or(scenario.driver).unwrap_or_else(|| {
        if scenario.platforms.is_empty() {
            DriverKind::Delegated
        } else if super::bed::can_boot().is_ok() {
            DriverKind::Nspawn
        } else if scenario.platforms.iter().all(|p| p.image.is_some()) {
            DriverKind::Podman
        } else {
            DriverKind::Nspawn
        }
    })
}

/// The driver of that kind for a scenario that keeps what it needs in `work`.
///
/// # Errors
/// What of the scenario it cannot make.
pub fn open(kind: DriverKind, scenario: &Scenario, work: &Path) -> Result<Box<dyn Driver>, String> {
    match kind {
        DriverKind::Nspawn => Ok(Box::new(nspawn::Nspawn::new(scenario, work))),
        DriverKind::Vagrant => Ok(Box::new(vagrant::Vagrant::new(scenario))),
        DriverKind::Delegated => Ok(Box::new(Delegated)),
        DriverKind::Podman | DriverKind::Docker => {
            Ok(Box::new(containers::Containers::new(kind, scenario, work)))
        }
    }
}

/// The machines are made by the scenario's `create.yml` and removed by its `destroy.yml`, or are there already.
struct Delegated;

impl Driver for Delegated {
    fn preflight(&self) -> Result<(), String> {
        Ok(())
    }

    fn create(&mut self) -> Result<Reach, String> {
        Ok(Vec::new())
    }

    fn destroy(&mut self) -> Result<(), String> {
        Ok(())
    }

    fn login(&self, _host: &str) -> Option<Command> {
        None
    }

    fn snapshot_key(&self) -> Option<String> {
        None
    }

    fn keep(&mut self, _directory: &Path) -> Result<(), String> {
        Err("the driver `delegated` keeps no snapshots".to_owned())
    }

    fn bring_back(&mut self, _directory: &Path) -> Result<Reach, String> {
        Err("the driver `delegated` keeps no snapshots".to_owned())
    }
}
