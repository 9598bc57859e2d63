//! One login on the way to a machine: everything that `ssh_config`, arguments and variables say
//! about it, put together.

use super::TransportError;
use super::ssh_args::{self, SshArgs};
use super::ssh_config::Pairs;
use super::target::{HostKeyChecking, Options, Target};
use crate::value::Secret;
use std::path::{Path, PathBuf};
use std::time::Duration;

const MAX_HOPS: usize = 8;

/// A login on a bastion or on the machine itself.
#[derive(Clone, Debug)]
pub(crate) struct Hop {
    /// Resolved where the hop is reached from: here, or at the bastion before it.
    pub host: String,
    pub port: u16,
    pub user: String,
    pub password: Option<Secret<String>>,
    pub passphrase: Option<Secret<String>>,
    /// Keys named by the user, then those of `ssh_config` or the default ones.
    pub named_keys: Vec<PathBuf>,
    pub default_keys: Vec<PathBuf>,
    pub identities_only: bool,
    pub auth_sock: Option<PathBuf>,
    pub checking: HostKeyChecking,
    pub known_hosts: Vec<PathBuf>,
    pub global_known_hosts: Vec<PathBuf>,
    /// The name in `known_hosts`, if it is not the host's.
    pub alias: Option<String>,
    pub timeout: Duration,
    pub keepalive: Duration,
    pub keepalive_max: usize,
    /// Methods that may be tried; empty for all.
    pub methods: Vec<String>,
}

