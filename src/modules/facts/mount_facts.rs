//! `mount_facts`: what is mounted, and what is to be.
//!
//! Source: Ansible's documentation of `ansible.builtin.mount_facts`; fstab(5), proc(5), mount(8).

use super::look::Look;
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::sys::{Sys, fnmatch, unescape_mount};
use crate::value::{Map, Value, str_of};
use crate::{choices, module_args};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

choices! {
    /// What happens when a file system does not say its sizes in time.
    pub enum OnTimeout {
        /// The task fails.
        Error = "error",
        /// It is told, and left out.
        Warn = "warn",
        /// It is left out.
        Ignore = "ignore",
    }
}

module_args! {
    /// Arguments of `mount_facts`.
    pub struct Args {
        /// Only devices that fit these shell patterns.
        devices: Option<Vec<String>> => optional;
        /// Only file systems that fit these shell patterns.
        fstypes: Option<Vec<String>> => optional;
        /// Files in the form of fstab, the program `mount`, or `all`, `dynamic` (what is mounted), `static` (what is to be).
        sources: Option<Vec<String>> => optional;
        /// The program that is asked where no file says what is mounted; nothing for none.
        mount_binary: Value => default("mount");
        /// Seconds to wait for each file system; without it, as long as it takes.
        timeout: Option<f64> => optional;
        /// What happens when one takes longer.
        on_timeout: OnTimeout => default("error");
        /// Return all mounts as a list too, also several at one place.
        include_aggregate_mounts: Option<bool> => optional;
    }
}

const DYNAMIC: [&str; 3] = ["/etc/mtab", "/proc/mounts", "/etc/mnttab"];
const STATIC: [&str; 2] = ["/etc/fstab", "/etc/vfstab"];

/// Longer than anybody waits, in seconds.
const FOREVER: Duration = Duration::from_secs(86_400);

/// A mount as a source has it.
struct Mount {
    device: String,
    place: String,
    kind: String,
    options: String,
    dump: i64,
    pass: i64,
    source: String,
    line: String,
}

/// The module.
pub struct MountFacts;

impl Module for MountFacts {
    const NAME: &'static str = "mount_facts";
    const DOC: &'static str = "Gather what is mounted as the fact `mount_points`.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        if args.timeout.is_some_and(|timeout| timeout <= 0.0) {
            return Err("argument 'timeout' must be a positive number or null".into());
        }
        if args.mount_binary.as_str().is_none() && !args.mount_binary.is_null() {
            return Err(Failure::new(format!(
                "argument 'mount_binary' must be a string or null, not {}",
                args.mount_binary
            )));
        }
        let look = Look(sys);
        let fits = |patterns: &Option<Vec<String>>, text: &str| {
            patterns
                .as_ref()
                .is_none_or(|all| all.iter().any(|pattern| fnmatch(pattern, text)))
        };
        let mut plan = Plan::new();
        let mut points = Map::new();
        let mut all = Vec::new();
        let mut twice: Vec<String> = Vec::new();
        for mount in found(args, sys)? {
            if !fits(&args.devices, &mount.device) || !fits(&args.fstypes, &mount.kind) {
                continue;
            }
            let Some(facts) = facts_of(args, look, &mount, &mut plan)? else {
                continue;
            };
            let facts = Value::map(facts);
            if points.get(mount.place.as_str()).is_none() {
                points.set(&mount.place, facts.clone());
            } else if !twice.contains(&mount.place) {
                twice.push(mount.place.clone());
            }
            all.push(facts);
        }
        if args.include_aggregate_mounts.is_none() && !twice.is_empty() {
            plan.warn(format!(
                "mount_facts: more than one mount for {}; set include_aggregate_mounts to have all, or to not be told",
                twice.join(", ")
            ));
        }
        let mut facts = Map::new().with("mount_points", points);
        let wants_all = args.include_aggregate_mounts == Some(true);
        facts.set("aggregate_mounts", if wants_all { all } else { Vec::new() });
        plan.returns("ansible_facts", Value::map(facts).into_data());
        Ok(plan)
    }
}

