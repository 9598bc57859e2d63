//! What the firmware says of the machine, and of being a guest.

use super::look::Look;
use crate::value::{Map, Value};

const DMI: &str = "/sys/devices/virtual/dmi/id";

/// Facts and their files.
const FACTS: &[(&str, &str)] = &[
    ("bios_date", "bios_date"),
    ("bios_vendor", "bios_vendor"),
    ("bios_version", "bios_version"),
    ("board_asset_tag", "board_asset_tag"),
    ("board_name", "board_name"),
    ("board_serial", "board_serial"),
    ("board_vendor", "board_vendor"),
    ("board_version", "board_version"),
    ("chassis_asset_tag", "chassis_asset_tag"),
    ("chassis_serial", "chassis_serial"),
    ("chassis_vendor", "chassis_vendor"),
    ("chassis_version", "chassis_version"),
    ("form_factor", "chassis_type"),
    ("product_name", "product_name"),
    ("product_serial", "product_serial"),
    ("product_uuid", "product_uuid"),
    ("product_version", "product_version"),
    ("system_vendor", "sys_vendor"),
];

/// Chassis types by number (DMTF DSP0134, "System Enclosure or Chassis Types").
const CHASSIS: &[&str] = &[
    "Unknown",
    "Other",
    "Unknown",
    "Desktop",
    "Low Profile Desktop",
    "Pizza Box",
    "Mini Tower",
    "Tower",
    "Portable",
    "Laptop",
    "Notebook",
    "Hand Held",
    "Docking Station",
    "All In One",
    "Sub Notebook",
    "Space-saving",
    "Lunch Box",
    "Main Server Chassis",
    "Expansion Chassis",
    "Sub Chassis",
    "Bus Expansion Chassis",
    "Peripheral Chassis",
    "RAID Chassis",
    "Rack Mount Chassis",
    "Sealed-case PC",
    "Multi-system",
    "CompactPCI",
    "AdvancedTCA",
    "Blade",
    "Blade Enclosure",
    "Tablet",
    "Convertible",
    "Detachable",
    "IoT Gateway",
    "Embedded PC",
    "Mini PC",
    "Stick PC",
];

/// Facts of the firmware's tables; `NA` where there is none.
pub(super) fn dmi(look: Look<'_>) -> Map {
    let mut facts = Map::new();
    for (name, file) in FACTS {
        let text = look.text(format!("{DMI}/{file}"));
        let text = match text {
            Some(number) if *name == "form_factor" => {
                let known = number.parse().ok().and_then(|n: usize| CHASSIS.get(n));
                known.map_or_else(|| format!("unknown ({number})"), ToString::to_string)
            }
            Some(text) => text,
            None => "NA".to_owned(),
        };
        facts.set(name, text);
    }
    facts
}

/// What kind of host or guest this is; the first that is found names it.
#[derive(Default)]
struct Findings {
    first: Option<(String, &'static str)>,
    guest: Vec<String>,
    host: Vec<String>,
}

impl Findings {
    fn guest(&mut self, kind: &str) {
        self.first.get_or_insert_with(|| (kind.to_owned(), "guest"));
        self.add(kind);
    }

    fn add(&mut self, kind: &str) {
        if !self.guest.iter().any(|known| known == kind) {
            self.guest.push(kind.to_owned());
        }
    }

