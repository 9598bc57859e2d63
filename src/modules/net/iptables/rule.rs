//! A rule as words of a command line.

use super::{Args, IpVersion, Syn};
use crate::modules::ModuleResult;
use crate::value::{FromValue, Map, Value};

/// Words that grow.
#[derive(Default)]
struct Words(Vec<String>);

impl Words {
    fn add(&mut self, words: &[&str]) {
        self.0.extend(words.iter().map(|word| (*word).to_owned()));
    }

    /// A switch with its value, if it is given; `!` before the value negates the switch.
    fn option(&mut self, switch: &str, value: Option<&String>) {
        match value.map(|value| (value.strip_prefix('!'), value)) {
            Some((Some(value), _)) => self.add(&["!", switch, value]),
            Some((None, value)) => self.add(&[switch, value]),
            None => {}
        }
    }

    /// A switch with a value that is taken as it is.
    fn plain(&mut self, switch: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.add(&[switch, value]);
        }
    }
}

fn list(flags: &Map, name: &str) -> ModuleResult<String> {
    let value = flags.get(name).unwrap_or(&Value::Null);
    let words = Vec::<String>::from_value(value)
        .map_err(|problem| format!("tcp_flags: {name}: {}", problem.0))?;
    Ok(words.join(","))
}

/// The rule's words, without table, chain and action.
pub(super) fn words(args: &Args) -> ModuleResult<Vec<String>> {
    let mut words = Words::default();
    let matches: &[String] = args.r#match.as_deref().unwrap_or_default();
    // the words and their order are Ansible's, for rules that it made must be found again: some extensions are
    // named twice if the task names them too
    let named = |name: &str| matches.iter().any(|m| m == name);
    words.plain("-w", args.wait.as_deref());
    words.option("-p", args.protocol.as_ref());
    words.option("-s", args.source.as_ref());
    words.option("-d", args.destination.as_ref());
    for name in matches {
        words.add(&["-m", name]);
    }
    if let Some(flags) = &args.tcp_flags {
        if flags.get("flags").is_none() || flags.get("flags_set").is_none() {
            return Err("tcp_flags needs both `flags` and `flags_set`".into());
        }
        words.add(&[
            "--tcp-flags",
            &list(flags, "flags")?,
            &list(flags, "flags_set")?,
        ]);
    }
    words.option("-j", args.jump.as_ref());
    let logs = args.log_prefix.is_some() || args.log_level.is_some();
    if logs && args.jump.is_none() {
        words.add(&["-j", "LOG"]);
    }
    if args
        .jump
        .as_deref()
        .is_some_and(|j| j.eq_ignore_ascii_case("tee"))
    {
        words.plain("--gateway", args.gateway.as_deref());
    }
    words.plain("--log-prefix", args.log_prefix.as_deref());
    words.plain("--log-level", args.log_level.map(super::LogLevel::word));
    words.plain("--to-destination", args.to_destination.as_deref());
    if let Some(ports) = args.destination_ports.as_ref().filter(|p| !p.is_empty()) {
        words.add(&["-m", "multiport", "--dports", &ports.join(",")]);
    }
    words.plain("--to-source", args.to_source.as_deref());
    words.option("-g", args.goto.as_ref());
    words.option("-i", args.in_interface.as_ref());
    words.option("-o", args.out_interface.as_ref());
    words.option("-f", args.fragment.as_ref());
    words.option("-c", args.set_counters.as_ref());
    words.option("--source-port", args.source_port.as_ref());
    words.option("--destination-port", args.destination_port.as_ref());
    words.option("--to-ports", args.to_ports.as_ref());
    words.option("--set-dscp", args.set_dscp_mark.as_ref());
    words.option("--set-dscp-class", args.set_dscp_mark_class.as_ref());
    let marks = args.set_dscp_mark.is_some() || args.set_dscp_mark_class.is_some();
    if marks
        && args
            .jump
            .as_deref()
            .is_none_or(|j| !j.eq_ignore_ascii_case("dscp"))
    {
        words.add(&["-j", "DSCP"]);
    }
    match args.syn {
        Syn::Ignore => {}
        Syn::Match => words.add(&["--syn"]),
        Syn::Negate => words.add(&["!", "--syn"]),
    }
    if let Some(states) = args.ctstate.as_ref().filter(|s| !s.is_empty()) {
        let states = states.join(",");
        if named("state") {
            words.add(&["--state", &states]);
        } else {
            if !named("conntrack") {
                words.add(&["-m", "conntrack"]);
            }
            words.add(&["--ctstate", &states]);
        }
    }
    if (args.src_range.is_some() || args.dst_range.is_some()) && !named("iprange") {
        words.add(&["-m", "iprange"]);
    }
    words.option("--src-range", args.src_range.as_ref());
    words.option("--dst-range", args.dst_range.as_ref());
    if let (Some(set), Some(flags)) = (&args.match_set, args.match_set_flags) {
        if !named("set") {
            words.add(&["-m", "set"]);
        }
        words.option("--match-set", Some(set));
        words.add(&[flags.word()]);
    }
    if args.limit.is_some() || args.limit_burst.is_some() {
        words.add(&["-m", "limit"]);
    }
    words.option("--limit", args.limit.as_ref());
    words.option("--limit-burst", args.limit_burst.as_ref());
    for (switch, owner) in [
        ("--uid-owner", &args.uid_owner),
        ("--gid-owner", &args.gid_owner),
    ] {
        if owner.is_some() {
            words.add(&["-m", "owner"]);
        }
        words.option(switch, owner.as_ref());
    }
    if args.reject_with.is_some() && args.jump.is_none() {
        words.add(&["-j", "REJECT"]);
    }
    words.plain("--reject-with", args.reject_with.as_deref());
    let icmp = match args.ip_version {
        IpVersion::Four => "--icmp-type",
        IpVersion::Six => "--icmpv6-type",
    };
    words.option(icmp, args.icmp_type.as_ref());
    if let Some(comment) = &args.comment {
        words.add(&["-m", "comment", "--comment", comment]);
    }
    Ok(words.0)
}
