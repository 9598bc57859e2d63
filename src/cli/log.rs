//! The log of runs (`log_path`): what goes to the terminal, line by line, with time, process, user and program.
//!
//! There is one for the process, opened with the configuration.

use super::show::Show;
use crate::config::Config;
use crate::diag::{Diagnostic, Severity, io_reason};
use std::fs::File;
use std::io::Write;
use std::sync::{Mutex, OnceLock, PoisonError};

struct Log {
    file: Mutex<File>,
    /// `p=4711 u=root n=ansible`
    who: String,
}

static LOG: OnceLock<Log> = OnceLock::new();

/// Opens the log that the configuration names, if it names one.
pub fn open(config: &Config, show: &Show) {
    let Some(path) = &config.log_path.value else {
        return;
    };
    if LOG.get().is_some() {
        return;
    }
    match File::options().append(true).create(true).open(path) {
        Ok(file) => {
            let user = ["USER", "LOGNAME"]
                .iter()
                .find_map(|name| std::env::var(name).ok())
                .unwrap_or_else(|| nix::unistd::getuid().to_string());
            let who = format!("p={} u={user} n=ansible", std::process::id());
            let _ = LOG.set(Log {
                file: Mutex::new(file),
                who,
            });
        }
        Err(error) => show.diagnostic(&Diagnostic::warning(
            "config::log",
            format!(
                "log file at {} is not writeable and cannot be created: {}",
                path.display(),
                io_reason(&error)
            ),
        )),
    }
}

/// The text without colours.
fn uncoloured(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str(part.split_once('m').map_or(part, |(_, rest)| rest));
    }
    plain
}

/// Adds a message.
fn record(level: &str, text: &str) {
    let Some(log) = LOG.get() else {
        return;
    };
    let plain = uncoloured(text);
    let plain = plain.trim_start_matches('\n').trim_end_matches('\n');
    if plain.is_empty() {
        return;
    }
    let time = jiff::Zoned::now();
    let line = format!(
        "{},{:03} {} {level}| {plain}\n",
        time.strftime("%F %T"),
        time.millisecond(),
        log.who
    );
    let mut file = log.file.lock().unwrap_or_else(PoisonError::into_inner);
    // a full disk does not stop a run
    let _ = file.write_all(line.as_bytes());
}

/// Adds what a diagnostic says.
pub fn diagnostic(severity: Severity, text: &str) {
    record(
        match severity {
            Severity::Error => "ERROR",
            Severity::Warning => "WARNING",
            Severity::Deprecation => "INFO",
        },
        text,
    );
}

/// The level of a message of a report.
fn level(text: &str) -> &'static str {
    let plain = uncoloured(text);
    let begins = |words: &[&str]| words.iter().any(|word| plain.starts_with(word));
    if begins(&["[WARNING]"]) {
        "WARNING"
    } else if begins(&["fatal:", "failed:", "ERROR!", "[ERROR]"]) {
        "ERROR"
    } else {
        "INFO"
    }
}

/// Writes to both, the log and this.
pub fn both(inner: Box<dyn Write + Send>) -> Box<dyn Write + Send> {
    if LOG.get().is_none() {
        return inner;
    }
    Box::new(Both {
        inner,
        held: Vec::new(),
    })
}

struct Both {
    inner: Box<dyn Write + Send>,
    /// A line that has not ended.
    held: Vec<u8>,
}

impl Write for Both {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.held.extend(bytes.iter().take(count));
        if self.held.ends_with(b"\n") {
            let text = String::from_utf8_lossy(&self.held).into_owned();
            record(level(&text), &text);
            self.held.clear();
        }
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::{level, uncoloured};

    #[test]
    fn a_line_tells_how_grave_it_is() {
        assert_eq!(level("ok: [h]\n"), "INFO");
        assert_eq!(level("\u{1b}[0;31mfatal: [h]: FAILED!\u{1b}[0m\n"), "ERROR");
        assert_eq!(level("[WARNING]: x"), "WARNING");
        assert_eq!(uncoloured("\u{1b}[0;32mok\u{1b}[0m"), "ok");
    }
}
