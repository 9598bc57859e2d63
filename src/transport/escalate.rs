//! Commands as another user: `sudo`, `su`, `doas`, their prompts and their refusals.

use super::TransportError;
use super::shell::quote;
use super::target::{Become, BecomeMethod};
use crate::value::shell_words;

/// How a password prompt is recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Prompt {
    /// By this text, which we chose.
    Exactly(String),
    /// By an unfinished line that ends in a colon: `su` and `doas` word it as they like.
    Colon,
}

impl Prompt {
    /// Whether what came so far ends in a prompt.
    pub(crate) fn is_at_end_of(&self, heard: &[u8]) -> bool {
        let text = String::from_utf8_lossy(heard);
        match self {
            Self::Exactly(prompt) => text.contains(prompt.as_str()),
            Self::Colon => {
                let line = text.rsplit(['\n', '\r']).next().unwrap_or_default();
                line.chars().count() < 200 && line.trim_end().ends_with([':', '：'])
            }
        }
    }
}

/// A command for the login shell that runs `argv` as another user.
#[derive(Clone, Debug)]
pub(crate) struct Escalation {
    /// The command.
    pub command: String,
    /// Whether it needs a terminal to ask on.
    pub pty: bool,
    /// The prompt to wait for; without a password there is none.
    pub prompt: Option<Prompt>,
}

/// Words the command. `nonce` makes the prompt of `sudo` one that nobody else writes.
///
/// The defaults are Ansible's (`become_flags` of the become plugins' documentation pages), but for
/// `-n`, which is left away when there is a password.
///
/// # Errors
/// For flags with an unclosed quote.
pub(crate) fn escalate(
    who: &Become,
    argv: &[&str],
    nonce: &str,
    pty: bool,
) -> Result<Escalation, TransportError> {
    let exe = who.exe.as_deref().unwrap_or(who.method.name());
    let asked = who.password.is_some();
    let flags = match &who.flags {
        Some(flags) => shell_words(flags)
            .map_err(|why| refused(who, format!("become_flags: {why}: {flags}")))?,
        None if who.method == BecomeMethod::Sudo => vec!["-H".to_owned(), "-S".to_owned()],
        None => Vec::new(),
    };
    let mut words: Vec<String> = vec![quote(exe)];
    let mut prompt = None;
    match who.method {
        BecomeMethod::Sudo => {
            let keep = |flag: &&String| match flag.as_str() {
                "-n" | "--non-interactive" => false,
                "-S" | "--stdin" => !asked,
                _ => true,
            };
            words.extend(flags.iter().filter(keep).map(|flag| quote(flag)));
            if asked {
                let text = format!("[runbook {nonce}] password: ");
                words.extend(["-S".to_owned(), "-p".to_owned(), quote(&text)]);
                prompt = Some(Prompt::Exactly(text.trim_end().to_owned()));
            } else {
                words.push("-n".to_owned());
            }
            words.extend(["-u".to_owned(), quote(&who.user), "--".to_owned()]);
            words.extend(argv.iter().map(|word| quote(word)));
        }
        BecomeMethod::Doas => {
            words.extend(
                flags
                    .iter()
                    .filter(|flag| *flag != "-n")
                    .map(|flag| quote(flag)),
            );
            if asked {
                prompt = Some(Prompt::Colon);
            } else {
                words.push("-n".to_owned());
            }
            words.extend(["-u".to_owned(), quote(&who.user), "--".to_owned()]);
            words.extend(argv.iter().map(|word| quote(word)));
        }
        BecomeMethod::Su => {
            words.extend(flags.iter().map(|flag| quote(flag)));
            let inner: Vec<String> = argv.iter().map(|word| quote(word)).collect();
            let inner = format!("exec {}", inner.join(" "));
            words.extend([quote(&who.user), "-c".to_owned(), quote(&inner)]);
            // Without a password su works for root only, and must not wait for one.
            prompt = Some(Prompt::Colon);
        }
    }
    Ok(Escalation {
        command: format!("exec {}", words.join(" ")),
        pty: pty || needs_tty(who),
        prompt,
    })
}

impl Become {
    /// The command by which programs become this user, for those who look for what is wrong with it. It holds no secret.
    ///
    /// # Errors
    /// For flags with an unclosed quote.
    pub fn shown(&self) -> Result<String, TransportError> {
        let command = escalate(self, &["runbook", "agent"], "…", false)?.command;
        Ok(command.trim_start_matches("exec ").to_owned())
    }
}

/// Whether the program asks for its password on a terminal only.
pub(crate) fn needs_tty(who: &Become) -> bool {
    who.password.is_some() && who.method != BecomeMethod::Sudo
}

/// The error of a become that did not work.
pub(crate) fn refused(who: &Become, reason: impl Into<String>) -> TransportError {
    TransportError::Become {
        user: who.user.clone(),
        method: who.method.name(),
        reason: reason.into(),
    }
}

