//! Disks: partitions, file systems and logical volumes, by the tools of the system.

mod filesystem;
mod lvg;
mod lvol;
mod parted;
mod partitions;

use super::Entry;
use super::ModuleResult;
use crate::sys::Sys;

/// The family's modules.
pub const MODULES: &[Entry] = &[
    Entry::of::<filesystem::Filesystem>(),
    Entry::of::<lvg::Lvg>(),
    Entry::of::<lvol::Lvol>(),
    Entry::of::<parted::Parted>(),
];

/// Asks one of lvm's tools for columns; `None` if what is asked for is not there.
fn columns(sys: &Sys, words: &[&str]) -> ModuleResult<Option<Vec<Vec<String>>>> {
    let output = sys.query(&sys.tool(words.iter().copied()))?;
    if !output.ok() {
        return Ok(None);
    }
    Ok(Some(
        output
            .text()
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(|line| {
                line.trim()
                    .split(';')
                    .map(|field| field.trim().to_owned())
                    .collect()
            })
            .collect(),
    ))
}

/// Runs tools one after the other; all must end well.
fn run_all(sys: &mut Sys, commands: &[Vec<String>]) -> ModuleResult<()> {
    for command in commands {
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        super::steps::run_tool(sys, &words)?;
    }
    Ok(())
}

/// The words of a command.
fn words(parts: &[&str]) -> Vec<String> {
    parts.iter().map(|part| (*part).to_owned()).collect()
}
