//! What Molecule's drivers `docker` and `podman` take for a platform, as words of `run`.
//!
//! Source: the documentation of Molecule's plugins for docker and podman, "platforms".

use super::fields::{Read, string, strings, wrong};
use crate::yaml::Node;

/// The words that a member of a platform comes to; nothing if it has none.
///
/// # Errors
/// Its value has another form.
pub(super) fn words(member: &str, node: &Node) -> Read<Vec<String>> {
    let repeated = |option: &str| each(option, node);
    let once = |option: &str| Ok(vec![option.to_owned(), string(node)?]);
    match member {
        "capabilities" | "cap_add" => repeated("--cap-add"),
        "cap_drop" => repeated("--cap-drop"),
        "devices" => repeated("--device"),
        "dns_servers" => repeated("--dns"),
        "env" => repeated("--env"),
        "etc_hosts" => hosts(node),
        "exposed_ports" => repeated("--expose"),
        "published_ports" => repeated("--publish"),
        "security_opts" => repeated("--security-opt"),
        "sysctls" => repeated("--sysctl"),
        "tmpfs" => repeated("--tmpfs"),
        "ulimits" => repeated("--ulimit"),
        "cgroupns_mode" => once("--cgroupns"),
        "extra_opts" => strings(node),
        "ipc_mode" => once("--ipc"),
        "network" | "network_mode" => once("--network"),
        "pid_mode" => once("--pid"),
        "platform" => once("--platform"),
        "shm_size" => once("--shm-size"),
        "systemd" => once("--systemd"),
        "user" => once("--user"),
        "userns_mode" => once("--userns"),
        _ => Ok(Vec::new()),
    }
}

/// A list gives the option for each item, a mapping for each `NAME=VALUE` (`NAME:VALUE` for `--tmpfs`).
fn each(option: &str, node: &Node) -> Read<Vec<String>> {
    let mut words = Vec::new();
    let mut add = |value: String| words.extend([option.to_owned(), value]);
    match node.as_map() {
        Some(entries) => {
            for entry in entries {
                let Some(name) = entry.key.as_str() else {
                    return Err(wrong(&entry.key, "a name is text"));
                };
                let value = string(&entry.value)?;
                let between = if option == "--tmpfs" { ':' } else { '=' };
                if value.is_empty() {
                    add(name.to_owned());
                } else {
                    add(format!("{name}{between}{value}"));
                }
            }
        }
        None => strings(node)?.into_iter().for_each(add),
    }
    Ok(words)
}

/// `{NAME: ADDRESS}`.
fn hosts(node: &Node) -> Read<Vec<String>> {
    let mut words = Vec::new();
    for entry in node.as_map().unwrap_or_default() {
        let name = entry.key.as_str().unwrap_or_default();
        words.extend([
            "--add-host".to_owned(),
            format!("{name}:{}", string(&entry.value)?),
        ]);
    }
    Ok(words)
}
