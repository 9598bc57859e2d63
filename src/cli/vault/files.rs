//! Whole files: read, encrypted or decrypted, and replaced at once.

use super::passwords::Key;
use crate::cli::exit::{CommandFailure, Exit};
use crate::cli::streams::err;
use crate::diag::io_reason;
use crate::vault::{Opened, Vault, about, is_encrypted};
use std::io::{IsTerminal, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use zeroize::Zeroizing;

/// Where something is read from or written to.
#[derive(Clone, Debug)]
pub enum Place {
    /// Standard input or output.
    Standard,
    /// A file.
    File(PathBuf),
}

impl Place {
    pub fn of(path: &Path) -> Self {
        if path.as_os_str() == "-" {
            Self::Standard
        } else {
            Self::File(path.to_owned())
        }
    }

    /// For messages.
    fn path(&self) -> &Path {
        match self {
            Self::Standard => Path::new("standard input"),
            Self::File(path) => path,
        }
    }

    fn read(&self) -> Result<Zeroizing<Vec<u8>>, CommandFailure> {
        match self {
            Self::Standard => {
                if std::io::stdin().is_terminal() {
                    err(format_args!("reading from standard input\n"));
                }
                let mut bytes = Zeroizing::new(Vec::new());
                std::io::stdin()
                    .lock()
                    .read_to_end(&mut bytes)
                    .map_err(|e| failed("cannot read", self.path(), &e))?;
                Ok(bytes)
            }
            Self::File(path) => read(path),
        }
    }

    fn write(&self, bytes: &[u8]) -> Result<(), CommandFailure> {
        match self {
            Self::Standard => standard_output(bytes),
            Self::File(path) => replace(path, bytes, Keep::Nothing),
        }
    }
}

/// What of a file that is replaced stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Nothing: it is for its owner alone from now on.
    Nothing,
    /// Owner and mode.
    Access,
}

pub fn failed(what: &str, path: &Path, error: &std::io::Error) -> CommandFailure {
    CommandFailure::new(
        Exit::Error,
        format!("{what} {}: {}", path.display(), io_reason(error)),
    )
}

fn wrong(path: &Path, what: &str) -> CommandFailure {
    CommandFailure::new(Exit::Error, format!("{} {what}", path.display()))
}

pub fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, CommandFailure> {
    std::fs::read(path)
        .map(Zeroizing::new)
        .map_err(|e| failed("cannot read", path, &e))
}

/// Writes a file at once, for its owner alone: a temporary file beside it, fsync, rename. A link stays one.
pub fn replace(path: &Path, bytes: &[u8], keep: Keep) -> Result<(), CommandFailure> {
    let unwritable = |e: std::io::Error| failed("cannot write", path, &e);
    let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let before = std::fs::metadata(&real).ok();
    if before.as_ref().is_some_and(|meta| !meta.is_file()) {
        // a pipe or a device
        return std::fs::write(&real, bytes).map_err(unwritable);
    }
    let dir = real
        .parent()
        .filter(|dir| !dir.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new()
        .prefix(".runbook-vault-")
        .permissions(std::fs::Permissions::from_mode(0o600))
        .tempfile_in(dir)
        .map_err(unwritable)?;
    file.write_all(bytes).map_err(unwritable)?;
    if let (Keep::Access, Some(before)) = (keep, &before) {
        // who may not give it away keeps it
        let _ = std::os::unix::fs::fchown(file.as_file(), Some(before.uid()), Some(before.gid()));
        file.as_file()
            .set_permissions(std::fs::Permissions::from_mode(before.mode() & 0o7777))
            .map_err(unwritable)?;
    }
    file.as_file().sync_all().map_err(unwritable)?;
    file.persist(&real)
        .map_err(|error| unwritable(error.error))?;
    Ok(())
}

fn standard_output(bytes: &[u8]) -> Result<(), CommandFailure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(failed("cannot write to", Path::new("standard output"), &e))
        }
        _ => Ok(()),
    }
}

/// What is in an encrypted file, and whose password opened it.
pub fn open<'a>(path: &Path, bytes: &[u8], vault: &'a Vault) -> Result<Opened<'a>, CommandFailure> {
    if !is_encrypted(bytes) {
        return Err(wrong(path, "is not encrypted with vault"));
    }
    vault.open(bytes).map_err(|error| CommandFailure {
        diagnostic: Box::new(about(path, &error)),
        exit: Exit::Error,
    })
}

/// The encrypted text of a file's content.
pub fn seal(path: &Path, plain: &[u8], key: &Key) -> Result<String, CommandFailure> {
    key.seal(plain).map_err(|error| {
        CommandFailure::new(
            Exit::Error,
            format!("cannot encrypt {}: {error}", path.display()),
        )
    })
}

pub fn encrypt(from: &Place, to: &Place, key: &Key) -> Result<(), CommandFailure> {
    let plain = from.read()?;
    if is_encrypted(&plain) {
        return Err(wrong(from.path(), "is encrypted already"));
    }
    to.write(seal(from.path(), &plain, key)?.as_bytes())
}

pub fn decrypt(from: &Place, to: &Place, vault: &Vault) -> Result<(), CommandFailure> {
    let sealed = from.read()?;
    let opened = open(from.path(), &sealed, vault)?;
    to.write(&opened.plain)
}

pub fn rekey(path: &Path, vault: &Vault, key: &Key) -> Result<(), CommandFailure> {
    let sealed = read(path)?;
    let opened = open(path, &sealed, vault)?;
    let sealed = seal(path, &opened.plain, key)?;
    replace(path, sealed.as_bytes(), Keep::Access)
}

/// Shows the content: in a pager where there is a terminal, so that it does not stay on the screen.
pub fn view(from: &Place, vault: &Vault) -> Result<(), CommandFailure> {
    let sealed = from.read()?;
    let opened = open(from.path(), &sealed, vault)?;
    if std::io::stdout().is_terminal() && page(&opened.plain) {
        return Ok(());
    }
    standard_output(&opened.plain)
}

fn page(bytes: &[u8]) -> bool {
    let pager = std::env::var("PAGER").ok().filter(|p| !p.trim().is_empty());
    let pager = pager.unwrap_or_else(|| "less".to_owned());
    let Ok(words) = crate::value::shell_words(&pager) else {
        return false;
    };
    let Some((program, args)) = words.split_first() else {
        return false;
    };
    let child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        return false;
    };
    if let Some(mut input) = child.stdin.take() {
        // it may be closed before it has read everything
        let _ = input.write_all(bytes);
    }
    child.wait().is_ok()
}
