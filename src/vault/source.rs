//! Where passwords come from: files, programs, the user.
//!
//! Source of the behaviour: Ansible's documentation, "Managing vault passwords".

use super::{DEFAULT_ID, Identity, Password, Vault, is_encrypted};
use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use zeroize::Zeroizing;

/// Asks the user for something secret; nothing if there is nobody to ask.
pub type Ask<'a> = dyn FnMut(&str) -> Option<Zeroizing<String>> + 'a;

/// What a client script exits with when it has no password for an id.
const NO_SECRET: i32 = 2;

/// Where one password comes from, as `--vault-id [label@]source` says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretSource {
    /// The id, if one was given.
    pub id: Option<String>,
    /// Where the password is.
    place: Place,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// The user; told the id in the question or not.
    Prompt { named: bool },
    /// A file, or a program if it is executable.
    File(PathBuf),
}

/// Why a password could not be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PasswordError {
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// What was being done.
    pub stage: PasswordStage,
}

/// What is being done when a password cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordStage {
    /// The file or program is looked for.
    Find,
    /// The file is read, or the program run.
    Load,
    /// The user is asked: no other source makes up for that.
    Ask,
}

impl PasswordStage {
    /// What Ansible calls it in its warning, before the id.
    pub fn told(self) -> &'static str {
        match self {
            Self::Find => "Error getting vault password file",
            Self::Load => "Error in vault password file loading",
            Self::Ask => "Error in vault password prompt",
        }
    }
}

impl PasswordError {
    fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
            stage: PasswordStage::Load,
        }
    }

    fn at(mut self, stage: PasswordStage) -> Self {
        self.stage = stage;
        self
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Whether a program of this name wants to be told the id: its name without ending ends with `-client`.
pub fn is_client(path: &Path) -> bool {
    path.file_stem()
        .is_some_and(|stem| stem.as_encoded_bytes().ends_with(b"-client"))
}

impl SecretSource {
    /// Reads `label@source` or `source`; the source is `prompt`, a file or a program.
    pub fn parse(text: &str) -> Self {
        let (id, place) = match text.split_once('@') {
            Some((id, place)) => (Some(id).filter(|id| !id.is_empty()), place),
            None => (None, text),
        };
        Self {
            id: id.map(str::to_owned),
            place: match place {
                "prompt" => Place::Prompt { named: true },
                "prompt_ask_vault_pass" => Place::Prompt { named: false },
                path => Place::File(path.into()),
            },
        }
    }

    /// A file or program, for the id that counts where none is given.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self {
            id: None,
            place: Place::File(path.into()),
        }
    }

    /// The user, as `--ask-vault-pass` asks.
    pub fn prompt() -> Self {
        Self {
            id: None,
            place: Place::Prompt { named: false },
        }
    }

    /// The id of the password; that of sources without one is given.
    pub fn id_or<'a>(&'a self, default_id: &'a str) -> &'a str {
        self.id.as_deref().unwrap_or(default_id)
    }

    /// Gets the password. `default_id` is for sources without one (`vault_identity`), `known` opens a file of a
    /// password that is encrypted itself; `twice` asks a user twice, for a new password.
    ///
    /// # Errors
    /// If the file cannot be read, the program fails, there is nobody to ask, or the password is empty.
    pub fn read(
        &self,
        default_id: &str,
        known: &Vault,
        twice: bool,
        ask: &mut Ask<'_>,
    ) -> Result<Identity, PasswordError> {
        let id = self.id_or(default_id);
        let (password, origin) = match &self.place {
            Place::Prompt { named } => (
                prompt(id, *named, twice, ask).map_err(|error| error.at(PasswordStage::Ask))?,
                "asked for".to_owned(),
            ),
            Place::File(path) => (
                from_file(path, self.id.as_deref(), known)?,
                path.display().to_string(),
            ),
        };
        Ok(Identity {
            id: if id.is_empty() { DEFAULT_ID } else { id }.to_owned(),
            password,
            origin,
        })
    }
}

