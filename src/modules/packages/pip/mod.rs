//! `pip`: Python packages, by the machine's own pip.
//!
//! What is installed is asked of pip first, so that a package that is there costs no installation and check mode predicts.
//! Where only pip can tell (files of requirements, `latest`, URLs), it runs, and its words say whether it changed anything.
//!
//! Source: Ansible's documentation of `ansible.builtin.pip`.

mod requirement;
mod version;

use crate::modules::streams::{command_failed, set_stream};
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::{Command, Output, Sys};
use crate::value::{ArgRule, Map, Value, shell_words};
use crate::{choices, module_args};
use requirement::{Requirement, is_repository, requirements};
use std::path::{Path, PathBuf};

choices! {
    /// What the packages are to be.
    pub enum State {
        /// Not installed.
        Absent = "absent",
        /// Installed again, whether or not they are.
        Forcereinstall = "forcereinstall",
        /// Installed in the newest version.
        Latest = "latest",
        /// Installed.
        Present = "present",
    }
}

module_args! {
    /// Arguments of `pip`.
    pub struct Args {
        /// The packages, each with conditions if need be (`django>=4,<5`), or URLs or paths.
        name: Option<Vec<String>> => optional;
        /// The version, if one package is named.
        version: Option<String> => optional;
        /// A file of requirements on the machine, seen from `chdir`.
        requirements: Option<String> => optional;
        /// A virtual environment to install into; it is made if it is not there.
        virtualenv: Option<PathBuf> => optional;
        /// Whether a new virtual environment sees the machine's packages.
        virtualenv_site_packages: bool => default(false);
        /// What makes virtual environments.
        virtualenv_command: String => default("virtualenv");
        /// The Python of a new virtual environment.
        virtualenv_python: Option<String> => optional;
        /// What the packages are to be.
        state: State => default("present");
        /// More arguments for pip.
        extra_args: Option<String> => optional;
        /// Pass the option `-e`.
        editable: bool => default(false);
        /// The directory in which pip runs.
        chdir: Option<PathBuf> => optional;
        /// The pip to use: a path, or a name in `PATH`.
        executable: Option<PathBuf> => optional;
        /// The file mode creation mask, in octal digits.
        umask: Option<String> => optional;
        /// Install even where the system's own package manager minds Python's packages.
        break_system_packages: bool => default(false);
        _python: Option<String> => optional;
    }
}

/// The module.
pub struct Pip;

impl Module for Pip {
    const NAME: &'static str = "pip";
    const DOC: &'static str =
        "Install, upgrade and remove packages of Python with the machine's pip.";
    const RULES: &'static [ArgRule] = &[
        ArgRule::OneOf(&["name", "requirements"]),
        ArgRule::Exclusive(&["name", "requirements"]),
        ArgRule::Exclusive(&["executable", "virtualenv"]),
    ];
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let wish = Wish::new(args, sys)?;
        let mut plan = Plan::new();
        plan.returns("name", args.name.clone());
        plan.returns("version", args.version.as_deref().map(Value::data));
        plan.returns("state", args.state.word());
        plan.returns(
            "requirements",
            args.requirements.as_deref().map(Value::data),
        );
        let env = wish.env.as_ref().map(|env| env.display().to_string());
        plan.returns("virtualenv", env.clone().map(Value::data));
        if let Some(name) = env.filter(|_| !wish.has_env(sys)) {
            let diff = Diff::new(name.clone(), None::<String>, Some("virtual environment\n"));
            plan.act(format!("make {name}"), Some(diff), move |sys, data| {
                let output = wish.make_env(sys)?;
                wish.install(sys, data, Some(&output)).map(drop)
            });
            return Ok(plan);
        }
        if !wish.asks_for_something() {
            plan.warn("No valid name or requirements file found.");
            return Ok(plan);
        }
        let installed = wish.installed(sys)?;
        let mut cmd = wish.pip(sys)?;
        cmd.extend(["list".to_owned(), "--format=freeze".to_owned()]);
        plan.returns(
            "cmd",
            Value::list(cmd.into_iter().map(Value::data).collect()),
        );
        let (mut is_known, mut open) = (wish.is_plain(), Vec::new());
        for package in &wish.packages {
            match package.is_fulfilled(&installed) {
                Some(is_there) if is_there == (args.state == State::Absent) => {
                    open.push(package.text.clone());
                }
                Some(_) => {}
                None => is_known = false,
            }
        }
        if is_known {
            if !open.is_empty() {
                let text = format!("{}\n", open.join("\n"));
                let diff = match args.state {
                    State::Absent => Diff::new("python packages", Some(text), None::<String>),
                    _ => Diff::new("python packages", None::<String>, Some(text)),
                };
                plan.act(open.join(" "), Some(diff), move |sys, data| {
                    wish.install(sys, data, None).map(drop)
                });
            }
            return Ok(plan);
        }
        plan.repeats();
        plan.perhaps("python packages", move |sys, data| {
            wish.install(sys, data, None)
        });
        Ok(plan)
    }
}

