//! `lvol`: logical volumes.
//!
//! Source: the documentation of `community.general.lvol`; lvcreate(8), lvextend(8), lvreduce(8), lvremove(8), lvchange(8).

use super::{columns, run_all, words};
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::Sys;
use crate::value::Value;
use crate::{choices, module_args};

choices! {
    /// Whether the volume is there.
    pub enum State {
        /// It is not.
        Absent = "absent",
        /// It is.
        Present = "present",
    }
}

module_args! {
    /// Arguments of `lvol`.
    pub struct Args {
        /// The group that it is in.
        vg: String => required;
        /// The volume's name.
        lv: Option<String> => optional;
        /// Its size: a number with a unit (MiB without one), or `50%VG`, `100%FREE`, `50%PVS`, `50%ORIGIN`. With `+` or `-`
        /// before it, so much more or less.
        size: Option<String> => optional;
        /// Whether it is there.
        state: State => default("present");
        /// Whether it is in use.
        active: bool => default(true);
        /// Remove it, or make it smaller.
        force: bool => default(false);
        /// Options for `lvcreate`.
        opts: Option<String> => optional;
        /// The name of a snapshot of it that is to be there.
        snapshot: Option<String> => optional;
        /// Devices of the group that it lies on.
        pvs: Option<Vec<String>> => optional;
        /// The pool that it is in; without `lv`, the pool itself.
        thinpool: Option<String> => optional;
        /// Make it smaller where it is larger; only with `force`.
        shrink: bool => default(true);
        /// Let the file system in it follow.
        resizefs: bool => default(false);
    }
}

/// A size as an argument.
struct Size {
    /// `+`, `-` or nothing.
    sign: &'static str,
    /// As it was written, without the sign.
    text: String,
    /// A number of this unit.
    number: f64,
    unit: char,
    /// A part of this instead, in percent.
    of: Option<String>,
}

impl Size {
    fn parse(text: &str, is_snapshot: bool) -> ModuleResult<Self> {
        let (sign, rest) = match text.chars().next() {
            Some('+') => ("+", text.get(1..)),
            Some('-') => ("-", text.get(1..)),
            _ => ("", Some(text)),
        };
        let rest = rest.unwrap_or_default().trim();
        let bad = || Failure::new(format!("Bad size specification of '{rest}'"));
        if let Some((percent, whole)) = rest.split_once('%') {
            let number: f64 = percent.parse().map_err(|_| bad())?;
            if number > 100.0 {
                return Err("Size percentage cannot be larger than 100%".into());
            }
            if whole == "ORIGIN" && !is_snapshot {
                return Err("Percentage of ORIGIN supported only for snapshot volumes".into());
            }
            if !["VG", "PVS", "FREE", "ORIGIN"].contains(&whole) {
                return Err("Specify extents as a percentage of VG|PVS|FREE|ORIGIN".into());
            }
            return Ok(Self {
                sign,
                text: rest.to_owned(),
                number,
                unit: 'm',
                of: Some(whole.to_owned()),
            });
        }
        let last = rest.chars().next_back().ok_or_else(bad)?;
        let (digits, unit) = if "bskmgtpe".contains(last.to_ascii_lowercase()) {
            (rest.get(..rest.len() - 1).unwrap_or_default(), last)
        } else {
            (rest, 'm')
        };
        let starts = digits.starts_with(|c: char| c.is_ascii_digit());
        let number: f64 = digits.parse().ok().filter(|_| starts).ok_or_else(bad)?;
        Ok(Self {
            sign,
            text: format!("{digits}{unit}"),
            number,
            unit,
            of: None,
        })
    }

    /// The words for lvm's tools.
    fn words(&self) -> Vec<String> {
        let flag = if self.of.is_some() { "-l" } else { "-L" };
        words(&[flag, &format!("{}{}", self.sign, self.text)])
    }
}

/// A volume as it is found, sizes in the unit that was asked for.
struct Volume {
    name: String,
    size: f64,
    active: bool,
}

/// The group: its size, what is free, and its extents.
struct Group {
    size: f64,
    free: f64,
    extent: f64,
}

/// The module.
pub struct Lvol;

