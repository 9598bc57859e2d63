//! Modules that Ansible knows, as data: playbooks that name them are read, also where runbook has no such module.
//!
//! A role for many systems has tasks for all of them, most of which are skipped. Ansible reads such a role when the
//! module exists, wherever it runs; so does runbook. The task fails when it is really to run.

use crate::diag::did_you_mean;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

const NAMES: &str = include_str!("known_modules.txt");

struct Known {
    /// Names by collection.
    collections: HashMap<&'static str, HashSet<&'static str>>,
    /// Names that are also known without a collection.
    short: HashSet<&'static str>,
}

static KNOWN: LazyLock<Known> = LazyLock::new(|| {
    let mut collections: HashMap<&'static str, HashSet<&'static str>> = HashMap::new();
    let mut section = "";
    for line in NAMES.lines() {
        if line.starts_with('#') {
            continue;
        }
        if let Some(head) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            section = head;
            continue;
        }
        collections
            .entry(section)
            .or_default()
            .extend(line.split_whitespace());
    }
    let mut short = collections.remove("short").unwrap_or_default();
    if let Some(builtin) = collections.get("ansible.builtin") {
        short.extend(builtin);
    }
    Known { collections, short }
});

/// Who publishes collections with modules that people install. Of others only what is installed exists.
const NAMESPACES: &[&str] = &[
    "amazon",
    "ansible",
    "arista",
    "aruba",
    "awx",
    "azure",
    "check_point",
    "chocolatey",
    "cisco",
    "citrix",
    "cloudscale_ch",
    "community",
    "containers",
    "cyberark",
    "dellemc",
    "devsec",
    "dynatrace",
    "f5networks",
    "fedora",
    "fortinet",
    "freeipa",
    "frr",
    "geerlingguy",
    "gluster",
    "google",
    "grafana",
    "hashicorp",
    "hetzner",
    "hitachivantara",
    "hpe",
    "ibm",
    "ieisystem",
    "infinidat",
    "infoblox",
    "inspur",
    "junipernetworks",
    "kaytus",
    "kubernetes",
    "kubevirt",
    "linode",
    "lowlydba",
    "mellanox",
    "microsoft",
    "middleware_automation",
    "mongodb",
    "netapp",
    "netapp_eseries",
    "netbox",
    "ngine_io",
    "nginxinc",
    "nvidia",
    "openstack",
    "openvswitch",
    "oracle",
    "ovirt",
    "paloaltonetworks",
    "prometheus",
    "purestorage",
    "redhat",
    "scaleway",
    "sensu",
    "servicenow",
    "sivel",
    "splunk",
    "t_systems_mms",
    "telekom_mms",
    "theforeman",
    "trendmicro",
    "vmware",
    "vultr",
    "vyos",
    "wti",
    "zabbix",
];

/// Whether Ansible has, or may have, a module of that name: short, or with its collection. Of collections that are not
/// listed every name may exist if their publisher is known; of those that are, a name close to one in the list is taken
/// for a slip.
pub(super) fn may_exist(name: &str) -> bool {
    let Some((collection, short)) = name.rsplit_once('.') else {
        return KNOWN.short.contains(name);
    };
    if matches!(collection, "ansible.builtin" | "ansible.legacy") {
        return KNOWN.short.contains(short);
    }
    let words = || name.split('.');
    let is_word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
            && word
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    if words().count() < 3 || !words().all(is_word) {
        return false;
    }
    match KNOWN.collections.get(collection) {
        Some(names) => {
            names.contains(short) || did_you_mean(short, names.iter().copied()).is_none()
        }
        None => words()
            .next()
            .is_some_and(|name| NAMESPACES.contains(&name)),
    }
}

/// All names of the list, for hints.
pub(super) fn names() -> impl Iterator<Item = String> {
    let full = KNOWN.collections.iter().flat_map(|(collection, names)| {
        names.iter().map(move |name| format!("{collection}.{name}"))
    });
    KNOWN
        .short
        .iter()
        .map(|name| (*name).to_owned())
        .chain(full)
}

#[cfg(test)]
mod tests {
    use super::may_exist;

    #[test]
    fn what_ansible_knows_is_accepted() {
        for name in [
            "dnf5",
            "yum_repository",
            "ansible.builtin.rpm_key",
            "ansible.legacy.yum",
            "snap",
            "ansible.builtin.ufw",
            "community.general.pacman",
            "community.general.a_module_of_next_year",
            "cisco.ios.a_module_of_next_year",
        ] {
            assert!(may_exist(name), "{name}");
        }
    }

    #[test]
    fn slips_are_not() {
        for name in [
            "dfn",
            "ansible.builtin.comand",
            "community.general.pacmann",
            "ansible.posix.sysctrl",
            "builtin.copy",
            "Some.Thing.Else",
            "a..c",
            "my_own.things.frobnicate",
        ] {
            assert!(!may_exist(name), "{name}");
        }
    }
}
