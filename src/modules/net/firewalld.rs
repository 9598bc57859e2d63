//! `firewalld`: what zones of firewalld let through, by `firewall-cmd`, or `firewall-offline-cmd` while it does not run.
//!
//! Source: Ansible's documentation of `ansible.posix.firewalld`; firewall-cmd(1).

use crate::modules::steps::{ask_tool, run_tool};
use crate::modules::streams::command_failed;
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::Sys;
use crate::value::{ArgRule, Map, Value, str_of, to_bool};
use crate::{choices, module_args};

choices! {
    /// What becomes of it.
    pub enum State {
        /// Of a zone: it is not there.
        Absent = "absent",
        /// Not let through.
        Disabled = "disabled",
        /// Let through.
        Enabled = "enabled",
        /// Of a zone: it is there.
        Present = "present",
    }
}

module_args! {
    /// Arguments of `firewalld`.
    pub struct Args {
        /// A service.
        service: Option<String> => optional;
        /// A protocol.
        protocol: Option<String> => optional;
        /// A port or a range of ports: `80/tcp`, `6000-6010/udp`.
        port: Option<String> => optional;
        /// A port that is handed on, a list of one: `port`, `proto`, `toport` and perhaps `toaddr`.
        port_forward: Option<Vec<Map>> => optional;
        /// A rule in firewalld's rich language.
        rich_rule: Option<String> => optional;
        /// An address or a network.
        source: Option<String> => optional;
        /// A network interface.
        interface: Option<String> => optional;
        /// A kind of ICMP message that is blocked.
        icmp_block: Option<String> => optional;
        /// Whether what is said of ICMP messages means the opposite.
        icmp_block_inversion: Option<String> => optional;
        /// The zone; firewalld's default one without it.
        zone: Option<String> => optional;
        /// In the configuration.
        permanent: bool => default(false);
        /// In the firewall that runs; so is what is not `permanent`.
        immediate: bool => default(false);
        /// What becomes of it.
        state: State => required;
        /// Seconds after which it is taken back, in the firewall that runs.
        timeout: i64 => default(0);
        /// Whether packets are handed on within the zone.
        forward: Option<String> => optional;
        /// Whether addresses are hidden behind the machine's own.
        masquerade: Option<String> => optional;
        /// Go on where firewalld does not run, in the configuration alone.
        offline: bool => default(false);
        /// What becomes of packets that nothing was said about: `default`, `ACCEPT`, `DROP`, `%%REJECT%%`.
        target: Option<Target> => optional;
    }
}

choices! {
    /// What becomes of packets that nothing was said about.
    #[allow(missing_docs)]
    pub enum Target {
        Default = "default",
        Accept = "ACCEPT",
        Drop = "DROP",
        Reject = "%%REJECT%%",
    }
}

/// The module.
pub struct Firewalld;

/// One thing of a zone, as the program's options name it.
struct Item {
    /// `service=http`, `masquerade`.
    option: String,
    wanted: bool,
    /// What is said when it was changed.
    told: String,
    /// It may be limited in time.
    times: bool,
}

impl Module for Firewalld {
    const NAME: &'static str = "firewalld";
    const COLLECTION: &'static str = "ansible.posix";
    const DOC: &'static str = "Services, ports, rules and zones of firewalld.\nWhile firewalld does not run, only its \
                               configuration can be changed (`permanent`, `offline`).";
    const RULES: &'static [ArgRule] = &[ArgRule::Exclusive(&[
        "icmp_block",
        "icmp_block_inversion",
        "service",
        "protocol",
        "port",
        "port_forward",
        "rich_rule",
        "interface",
        "forward",
        "masquerade",
        "source",
        "target",
    ])];
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        if sys.which("firewall-cmd").is_none() {
            return Err("firewall-cmd is not there: install the package firewalld".into());
        }
        let runs = sys.query(&sys.tool(["firewall-cmd", "--state"]))?.ok();
        let mut immediate = args.immediate;
        if args.offline {
            if !args.permanent {
                return Err(
                    "offline cannot be enabled unless permanent changes are allowed".into(),
                );
            }
            immediate &= runs;
        }
        immediate |= !args.permanent;
        if immediate && !runs {
            return Err("firewall is not currently running, unable to perform immediate actions without a running firewall \
                        daemon"
                .into());
        }
        for (given, name) in [
            (args.interface.is_some(), "interface"),
            (args.target.is_some(), "target"),
        ] {
            if given && args.zone.is_none() {
                return Err(Failure::new(format!(
                    "missing parameter(s) required by '{name}': zone"
                )));
            }
        }
        let program = if runs {
            "firewall-cmd"
        } else {
            "firewall-offline-cmd"
        };
        let zone = match &args.zone {
            Some(zone) => zone.clone(),
            None => ask_tool(sys, &[program, "--get-default-zone"])?
                .trim()
                .to_owned(),
        };
        let mut plan = Plan::new();
        let firewall = Firewall {
            program,
            runs,
            zone,
        };
        let mut told = vec![match (args.permanent, immediate) {
            (true, true) => "Permanent and Non-Permanent(immediate) operation".to_owned(),
            (true, false) => "Permanent operation".to_owned(),
            _ => "Non-permanent operation".to_owned(),
        }];
        let whole = item(args, &firewall.zone, &mut plan)?;
        match (&whole, args.target) {
            (Some(item), _) => {
                if matches!(args.state, State::Absent | State::Present) {
                    return Err(
                        "absent and present state can only be used in zone level operations".into(),
                    );
                }
                firewall.plan_item(sys, item, args, immediate, &mut plan)?;
                if plan.changes() {
                    told.push(item.told.clone());
                }
            }
            (None, target) => {
                if immediate {
                    return Err("Zone operations must be permanent. Make sure you didn't set the 'permanent' flag to \
                                'false' or the 'immediate' flag to 'true'."
                        .into());
                }
                match target {
                    Some(target) => {
                        firewall.plan_target(sys, target, args.state, &mut plan, &mut told)?;
                    }
                    None => firewall.plan_zone(sys, args, &mut plan, &mut told)?,
                }
            }
        }
        if !runs {
            told.push("(offline operation: only on-disk configs were altered)".into());
        }
        plan.returns("msg", Value::data(told.join(", ")));
        Ok(plan)
    }
}