impl Module for Lvol {
    const NAME: &'static str = "lvol";
    const COLLECTION: &'static str = "community.general";
    const DOC: &'static str = "Make, change and remove logical volumes.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let vg = args.vg.as_str();
        let name = match (&args.snapshot, &args.lv, &args.thinpool) {
            (Some(name), ..) | (None, Some(name), _) | (None, None, Some(name)) => name.as_str(),
            (None, None, None) => {
                return Err("one of the following is required: lv, thinpool".into());
            }
        };
        let mut plan = Plan::new();
        let size = args
            .size
            .as_deref()
            .map(|size| Size::parse(size, args.snapshot.is_some()))
            .transpose()?;
        let unit = size
            .as_ref()
            .map_or('m', |size| size.unit)
            .to_ascii_lowercase();
        let Some((group, volumes)) = look(sys, vg, unit)? else {
            let message = format!("Volume group {vg} does not exist.");
            if args.state == State::Absent {
                plan.returns("stdout", message);
                return Ok(plan);
            }
            return Err(Failure::new(message));
        };
        let has = |wanted: &str| volumes.iter().any(|volume| volume.name == wanted);
        if let (Some(_), Some(origin)) = (&args.snapshot, &args.lv)
            && !has(origin)
        {
            return Err(Failure::new(format!(
                "Snapshot origin LV {origin} does not exist in volume group {vg}."
            )));
        }
        if let (None, Some(_), Some(pool)) = (&args.snapshot, &args.lv, &args.thinpool)
            && !has(pool)
        {
            return Err(Failure::new(format!(
                "Thin pool LV {pool} does not exist in volume group {vg}."
            )));
        }
        let short = name.rsplit('/').next().unwrap_or(name);
        let volume = volumes.iter().find(|volume| volume.name == short);
        let place = format!("{vg}/{short}");
        match (volume, args.state) {
            (None, State::Absent) => {}
            (None, State::Present) => {
                let command = creation(args, name, size.as_ref())?;
                let after = size.map_or_else(String::new, |size| format!("size: {}\n", size.text));
                let diff = Diff::new(place.as_str(), None::<String>, Some(after));
                plan.act(format!("make {place}"), Some(diff), move |sys, _| {
                    run_all(sys, &[command])
                });
            }
            (Some(_), State::Absent) => {
                if !args.force {
                    return Err(Failure::new(format!(
                        "Sorry, no removal of logical volume {short} without force=true."
                    )));
                }
                let diff = Diff::new(place.as_str(), Some("present\n"), None::<String>);
                let command = words(&["lvremove", "--force", &place]);
                plan.act(format!("remove {place}"), Some(diff), move |sys, _| {
                    run_all(sys, &[command])
                });
            }
            (Some(volume), State::Present) => {
                plan.returns("vg", vg);
                plan.returns("lv", Value::data(volume.name.as_str()));
                plan.returns("size", volume.size);
                if let Some(size) = &size {
                    resize(args, &mut plan, &place, size, volume, &group)?;
                }
                if volume.active != args.active {
                    let side = |active: bool| Some(format!("active: {active}\n"));
                    let diff = Diff::new(place.as_str(), side(volume.active), side(args.active));
                    let flag = if args.active { "-ay" } else { "-an" };
                    let command = words(&["lvchange", flag, &place]);
                    plan.act(format!("change {place}"), Some(diff), move |sys, _| {
                        run_all(sys, &[command])
                    });
                }
            }
        }
        Ok(plan)
    }
}

/// The group and its volumes; `None` if there is no such group.
fn look(sys: &Sys, vg: &str, unit: char) -> ModuleResult<Option<(Group, Vec<Volume>)>> {
    let unit = unit.to_string();
    let ask = |tool: &'static str, fields: &'static str| {
        [
            tool,
            "-a",
            "--noheadings",
            "--nosuffix",
            "-o",
            fields,
            "--units",
            unit.as_str(),
            "--separator",
            ";",
            vg,
        ]
        .into_iter()
        .filter(|word| tool == "lvs" || *word != "-a")
        .map(str::to_owned)
        .collect::<Vec<String>>()
    };
    let asked = |command: Vec<String>| {
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        columns(sys, &words)
    };
    let Some(groups) = asked(ask("vgs", "vg_name,size,free,vg_extent_size"))? else {
        return Ok(None);
    };
    let Some(volumes) = asked(ask("lvs", "lv_name,size,lv_attr"))? else {
        return Ok(None);
    };
    let number = |fields: &[String], at: usize| -> f64 {
        fields
            .get(at)
            .and_then(|field| field.parse().ok())
            .unwrap_or_default()
    };
    let Some(fields) = groups.first() else {
        return Ok(None);
    };
    let group = Group {
        size: number(fields, 1),
        free: number(fields, 2),
        extent: number(fields, 3),
    };
    let volumes = volumes
        .iter()
        .map(|fields| Volume {
            name: fields
                .first()
                .map(|name| name.trim_matches(['[', ']']).to_owned())
                .unwrap_or_default(),
            size: number(fields, 1),
            active: fields.get(2).and_then(|attr| attr.chars().nth(4)) == Some('a'),
        })
        .collect();
    Ok(Some((group, volumes)))
}

