//! `cron`: lines of crontabs.
//!
//! A job is found again by the comment `#Ansible: name` before it, so that crontabs written by Ansible stay its own.
//! Source: crontab(5), and the documentation of `ansible.builtin.cron`.

mod tab;

use crate::modules::streams::command_failed;
use crate::modules::{Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::{Command, Sys, WriteOptions};
use crate::value::Value;
use crate::{choices, module_args};
use std::path::{Path, PathBuf};
use tab::Tab;

choices! {
    /// Whether a line is to be there.
    pub enum State {
        /// It is not there.
        Absent = "absent",
        /// It is there.
        Present = "present",
    }
}

choices! {
    /// A time that has a name.
    pub enum Special {
        /// Once a year.
        Annually = "annually",
        /// Once a day.
        Daily = "daily",
        /// Once an hour.
        Hourly = "hourly",
        /// Once a month.
        Monthly = "monthly",
        /// When the machine starts.
        Reboot = "reboot",
        /// Once a week.
        Weekly = "weekly",
        /// Once a year.
        Yearly = "yearly",
    }
}

module_args! {
    /// Arguments of `cron`.
    pub struct Args {
        /// The job's name, by which it is found again; with `env`, the variable's.
        name: String => required;
        /// The command; with `env`, the variable's value.
        job: Option<String> => optional, aliases ["value"];
        /// Whether it is to be there.
        state: State => default("present");
        /// Whose crontab; in a file of `/etc/cron.d`, as whom the job runs.
        user: Option<String> => optional;
        /// A file instead of a user's crontab; a relative path is below `/etc/cron.d`.
        cron_file: Option<PathBuf> => optional;
        /// Keep a copy of the file.
        backup: bool => default(false);
        /// Minute.
        minute: String => default("*");
        /// Hour.
        hour: String => default("*");
        /// Day of the month.
        day: String => default("*"), aliases ["dom"];
        /// Month.
        month: String => default("*");
        /// Day of the week.
        weekday: String => default("*"), aliases ["dow"];
        /// A time that has a name, instead of the five fields.
        special_time: Option<Special> => optional;
        /// The job stays in the crontab as a comment.
        disabled: bool => default(false);
        /// Set a variable instead of a job.
        env: bool => default(false);
        /// Put a new variable after this one.
        insertafter: Option<String> => optional;
        /// Put a new variable before this one.
        insertbefore: Option<String> => optional;
    }
}

impl Args {
    /// The job's line.
    fn line(&self, job: &str) -> String {
        let job = job.trim_matches(['\r', '\n']);
        let time = self.special_time.map_or_else(
            || {
                [
                    &self.minute,
                    &self.hour,
                    &self.day,
                    &self.month,
                    &self.weekday,
                ]
                .map(String::as_str)
                .join(" ")
            },
            |word| format!("@{}", word.word()),
        );
        let user = match (&self.cron_file, &self.user) {
            (Some(_), Some(user)) => format!(" {user}"),
            _ => String::new(),
        };
        let off = if self.disabled { "#" } else { "" };
        format!("{off}{time}{user} {job}")
    }

    fn check(&self) -> ModuleResult<()> {
        let fields = [
            &self.minute,
            &self.hour,
            &self.day,
            &self.month,
            &self.weekday,
        ];
        if self.special_time.is_some() && fields.iter().any(|field| *field != "*") {
            return Err("You must specify time and date fields or special time.".into());
        }
        if self.cron_file.is_some()
            && self.user.is_none()
            && !self.env
            && self.state == State::Present
        {
            return Err("To use cron_file=... parameter you must specify user=... as well".into());
        }
        if self.state == State::Present && self.job.is_none() {
            return Err("You must specify 'job' to install a new cron job or variable".into());
        }
        if (self.insertafter.is_some() || self.insertbefore.is_some())
            && (!self.env || self.state == State::Absent)
        {
            return Err(
                "Insertafter and insertbefore parameters are valid only with env=yes".into(),
            );
        }
        if [&Some(self.name.clone()), &self.job]
            .into_iter()
            .flatten()
            .any(|text| text.trim_end_matches(['\r', '\n']).contains(['\r', '\n']))
        {
            return Err(
                "a crontab has one line for a job: `name` and `job` must be of one line".into(),
            );
        }
        Ok(())
    }
}

/// The module.
pub struct Cron;

impl Module for Cron {
    const NAME: &'static str = "cron";
    const DOC: &'static str = "Jobs and variables in crontabs.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        args.check()?;
        let file = args.cron_file.as_ref().map(|file| {
            if file.is_absolute() {
                file.clone()
            } else {
                Path::new("/etc/cron.d").join(file)
            }
        });
        let before = match &file {
            Some(file) => sys.read_text(file)?,
            None => crontab(args, sys)?,
        };
        let mut tab = Tab::parse(before.as_deref().unwrap_or_default());
        match (args.env, args.state) {
            (false, State::Present) => {
                tab.set_job(
                    &args.name,
                    &args.line(args.job.as_deref().unwrap_or_default()),
                );
            }
            (false, State::Absent) => tab.remove_job(&args.name),
            (true, State::Present) => tab.set_variable(
                &args.name,
                args.job.as_deref().unwrap_or_default(),
                args.insertafter.as_deref(),
                args.insertbefore.as_deref(),
            )?,
            (true, State::Absent) => tab.remove_variable(&args.name),
        }
        let mut plan = Plan::new();
        let names = |names: Vec<String>| Value::list(names.into_iter().map(Value::data).collect());
        plan.returns("jobs", names(tab.jobs()));
        plan.returns("envs", names(tab.variables()));
        let after = tab.text();
        let gone =
            file.is_some() && before.is_some() && args.state == State::Absent && tab.is_empty();
        if let Some(name) = &args.cron_file {
            plan.returns("cron_file", Value::data(name.to_string_lossy().as_ref()));
        }
        if gone {
            plan.returns("state", args.state.word());
        }
        // a last line without its end is one that cron does not read
        let ragged = before
            .as_ref()
            .is_some_and(|text| !text.is_empty() && !text.ends_with(['\n', '\r']));
        if !tab.changed() && !gone && !ragged {
            return Ok(plan);
        }
        let shown = file
            .as_ref()
            .map_or_else(|| "crontab".to_owned(), |f| f.display().to_string());
        let diff = Diff::new(
            shown.clone(),
            before.clone(),
            (!gone).then(|| after.clone()),
        );
        plan.act(shown, Some(diff), move |sys, data| {
            if args.backup {
                let copy = sys.make_temporary(Path::new("/tmp"), "crontab", "", false)?;
                let text = before.as_deref().unwrap_or_default();
                sys.write(&copy, text.as_bytes(), &WriteOptions::default())?;
                data.set("backup_file", Value::data(copy.to_string_lossy().as_ref()));
            }
            match &file {
                Some(file) if gone => Ok(sys.remove_file(file)?),
                Some(file) => {
                    let options = WriteOptions {
                        mode: before.is_none().then_some(0o644),
                        ..WriteOptions::default()
                    };
                    Ok(sys.write(file, after.as_bytes(), &options)?)
                }
                None => install(args, &after, sys),
            }
        });
        Ok(plan)
    }
}

