//! Which distribution this is, and what comes with it: package manager, service manager, LSB names.
//!
//! Source: Ansible's documentation, "Discovering variables: facts and magic variables", and the values that
//! ansible-core 2.18 gives for these distributions.

use super::look::Look;
use crate::value::Map;

/// By os-release's ID: Ansible's name, its family, the file that it is known by, and that file's variety.
const KNOWN: &[(&str, &str, &str, &str, &str)] = &[
    ("debian", "Debian", "Debian", "/etc/os-release", "Debian"),
    ("ubuntu", "Ubuntu", "Debian", "/etc/os-release", "Debian"),
    (
        "raspbian",
        "Raspbian",
        "Debian",
        "/etc/os-release",
        "Debian",
    ),
    ("kali", "Kali", "Debian", "/etc/os-release", "Debian"),
    ("devuan", "Devuan", "Debian", "/etc/os-release", "Debian"),
    (
        "linuxmint",
        "Linux Mint",
        "Debian",
        "/etc/os-release",
        "Debian",
    ),
    ("pop", "Pop!_OS", "Debian", "/etc/os-release", "Debian"),
    ("neon", "KDE neon", "Debian", "/etc/os-release", "Debian"),
    ("parrot", "Parrot", "Debian", "/etc/os-release", "Debian"),
    ("deepin", "Deepin", "Debian", "/etc/os-release", "Debian"),
    ("uos", "Uos", "Debian", "/etc/os-release", "Debian"),
    ("osmc", "OSMC", "Debian", "/etc/os-release", "Debian"),
    ("steamos", "SteamOS", "Debian", "/etc/os-release", "Debian"),
    (
        "cumulus-linux",
        "Cumulus Linux",
        "Debian",
        "/etc/os-release",
        "Debian",
    ),
    ("rhel", "RedHat", "RedHat", "/etc/redhat-release", "RedHat"),
    (
        "centos",
        "CentOS",
        "RedHat",
        "/etc/centos-release",
        "CentOS",
    ),
    ("rocky", "Rocky", "RedHat", "/etc/redhat-release", "RedHat"),
    (
        "almalinux",
        "AlmaLinux",
        "RedHat",
        "/etc/redhat-release",
        "RedHat",
    ),
    (
        "fedora",
        "Fedora",
        "RedHat",
        "/etc/redhat-release",
        "RedHat",
    ),
    (
        "cloudlinux",
        "CloudLinux",
        "RedHat",
        "/etc/redhat-release",
        "RedHat",
    ),
    (
        "scientific",
        "Scientific",
        "RedHat",
        "/etc/redhat-release",
        "RedHat",
    ),
    (
        "virtuozzo",
        "Virtuozzo",
        "RedHat",
        "/etc/redhat-release",
        "RedHat",
    ),
    (
        "eurolinux",
        "EuroLinux",
        "RedHat",
        "/etc/redhat-release",
        "RedHat",
    ),
    (
        "miraclelinux",
        "MIRACLE",
        "RedHat",
        "/etc/redhat-release",
        "RedHat",
    ),
    (
        "ol",
        "OracleLinux",
        "RedHat",
        "/etc/oracle-release",
        "OracleLinux",
    ),
    ("amzn", "Amazon", "RedHat", "/etc/os-release", "Amazon"),
    ("openEuler", "openEuler", "RedHat", "/etc/os-release", "NA"),
    ("euleros", "EulerOS", "RedHat", "/etc/os-release", "NA"),
    ("tencentos", "TencentOS", "RedHat", "/etc/os-release", "NA"),
    (
        "alpine",
        "Alpine",
        "Alpine",
        "/etc/alpine-release",
        "Alpine",
    ),
    (
        "arch",
        "Archlinux",
        "Archlinux",
        "/etc/arch-release",
        "Archlinux",
    ),
    (
        "archarm",
        "Archlinux",
        "Archlinux",
        "/etc/arch-release",
        "Archlinux",
    ),
    (
        "manjaro",
        "Manjaro",
        "Archlinux",
        "/etc/arch-release",
        "Archlinux",
    ),
    (
        "opensuse-leap",
        "openSUSE Leap",
        "Suse",
        "/etc/os-release",
        "SUSE",
    ),
    (
        "opensuse-tumbleweed",
        "openSUSE Tumbleweed",
        "Suse",
        "/etc/os-release",
        "SUSE",
    ),
    ("sles", "SLES", "Suse", "/etc/os-release", "SUSE"),
    ("sled", "SLED", "Suse", "/etc/os-release", "SUSE"),
    ("sles_sap", "SLES_SAP", "Suse", "/etc/os-release", "SUSE"),
    ("sl-micro", "SL-Micro", "Suse", "/etc/os-release", "SUSE"),
    (
        "gentoo",
        "Gentoo",
        "Gentoo",
        "/etc/gentoo-release",
        "Gentoo",
    ),
    (
        "slackware",
        "Slackware",
        "Slackware",
        "/etc/slackware-version",
        "Slackware",
    ),
    (
        "altlinux",
        "Altlinux",
        "Altlinux",
        "/etc/altlinux-release",
        "Altlinux",
    ),
    (
        "clear-linux-os",
        "Clear Linux OS",
        "ClearLinux",
        "/usr/lib/os-release",
        "ClearLinux",
    ),
    (
        "flatcar",
        "Flatcar",
        "Flatcar",
        "/etc/os-release",
        "Flatcar",
    ),
];

