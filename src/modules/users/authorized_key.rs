//! `authorized_key`: public keys with which a user may log in.
//!
//! Source: sshd(8), "AUTHORIZED_KEYS FILE FORMAT".

use super::group::State;
use crate::module_args;
use crate::modules::{Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::{Sys, WriteOptions};
use crate::value::Value;
use std::path::PathBuf;

module_args! {
    /// Arguments of `authorized_key`.
    pub struct Args {
        /// The user.
        user: String => required;
        /// The key, or several, one a line, as in a `.pub` file.
        key: String => required;
        /// The file; without it `.ssh/authorized_keys` in the user's home directory.
        path: Option<PathBuf> => optional;
        /// Make the file's directory and set its owner and mode.
        manage_dir: bool => default(true);
        /// Whether the keys are to be there.
        state: State => default("present");
        /// Options for the keys, e.g. `no-pty,from="10.0.0.0/8"`.
        key_options: Option<String> => optional;
        /// Remove all other keys.
        exclusive: bool => default(false);
        /// Another comment for the keys.
        comment: Option<String> => optional;
        /// Has no meaning: keys are not fetched from addresses.
        validate_certs: bool => default(true);
        /// Write through a symbolic link (which is always done).
        follow: bool => default(false);
    }
}

/// The module.
pub struct AuthorizedKey;

impl Module for AuthorizedKey {
    const NAME: &'static str = "authorized_key";
    const COLLECTION: &'static str = "ansible.posix";
    const DOC: &'static str = "Add and remove public keys with which a user may log in.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let wanted = wanted(args)?;
        let account = sys
            .account_anywhere(&args.user)?
            .ok_or_else(|| format!("Failed to lookup user {}: there is none", args.user))?;
        let path = match &args.path {
            Some(path) => sys.expand(path),
            None => account.home.join(".ssh/authorized_keys"),
        };
        let before = sys.read_text(&path)?;
        let after = edit(before.as_deref().unwrap_or_default(), &wanted, args);
        let mut plan = Plan::new();
        for (name, value) in [
            ("user", args.user.as_str()),
            ("key", args.key.as_str()),
            ("state", args.state.word()),
            ("keyfile", path.to_string_lossy().as_ref()),
        ] {
            plan.returns(name, Value::data(value));
        }
        for (name, value) in [
            ("exclusive", args.exclusive),
            ("manage_dir", args.manage_dir),
            ("follow", args.follow),
            ("validate_certs", args.validate_certs),
        ] {
            plan.returns(name, value);
        }
        for (name, value) in [
            ("key_options", &args.key_options),
            ("comment", &args.comment),
        ] {
            let value = value.as_deref().map_or(Value::Null, Value::data);
            plan.returns(name, value);
        }
        let given = args.path.as_ref().map(|path| path.to_string_lossy());
        plan.returns("path", given.map_or(Value::Null, Value::data));
        let (uid, gid) = (account.uid, account.gid);
        let dir = path.parent().map(std::path::Path::to_path_buf);
        if args.state == State::Present
            && args.manage_dir
            && let Some(dir) = dir
        {
            let meta = sys.stat(&dir, true)?;
            let fine = meta
                .as_ref()
                .is_some_and(|m| (m.mode, m.uid, m.gid) == (0o700, uid, gid));
            if !fine {
                let before =
                    meta.map(|m| format!("mode: {:04o}\nowner: {}:{}\n", m.mode, m.uid, m.gid));
                let after = Some(format!("mode: 0700\nowner: {uid}:{gid}\n"));
                plan.step(
                    Diff::new(dir.to_string_lossy(), before, after),
                    move |sys| {
                        sys.make_dir(&dir, 0o700)?;
                        sys.set_owner(&dir, Some(uid), Some(gid), true)?;
                        sys.set_mode(&dir, 0o700)
                    },
                );
            }
        }
        if before.as_deref().unwrap_or_default() != after {
            let diff = Diff::new(path.to_string_lossy(), before, Some(after.clone()));
            plan.step(diff, move |sys| {
                // whatever it was before: sshd refuses keys that others could change
                let options = WriteOptions {
                    mode: Some(0o600),
                    uid: Some(uid),
                    gid: Some(gid),
                    unsafe_writes: false,
                    synced_later: false,
                };
                sys.write(&path, after.as_bytes(), &options)
            });
        }
        Ok(plan)
    }
}

