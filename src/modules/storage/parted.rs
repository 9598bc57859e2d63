//! `parted`: partitions of a disk.
//!
//! Source: Ansible's documentation of `community.general.parted`; parted(8), `--machine`.

use super::partitions::{Disk, Size, parse};
use super::words;
use crate::modules::streams::command_failed;
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::{Command, Sys};
use crate::value::{ArgRule, Value};
use crate::{choices, module_args};

choices! {
    /// How partitions are aligned.
    #[allow(missing_docs)]
    pub enum Align {
        Cylinder = "cylinder",
        Minimal = "minimal",
        None = "none",
        Optimal = "optimal",
        Undefined = "undefined",
    }
}

choices! {
    /// In what sizes are told.
    #[allow(missing_docs)]
    pub enum Unit {
        Sectors = "s",
        Bytes = "B",
        Kb = "KB",
        Kib = "KiB",
        Mb = "MB",
        Mib = "MiB",
        Gb = "GB",
        Gib = "GiB",
        Tb = "TB",
        Tib = "TiB",
        Percent = "%",
        Cylinders = "cyl",
        Chs = "chs",
        Compact = "compact",
    }
}

choices! {
    /// Kinds of partition tables.
    #[allow(missing_docs)]
    pub enum Label {
        Aix = "aix",
        Amiga = "amiga",
        Bsd = "bsd",
        Dvh = "dvh",
        Gpt = "gpt",
        Loop = "loop",
        Mac = "mac",
        Msdos = "msdos",
        Pc98 = "pc98",
        Sun = "sun",
    }
}

choices! {
    /// Kinds of partitions in old tables.
    #[allow(missing_docs)]
    pub enum PartType {
        Extended = "extended",
        Logical = "logical",
        Primary = "primary",
    }
}

choices! {
    /// What becomes of the partition.
    pub enum State {
        /// It is removed.
        Absent = "absent",
        /// It is there.
        Present = "present",
        /// The disk is only described.
        Info = "info",
    }
}

module_args! {
    /// Arguments of `parted`.
    pub struct Args {
        /// The disk.
        device: String => required;
        /// How new partitions are aligned.
        align: Align => default("optimal");
        /// The partition's number.
        number: Option<i64> => optional;
        /// In what sizes are told, and what those without a unit are.
        unit: Unit => default("KiB");
        /// The kind of partition table. A disk that has another one loses it with all its partitions.
        label: Label => default("msdos");
        /// The kind of partition, in tables that have such.
        part_type: PartType => default("primary");
        /// Where the partition begins; from the disk's end if it is negative.
        part_start: String => default("0%");
        /// Where it ends.
        part_end: String => default("100%");
        /// Its name, in tables that have such.
        name: Option<String> => optional;
        /// Its flags; all others are taken off.
        flags: Option<Vec<String>> => optional;
        /// What becomes of the partition.
        state: State => default("info");
        /// The file system that it is made for.
        fs_type: Option<String> => optional;
        /// Let a partition that is there end at `part_end`.
        resize: bool => default(false);
    }
}

/// The module.
pub struct Parted;

impl Module for Parted {
    const NAME: &'static str = "parted";
    const COLLECTION: &'static str = "community.general";
    const DOC: &'static str = "Describe a disk, make and remove its partitions.";
    const RULES: &'static [ArgRule] = &[
        ArgRule::If("state", "present", &["number"]),
        ArgRule::If("state", "absent", &["number"]),
    ];
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        if sys.which("parted").is_none() {
            return Err("parted is not there: install the package parted".into());
        }
        let number = args.number.unwrap_or_default();
        if args.number.is_some_and(|number| number < 1) {
            return Err("The partition number must be greater then 0.".into());
        }
        for (name, text) in [
            ("part_start", &args.part_start),
            ("part_end", &args.part_end),
        ] {
            Size::parse(text).map_err(|why| {
                Failure::new(format!(
                    "The argument '{name}' doesn't respect required format. The size unit is case sensitive. ({why})"
                ))
            })?;
        }
        let disk = look(sys, args, args.unit.word())?;
        let mut plan = Plan::new();
        tell(&disk, &mut |name, value| plan.returns(name, value));
        let wish = match args.state {
            State::Info => {
                plan.returns(
                    "script",
                    Value::data(format!("unit '{}' print", args.unit.word())),
                );
                return Ok(plan);
            }
            State::Absent if disk.part(number).is_some() => {
                vec![("rm", words(&["rm", &number.to_string()]))]
            }
            State::Absent => Vec::new(),
            State::Present => {
                // places as they are told may be rounded
                let exact = if args.resize {
                    look(sys, args, "B")?
                } else {
                    disk.clone()
                };
                present(args, &disk, &exact, number)?
            }
        };
        let all: Vec<&str> = wish
            .iter()
            .flat_map(|(_, words)| words.iter().map(String::as_str))
            .collect();
        plan.returns("script", Value::data(all.join(" ")));
        if wish.is_empty() {
            return Ok(plan);
        }
        let before = disk.lines();
        let after = wish
            .iter()
            .map(|(_, words)| format!("{}\n", words.join(" ")));
        let diff = Diff::new(
            args.device.as_str(),
            Some(before.clone()),
            Some(before + &after.collect::<String>()),
        );
        plan.act(
            format!("parted {}", args.device),
            Some(diff),
            move |sys, data| {
                let (tables, marks): (Vec<_>, Vec<_>) =
                    wish.into_iter().partition(|(step, _)| *step != "mark");
                for script in [tables, marks] {
                    let words: Vec<String> =
                        script.into_iter().flat_map(|(_, words)| words).collect();
                    run(sys, args, words)?;
                }
                tell(&look(sys, args, args.unit.word())?, &mut |name, value| {
                    data.set(name, value);
                });
                Ok(())
            },
        );
        Ok(plan)
    }
}

