//! A directory to run the binary in, with bounds of time and memory.

use crate::mutate::Mutator;
use std::fs;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// No input takes longer: some bombs are given up by the binary itself after a while.
const LIMIT: Duration = Duration::from_secs(40);
/// Kilobytes of address space: what asks for more is a bomb that went off.
const MEMORY: u64 = 6_000_000;

pub struct Sandbox {
    root: tempfile::TempDir,
}

impl Sandbox {
    pub fn empty() -> Self {
        let root = tempfile::Builder::new()
            .prefix("runbook-robust-")
            .tempdir()
            .expect("a directory");
        for dir in ["work", "home"] {
            fs::create_dir(root.path().join(dir)).expect("a directory");
        }
        Self { root }
    }

    /// With a copy of these files.
    pub fn of(dir: &Path) -> Self {
        let sandbox = Self::empty();
        copy(dir, &sandbox.work());
        sandbox
    }

    fn work(&self) -> PathBuf {
        self.root.path().join("work")
    }

    pub fn has(&self, name: &str) -> bool {
        self.work().join(name).is_file()
    }

    pub fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.work().join(name), bytes).expect("a file");
    }

    /// Breaks one of the files.
    pub fn break_a_file(&self, mutator: &mut Mutator) {
        let mut files: Vec<PathBuf> = walkdir::WalkDir::new(self.work())
            .into_iter()
            .map(|entry| entry.expect("an entry"))
            .filter(|entry| entry.file_type().is_file())
            .map(walkdir::DirEntry::into_path)
            .collect();
        files.sort();
        if let Some(file) = files.get(mutator.below(files.len())) {
            let bytes = fs::read(file).expect("a file");
            fs::write(file, mutator.bytes(&bytes)).expect("a file");
        }
    }

    /// Runs the binary; complains of panics, signals and hangs.
    pub fn check(&self, arguments: &str) -> Result<(), String> {
        let output = self.root.path().join("output");
        let file = fs::File::create(&output).expect("a file");
        let binary = env!("CARGO_BIN_EXE_runbook");
        let mut child = Command::new("/bin/sh")
            .args([
                "-c",
                &format!("ulimit -v {MEMORY}; exec {binary} {arguments}"),
            ])
            .current_dir(self.work())
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("HOME", self.root.path().join("home"))
            .env("LANG", "C.UTF-8")
            .stdin(Stdio::null())
            .stderr(file.try_clone().expect("the file"))
            .stdout(file)
            .process_group(0)
            .spawn()
            .expect("a shell");
        let begun = Instant::now();
        let status = loop {
            match child.try_wait().expect("a child") {
                Some(status) => break Some(status),
                None if begun.elapsed() > LIMIT => {
                    let _ = child.kill();
                    let _ = child.wait();
                    break None;
                }
                None => std::thread::sleep(Duration::from_millis(3)),
            }
        };
        let said = String::from_utf8_lossy(&fs::read(&output).expect("the output")).into_owned();
        let problem = match status {
            None => format!("no end after {} s", LIMIT.as_secs()),
            Some(status) if status.signal().is_some() => format!("{status}"),
            Some(status) if status.code() == Some(250) => "a bug".to_owned(),
            Some(_) if said.contains("panicked") || said.contains("a bug in runbook:") => {
                "a panic".to_owned()
            }
            Some(_) => return Ok(()),
        };
        let kept = self.keep();
        let end: String = said
            .chars()
            .rev()
            .take(1500)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect();
        Err(format!(
            "{problem}: runbook {arguments}\nin {}\n{end}",
            kept.display()
        ))
    }

    /// Leaves the files for a look.
    fn keep(&self) -> PathBuf {
        let kept = std::env::temp_dir()
            .join("runbook-robust-failures")
            .join(self.root.path().file_name().unwrap_or_default());
        let _ = fs::create_dir_all(&kept);
        copy(&self.work(), &kept);
        kept
    }
}

/// A word for the shell.
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\0', "").replace('\'', "'\\''"))
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            fs::create_dir_all(&target).expect("a directory");
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).expect("a copy");
        }
    }
}
