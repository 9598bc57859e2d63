//! `ufw`: the simple firewall of Ubuntu and Debian.
//!
//! What a rule would change is asked of `ufw --dry-run`.
//!
//! Source: the documentation of `community.general.ufw`; ufw(8).

use crate::modules::steps::{ask_tool, run_tool};
use crate::modules::{Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::Sys;
use crate::value::{ArgRule, Value};
use crate::{choices, module_args};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;

choices! {
    /// What the firewall is to be.
    pub enum State {
        /// On, and at each boot.
        Enabled = "enabled",
        /// Off.
        Disabled = "disabled",
        /// Read anew.
        Reloaded = "reloaded",
        /// Off and without rules.
        Reset = "reset",
    }
}

choices! {
    /// What happens to what no rule is for.
    #[allow(missing_docs)]
    pub enum Policy {
        Allow = "allow",
        Deny = "deny",
        Reject = "reject",
    }
}

choices! {
    /// How much is logged.
    #[allow(missing_docs)]
    pub enum Logging {
        On = "on",
        Off = "off",
        Low = "low",
        Medium = "medium",
        High = "high",
        Full = "full",
    }
}

choices! {
    /// What happens to what a rule is for.
    #[allow(missing_docs)]
    pub enum Rule {
        Allow = "allow",
        Deny = "deny",
        Limit = "limit",
        Reject = "reject",
    }
}

choices! {
    /// Where it comes from.
    #[allow(missing_docs)]
    pub enum Direction {
        In = "in",
        Incoming = "incoming",
        Out = "out",
        Outgoing = "outgoing",
        Routed = "routed",
    }
}

choices! {
    /// What the number of `insert` counts from.
    #[allow(missing_docs)]
    pub enum Relative {
        Zero = "zero",
        FirstV4 = "first-ipv4",
        LastV4 = "last-ipv4",
        FirstV6 = "first-ipv6",
        LastV6 = "last-ipv6",
    }
}

choices! {
    /// Protocols.
    #[allow(missing_docs)]
    pub enum Protocol {
        Ah = "ah",
        Any = "any",
        Esp = "esp",
        Ipv6 = "ipv6",
        Tcp = "tcp",
        Udp = "udp",
        Gre = "gre",
        Igmp = "igmp",
        Vrrp = "vrrp",
    }
}

module_args! {
    /// Arguments of `ufw`.
    pub struct Args {
        /// What the firewall is to be.
        state: Option<State> => optional;
        /// What happens to what no rule is for.
        default: Option<Policy> => optional, aliases ["policy"];
        /// How much is logged.
        logging: Option<Logging> => optional;
        /// What happens to what the rule is for.
        rule: Option<Rule> => optional;
        /// Which way it goes: for `default` `incoming`, `outgoing` or `routed`, for a rule `in` or `out`.
        direction: Option<Direction> => optional;
        /// The rule is for what goes through the machine.
        route: bool => default(false);
        /// The rule is not to be there.
        delete: bool => default(false);
        /// The place of a new rule.
        insert: Option<i64> => optional;
        /// What that counts from.
        insert_relative_to: Relative => default("zero");
        /// Where it comes from or goes to, with `direction`.
        interface: Option<String> => optional, aliases ["if"];
        /// Where it comes from.
        interface_in: Option<String> => optional, aliases ["if_in"];
        /// Where it goes to.
        interface_out: Option<String> => optional, aliases ["if_out"];
        /// New connections are logged.
        log: bool => default(false);
        /// Address that it comes from.
        from_ip: String => default("any"), aliases ["from", "src"];
        /// Port that it comes from.
        from_port: Option<String> => optional;
        /// Address that it goes to.
        to_ip: String => default("any"), aliases ["dest", "to"];
        /// Port that it goes to.
        to_port: Option<String> => optional, aliases ["port"];
        /// Protocol.
        proto: Option<Protocol> => optional, aliases ["protocol"];
        /// A profile of `/etc/ufw/applications.d`.
        name: Option<String> => optional, aliases ["app"];
        /// A note beside the rule.
        comment: Option<String> => optional;
    }
}

/// Where ufw keeps its rules, by its versions.
const RULES: [&str; 6] = [
    "/lib/ufw/user.rules",
    "/lib/ufw/user6.rules",
    "/etc/ufw/user.rules",
    "/etc/ufw/user6.rules",
    "/var/lib/ufw/user.rules",
    "/var/lib/ufw/user6.rules",
];

/// What begins the description of a rule.
const TUPLE: &str = "### tuple";

/// The module.
pub struct Ufw;

impl Module for Ufw {
    const NAME: &'static str = "ufw";
    const COLLECTION: &'static str = "community.general";
    const DOC: &'static str = "Rules, policies and the state of the firewall ufw.";
    const RULES: &'static [ArgRule] = &[
        ArgRule::OneOf(&["state", "default", "rule", "logging"]),
        ArgRule::Exclusive(&["name", "proto", "logging"]),
        ArgRule::Exclusive(&["direction", "interface_in"]),
        ArgRule::Exclusive(&["direction", "interface_out"]),
    ];
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        if sys.which("ufw").is_none() {
            return Err("Failed to find required executable \"ufw\"".into());
        }
        if args.interface.is_some() && args.direction.is_none() {
            return Err("missing parameter(s) required by 'interface': direction".into());
        }
        let status = ask_tool(sys, &["ufw", "status", "verbose"])?;
        let mut plan = Plan::new();
        let mut commands: Vec<Vec<String>> = Vec::new();
        let mut diffs: Vec<(String, String, String)> = Vec::new();
        let line = |name: &str| {
            status
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .unwrap_or_default()
                .trim()
                .to_owned()
        };
        if let Some(state) = args.state {
            let now = line("Status:");
            let (verb, changes) = match state {
                State::Enabled => ("enable", now != "active"),
                State::Disabled => ("disable", now == "active"),
                State::Reloaded => ("reload", true),
                State::Reset => ("reset", true),
            };
            if changes {
                diffs.push(("status".into(), now, state.word().into()));
                commands.push(words(&["ufw", "-f", verb]));
            }
            if matches!(state, State::Reloaded | State::Reset) {
                plan.repeats();
            }
        }
        if let Some(policy) = args.default {
            let direction = match args.direction {
                None => "incoming",
                Some(d @ (Direction::Incoming | Direction::Outgoing | Direction::Routed)) => {
                    d.word()
                }
                Some(_) => {
                    return Err("For default, direction must be one of \"outgoing\", \"incoming\" and \"routed\", or direction must not be specified.".into());
                }
            };
            let all = line("Default:");
            let mark = format!("({direction})");
            let now = all
                .split(',')
                .find_map(|part| part.trim().strip_suffix(mark.as_str()))
                .map(|policy| policy.trim().to_owned());
            // what is not known is set: a firewall that is off does not say it
            let now = now.unwrap_or_else(|| default_of(sys, direction));
            if now != policy.word() {
                diffs.push((format!("default {direction}"), now, policy.word().into()));
                commands.push(words(&["ufw", "default", policy.word(), direction]));
            }
        }
        if args.rule.is_some() {
            let words = rule_words(args, sys)?;
            if let Some((before, after)) = rule_change(args, sys, &words)? {
                diffs.push(("rules".into(), before, after));
                let mut command = vec!["ufw".to_owned()];
                command.extend(words);
                commands.push(command);
            }
        }
        if let Some(logging) = args.logging {
            let now = line("Logging:");
            let level = now.split(['(', ')']).nth(1).unwrap_or_default();
            let is_on = now.starts_with("on");
            let fits = match logging {
                Logging::Off => now.starts_with("off"),
                Logging::On => is_on,
                other => is_on && level == other.word(),
            };
            if !fits {
                diffs.push(("logging".into(), now, logging.word().into()));
                commands.push(words(&["ufw", "logging", logging.word()]));
            }
        }
        let shown: Vec<Value> = commands
            .iter()
            .map(|command| Value::data(command.join(" ")))
            .collect();
        plan.returns("commands", shown);
        plan.returns("msg", Value::data(status.trim_end()));
        if commands.is_empty() {
            return Ok(plan);
        }
        let side = |pick: &dyn Fn(&(String, String, String)) -> &String| -> String {
            diffs
                .iter()
                .map(|change| format!("{}: {}\n", change.0, pick(change).trim_end()))
                .collect()
        };
        let diff = Diff::new("ufw", Some(side(&|c| &c.1)), Some(side(&|c| &c.2)));
        plan.act("set up the firewall", Some(diff), move |sys, data| {
            for command in &commands {
                let words: Vec<&str> = command.iter().map(String::as_str).collect();
                run_tool(sys, &words)?;
            }
            let status = run_tool(sys, &["ufw", "status", "verbose"])?.text();
            data.set("msg", Value::data(status.trim_end()));
            Ok(())
        });
        Ok(plan)
    }
}

