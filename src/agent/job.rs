//! Calls that go on in the background (`async`): a process of its own for each, and the file that tells of it.
//!
//! The agent starts its own program again, hands it the call over a pipe, and hears which job it became. The job
//! leaves the agent's session, so that it survives the agent and the connection. Its file says that it runs, until a
//! whole result takes its place. As long as the job lives it holds the file's lock: what nobody holds and is not
//! finished has died (killed, or the machine was started anew).
//!
//! Source: Ansible's documentation, "Asynchronous actions and polling"; file and members are those of `async_wrapper`,
//! so that either program can look after jobs of the other.

use super::keeper::Keeper;
use super::{Session, call, process};
use crate::modules::custom::COMPLAINT;
use crate::modules::{NOT_JUDGED, Registry};
use crate::result::{JOB_LOCKED, Outcome};
use crate::sys::{Blobs, Cancel, Sys, reason};
use crate::value::{Map, Value};
use crate::wire::{Background, Blob, Call};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use nix::fcntl::{Flock, FlockArg, OFlag, open};
use nix::sys::stat::Mode;
use nix::unistd::{ForkResult, dup2_stderr, dup2_stdin, dup2_stdout, fork, setsid};
use serde::{Deserialize, Serialize};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::collections::BTreeMap;
use std::fs::{DirBuilder, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

/// What the job is to do.
#[derive(Serialize, Deserialize)]
struct Order {
    call: Call,
    /// Contents that it may ask for, by their SHA-256: nobody is there to send them. Base64.
    #[serde(default)]
    contents: BTreeMap<String, String>,
    dir: PathBuf,
    seconds: u64,
}

/// What it became.
#[derive(Serialize, Deserialize)]
enum Reply {
    Begun { jid: String, file: PathBuf },
    Failed(String),
}

/// Starts a job for the call. The outcome is that of a task with `poll: 0`.
pub(super) fn start(call: &Call, background: &Background, blobs: &dyn Blobs) -> Outcome {
    let contents = match contents(call, blobs) {
        Ok(contents) => contents,
        Err(why) => return Outcome::failure(why),
    };
    let judged = call.replan.then_some(true);
    let dir = Sys::real()
        .with_environment(call.environment.clone())
        .expand(Path::new(&background.dir));
    let order = Order {
        call: Call {
            background: None,
            timeout: Some(background.seconds.max(1)),
            ..call.clone()
        },
        contents,
        dir,
        seconds: background.seconds.max(1),
    };
    match hand_over(&order) {
        Ok(Reply::Begun { jid, file }) => {
            let mut outcome = Outcome {
                changed: true,
                data: about(&jid, false),
                ..Outcome::ok()
            };
            let file = file.to_string_lossy();
            outcome.data.set("results_file", Value::data(file.as_ref()));
            if judged.is_some() {
                outcome.data.set(NOT_JUDGED, true);
            }
            outcome
        }
        Ok(Reply::Failed(why)) => Outcome::failure(why),
        Err(error) => Outcome::failure(format!("the job could not be started: {}", reason(&error))),
    }
}

/// What a module of the user's own needs: it is the only one that can go to the background and has contents.
fn contents(call: &Call, blobs: &dyn Blobs) -> Result<BTreeMap<String, String>, String> {
    let mut all = BTreeMap::new();
    if call.module == "_custom"
        && let Some(sha256) = call.args.get("sha256").and_then(Value::as_str)
    {
        let path = blobs.fetch(sha256).map_err(|e| e.to_string())?;
        let bytes = std::fs::read(&path).map_err(|e| reason(&e))?;
        all.insert(sha256.to_owned(), BASE64.encode(bytes));
    }
    Ok(all)
}

fn hand_over(order: &Order) -> io::Result<Reply> {
    let text = serde_json::to_vec(order)?;
    let mut child = Command::new(super::process::own_program())
        .args(["agent", "--job"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let written = match child.stdin.take() {
        Some(mut pipe) => pipe.write_all(&text),
        None => Ok(()),
    };
    let mut answer = Vec::new();
    let read = match child.stdout.take() {
        Some(mut pipe) => pipe.read_to_end(&mut answer),
        None => Ok(0),
    };
    // the process that was started ends at once, the job is its grandchild
    child.wait()?;
    written?;
    read?;
    serde_json::from_slice(&answer)
        .map_err(|_| io::Error::other("it ended before it said what became of it"))
}

/// What is known of a job that is not over, or the beginning of what is told of one that is.
fn about(jid: &str, finished: bool) -> Map {
    Map::new()
        .with("started", 1)
        .with("finished", i64::from(finished))
        .with("ansible_job_id", Value::data(jid))
}

/// `runbook agent --job`: reads a call, and goes on with it on its own. Returns the exit code.
pub fn run() -> i32 {
    let mut text = Vec::new();
    let order = io::stdin()
        .lock()
        .read_to_end(&mut text)
        .map_err(|e| reason(&e))
        .and_then(|_| serde_json::from_slice::<Order>(&text).map_err(|e| e.to_string()));
    drop(text);
    let order = match order {
        Ok(order) => order,
        Err(why) => return say(&Reply::Failed(format!("the job was not understood: {why}"))),
    };
    process::settle();
    // twice, with a new session in between: no terminal and no login can end it any more
    for step in 0..2 {
        // SAFETY: there is one thread
        match unsafe { fork() } {
            Ok(ForkResult::Parent { .. }) => return 0,
            Ok(ForkResult::Child) => {}
            Err(error) => {
                let why = format!("the job could not be started: {}", error.desc());
                return say(&Reply::Failed(why));
            }
        }
        if step == 0 {
            let _ = setsid();
        }
    }
    let job = match Job::begin(&order.dir) {
        Ok(job) => job,
        Err(why) => return say(&Reply::Failed(why)),
    };
    say(&Reply::Begun {
        jid: job.jid.clone(),
        file: job.path.clone(),
    });
    if let Err(error) = let_go() {
        let why = format!("the job could not leave its connection: {}", reason(&error));
        return i32::from(job.finish(Outcome::failure(why)).is_err());
    }
    // SAFETY: no other thread runs yet
    let keeper = unsafe { Keeper::start() };
    call::remember_panics();
    let session = Session::kept(io::sink(), |name| Registry.find(name), keeper);
    for (sha256, content) in order.contents {
        session.spool.take(&Blob {
            sha256,
            last: true,
            bytes: BASE64.decode(content).unwrap_or_default(),
        });
    }
    // nobody is there to send others
    session.spool.close();
    let cancel = Arc::new(Cancel::kept(session.keeper.clone()));
    stop_on_signals(&cancel);
    let outcome = call::run(&session, 0, order.call, &cancel);
    session.spool.remove();
    let outcome = with_complaint(outcome);
    let outcome = if timed_out(&outcome, order.seconds) {
        Outcome::failure("Timeout exceeded").with("child_pid", std::process::id())
    } else {
        outcome
    };
    i32::from(job.finish(outcome).is_err())
}

/// What a module of the user's own said on its standard error is part of a job's result.
fn with_complaint(mut outcome: Outcome) -> Outcome {
    if let Some(text) = outcome.data.take(COMPLAINT)
        && outcome.data.get("stderr").is_none()
        && outcome.data.get("censored").is_none()
    {
        outcome.data.set("stderr", text);
    }
    outcome
}

fn say(reply: &Reply) -> i32 {
    let mut out = io::stdout().lock();
    let sent = serde_json::to_writer(&mut out, reply).map_err(io::Error::from);
    // whoever waited may be gone; the job goes on
    let _ = sent.and_then(|()| out.flush());
    i32::from(matches!(reply, Reply::Failed(_)))
}

/// Lets go of the pipes: their end tells the agent that the job goes on by itself.
fn let_go() -> io::Result<()> {
    let null = open("/dev/null", OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty())?;
    dup2_stdin(&null)?;
    dup2_stdout(&null)?;
    dup2_stderr(&null)?;
    Ok(())
}

fn stop_on_signals(cancel: &Arc<Cancel>) {
    let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGTERM, SIGHUP, SIGINT]) else {
        return;
    };
    let cancel = Arc::clone(cancel);
    std::thread::spawn(move || {
        for signal in signals.forever() {
            if signal == SIGTERM {
                cancel.stop();
            }
        }
    });
}

/// Whether the call's time limit stopped it.
fn timed_out(outcome: &Outcome, seconds: u64) -> bool {
    let period = outcome.data.get("timedout").and_then(|t| t.get("period"));
    outcome.failed && period.and_then(Value::as_int) == i64::try_from(seconds).ok()
}

/// A job with its file.
struct Job {
    jid: String,
    path: PathBuf,
    /// Held until the process ends.
    _lock: Option<Flock<File>>,
}

impl Job {
    /// A new name and a file under it that says that the job runs.
    fn begin(dir: &Path) -> Result<Self, String> {
        let failed = |what: &str, error: &io::Error| {
            format!("could not {what}: {} - {}", dir.display(), reason(error))
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .map_err(|e| failed("create directory", &e))?;
        let mut random = [0; 8];
        // without randomness the process number still tells jobs apart
        let _ = getrandom::fill(&mut random);
        let number = u64::from_ne_bytes(random) % 1_000_000_000_000;
        let jid = format!("j{number}.{}", std::process::id());
        let path = dir.join(&jid);
        let state = Value::map(about(&jid, false).with(JOB_LOCKED, true));
        let file = write_whole(dir, &path, &state).map_err(|e| failed("write to", &e))?;
        // where locks cannot be had, the job is only not told from a dead one
        let lock = Flock::lock(file, FlockArg::LockExclusiveNonblock).ok();
        Ok(Self {
            jid,
            path,
            _lock: lock,
        })
    }

    /// Puts the outcome in the place of what said that it runs.
    fn finish(&self, outcome: Outcome) -> io::Result<()> {
        let dir = self.path.parent().unwrap_or(Path::new("."));
        write_whole(dir, &self.path, &outcome.into_job()).map(|_| ())
    }
}

/// Writes a file that is never seen half, for its owner only.
fn write_whole(dir: &Path, path: &Path, content: &Value) -> io::Result<File> {
    let mut file = tempfile::Builder::new()
        .prefix(".")
        .suffix(".tmp")
        .permissions(Permissions::from_mode(0o600))
        .tempfile_in(dir)?;
    file.write_all(&serde_json::to_vec(&content.to_json())?)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|e| e.error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &Path) -> serde_json::Value {
        let text = std::fs::read(path).expect("there is a file");
        serde_json::from_slice(&text).expect("JSON")
    }

    #[test]
    fn a_job_has_a_private_file_that_is_locked_while_it_runs() {
        let home = tempfile::tempdir().expect("a directory");
        let dir = home.path().join("a/b");
        let job = Job::begin(&dir).expect("begun");
        let mode = |path: &Path| {
            let about = std::fs::metadata(path).expect("there");
            about.permissions().mode() & 0o777
        };
        assert_eq!((mode(&dir), mode(&job.path)), (0o700, 0o600));
        let state = read(&job.path);
        assert_eq!(state["started"], 1);
        assert_eq!(state["finished"], 0);
        assert_eq!(state["ansible_job_id"], job.jid.as_str());
        assert!(Sys::real().is_held(&job.path));
        let path = job.path.clone();
        drop(job);
        assert!(!Sys::real().is_held(&path));
    }

    #[test]
    fn the_result_takes_the_place_of_the_state() {
        let home = tempfile::tempdir().expect("a directory");
        let job = Job::begin(home.path()).expect("begun");
        let outcome = Outcome {
            changed: true,
            ..Outcome::failure("no").with("rc", 3)
        };
        job.finish(outcome).expect("written");
        let result = read(&job.path);
        assert_eq!(result["failed"], true);
        assert_eq!(result["changed"], true);
        assert_eq!(result["rc"], 3);
        assert_eq!(result.get("started"), None);
        let files = std::fs::read_dir(home.path()).expect("a directory").count();
        assert_eq!(files, 1);
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_named() {
        let why = Job::begin(Path::new("/dev/null/x")).err().expect("fails");
        assert!(why.contains("/dev/null/x"), "{why}");
    }

    #[test]
    fn only_the_jobs_own_limit_counts_as_its_timeout() {
        let limit = |n: i64| Value::map(Map::new().with("period", n));
        let stopped = Outcome::failure("late").with("timedout", limit(5));
        assert!(timed_out(&stopped, 5));
        assert!(!timed_out(&stopped, 6));
        assert!(!timed_out(&Outcome::failure("no"), 5));
    }
}