/// What the sources say, in their order.
fn found(args: &Args, sys: &Sys) -> ModuleResult<Vec<Mount>> {
    let binary = match &args.mount_binary {
        Value::Null => None,
        name => Some(str_of(name)),
    };
    let mut files: Vec<(String, bool)> = Vec::new();
    let mut asks_always = false;
    let mut asks_if_none = false;
    let default = vec!["all".to_owned()];
    for source in args.sources.as_ref().unwrap_or(&default) {
        let (dynamic, fixed) = match source.as_str() {
            "" => return Err("sources contains an empty string".into()),
            "all" => (true, true),
            "dynamic" => (true, false),
            "static" => (false, true),
            other if Some(other) == binary.as_deref() || other == "mount" => {
                asks_always = true;
                continue;
            }
            path => {
                files.push((path.to_owned(), false));
                continue;
            }
        };
        if dynamic {
            asks_if_none = true;
            files.extend(DYNAMIC.iter().map(|path| ((*path).to_owned(), true)));
        }
        if fixed {
            files.extend(STATIC.iter().map(|path| ((*path).to_owned(), false)));
        }
    }
    let mut mounts = Vec::new();
    let mut fixed = Vec::new();
    let mut seen: Vec<PathBuf> = Vec::new();
    let mut has_dynamic = false;
    for (source, dynamic) in files {
        let path = sys.expand(Path::new(&source));
        let real = sys.canonical(&path).unwrap_or_else(|| path.clone());
        if seen.contains(&real) {
            continue;
        }
        let lines = Look(sys).lines(&path);
        let read: Vec<Mount> = lines
            .iter()
            .filter_map(|line| of_table(line, &source))
            .collect();
        if read.is_empty() {
            continue;
        }
        seen.push(real);
        has_dynamic |= dynamic;
        if STATIC.contains(&source.as_str()) {
            fixed.extend(read);
        } else {
            mounts.extend(read);
        }
    }
    if let Some(binary) = binary
        && (asks_always || (asks_if_none && !has_dynamic))
        && let Some(program) = sys.which(&binary)
    {
        let output = sys.query(&sys.tool([program]))?;
        if output.ok() {
            mounts.extend(
                output
                    .text()
                    .lines()
                    .filter_map(|line| of_program(line, &binary)),
            );
        }
    }
    mounts.extend(fixed);
    Ok(mounts)
}

/// A line of fstab and its kin.
fn of_table(line: &str, source: &str) -> Option<Mount> {
    let text = line.trim();
    if text.is_empty() || text.starts_with('#') {
        return None;
    }
    let mut fields = text.split_whitespace().map(unescape_mount);
    let (device, place, kind, options) = (
        fields.next()?,
        fields.next()?,
        fields.next()?,
        fields.next()?,
    );
    let mut number = || fields.next().and_then(|n| n.parse().ok()).unwrap_or(0);
    Some(Mount {
        device,
        place,
        kind,
        options,
        dump: number(),
        pass: number(),
        source: source.to_owned(),
        line: text.to_owned(),
    })
}

/// A line that `mount` prints: `device on place type kind (options)`.
fn of_program(line: &str, source: &str) -> Option<Mount> {
    let (rest, options) = line.trim().strip_suffix(')')?.rsplit_once(" (")?;
    let (rest, kind) = rest.rsplit_once(" type ")?;
    let (device, place) = rest.split_once(" on ")?;
    Some(Mount {
        device: device.to_owned(),
        place: place.to_owned(),
        kind: kind.to_owned(),
        options: options.to_owned(),
        dump: 0,
        pass: 0,
        source: source.to_owned(),
        line: line.to_owned(),
    })
}

/// What is told of it; nothing if it did not answer in time and that is no failure.
fn facts_of(
    args: &Args,
    look: Look<'_>,
    mount: &Mount,
    plan: &mut Plan<'_>,
) -> ModuleResult<Option<Map>> {
    let limit = args
        .timeout
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .unwrap_or(FOREVER);
    let begun = Instant::now();
    let size = look.0.file_system_size(Path::new(&mount.place), limit);
    if size.is_none() && args.timeout.is_some() && begun.elapsed() >= limit {
        let seconds = args.timeout.unwrap_or_default();
        let message = format!(
            "Timed out getting mount size for mount {} (type {}) after {seconds} seconds",
            mount.place, mount.kind
        );
        match args.on_timeout {
            OnTimeout::Error => return Err(Failure::new(message)),
            OnTimeout::Warn => plan.warn(message),
            OnTimeout::Ignore => {}
        }
        return Ok(None);
    }
    let context = Map::new()
        .with("source", mount.source.as_str())
        .with("source_data", mount.line.as_str());
    let mut facts = Map::new()
        .with("mount", mount.place.as_str())
        .with("device", mount.device.as_str())
        .with("fstype", mount.kind.as_str())
        .with("options", mount.options.as_str())
        .with("dump", mount.dump)
        .with("passno", mount.pass)
        .with("ansible_context", Value::map(context));
    if let Some(size) = size {
        facts = super::storage::with_sizes(facts, &size);
    }
    facts.set("uuid", uuid_of(look, &mount.device));
    Ok(Some(facts))
}

/// The id of the file system on a device, which may be named by it.
fn uuid_of(look: Look<'_>, device: &str) -> Value {
    if let Some(uuid) = device.strip_prefix("UUID=") {
        return Value::data(uuid.trim_matches('"'));
    }
    let real = look.0.canonical(Path::new(device));
    let real = real.unwrap_or_else(|| PathBuf::from(device));
    let found = look.names("/dev/disk/by-uuid").into_iter().find(|uuid| {
        look.link_name(format!("/dev/disk/by-uuid/{uuid}"))
            .is_some_and(|name| {
                real.file_name()
                    .is_some_and(|own| own.to_string_lossy() == name)
            })
    });
    found.map_or(Value::Null, Value::data)
}