/// What is asked for of a zone; `None` for the zone itself and its target.
fn item(args: &Args, zone: &str, plan: &mut Plan<'_>) -> ModuleResult<Option<Item>> {
    let wanted = args.state == State::Enabled;
    let state = args.state.word();
    let plain = |kind: &str, name: &str, value: &Option<String>| {
        value.as_ref().map(|value| Item {
            option: format!("{kind}={value}"),
            wanted,
            told: format!("Changed {name} {value} to {state}"),
            times: true,
        })
    };
    for found in [
        plain("service", "service", &args.service),
        plain("protocol", "protocol", &args.protocol),
        plain("rich-rule", "rich_rule", &args.rich_rule),
        plain("icmp-block", "icmp-block", &args.icmp_block),
    ] {
        if found.is_some() {
            return Ok(found);
        }
    }
    if let Some(port) = &args.port {
        let port = port.trim();
        if port
            .split_once('/')
            .is_none_or(|(_, protocol)| protocol.is_empty())
        {
            return Err("improper port format (missing protocol?)".into());
        }
        return Ok(plain("port", "port", &Some(port.to_owned())));
    }
    if let Some(all) = &args.port_forward {
        let [forward] = all.as_slice() else {
            return Err("Only one port forward supported at a time".into());
        };
        let part = |name: &str| {
            forward
                .get(name)
                .filter(|value| !value.is_null())
                .map(str_of)
        };
        let needed = |name: &str| {
            part(name)
                .ok_or_else(|| Failure::new(format!("{name} must be specified for port forward")))
        };
        let (port, proto, toport) = (needed("port")?, needed("proto")?, needed("toport")?);
        let toaddr = part("toaddr").unwrap_or_default();
        let mut value = format!("port={port}:proto={proto}:toport={toport}");
        let told = format!("Changed port_forward {value}:toaddr={toaddr} to {state}");
        if !toaddr.is_empty() {
            value = format!("{value}:toaddr={toaddr}");
        }
        return Ok(Some(Item {
            option: format!("forward-port={value}"),
            wanted,
            told,
            times: true,
        }));
    }
    for (kind, value) in [("source", &args.source), ("interface", &args.interface)] {
        if let Some(value) = value {
            let told = match (wanted, kind) {
                (true, "source") => format!("Added {value} to zone {zone}"),
                (true, _) => format!("Changed {value} to zone {zone}"),
                (false, _) => format!("Removed {value} from zone {zone}"),
            };
            return Ok(Some(Item {
                option: format!("{kind}={value}"),
                wanted,
                told,
                times: false,
            }));
        }
    }
    for (option, name, value, otherwise) in [
        (
            "icmp-block-inversion",
            "icmp_block_inversion",
            &args.icmp_block_inversion,
            true,
        ),
        ("forward", "forward", &args.forward, false),
        ("masquerade", "masquerade", &args.masquerade, true),
    ] {
        if let Some(text) = value {
            let value = to_bool(&Value::data(text.as_str()));
            if value.is_none() {
                plan.warn(format!(
                    "{name} should be yes or no: `{text}` is taken for {otherwise}"
                ));
            }
            return Ok(Some(Item {
                option: option.to_owned(),
                wanted: wanted == value.unwrap_or(otherwise),
                told: format!("Changed {name} {text} to {state}"),
                times: false,
            }));
        }
    }
    Ok(None)
}

/// firewalld, as it can be reached.
struct Firewall {
    program: &'static str,
    runs: bool,
    zone: String,
}

