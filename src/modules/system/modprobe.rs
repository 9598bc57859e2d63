//! `modprobe`: kernel modules, loaded now and at boot.

use crate::modules::streams::command_failed;
use crate::modules::{Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::{Sys, WriteOptions};
use crate::value::{Value, shell_words};
use crate::{choices, module_args};
use std::path::{Path, PathBuf};

choices! {
    /// Whether the module is to be loaded.
    pub enum State {
        /// It is not.
        Absent = "absent",
        /// It is.
        Present = "present",
    }
}

choices! {
    /// Whether the module is loaded at boot.
    pub enum Persistent {
        /// Nothing is said about it.
        Disabled = "disabled",
        /// It is.
        Present = "present",
        /// It is not.
        Absent = "absent",
    }
}

module_args! {
    /// Arguments of `modprobe`.
    pub struct Args {
        /// The module.
        name: String => required;
        /// Whether it is to be loaded.
        state: State => default("present");
        /// Its parameters.
        params: String => default("");
        /// Whether it is loaded at boot, with these parameters.
        persistent: Persistent => default("disabled");
    }
}

/// The module.
pub struct Modprobe;

impl Module for Modprobe {
    const NAME: &'static str = "modprobe";
    const COLLECTION: &'static str = "community.general";
    const DOC: &'static str = "Load and unload modules of the kernel, now and at boot.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let name = args.name.as_str();
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ',' | '+');
        if name.is_empty() || name.starts_with(['-', '.']) || !name.chars().all(fits) {
            return Err(format!("`{name}` is no name of a kernel module").into());
        }
        let mut plan = Plan::new();
        plan.returns("name", Value::data(name));
        plan.returns("params", Value::data(args.params.as_str()));
        plan.returns("state", args.state.word());
        let loaded = is_loaded(name, sys)?;
        match (args.state, loaded) {
            (State::Present, false) => {
                let mut words = vec!["modprobe".to_owned(), name.to_owned()];
                words.extend(shell_words(&args.params)?);
                step(name, words, true, &mut plan);
            }
            (State::Absent, true) => {
                let words = ["modprobe", "-r", name].map(str::to_owned).to_vec();
                step(name, words, false, &mut plan);
            }
            _ => {}
        }
        match args.persistent {
            Persistent::Disabled => {}
            Persistent::Present => plan_boot(args, &mut plan, sys)?,
            Persistent::Absent => {
                plan_no_boot(
                    "/etc/modules-load.d",
                    |line| loads(line, name),
                    &mut plan,
                    sys,
                )?;
                let option = |line: &str| options(line, name).is_some();
                plan_no_boot("/etc/modprobe.d", option, &mut plan, sys)?;
            }
        }
        Ok(plan)
    }
}

/// Whether the module is loaded, or built into the kernel.
fn is_loaded(name: &str, sys: &Sys) -> ModuleResult<bool> {
    let plain = |name: &str| name.replace('-', "_");
    let wanted = plain(name);
    let modules = sys
        .read_text(Path::new("/proc/modules"))?
        .unwrap_or_default();
    let loaded = modules
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .any(|module| plain(module) == wanted);
    if loaded {
        return Ok(true);
    }
    let Some(release) = sys.kernel_release() else {
        return Ok(false);
    };
    let builtin = Path::new("/lib/modules")
        .join(release)
        .join("modules.builtin");
    let text = sys.read_text(&builtin)?.unwrap_or_default();
    Ok(text.lines().any(|line| {
        let file = line.trim().rsplit('/').next().unwrap_or_default();
        plain(file.split(".ko").next().unwrap_or_default()) == wanted
    }))
}

fn step(name: &str, words: Vec<String>, load: bool, plan: &mut Plan<'_>) {
    let text = |loaded: bool| Some(format!("loaded: {loaded}\n"));
    let diff = Diff::new(format!("kernel module {name}"), text(!load), text(load));
    plan.act(words.join(" "), Some(diff), move |sys, data| {
        let command = sys.tool(words);
        let output = sys.run(&command)?;
        if !output.ok() {
            return Err(command_failed("modprobe failed", &command, &output));
        }
        crate::modules::streams::set_output(data, &output, false);
        Ok(())
    });
}

/// Whether a line of modules-load.d(5) names the module.
fn loads(line: &str, name: &str) -> bool {
    line.split(['#', ';']).next().unwrap_or_default().trim() == name
}

/// The parameters that a line of modprobe.d(5) gives to the module.
fn options(line: &str, name: &str) -> Option<Vec<String>> {
    let mut words = line.split_whitespace();
    (words.next() == Some("options") && words.next() == Some(name))
        .then(|| words.map(str::to_owned).collect())
}

/// The files of a directory with their texts.
fn files(dir: &str, sys: &Sys) -> ModuleResult<Vec<(PathBuf, String)>> {
    let mut found = Vec::new();
    for path in sys.glob(&Path::new(dir).join("*.conf")) {
        let text = sys.read_text(&path)?.unwrap_or_default();
        found.push((path, text));
    }
    Ok(found)
}

fn plan_boot(args: &Args, plan: &mut Plan<'_>, sys: &Sys) -> ModuleResult<()> {
    let name = args.name.as_str();
    let named = files("/etc/modules-load.d", sys)?
        .iter()
        .any(|(_, text)| text.lines().any(|line| loads(line, name)));
    if !named {
        plan_file("/etc/modules-load.d", name, format!("{name}\n"), plan, sys)?;
    }
    let wanted: Vec<_> = args.params.split_whitespace().collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let given: Vec<String> = files("/etc/modprobe.d", sys)?
        .iter()
        .flat_map(|(_, text)| text.lines())
        .filter_map(|line| options(line, name))
        .flatten()
        .collect();
    if !wanted.iter().all(|param| given.iter().any(|g| g == param)) {
        let line = format!("options {name} {}\n", wanted.join(" "));
        plan_file("/etc/modprobe.d", name, line, plan, sys)?;
    }
    Ok(())
}

fn plan_file(
    dir: &'static str,
    name: &str,
    text: String,
    plan: &mut Plan<'_>,
    sys: &Sys,
) -> ModuleResult<()> {
    let path = Path::new(dir).join(format!("{name}.conf"));
    let before = sys.read_text(&path)?;
    let diff = Diff::new(path.to_string_lossy(), before, Some(text.clone()));
    plan.step(diff, move |sys| {
        sys.make_dir(Path::new(dir), 0o755)?;
        sys.write(&path, text.as_bytes(), &WriteOptions::default())
    });
    Ok(())
}

/// Makes comments of the lines that fit.
fn plan_no_boot(
    dir: &str,
    fits: impl Fn(&str) -> bool,
    plan: &mut Plan<'_>,
    sys: &Sys,
) -> ModuleResult<()> {
    for (path, text) in files(dir, sys)? {
        if !text.lines().any(&fits) {
            continue;
        }
        let after: String = text
            .lines()
            .map(|line| format!("{}{line}\n", if fits(line) { "#" } else { "" }))
            .collect();
        let diff = Diff::new(path.to_string_lossy(), Some(text), Some(after.clone()));
        plan.step(diff, move |sys| {
            sys.write(&path, after.as_bytes(), &WriteOptions::default())
        });
    }
    Ok(())
}
