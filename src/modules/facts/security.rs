//! SELinux, AppArmor, capabilities, FIPS, the SSH host's keys, change of root.

use super::look::Look;
use crate::value::{Map, Value};
use std::path::Path;

/// Names of Linux capabilities by number.
const CAPABILITIES: &[&str] = &[
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
];

/// Facts of SELinux. No Python binding is needed, so `selinux_python_present` is always true.
pub(super) fn selinux(look: Look<'_>) -> Map {
    let mut selinux = Map::new();
    if let Some(version) = look.text("/sys/fs/selinux/policyvers") {
        let config = look.assignments("/etc/selinux/config");
        let setting = |key: &str| {
            let found = config.iter().find(|(k, _)| k == key);
            found.map_or("unknown", |(_, v)| v.as_str()).to_owned()
        };
        let enforcing = look.text("/sys/fs/selinux/enforce").as_deref() == Some("1");
        selinux = selinux
            .with("status", "enabled")
            .with("policyvers", version.parse::<i64>().unwrap_or_default())
            .with("config_mode", setting("SELINUX"))
            .with("mode", if enforcing { "enforcing" } else { "permissive" })
            .with("type", setting("SELINUXTYPE"));
    } else {
        selinux.set("status", "disabled");
    }
    Map::new()
        .with("selinux", selinux)
        .with("selinux_python_present", true)
}

/// Fact `apparmor`.
pub(super) fn apparmor(look: Look<'_>) -> Map {
    let on = look.exists("/sys/kernel/security/apparmor");
    let status = if on { "enabled" } else { "disabled" };
    Map::new().with("apparmor", Map::new().with("status", status))
}

/// Facts `system_capabilities*`. A process that has all of them is not restricted.
pub(super) fn capabilities(look: Look<'_>) -> Map {
    let mask = look
        .lines("/proc/self/status")
        .iter()
        .find_map(|line| u64::from_str_radix(line.strip_prefix("CapEff:")?.trim(), 16).ok());
    let last = look.number("/proc/sys/kernel/cap_last_cap").unwrap_or(40);
    let Some(mask) = mask else {
        return Map::new()
            .with("system_capabilities", "N/A")
            .with("system_capabilities_enforced", "N/A");
    };
    let all = (0..=last).all(|n| mask & (1_u64 << (n & 63)) != 0);
    let names: Vec<String> = if all {
        Vec::new()
    } else {
        let bits = CAPABILITIES.iter().enumerate();
        bits.filter(|(n, _)| mask & (1 << n) != 0)
            .map(|(_, name)| format!("cap_{name}"))
            .collect()
    };
    Map::new().with("system_capabilities", names).with(
        "system_capabilities_enforced",
        if all { "False" } else { "True" },
    )
}

/// Fact `fips`.
pub(super) fn fips(look: Look<'_>) -> Map {
    let on = look.text("/proc/sys/crypto/fips_enabled").as_deref() == Some("1");
    Map::new().with("fips", on)
}

/// Facts `ssh_host_key_*`: the public halves.
pub(super) fn ssh_host_keys(look: Look<'_>) -> Map {
    let mut facts = Map::new();
    for dir in ["/etc/ssh", "/etc/openssh", "/etc"] {
        for kind in ["dsa", "rsa", "ecdsa", "ed25519"] {
            let Some(line) = look.text(format!("{dir}/ssh_host_{kind}_key.pub")) else {
                continue;
            };
            let mut words = line.split_whitespace();
            if let (Some(kind_name), Some(key)) = (words.next(), words.next()) {
                facts.set(&format!("ssh_host_key_{kind}_public"), key);
                facts.set(&format!("ssh_host_key_{kind}_public_keytype"), kind_name);
            }
        }
        if !facts.is_empty() {
            break;
        }
    }
    facts
}

/// Fact `is_chroot`: whether `/` is another directory than the first process's.
pub(super) fn chroot(look: Look<'_>) -> Map {
    let stat = |path: &str| look.0.stat(Path::new(path), true).ok().flatten();
    let other = look.0.env("debian_chroot").is_some()
        || match (stat("/"), stat("/proc/1/root/.")) {
            (Some(mine), Some(first)) => (mine.inode, mine.dev) != (first.inode, first.dev),
            (Some(mine), None) => ![2, 128, 256].contains(&mine.inode),
            _ => false,
        };
    Map::new().with("is_chroot", Value::Bool(other))
}
