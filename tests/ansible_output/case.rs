//! One case: its files, its commands, and how they are run.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const INVENTORY: &str = "\
[web]
h1 ansible_connection=local
h2 ansible_connection=local

[db]
h3 ansible_connection=local ansible_host=127.0.0.1
";

const PROGRAMS: [&str; 6] = [
    "ansible",
    "ansible-playbook",
    "ansible-inventory",
    "ansible-config",
    "ansible-doc",
    "ansible-vault",
];

/// How long one command may take.
const LIMIT: Duration = Duration::from_secs(120);

pub struct Case {
    runs: Vec<String>,
    env: Vec<(String, String)>,
    files: Vec<(String, String)>,
    stderr: bool,
    /// Ansible-core has nothing to compare with: the expectation is runbook's own.
    pub own: bool,
}

impl Case {
    pub fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).expect("a case");
        let mut case = Self {
            runs: Vec::new(),
            env: Vec::new(),
            files: vec![
                ("inventory".to_owned(), INVENTORY.to_owned()),
                ("playbook.yml".to_owned(), String::new()),
            ],
            stderr: false,
            own: false,
        };
        for line in text.lines() {
            if let Some(name) = line.strip_prefix("#==> ") {
                case.files.push((name.trim().to_owned(), String::new()));
                continue;
            }
            // what is for the test is no part of the playbook, whose lines are shown
            if let Some(run) = line.strip_prefix("# run: ") {
                case.runs.push(run.to_owned());
                continue;
            }
            if let Some((name, value)) =
                line.strip_prefix("# env: ").and_then(|e| e.split_once('='))
            {
                case.env.push((name.to_owned(), value.to_owned()));
                continue;
            }
            if line == "# own" {
                case.own = true;
                continue;
            }
            if line == "# stderr" {
                case.stderr = true;
                continue;
            }
            if let Some((_, content)) = case.files.last_mut() {
                content.push_str(line);
                content.push('\n');
            }
        }
        if case.runs.is_empty() {
            case.runs
                .push("ansible-playbook -i inventory playbook.yml".to_owned());
        }
        case
    }

    /// What the commands print, with the programs in that directory, or with runbook.
    pub fn run(&self, oracle: Option<&Path>) -> String {
        let dir = tempfile::tempdir().expect("a directory");
        let root = dir.path().canonicalize().expect("a directory");
        let work = root.join("work");
        for (name, content) in &self.files {
            let path = work.join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
            std::fs::write(&path, content).expect("a file");
        }
        std::fs::create_dir_all(root.join("home")).expect("a directory");
        let bin = root.join("bin");
        std::fs::create_dir_all(&bin).expect("a directory");
        for program in PROGRAMS {
            let target = oracle.map_or_else(
                || PathBuf::from(env!("CARGO_BIN_EXE_runbook")),
                |oracle| oracle.join(program),
            );
            std::os::unix::fs::symlink(target, bin.join(program)).expect("a link");
        }
        let mut out = String::new();
        for run in &self.runs {
            let _ = writeln!(out, "$ {run}");
            out.push_str(&self.command(run, &root, oracle));
        }
        out
    }

    fn command(&self, run: &str, root: &Path, oracle: Option<&Path>) -> String {
        let file = |name: &str| std::fs::File::create(root.join(name)).expect("a file");
        let path = format!(
            "{}:/usr/sbin:/usr/bin:/sbin:/bin",
            root.join("bin").display()
        );
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", run])
            .current_dir(root.join("work"))
            .env_clear()
            .env("PATH", path)
            .env("HOME", root.join("home"))
            .env("LC_ALL", "C.UTF-8")
            .env("TZ", "UTC")
            // results in the order of hosts
            .env("ANSIBLE_FORKS", "1")
            .stdin(Stdio::null())
            .stdout(file("stdout"))
            .stderr(file("stderr"));
        if let Some(bin) = oracle {
            command
                .env("ANSIBLE_PYTHON_INTERPRETER", bin.join("python"))
                .env("ANSIBLE_PIPELINING", "1");
        }
        command.envs(self.env.iter().map(|(k, v)| (k, v)));
        let mut child = command.spawn().expect("a shell");
        let start = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().expect("a child") {
                break status;
            }
            if start.elapsed() > LIMIT {
                let _ = child.kill();
                let _ = child.wait();
                return "it did not end\n".to_owned();
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let mut out = String::new();
        for name in ["stdout", "stderr"] {
            if name == "stderr" && !self.stderr {
                continue;
            }
            let bytes = std::fs::read(root.join(name)).expect("the output");
            let text = String::from_utf8_lossy(&bytes);
            if name == "stderr" && !text.is_empty() {
                out.push_str("--- stderr\n");
            }
            out.push_str(&stable(&text, root));
        }
        let _ = writeln!(out, "[exit {}]", status.code().unwrap_or(-1));
        out
    }
}

/// The text without what differs from run to run.
fn stable(text: &str, root: &Path) -> String {
    let mut text = text
        .replace(&root.join("work").display().to_string(), "{dir}")
        .replace(&root.join("home").display().to_string(), "{home}")
        .replace('\u{1b}', "\u{241b}");
    for name in ["delta", "start", "end"] {
        for (open, close) in [
            (format!("\"{name}\": \""), '"'),
            (format!("&quot;{name}&quot;: &quot;"), '&'),
            (format!("{name}: '"), '\''),
        ] {
            text = replaced(&text, &open, close);
        }
    }
    replaced(&text, " time=\"", '"')
}

/// What stands between `open` and the next `close`, as `T`.
fn replaced(text: &str, open: &str, close: char) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((head, tail)) = rest.split_once(open) {
        out.push_str(head);
        out.push_str(open);
        out.push('T');
        rest = tail.find(close).map_or("", |end| &tail[end..]);
    }
    out + rest
}
