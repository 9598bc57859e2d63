//! Encrypted files in the user's editor: the content lies in a private file meanwhile, which is always removed.

use super::files::{Keep, failed, open, read, replace, seal};
use super::passwords::Key;
use crate::cli::exit::{CommandFailure, CommandResult, Exit};
use crate::vault::Vault;
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::NamedTempFile;
use zeroize::Zeroizing;

/// Makes a file that does not exist yet.
pub fn create(path: &Path, key: &Key) -> CommandResult {
    if path.symlink_metadata().is_ok() {
        return Err(
            CommandFailure::new(Exit::Error, format!("{} exists already", path.display()))
                .with_hint("`runbook vault edit` changes it"),
        );
    }
    let plain = edited(path, b"")?;
    let sealed = seal(path, &plain, key)?;
    replace(path, sealed.as_bytes(), Keep::Nothing)?;
    Ok(Exit::Ok)
}

/// Changes a file; it is written only if its content changed, with the password and the label that it had.
pub fn edit(path: &Path, vault: &Vault, salt: Option<String>) -> Result<(), CommandFailure> {
    let sealed = read(path)?;
    let opened = open(path, &sealed, vault)?;
    let plain = edited(path, &opened.plain)?;
    if plain == opened.plain {
        return Ok(());
    }
    let key = Key::new(opened.identity.password.clone(), opened.label, salt);
    let sealed = seal(path, &plain, &key)?;
    replace(path, sealed.as_bytes(), Keep::Access)
}

/// The content after the editor.
fn edited(path: &Path, plain: &[u8]) -> Result<Zeroizing<Vec<u8>>, CommandFailure> {
    let scratch = Scratch::new(path, plain)?;
    run_editor(scratch.file.path())?;
    read(scratch.file.path())
}

/// A private file that is overwritten and removed, whatever happens.
struct Scratch {
    file: NamedTempFile,
}

impl Scratch {
    fn new(path: &Path, plain: &[u8]) -> Result<Self, CommandFailure> {
        // the ending tells editors what it is
        let ending = path
            .extension()
            .map(|ending| format!(".{}", ending.to_string_lossy()))
            .unwrap_or_default();
        let unwritable = |e: std::io::Error| failed("cannot write a copy of", path, &e);
        let file = tempfile::Builder::new()
            .prefix("runbook-vault-")
            .suffix(&ending)
            .permissions(std::fs::Permissions::from_mode(0o600))
            .tempfile()
            .map_err(unwritable)?;
        let mut scratch = Self { file };
        scratch.file.write_all(plain).map_err(unwritable)?;
        scratch.file.flush().map_err(unwritable)?;
        Ok(scratch)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // editors may have put another file in its place: that one is wiped, too
        let overwrite = |file: &mut std::fs::File| -> std::io::Result<()> {
            let length = usize::try_from(file.metadata()?.len()).unwrap_or(0);
            file.seek(SeekFrom::Start(0))?;
            file.write_all(&vec![0; length])?;
            file.sync_all()
        };
        let _ = overwrite(self.file.as_file_mut());
        let present = std::fs::OpenOptions::new()
            .write(true)
            .open(self.file.path());
        if let Ok(mut file) = present {
            let _ = overwrite(&mut file);
        }
    }
}

fn run_editor(path: &Path) -> Result<(), CommandFailure> {
    let editor = std::env::var("EDITOR")
        .ok()
        .filter(|editor| !editor.trim().is_empty())
        .unwrap_or_else(|| "vi".to_owned());
    let problem =
        |why: String| CommandFailure::new(Exit::Error, format!("the editor `{editor}` {why}"));
    let words = crate::value::shell_words(&editor)
        .map_err(|_| problem("cannot be read as a command".to_owned()))?;
    let Some((program, args)) = words.split_first() else {
        return Err(problem("is no command".to_owned()));
    };
    // Ctrl-C in the editor is the editor's; what would end us must not leave the file behind
    let ended = Arc::new(AtomicBool::new(false));
    let held: Vec<_> = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT]
        .into_iter()
        .filter_map(|signal| signal_hook::flag::register(signal, Arc::clone(&ended)).ok())
        .collect();
    let status = Command::new(program).args(args).arg(path).status();
    for id in held {
        signal_hook::low_level::unregister(id);
    }
    let status =
        status.map_err(|e| problem(format!("cannot be run: {}", crate::diag::io_reason(&e))))?;
    if !status.success() {
        return Err(problem(match status.code() {
            Some(code) => format!("ended with exit code {code}: nothing was changed"),
            None => "was ended by a signal: nothing was changed".to_owned(),
        }));
    }
    if ended.load(Ordering::Relaxed) && !console::user_attended() {
        return Err(CommandFailure::new(
            Exit::Interrupted,
            "interrupted: nothing was changed",
        ));
    }
    Ok(())
}
