//! Names of the machine and its kernel, and of its Python, which runbook does not need.

use super::look::Look;
use crate::sys::Command;
use crate::value::{Map, Value};

/// The version that roles are told of where there is no Python: they ask only whether it is new enough.
const NO_PYTHON: [i64; 3] = [3, 12, 0];

/// A Python that was found, or a stand-in for it.
#[derive(Clone, Debug)]
pub(super) struct Python {
    executable: String,
    version: [i64; 3],
    found: bool,
}

impl Python {
    /// Looks for `python3`, and asks its version (which it prints before it loads anything).
    pub(super) fn of(look: Look<'_>) -> Self {
        let programs = [
            "/usr/bin/python3",
            "/usr/local/bin/python3",
            "/usr/libexec/platform-python",
        ];
        let found = programs.iter().find(|path| look.exists(path));
        if let Some(path) = found
            && let Ok(output) = look.0.query(&Command::new([*path, "-V"]).c_locale())
            && let Some(version) = parse_version(&output.text())
        {
            return Self {
                executable: (*path).to_owned(),
                version,
                found: true,
            };
        }
        Self {
            executable: "/usr/bin/python3".to_owned(),
            version: NO_PYTHON,
            found: false,
        }
    }

    fn text(&self) -> String {
        let [major, minor, micro] = self.version;
        format!("{major}.{minor}.{micro}")
    }

    /// Fact `python`. Its `type` is `absent` where there is none.
    pub(super) fn facts(&self) -> Map {
        let [major, minor, micro] = self.version;
        let info: Vec<Value> = vec![
            major.into(),
            minor.into(),
            micro.into(),
            "final".into(),
            0.into(),
        ];
        let version = Map::new()
            .with("major", major)
            .with("minor", minor)
            .with("micro", micro)
            .with("releaselevel", "final")
            .with("serial", 0);
        Map::new()
            .with("version", version)
            .with("version_info", info)
            .with("executable", self.executable.as_str())
            .with("has_sslcontext", true)
            .with("type", if self.found { "cpython" } else { "absent" })
    }
}

fn parse_version(text: &str) -> Option<[i64; 3]> {
    let mut numbers = text.trim().strip_prefix("Python ")?.split('.').map(|part| {
        let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().unwrap_or_default()
    });
    Some([
        numbers.next()?,
        numbers.next()?,
        numbers.next().unwrap_or_default(),
    ])
}

/// Facts of the platform.
pub(super) fn platform(look: Look<'_>, python: &Python) -> Map {
    let kernel = |name: &str| {
        look.text(format!("/proc/sys/kernel/{name}"))
            .unwrap_or_default()
    };
    let machine = look.0.machine();
    let nodename = kernel("hostname");
    let fqdn = fqdn(look, &nodename);
    let domain = fqdn
        .split_once('.')
        .map_or("", |(_, domain)| domain)
        .to_owned();
    let bits = usize::BITS.to_string();
    let is_pc32 = matches!(machine.as_str(), "i386" | "i486" | "i586" | "i686");
    let mut facts = Map::new()
        .with("system", kernel("ostype"))
        .with("kernel", kernel("osrelease"))
        .with("kernel_version", kernel("version"))
        .with("machine", machine.as_str())
        .with("python_version", python.text())
        .with("fqdn", fqdn)
        .with("hostname", nodename.split('.').next().unwrap_or_default())
        .with("nodename", nodename.as_str())
        .with("domain", domain)
        .with("userspace_bits", bits.as_str())
        .with(
            "architecture",
            if is_pc32 { "i386" } else { machine.as_str() },
        );
    if machine == "x86_64" || is_pc32 {
        facts.set(
            "userspace_architecture",
            if bits == "64" { "x86_64" } else { "i386" },
        );
    }
    let id = look
        .text("/var/lib/dbus/machine-id")
        .or_else(|| look.text("/etc/machine-id"));
    if let Some(id) = id {
        facts.set("machine_id", id.lines().next().unwrap_or_default());
    }
    facts
}

/// The first name with a dot that `/etc/hosts` gives for this machine, else its own name.
fn fqdn(look: Look<'_>, nodename: &str) -> String {
    if nodename.contains('.') {
        return nodename.to_owned();
    }
    for line in look.lines("/etc/hosts") {
        let line = line.split('#').next().unwrap_or_default();
        let names: Vec<&str> = line.split_whitespace().skip(1).collect();
        if names.contains(&nodename) {
            let best = names
                .iter()
                .find(|name| name.contains('.'))
                .or(names.first());
            return best.copied().unwrap_or(nodename).to_owned();
        }
    }
    nodename.to_owned()
}
