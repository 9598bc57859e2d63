//! Runs the examples of the documents.
//!
//! A block that begins with three backquotes and `console` is run: every line that begins with `$ ` is a command, and
//! the lines below it must occur in its output, in this order; `...` stands for anything. A command must end with 0,
//! or with N if `# exit code N` stands behind it. The commands of one document run one after the other in a copy of
//! the repository's playbooks, roles and inventories, with an empty home directory.
//! Blocks that begin with `console (machines)` need machines, and are not run. What stands in a block with
//! ` file=PATH` behind its language is a file there before the first command; one with ` program=PATH` can be run.

use super::{documents, root};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A command and what is shown of its output.
#[derive(Debug, PartialEq)]
struct Example {
    /// Line in the document, from 1.
    line: usize,
    command: String,
    exit: i32,
    shown: Vec<String>,
}

/// The examples of a document that can be run here.
fn examples(text: &str) -> Vec<Example> {
    let mut found: Vec<Example> = Vec::new();
    let mut inside = false;
    let mut continued = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            inside = !inside && line.trim() == "```console";
            continued = false;
        } else if !inside {
        } else if continued {
            if let Some(example) = found.last_mut() {
                continued = extend(example, line);
            }
        } else if let Some(command) = line.strip_prefix("$ ") {
            let mut example = Example {
                line: index + 1,
                command: String::new(),
                exit: 0,
                shown: Vec::new(),
            };
            continued = extend(&mut example, command);
            found.push(example);
        } else if let Some(example) = found.last_mut() {
            let line = plain(line);
            if !line.is_empty() && line != "..." {
                example.shown.push(line);
            }
        }
    }
    found
}

/// A file that a document shows.
struct Shown {
    path: String,
    text: String,
    program: bool,
}

/// The files of a document.
fn files(text: &str) -> Vec<Shown> {
    let mut found: Vec<Shown> = Vec::new();
    let mut inside = false;
    let mut wanted = false;
    for line in text.lines() {
        if let Some(head) = line.strip_prefix("```") {
            inside = !inside;
            let word = |key: &str| head.split(' ').find_map(|word| word.strip_prefix(key));
            let path = word("file=").or_else(|| word("program="));
            wanted = inside && path.is_some();
            if let Some(path) = path.filter(|_| inside) {
                found.push(Shown {
                    path: path.to_owned(),
                    text: String::new(),
                    program: word("program=").is_some(),
                });
            }
        } else if wanted && let Some(file) = found.last_mut() {
            file.text.push_str(line);
            file.text.push('\n');
        }
    }
    found
}

/// Writes the files of a document.
fn place(text: &str, directory: &Path) {
    use std::os::unix::fs::PermissionsExt;
    for file in files(text) {
        let path = directory.join(&file.path);
        fs::create_dir_all(path.parent().expect("in a directory")).expect("a directory");
        fs::write(&path, file.text).expect("a file");
        if file.program {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a program");
        }
    }
}

/// Adds a line to a command. Whether another one follows.
fn extend(example: &mut Example, line: &str) -> bool {
    let (line, more) = match line.strip_suffix('\\') {
        Some(line) => (line, true),
        None => (line, false),
    };
    let (command, exit) = line.split_once("# exit code ").unwrap_or((line, "0"));
    example.command.push_str(command);
    example.exit = exit.trim().parse().expect("a number after `# exit code`");
    more
}

/// A line for comparing: single spaces, no rule of stars at its end.
fn plain(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    words.join(" ").trim_end_matches('*').trim_end().to_owned()
}

/// The first line that is shown and does not come.
fn missing<'a>(shown: &'a [String], output: &str) -> Option<&'a str> {
    let mut lines = output.lines().map(plain);
    shown
        .iter()
        .find(|wanted| !lines.any(|line| line == **wanted))
        .map(String::as_str)
}

