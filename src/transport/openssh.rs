//! The system's `ssh`, one master process for a machine: for what runbook's own SSH does not speak.

use super::TransportError;
use super::child::spawn;
use super::counters::Counters;
use super::error::last_words;
use super::process::{Event, Process};
use super::shell::quote;
use super::target::{HostKeyChecking, Options, Target};
use crate::value::shell_words;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tempfile::TempDir;
use tokio::process::Command;
use tokio::time::Instant;

/// A master connection. Its directory (0700) holds the control socket, and the way in which a
/// password was given, which is gone as soon as the login is over.
pub(crate) struct OpenSsh {
    program: String,
    host: String,
    directory: TempDir,
    open: Arc<AtomicBool>,
    master: Mutex<Option<tokio::task::JoinHandle<()>>>,
}

impl OpenSsh {
    /// Starts the master and waits until it is logged in.
    pub(crate) async fn connect(
        target: &Target,
        options: &Options,
        counters: &Arc<Counters>,
    ) -> Result<Self, TransportError> {
        if target.host.is_empty() || target.host.starts_with('-') {
            return Err(TransportError::settings(format!(
                "`{}` is no host name",
                target.host
            )));
        }
        let program = target
            .ssh_executable
            .clone()
            .unwrap_or_else(|| "ssh".to_owned());
        let temporary = |error: std::io::Error| {
            TransportError::settings(format!(
                "a private directory for ssh cannot be made: {error}"
            ))
        };
        let directory = tempfile::Builder::new()
            .prefix("runbook-ssh-")
            .tempdir()
            .map_err(temporary)?;
        let mut command = Command::new(&program);
        command.args(arguments(target, directory.path())?);
        command.args([
            "-M",
            "-N",
            "-o",
            "ControlPersist=no",
            "--",
            target.host.as_str(),
        ]);
        let answers = askpass(&mut command, target, directory.path()).map_err(temporary)?;
        let mut process = spawn(command, false, counters).map_err(|error| {
            TransportError::settings(format!(
                "{program} cannot be started: {error}; is OpenSSH installed here?"
            ))
        })?;
        let timeout = target
            .connect_timeout
            .unwrap_or(Duration::from_secs(10))
            .max(Duration::from_secs(1));
        // ssh keeps the time itself; this one is for an ssh that hangs.
        let deadline = Instant::now() + timeout + options.start_timeout;
        let socket = directory.path().join("s");
        let mut said = Vec::new();
        while !socket.exists() {
            match tokio::time::timeout(Duration::from_millis(20), process.output.next()).await {
                Ok(Event::Exit(_)) => return Err(explain(target, &said)),
                Ok(Event::Out(bytes) | Event::Err(bytes)) => said.extend(bytes),
                Err(_) if Instant::now() > deadline => {
                    let seconds = (timeout + options.start_timeout).as_secs();
                    return Err(TransportError::unreachable(
                        &target.host,
                        format!(
                            "{program} is not logged in after {seconds} s: {}",
                            last_words(&said)
                        ),
                    ));
                }
                Err(_) => {}
            }
        }
        drop(answers);
        for name in ["askpass", "password"] {
            let _ = std::fs::remove_file(directory.path().join(name));
        }
        let open = Arc::new(AtomicBool::new(true));
        let still = Arc::clone(&open);
        let master = tokio::spawn(async move {
            while !matches!(process.output.next().await, Event::Exit(_)) {}
            still.store(false, Relaxed);
        });
        Ok(Self {
            program,
            host: target.host.clone(),
            directory,
            open,
            master: Mutex::new(Some(master)),
        })
    }

    fn base(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("-S").arg(self.directory.path().join("s"));
        command.args(["-o", "ControlMaster=no", "-o", "BatchMode=yes"]);
        command
    }

    pub(crate) fn exec(
        &self,
        line: &str,
        pty: bool,
        counters: &Arc<Counters>,
    ) -> Result<Process, TransportError> {
        let mut command = self.base();
        command.arg(if pty { "-tt" } else { "-T" });
        command.args(["--", self.host.as_str(), line]);
        spawn(command, false, counters).map_err(|error| {
            TransportError::lost(format!("{} cannot be started: {error}", self.program))
        })
    }

    pub(crate) fn is_open(&self) -> bool {
        self.open.load(Relaxed)
    }

