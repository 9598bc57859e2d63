//! What can go wrong between the controller and a machine.

/// Why a machine could not be used. Each text is a lowercase fragment that begins with a verb and
/// fits after "failed to": it says what happened and what to do.
#[derive(Clone, Debug, thiserror::Error)]
pub enum TransportError {
    /// No connection to the machine.
    #[error("connect to {host}: {reason}")]
    Unreachable {
        /// Host and port.
        host: String,
        /// What happened.
        reason: String,
    },
    /// Connected, but none of the authentication methods was accepted.
    #[error("authenticate as {user} on {host}: {reason}")]
    Auth {
        /// Host and port.
        host: String,
        /// The login user.
        user: String,
        /// Which methods were tried and what to do.
        reason: String,
    },
    /// The machine's host key is unknown, has changed or was revoked.
    #[error("verify the host key of {host}: {reason}")]
    HostKey {
        /// Host and port.
        host: String,
        /// File, line, fingerprint and what to do.
        reason: String,
    },
    /// The become user could not be reached (`sudo`, `su`, `doas`).
    #[error("become {user} with {method}: {reason}")]
    Become {
        /// The user that was wanted.
        user: String,
        /// `sudo`, `su` or `doas`.
        method: &'static str,
        /// What happened.
        reason: String,
    },
    /// The agent could not be put on the machine or does not start there.
    #[error("install the agent: {reason}")]
    AgentUpload {
        /// What happened.
        reason: String,
    },
    /// No agent for the machine's architecture is at hand.
    #[error(
        "install the agent: the machine is {machine} and there is no agent for it; put an executable of \
         runbook for {machine} at {expected}"
    )]
    WrongArch {
        /// What `uname -m` says there.
        machine: String,
        /// Where an agent for it would be found.
        expected: String,
    },
    /// The connection or the agent ended in the middle of the work.
    #[error("hear from the machine: {reason}")]
    Lost {
        /// What ended, with the last words of the other side.
        reason: String,
    },
    /// The other side says what it must not say.
    #[error("understand the agent: {reason}")]
    Protocol {
        /// What came.
        reason: String,
    },
    /// Connection settings (variables, arguments, `ssh_config`) that cannot be used.
    #[error("use the connection settings: {reason}")]
    Settings {
        /// Which setting and what to do.
        reason: String,
    },
    /// Arguments for `ssh` that ours does not take. As with those that ssh refuses, the machine is not reached.
    #[error("use the connection settings: {reason}")]
    SshArguments {
        /// Which argument and what to do.
        reason: String,
    },
}

impl TransportError {
    /// Whether the host counts as unreachable (Ansible's `UNREACHABLE!`) rather than the task as
    /// failed: a wrong become password or a missing `sudo` fails the task.
    pub fn is_unreachable(&self) -> bool {
        !matches!(self, Self::Become { .. } | Self::Settings { .. })
    }

    /// Whether another attempt to connect may help.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Lost { .. })
    }

    pub(crate) fn unreachable(host: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Unreachable {
            host: host.into(),
            reason: plain(&reason.into()),
        }
    }

    pub(crate) fn lost(reason: impl Into<String>) -> Self {
        Self::Lost {
            reason: plain(&reason.into()),
        }
    }

    pub(crate) fn upload(reason: impl Into<String>) -> Self {
        Self::AgentUpload {
            reason: plain(&reason.into()),
        }
    }

    pub(crate) fn settings(reason: impl Into<String>) -> Self {
        Self::Settings {
            reason: plain(&reason.into()),
        }
    }
}

/// A message without the numbers of errors that Rust puts behind the system's words.
pub(crate) fn plain(text: &str) -> String {
    let mut parts = text.split(" (os error ");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(')') {
            Some((number, rest)) if number.bytes().all(|b| b.is_ascii_digit()) => {
                out.push_str(rest);
            }
            _ => {
                out.push_str(" (os error ");
                out.push_str(part);
            }
        }
    }
    out
}

/// The last non-empty lines of noisy output, shortened, for use in a message.
pub(crate) fn last_words(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let from = lines.len().saturating_sub(3);
    let joined = lines.get(from..).unwrap_or_default().join("; ");
    let clean: String = joined
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    match clean.char_indices().nth_back(400) {
        Some((at, _)) => format!("…{}", clean.get(at..).unwrap_or_default()),
        None => clean,
    }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn messages_lose_the_numbers_of_errors_and_nothing_else() {
        for (text, expected) in [
            ("x: No route to host (os error 113)", "x: No route to host"),
            (
                "a: Gone (os error 2); b: Full (os error 28), stop",
                "a: Gone; b: Full, stop",
            ),
            ("see (os error codes)", "see (os error codes)"),
            ("plain", "plain"),
        ] {
            assert_eq!(plain(text), expected);
        }
    }
}