    fn host(&mut self, kind: &str, role: &'static str) {
        self.first.get_or_insert_with(|| (kind.to_owned(), role));
        if !self.host.iter().any(|known| known == kind) {
            self.host.push(kind.to_owned());
        }
    }
}

/// Facts `virtualization_*`.
pub(super) fn virtualization(look: Look<'_>) -> Map {
    let mut found = Findings::default();
    containers(look, &mut found);
    machines(look, &mut found);
    hosts(look, &mut found);
    let (kind, role) = found.first.unwrap_or_else(|| ("NA".to_owned(), "NA"));
    Map::new()
        .with("virtualization_type", kind)
        .with("virtualization_role", role)
        .with("virtualization_tech_guest", found.guest)
        .with("virtualization_tech_host", found.host)
}

fn containers(look: Look<'_>, found: &mut Findings) {
    for line in look.lines("/proc/1/cgroup") {
        if line.contains("/docker/") || line.contains("/docker-") {
            found.guest("docker");
        }
        if line.contains("/lxc/") || line.contains("/machine.slice/machine-lxc") {
            found.guest("lxc");
        }
        if line.contains("/system.slice/containerd.service") {
            found.guest("containerd");
        }
    }
    let environment = look.text("/proc/1/environ").unwrap_or_default();
    for variable in environment.split('\0') {
        let Some(kind) = variable
            .strip_prefix("container=")
            .filter(|kind| !kind.is_empty())
        else {
            continue;
        };
        for known in ["lxc", "podman"] {
            if kind.starts_with(known) {
                found.guest(known);
            }
        }
        found.guest("container");
    }
    if look.exists("/proc/vz") && !look.exists("/proc/lve") {
        if look.exists("/proc/bc") {
            found.host("openvz", "host");
        } else {
            found.guest("openvz");
        }
    }
    let systemd = look.text("/run/systemd/container");
    if let Some(kind) = &systemd {
        found.guest(kind);
    }
    if look.exists("/.dockerenv") || look.exists("/.dockerinit") {
        found.guest("docker");
    }
    let known = ["docker", "lxc", "podman", "openvz", "containerd"];
    if systemd.is_some()
        || found
            .guest
            .iter()
            .any(|kind| known.contains(&kind.as_str()))
    {
        found.add("container");
    }
}

fn machines(look: Look<'_>, found: &mut Findings) {
    if look.exists("/proc/xen") {
        let capabilities = look.text("/proc/xen/capabilities").unwrap_or_default();
        if capabilities.contains("control_d") {
            found.host("xen", "host");
        } else {
            found
                .first
                .get_or_insert_with(|| ("xen".to_owned(), "guest"));
        }
    }
    let dmi = |file: &str| look.text(format!("{DMI}/{file}")).unwrap_or_default();
    let (product, vendor, family) = (
        dmi("product_name"),
        dmi("sys_vendor"),
        dmi("product_family"),
    );
    if ["KVM", "KVM Server", "Bochs", "AHV"].contains(&product.as_str()) {
        found.guest("kvm");
    }
    if vendor == "oVirt" {
        found.guest("oVirt");
    }
    if vendor == "Red Hat" && family == "RHV" {
        found.guest("RHV");
    } else if vendor == "Red Hat" && product == "RHEV Hypervisor" {
        found.guest("RHEV");
    }
    if product.starts_with("VMware") {
        found.guest("VMware");
    }
    if ["OpenStack Compute", "OpenStack Nova"].contains(&product.as_str()) {
        found.guest("openstack");
    }
    match dmi("bios_vendor").as_str() {
        "Xen" => found.guest("xen"),
        "innotek GmbH" => found.guest("virtualbox"),
        "Amazon EC2" | "DigitalOcean" | "Hetzner" => found.guest("kvm"),
        _ => {}
    }
    match vendor.as_str() {
        "QEMU" | "Amazon EC2" | "DigitalOcean" | "Google" | "Scaleway" | "Nutanix" => {
            found.guest("kvm");
        }
        "KubeVirt" => found.guest("KubeVirt"),
        "Microsoft Corporation" => found.guest("VirtualPC"),
        "Parallels Software International Inc." => found.guest("parallels"),
        "OpenStack Foundation" => found.guest("openstack"),
        _ => {}
    }
    let processors = look.lines("/proc/cpuinfo");
    let says = |key: &str, text: &str| {
        processors
            .iter()
            .any(|line| line.starts_with(key) && line.contains(text))
    };
    if says("model name", "QEMU Virtual CPU") || says("machine", "pSeries (emulated by qemu)") {
        found.guest("kvm");
    }
    if says("vendor_id", "User Mode Linux") || says("model name", "UML") {
        found.guest("uml");
    }
}

fn hosts(look: Look<'_>, found: &mut Findings) {
    let modules = look.lines("/proc/modules");
    let loaded = |name: &str| {
        modules
            .iter()
            .any(|line| line.split(' ').next() == Some(name))
    };
    if loaded("kvm") {
        found.host("kvm", "host");
    }
    if loaded("vboxdrv") {
        found.host("virtualbox", "host");
    }
    if loaded("virtio") {
        found.host("kvm", "guest");
    }
    if look.exists("/dev/kvm") {
        found.host("kvm", "host");
    }
}

/// Facts of storage networks: names of this machine on them, if it has any.
pub(super) fn storage_names(look: Look<'_>, fact: &str) -> Map {
    let value: Value = match fact {
        "iscsi" => {
            let lines = look.lines("/etc/iscsi/initiatorname.iscsi");
            let name = lines
                .iter()
                .find_map(|line| line.strip_prefix("InitiatorName="));
            return Map::new().with("iscsi_iqn", name.unwrap_or_default().trim());
        }
        "nvme" => {
            let name = look.text("/etc/nvme/hostnqn").unwrap_or_default();
            return Map::new().with("hostnqn", name);
        }
        _ => look
            .names("/sys/class/fc_host")
            .iter()
            .filter_map(|host| look.text(format!("/sys/class/fc_host/{host}/port_name")))
            .map(|name| Value::data(name.trim_start_matches("0x").to_owned()))
            .collect::<Vec<_>>()
            .into(),
    };
    Map::new().with("fibre_channel_wwn", value)
}