/// Whether the program wants a terminal, so that the command should be tried on one.
pub(crate) fn wants_tty(heard: &str) -> bool {
    let heard = heard.to_lowercase();
    [
        "must have a tty",
        "a tty is required",
        "must be run from a terminal",
        "no tty present",
    ]
    .iter()
    .any(|sign| heard.contains(sign))
}

/// What a failed become says, in our words.
pub(crate) fn explain(who: &Become, heard: &str, ended: &str) -> String {
    let lower = heard.to_lowercase();
    let has = |signs: &[&str]| signs.iter().any(|sign| lower.contains(sign));
    let user = &who.user;
    let exe = who.exe.as_deref().unwrap_or(who.method.name());
    let said = super::error::last_words(heard.as_bytes());
    if has(&[
        "a password is required",
        "password is required",
        "authorization required",
    ]) {
        "a password is needed; give one with --ask-become-pass or ansible_become_password"
            .to_owned()
    } else if has(&[
        "incorrect password",
        "authentication failure",
        "authentication failed",
        "sorry, try again",
        "incorrect password attempt",
        "incorrect password supplied",
    ]) {
        "the password was refused".to_owned()
    } else if has(&[
        "not in the sudoers file",
        "not allowed to execute",
        "may not run sudo",
        "operation not permitted",
        "not permitted",
        "permission denied",
    ]) {
        format!("the login user is not allowed to: {said}")
    } else if has(&[
        "unknown user",
        "does not exist",
        "user does not",
        "no passwd entry",
    ]) {
        format!("there is no user {user} on the machine")
    } else if wants_tty(heard) {
        format!("{exe} insists on a terminal: {said}")
    } else if has(&["not found", "no such file"]) {
        format!("{exe} is not installed on the machine; choose another become_method ({said})")
    } else if said.is_empty() {
        format!("{exe} ended with {ended} and said nothing")
    } else {
        format!("{exe} ended with {ended}: {said}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Secret;

    #[test]
    fn sudo_without_a_password_never_asks() {
        let e = escalate(
            &Become::sudo("web user"),
            &["sh", "-c", "echo 'x'"],
            "n",
            false,
        )
        .unwrap();
        assert_eq!(
            e.command,
            r"exec sudo -H -S -n -u 'web user' -- sh -c 'echo '\''x'\'''"
        );
        assert_eq!((e.pty, e.prompt), (false, None));
    }

    #[test]
    fn what_is_shown_of_a_become_has_no_secret() {
        let who = Become {
            password: Some(Secret::new("geheim".to_owned())),
            ..Become::sudo("web")
        };
        assert_eq!(
            who.shown().unwrap(),
            "sudo -H -S -p '[runbook …] password: ' -u web -- runbook agent"
        );
        assert_eq!(
            Become::sudo("root").shown().unwrap(),
            "sudo -H -S -n -u root -- runbook agent"
        );
    }

    #[test]
    fn sudo_with_a_password_has_its_own_prompt_and_no_n() {
        let who = Become {
            password: Some(Secret::new("geheim".to_owned())),
            flags: Some("-H -n -E".to_owned()),
            exe: Some("/usr/bin/sudo".to_owned()),
            ..Become::sudo("root")
        };
        let e = escalate(&who, &["id"], "abc", false).unwrap();
        assert_eq!(
            e.command,
            "exec /usr/bin/sudo -H -E -S -p '[runbook abc] password: ' -u root -- id"
        );
        assert!(!e.command.contains("geheim"));
        assert!(
            e.prompt
                .unwrap()
                .is_at_end_of(b"lecture\n[runbook abc] password: ")
        );
    }

    #[test]
    fn su_quotes_twice_and_doas_wants_a_terminal() {
        let who = Become {
            method: BecomeMethod::Su,
            password: Some(Secret::new("x".to_owned())),
            ..Become::sudo("bob")
        };
        let e = escalate(&who, &["sh", "-c", "a b"], "n", false).unwrap();
        assert_eq!(e.command, r"exec su bob -c 'exec sh -c '\''a b'\'''");
        assert!(e.pty);
        assert!(
            e.prompt
                .as_ref()
                .unwrap()
                .is_at_end_of("noise\r\nPasswort: ".as_bytes())
        );
        assert!(!e.prompt.unwrap().is_at_end_of(b"Password: \r\n"));
    }

    #[test]
    fn refusals_are_told_apart() {
        let who = Become::sudo("deploy");
        for (heard, expected) in [
            ("sudo: a password is required", "a password is needed"),
            (
                "sudo: 1 incorrect password attempt",
                "the password was refused",
            ),
            ("bob is not in the sudoers file.", "not allowed"),
            ("sudo: unknown user deploy", "no user deploy"),
            ("sh: 1: exec: sudo: not found", "not installed"),
            (
                "sudo: sorry, you must have a tty to run sudo",
                "insists on a terminal",
            ),
            ("", "said nothing"),
        ] {
            let said = explain(&who, heard, "exit status 1");
            assert!(said.contains(expected), "{heard} -> {said}");
        }
    }
}
