//! Interfaces and addresses.

use super::look::Look;
use crate::sys::{NetAddress, NetRoute};
use crate::value::{Map, Value};
use core::net::{IpAddr, Ipv4Addr};
use indexmap::IndexMap;

/// Addresses far away: the way to them is the default one. Nothing is sent there.
const FAR: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(8, 8, 8, 8)),
    IpAddr::V6(core::net::Ipv6Addr::new(
        0x2404, 0x6800, 0x400a, 0x800, 0, 0, 0, 0x1012,
    )),
];

/// What the kernel says.
#[derive(Default)]
pub(super) struct State {
    pub(super) addresses: Vec<NetAddress>,
    pub(super) default4: Option<NetRoute>,
    pub(super) default6: Option<NetRoute>,
    pub(super) local: Vec<(IpAddr, u8)>,
}

impl State {
    /// Asks.
    pub(super) fn of(look: Look<'_>) -> Self {
        let [four, six] = FAR.map(|to| look.0.net_route(to));
        Self {
            addresses: look.0.net_addresses(),
            default4: four,
            default6: six,
            local: look.0.net_local(),
        }
    }
}

/// Facts of the network.
pub(super) fn facts(look: Look<'_>, state: &State) -> Map {
    let mut interfaces: IndexMap<String, Map> = IndexMap::new();
    let mut names: IndexMap<i64, String> = IndexMap::new();
    for name in look.names("/sys/class/net") {
        let dir = format!("/sys/class/net/{name}");
        if !look.exists(format!("{dir}/ifindex")) {
            continue;
        }
        names.insert(
            look.number(format!("{dir}/ifindex")).unwrap_or_default(),
            name.clone(),
        );
        interfaces.insert(name.clone(), interface(look, &dir, &name));
    }
    let (mut all4, mut all6): (Vec<Value>, Vec<Value>) = (Vec::new(), Vec::new());
    for address in &state.addresses {
        let Some(device) = names.get(&i64::from(address.index)).cloned() else {
            continue;
        };
        let text = Value::data(address.address.to_string());
        match address.address {
            IpAddr::V4(ip) => {
                if !ip.is_loopback() {
                    all4.push(text);
                }
                let label = address.label.clone().unwrap_or_else(|| device.clone());
                add_v4(&mut interfaces, &device, &label, address, ip);
            }
            IpAddr::V6(ip) => {
                if !ip.is_loopback() {
                    all6.push(text.clone());
                }
                let entry = Map::new()
                    .with("address", text)
                    .with("prefix", address.prefix.to_string())
                    .with("scope", address.scope);
                push(interfaces.entry(device).or_default(), "ipv6", entry);
            }
        }
    }
    let mut default4 = default_route(state.default4.as_ref(), &names);
    let mut default6 = default_route(state.default6.as_ref(), &names);
    for address in &state.addresses {
        let route = if address.address.is_ipv4() {
            &state.default4
        } else {
            &state.default6
        };
        if route.as_ref().and_then(|route| route.source) != Some(address.address) {
            continue;
        }
        let device = names
            .get(&i64::from(address.index))
            .and_then(|name| interfaces.get(name));
        let of_device = |key: &str| device.and_then(|device| device.get(key)).cloned();
        let facts = if let IpAddr::V4(ip) = address.address {
            for (key, value) in v4_entry(address, ip).str_iter().skip(1) {
                default4.set(key, value.clone());
            }
            default4.set("alias", address.label.clone());
            &mut default4
        } else {
            default6.set("prefix", address.prefix.to_string());
            default6.set("scope", address.scope);
            &mut default6
        };
        facts.set(
            "macaddress",
            of_device("macaddress").unwrap_or_else(|| "".into()),
        );
        facts.set("mtu", of_device("mtu"));
        facts.set(
            "type",
            of_device("type").unwrap_or_else(|| "unknown".into()),
        );
    }
    let mut facts = Map::new()
        .with(
            "interfaces",
            interfaces
                .keys()
                .map(|name| Value::data(key_of(name)))
                .collect::<Vec<_>>(),
        )
        .with("default_ipv4", default4)
        .with("default_ipv6", default6)
        .with("all_ipv4_addresses", all4)
        .with("all_ipv6_addresses", all6)
        .with("locally_reachable_ips", reachable(&state.local));
    for (name, interface) in interfaces {
        facts.set(&key_of(&name), interface);
    }
    facts
}

/// An interface's name as a key: a colon cannot be written after a dot in a template.
fn key_of(name: &str) -> String {
    name.replace(':', "_")
}

fn push(facts: &mut Map, key: &str, entry: Map) {
    let mut list = facts
        .get(key)
        .and_then(Value::as_list)
        .unwrap_or_default()
        .to_vec();
    list.push(Value::map(entry));
    facts.set(key, list);
}