/// What is known of the distribution.
#[derive(Clone, Debug, Default)]
pub(super) struct Distribution {
    pub(super) name: String,
    pub(super) family: String,
    pub(super) version: String,
    minor: Option<String>,
    release: String,
    path: String,
    variety: String,
    os: Vec<(String, String)>,
}

impl Distribution {
    /// Looks.
    pub(super) fn of(look: Look<'_>) -> Self {
        let mut os = look.assignments("/etc/os-release");
        if os.is_empty() {
            os = look.assignments("/usr/lib/os-release");
        }
        let get = |key: &str| {
            let found = os.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str());
            found.unwrap_or_default()
        };
        let id = get("ID");
        let known = KNOWN.iter().find(|known| known.0.eq_ignore_ascii_case(id));
        let (name, family, path, variety) = match known {
            Some(known) => (known.1, known.2, known.3, known.4),
            None => (get("NAME"), "", "/etc/os-release", "NA"),
        };
        let name = if name.is_empty() { "Linux" } else { name };
        let family = match (family, get("ID_LIKE")) {
            ("", like) if like.contains("debian") => "Debian",
            ("", like) if like.contains("rhel") || like.contains("fedora") => "RedHat",
            ("", like) if like.contains("suse") => "Suse",
            ("", like) if like.contains("arch") => "Archlinux",
            ("", _) => name,
            (family, _) => family,
        };
        let mut version = get("VERSION_ID").to_owned();
        let mut release = get("VERSION_CODENAME").to_owned();
        let mut minor = None;
        match name {
            "Debian" | "Raspbian" | "Devuan" => {
                if let Some(full) = look.text("/etc/debian_version")
                    && full.starts_with(|c: char| c.is_ascii_digit())
                {
                    minor = full.split_once('.').map(|(_, minor)| minor.to_owned());
                    version = full;
                } else if let Some(names) = look.text("/etc/debian_version")
                    && release.is_empty()
                {
                    release = names.split('/').next().unwrap_or_default().to_owned();
                }
            }
            "Alpine" => version = look.text("/etc/alpine-release").unwrap_or(version),
            "CentOS" if get("NAME").contains("Stream") => release = "Stream".into(),
            "Amazon" => {
                let second = version.split_once('.').map(|(_, minor)| minor.to_owned());
                minor = Some(second.unwrap_or_else(|| "NA".into()));
            }
            _ if family == "Suse" => {
                release = version
                    .split_once('.')
                    .map_or_else(String::new, |(_, m)| m.to_owned());
            }
            _ if release.is_empty() && family == "RedHat" && name != "Fedora" => {
                release = parenthesized(get("VERSION"));
            }
            _ => {}
        }
        let or_na = |text: String| {
            if text.is_empty() {
                "NA".to_owned()
            } else {
                text
            }
        };
        let (name, family) = (name.to_owned(), family.to_owned());
        Self {
            release: if name == "Fedora" {
                release
            } else {
                or_na(release)
            },
            version: or_na(version),
            path: path.to_owned(),
            variety: variety.to_owned(),
            minor,
            name,
            family,
            os,
        }
    }

    fn os(&self, key: &str) -> Option<&str> {
        let found = self.os.iter().find(|(k, _)| k == key);
        found.map(|(_, v)| v.as_str()).filter(|v| !v.is_empty())
    }

    /// The part of the version before the first dot, as a number.
    fn major_number(&self) -> u32 {
        let major = self.version.split('.').next().unwrap_or_default();
        major.parse().unwrap_or_default()
    }

    /// Facts `distribution*` and `os_family`.
    pub(super) fn facts(&self, look: Look<'_>) -> Map {
        let mut facts = Map::new().with("distribution", self.name.as_str());
        if look.text(&self.path).is_some() {
            facts.set("distribution_file_parsed", true);
        }
        facts.set("distribution_file_path", self.path.as_str());
        if self.name == "RedHat" {
            facts.set("distribution_file_search_string", "Red Hat");
        }
        facts.set("distribution_file_variety", self.variety.as_str());
        let major = self.version.split('.').next().unwrap_or_default();
        facts.set("distribution_major_version", major);
        if let Some(minor) = &self.minor {
            facts.set("distribution_minor_version", minor.as_str());
        }
        facts
            .with("distribution_release", self.release.as_str())
            .with("distribution_version", self.version.as_str())
            .with("os_family", self.family.as_str())
    }

    /// Fact `pkg_mgr`.
    pub(super) fn package_manager(&self, look: Look<'_>) -> &'static str {
        const PROGRAMS: &[(&str, &str)] = &[
            ("/sbin/apk", "apk"),
            ("/usr/bin/pacman", "pacman"),
            ("/usr/bin/zypper", "zypper"),
            ("/usr/bin/apt-get", "apt"),
            ("/usr/bin/dnf5", "dnf5"),
            ("/usr/bin/dnf-3", "dnf"),
            ("/usr/bin/dnf", "dnf"),
            ("/usr/bin/microdnf", "dnf"),
            ("/usr/bin/yum", "yum"),
            ("/usr/bin/emerge", "portage"),
            ("/usr/bin/xbps-install", "xbps"),
            ("/usr/bin/swupd", "swupd"),
            ("/usr/sbin/urpmi", "urpmi"),
            ("/bin/opkg", "opkg"),
        ];
        let has = |name: &str| {
            PROGRAMS
                .iter()
                .any(|(path, manager)| *manager == name && look.exists(path))
        };
        if self.family == "RedHat" {
            if look.exists("/run/ostree-booted") {
                return "atomic_container";
            }
            let old = match self.name.as_str() {
                "Fedora" => self.major_number() < 23,
                "Amazon" => self.major_number() < 2022,
                _ => self.major_number() < 8,
            };
            return match self.name.as_str() {
                "Fedora" if self.major_number() >= 41 && has("dnf5") => "dnf5",
                _ if !old && has("dnf") => "dnf",
                _ if has("yum") => "yum",
                _ if has("dnf") => "dnf",
                _ if has("dnf5") => "dnf5",
                _ => "unknown",
            };
        }
        // another manager's program may be installed there as well
        if self.family == "Debian" && has("apt") {
            return "apt";
        }
        if self.family == "Altlinux" && has("apt") {
            return "apt_rpm";
        }
        let found = PROGRAMS.iter().find(|(path, _)| look.exists(path));
        found.map_or("unknown", |(_, manager)| manager)
    }

    /// Fact `lsb`: from `/etc/lsb-release`, else what `lsb_release` prints if that is installed.
    pub(super) fn lsb(&self, look: Look<'_>) -> Map {
        let mut facts = Map::new();
        let lines = look.assignments("/etc/lsb-release");
        let from_file = |key: &str| {
            let found = lines.iter().find(|(k, _)| k == key);
            found.map(|(_, v)| v.clone()).filter(|v| !v.is_empty())
        };
        let program = look.0.which("lsb_release").is_some();
        if !program && lines.is_empty() {
            return facts;
        }
        let pick = |key: &str, os: Option<&str>| {
            from_file(key)
                .or_else(|| os.map(str::to_owned))
                .or_else(|| program.then(|| "n/a".to_owned()))
        };
        let release = pick("DISTRIB_RELEASE", self.os("VERSION_ID"));
        let id = self.os("ID").map(|id| {
            let mut letters = id.chars();
            let first = letters.next().map(|c| c.to_ascii_uppercase());
            first.into_iter().chain(letters).collect::<String>()
        });
        for (key, value) in [
            (
                "codename",
                pick("DISTRIB_CODENAME", self.os("VERSION_CODENAME")),
            ),
            (
                "description",
                pick("DISTRIB_DESCRIPTION", self.os("PRETTY_NAME")),
            ),
            ("id", pick("DISTRIB_ID", id.as_deref())),
            (
                "major_release",
                release
                    .clone()
                    .map(|r| r.split('.').next().unwrap_or_default().to_owned()),
            ),
            ("release", release),
        ] {
            if let Some(value) = value {
                facts.set(key, value);
            }
        }
        facts
    }
}

