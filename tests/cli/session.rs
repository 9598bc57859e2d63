//! One case's directory and environment, and commands in it.

use std::fmt;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// No command takes longer.
const LIMIT: Duration = Duration::from_secs(60);

/// A copy of a case's directory, a home, and the binary on the path.
pub struct Session {
    root: tempfile::TempDir,
}

/// How a command ended.
pub struct End {
    command: String,
    /// `None`: a signal, or it took too long.
    pub exit: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Session {
    /// A fresh copy of the case.
    pub fn of(case: &Path) -> Self {
        let root = tempfile::Builder::new()
            .prefix("runbook-cli-")
            .tempdir()
            .expect("a directory");
        for dir in ["work", "home", "bin", "tmp"] {
            fs::create_dir(root.path().join(dir)).expect("a directory");
        }
        copy(case, &root.path().join("work"));
        std::os::unix::fs::symlink(
            env!("CARGO_BIN_EXE_runbook"),
            root.path().join("bin/runbook"),
        )
        .expect("the binary");
        Self { root }
    }

    fn dir(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Runs one line of `args`.
    pub fn run(&self, line: &str) -> End {
        let command = match line.strip_prefix("$ ") {
            Some(shell) => shell.to_owned(),
            None => format!("runbook {line}"),
        };
        let outputs = [self.dir("stdout"), self.dir("stderr")];
        let [stdout, stderr] = outputs
            .each_ref()
            .map(|path| fs::File::create(path).expect("a file"));
        let path = format!(
            "{}:/usr/sbin:/usr/bin:/sbin:/bin",
            self.dir("bin").display()
        );
        let mut child = Command::new("/bin/sh")
            .args(["-c", &command])
            .current_dir(self.dir("work"))
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.dir("home"))
            .env("TMPDIR", self.dir("tmp"))
            .env("LANG", "C.UTF-8")
            .env("TZ", "UTC")
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr)
            .process_group(0)
            .spawn()
            .expect("a shell");
        let begun = Instant::now();
        let exit = loop {
            match child.try_wait().expect("a child") {
                Some(status) => break status.code(),
                None if begun.elapsed() > LIMIT => {
                    let _ = child.kill();
                    let _ = child.wait();
                    break None;
                }
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        };
        let [stdout, stderr] = outputs
            .map(|path| String::from_utf8_lossy(&fs::read(path).expect("the output")).into_owned());
        End {
            command,
            exit,
            stdout: self.stable(&stdout),
            stderr: self.stable(&stderr),
        }
    }

    /// The text without what differs from run to run.
    fn stable(&self, text: &str) -> String {
        assert!(!text.contains("hunter2"), "a secret in {text}");
        // logs are for developers: that they hold no secret is all that is checked
        let is_log =
            |line: &&str| line.contains(" DEBUG runbook") || line.contains(" TRACE runbook");
        let mut text: String = text
            .split_inclusive('\n')
            .filter(|line| !is_log(line))
            .collect();
        text = text.replace('\u{1b}', "\u{241b}");
        for (dir, name) in [("work", "[DIR]"), ("home", "[HOME]"), ("tmp", "[TMP]")] {
            text = text.replace(&self.dir(dir).display().to_string(), name);
        }
        text = text.replace(env!("CARGO_PKG_VERSION"), "[VERSION]");
        for (before, after, with) in [
            ("\"elapsed_ms\":", ",}", "0"),
            ("\"start\":\"", "\"", "[TIME]"),
            ("\"end\":\"", "\"", "[TIME]"),
            ("\"delta\":\"", "\"", "[TIME]"),
            ("\"start\": \"", "\"", "[TIME]"),
            ("\"end\": \"", "\"", "[TIME]"),
            ("\"delta\": \"", "\"", "[TIME]"),
            ("&quot;start&quot;: &quot;", "&", "[TIME]"),
            ("&quot;end&quot;: &quot;", "&", "[TIME]"),
            ("&quot;delta&quot;: &quot;", "&", "[TIME]"),
            (" time=\"", "\"", "[TIME]"),
            (" timestamp=\"", "\"", "[TIME]"),
        ] {
            text = replaced(&text, before, after, with);
        }
        text
    }
}

/// What stands between a text and the next of some characters, replaced.
fn replaced(text: &str, before: &str, after: &str, with: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(before) {
        let (head, tail) = rest.split_at(at + before.len());
        out.push_str(head);
        out.push_str(with);
        rest = tail
            .find(|c| after.contains(c))
            .map_or("", |end| &tail[end..]);
    }
    out + rest
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "$ {}", self.command)?;
        match self.exit {
            Some(0) => {}
            Some(code) => writeln!(f, "[exit {code}]")?,
            None => writeln!(f, "[killed]")?,
        }
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !text.is_empty() {
                writeln!(f, "--- {name}\n{}", text.trim_end())?;
            }
        }
        writeln!(f)
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            fs::create_dir(&target).expect("a directory");
            copy(&entry.path(), &target);
        } else if entry.file_name() != "args" {
            fs::copy(entry.path(), &target).expect("a copy");
        }
    }
}
