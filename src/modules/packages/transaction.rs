//! Commands of package managers that change packages.

use crate::choices;
use crate::modules::streams::{command_failed, set_output};
use crate::modules::{ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::{Output, Sys};
use crate::value::{Map, Value};

choices! {
    /// What packages are to be.
    pub enum State {
        /// Installed.
        Present = "present",
        /// The same.
        Installed = "installed",
        /// Installed in the newest version.
        Latest = "latest",
        /// Not installed.
        Absent = "absent",
        /// The same.
        Removed = "removed",
    }
}

impl State {
    /// Whether they are to be gone.
    pub(super) fn is_absent(self) -> bool {
        matches!(self, Self::Absent | Self::Removed)
    }
}

/// Words of a command.
pub(super) fn line(base: &[String], more: &[&str], names: &[String]) -> Vec<String> {
    let more = more.iter().map(|&word| word.to_owned());
    base.iter()
        .cloned()
        .chain(more)
        .chain(names.iter().cloned())
        .collect()
}

/// What a command prints that only looks, and its code.
pub(super) fn ask(sys: &Sys, words: &[String]) -> ModuleResult<Output> {
    Ok(sys.query(&sys.tool(words))?)
}

/// The same, which must end well.
pub(super) fn ask_well(sys: &Sys, words: &[String], failure: &str) -> ModuleResult<String> {
    let command = sys.tool(words);
    let output = sys.query(&command)?;
    if output.ok() {
        Ok(output.text())
    } else {
        Err(command_failed(failure, &command, &output))
    }
}

/// Runs a command, which must end well; what it prints is returned.
pub(super) fn run(
    sys: &mut Sys,
    words: &[String],
    failure: &str,
    data: &mut Map,
) -> ModuleResult<Output> {
    let command = sys.tool(words);
    let output = sys.run(&command)?;
    if !output.ok() {
        return Err(command_failed(failure, &command, &output));
    }
    set_output(data, &output, false);
    Ok(output)
}

/// Plans such a command.
pub(super) fn step(plan: &mut Plan<'_>, words: Vec<String>, failure: &str, diff: Diff) {
    let failure = failure.to_owned();
    plan.act(words.join(" "), Some(diff), move |sys, data| {
        run(sys, &words, &failure, data).map(drop)
    });
}

/// What is foreseen before the package index is refreshed. That it fails now does not mean that it fails then.
pub(super) fn foretell<'a>(plan: &mut Plan<'a>, foreseen: ModuleResult<Plan<'a>>) {
    let foreseen = foreseen.unwrap_or_else(|failure| {
        let mut plan = Plan::new();
        plan.act("what the new index allows", None, |_, _| Ok(()));
        plan.warn_in_check(failure.message);
        plan
    });
    plan.foretell(foreseen);
}

/// A diff of packages: what is there before and after, a line each.
pub(super) fn diff(before: &[String], after: &[String]) -> Diff {
    let side = |all: &[String]| (!all.is_empty()).then(|| format!("{}\n", all.join("\n")));
    Diff::new("packages", side(before), side(after))
}

/// Names as a return value.
pub(super) fn listed(names: &[String]) -> Value {
    Value::list(
        names
            .iter()
            .map(|name| Value::data(name.as_str()))
            .collect(),
    )
}
