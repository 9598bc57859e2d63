//! Standard output and standard error as commands write to them: a closed pipe is no reason to panic.

use super::exit::Exit;
use std::fmt::Arguments;
use std::io::{ErrorKind, Write};

/// Writes to standard output. If nobody reads it any more (`| head`), the process ends quietly; if it cannot be
/// written, it ends with a message. Only for commands that hold nothing but what they print.
pub fn out(text: Arguments<'_>) {
    let mut stdout = std::io::stdout().lock();
    let Err(error) = stdout.write_fmt(text).and_then(|()| stdout.flush()) else {
        return;
    };
    drop(stdout);
    if error.kind() == ErrorKind::BrokenPipe {
        std::process::exit(Exit::Ok.code());
    }
    let reason = crate::diag::io_reason(&error);
    err(format_args!(
        "error: cannot write to standard output: {reason}\n"
    ));
    std::process::exit(Exit::Error.code());
}

/// Writes to standard error, if anybody reads it.
pub fn err(text: Arguments<'_>) {
    let _ = std::io::stderr().lock().write_fmt(text);
}

/// A line for standard output.
macro_rules! outln {
    ($($text:tt)*) => {
        $crate::cli::streams::out(format_args!("{}\n", format_args!($($text)*)))
    };
}

/// A line for standard error.
macro_rules! errln {
    ($($text:tt)*) => {
        $crate::cli::streams::err(format_args!("{}\n", format_args!($($text)*)))
    };
}

pub(super) use {errln, outln};
