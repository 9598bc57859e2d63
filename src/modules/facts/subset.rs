//! Which facts are asked for.
//!
//! Source: Ansible's documentation, "setup – gathers facts about remote hosts", `gather_subset`.

/// A group of facts that are gathered together, the names that choose it, and whether it is in the minimum.
pub(super) struct Group {
    pub(super) name: &'static str,
    pub(super) minimal: bool,
    also: &'static [&'static str],
    /// Groups that come with it.
    needs: &'static [&'static str],
}

const fn group(
    name: &'static str,
    minimal: bool,
    also: &'static [&'static str],
    needs: &'static [&'static str],
) -> Group {
    Group {
        name,
        minimal,
        also,
        needs,
    }
}

/// All groups, in the order of gathering.
pub(super) const GROUPS: &[Group] = &[
    group(
        "platform",
        true,
        &[
            "system",
            "kernel",
            "kernel_version",
            "machine",
            "python_version",
            "architecture",
            "machine_id",
        ],
        &[],
    ),
    group(
        "distribution",
        true,
        &[
            "distribution_version",
            "distribution_release",
            "distribution_major_version",
            "os_family",
        ],
        &[],
    ),
    group("python", true, &[], &[]),
    group("pkg_mgr", true, &[], &["distribution"]),
    group("service_mgr", true, &[], &["platform", "distribution"]),
    group("lsb", true, &[], &[]),
    group(
        "user",
        true,
        &[
            "user_id",
            "user_uid",
            "user_gid",
            "user_gecos",
            "user_dir",
            "user_shell",
            "real_user_id",
            "effective_user_id",
            "effective_group_ids",
        ],
        &[],
    ),
    group("env", true, &[], &[]),
    group("date_time", true, &[], &[]),
    group("cmdline", true, &[], &[]),
    group("dns", true, &[], &[]),
    group("selinux", true, &[], &[]),
    group("apparmor", true, &[], &[]),
    group(
        "caps",
        true,
        &["system_capabilities", "system_capabilities_enforced"],
        &[],
    ),
    group("fips", true, &[], &[]),
    group(
        "ssh_pub_keys",
        true,
        &[
            "ssh_host_pub_keys",
            "ssh_host_key_dsa_public",
            "ssh_host_key_rsa_public",
            "ssh_host_key_ecdsa_public",
            "ssh_host_key_ed25519_public",
        ],
        &[],
    ),
    group("local", true, &[], &[]),
    group(
        "hardware",
        false,
        &[
            "processor",
            "processor_cores",
            "processor_count",
            "mounts",
            "devices",
        ],
        &["platform"],
    ),
    group(
        "network",
        false,
        &[
            "interfaces",
            "default_ipv4",
            "default_ipv6",
            "all_ipv4_addresses",
            "all_ipv6_addresses",
        ],
        &["platform", "distribution"],
    ),
    group(
        "virtual",
        false,
        &[
            "virtualization_type",
            "virtualization_role",
            "virtualization_tech_guest",
            "virtualization_tech_host",
        ],
        &[],
    ),
    group("chroot", false, &["is_chroot"], &[]),
    group("loadavg", false, &[], &[]),
    group("systemd", false, &[], &[]),
    group("fibre_channel_wwn", false, &[], &[]),
    group("iscsi", false, &[], &[]),
    group("nvme", false, &[], &[]),
    // read by programs that runbook does not run; accepted, nothing is gathered
    group("facter", false, &[], &[]),
    group("ohai", false, &[], &[]),
];

impl Group {
    fn answers_to(&self, name: &str) -> bool {
        self.name == name || self.also.contains(&name)
    }
}

/// The names of the groups that these words choose, in the order of gathering.
///
/// # Errors
/// A word that is none.
pub(super) fn choose(words: &[String]) -> Result<Vec<&'static str>, String> {
    let n = GROUPS.len();
    let (mut wanted, mut unwanted, mut named) = (vec![false; n], vec![false; n], vec![false; n]);
    let mark = |flags: &mut Vec<bool>, wants: &dyn Fn(&Group) -> bool| {
        for (flag, group) in flags.iter_mut().zip(GROUPS) {
            *flag |= wants(group);
        }
    };
    mark(&mut wanted, &|group| group.minimal);
    for word in words.iter().map(|word| word.trim()) {
        let (not, name) = word
            .strip_prefix('!')
            .map_or((false, word), |name| (true, name));
        match (not, name) {
            (false, "all") => mark(&mut wanted, &|_| true),
            (false, "min") => mark(&mut wanted, &|group| group.minimal),
            (true, "all") => mark(&mut unwanted, &|group| !group.minimal),
            (true, "min") => mark(&mut unwanted, &|group| group.minimal),
            (_, name) if !GROUPS.iter().any(|group| group.answers_to(name)) => {
                return Err(bad(name));
            }
            (true, name) => mark(&mut unwanted, &|group| group.answers_to(name)),
            (false, name) => {
                mark(&mut wanted, &|group| group.answers_to(name));
                mark(&mut named, &|group| group.answers_to(name));
            }
        }
    }
    let mut chosen: Vec<bool> = wanted
        .iter()
        .zip(&unwanted)
        .zip(&named)
        .map(|((wanted, unwanted), named)| *wanted && (!unwanted || *named))
        .collect();
    let needed: Vec<&str> = GROUPS
        .iter()
        .zip(&chosen)
        .filter(|(_, chosen)| **chosen)
        .flat_map(|(group, _)| group.needs.iter().copied())
        .collect();
    mark(&mut chosen, &|group| needed.contains(&group.name));
    Ok(GROUPS
        .iter()
        .zip(chosen)
        .filter_map(|(group, chosen)| chosen.then_some(group.name))
        .collect())
}

fn bad(name: &str) -> String {
    let mut known: Vec<&str> = GROUPS
        .iter()
        .flat_map(|group| std::iter::once(group.name).chain(group.also.iter().copied()))
        .chain(["all", "min"])
        .collect();
    known.sort_unstable();
    format!(
        "Bad subset '{name}' given to Ansible. gather_subset options allowed: {}",
        known.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::choose;

    fn chosen(words: &[&str]) -> Vec<&'static str> {
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        choose(&words).expect("known words")
    }

    #[test]
    fn words_add_and_take_away() {
        let all = chosen(&["all"]);
        let min = chosen(&["!all"]);
        assert!(all.contains(&"network") && all.contains(&"env"));
        assert!(!min.contains(&"network") && min.contains(&"env"));
        assert_eq!(chosen(&["min"]), min);
        // as Ansible: the minimum is always asked for, so taking something away leaves only that
        assert_eq!(chosen(&["!network"]), min);
        let but_hardware = chosen(&["all", "!hardware"]);
        assert!(but_hardware.contains(&"network") && !but_hardware.contains(&"hardware"));
        assert_eq!(
            chosen(&["!all", "!min", "network"]),
            ["platform", "distribution", "network"]
        );
        assert_eq!(
            chosen(&["!all", "!min", "mounts"]),
            ["platform", "hardware"]
        );
        assert!(chosen(&["!all", "!min"]).is_empty());
    }

    #[test]
    fn a_word_that_is_none_is_named_with_those_that_are() {
        let problem = choose(&["!hardwere".into()]).expect_err("no such");
        assert!(
            problem.contains("'hardwere'") && problem.contains("hardware, interfaces"),
            "{problem}"
        );
    }
}
