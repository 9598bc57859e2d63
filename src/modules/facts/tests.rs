//! Facts of machines that are not this one: `tests/facts/*.json` hold files of a machine (`!` after a path makes it
//! executable) and facts that must come of them.

use super::network::{State, facts};
use crate::modules::{Registry, RunMode};
use crate::sys::{FakeRunner, NetAddress, NetRoute, Sys};
use crate::value::{Map, Value};
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

fn machine(files: &Map) -> (tempfile::TempDir, Sys) {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().expect("a directory");
    for (path, content) in files.str_iter() {
        let real = dir
            .path()
            .join(path.trim_end_matches('!').trim_start_matches('/'));
        std::fs::create_dir_all(real.parent().expect("a parent")).expect("made");
        std::fs::write(&real, content.as_str().unwrap_or_default()).expect("written");
        let mode = if path.ends_with('!') { 0o755 } else { 0o644 };
        std::fs::set_permissions(&real, std::fs::Permissions::from_mode(mode)).expect("set");
    }
    let sys = Sys::rooted(dir.path(), Arc::new(FakeRunner::new()));
    (dir, sys)
}

fn setup(sys: &mut Sys, args: &Map) -> Map {
    let entry = Registry.find("setup").expect("registered");
    let outcome = (entry.run)(args, sys, RunMode::default());
    assert!(!outcome.failed && !outcome.changed, "{outcome:?}");
    let facts = outcome.data.get("ansible_facts").and_then(Value::as_map);
    facts.expect("facts").clone()
}

#[test]
fn machines_are_recognised() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/facts");
    let mut cases = 0;
    for entry in std::fs::read_dir(dir).expect("fixtures") {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("readable");
        let case = Value::from_json(&serde_json::from_str(&text).expect("JSON"));
        let part = |name: &str| {
            case.get(name)
                .and_then(Value::as_map)
                .expect("there")
                .clone()
        };
        let (_dir, mut sys) = machine(&part("files"));
        let found = setup(&mut sys, &Map::new());
        for (name, expected) in part("expect").str_iter() {
            let found = found.get(format!("ansible_{name}").as_str());
            assert_eq!(found, Some(expected), "{name} of {}", path.display());
        }
        cases += 1;
    }
    assert!(cases >= 10);
}

#[test]
fn mounts_and_disks() {
    let text = include_str!("../../../tests/facts/debian-12.json");
    let case = Value::from_json(&serde_json::from_str(text).expect("JSON"));
    let (_dir, mut sys) = machine(case.get("files").and_then(Value::as_map).expect("files"));
    let found = setup(&mut sys, &Map::new());
    let mounts = found
        .get("ansible_mounts")
        .and_then(Value::as_list)
        .expect("mounts");
    let points: Vec<_> = mounts
        .iter()
        .filter_map(|m| m.get("mount")?.as_str())
        .collect();
    assert_eq!(points, ["/", "/mnt/with blank"]);
    let disk = found
        .get("ansible_devices")
        .and_then(|d| d.get("vda"))
        .expect("the disk");
    assert_eq!(disk.get("size"), Some(&"20.00 GB".into()));
    assert_eq!(disk.get("scheduler_mode"), Some(&"mq-deadline".into()));
    let part = disk
        .get("partitions")
        .and_then(|p| p.get("vda1"))
        .expect("the partition");
    assert_eq!(part.get("sectors"), Some(&Value::Int(2_097_152)));
}

#[test]
fn a_filter_keeps_names_with_and_without_prefix() {
    let (_dir, mut sys) = machine(&Map::new());
    let args = Map::new().with("filter", vec!["ansible_distribution_v*", "os_famil[xy]"]);
    let found = setup(&mut sys, &args);
    let names: Vec<_> = found.str_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["ansible_distribution_version", "ansible_os_family"]);
}