/// What is asked for, read.
struct Wish<'a> {
    args: &'a Args,
    packages: Vec<Requirement>,
    extra: Vec<String>,
    chdir: PathBuf,
    env: Option<PathBuf>,
    umask: Option<u32>,
}

impl<'a> Wish<'a> {
    fn new(args: &'a Args, sys: &Sys) -> ModuleResult<Self> {
        let umask = match &args.umask {
            Some(text) => Some(
                u32::from_str_radix(text.trim_start_matches("0o"), 8)
                    .map_err(|_| "umask must be an octal integer")?,
            ),
            None => None,
        };
        if args.state == State::Latest && args.version.is_some() {
            return Err("version is incompatible with state=latest".into());
        }
        let mut packages = requirements(args.name.as_deref().unwrap_or_default());
        if let Some(version) = &args.version
            && let Some(first) = packages.first_mut()
        {
            if args.name.as_ref().is_some_and(|names| names.len() > 1) {
                return Err("'version' argument is ambiguous when installing multiple package distributions. Please \
                            specify version restrictions next to each package in 'name' argument."
                    .into());
            }
            if first.has_version() {
                return Err("The 'version' argument conflicts with any version specifier provided along with a package \
                            name. Please keep the version specifier, but remove the 'version' argument."
                    .into());
            }
            *first = first.with_version(version);
        }
        let mut extra = shell_words(args.extra_args.as_deref().unwrap_or_default())
            .map_err(|why| format!("extra_args cannot be split: {why}"))?;
        if args.editable && !extra.iter().any(|word| word == "-e") {
            extra.push("-e".to_owned());
        }
        let chdir = args.chdir.as_ref().map(|dir| sys.expand(dir));
        let env = args.virtualenv.as_ref().map(|env| {
            let env = sys.expand(env);
            match &chdir {
                Some(dir) => dir.join(env),
                None => env,
            }
        });
        Ok(Self {
            args,
            packages,
            extra,
            // not where the connection starts: another user may not enter it
            chdir: chdir.unwrap_or_else(|| PathBuf::from("/tmp")),
            env,
            umask,
        })
    }

    fn has_env(&self, sys: &Sys) -> bool {
        self.env
            .as_ref()
            .is_some_and(|env| sys.exists(&env.join("bin/activate")))
    }

    fn asks_for_something(&self) -> bool {
        !self.packages.is_empty() || self.args.requirements.is_some()
    }

    /// Whether the list of what is installed may settle it.
    fn is_plain(&self) -> bool {
        matches!(self.args.state, State::Present | State::Absent)
            && self.args.requirements.is_none()
            && self.extra.is_empty()
    }

    /// The words that start pip.
    fn pip(&self, sys: &Sys) -> ModuleResult<Vec<String>> {
        let word = |path: &Path| vec![path.display().to_string()];
        if let Some(env) = &self.env {
            let found = ["pip3", "pip"]
                .iter()
                .map(|name| env.join("bin").join(name))
                .find(|path| sys.exists(path));
            return found.map(|path| word(&path)).ok_or_else(|| {
                Failure::new(format!(
                    "Unable to find pip in the virtualenv, {}, under any of these names: pip3, pip. Make sure pip is \
                     present in the virtualenv.",
                    env.display()
                ))
            });
        }
        if let Some(program) = &self.args.executable {
            if program.is_absolute() {
                return Ok(word(program));
            }
            let found = sys.which(&program.to_string_lossy());
            return found
                .map(|path| word(&path))
                .ok_or_else(|| missing(&program.display().to_string()));
        }
        for python in self
            .args
            ._python
            .iter()
            .map(String::as_str)
            .chain(["python3"])
        {
            if sys.which(python).is_none() {
                continue;
            }
            let words = [python, "-m", "pip"];
            if sys
                .query(&Command::new(words.into_iter().chain(["--version"])))
                .is_ok_and(|output| output.ok())
            {
                return Ok(words.into_iter().map(str::to_owned).collect());
            }
        }
        let found = sys.which("pip3").or_else(|| sys.which("pip"));
        found
            .map(|path| word(&path))
            .ok_or_else(|| missing("pip3, pip"))
    }

    fn command(&self, words: Vec<String>, sys: &Sys) -> Command {
        let mut command = Command::new(words).c_locale().cwd(&self.chdir);
        command.umask = self.umask;
        if self.args.break_system_packages {
            command = command.env("PIP_BREAK_SYSTEM_PACKAGES", "1");
        }
        if let Some(env) = &self.env {
            let path = sys.env("PATH").unwrap_or_default();
            command = command.env("PATH", format!("{}/bin:{path}", env.display()));
        }
        command
    }

    /// Names and versions of what is installed.
    fn installed(&self, sys: &Sys) -> ModuleResult<Vec<(String, String)>> {
        let text = self.list(sys)?;
        Ok(text
            .lines()
            .filter_map(|line| line.trim().split_once("=="))
            .map(|(name, version)| (name.to_owned(), version.to_owned()))
            .collect())
    }

