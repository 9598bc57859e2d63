//! Running git.

use super::Args;
use crate::modules::streams::set_output;
use crate::modules::{Failure, ModuleResult};
use crate::sys::{Command, Output, Sys};
use crate::value::{Value, str_of};
use std::path::{Path, PathBuf};

/// The program with its environment, in the checkout.
#[derive(Clone, Debug)]
pub(super) struct Tool {
    program: PathBuf,
    repo: String,
    dir: PathBuf,
    env: Vec<(String, String)>,
    umask: Option<u32>,
}

impl Tool {
    pub fn new(args: &Args, dir: &Path, sys: &Sys) -> ModuleResult<Self> {
        let program = match &args.executable {
            Some(path) => sys.expand(path),
            None if sys.which("git").is_some() => PathBuf::from("git"),
            None => return Err("there is no `git` on this machine: install it first".into()),
        };
        // a path is an address without a scheme
        let repo = if args.repo.starts_with(['/', '~']) {
            let path = sys.expand(Path::new(&args.repo));
            format!("file://{}", path.display())
        } else {
            args.repo.clone()
        };
        let mut env = vec![("GIT_SSH_COMMAND".to_owned(), ssh(args, sys))];
        if sys.env("GIT_TERMINAL_PROMPT").is_none() {
            // nobody is there to answer
            env.push(("GIT_TERMINAL_PROMPT".to_owned(), "0".to_owned()));
        }
        Ok(Self {
            program,
            repo,
            dir: dir.to_owned(),
            env,
            umask: args.umask.as_ref().map(umask).transpose()?,
        })
    }

    /// The remote repository's address.
    pub fn repo(&self) -> &str {
        &self.repo
    }

    fn command(&self, words: &[&str], sys: &Sys) -> Command {
        let argv = [self.program.as_os_str()]
            .into_iter()
            .chain(words.iter().map(std::ffi::OsStr::new));
        let mut command = sys.tool(argv);
        for (name, value) in &self.env {
            command = command.env(name, value.as_str());
        }
        command.umask = self.umask;
        command
    }

    /// Asks in the checkout.
    pub fn ask(&self, words: &[&str], sys: &Sys) -> ModuleResult<Output> {
        Ok(sys.query(&self.command(words, sys).cwd(sys.real_path(&self.dir)))?)
    }

    /// Asks what does not need a checkout.
    pub fn ask_anywhere(&self, words: &[&str], sys: &Sys) -> ModuleResult<Output> {
        let command = self.command(words, sys);
        let output = sys.query(&command)?;
        if output.ok() {
            Ok(output)
        } else {
            Err(failed(&command, &output, None))
        }
    }

    /// Does something in the checkout.
    pub fn run(&self, words: &[&str], sys: &mut Sys) -> ModuleResult<Output> {
        let command = self.command(words, sys).cwd(sys.real_path(&self.dir));
        finish(&command, None, sys)
    }

    /// The same, with words of our own for a failure.
    pub fn run_for(&self, words: &[&str], what: &str, sys: &mut Sys) -> ModuleResult<Output> {
        let command = self.command(words, sys).cwd(sys.real_path(&self.dir));
        finish(&command, Some(what), sys)
    }

    /// Does something before there is a checkout.
    pub fn run_anywhere(&self, words: &[&str], sys: &mut Sys) -> ModuleResult<Output> {
        let command = self.command(words, sys);
        finish(&command, None, sys)
    }

    /// The commit that is checked out; `None` in a repository without commits.
    pub fn head(&self, sys: &Sys) -> ModuleResult<Option<String>> {
        let output = self.ask(&["rev-parse", "HEAD"], sys)?;
        let text = output.text();
        let complaint = output.complaint();
        if complaint.contains("not a git repository") || complaint.contains("dubious ownership") {
            return Err(complaint.into());
        }
        Ok(output.ok().then(|| text.trim().to_owned()))
    }

    /// Whether files of the repository were changed; others do not count.
    pub fn is_modified(&self, sys: &Sys) -> ModuleResult<bool> {
        let output = self.ask(&["status", "--porcelain"], sys)?;
        Ok(output.text().lines().any(|line| !line.starts_with("??")))
    }

    /// The address of a remote repository.
    pub fn url(&self, remote: &str, sys: &Sys) -> ModuleResult<Option<String>> {
        let output = self.ask(&["config", "--get", &format!("remote.{remote}.url")], sys)?;
        Ok(output.ok().then(|| output.text().trim().to_owned()))
    }

    /// Where the repository itself is.
    pub fn git_dir(&self, sys: &Sys) -> ModuleResult<PathBuf> {
        let output = self.ask(&["rev-parse", "--absolute-git-dir"], sys)?;
        Ok(PathBuf::from(output.text().trim()))
    }
}

fn finish(command: &Command, what: Option<&str>, sys: &mut Sys) -> ModuleResult<Output> {
    let output = sys.run(command)?;
    if output.ok() {
        Ok(output)
    } else {
        Err(failed(command, &output, what))
    }
}

fn failed(command: &Command, output: &Output, what: Option<&str>) -> Failure {
    let mut failure = Failure::new(what.map_or_else(|| output.complaint(), str::to_owned));
    failure
        .returns
        .set("cmd", Value::data(command.words().join(" ")));
    set_output(&mut failure.returns, output, false);
    failure
}

/// How git is to call ssh.
fn ssh(args: &Args, sys: &Sys) -> String {
    let mut line = sys
        .env("GIT_SSH_COMMAND")
        .or_else(|| sys.env("GIT_SSH"))
        .unwrap_or_else(|| "ssh".to_owned());
    let mut add = |words: &str| {
        line.push(' ');
        line.push_str(words);
    };
    add("-o BatchMode=yes");
    if args.accept_hostkey {
        add("-o StrictHostKeyChecking=no");
    }
    if args.accept_newhostkey {
        add("-o StrictHostKeyChecking=accept-new");
    }
    if let Some(key) = &args.key_file {
        let key = sys.expand(key).to_string_lossy().replace('\'', "'\\''");
        add(&format!("-i '{key}' -o IdentitiesOnly=yes"));
    }
    if let Some(options) = &args.ssh_opts {
        add(options);
    }
    line
}

fn umask(value: &Value) -> ModuleResult<u32> {
    let mask = match value {
        Value::Int(bits) => u32::try_from(*bits).ok(),
        other => u32::from_str_radix(&str_of(other), 8).ok(),
    };
    mask.filter(|mask| *mask <= 0o777)
        .ok_or_else(|| "umask must be an octal integer".into())
}
