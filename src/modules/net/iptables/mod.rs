//! `iptables`: rules, chains and policies of the kernel's packet filter.
//!
//! Source: iptables(8), iptables-extensions(8), and the documentation of `ansible.builtin.iptables`.

mod rule;

use crate::modules::streams::command_failed;
use crate::modules::{Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::{Output, Sys};
use crate::value::{ArgRule, Map, Value};
use crate::{choices, module_args};

choices! {
    /// Whether a rule or chain is to be there.
    pub enum State {
        /// It is not.
        Absent = "absent",
        /// It is.
        Present = "present",
    }
}

choices! {
    /// Where a new rule goes.
    pub enum Action {
        /// After the last one.
        Append = "append",
        /// Before the first one, or at `rule_num`.
        Insert = "insert",
    }
}

choices! {
    /// The version of IP.
    pub enum IpVersion {
        /// `iptables`.
        Four = "ipv4",
        /// `ip6tables`.
        Six = "ipv6",
    }
}

choices! {
    /// A table of the filter.
    pub enum Table {
        /// What may pass.
        Filter = "filter",
        /// Translation of addresses.
        Nat = "nat",
        /// Changes to packets.
        Mangle = "mangle",
        /// Before connections are tracked.
        Raw = "raw",
        /// Marks for SELinux.
        Security = "security",
    }
}

choices! {
    /// What becomes of packets that no rule decides on.
    pub enum Policy {
        /// They pass.
        Accept = "ACCEPT",
        /// They vanish.
        Drop = "DROP",
        /// A program decides.
        Queue = "QUEUE",
        /// Back to the calling chain.
        Return = "RETURN",
    }
}

choices! {
    /// Whether a packet must open a connection.
    pub enum Syn {
        /// It makes no difference.
        Ignore = "ignore",
        /// It must.
        Match = "match",
        /// It must not.
        Negate = "negate",
    }
}

choices! {
    /// How urgent a log entry is.
    pub enum LogLevel {
        /// 0.
        L0 = "0",
        /// 1.
        L1 = "1",
        /// 2.
        L2 = "2",
        /// 3.
        L3 = "3",
        /// 4.
        L4 = "4",
        /// 5.
        L5 = "5",
        /// 6.
        L6 = "6",
        /// 7.
        L7 = "7",
        /// 0.
        Emerg = "emerg",
        /// 1.
        Alert = "alert",
        /// 2.
        Crit = "crit",
        /// 3.
        Error = "error",
        /// 4.
        Warning = "warning",
        /// 5.
        Notice = "notice",
        /// 6.
        Info = "info",
        /// 7.
        Debug = "debug",
    }
}

choices! {
    /// Which addresses of a packet are looked up in a set.
    pub enum SetFlags {
        /// Its source.
        Src = "src",
        /// Its destination.
        Dst = "dst",
        /// Both.
        SrcDst = "src,dst",
        /// Both, the other way.
        DstSrc = "dst,src",
        /// The destination twice.
        DstDst = "dst,dst",
        /// The source twice.
        SrcSrc = "src,src",
    }
}

module_args! {
    /// Arguments of `iptables`.
    pub struct Args {
        /// The table.
        table: Table => default("filter");
        /// Whether the rule, or the chain, is to be there.
        state: State => default("present");
        /// Where a new rule goes.
        action: Action => default("append");
        /// The number of the rule before which a new one is inserted.
        rule_num: Option<String> => optional;
        /// The version of IP.
        ip_version: IpVersion => default("ipv4");
        /// The chain.
        chain: Option<String> => optional;
        /// Make the chain if it is missing; remove it, if only it is named and `state` is `absent`.
        chain_management: bool => default(false);
        /// The protocol, e.g. `tcp`; `!` before it negates.
        protocol: Option<String> => optional;
        /// Where a packet comes from; `!` before it negates.
        source: Option<String> => optional;
        /// Where a packet goes; `!` before it negates.
        destination: Option<String> => optional;
        /// Flags of TCP: `flags` to look at, `flags_set` that must be set.
        tcp_flags: Option<Map> => optional;
        /// Extensions to match with.
        r#match: Option<Vec<String>> => optional;
        /// What is done with a packet that fits.
        jump: Option<String> => optional;
        /// The text before a log entry.
        log_prefix: Option<String> => optional;
        /// How urgent a log entry is.
        log_level: Option<LogLevel> => optional;
        /// The chain in which to go on.
        goto: Option<String> => optional;
        /// The interface on which a packet came; `!` before it negates.
        in_interface: Option<String> => optional;
        /// The interface on which a packet goes; `!` before it negates.
        out_interface: Option<String> => optional;
        /// Only fragments of packets after the first; `!` before it negates.
        fragment: Option<String> => optional;
        /// Counters of packets and bytes to begin with.
        set_counters: Option<String> => optional;
        /// The port, or range, from which a packet comes; `!` before it negates.
        source_port: Option<String> => optional;
        /// The port, or range, to which a packet goes; `!` before it negates.
        destination_port: Option<String> => optional;
        /// Several ports or ranges to which a packet goes.
        destination_ports: Option<Vec<String>> => optional;
        /// The ports to which a packet is redirected.
        to_ports: Option<String> => optional;
        /// The destination that a packet gets, with `DNAT`.
        to_destination: Option<String> => optional;
        /// The source that a packet gets, with `SNAT`.
        to_source: Option<String> => optional;
        /// Whether a packet must open a connection.
        syn: Syn => default("ignore");
        /// A mark for routers, as a number.
        set_dscp_mark: Option<String> => optional;
        /// A mark for routers, as a class.
        set_dscp_mark_class: Option<String> => optional;
        /// A comment on the rule.
        comment: Option<String> => optional;
        /// States of the connection that a packet belongs to.
        ctstate: Option<Vec<String>> => optional;
        /// A range of sources; `!` before it negates.
        src_range: Option<String> => optional;
        /// A range of destinations; `!` before it negates.
        dst_range: Option<String> => optional;
        /// A set (see ipset(8)); `!` before it negates.
        match_set: Option<String> => optional;
        /// Which addresses are looked up in the set.
        match_set_flags: Option<SetFlags> => optional;
        /// How often the rule fits at most, e.g. `2/second`.
        limit: Option<String> => optional;
        /// How many packets pass before the limit counts.
        limit_burst: Option<String> => optional;
        /// The user whose packets they are; `!` before it negates.
        uid_owner: Option<String> => optional;
        /// The group whose packets they are; `!` before it negates.
        gid_owner: Option<String> => optional;
        /// What a sender is told.
        reject_with: Option<String> => optional;
        /// The type of ICMP; `!` before it negates.
        icmp_type: Option<String> => optional;
        /// The machine that gets a copy, with `TEE`.
        gateway: Option<String> => optional;
        /// Remove all rules of the chain, or of the table.
        flush: bool => default(false);
        /// What becomes of packets that no rule decides on.
        policy: Option<Policy> => optional;
        /// Seconds to wait for the lock of the filter.
        wait: Option<String> => optional;
        /// Has no meaning: names are never looked up.
        numeric: bool => default(false);
    }
}

/// The module.
pub struct Iptables;

impl Module for Iptables {
    const NAME: &'static str = "iptables";
    const DOC: &'static str = "Rules, chains and policies of the kernel's packet filter.\nThey hold until the machine is booted; saving them is another's affair.";
    const RULES: &'static [ArgRule] = &[
        ArgRule::Exclusive(&["set_dscp_mark", "set_dscp_mark_class"]),
        ArgRule::Exclusive(&["flush", "policy"]),
        ArgRule::If("jump", "TEE", &["gateway"]),
        ArgRule::If("jump", "tee", &["gateway"]),
    ];
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let logs = args.log_prefix.is_some() || args.log_level.is_some();
        if logs && args.jump.as_deref().is_some_and(|jump| jump != "LOG") {
            return Err("Logging options can only be used with the LOG jump target.".into());
        }
        if args.match_set.is_some() != args.match_set_flags.is_some() {
            return Err("parameters are required together: match_set, match_set_flags".into());
        }
        let rule = rule::words(args)?;
        let mut plan = Plan::new();
        plan.returns("ip_version", args.ip_version.word());
        plan.returns("table", args.table.word());
        plan.returns("chain", args.chain.as_deref().map(Value::data));
        plan.returns("flush", args.flush);
        plan.returns("rule", Value::data(rule.join(" ")));
        plan.returns("state", args.state.word());
        plan.returns("chain_management", args.chain_management);
        if sys.which(args.program()).is_none() {
            return Err(format!(
                "there is no `{}` on this machine: install iptables first",
                args.program()
            )
            .into());
        }
        let Some(chain) = args.chain.as_deref() else {
            if !args.flush {
                return Err("flush is False but all of the following are missing: chain".into());
            }
            flush(args, None, sys, &mut plan)?;
            return Ok(plan);
        };
        if args.flush {
            flush(args, Some(chain), sys, &mut plan)?;
        } else if let Some(policy) = args.policy {
            set_policy(args, chain, policy.word(), sys, &mut plan)?;
        } else if rule.is_empty() {
            if args.chain_management {
                manage_chain(args, chain, sys, &mut plan)?;
            }
        } else {
            set_rule(args, chain, rule, sys, &mut plan)?;
        }
        Ok(plan)
    }
}

