//! What is kept of a scenario between commands.

use super::{DriverKind, Scenario};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// How far a scenario has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The driver that made its machines; nothing if there are none.
    pub driver: Option<String>,
    /// Whether they were prepared.
    pub prepared: bool,
    /// Whether a converge ended well.
    pub converged: bool,
    /// The snapshot after prepare.
    pub snapshot: Option<PathBuf>,
}

/// The directory of a scenario's state, private to the user.
#[derive(Clone, Debug)]
pub struct Work {
    /// It.
    pub directory: PathBuf,
}

impl Work {
    /// That of a scenario: `$XDG_CACHE_HOME/runbook/scenarios/NAME-HASH`, the hash being of where it lies.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn of(scenario: &Scenario) -> Result<Self, String> {
        let cache = std::env::var_os("XDG_CACHE_HOME")
            .filter(|path| Path::new(path).is_absolute())
            .map(PathBuf::from)
            .or_else(|| std::env::home_dir().map(|home| home.join(".cache")))
            .ok_or("there is no home directory")?;
        Self::under(&cache.join("runbook/scenarios"), scenario)
    }

    /// The same in another directory.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn under(top: &Path, scenario: &Scenario) -> Result<Self, String> {
        let place = scenario.directory.display().to_string();
        let name = scenario.name.replace('/', "-");
        let directory = top.join(format!("{name}-{}", short_hash(place.as_bytes())));
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&directory)
            .and_then(|()| fs::set_permissions(&directory, fs::Permissions::from_mode(0o700)))
            .map_err(|error| format!("{}: {error}", directory.display()))?;
        Ok(Self { directory })
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// How far the scenario has come.
    pub fn state(&self) -> State {
        fs::read_to_string(self.file("state.json"))
            .ok()
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default()
    }

    /// Writes that down.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn remember(&self, state: &State) -> Result<(), String> {
        let (file, fresh) = (self.file("state.json"), self.file("state.json.new"));
        let text = serde_json::to_string(state).map_err(|error| error.to_string())?;
        fs::write(&fresh, text)
            .and_then(|()| fs::rename(&fresh, &file))
            .map_err(|error| format!("{}: {error}", file.display()))
    }

    /// Held while a command works on the scenario.
    ///
    /// # Errors
    /// Another command does.
    pub fn lock(&self) -> Result<fs::File, String> {
        let path = self.file("lock");
        let file =
            fs::File::create(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        file.try_lock()
            .map_err(|_| "another command is at work on this scenario".to_owned())?;
        Ok(file)
    }
}

impl State {
    /// The driver that made the machines.
    pub fn driver(&self) -> Option<DriverKind> {
        DriverKind::named(self.driver.as_deref()?)
    }
}

/// Twelve characters that stand for some bytes.
pub fn short_hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