fn words(parts: &[&str]) -> Vec<String> {
    parts.iter().map(|part| (*part).to_owned()).collect()
}

/// The policy as ufw's settings have it.
fn default_of(sys: &Sys, direction: &str) -> String {
    let name = match direction {
        "incoming" => "DEFAULT_INPUT_POLICY=",
        "outgoing" => "DEFAULT_OUTPUT_POLICY=",
        _ => "DEFAULT_FORWARD_POLICY=",
    };
    let text = sys.read_text(Path::new("/etc/default/ufw")).ok().flatten();
    let value = text
        .as_deref()
        .unwrap_or_default()
        .lines()
        .find_map(|line| line.trim().strip_prefix(name))
        .map(|value| value.trim_matches('"').to_owned());
    match value.as_deref() {
        Some("ACCEPT") => "allow".to_owned(),
        Some("DROP") => "deny".to_owned(),
        Some("REJECT") => "reject".to_owned(),
        _ => "unknown".to_owned(),
    }
}

/// The rule in ufw's long form.
fn rule_words(args: &Args, sys: &Sys) -> ModuleResult<Vec<String>> {
    if !matches!(args.direction, None | Some(Direction::In | Direction::Out)) {
        return Err("For rules, direction must be one of \"in\" and \"out\", or direction must not be specified.".into());
    }
    if !args.route && args.interface_in.is_some() && args.interface_out.is_some() {
        return Err("Only route rules can combine interface_in and interface_out".into());
    }
    let mut out: Vec<String> = Vec::new();
    let mut push = |parts: &[&str]| out.extend(words(parts));
    if args.route {
        push(&["route"]);
    }
    if args.delete {
        push(&["delete"]);
    } else if let Some(insert) = args.insert
        && let Some(place) = place_of(sys, insert, args.insert_relative_to)?
    {
        push(&["insert", &place.to_string()]);
    }
    push(&[args.rule.map_or("allow", Rule::word)]);
    if let Some(direction) = args.direction {
        push(&[direction.word()]);
    }
    for (before, interface) in [
        (&["on"][..], &args.interface),
        (&["in", "on"][..], &args.interface_in),
        (&["out", "on"][..], &args.interface_out),
    ] {
        if let Some(interface) = interface {
            push(before);
            push(&[interface]);
        }
    }
    if args.log {
        push(&["log"]);
    }
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    for (word, value) in [
        ("from", some(&args.from_ip)),
        ("port", args.from_port.clone()),
        ("to", some(&args.to_ip)),
        ("port", args.to_port.clone()),
        ("proto", args.proto.map(|proto| proto.word().to_owned())),
        ("app", args.name.clone()),
        ("comment", args.comment.clone()),
    ] {
        if let Some(value) = value {
            push(&[word, &value]);
        }
    }
    Ok(out)
}