/// A line of the file that is a key.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    options: String,
    kind: String,
    blob: String,
    comment: String,
}

impl Key {
    fn parse(line: &str) -> Option<Self> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return None;
        }
        let first = word(line);
        let (options, rest) = if is_kind(first) {
            ("", line)
        } else {
            (first, line.get(first.len()..)?.trim_start())
        };
        let kind = word(rest);
        let rest = rest.get(kind.len()..)?.trim_start();
        let blob = rest.split_whitespace().next()?;
        let comment = rest.get(blob.len()..)?.trim();
        is_kind(kind).then(|| Self {
            options: options.to_owned(),
            kind: kind.to_owned(),
            blob: blob.to_owned(),
            comment: comment.to_owned(),
        })
    }

    fn line(&self) -> String {
        let words = [&self.options, &self.kind, &self.blob, &self.comment];
        let words: Vec<&str> = words
            .into_iter()
            .map(String::as_str)
            .filter(|word| !word.is_empty())
            .collect();
        words.join(" ") + "\n"
    }

    fn same_key(&self, other: &Self) -> bool {
        self.kind == other.kind && self.blob == other.blob
    }
}

fn is_kind(word: &str) -> bool {
    ["ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-"]
        .iter()
        .any(|start| word.starts_with(start))
}

/// The first word; blanks in double quotes belong to it.
fn word(text: &str) -> &str {
    let (mut quoted, mut escaped) = (false, false);
    let end = text.find(|c: char| {
        match c {
            '"' if !escaped => quoted = !quoted,
            c if c.is_whitespace() && !quoted => return true,
            _ => {}
        }
        escaped = c == '\\' && !escaped;
        false
    });
    text.get(..end.unwrap_or(text.len())).unwrap_or(text)
}

fn wanted(args: &Args) -> ModuleResult<Vec<Key>> {
    if args.key.contains("://") {
        return Err("keys from addresses are not built yet: fetch them with get_url first".into());
    }
    let mut keys = Vec::new();
    for line in args.key.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut key = Key::parse(line).ok_or_else(|| format!("invalid key specified: {line}"))?;
        if let Some(options) = &args.key_options {
            options.clone_into(&mut key.options);
        }
        if let Some(comment) = &args.comment {
            comment.clone_into(&mut key.comment);
        }
        keys.push(key);
    }
    if keys.is_empty() {
        return Err("no key was given".into());
    }
    Ok(keys)
}

/// The text of the file with, or without, the keys.
fn edit(text: &str, wanted: &[Key], args: &Args) -> String {
    let mut out = String::new();
    let mut placed = vec![false; wanted.len()];
    for line in text.lines() {
        let key = Key::parse(line);
        let index = key
            .as_ref()
            .and_then(|key| wanted.iter().position(|w| w.same_key(key)));
        match (
            args.state,
            index.and_then(|i| Some((wanted.get(i)?, placed.get_mut(i)?))),
        ) {
            (State::Absent, Some(_)) => {}
            (State::Present, Some((new, placed))) => {
                // a key that is there twice stays once
                if !*placed {
                    if key.as_ref() == Some(new) {
                        out.push_str(line);
                        out.push('\n');
                    } else {
                        out.push_str(&new.line());
                    }
                }
                *placed = true;
            }
            (State::Present, None) if args.exclusive => {}
            (_, None) => {
                out.push_str(line);
                out.push('\n');
            }
        }
    }
    if args.state == State::Present {
        for (key, placed) in wanted.iter().zip(placed) {
            if !placed {
                out.push_str(&key.line());
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::Key;

    #[test]
    fn keys_with_options() {
        let key = Key::parse("command=\"a \\\" b\",no-pty ssh-ed25519 AAAA me on  you").unwrap();
        assert_eq!(key.options, "command=\"a \\\" b\",no-pty");
        assert_eq!(
            (key.blob.as_str(), key.comment.as_str()),
            ("AAAA", "me on  you")
        );
        assert_eq!(Key::parse(&key.line()).unwrap(), key);
        assert!(Key::parse("# ssh-rsa AAAA").is_none());
        assert!(Key::parse("hello world").is_none());
    }
}
