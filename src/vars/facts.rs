//! Facts as variables: under `ansible_facts`, and injected into the top level.

use crate::value::{Map, Value};

/// Names that describe how to reach a machine; no machine may set them.
const CONNECTION: [&str; 31] = [
    "ansible_become",
    "ansible_become_exe",
    "ansible_become_flags",
    "ansible_become_method",
    "ansible_become_pass",
    "ansible_become_password",
    "ansible_become_user",
    "ansible_connection",
    "ansible_connection_user",
    "ansible_docker_extra_args",
    "ansible_facts",
    "ansible_host",
    "ansible_module_compression",
    "ansible_network_os",
    "ansible_password",
    "ansible_pipelining",
    "ansible_playbook_python",
    "ansible_port",
    "ansible_private_key_file",
    "ansible_rsync_path",
    "ansible_scp_extra_args",
    "ansible_sftp_extra_args",
    "ansible_shell_executable",
    "ansible_shell_type",
    "ansible_timeout",
    "ansible_user",
    "ansible_parsed",
    "ansible_wrapped_result",
    "ansible_task_vars",
    "ansible_async_path",
    "ansible_raw_params",
];

/// Prefixes of settings of connection plugins.
const PLUGIN_PREFIXES: [&str; 8] = [
    "ansible_become_",
    "ansible_ssh_",
    "ansible_local_",
    "ansible_paramiko_ssh_",
    "ansible_psrp_",
    "ansible_winrm_",
    "ansible_docker_",
    "ansible_kubectl_",
];

/// What is under `ansible_facts`: the facts without their prefix `ansible_` (`ansible_local` keeps it).
pub fn namespaced_facts(facts: &Map) -> Map {
    facts
        .iter()
        .map(|(key, value)| {
            let key = match key.as_str().and_then(|name| name.strip_prefix("ansible_")) {
                Some(short) if short != "local" => Value::data(short),
                _ => key.clone(),
            };
            (key, value.clone())
        })
        .collect()
}

/// What of the facts becomes top-level variables: everything but what could redirect a connection, as Ansible
/// filters it.
pub fn injected_facts(facts: &Map) -> Map {
    facts
        .iter()
        .filter(|(key, _)| key.as_str().is_some_and(|name| !is_restricted(name)))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

fn is_restricted(name: &str) -> bool {
    if name.starts_with("ansible_ssh_host_key_") {
        return false;
    }
    let device = name.ends_with("_bridge") || name.ends_with("_gwbridge");
    CONNECTION.contains(&name)
        || name.starts_with("_ansible_")
        || (name.starts_with("ansible_become_"))
        || (!device
            && PLUGIN_PREFIXES
                .iter()
                .any(|prefix| name.starts_with(prefix)))
        || (name.starts_with("ansible_") && name.ends_with("_interpreter"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_lose_their_prefix_and_cannot_redirect() {
        let facts = Map::new()
            .with("ansible_distribution", "Debian")
            .with("ansible_local", "l")
            .with("ansible_host", "evil")
            .with("ansible_ssh_common_args", "evil")
            .with("ansible_python_interpreter", "evil")
            .with("ansible_ssh_host_key_rsa_public", "key")
            .with("ansible_docker_gwbridge", "net")
            .with("packages", "p");
        let names = |map: Map| {
            map.str_iter()
                .map(|(k, _)| k.to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            names(injected_facts(&facts)),
            [
                "ansible_distribution",
                "ansible_local",
                "ansible_ssh_host_key_rsa_public",
                "ansible_docker_gwbridge",
                "packages"
            ]
        );
        let all = names(namespaced_facts(&facts));
        assert!(all.contains(&"distribution".into()) && all.contains(&"ansible_local".into()));
        assert_eq!(all.len(), facts.len());
    }
}
