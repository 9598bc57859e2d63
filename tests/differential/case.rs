//! One case: its files, its command line, and how it is run.

use super::observed::Observed;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const INVENTORY: &str = "\
[web]
h1 ansible_connection=local
h2 ansible_connection=local

[db]
h3 ansible_connection=local
";

/// How long one run may take.
const LIMIT: Duration = Duration::from_secs(120);

pub struct Case {
    pub path: PathBuf,
    args: Vec<String>,
    env: Vec<(String, String)>,
    files: Vec<(String, String)>,
    /// Hosts do not keep in step, so only what each does by itself has an order.
    apart: bool,
    /// It uses plugins of collections, which ansible-core does not have (see `collections.sh`).
    pub needs_collections: bool,
}

/// The directory that `collections.sh` has made.
pub fn collections() -> Option<PathBuf> {
    let path = std::env::var_os("RUNBOOK_COLLECTIONS").filter(|path| !path.is_empty());
    path.map(PathBuf::from)
}

impl Case {
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|e| e.to_string())?;
        let mut case = Self {
            path: path.to_owned(),
            args: Vec::new(),
            env: Vec::new(),
            apart: false,
            needs_collections: false,
            files: vec![
                ("inventory".to_owned(), INVENTORY.to_owned()),
                ("playbook.yml".to_owned(), String::new()),
            ],
        };
        for line in text.lines() {
            if let Some(name) = line.strip_prefix("#==> ") {
                case.files.push((name.trim().to_owned(), String::new()));
                continue;
            }
            if case.files.len() == 2 {
                case.apart |= line == "# apart";
                case.needs_collections |= line == "# needs: collections";
                if let Some(args) = line.strip_prefix("# args: ") {
                    case.args.extend(runbook::value::shell_words(args)?);
                }
                if let Some((name, value)) =
                    line.strip_prefix("# env: ").and_then(|e| e.split_once('='))
                {
                    case.env.push((name.to_owned(), value.to_owned()));
                }
            }
            if let Some((_, content)) = case.files.last_mut() {
                content.push_str(line);
                content.push('\n');
            }
        }
        Ok(case)
    }

    /// Runs the case in a directory of its own.
    pub fn run(&self, program: &Path, oracle: bool) -> Result<Observed, String> {
        let dir = tempfile::tempdir().map_err(|e| e.to_string())?;
        let root = dir.path().canonicalize().map_err(|e| e.to_string())?;
        for (name, content) in &self.files {
            let path = root.join(name);
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent).map_err(|e| e.to_string())?;
            }
            std::fs::write(&path, content).map_err(|e| e.to_string())?;
            if content.starts_with("#!") {
                use std::os::unix::fs::PermissionsExt as _;
                std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))
                    .map_err(|e| e.to_string())?;
            }
        }
        for name in ["out", "home"] {
            std::fs::create_dir_all(root.join(name)).map_err(|e| e.to_string())?;
        }
        let out = |name: &str| std::fs::File::create(root.join(name)).map_err(|e| e.to_string());
        let mut command = Command::new(program);
        if !oracle {
            command.arg("play");
        }
        command
            .args(["-i", "inventory"])
            .args(&self.args)
            .arg("playbook.yml")
            .current_dir(&root)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", root.join("home"))
            .env("LC_ALL", "C.UTF-8")
            .env("NO_COLOR", "1")
            .env("ANSIBLE_NOCOLOR", "1")
            .envs(self.env.iter().map(|(k, v)| (k, v)))
            .stdin(std::process::Stdio::null())
            .stdout(out("stdout")?)
            .stderr(out("stderr")?);
        if oracle {
            if let Some(bin) = program.parent() {
                command.env("ANSIBLE_PYTHON_INTERPRETER", bin.join("python"));
            }
            if self.needs_collections {
                let dir = collections().ok_or("RUNBOOK_COLLECTIONS is not set")?;
                command.env("PYTHONPATH", dir.join("python"));
                command.env("ANSIBLE_COLLECTIONS_PATH", dir);
            }
            command.env("ANSIBLE_DEPRECATION_WARNINGS", "0");
            command.env("ANSIBLE_PIPELINING", "1");
        }
        let mut child = command
            .spawn()
            .map_err(|e| format!("{}: {e}", program.display()))?;
        let start = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().map_err(|e| e.to_string())? {
                break status;
            }
            if start.elapsed() > LIMIT {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("{} did not end", program.display()));
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let read =
            |name: &str| std::fs::read(root.join(name)).map(|b| String::from_utf8_lossy(&b).into());
        let stdout: String = read("stdout").map_err(|e: std::io::Error| e.to_string())?;
        let stderr: String = read("stderr").map_err(|e: std::io::Error| e.to_string())?;
        let place = root.display().to_string();
        let files = walkdir::WalkDir::new(root.join("out"))
            .sort_by_file_name()
            .into_iter()
            .filter_map(Result::ok)
            .filter(|entry| entry.file_type().is_file())
            .map(|entry| {
                let name = entry.path().strip_prefix(root.join("out"));
                let text = std::fs::read(entry.path()).unwrap_or_default();
                (
                    name.unwrap_or(entry.path()).display().to_string(),
                    String::from_utf8_lossy(&text).replace(&place, "{dir}"),
                )
            })
            .collect();
        let seen = Observed::of(
            status.code().unwrap_or(-1),
            &stdout.replace(&place, "{dir}"),
            &stderr.replace(&place, "{dir}"),
            files,
        );
        Ok(if self.apart { seen.apart() } else { seen })
    }
}
