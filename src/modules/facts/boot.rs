//! The kernel's command line, its load, the resolver's settings.

use super::look::Look;
use crate::value::{Map, Value};

/// Facts `cmdline` and `proc_cmdline`: the last value of each word, and all values.
pub(super) fn command_line(look: Look<'_>) -> Map {
    let (mut last, mut all) = (Map::new(), Map::new());
    for word in words(&look.text("/proc/cmdline").unwrap_or_default()) {
        let (key, value) = match word.split_once('=') {
            Some((key, value)) => (key, Value::data(value)),
            None => (word.as_str(), Value::Bool(true)),
        };
        last.set(key, value.clone());
        let value = match all.get(key) {
            None => value,
            Some(Value::List(before)) => {
                Value::list(before.iter().cloned().chain([value]).collect())
            }
            Some(before) => Value::list(vec![before.clone(), value]),
        };
        all.set(key, value);
    }
    Map::new().with("cmdline", last).with("proc_cmdline", all)
}

/// Words separated by blanks, where quotes keep blanks.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for c in text.chars() {
        match quote {
            Some(q) if c == q => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            _ => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Fact `loadavg`.
pub(super) fn load(look: Look<'_>) -> Map {
    let text = look.text("/proc/loadavg").unwrap_or_default();
    let mut numbers = text
        .split_whitespace()
        .map(|n| n.parse::<f64>().unwrap_or_default());
    let mut load = Map::new();
    for name in ["1m", "5m", "15m"] {
        load.set(name, numbers.next().unwrap_or_default());
    }
    Map::new().with("loadavg", load)
}

/// Fact `dns`, of `/etc/resolv.conf`.
pub(super) fn dns(look: Look<'_>) -> Map {
    let mut dns = Map::new();
    let mut servers: Vec<Value> = Vec::new();
    for line in look.lines("/etc/resolv.conf") {
        let mut words = line.split_whitespace();
        let first = words.next().unwrap_or_default();
        match first {
            "nameserver" => {
                servers.extend(words.map(Value::data));
                dns.set("nameservers", servers.clone());
            }
            "domain" => {
                if let Some(domain) = words.next() {
                    dns.set("domain", domain);
                }
            }
            "search" | "sortlist" => {
                dns.set(first, words.map(Value::data).collect::<Vec<_>>());
            }
            "options" => {
                let options: Map = words
                    .map(|word| match word.split_once(':') {
                        Some((key, value)) if !value.is_empty() => {
                            (Value::data(key), Value::data(value))
                        }
                        _ => (Value::data(word.trim_end_matches(':')), Value::Bool(true)),
                    })
                    .collect();
                dns.set("options", options);
            }
            _ => {}
        }
    }
    Map::new().with("dns", dns)
}

/// Fact `systemd`, where it runs.
pub(super) fn systemd(look: Look<'_>) -> Map {
    let Some(program) = look
        .0
        .which("systemctl")
        .filter(|_| look.exists("/run/systemd/system"))
    else {
        return Map::new();
    };
    let command = crate::sys::Command::new([program.as_os_str(), "--version".as_ref()]);
    let Ok(output) = look.0.query(&command.c_locale()) else {
        return Map::new();
    };
    let text = output.text();
    let mut lines = text.lines();
    let version = lines
        .next()
        .and_then(|line| line.split_whitespace().nth(1)?.parse::<i64>().ok());
    let Some(version) = version else {
        return Map::new();
    };
    let features = lines.next().unwrap_or_default();
    let systemd = Map::new()
        .with("features", features)
        .with("version", version);
    Map::new().with("systemd", systemd)
}
