//! `timezone`: the machine's time zone, and what its hardware clock shows.

use crate::modules::streams::command_failed;
use crate::modules::{Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::{Sys, WriteOptions};
use crate::value::{ArgRule, Value};
use crate::{choices, module_args};
use std::path::{Path, PathBuf};

choices! {
    /// What the hardware clock shows.
    pub enum Clock {
        /// Local time.
        Local = "local",
        /// Universal time.
        Utc = "UTC",
    }
}

module_args! {
    /// Arguments of `timezone`.
    pub struct Args {
        /// The zone, e.g. `Europe/Berlin`, a file below `/usr/share/zoneinfo`.
        name: Option<String> => optional;
        /// What the hardware clock shows.
        hwclock: Option<Clock> => optional, aliases ["rtc"];
    }
}

const ZONES: &str = "/usr/share/zoneinfo";
const LOCALTIME: &str = "/etc/localtime";
const TIMEZONE: &str = "/etc/timezone";

/// The module.
pub struct Timezone;

impl Module for Timezone {
    const NAME: &'static str = "timezone";
    const COLLECTION: &'static str = "community.general";
    const DOC: &'static str = "Set the machine's time zone.";
    const RULES: &'static [ArgRule] = &[ArgRule::OneOf(&["hwclock", "name"])];
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let systemd =
            sys.exists(Path::new("/run/systemd/system")) && sys.which("timedatectl").is_some();
        let mut plan = Plan::new();
        if let Some(name) = &args.name {
            zone(name, systemd, sys, &mut plan)?;
        }
        if let Some(clock) = args.hwclock {
            if !systemd {
                return Err(
                    "hwclock needs a running systemd; without it, it is not built yet".into(),
                );
            }
            let adjtime = sys.read_text(Path::new("/etc/adjtime"))?;
            // as hwclock(8) writes it: the third line says which; UTC without it
            let local = adjtime
                .as_deref()
                .and_then(|text| text.lines().nth(2))
                .is_some_and(|line| line.trim() == "LOCAL");
            let wanted = clock == Clock::Local;
            if local != wanted {
                let word =
                    |local: bool| format!("hwclock: {}\n", if local { "local" } else { "UTC" });
                let diff = Diff::new("hwclock", Some(word(local)), Some(word(wanted)));
                plan.act("set the hardware clock", Some(diff), move |sys, _| {
                    timedatectl("set-local-rtc", if wanted { "yes" } else { "no" }, sys)
                });
            }
        }
        Ok(plan)
    }
}

fn zone<'a>(name: &'a str, systemd: bool, sys: &Sys, plan: &mut Plan<'a>) -> ModuleResult<()> {
    let plain =
        !name.is_empty() && !name.starts_with('/') && name.split('/').all(|part| part != "..");
    let file = PathBuf::from(ZONES).join(name);
    if !plain
        || !sys
            .stat(&file, true)?
            .is_some_and(|meta| meta.kind == crate::sys::FileKind::File)
    {
        return Err(format!(
            "the time zone `{name}` is not there: {} is no file; is tzdata installed?",
            file.display()
        )
        .into());
    }
    let now = current(sys);
    let kept = sys.read_text(Path::new(TIMEZONE))?;
    let kept = kept.as_deref().map(str::trim);
    plan.returns("name", Value::data(name));
    let fits = now == name && kept.is_none_or(|kept| systemd || kept == name);
    if fits {
        return Ok(());
    }
    let diff = Diff::new(
        "time zone",
        Some(format!("name: {now}\n")),
        Some(format!("name: {name}\n")),
    );
    let keeps = kept.is_some();
    plan.act("set the time zone", Some(diff), move |sys, _| {
        if systemd {
            return timedatectl("set-timezone", name, sys);
        }
        sys.symlink(&file, Path::new(LOCALTIME))?;
        if keeps {
            let text = format!("{name}\n");
            sys.write(
                Path::new(TIMEZONE),
                text.as_bytes(),
                &WriteOptions::default(),
            )?;
        }
        Ok(())
    });
    Ok(())
}

/// The zone that is set; `UTC` where none is, as in localtime(5).
fn current(sys: &Sys) -> String {
    let Ok(target) = sys.read_link(Path::new(LOCALTIME)) else {
        return "UTC".to_owned();
    };
    let target = target.to_string_lossy();
    match target.split_once("/zoneinfo/") {
        Some((_, name)) => name.to_owned(),
        None => "UTC".to_owned(),
    }
}

fn timedatectl(verb: &str, word: &str, sys: &mut Sys) -> ModuleResult<()> {
    let command = sys.tool(["timedatectl", verb, word]);
    let output = sys.run(&command)?;
    if output.ok() {
        Ok(())
    } else {
        Err(command_failed("timedatectl", &command, &output))
    }
}
