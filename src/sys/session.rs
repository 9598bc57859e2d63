//! Files that are made once for as long as the agent is connected.

use super::{Error, Result, Sys};
use std::fs;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

impl Sys {
    /// A private directory with these files, made once and kept as long as the agent is there. `name` stands for the
    /// files: it must be another one for other files.
    ///
    /// # Errors
    /// When there is no place for it.
    pub fn session_files(&self, name: &str, files: &[(&str, &str)]) -> Result<PathBuf> {
        let home = self.blobs.home().map_err(|e| Error::Other(e.to_string()))?;
        let dir = home.join(name);
        if dir.is_dir() {
            return Ok(dir);
        }
        let failed = |path: &Path| {
            let path = path.to_owned();
            |source| Error::File {
                what: "cannot make the private file",
                path,
                source,
            }
        };
        // another call may be at it as well: whoever is first wins
        let made = tempfile::Builder::new()
            .prefix("making-")
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in(&home)
            .map_err(failed(&home))?;
        for (place, text) in files {
            let path = made.path().join(place);
            if let Some(parent) = path.parent() {
                fs::DirBuilder::new()
                    .recursive(true)
                    .mode(0o700)
                    .create(parent)
                    .map_err(failed(parent))?;
            }
            fs::write(&path, text).map_err(failed(&path))?;
        }
        match fs::rename(made.path(), &dir) {
            Ok(()) => {
                let _ = made.keep();
                Ok(dir)
            }
            Err(_) if dir.is_dir() => Ok(dir),
            Err(error) => Err(failed(&dir)(error)),
        }
    }
}