/// The number for `insert`, or nothing where the rule comes last.
fn place_of(sys: &Sys, insert: i64, relative: Relative) -> ModuleResult<Option<i64>> {
    if relative == Relative::Zero {
        return Ok(Some(insert));
    }
    let text = ask_tool(sys, &["ufw", "status", "numbered"])?;
    let numbered: Vec<(i64, bool)> = text
        .lines()
        .filter_map(|line| {
            let (number, _) = line.strip_prefix('[')?.split_once(']')?;
            Some((number.trim().parse().ok()?, line.contains("(v6)")))
        })
        .collect();
    let last = numbered.iter().map(|(n, _)| *n).max().unwrap_or(0);
    let last_v4 = numbered.iter().filter(|(_, v6)| !v6).map(|(n, _)| *n).max();
    let has_v6 = numbered.iter().any(|(_, v6)| *v6);
    let base = match relative {
        Relative::Zero | Relative::FirstV4 => 1,
        Relative::LastV4 => last_v4.unwrap_or(1),
        Relative::FirstV6 => last_v4.map_or(1, |n| n + 1),
        Relative::LastV6 if has_v6 => last,
        Relative::LastV6 => last + 1,
    };
    // ufw does not take a number behind the last rule
    Ok(Some(insert + base).filter(|place| *place <= last))
}

/// The rules before and after, if the rule changes them.
fn rule_change(args: &Args, sys: &Sys, rule: &[String]) -> ModuleResult<Option<(String, String)>> {
    let mut dry: Vec<&str> = vec!["ufw", "--dry-run"];
    dry.extend(rule.iter().map(String::as_str));
    let said = ask_tool(sys, &dry)?;
    let mut lines = said
        .lines()
        .filter(|line| !line.trim().is_empty())
        .peekable();
    let nothing =
        |line: &str| line.contains("Skipping") || line.contains("Could not delete non-existent");
    if lines.peek().is_some() && lines.all(nothing) {
        return Ok(None);
    }
    let mut now = String::new();
    for path in RULES {
        now.push_str(&sys.read_text(Path::new(path))?.unwrap_or_default());
    }
    // it shows only the rules of the kind of address that the rule is for
    let is = |test: fn(&str) -> bool| [&args.from_ip, &args.to_ip].into_iter().any(|ip| test(ip));
    let (v4, v6) = (is(is_v4), is(is_v6));
    let tuples = |text: &str| -> String {
        text.lines()
            .filter(|line| line.starts_with(TUPLE))
            .filter(|line| {
                let has = |test: fn(&str) -> bool| line.split_whitespace().any(test);
                (!v4 || has(is_v4)) && (v4 || !v6 || has(is_v6))
            })
            .map(|line| format!("{line}\n"))
            .collect()
    };
    let (before, after) = (tuples(&now), tuples(&said));
    Ok((before != after).then_some((before, after)))
}

fn is_v4(text: &str) -> bool {
    let address = text.split('/').next().unwrap_or_default();
    address.parse::<Ipv4Addr>().is_ok()
}

fn is_v6(text: &str) -> bool {
    let address = text.split('/').next().unwrap_or_default();
    address.parse::<Ipv6Addr>().is_ok()
}
