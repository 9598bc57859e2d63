//! `subversion`: a working copy of a repository.
//!
//! Source: Ansible's documentation of `ansible.builtin.subversion`; svn(1).

use crate::module_args;
use crate::modules::streams::command_failed;
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::{Command, Sys};
use crate::value::{Secret, Value};
use std::path::PathBuf;

module_args! {
    /// Arguments of `subversion`.
    pub struct Args {
        /// The repository's URL.
        repo: String => required, aliases ["name", "repository"];
        /// Where the working copy goes. Not needed where nothing is to be written.
        dest: Option<PathBuf> => optional;
        /// The revision.
        revision: String => default("HEAD"), aliases ["rev", "version"];
        /// Throw away what was changed in the working copy; export over what is there.
        force: bool => default(false);
        /// Check out into a directory that is there and is no working copy.
        in_place: bool => default(false);
        /// The user.
        username: Option<String> => optional;
        /// The user's password.
        password: Option<Secret<String>> => optional, secret;
        /// The program `svn`.
        executable: Option<PathBuf> => optional;
        /// Check out where there is nothing yet.
        checkout: bool => default(true);
        /// Bring a working copy to the revision.
        update: bool => default(true);
        /// Only the files, no working copy.
        export: bool => default(false);
        /// Take the working copy to another URL of the repository.
        switch: bool => default(true);
        /// Check who the server is.
        validate_certs: bool => default(false);
    }
}

/// The module.
pub struct Subversion;

impl Args {
    /// A call of svn; the password is not among its words.
    fn svn(&self, sys: &Sys, words: &[&str]) -> Command {
        let program = self.executable.as_ref().map_or_else(
            || "svn".to_owned(),
            |path| sys.expand(path).to_string_lossy().into_owned(),
        );
        let mut all = vec![
            program,
            "--non-interactive".to_owned(),
            "--no-auth-cache".to_owned(),
        ];
        if !self.validate_certs {
            all.push("--trust-server-cert".to_owned());
        }
        if let Some(username) = &self.username {
            all.extend(["--username".to_owned(), username.clone()]);
        }
        if self.password.is_some() {
            all.push("--password-from-stdin".to_owned());
        }
        all.extend(words.iter().map(|word| (*word).to_owned()));
        let command = sys.tool(all);
        match &self.password {
            Some(password) => command.stdin(password.reveal().as_bytes()),
            None => command,
        }
    }

    fn ask(&self, sys: &Sys, words: &[&str]) -> ModuleResult<String> {
        let command = self.svn(sys, words);
        let output = sys.query(&command)?;
        if output.ok() {
            Ok(output.text())
        } else {
            Err(command_failed("svn", &command, &output))
        }
    }

    fn run(&self, sys: &mut Sys, words: &[&str]) -> ModuleResult<()> {
        let command = self.svn(sys, words);
        let output = sys.run(&command)?;
        if output.ok() {
            Ok(())
        } else {
            Err(command_failed("svn", &command, &output))
        }
    }
}

/// The line of `svn info` that begins so.
fn line<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.lines().find(|line| line.starts_with(name))
}

/// Revision and URL, as results have them.
fn seen(text: &str) -> Vec<Value> {
    let revision = line(text, "Revision:").unwrap_or("Unable to get revision");
    let url = line(text, "URL:").unwrap_or("Unable to get URL");
    vec![Value::data(revision), Value::data(url)]
}

impl Module for Subversion {
    const NAME: &'static str = "subversion";
    const DOC: &'static str = "Check out a repository of Subversion at a revision, or export it.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let mut plan = Plan::new();
        let Some(dest) = args.dest.as_ref().map(|dest| sys.expand(dest)) else {
            if args.checkout || args.update || args.export {
                return Err("the destination directory must be specified unless checkout=no, update=no, and export=no".into());
            }
            let text = args.ask(sys, &["info", &args.repo])?;
            let revision = line(&text, "Revision:").unwrap_or("Unable to get remote revision");
            plan.returns("after", Value::data(revision));
            return Ok(plan);
        };
        let shown = dest.to_string_lossy().into_owned();
        if args.export || !sys.exists(&dest) {
            if !args.export && !args.checkout {
                return Ok(plan);
            }
            return Ok(fresh(args, plan, shown));
        }
        let info = args.svn(sys, &["info", &shown]);
        let info = sys.query(&info)?;
        if !info.ok() {
            if args.in_place && args.checkout {
                return Ok(fresh(args, plan, shown));
            }
            return Err(Failure::new(format!(
                "ERROR: {shown} folder already exists, but its not a subversion repository."
            )));
        }
        let info = info.text();
        let before = seen(&info);
        plan.returns("before", before.clone());
        plan.returns("after", before.clone());
        if !args.update {
            return Ok(plan);
        }
        let status = args.ask(sys, &["status", "--quiet", "--ignore-externals", &shown])?;
        let is_modified = status
            .lines()
            .any(|line| !line.is_empty() && !line.starts_with(['?', 'X']));
        if is_modified && !args.force {
            return Err("ERROR: modified files exist in the repository.".into());
        }
        let url = line(&info, "URL:").map_or("", |line| line.trim_start_matches("URL:").trim());
        let switches = args.switch && url.trim_end_matches('/') != args.repo.trim_end_matches('/');
        let target = if switches {
            args.repo.as_str()
        } else {
            shown.as_str()
        };
        let there = args.ask(sys, &["info", "-r", &args.revision, target])?;
        let (now, wanted) = (line(&info, "Revision:"), line(&there, "Revision:"));
        if !switches && !is_modified && now == wanted {
            return Ok(plan);
        }
        let side = |revision: Option<&str>, url: &str, modified: bool| {
            let modified = if modified { "modified files\n" } else { "" };
            Some(format!(
                "{}\nURL: {url}\n{modified}",
                revision.unwrap_or_default()
            ))
        };
        let diff = Diff::new(
            shown.as_str(),
            side(now, url, is_modified),
            side(wanted, if switches { &args.repo } else { url }, false),
        );
        plan.act(format!("update {shown}"), Some(diff), move |sys, data| {
            if is_modified {
                args.run(sys, &["revert", "-R", &shown])?;
            }
            if switches {
                args.run(
                    sys,
                    &["switch", "--revision", &args.revision, &args.repo, &shown],
                )?;
            }
            args.run(sys, &["update", "-r", &args.revision, &shown])?;
            data.set("after", seen(&args.ask(sys, &["info", &shown])?));
            Ok(())
        });
        Ok(plan)
    }
}

/// Where there is no working copy: a new one, or the files alone.
fn fresh<'a>(args: &'a Args, mut plan: Plan<'a>, dest: String) -> Plan<'a> {
    let diff = Diff::new(
        dest.as_str(),
        None::<String>,
        Some(format!("URL: {}\nrevision: {}\n", args.repo, args.revision)),
    );
    plan.returns("before", Value::Null);
    plan.act(format!("get {dest}"), Some(diff), move |sys, data| {
        let verb = if args.export { "export" } else { "checkout" };
        let mut words = vec![verb];
        if args.force || (args.in_place && !args.export) {
            words.push("--force");
        }
        words.extend(["-r", &args.revision, &args.repo, &dest]);
        args.run(sys, &words)?;
        if !args.export {
            data.set("after", seen(&args.ask(sys, &["info", &dest])?));
        }
        Ok(())
    });
    if args.export {
        // an export cannot be told from one of another revision
        plan.repeats();
    }
    plan
}
