//! Processors and memory.

use super::look::Look;
use crate::value::{Map, Value};
use indexmap::IndexMap;

/// Facts `processor*` and `flags`.
pub(super) fn processors(look: Look<'_>) -> Map {
    let mut models: Vec<Value> = Vec::new();
    let mut flags: Option<Vec<Value>> = None;
    let (mut vendors, mut names, mut numbers) = (0_i64, 0_i64, 0_i64);
    let mut sockets: IndexMap<String, i64> = IndexMap::new();
    let mut cores: IndexMap<String, i64> = IndexMap::new();
    let (mut socket, mut core) = (String::from("0"), String::from("0"));
    let lines = look.lines("/proc/cpuinfo");
    if lines.is_empty() {
        return Map::new();
    }
    for line in lines {
        let (key, value) = line.split_once(':').unwrap_or((&line, ""));
        let (key, value) = (key.trim(), value.trim());
        match key {
            "flags" => flags = Some(value.split_whitespace().map(Value::data).collect()),
            "model name" | "Processor" | "vendor_id" | "cpu" | "Vendor" | "processor" => {
                models.push(Value::data(value));
                match key {
                    "vendor_id" => vendors += 1,
                    "model name" => names += 1,
                    "processor" => numbers += 1,
                    _ => {}
                }
            }
            "physical id" => {
                value.clone_into(&mut socket);
                sockets.entry(socket.clone()).or_insert(1);
            }
            "core id" => {
                value.clone_into(&mut core);
                cores.entry(core.clone()).or_insert(1);
            }
            "cpu cores" => {
                sockets.insert(socket.clone(), value.parse().unwrap_or(1));
            }
            "siblings" => {
                cores.insert(core.clone(), value.parse().unwrap_or(1));
            }
            _ => {}
        }
    }
    let is_pc = vendors > 0 && vendors == names;
    let counted = if is_pc { vendors } else { numbers };
    let count = if sockets.is_empty() {
        counted
    } else {
        i64::try_from(sockets.len()).unwrap_or(1)
    };
    let per_socket = sockets.first().map_or(1, |(_, n)| (*n).max(1));
    let siblings = cores.first().map_or(1, |(_, n)| *n);
    let threads = rounded(siblings, per_socket);
    let usable = usable(look).unwrap_or(numbers);
    let mut facts = Map::new().with("processor", models);
    if let Some(flags) = flags {
        facts.set("flags", flags);
    }
    facts
        .with("processor_count", count)
        .with("processor_cores", per_socket)
        .with("processor_threads_per_core", threads)
        .with("processor_vcpus", threads * count * per_socket)
        .with("processor_nproc", usable)
}

/// Rounded to the nearest, halves to the even one, as Python rounds.
fn rounded(whole: i64, part: i64) -> i64 {
    let (down, rest) = (whole / part, whole % part);
    match (rest * 2).cmp(&part) {
        std::cmp::Ordering::Less => down,
        std::cmp::Ordering::Equal => down + down % 2,
        std::cmp::Ordering::Greater => down + 1,
    }
}

/// How many processors this process may run on.
fn usable(look: Look<'_>) -> Option<i64> {
    let lines = look.lines("/proc/self/status");
    let list = lines
        .iter()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
    let mut count = 0;
    for range in list.trim().split(',') {
        let (from, to) = range.split_once('-').unwrap_or((range, range));
        count += to.parse::<i64>().ok()? - from.parse::<i64>().ok()? + 1;
    }
    Some(count)
}

/// Facts `memory_mb`, `memtotal_mb` and the like, in mebibytes.
pub(super) fn memory(look: Look<'_>) -> Map {
    let lines = look.lines("/proc/meminfo");
    let find = |name: &str| {
        lines.iter().find_map(|line| {
            let (key, rest) = line.split_once(':')?;
            let number = rest.split_whitespace().next()?;
            (key == name).then(|| number.parse::<i64>().ok().map(|n| n / 1024))?
        })
    };
    if lines.is_empty() {
        return Map::new();
    }
    let (total, free) = (find("MemTotal"), find("MemFree"));
    let (swap, swap_free) = (find("SwapTotal"), find("SwapFree"));
    let less = |a: Option<i64>, b: Option<i64>| Some(a? - b?);
    let no_cache = || Some(find("Cached")? + free? + find("Buffers")?);
    let mut facts = Map::new();
    for (name, value) in [
        ("memtotal_mb", total),
        ("memfree_mb", free),
        ("swaptotal_mb", swap),
        ("swapfree_mb", swap_free),
    ] {
        if let Some(value) = value {
            facts.set(name, value);
        }
    }
    let memory = Map::new()
        .with(
            "real",
            Map::new()
                .with("total", total)
                .with("used", less(total, free))
                .with("free", free),
        )
        .with(
            "nocache",
            Map::new()
                .with("free", no_cache())
                .with("used", less(total, no_cache())),
        )
        .with(
            "swap",
            Map::new()
                .with("total", swap)
                .with("free", swap_free)
                .with("used", less(swap, swap_free))
                .with("cached", find("SwapCached")),
        );
    facts.with("memory_mb", memory)
}

/// Fact `uptime_seconds`.
pub(super) fn uptime(look: Look<'_>) -> Map {
    let text = look.text("/proc/uptime").unwrap_or_default();
    let whole = text
        .split(['.', ' '])
        .next()
        .and_then(|n| n.parse::<i64>().ok());
    whole.map_or_else(Map::new, |seconds| {
        Map::new().with("uptime_seconds", seconds)
    })
}