    pub(crate) async fn close(&self) {
        let mut command = self.base();
        command.args(["-O", "exit", "--", self.host.as_str()]);
        command.stdin(std::process::Stdio::null());
        let leaving = command.kill_on_drop(true).output();
        let _ = tokio::time::timeout(Duration::from_secs(2), leaving).await;
        let master = self
            .master
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(master) = master
            && tokio::time::timeout(Duration::from_secs(2), async {
                while self.is_open() {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            })
            .await
            .is_err()
        {
            // Ends the process with its listener.
            master.abort();
        }
    }
}

impl Drop for OpenSsh {
    fn drop(&mut self) {
        let master = self
            .master
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(master) = master.take() {
            master.abort();
        }
    }
}

fn arguments(target: &Target, directory: &Path) -> Result<Vec<String>, TransportError> {
    let mut words = vec!["-S".to_owned(), directory.join("s").display().to_string()];
    words.extend(login_words(target)?);
    // After what the user says: the first one wins.
    if target.host_key_checking == Some(HostKeyChecking::Strict)
        || target.host_key_checking.is_none()
    {
        words.extend(["-o".to_owned(), "StrictHostKeyChecking=yes".to_owned()]);
    }
    Ok(words)
}

/// The arguments with which the system's `ssh` logs in as the target says, for other programs that start it. The
/// password is for the caller to hand over; where there is none, `ssh` does not ask for one.
///
/// # Errors
/// When the target's own arguments cannot be split.
pub fn login_words(target: &Target) -> Result<Vec<String>, TransportError> {
    let mut words = Vec::new();
    if let Some(file) = &target.ssh_config {
        words.extend(["-F".to_owned(), file.display().to_string()]);
    }
    let mut option = |text: String| words.extend(["-o".to_owned(), text]);
    match target.host_key_checking {
        Some(HostKeyChecking::Off) => option("StrictHostKeyChecking=no".to_owned()),
        Some(HostKeyChecking::AcceptNew) => option("StrictHostKeyChecking=accept-new".to_owned()),
        Some(HostKeyChecking::Strict) | None => {}
    }
    if !target.known_hosts.is_empty() {
        let files: Vec<String> = target
            .known_hosts
            .iter()
            .map(|f| format!("\"{}\"", f.display()))
            .collect();
        option(format!("UserKnownHostsFile={}", files.join(" ")));
    }
    if let Some(port) = target.port {
        option(format!("Port={port}"));
    }
    if let Some(user) = &target.user {
        option(format!("User=\"{user}\""));
    }
    for key in &target.private_keys {
        option(format!("IdentityFile=\"{}\"", key.display()));
    }
    if !target.proxy_jump.is_empty() {
        option(format!("ProxyJump={}", target.proxy_jump.join(",")));
    }
    let timeout = target
        .connect_timeout
        .unwrap_or(Duration::from_secs(10))
        .as_secs()
        .max(1);
    option(format!("ConnectTimeout={timeout}"));
    let keepalive = target
        .keepalive
        .unwrap_or(Duration::from_secs(15))
        .as_secs()
        .max(1);
    option(format!("ServerAliveInterval={keepalive}"));
    option("NumberOfPasswordPrompts=1".to_owned());
    if target.password.is_none() && target.key_passphrase.is_none() {
        option("BatchMode=yes".to_owned());
    }
    let extra = shell_words(&target.ssh_args).map_err(|why| {
        TransportError::settings(format!("the ssh arguments: {why}: {}", target.ssh_args))
    })?;
    // A master of the user's own would not be ended with us.
    let mut extra = extra.into_iter().peekable();
    while let Some(word) = extra.next() {
        let next_is_ours = |text: &str| {
            let text = text.trim_start().to_lowercase();
            ["controlmaster", "controlpath", "controlpersist"]
                .iter()
                .any(|name| text.starts_with(name))
        };
        if word == "-o" && extra.peek().is_some_and(|next| next_is_ours(next)) {
            extra.next();
        } else if !word.strip_prefix("-o").is_some_and(next_is_ours) {
            words.push(word);
        }
    }
    Ok(words)
}

/// Lets `ssh` ask a small program in the private directory, which reads the answer from a pipe there:
/// the secret is in no argument, no environment and on no disk. The pipe's end is kept open until the
/// login is over.
fn askpass(
    command: &mut Command,
    target: &Target,
    directory: &Path,
) -> std::io::Result<Option<OwnedFd>> {
    if target.password.is_none() && target.key_passphrase.is_none() {
        return Ok(None);
    }
    let pipe = directory.join("password");
    nix::unistd::mkfifo(
        &pipe,
        nix::sys::stat::Mode::S_IRUSR | nix::sys::stat::Mode::S_IWUSR,
    )?;
    let mut options = std::fs::OpenOptions::new();
    let mut end = options
        .read(true)
        .write(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(&pipe)?;
    let secret = |given: &Option<crate::value::Secret<String>>| {
        given
            .as_ref()
            .map_or(String::new(), |secret| secret.reveal().clone())
    };
    // The program reads both lines each time that it is asked; they are there for a few questions.
    let both = format!(
        "{}\n{}\n",
        secret(&target.password),
        secret(&target.key_passphrase)
    );
    for _ in 0..4 {
        end.write_all(both.as_bytes())?;
    }
    let runner = directory.join("askpass");
    let mut options = std::fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o700)
        .open(&runner)?;
    writeln!(
        file,
        "#!/bin/sh\nexec < {}\nread -r password; read -r phrase\ncase \"$1\" in *assphrase*) \
         printf '%s\\n' \"$phrase\";; *) printf '%s\\n' \"$password\";; esac",
        quote(&pipe.display().to_string())
    )?;
    drop(file);
    command
        .env("SSH_ASKPASS", &runner)
        .env("SSH_ASKPASS_REQUIRE", "force")
        .env("DISPLAY", ":0");
    Ok(Some(OwnedFd::from(end)))
}

fn explain(target: &Target, said: &[u8]) -> TransportError {
    let text = String::from_utf8_lossy(said).to_lowercase();
    let words = last_words(said);
    let host = target.host.clone();
    if text.contains("host key verification failed") || text.contains("identification has changed")
    {
        return TransportError::HostKey {
            host,
            reason: words,
        };
    }
    if text.contains("permission denied") || text.contains("too many authentication failures") {
        let user = target
            .user
            .clone()
            .unwrap_or_else(|| "the configured user".to_owned());
        return TransportError::Auth {
            host,
            user,
            reason: words,
        };
    }
    if text.contains("command-line")
        || text.contains("bad configuration option")
        || text.contains("usage: ssh")
    {
        return TransportError::settings(words);
    }
    let reason = if words.is_empty() {
        "ssh ended and said nothing".to_owned()
    } else {
        words
    };
    TransportError::unreachable(host, reason)
}
