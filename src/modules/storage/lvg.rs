//! `lvg`: groups of volumes.
//!
//! Source: the documentation of `community.general.lvg`; vgcreate(8), vgextend(8), vgreduce(8), vgchange(8).

use super::{columns, run_all, words};
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::Sys;
use crate::{choices, module_args};
use std::path::Path;

choices! {
    /// Whether the group is there.
    pub enum State {
        /// It is not.
        Absent = "absent",
        /// It is.
        Present = "present",
        /// It is, with its volumes in use.
        Active = "active",
        /// It is, with its volumes out of use.
        Inactive = "inactive",
    }
}

module_args! {
    /// Arguments of `lvg`.
    pub struct Args {
        /// The group's name.
        vg: String => required;
        /// The devices that it is made of.
        pvs: Option<Vec<String>> => optional;
        /// Size of its extents, in MiB where no unit is said.
        pesize: String => default("4");
        /// Options for `pvcreate`.
        pv_options: String => default("");
        /// Options for `vgcreate`.
        vg_options: String => default("");
        /// Let its devices grow to their sizes.
        pvresize: bool => default(false);
        /// Whether it is there.
        state: State => default("present");
        /// Remove it even if there are volumes in it.
        force: bool => default(false);
        /// Take devices out of it that are not in `pvs`.
        remove_extra_pvs: bool => default(true);
        /// Give the group a new id. Not built yet.
        reset_vg_uuid: bool => default(false);
        /// Give its devices new ids. Not built yet.
        reset_pv_uuid: bool => default(false);
    }
}

/// The module.
pub struct Lvg;

impl Module for Lvg {
    const NAME: &'static str = "lvg";
    const COLLECTION: &'static str = "community.general";
    const DOC: &'static str = "Make, change and remove groups of logical volumes.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        if args.reset_vg_uuid || args.reset_pv_uuid {
            return Err("reset_vg_uuid and reset_pv_uuid are not built yet".into());
        }
        let vg = args.vg.as_str();
        let mut plan = Plan::new();
        let ask = [
            "vgs",
            "--noheadings",
            "-o",
            "vg_name,pv_count,lv_count",
            "--separator",
            ";",
        ];
        let groups = columns(sys, &ask)?.unwrap_or_default();
        let group = groups
            .iter()
            .find(|fields| fields.first().is_some_and(|name| name == vg));
        if args.state == State::Absent {
            let Some(fields) = group else { return Ok(plan) };
            if fields.get(2).is_some_and(|count| count != "0") && !args.force {
                return Err(Failure::new(format!(
                    "Refuse to remove non-empty volume group {vg} without force=true"
                )));
            }
            let commands = vec![words(&["vgremove", "--force", vg])];
            return Ok(step(plan, vg, Some("present".into()), None, commands));
        }
        let wanted = devices(args, sys)?;
        if group.is_none() && wanted.is_empty() {
            return Err("No physical volumes given.".into());
        }
        let ask = [
            "pvs",
            "--noheadings",
            "-o",
            "pv_name,vg_name",
            "--separator",
            ";",
        ];
        let known = columns(sys, &ask)?.ok_or("Failed executing pvs command.")?;
        let of_group = |name: &str| -> Vec<String> {
            known
                .iter()
                .filter(|fields| fields.get(1).is_some_and(|group| group == name))
                .filter_map(|fields| Some(real(sys, fields.first()?)))
                .collect()
        };
        for device in &wanted {
            let other = known.iter().find(|fields| {
                fields
                    .first()
                    .is_some_and(|name| real(sys, name) == *device)
                    && fields
                        .get(1)
                        .is_some_and(|group| !group.is_empty() && group != vg)
            });
            if let Some(group) = other.and_then(|fields| fields.get(1)) {
                return Err(Failure::new(format!(
                    "Device {device} is already in {group} volume group."
                )));
            }
        }
        let make = |device: &String| {
            let mut command = words(&["pvcreate"]);
            command.extend(args.pv_options.split_whitespace().map(str::to_owned));
            command.extend(words(&["-f", device]));
            command
        };
        if group.is_none() {
            let mut commands: Vec<Vec<String>> = wanted.iter().map(make).collect();
            let mut command = words(&["vgcreate"]);
            command.extend(args.vg_options.split_whitespace().map(str::to_owned));
            match args.state {
                State::Inactive => command.extend(words(&["--setautoactivation", "n"])),
                State::Active => command.extend(words(&["--setautoactivation", "y"])),
                State::Present | State::Absent => {}
            }
            command.extend(words(&["-s", &args.pesize, vg]));
            command.extend(wanted.iter().cloned());
            commands.push(command);
            return Ok(step(plan, vg, None, Some(shown(&wanted)), commands));
        }
        plan = activity(args, sys, plan)?;
        if wanted.is_empty() {
            return Ok(plan);
        }
        let now = of_group(vg);
        if args.pvresize {
            plan = resizes(sys, plan, &now)?;
        }
        let added: Vec<String> = wanted
            .iter()
            .filter(|d| !now.contains(d))
            .cloned()
            .collect();
        let gone: Vec<String> = now
            .iter()
            .filter(|d| args.remove_extra_pvs && !wanted.contains(d))
            .cloned()
            .collect();
        let mut commands: Vec<Vec<String>> = added.iter().map(make).collect();
        if !added.is_empty() {
            commands.push([words(&["vgextend", vg]), added.clone()].concat());
        }
        if !gone.is_empty() {
            commands.push([words(&["vgreduce", "--force", vg]), gone.clone()].concat());
        }
        if commands.is_empty() {
            return Ok(plan);
        }
        let mut after: Vec<String> = now.iter().filter(|d| !gone.contains(d)).cloned().collect();
        after.extend(added);
        Ok(step(
            plan,
            vg,
            Some(shown(&now)),
            Some(shown(&after)),
            commands,
        ))
    }
}