/// The command that makes it.
fn creation(args: &Args, name: &str, size: Option<&Size>) -> ModuleResult<Vec<String>> {
    if let Some(size) = size
        && (size.sign == "-" || (size.sign == "+" && size.of.is_none()))
    {
        return Err(Failure::new(format!(
            "Bad size specification of '{}{}' for creating LV",
            size.sign, size.text
        )));
    }
    if size.is_none() && args.snapshot.is_none() {
        return Err("No size given.".into());
    }
    let plain = size.map(|size| {
        let flag = match (&size.of, &args.thinpool, &args.lv) {
            (None, Some(_), Some(_)) if args.snapshot.is_none() => "-V",
            (Some(_), ..) => "-l",
            (None, ..) => "-L",
        };
        words(&[flag, &size.text])
    });
    let opts: Vec<String> = args
        .opts
        .iter()
        .flat_map(|opts| opts.split_whitespace().map(str::to_owned))
        .collect();
    let mut command = words(&["lvcreate", "--yes"]);
    let vg = &args.vg;
    match (&args.snapshot, &args.thinpool) {
        (Some(snapshot), _) => {
            command.extend(plain.into_iter().flatten());
            command.extend(words(&["-s", "-n", snapshot]));
            command.extend(opts);
            command.push(format!("{vg}/{}", args.lv.as_deref().unwrap_or_default()));
        }
        (None, Some(pool)) => {
            if let Some(lv) = &args.lv {
                if size.is_some_and(|size| size.of.is_some()) {
                    return Err("Thin volume sizing with percentage not supported.".into());
                }
                command.extend(words(&["-n", lv]));
            }
            command.extend(plain.into_iter().flatten());
            command.extend(opts);
            command.extend(words(&["-T", &format!("{vg}/{pool}")]));
        }
        (None, None) => {
            command.extend(words(&["-n", name]));
            command.extend(plain.into_iter().flatten());
            command.extend(opts);
            command.push(vg.clone());
            command.extend(args.pvs.iter().flatten().cloned());
        }
    }
    Ok(command)
}

/// Makes it larger or smaller, if its size is another one.
fn resize(
    args: &Args,
    plan: &mut Plan<'_>,
    place: &str,
    size: &Size,
    volume: &Volume,
    group: &Group,
) -> ModuleResult<()> {
    let wanted = match size.of.as_deref() {
        None => match size.sign {
            "+" => volume.size + size.number,
            "-" => volume.size - size.number,
            _ => size.number,
        },
        Some(whole) => {
            let base = if matches!(whole, "VG" | "PVS") {
                group.size
            } else {
                group.free
            };
            let part = size.number * base / 100.0;
            let sum = match size.sign {
                "+" => volume.size + part,
                "-" => volume.size - part,
                _ => part,
            };
            // the tools round down to whole extents
            if group.extent > 0.0 {
                sum - sum % group.extent
            } else {
                sum
            }
        }
    };
    // a part is not reached to the extent
    let slack = if size.of.is_some() { group.extent } else { 0.0 };
    let mut command = if wanted > volume.size {
        if size.of.is_some() && group.free < wanted - volume.size {
            return Err(Failure::new(format!(
                "Logical Volume {} could not be extended. Not enough free space left ({}{} required / {}{} available)",
                volume.name,
                wanted - volume.size,
                size.unit,
                group.free,
                size.unit
            )));
        }
        words(&["lvextend"])
    } else if (args.shrink || size.sign == "-") && wanted + slack < volume.size {
        if wanted < 1.0 {
            return Err(Failure::new(format!(
                "Sorry, no shrinking of {} to 0 permitted.",
                volume.name
            )));
        }
        if !args.force {
            return Err(Failure::new(format!(
                "Sorry, no shrinking of {} without force=true.",
                volume.name
            )));
        }
        words(&["lvreduce", "--force"])
    } else {
        return Ok(());
    };
    if args.resizefs {
        command.push("--resizefs".to_owned());
    }
    command.extend(size.words());
    command.push(place.to_owned());
    command.extend(args.pvs.iter().flatten().cloned());
    let before = volume.size;
    let name = volume.name.clone();
    let asked = size.text.clone();
    plan.perhaps(format!("resize {place}"), move |sys, data| {
        let tool = sys.tool(command.iter().map(String::as_str));
        let output = sys.run(&tool)?;
        if output.ok() {
            return Ok(true);
        }
        let said = format!("{}{}", output.text(), output.complaint());
        if said.contains("matches existing size") || said.contains("not larger than existing size")
        {
            data.set("size", before);
            return Ok(false);
        }
        Err(Failure::new(format!("Unable to resize {name} to {asked}"))
            .with("rc", output.rc)
            .with("err", Value::data(output.complaint())))
    });
    if !size.sign.is_empty() {
        plan.repeats();
    }
    Ok(())
}