impl Firewall {
    /// Words before an option about the zone.
    fn words(&self, permanent: bool) -> Vec<String> {
        let mut words = vec![self.program.to_owned()];
        // without a daemon there is nothing but the configuration
        if permanent && self.runs {
            words.push("--permanent".into());
        }
        words.push(format!("--zone={}", self.zone));
        words
    }

    fn has(&self, sys: &Sys, permanent: bool, option: &str) -> ModuleResult<bool> {
        let mut words = self.words(permanent);
        words.push(format!("--query-{option}"));
        let command = sys.tool(words);
        let output = sys.query(&command)?;
        match output.rc {
            0 => Ok(true),
            1 => Ok(false),
            _ => Err(command_failed("firewalld", &command, &output)),
        }
    }

    fn plan_item(
        &self,
        sys: &Sys,
        item: &Item,
        args: &Args,
        immediate: bool,
        plan: &mut Plan<'_>,
    ) -> ModuleResult<()> {
        let places = [
            (args.permanent, true, "permanent"),
            (immediate, false, "runtime"),
        ];
        for (asked, permanent, place) in places {
            if !asked || self.has(sys, permanent, &item.option)? == item.wanted {
                continue;
            }
            let mut words = self.words(permanent);
            // an interface is in one zone at most
            let verb = match (item.wanted, item.option.starts_with("interface=")) {
                (true, true) => "change",
                (true, false) => "add",
                (false, _) => "remove",
            };
            words.push(format!("--{verb}-{}", item.option));
            if item.wanted && item.times && !permanent && args.timeout > 0 {
                words.push(format!("--timeout={}", args.timeout));
            }
            let line = format!("{}\n", item.option);
            let (before, after) = if item.wanted {
                (None, Some(line))
            } else {
                (Some(line), None)
            };
            let diff = Diff::new(format!("zone {} ({place})", self.zone), before, after);
            plan.act(
                format!("{verb} {}", item.option),
                Some(diff),
                move |sys, _| run(sys, &words),
            );
        }
        Ok(())
    }

    fn plan_target(
        &self,
        sys: &Sys,
        target: Target,
        state: State,
        plan: &mut Plan<'_>,
        told: &mut Vec<String>,
    ) -> ModuleResult<()> {
        let wanted = matches!(state, State::Present | State::Enabled);
        let mut words = self.words(true);
        words.push("--get-target".into());
        let words_of: Vec<&str> = words.iter().map(String::as_str).collect();
        let now = ask_tool(sys, &words_of)?.trim().to_owned();
        let is_it = now == target.word();
        // to take a target away is to go back to the default, if it is the one that is set
        if is_it == wanted {
            return Ok(());
        }
        let new = if wanted { target } else { Target::Default };
        told.push(if wanted {
            format!("Set zone {} target to {}", self.zone, target.word())
        } else {
            format!("Reset zone {} target to default", self.zone)
        });
        words.pop();
        words.push(format!("--set-target={}", new.word()));
        let diff = Diff::new(
            format!("zone {} (permanent)", self.zone),
            Some(format!("target: {now}\n")),
            Some(format!("target: {}\n", new.word())),
        );
        plan.act(
            format!("target {}", new.word()),
            Some(diff),
            move |sys, _| run(sys, &words),
        );
        Ok(())
    }

    fn plan_zone(
        &self,
        sys: &Sys,
        args: &Args,
        plan: &mut Plan<'_>,
        told: &mut Vec<String>,
    ) -> ModuleResult<()> {
        let wanted = match args.state {
            State::Present => true,
            State::Absent => false,
            _ => {
                return Err(
                    "state enabled and disabled need something that is enabled or disabled".into(),
                );
            }
        };
        let mut start = vec![self.program];
        start.extend(self.runs.then_some("--permanent"));
        let zones = ask_tool(sys, &[&start[..], &["--get-zones"]].concat())?;
        if zones.split_whitespace().any(|zone| zone == self.zone) == wanted {
            return Ok(());
        }
        let (option, word) = if wanted {
            ("--new-zone", "Added")
        } else {
            ("--delete-zone", "Removed")
        };
        told.push(format!("{word} zone {}", self.zone));
        told.push(format!(
            "Changed zone {} to {}",
            self.zone,
            args.state.word()
        ));
        let mut words: Vec<String> = start.into_iter().map(str::to_owned).collect();
        words.push(format!("{option}={}", self.zone));
        let line = format!("{}\n", self.zone);
        let (before, after) = if wanted {
            (None, Some(line))
        } else {
            (Some(line), None)
        };
        let diff = Diff::new("zones (permanent)", before, after);
        plan.act(format!("zone {}", self.zone), Some(diff), move |sys, _| {
            run(sys, &words)
        });
        Ok(())
    }
}

fn run(sys: &mut Sys, words: &[String]) -> ModuleResult<()> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    run_tool(sys, &words).map(drop)
}
