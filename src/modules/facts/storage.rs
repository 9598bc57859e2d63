//! Mounted file systems and block devices.

use super::look::Look;
use crate::sys::{FileSystemSize, unescape_mount};
use crate::value::{Map, Value};
use indexmap::IndexMap;
use std::path::Path;
use std::time::Duration;

type Links = IndexMap<&'static str, IndexMap<String, Vec<String>>>;

/// Fact `mounts`: what is mounted from a device or a server.
pub(super) fn mounts(look: Look<'_>, limit: Duration) -> Map {
    let bound = bind_mounts(look);
    let uuids: Vec<(String, String)> = look
        .names("/dev/disk/by-uuid")
        .into_iter()
        .filter_map(|uuid| Some((look.link_name(format!("/dev/disk/by-uuid/{uuid}"))?, uuid)))
        .collect();
    let mut mounts = Vec::new();
    let mut lines = look.lines("/etc/mtab");
    if lines.is_empty() {
        lines = look.lines("/proc/mounts");
    }
    for line in lines {
        let mut fields = line.split_whitespace().map(unescape_mount);
        let (Some(device), Some(mount), Some(kind), Some(mut options)) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        if (!device.starts_with('/') && !device.contains(":/")) || kind == "none" {
            continue;
        }
        let mut number = || {
            fields
                .next()
                .and_then(|n| n.parse::<i64>().ok())
                .unwrap_or_default()
        };
        let (dump, pass) = (number(), number());
        if bound.contains(&mount) && !options.split(',').any(|o| o == "bind") {
            options.push_str(",bind");
        }
        let real = look
            .0
            .canonical(Path::new(&device))
            .unwrap_or_else(|| device.clone().into());
        let name = real
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        let uuid = uuids
            .iter()
            .find(|(device, _)| Some(device) == name.as_ref());
        let mut facts = Map::new()
            .with("mount", mount.as_str())
            .with("device", device.as_str())
            .with("fstype", kind)
            .with("options", options)
            .with("dump", dump)
            .with("passno", pass);
        if let Some(size) = look.0.file_system_size(Path::new(&mount), limit) {
            facts = with_sizes(facts, &size);
        }
        facts.set("uuid", uuid.map_or("N/A", |(_, uuid)| uuid.as_str()));
        mounts.push(Value::map(facts));
    }
    Map::new().with("mounts", mounts)
}

/// How big a file system is, and how full.
pub(super) fn with_sizes(facts: Map, size: &FileSystemSize) -> Map {
    let used = |all: u64, available: u64| all.saturating_sub(available);
    facts
        .with("size_total", size.block_size * size.blocks)
        .with("size_available", size.block_size * size.blocks_available)
        .with("block_size", size.block_size)
        .with("block_total", size.blocks)
        .with("block_available", size.blocks_available)
        .with("block_used", used(size.blocks, size.blocks_available))
        .with("inode_total", size.inodes)
        .with("inode_available", size.inodes_available)
        .with("inode_used", used(size.inodes, size.inodes_available))
}

/// Mount points that show a directory of a file system instead of its root.
fn bind_mounts(look: Look<'_>) -> Vec<String> {
    look.lines("/proc/self/mountinfo")
        .iter()
        .filter_map(|line| {
            let mut fields = line.split_whitespace().skip(3);
            let (root, mount) = (fields.next()?, fields.next()?);
            // pseudo file systems (cgroups, namespaces) have roots of their own
            (root.starts_with('/') && root != "/").then(|| unescape_mount(mount))
        })
        .collect()
}

fn links(look: Look<'_>) -> Links {
    let mut all = Links::new();
    for (kind, dir) in [
        ("ids", "/dev/disk/by-id"),
        ("uuids", "/dev/disk/by-uuid"),
        ("labels", "/dev/disk/by-label"),
    ] {
        let found = all.entry(kind).or_default();
        for name in look.names(dir) {
            if let Some(device) = look.link_name(format!("{dir}/{name}")) {
                found.entry(device).or_default().push(name);
            }
        }
    }
    let masters = all.entry("masters").or_default();
    for device in look.names("/sys/block") {
        for slave in look.names(format!("/sys/block/{device}/slaves")) {
            masters.entry(slave).or_default().push(device.clone());
        }
    }
    all
}

fn links_of(links: &Links, device: &str) -> Map {
    let of = |found: &IndexMap<String, Vec<String>>| found.get(device).cloned().unwrap_or_default();
    links
        .iter()
        .map(|(kind, found)| (Value::str(*kind), of(found).into()))
        .collect()
}