fn tool(args: &Args, verb: &str, sys: &Sys) -> ModuleResult<Command> {
    let mut words = vec!["crontab"];
    // who works on his own crontab need not be allowed to name it
    if let Some(user) = &args.user
        && sys.me()?.name != *user
    {
        words.extend(["-u", user]);
    }
    words.push(verb);
    Ok(sys.tool(words))
}

/// The user's crontab; `None` if he has none.
fn crontab(args: &Args, sys: &Sys) -> ModuleResult<Option<String>> {
    if sys.which("crontab").is_none() {
        return Err("there is no `crontab` on this machine: install cron first".into());
    }
    let command = tool(args, "-l", sys)?;
    let output = sys.query(&command)?;
    let complaint = output.complaint();
    let none = ["no crontab for", "No such file", "can't open"];
    match output.rc {
        0 => Ok(Some(output.text())),
        // cron says so where there is none yet
        1 if complaint.is_empty() || none.iter().any(|words| complaint.contains(words)) => Ok(None),
        _ => Err(command_failed("Unable to read crontab", &command, &output)),
    }
}

fn install(args: &Args, text: &str, sys: &mut Sys) -> ModuleResult<()> {
    let command = tool(args, "-", sys)?.stdin(text);
    let output = sys.run(&command)?;
    if output.ok() {
        Ok(())
    } else {
        Err(command_failed("Unable to write crontab", &command, &output))
    }
}