fn parenthesized(text: &str) -> String {
    let inner = text
        .split_once('(')
        .and_then(|(_, rest)| rest.split_once(')'));
    inner.map(|(inner, _)| inner.to_owned()).unwrap_or_default()
}

/// Fact `service_mgr`.
pub(super) fn service_manager(look: Look<'_>) -> String {
    let systemctl = look.0.which("systemctl").is_some();
    let first = look
        .text("/proc/1/comm")
        .or_else(|| look.link_name("/sbin/init"))
        .map(|name| name.rsplit('/').next().unwrap_or_default().to_owned())
        // these names say nothing: an init of any kind, or a shell in a container
        .filter(|name| name != "init" && !name.ends_with("sh"));
    match first.as_deref() {
        Some("procd") => return "openwrt_init".into(),
        Some("runit-init") => return "runit".into(),
        Some("svscan") => return "svc".into(),
        Some("openrc-init") => return "openrc".into(),
        Some(name) => return name.to_owned(),
        None => {}
    }
    let found = if systemctl && look.exists("/run/systemd/system") {
        "systemd"
    } else if look.0.which("initctl").is_some() && look.exists("/etc/init") {
        "upstart"
    } else if look.exists("/sbin/openrc") {
        "openrc"
    } else if systemctl && look.link_name("/sbin/init").as_deref() == Some("systemd") {
        "systemd"
    } else if look.exists("/etc/init.d") {
        "sysvinit"
    } else {
        "service"
    };
    found.to_owned()
}