impl Args {
    fn program(&self) -> &'static str {
        match self.ip_version {
            IpVersion::Four => "iptables",
            IpVersion::Six => "ip6tables",
        }
    }

    fn words<'w>(&self, words: impl IntoIterator<Item = &'w str>) -> Vec<String> {
        [self.program(), "-t", self.table.word()]
            .into_iter()
            .chain(words)
            .map(str::to_owned)
            .collect()
    }

    fn ask<'w>(&self, words: impl IntoIterator<Item = &'w str>, sys: &Sys) -> ModuleResult<Output> {
        Ok(sys.query(&sys.tool(self.words(words)))?)
    }

    fn step(&self, plan: &mut Plan<'_>, words: Vec<String>, diff: Diff) {
        plan.act(words.join(" "), Some(diff), move |sys, _| {
            let command = sys.tool(words);
            let output = sys.run(&command)?;
            if output.ok() {
                Ok(())
            } else {
                Err(command_failed(
                    "the filter cannot be changed",
                    &command,
                    &output,
                ))
            }
        });
    }

    fn target(&self, chain: &str) -> String {
        format!("{} {} {chain}", self.program(), self.table.word())
    }

    /// Whether the rule is there. A rule that cannot be is not.
    fn has_rule(&self, chain: &str, rule: &[String], sys: &Sys) -> ModuleResult<bool> {
        let words = ["-C", chain].into_iter();
        Ok(self
            .ask(words.chain(rule.iter().map(String::as_str)), sys)?
            .ok())
    }

    fn has_chain(&self, chain: &str, sys: &Sys) -> ModuleResult<bool> {
        Ok(self.ask(["-n", "-L", chain], sys)?.ok())
    }
}