    fn list(&self, sys: &Sys) -> ModuleResult<String> {
        let pip = self.pip(sys)?;
        let words = |more: &[&str]| -> Vec<String> {
            pip.iter()
                .cloned()
                .chain(more.iter().map(|w| (*w).to_owned()))
                .collect()
        };
        let output = sys.query(&self.command(words(&["list", "--format=freeze"]), sys))?;
        if output.ok() {
            return Ok(output.text());
        }
        // before pip 9
        let command = self.command(words(&["freeze"]), sys);
        let output = sys.query(&command)?;
        if output.ok() {
            Ok(output.text())
        } else {
            Err(refused(&command, &output))
        }
    }

    /// Makes the virtual environment.
    fn make_env(&self, sys: &mut Sys) -> ModuleResult<Output> {
        let mut words = shell_words(&self.args.virtualenv_command)
            .map_err(|why| format!("virtualenv_command cannot be split: {why}"))?;
        let is_venv = words.iter().any(|word| word.ends_with("pyvenv"))
            || words
                .windows(2)
                .any(|pair| matches!(pair, [m, venv] if m == "-m" && venv == "venv"))
            || words.iter().any(|word| word == "-mvenv");
        let Some(program) = words.first().cloned() else {
            return Err("virtualenv_command is empty".into());
        };
        if !program.contains('/') && sys.which(&program).is_none() {
            return Err(Failure::new(format!(
                "Failed to find required executable \"{program}\" in paths: {}",
                sys.env("PATH").unwrap_or_default()
            )));
        }
        if is_venv && self.args.virtualenv_python.is_some() {
            return Err("virtualenv_python should not be used when using the venv module or pyvenv as virtualenv_command".into());
        }
        if self.args.virtualenv_site_packages {
            words.push("--system-site-packages".to_owned());
        }
        if !is_venv {
            let python = self
                .args
                .virtualenv_python
                .as_deref()
                .or(self.args._python.as_deref());
            words.extend(python.map(|python| format!("-p{python}")));
        }
        words.extend(self.env.iter().map(|env| env.display().to_string()));
        let command = self.command(words, sys);
        let output = sys.run(&command)?;
        if output.ok() {
            Ok(output)
        } else {
            Err(refused(&command, &output))
        }
    }

    /// Runs pip, and says whether it changed something.
    fn install(
        &self,
        sys: &mut Sys,
        data: &mut Map,
        before: Option<&Output>,
    ) -> ModuleResult<bool> {
        let (mut stdout, mut stderr) = (String::new(), String::new());
        if let Some(before) = before {
            stdout.push_str(&before.text());
            stderr.push_str(&String::from_utf8_lossy(&before.stderr));
        }
        let mut changed = before.is_some();
        if self.asks_for_something() {
            let mut words = self.pip(sys)?;
            let verb: &[&str] = match self.args.state {
                State::Present => &["install"],
                State::Absent => &["uninstall", "-y"],
                State::Latest => &["install", "-U"],
                State::Forcereinstall => &["install", "-U", "--force-reinstall"],
            };
            words.extend(verb.iter().map(|word| (*word).to_owned()));
            words.extend(self.extra.iter().cloned());
            words.extend(self.packages.iter().map(|package| package.text.clone()));
            if let Some(file) = &self.args.requirements {
                words.extend(["-r".to_owned(), file.clone()]);
            }
            let compares = self.args.requirements.is_some()
                || self
                    .packages
                    .iter()
                    .any(|package| is_repository(&package.text));
            let old = if compares {
                Some(self.list(sys)?)
            } else {
                None
            };
            let command = self.command(words, sys);
            let output = sys.run(&command)?;
            let text = output.text();
            stdout.push_str(&text);
            let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
            stderr.push_str(&complaint);
            let was_absent = self.args.state == State::Absent
                && output.rc == 1
                && (text.contains("not installed") || complaint.contains("not installed"));
            if !output.ok() && !was_absent {
                return Err(refused(&command, &output));
            }
            data.set(
                "cmd",
                Value::list(command.words().into_iter().map(Value::data).collect()),
            );
            changed |= match (self.args.state, old) {
                (State::Absent, _) => text.contains("Successfully uninstalled"),
                (_, Some(old)) => old != self.list(sys)?,
                (_, None) => text.contains("Successfully installed"),
            };
        }
        set_stream(data, "stdout", &stdout);
        set_stream(data, "stderr", &stderr);
        Ok(changed)
    }
}

fn missing(names: &str) -> Failure {
    Failure::new(format!(
        "Unable to find any of {names} to use.  pip needs to be installed."
    ))
}

fn refused(command: &Command, output: &Output) -> Failure {
    let mut failure = command_failed("pip", command, output);
    failure.message = format!(
        "stdout: {}\n:stderr: {}",
        output.text(),
        String::from_utf8_lossy(&output.stderr)
    );
    failure
}