impl Hop {
    /// `host:port`, or `[address]:port` for IPv6.
    pub(crate) fn place(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

/// The whole way, the machine itself last, and what is to be said about the configuration.
pub(crate) fn route(
    target: &Target,
    options: &Options,
) -> Result<(Vec<Hop>, Vec<String>), TransportError> {
    let args = ssh_args::parse(&target.ssh_args)?;
    let mut warnings = Vec::new();
    let (last, jumps) = hop(target, &args, options, &mut warnings)?;
    let mut way = vec![last];
    let mut next = jumps;
    // Each bastion may have bastions of its own: of the first in a chain, they come before it.
    while !next.is_empty() {
        let mut before = Vec::new();
        for (index, jump) in next.iter().enumerate().rev() {
            let (bastion, more) = hop(
                &jump_target(jump, target)?,
                &SshArgs {
                    config: args.config.clone(),
                    ..SshArgs::default()
                },
                options,
                &mut warnings,
            )?;
            way.insert(0, bastion);
            if way.len() > MAX_HOPS {
                return Err(TransportError::settings(format!(
                    "more than {MAX_HOPS} hosts on the way to {}: does ProxyJump go in a circle?",
                    target.host
                )));
            }
            if index == 0 {
                before = more;
            }
        }
        next = before;
    }
    warnings.dedup();
    Ok((way, warnings))
}

/// A bastion's login: no password of the machine goes there, but its keys, `known_hosts` and checking.
fn jump_target(jump: &str, target: &Target) -> Result<Target, TransportError> {
    let bad =
        || TransportError::settings(format!("`{jump}` is not [user@]host[:port] of a ProxyJump"));
    let text = jump
        .strip_prefix("ssh://")
        .unwrap_or(jump)
        .trim_end_matches('/');
    let (user, rest) = match text.rsplit_once('@') {
        Some((user, rest)) => (Some(user.to_owned()), rest),
        None => (None, text),
    };
    let (host, port) = if let Some(rest) = rest.strip_prefix('[') {
        let (host, port) = rest.split_once(']').ok_or_else(bad)?;
        (host, port.strip_prefix(':'))
    } else if rest.matches(':').count() == 1 {
        rest.split_once(':')
            .map_or((rest, None), |(host, port)| (host, Some(port)))
    } else {
        (rest, None)
    };
    if host.is_empty() || host.starts_with('-') {
        return Err(bad());
    }
    let port = port
        .map(|port| port.parse().map_err(|_| bad()))
        .transpose()?;
    Ok(Target {
        host: host.to_owned(),
        port,
        user,
        private_keys: target.private_keys.clone(),
        key_passphrase: target.key_passphrase.clone(),
        ssh_config: target.ssh_config.clone(),
        host_key_checking: target.host_key_checking,
        known_hosts: target.known_hosts.clone(),
        connect_timeout: target.connect_timeout,
        keepalive: target.keepalive,
        ..Target::default()
    })
}

fn hop(
    target: &Target,
    args: &SshArgs,
    options: &Options,
    warnings: &mut Vec<String>,
) -> Result<(Hop, Vec<String>), TransportError> {
    let home = options.home.as_deref();
    let mut said = Pairs {
        pairs: args.pairs.clone(),
        warnings: Vec::new(),
    };
    let own = said.pairs.len();
    match args.config.as_ref().or(target.ssh_config.as_ref()) {
        Some(file) if file.as_os_str() == "none" => {}
        Some(file) => {
            if std::fs::metadata(file).is_err() {
                return Err(TransportError::settings(format!(
                    "the ssh_config {} cannot be read",
                    file.display()
                )));
            }
            said.read(file, &target.host, home);
        }
        None => {
            if let Some(home) = home {
                said.read(&home.join(".ssh/config"), &target.host, Some(home));
            }
            if let Some(file) = &options.global_ssh_config {
                said.read(file, &target.host, home);
            }
        }
    }
    warnings.append(&mut said.warnings);
    let jump = said.get("proxyjump").map(str::to_owned);
    if jump.is_none()
        && target.proxy_jump.is_empty()
        && said.get("proxycommand").is_some_and(|c| c != "none")
    {
        return Err(ssh_args::proxy_command());
    }
    let host = match said.get("hostname") {
        Some(name) => name.replace("%h", &target.host).replace("%%", "%"),
        None => target.host.clone(),
    };
    let number = |name: &str| -> Result<Option<u64>, TransportError> {
        let Some(text) = said.get(name).filter(|text| *text != "none") else {
            return Ok(None);
        };
        let parsed = text.trim_end_matches('s').parse().map(Some);
        parsed.map_err(|_| TransportError::settings(format!("`{text}` is no number for {name}")))
    };
    let port = match (target.port, number("port")?) {
        (Some(port), _) => port,
        (None, Some(port)) => u16::try_from(port)
            .map_err(|_| TransportError::settings(format!("{port} is no port")))?,
        (None, None) => 22,
    };
    let user = target
        .user
        .clone()
        .or_else(|| said.get("user").map(str::to_owned))
        .unwrap_or_else(|| options.local_user.clone());
    let path = |text: &str| expand(text, home, &host, port, &user, &options.local_user);
    let paths = |text: &str| -> Vec<PathBuf> {
        let words = crate::value::shell_words(text).unwrap_or_default();
        words
            .iter()
            .filter(|word| *word != "none")
            .map(|word| path(word))
            .collect()
    };
    let configured: Vec<PathBuf> = said
        .all("identityfile")
        .filter(|f| *f != "none")
        .map(path)
        .collect();
    let default_keys = if configured.is_empty() && said.get("identityfile") != Some("none") {
        let names = ["id_ed25519", "id_ecdsa", "id_rsa"];
        let ssh = home.map(|home| home.join(".ssh"));
        ssh.iter()
            .flat_map(|ssh| names.map(|name| ssh.join(name)))
            .filter(|f| f.exists())
            .collect()
    } else {
        configured
    };
    let by_user = match said.get("userknownhostsfile") {
        Some(files) => paths(files),
        None => home
            .map(|home| {
                vec![
                    home.join(".ssh/known_hosts"),
                    home.join(".ssh/known_hosts2"),
                ]
            })
            .unwrap_or_default(),
    };
    let strict_of = |pairs: &[(String, String)]| {
        let value = pairs
            .iter()
            .find(|(name, _)| name == "stricthostkeychecking");
        value.map(|(_, value)| checking(value))
    };
    let (from_args, from_files) = said.pairs.split_at(own.min(said.pairs.len()));
    let checking = match target.host_key_checking {
        Some(checking @ (HostKeyChecking::Off | HostKeyChecking::AcceptNew)) => checking,
        other => strict_of(from_args)
            .or(other)
            .or_else(|| strict_of(from_files))
            .unwrap_or_default(),
    };
    let yes = |name: &str| {
        said.get(name)
            .is_some_and(|value| value.eq_ignore_ascii_case("yes"))
    };
    let auth_sock = match said.get("identityagent") {
        Some("none") => None,
        Some("SSH_AUTH_SOCK") | None => options.auth_sock.clone(),
        Some(socket) => Some(path(socket)),
    };
    let made = Hop {
        password: target.password.clone(),
        passphrase: target.key_passphrase.clone(),
        named_keys: target.private_keys.clone(),
        default_keys,
        identities_only: yes("identitiesonly"),
        auth_sock,
        checking,
        known_hosts: if target.known_hosts.is_empty() {
            by_user
        } else {
            target.known_hosts.clone()
        },
        global_known_hosts: match said.get("globalknownhostsfile") {
            Some(files) => paths(files),
            None => options.global_known_hosts.clone(),
        },
        alias: said.get("hostkeyalias").map(str::to_owned),
        timeout: target
            .connect_timeout
            .or(number("connecttimeout")?.map(Duration::from_secs))
            .filter(|timeout| !timeout.is_zero())
            .unwrap_or(Duration::from_secs(10)),
        keepalive: target
            .keepalive
            .or(number("serveraliveinterval")?
                .filter(|n| *n > 0)
                .map(Duration::from_secs))
            .unwrap_or(Duration::from_secs(15)),
        keepalive_max: number("serveralivecountmax")?
            .and_then(|count| usize::try_from(count).ok())
            .unwrap_or(3),
        methods: methods(&said),
        host: host.clone(),
        port,
        user: user.clone(),
    };
    let jumps = if target.proxy_jump.is_empty() {
        let text = jump.filter(|text| text != "none").unwrap_or_default();
        text.split(',')
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
            .collect()
    } else {
        target.proxy_jump.clone()
    };
    Ok((made, jumps))
}

fn checking(value: &str) -> HostKeyChecking {
    match value.to_lowercase().as_str() {
        "no" | "off" => HostKeyChecking::Off,
        "accept-new" => HostKeyChecking::AcceptNew,
        _ => HostKeyChecking::Strict,
    }
}

/// The methods that are left by `PreferredAuthentications` and the single switches.
fn methods(said: &Pairs) -> Vec<String> {
    let all = ["publickey", "password", "keyboard-interactive"];
    let preferred: Vec<String> = match said.get("preferredauthentications") {
        Some(list) => list.split(',').map(|name| name.trim().to_owned()).collect(),
        None => all.map(str::to_owned).to_vec(),
    };
    let off = |name: &str| {
        said.get(name)
            .is_some_and(|value| value.eq_ignore_ascii_case("no"))
    };
    let keep = |name: &String| match name.as_str() {
        "publickey" => !off("pubkeyauthentication"),
        "password" => !off("passwordauthentication"),
        "keyboard-interactive" => !off("kbdinteractiveauthentication"),
        _ => false,
    };
    preferred.into_iter().filter(keep).collect()
}

fn expand(
    text: &str,
    home: Option<&Path>,
    host: &str,
    port: u16,
    user: &str,
    local: &str,
) -> PathBuf {
    let home_text = home
        .map(|home| home.display().to_string())
        .unwrap_or_default();
    let mut out = String::new();
    let rest = match text.strip_prefix("~/") {
        Some(rest) => {
            out.push_str(&home_text);
            out.push('/');
            rest
        }
        None => text,
    };
    let mut chars = rest.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('d') => out.push_str(&home_text),
            Some('h' | 'n') => out.push_str(host),
            Some('p') => out.push_str(&port.to_string()),
            Some('r') => out.push_str(user),
            Some('u') => out.push_str(local),
            Some('%') => out.push('%'),
            Some(other) => out.extend(['%', other]),
            None => out.push('%'),
        }
    }
    PathBuf::from(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(config: &str) -> (tempfile::TempDir, Options) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join(".ssh")).unwrap();
        std::fs::write(dir.path().join(".ssh/config"), config).unwrap();
        let options = Options {
            home: Some(dir.path().to_owned()),
            local_user: "me".to_owned(),
            global_ssh_config: None,
            ..Options::default()
        };
        (dir, options)
    }

    fn target(host: &str) -> Target {
        Target {
            host: host.to_owned(),
            ..Target::default()
        }
    }

    #[test]
    fn variables_then_arguments_then_files() {
        let (_dir, options) =
            options("Host *\n User cfg\n Port 1\n ConnectTimeout 3\n StrictHostKeyChecking yes\n");
        let target = Target {
            ssh_args: "-o User=arg -o Port=2 -o StrictHostKeyChecking=no".to_owned(),
            port: Some(3),
            ..target("h")
        };
        let (way, _) = route(&target, &options).unwrap();
        let hop = way.first().unwrap();
        assert_eq!((hop.user.as_str(), hop.port), ("arg", 3));
        assert_eq!(hop.timeout, Duration::from_secs(3));
        assert_eq!(hop.checking, HostKeyChecking::Off);
        let bare = route(
            &Target {
                ssh_config: Some("none".into()),
                ..super::tests::target("h")
            },
            &options,
        );
        let (way, _) = bare.unwrap();
        assert_eq!(
            (way[0].user.as_str(), way[0].port, way[0].checking),
            ("me", 22, HostKeyChecking::Strict)
        );
    }

    #[test]
    fn jumps_come_first_and_bring_their_own() {
        let (_dir, options) = options(
            "Host app\n ProxyJump bob@b1:2201,b2\n HostName %h.internal\nHost b1\n ProxyJump gate\nHost b2\n User deploy\n",
        );
        let target = Target {
            password: Some(Secret::new("s".into())),
            ..target("app")
        };
        let (way, _) = route(&target, &options).unwrap();
        let places: Vec<_> = way
            .iter()
            .map(|hop| format!("{}@{}", hop.user, hop.place()))
            .collect();
        assert_eq!(
            places,
            [
                "me@gate:22",
                "bob@b1:2201",
                "deploy@b2:22",
                "me@app.internal:22"
            ]
        );
        assert!(way[0].password.is_none() && way[3].password.is_some());
    }

    #[test]
    fn circles_and_proxy_commands_are_errors() {
        let (_dir, options) =
            options("Host a\n ProxyJump b\nHost b\n ProxyJump a\nHost p\n ProxyCommand nc %h %p\n");
        assert!(
            route(&target("a"), &options)
                .unwrap_err()
                .to_string()
                .contains("circle")
        );
        assert!(
            route(&target("p"), &options)
                .unwrap_err()
                .to_string()
                .contains("openssh")
        );
    }

    #[test]
    fn identities_expand() {
        let (dir, options) = options("IdentityFile ~/k-%h-%r\nUserKnownHostsFile /dev/null\n");
        let (way, _) = route(&target("h"), &options).unwrap();
        assert_eq!(way[0].default_keys, [dir.path().join("k-h-me")]);
        assert_eq!(way[0].known_hosts, [PathBuf::from("/dev/null")]);
    }
}