fn binary() -> PathBuf {
    std::env::var_os("RUNBOOK_BIN")
        .map_or_else(|| env!("CARGO_BIN_EXE_runbook").into(), PathBuf::from)
}

/// A directory with the repository's examples, and `bin/runbook`.
fn sandbox() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    for name in ["playbooks", "roles", "inventories"] {
        let done = Command::new("cp")
            .arg("-a")
            .arg(root().join(name))
            .arg(directory.path())
            .status()
            .expect("cp");
        assert!(done.success(), "cannot copy {name}");
    }
    fs::create_dir(directory.path().join("bin")).expect("a directory");
    fs::create_dir(directory.path().join("home")).expect("a directory");
    let binary = fs::canonicalize(binary()).expect("the binary");
    std::os::unix::fs::symlink(binary, directory.path().join("bin/runbook")).expect("a link");
    directory
}

/// Runs one example. What is wrong with it.
fn run(example: &Example, directory: &Path) -> Result<(), String> {
    let home = directory.join("home");
    let output = Command::new("timeout")
        .args(["120", "sh", "-c", &example.command])
        .current_dir(directory)
        .env_clear()
        .env("HOME", &home)
        .env(
            "PATH",
            format!("{}:/usr/bin:/bin", directory.join("bin").display()),
        )
        .env("LANG", "C.UTF-8")
        .stdin(std::process::Stdio::null())
        .output()
        .map_err(|error| format!("timeout(1): {error}"))?;
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    let code = output.status.code().unwrap_or(-1);
    if code != example.exit {
        return Err(format!("exit code {code}, not {}\n{text}", example.exit));
    }
    match missing(&example.shown, &text) {
        Some(line) => Err(format!(
            "not in the output, or not in this order: {line}\n{text}"
        )),
        None => Ok(()),
    }
}

#[test]
fn examples_do_what_the_documents_say() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for document in documents() {
        let text = fs::read_to_string(&document).expect("a document");
        let examples = examples(&text);
        if examples.is_empty() {
            continue;
        }
        let directory = sandbox();
        place(&text, directory.path());
        for example in &examples {
            count += 1;
            let place = format!("{}:{}", document.display(), example.line);
            // and runbook under other names
            let known = ["runbook ", "ln -s ", "./ansible-"];
            if !known.iter().any(|word| example.command.starts_with(word)) {
                wrong.push(format!(
                    "{place}: not a runbook command: {}",
                    example.command
                ));
            } else if let Err(why) = run(example, directory.path()) {
                wrong.push(format!("{place}: {}\n{why}", example.command));
            }
        }
    }
    assert!(count > 5, "the examples were not found");
    assert!(
        wrong.is_empty(),
        "{} of {count} examples:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn blocks_are_read() {
    let text = "```console\n$ runbook a \\\n    b # exit code 4\nTASK [x] *****\n...\n  y   z\n```\n\
                ```console (machines)\n$ runbook c\n```\n```sh\n$ runbook d\n```\n```console\n$ runbook e\n```\n";
    let found = examples(text);
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(
        found[0].command.split_whitespace().collect::<Vec<_>>(),
        ["runbook", "a", "b"]
    );
    assert_eq!((found[0].line, found[0].exit), (2, 4));
    assert_eq!(found[0].shown, ["TASK [x]", "y z"]);
    assert_eq!((found[1].command.as_str(), found[1].exit), ("runbook e", 0));
    let shown = files("```yaml file=a/b.yml\nx: 1\n```\n```sh program=c\n```\n```sh\nd\n```\n");
    let shown: Vec<_> = shown
        .iter()
        .map(|file| (file.path.as_str(), file.text.as_str(), file.program))
        .collect();
    assert_eq!(shown, [("a/b.yml", "x: 1\n", false), ("c", "", true)]);
    assert_eq!(missing(&found[0].shown, "TASK [x] **\nq\ny z\n"), None);
    assert_eq!(missing(&found[0].shown, "y z\nTASK [x] **\n"), Some("y z"));
}