/// What is to be done for a partition to be there; `mark` needs it to be there.
fn present(
    args: &Args,
    disk: &Disk,
    exact: &Disk,
    number: i64,
) -> ModuleResult<Vec<(&'static str, Vec<String>)>> {
    let mut wish = Vec::new();
    let new_table = disk.table != args.label.word();
    if new_table {
        wish.push(("table", words(&["mklabel", args.label.word()])));
    }
    let part = disk.part(number).filter(|_| !new_table);
    match part {
        None => {
            let mut make = words(&["mkpart", args.part_type.word()]);
            make.extend(args.fs_type.clone());
            make.extend([args.part_start.clone(), args.part_end.clone()]);
            wish.push(("table", make));
        }
        Some(part) if args.resize => {
            let end = Size::parse(&args.part_end).map_err(Failure::new)?;
            let now = exact.part(number).unwrap_or(part);
            if !exact.ends_at(now, &end, args.unit.word()) {
                wish.push((
                    "table",
                    words(&["resizepart", &number.to_string(), &args.part_end]),
                ));
            }
        }
        Some(_) => {}
    }
    if !wish.is_empty() {
        wish.insert(0, ("table", words(&["unit", args.unit.word()])));
    }
    let mut marks = Vec::new();
    let number = number.to_string();
    if let Some(name) = args
        .name
        .as_ref()
        .filter(|name| part.is_none_or(|part| part.name != **name))
    {
        if name.contains(['"', '\\']) {
            return Err("the name of a partition must have no quotes".into());
        }
        marks.extend(words(&["name", &number, &format!("\"{name}\"")]));
    }
    if let Some(flags) = args.flags.as_ref().filter(|flags| !flags.is_empty()) {
        let mut wanted = flags.clone();
        // parted sets one with the other
        if wanted.iter().any(|flag| flag == "esp") && !wanted.iter().any(|flag| flag == "boot") {
            wanted.push("boot".into());
        }
        let now = part.map(|part| part.flags.clone()).unwrap_or_default();
        let missing = wanted
            .iter()
            .filter(|flag| !now.contains(flag))
            .map(|flag| (flag, "on"));
        let others = now
            .iter()
            .filter(|flag| !wanted.contains(flag))
            .map(|flag| (flag, "off"));
        for (flag, state) in missing.chain(others) {
            marks.extend(words(&["set", &number, flag, state]));
        }
    }
    if !marks.is_empty() {
        let mut script = words(&["unit", args.unit.word()]);
        script.extend(marks);
        wish.push(("mark", script));
    }
    Ok(wish)
}

fn tell(disk: &Disk, set: &mut dyn FnMut(&str, Value)) {
    set("disk", disk.facts());
    set("partitions", disk.part_facts());
}

fn command(sys: &Sys, args: &Args, options: &[&str], script: Vec<String>) -> Command {
    let mut all = words(&["parted"]);
    all.extend(words(options));
    all.extend([args.device.clone(), "--".into()]);
    all.extend(script);
    sys.tool(all)
}

fn look(sys: &Sys, args: &Args, unit: &str) -> ModuleResult<Disk> {
    let command = command(sys, args, &["-s", "-m"], words(&["unit", unit, "print"]));
    let output = sys.query(&command)?;
    let no_table = String::from_utf8_lossy(&output.stderr).contains("unrecognised disk label");
    if !output.ok() && !no_table {
        let mut failure = command_failed(
            "Error while getting device information with parted",
            &command,
            &output,
        );
        failure.returns.set("out", Value::data(output.text()));
        return Err(failure);
    }
    parse(&output.text(), unit).map_err(Failure::new)
}

fn run(sys: &mut Sys, args: &Args, script: Vec<String>) -> ModuleResult<()> {
    if script.is_empty() {
        return Ok(());
    }
    let version = sys.query(&sys.tool(["parted", "--version"]))?.text();
    let mut options = vec!["-s"];
    if version_of(&version) >= [3, 4, 64] {
        options.push("-f");
    }
    options.push("-m");
    if args.align != Align::Undefined {
        options.extend(["-a", args.align.word()]);
    }
    let command = command(sys, args, &options, script);
    let output = sys.run(&command)?;
    if output.ok() {
        Ok(())
    } else {
        Err(command_failed(
            "Error while running parted script",
            &command,
            &output,
        ))
    }
}

/// `parted (GNU parted) 3.4.64-2`.
fn version_of(text: &str) -> [u64; 3] {
    let word = text
        .lines()
        .next()
        .and_then(|line| line.split_whitespace().last());
    let mut parts = word
        .unwrap_or_default()
        .split(['.', '-'])
        .map(|part| part.parse().unwrap_or(0));
    [(); 3].map(|()| parts.next().unwrap_or(0))
}