/// Facts `devices` and `device_links`.
pub(super) fn devices(look: Look<'_>) -> Map {
    let links = links(look);
    let mut devices = Map::new();
    for name in look.names("/sys/block") {
        let dir = format!("/sys/block/{name}");
        let text = |file: &str| look.text(format!("{dir}/{file}"));
        let or_null = |file: &str| -> Value { text(file).map(Value::data).into() };
        let mut device = Map::new()
            .with("virtual", 1)
            .with("links", links_of(&links, &name))
            .with("vendor", or_null("device/vendor"))
            .with("model", or_null("device/model"))
            .with("sas_address", or_null("device/sas_address"))
            .with("sas_device_handle", or_null("device/sas_device_handle"));
        if let Some(serial) = text("device/serial") {
            device.set("serial", serial);
        }
        device.set("removable", or_null("removable"));
        let discards = text("queue/discard_max_hw_bytes").as_deref() != Some("0");
        device.set(
            "support_discard",
            if discards {
                or_null("queue/discard_granularity")
            } else {
                "0".into()
            },
        );
        let wwn = links.get("ids").and_then(|ids| ids.get(&name));
        if let Some(wwn) = wwn.and_then(|ids| ids.iter().find_map(|id| id.strip_prefix("wwn-"))) {
            device.set("wwn", wwn);
        }
        let partitions: Map = look
            .names(&dir)
            .into_iter()
            .filter(|entry| look.exists(format!("{dir}/{entry}/partition")))
            .map(|part| {
                let facts = partition(look, &links, &dir, &part);
                (Value::data(part), Value::map(facts))
            })
            .collect();
        device.set("partitions", partitions);
        device.set("rotational", or_null("queue/rotational"));
        let scheduler = text("queue/scheduler").unwrap_or_default();
        let chosen = scheduler
            .split_once('[')
            .and_then(|(_, rest)| rest.split_once(']'));
        device.set("scheduler_mode", chosen.map_or("", |(chosen, _)| chosen));
        sizes(look, &dir, &mut device);
        device.set("host", "");
        device.set("holders", holders(look, &dir));
        devices.insert(Value::data(name), Value::map(device));
    }
    let mut all = Map::new();
    for (kind, found) in &links {
        let found: Map = found
            .iter()
            .map(|(device, names)| (Value::data(device.as_str()), names.clone().into()))
            .collect();
        all.set(kind, found);
    }
    Map::new()
        .with("devices", devices)
        .with("device_links", all)
}

fn partition(look: Look<'_>, links: &Links, disk: &str, name: &str) -> Map {
    let dir = format!("{disk}/{name}");
    let mut part = Map::new().with("links", links_of(links, name)).with(
        "start",
        look.text(format!("{dir}/start"))
            .unwrap_or_else(|| "0".into()),
    );
    sizes(look, &dir, &mut part);
    let uuid = links
        .get("uuids")
        .and_then(|uuids| uuids.get(name)?.first());
    part.set("uuid", uuid.map(String::as_str));
    part.set("holders", holders(look, &dir));
    part
}

fn sizes(look: Look<'_>, dir: &str, into: &mut Map) {
    let sector = look.text(format!("{dir}/queue/logical_block_size"));
    let bytes = sector
        .as_deref()
        .and_then(|s| s.parse::<i64>().ok())
        .filter(|n| *n > 0)
        .unwrap_or(512);
    // the kernel counts in units of 512 bytes whatever the sector is
    let sectors = look
        .number(format!("{dir}/size"))
        .unwrap_or_default()
        .saturating_mul(512)
        / bytes;
    into.set("sectors", sectors);
    into.set("sectorsize", sector.map_or(Value::Int(512), Value::data));
    into.set("size", human(sectors.saturating_mul(bytes)));
}

/// A size in words, with two decimals.
fn human(bytes: i64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "only two decimals are shown")]
    let bytes = bytes as f64;
    for (unit, shift) in [
        ("EB", 60),
        ("PB", 50),
        ("TB", 40),
        ("GB", 30),
        ("MB", 20),
        ("KB", 10),
    ] {
        let size = f64::from(2).powi(shift);
        if bytes >= size {
            return format!("{:.2} {unit}", bytes / size);
        }
    }
    format!("{bytes:.2} Bytes")
}

fn holders(look: Look<'_>, dir: &str) -> Vec<String> {
    look.names(format!("{dir}/holders"))
        .into_iter()
        .filter(|name| name.starts_with("dm-"))
        .map(|name| {
            look.text(format!("{dir}/holders/{name}/dm/name"))
                .unwrap_or(name)
        })
        .collect()
}