fn v4_entry(address: &NetAddress, ip: Ipv4Addr) -> Map {
    let prefix = u32::from(address.prefix.min(32));
    let mask = u32::MAX.checked_shl(32 - prefix).unwrap_or(0);
    let network = Ipv4Addr::from(u32::from(ip) & mask);
    Map::new()
        .with("address", ip.to_string())
        .with(
            "broadcast",
            address
                .broadcast
                .map_or_else(String::new, |b| b.to_string()),
        )
        .with("netmask", Ipv4Addr::from(mask).to_string())
        .with("network", network.to_string())
        .with("prefix", prefix.to_string())
}

fn add_v4(
    interfaces: &mut IndexMap<String, Map>,
    device: &str,
    label: &str,
    address: &NetAddress,
    ip: Ipv4Addr,
) {
    let entry = v4_entry(address, ip);
    let labelled = interfaces.entry(label.to_owned()).or_default();
    if !address.secondary && labelled.get("ipv4").is_none() {
        labelled.set("ipv4", entry);
        return;
    }
    push(labelled, "ipv4_secondaries", entry.clone());
    if address.secondary && label != device {
        push(
            interfaces.entry(device.to_owned()).or_default(),
            "ipv4_secondaries",
            entry,
        );
    }
}

fn default_route(route: Option<&NetRoute>, names: &IndexMap<i64, String>) -> Map {
    let mut facts = Map::new();
    if let Some(route) = route {
        if let Some(gateway) = route.gateway {
            facts.set("gateway", gateway.to_string());
        }
        facts.set("interface", names.get(&i64::from(route.index)).cloned());
        if let Some(source) = route.source {
            facts.set("address", source.to_string());
        }
    }
    facts
}

fn reachable(local: &[(IpAddr, u8)]) -> Map {
    let (mut four, mut six): (Vec<Value>, Vec<Value>) = (Vec::new(), Vec::new());
    for (address, prefix) in local {
        let (list, whole) = if address.is_ipv4() {
            (&mut four, 32)
        } else {
            (&mut six, 128)
        };
        let text = if *prefix == whole {
            address.to_string()
        } else {
            format!("{address}/{prefix}")
        };
        let text = Value::data(text);
        if !list.contains(&text) {
            list.push(text);
        }
    }
    Map::new().with("ipv4", four).with("ipv6", six)
}

fn interface(look: Look<'_>, dir: &str, name: &str) -> Map {
    let text = |file: &str| look.text(format!("{dir}/{file}"));
    let has = |file: &str| look.exists(format!("{dir}/{file}"));
    let mut facts = Map::new().with("device", name);
    if let Some(address) = text("address").filter(|a| a != "00:00:00:00:00:00") {
        facts.set("macaddress", address);
    }
    if let Some(mtu) = look.number(format!("{dir}/mtu")) {
        facts.set("mtu", mtu);
    }
    if has("operstate") {
        facts.set("active", text("operstate").as_deref() != Some("down"));
    }
    if let Some(module) = look.link_name(format!("{dir}/device/driver/module")) {
        facts.set("module", module);
    }
    if let Some(number) = text("type") {
        let kind = match number.as_str() {
            "1" => "ether",
            "32" => "infiniband",
            "512" => "ppp",
            "772" => "loopback",
            "65534" => "tunnel",
            _ => "unknown",
        };
        facts.set("type", kind);
    }
    if has("bridge") {
        facts.set("type", "bridge");
        facts.set("interfaces", look.names(format!("{dir}/brif")));
        facts.set("id", text("bridge/bridge_id").unwrap_or_default());
        facts.set("stp", text("bridge/stp_state").as_deref() == Some("1"));
    }
    if has("bonding") {
        let first = |file: &str| {
            let text = text(file).unwrap_or_default();
            text.split_whitespace()
                .next()
                .unwrap_or_default()
                .to_owned()
        };
        let slaves = text("bonding/slaves").unwrap_or_default();
        facts.set("type", "bonding");
        facts.set(
            "slaves",
            slaves
                .split_whitespace()
                .map(Value::data)
                .collect::<Vec<_>>(),
        );
        facts.set("mode", first("bonding/mode"));
        facts.set("miimon", first("bonding/miimon"));
        facts.set("lacp_rate", first("bonding/lacp_rate"));
        if let Some(primary) = text("bonding/primary") {
            facts.set("primary", primary);
            let all = text("bonding/all_slaves_active").as_deref() == Some("1");
            facts.set("all_slaves_active", all);
        }
    }
    if let Some(address) = text("bonding_slave/perm_hwaddr") {
        facts.set("perm_macaddress", address);
    }
    if let Some(id) = look.link_name(format!("{dir}/device")) {
        facts.set("pciid", id);
    }
    if let Some(speed) = look.number(format!("{dir}/speed")) {
        facts.set("speed", speed);
    }
    if let Some(flags) = text("flags") {
        let flags = u32::from_str_radix(flags.trim_start_matches("0x"), 16).unwrap_or_default();
        facts.set("promisc", flags & 0x100 != 0);
    }
    facts
}