fn shown(devices: &[String]) -> String {
    format!("devices: {}", devices.join(" "))
}

fn step<'a>(
    mut plan: Plan<'a>,
    what: &str,
    before: Option<String>,
    after: Option<String>,
    commands: Vec<Vec<String>>,
) -> Plan<'a> {
    let line = |side: Option<String>| side.map(|text| format!("{text}\n"));
    let diff = Diff::new(what, line(before), line(after));
    plan.act(format!("change {what}"), Some(diff), move |sys, _| {
        run_all(sys, &commands)
    });
    plan
}

/// What lvm calls the device: where its links lead to.
fn real(sys: &Sys, device: &str) -> String {
    let path = sys.canonical(Path::new(device));
    path.map_or_else(
        || device.to_owned(),
        |path| path.to_string_lossy().into_owned(),
    )
}

fn devices(args: &Args, sys: &Sys) -> ModuleResult<Vec<String>> {
    let mut devices = Vec::new();
    for device in args.pvs.iter().flatten() {
        if !sys.exists(Path::new(device)) {
            return Err(Failure::new(format!("Device {device} not found.")));
        }
        devices.push(real(sys, device));
    }
    Ok(devices)
}

/// Takes the group's volumes into use, or out of it.
fn activity<'a>(args: &Args, sys: &Sys, plan: Plan<'a>) -> ModuleResult<Plan<'a>> {
    let wanted = match args.state {
        State::Active => "active",
        State::Inactive => "inactive",
        State::Present | State::Absent => return Ok(plan),
    };
    let vg = args.vg.as_str();
    let ask = [
        "lvs",
        "--noheadings",
        "-o",
        "lv_active",
        "--separator",
        ";",
        vg,
    ];
    let volumes = columns(sys, &ask)?.unwrap_or_default();
    let is_active = |fields: &Vec<String>| fields.first().is_some_and(|text| text == "active");
    let fits = volumes
        .iter()
        .all(|fields| is_active(fields) == (wanted == "active"));
    if fits {
        return Ok(plan);
    }
    let flag = if wanted == "active" { "y" } else { "n" };
    let command = words(&["vgchange", "--activate", flag, vg]);
    let before = if wanted == "active" {
        "inactive"
    } else {
        "active"
    };
    let side = |text: &str| Some(format!("volumes: {text}"));
    Ok(step(plan, vg, side(before), side(wanted), vec![command]))
}

/// Lets devices grow of which the group does not use all.
fn resizes<'a>(sys: &Sys, mut plan: Plan<'a>, devices: &[String]) -> ModuleResult<Plan<'a>> {
    for device in devices {
        let ask = [
            "pvs",
            "--noheadings",
            "--nosuffix",
            "--units",
            "b",
            "-o",
            "dev_size,pv_size,pe_start,vg_extent_size",
            "--separator",
            ";",
            device,
        ];
        let answer = columns(sys, &ask)?.unwrap_or_default();
        let sizes: Vec<u64> = answer
            .first()
            .into_iter()
            .flatten()
            .filter_map(|field| field.parse().ok())
            .collect();
        let [whole, used, start, extent] = sizes.as_slice() else {
            return Err(Failure::new(format!("pvs said no sizes of {device}")));
        };
        if whole.saturating_sub(start + used) > *extent {
            let side = |bytes: &u64| Some(format!("size: {bytes}"));
            let command = words(&["pvresize", device]);
            plan = step(plan, device, side(used), side(whole), vec![command]);
        }
    }
    Ok(plan)
}