#[test]
fn facts_are_never_templates() {
    let files = Map::new().with("/proc/sys/kernel/hostname", "{{ evil }}");
    let (_dir, mut sys) = machine(&files);
    let found = setup(&mut sys, &Map::new());
    assert!(found.get("ansible_nodename").expect("a name").holds_data());
}

#[test]
fn addresses_go_to_their_interfaces() {
    let files = Map::new()
        .with("/sys/class/net/eth0/ifindex", "2")
        .with("/sys/class/net/eth0/mtu", "1400")
        .with("/sys/class/net/eth0/type", "1")
        .with("/sys/class/net/eth0/address", "02:00:00:00:00:01");
    let (_dir, sys) = machine(&files);
    let ip = |text: &str| text.parse::<IpAddr>().expect("an address");
    let address = |text: &str, prefix, label: Option<&str>, secondary| NetAddress {
        index: 2,
        address: ip(text),
        prefix,
        broadcast: text.contains('.').then(|| ip("192.0.2.127")),
        label: label.map(str::to_owned),
        scope: "global",
        secondary,
    };
    let state = State {
        addresses: vec![
            address("192.0.2.2", 25, Some("eth0"), false),
            address("192.0.2.3", 25, Some("eth0:1"), true),
            address("2001:db8::2", 64, None, false),
        ],
        default4: Some(NetRoute {
            index: 2,
            source: Some(ip("192.0.2.2")),
            gateway: Some(ip("192.0.2.1")),
        }),
        default6: None,
        local: vec![
            (ip("127.0.0.0"), 8),
            (ip("192.0.2.2"), 32),
            (ip("192.0.2.2"), 32),
        ],
    };
    let found = facts(super::look::Look(&sys), &state);
    let json = |name: &str| found.get(name).expect("there").to_json();
    assert_eq!(
        json("default_ipv4"),
        serde_json::json!({
            "address": "192.0.2.2", "alias": "eth0", "broadcast": "192.0.2.127", "gateway": "192.0.2.1",
            "interface": "eth0", "macaddress": "02:00:00:00:00:01", "mtu": 1400, "netmask": "255.255.255.128",
            "network": "192.0.2.0", "prefix": "25", "type": "ether"
        })
    );
    assert_eq!(json("default_ipv6"), serde_json::json!({}));
    assert_eq!(json("interfaces"), serde_json::json!(["eth0", "eth0_1"]));
    assert_eq!(
        json("all_ipv4_addresses"),
        serde_json::json!(["192.0.2.2", "192.0.2.3"])
    );
    assert_eq!(json("eth0")["ipv4_secondaries"][0]["address"], "192.0.2.3");
    assert_eq!(json("eth0")["ipv6"][0]["prefix"], "64");
    assert_eq!(
        json("locally_reachable_ips")["ipv4"],
        serde_json::json!(["127.0.0.0/8", "192.0.2.2"])
    );
}

#[test]
fn installed_packages() {
    let status = "Package: bash\nStatus: install ok installed\nSection: shells\nArchitecture: amd64\nVersion: 5.2-1\n\n\
                  Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n";
    let files = Map::new()
        .with("/var/lib/dpkg/status", status)
        .with("/usr/bin/apt-get!", "");
    let (_dir, mut sys) = machine(&files);
    let entry = Registry.find("package_facts").expect("registered");
    let outcome = (entry.run)(&Map::new(), &mut sys, RunMode::default());
    let packages = outcome
        .data
        .get("ansible_facts")
        .and_then(|f| f.get("packages"))
        .expect("packages");
    assert_eq!(
        packages.to_json(),
        serde_json::json!({"bash": [{
            "name": "bash", "version": "5.2-1", "arch": "amd64", "category": "shells", "origin": "", "source": "apt"
        }]})
    );
    let (_dir, mut sys) = machine(&Map::new());
    let outcome = (entry.run)(
        &Map::new().with("manager", "rpm"),
        &mut sys,
        RunMode::default(),
    );
    assert!(outcome.failed);
}
