//! The agent as a process: its stdin and stdout, environment, signals, end.

use super::{CHECK_MARK, Session};
use crate::modules::Registry;
use nix::fcntl::{FcntlArg, OFlag, fcntl, open};
use nix::sys::stat::Mode;
use sha2::{Digest, Sha256};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, FromRawFd, IntoRawFd, RawFd};
use std::path::PathBuf;

/// Where programs are looked for if the environment does not say.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Private descriptors begin here, out of the way of shells that name low ones.
const PRIVATE_FD: RawFd = 20;

/// `runbook agent`: serves the controller over stdin and stdout until the stream ends. Returns the exit code: 0 after
/// an end in order, 1 when the stream was not one of frames.
pub fn run() -> i32 {
    let (input, output) = match take_over_stdio() {
        Ok(pair) => pair,
        Err(error) => {
            eprintln!("runbook agent: cannot take over stdin and stdout: {error}");
            return 1;
        }
    };
    settle();
    // SAFETY: no other thread runs yet
    let keeper = unsafe { super::keeper::Keeper::start() };
    super::call::remember_panics();
    let session = Session::kept(output, |name| Registry.find(name), keeper);
    end_on_signals(&session);
    match session.serve(input) {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("runbook agent: {error}");
            1
        }
    }
}

/// `runbook agent --check`: says that this program runs on this machine, and which one it is.
pub fn check() -> i32 {
    match own_digest() {
        Ok(digest) => {
            println!("{CHECK_MARK} {digest}");
            0
        }
        Err(error) => {
            eprintln!("runbook agent: cannot read its own program: {error}");
            1
        }
    }
}

/// The file of this program, also when it was replaced or removed. Where there is no `/proc`, as in many a chroot, it is what was called.
pub(super) fn own_program() -> PathBuf {
    let link = PathBuf::from("/proc/self/exe");
    if link.exists() {
        return link;
    }
    std::env::args_os().next().map_or(link, PathBuf::from)
}

fn own_digest() -> io::Result<String> {
    let mut file = File::open(own_program())?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(crate::sys::hex(&digest.finalize())),
            n => digest.update(buffer.get(..n).unwrap_or_default()),
        }
    }
}

/// Moves stdin and stdout to private descriptors that no child inherits. Descriptor 0 becomes empty, and 1 goes
/// where 2 goes, so that nothing but the agent can write into the stream.
fn take_over_stdio() -> io::Result<(File, File)> {
    let input = private(io::stdin().as_fd())?;
    let output = private(io::stdout().as_fd())?;
    let null = open("/dev/null", OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty())?;
    replace(&null, libc::STDIN_FILENO)?;
    if fcntl(io::stderr().as_fd(), FcntlArg::F_GETFD).is_err() {
        replace(&null, libc::STDERR_FILENO)?;
    }
    replace(&io::stderr(), libc::STDOUT_FILENO)?;
    Ok((input, output))
}

fn private(fd: impl AsFd) -> io::Result<File> {
    let fd = fcntl(fd.as_fd(), FcntlArg::F_DUPFD_CLOEXEC(PRIVATE_FD))?;
    // SAFETY: the descriptor was just made, nobody else owns it
    Ok(unsafe { File::from_raw_fd(fd) })
}

fn replace(with: &impl AsFd, target: RawFd) -> io::Result<()> {
    // SAFETY: the standard descriptors are never closed, so forgetting the owner of one is right
    let mut slot = unsafe { std::os::fd::OwnedFd::from_raw_fd(target) };
    let result = nix::unistd::dup2(with.as_fd(), &mut slot);
    let _ = slot.into_raw_fd();
    Ok(result?)
}

/// A sane umask, directory and search path, for what was started by an unusual login. Locale variables stay.
pub(super) fn settle() {
    let mask = nix::sys::stat::umask(Mode::from_bits_truncate(0o022));
    if !mask.is_empty() {
        nix::sys::stat::umask(mask);
    }
    if std::env::var_os("PATH").is_none_or(|path| path.is_empty()) {
        // SAFETY: no other thread runs yet
        unsafe { std::env::set_var("PATH", DEFAULT_PATH) };
    }
    let here = std::env::current_dir();
    if here.is_err() || std::fs::read_dir(".").is_err() {
        let home = std::env::var_os("HOME").unwrap_or_else(|| "/".into());
        if std::env::set_current_dir(home).is_err() {
            let _ = std::env::set_current_dir("/");
        }
    }
}

/// SIGTERM and SIGHUP end the agent in order. SIGINT is caught and does nothing: it is the controller's terminal
/// that sends it, and the controller decides; caught, unlike ignored, it is not passed on to children.
fn end_on_signals(session: &std::sync::Arc<Session>) {
    let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGTERM, SIGHUP, SIGINT]) else {
        return;
    };
    let session = std::sync::Arc::clone(session);
    std::thread::spawn(move || {
        for signal in signals.forever() {
            if signal != SIGINT {
                session.end();
                std::process::exit(128 + signal);
            }
        }
    });
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_digest_is_of_the_running_program() {
        let program = std::fs::read("/proc/self/exe").expect("readable");
        let expected = crate::sys::hex(&<sha2::Sha256 as sha2::Digest>::digest(program));
        assert_eq!(super::own_digest().expect("readable"), expected);
    }
}