fn prompt(
    id: &str,
    named: bool,
    twice: bool,
    ask: &mut Ask<'_>,
) -> Result<Password, PasswordError> {
    let mut question = |text: String| {
        ask(&text).ok_or_else(|| {
            PasswordError::new("nobody answers the question for the vault password").hint(
                "without a terminal, use a file: --vault-password-file or --vault-id label@file",
            )
        })
    };
    let answer = if twice {
        let of = if named {
            format!(" ({id})")
        } else {
            String::new()
        };
        let first = question(format!("New vault password{of}: "))?;
        if first != question(format!("Confirm new vault password{of}: "))? {
            return Err(PasswordError::new("the passwords do not match"));
        }
        first
    } else if named {
        question(format!("Vault password ({id}): "))?
    } else {
        question("Vault password: ".to_owned())?
    };
    Password::new(answer.trim().as_bytes())
        .ok_or_else(|| PasswordError::new("the vault password must not be empty"))
}

/// Expands `~`.
fn expanded(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), std::env::var_os("HOME")) {
        (Ok(rest), Some(home)) => Path::new(&home).join(rest),
        _ => path.to_owned(),
    }
}

fn from_file(path: &Path, id: Option<&str>, known: &Vault) -> Result<Password, PasswordError> {
    let full = expanded(path);
    let shown = path.display();
    let meta = std::fs::metadata(&full).map_err(|error| {
        PasswordError::new(if error.kind() == std::io::ErrorKind::NotFound {
            format!("there is no vault password file {shown}")
        } else {
            format!(
                "cannot read the vault password file {shown}: {}",
                crate::diag::io_reason(&error)
            )
        })
        .at(PasswordStage::Find)
    })?;
    if meta.is_dir() {
        let message = format!("the vault password file {shown} is a directory");
        return Err(PasswordError::new(message).at(PasswordStage::Find));
    }
    let bytes = if meta.is_file() && meta.permissions().mode() & 0o111 != 0 {
        let output = from_program(path, &full, id)?;
        Zeroizing::new(trim_breaks(&output).to_vec())
    } else {
        let bytes = Zeroizing::new(std::fs::read(&full).map_err(|error| {
            PasswordError::new(format!(
                "cannot read the vault password file {shown}: {}",
                crate::diag::io_reason(&error)
            ))
        })?);
        let trimmed = bytes.trim_ascii();
        if is_encrypted(trimmed) {
            Zeroizing::new(known.decrypt(trimmed).map_err(|error| {
                PasswordError::new(format!(
                    "cannot open the vault password file {shown}: {error}"
                ))
                .hint("the password for it must be given before it")
            })?)
        } else {
            Zeroizing::new(trimmed.to_vec())
        }
    };
    Password::new(bytes.to_vec())
        .ok_or_else(|| PasswordError::new(format!("the vault password from {shown} is empty")))
}

fn trim_breaks(bytes: &[u8]) -> &[u8] {
    let is_break = |byte: &u8| matches!(byte, b'\r' | b'\n');
    let start = bytes
        .iter()
        .position(|b| !is_break(b))
        .unwrap_or(bytes.len());
    let end = bytes
        .iter()
        .rposition(|b| !is_break(b))
        .map_or(start, |at| at + 1);
    bytes.get(start..end).unwrap_or_default()
}

/// Runs a program that prints the password; a client is told the id.
fn from_program(
    path: &Path,
    full: &Path,
    id: Option<&str>,
) -> Result<Zeroizing<Vec<u8>>, PasswordError> {
    let shown = path.display();
    // a bare name is a file here, not a program on the search path
    let program = std::path::absolute(full).unwrap_or_else(|_| full.to_owned());
    let mut command = Command::new(&program);
    let client = is_client(full);
    if let (true, Some(id)) = (client, id) {
        command.args([OsStr::new("--vault-id"), OsStr::new(id)]);
    }
    let output = command
        .stdin(Stdio::inherit())
        .stderr(Stdio::piped())
        .output()
        .map_err(|error| {
            PasswordError::new(format!(
                "cannot run the vault password script {shown}: {}",
                crate::diag::io_reason(&error)
            ))
            .hint("if it is no script but holds the password, take its executable bits away")
        })?;
    let said = Zeroizing::new(output.stdout);
    if output.status.success() {
        return Ok(said);
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    let complaint = match complaint.trim() {
        "" => String::new(),
        text => format!(": {text}"),
    };
    Err(PasswordError::new(match output.status.code() {
        Some(NO_SECRET) if client => format!(
            "the vault password script {shown} has no password for the id `{}`{complaint}",
            id.unwrap_or(DEFAULT_ID)
        ),
        Some(code) => {
            format!("the vault password script {shown} failed with exit code {code}{complaint}")
        }
        None => format!("the vault password script {shown} was ended by a signal{complaint}"),
    }))
}
