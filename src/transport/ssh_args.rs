//! Arguments of the `ssh` program (`ansible_ssh_args`, `…_common_args`, `…_extra_args`), as far as
//! runbook's own SSH understands them.

use super::TransportError;
use super::ssh_config::keyword;
use crate::value::shell_words;
use std::path::PathBuf;

/// What the arguments say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SshArgs {
    /// `Keyword value`, keywords in lowercase.
    pub pairs: Vec<(String, String)>,
    /// `-F`.
    pub config: Option<PathBuf>,
}

/// Keywords that we act on.
pub(crate) const UNDERSTOOD: [&str; 19] = [
    "connectionattempts",
    "connecttimeout",
    "globalknownhostsfile",
    "hostkeyalias",
    "hostname",
    "identitiesonly",
    "identityagent",
    "identityfile",
    "kbdinteractiveauthentication",
    "passwordauthentication",
    "port",
    "preferredauthentications",
    "proxyjump",
    "pubkeyauthentication",
    "serveralivecountmax",
    "serveraliveinterval",
    "stricthostkeychecking",
    "user",
    "userknownhostsfile",
];

/// Keywords that make no difference to us: one connection is kept open anyway, and nothing is asked.
const HARMLESS: [&str; 22] = [
    "addkeystoagent",
    "addressfamily",
    "batchmode",
    "checkhostip",
    "compression",
    "controlmaster",
    "controlpath",
    "controlpersist",
    "escapechar",
    "exitonforwardfailure",
    "gssapiauthentication",
    "gssapidelegatecredentials",
    "hashknownhosts",
    "ipqos",
    "loglevel",
    "numberofpasswordprompts",
    "requesttty",
    "sendenv",
    "tcpkeepalive",
    "updatehostkeys",
    "verifyhostkeydns",
    "visualhostkey",
];

/// Reads the arguments.
///
/// # Errors
/// For an argument that is not understood: what it asks for would silently not be done.
pub(crate) fn parse(text: &str) -> Result<SshArgs, TransportError> {
    let words = shell_words(text)
        .map_err(|why| TransportError::settings(format!("the ssh arguments: {why}: {text}")))?;
    let mut args = SshArgs::default();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let mut letters = word.chars();
        let (Some('-'), Some(letter)) = (letters.next(), letters.next()) else {
            return Err(unknown(&word));
        };
        let attached: String = letters.collect();
        if "FJilop".contains(letter) {
            let value = if attached.is_empty() {
                words.next().ok_or_else(|| {
                    TransportError::settings(format!("{word} without a value in the ssh arguments"))
                })?
            } else {
                attached
            };
            args.set(letter, value)?;
            continue;
        }
        // Flags that may be written together.
        for letter in word.chars().skip(1) {
            match letter {
                'C' | 'q' | 'v' | 'T' | 't' | 'x' | 'a' | 'n' | '4' | '6' => {}
                _ => return Err(unknown(&word)),
            }
        }
    }
    Ok(args)
}

impl SshArgs {
    fn set(&mut self, letter: char, value: String) -> Result<(), TransportError> {
        let name = match letter {
            'F' => {
                self.config = Some(PathBuf::from(value));
                return Ok(());
            }
            'J' => "proxyjump",
            'i' => "identityfile",
            'l' => "user",
            'p' => "port",
            _ => {
                let (name, value) =
                    keyword(&value).ok_or_else(|| unknown(&format!("-o {value}")))?;
                if UNDERSTOOD.contains(&name.as_str()) {
                    self.pairs.push((name, value));
                } else if name == "proxycommand" && value != "none" {
                    return Err(proxy_command());
                } else if !HARMLESS.contains(&name.as_str()) && name != "proxycommand" {
                    return Err(unknown(&format!("-o {name}={value}")));
                }
                return Ok(());
            }
        };
        self.pairs.push((name.to_owned(), value));
        Ok(())
    }
}

/// The error for `ProxyCommand`.
pub(crate) fn proxy_command() -> TransportError {
    TransportError::settings(
        "ProxyCommand is not run by runbook's own SSH; use ProxyJump, or set connection: openssh \
         (ansible_connection=openssh) for this host",
    )
}

fn unknown(what: &str) -> TransportError {
    TransportError::SshArguments {
        reason: format!(
            "runbook's own SSH does not understand the ssh argument `{what}`; remove it, or set connection: \
             openssh (ansible_connection=openssh) for this host"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        let args = parse(
            "-C -o ControlMaster=auto -o ControlPersist=60s -oStrictHostKeyChecking=no -o 'UserKnownHostsFile /dev/null' -J bob@b1:22,b2 -i ~/k -p 2222 -lroot -F cfg -vvv",
        )
        .unwrap();
        let expected = [
            ("stricthostkeychecking", "no"),
            ("userknownhostsfile", "/dev/null"),
            ("proxyjump", "bob@b1:22,b2"),
            ("identityfile", "~/k"),
            ("port", "2222"),
            ("user", "root"),
        ];
        let expected = expected.map(|(k, v)| (k.to_owned(), v.to_owned())).to_vec();
        assert_eq!(args.pairs, expected);
        assert_eq!(args.config, Some(PathBuf::from("cfg")));
    }

    #[test]
    fn refuses_what_it_would_not_do() {
        for text in [
            "-o ProxyCommand='ssh -W %h:%p b'",
            "-A",
            "-L 1:h:2",
            "-o LocalForward=x",
            "host",
            "-i",
        ] {
            assert!(
                matches!(
                    parse(text),
                    Err(TransportError::Settings { .. } | TransportError::SshArguments { .. })
                ),
                "{text}"
            );
        }
        let said = parse("-L 1:h:2").unwrap_err().to_string();
        assert!(said.contains("connection: openssh"), "{said}");
    }
}