fn flush(args: &Args, chain: Option<&str>, sys: &Sys, plan: &mut Plan<'_>) -> ModuleResult<()> {
    let words: Vec<&str> = ["-S"].into_iter().chain(chain).collect();
    let output = args.ask(words.iter().copied(), sys)?;
    let rules: String = output
        .text()
        .lines()
        .filter(|line| line.starts_with("-A "))
        .map(|line| format!("{line}\n"))
        .collect();
    // a chain that is not there is complained of when it is to be flushed
    if output.ok() && rules.is_empty() {
        return Ok(());
    }
    let diff = Diff::new(
        args.target(chain.unwrap_or("(all chains)")),
        Some(rules),
        Some(""),
    );
    args.step(plan, args.words(["-F"].into_iter().chain(chain)), diff);
    Ok(())
}

fn set_policy(
    args: &Args,
    chain: &str,
    policy: &str,
    sys: &Sys,
    plan: &mut Plan<'_>,
) -> ModuleResult<()> {
    let output = args.ask(["-n", "-L", chain], sys)?;
    let text = output.text();
    let now = text
        .lines()
        .next()
        .and_then(|line| line.split("(policy ").nth(1))
        .and_then(|rest| rest.split([' ', ')']).next());
    let Some(now) = now else {
        return Err(format!(
            "Can't detect current policy of chain {chain}: {}",
            output.complaint()
        )
        .into());
    };
    if now != policy {
        let side = |word: &str| Some(format!("policy: {word}\n"));
        let diff = Diff::new(args.target(chain), side(now), side(policy));
        args.step(plan, args.words(["-P", chain, policy]), diff);
    }
    Ok(())
}

fn manage_chain(args: &Args, chain: &str, sys: &Sys, plan: &mut Plan<'_>) -> ModuleResult<()> {
    let there = args.has_chain(chain, sys)?;
    let line = format!("-N {chain}\n");
    match (args.state, there) {
        (State::Present, false) => {
            let diff = Diff::new(args.target(chain), None::<String>, Some(line));
            args.step(plan, args.words(["-N", chain]), diff);
        }
        (State::Absent, true) => {
            let diff = Diff::new(args.target(chain), Some(line), None::<String>);
            args.step(plan, args.words(["-X", chain]), diff);
        }
        _ => {}
    }
    Ok(())
}

fn set_rule(
    args: &Args,
    chain: &str,
    rule: Vec<String>,
    sys: &Sys,
    plan: &mut Plan<'_>,
) -> ModuleResult<()> {
    let there = args.has_rule(chain, &rule, sys)?;
    let line = format!("-A {chain} {}\n", rule.join(" "));
    let rule = rule.iter().map(String::as_str);
    match (args.state, there) {
        (State::Present, false) => {
            if args.chain_management {
                manage_chain(args, chain, sys, plan)?;
            }
            let mut words = match args.action {
                Action::Append => vec!["-A", chain],
                Action::Insert => vec!["-I", chain],
            };
            if args.action == Action::Insert {
                words.extend(args.rule_num.as_deref());
            }
            let diff = Diff::new(args.target(chain), None::<String>, Some(line));
            args.step(plan, args.words(words.into_iter().chain(rule)), diff);
        }
        (State::Absent, true) => {
            let diff = Diff::new(args.target(chain), Some(line), None::<String>);
            args.step(
                plan,
                args.words(["-D", chain].into_iter().chain(rule)),
                diff,
            );
        }
        _ => {}
    }
    Ok(())
}
