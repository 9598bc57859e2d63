//! `known_hosts`: keys of machines that ssh knows.
//!
//! Source: sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT", and the documentation of `ansible.builtin.known_hosts`.

use super::group::State;
use crate::module_args;
use crate::modules::files::attrs::FileAttrs;
use crate::modules::files::place::{Placement, Source, place};
use crate::modules::{Module, ModuleResult, Plan};
use crate::sys::Sys;
use crate::value::{Map, Value};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};
use std::borrow::Cow;
use std::path::PathBuf;

module_args! {
    /// Arguments of `known_hosts`.
    pub struct Args {
        /// The machine, as it stands in the key; with another port than 22 `[name]:port`.
        name: String => required, aliases ["host"];
        /// Lines as they stand in the file: names, type, key.
        key: Option<String> => optional;
        /// The file.
        path: PathBuf => default("~/.ssh/known_hosts");
        /// Write the name as a digest.
        hash_host: bool => default(false);
        /// Whether the key is to be there; without a key, all keys of the machine are removed.
        state: State => default("present");
    }
}

/// The module.
pub struct KnownHosts;

impl Module for KnownHosts {
    const NAME: &'static str = "known_hosts";
    const DOC: &'static str = "Add and remove keys of machines in ssh's file of known hosts.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        if args.name.contains(',') {
            return Err(
                "Comma separated list of names is not supported. Please pass a single name to lookup in the known_hosts file."
                    .into(),
            );
        }
        let name = args.name.to_lowercase();
        let wanted = wanted(args, &name)?;
        let path = sys.expand(&args.path);
        let old = sys.read_text(&path)?;
        let text = old.as_deref().unwrap_or_default();
        let new = match args.state {
            State::Present => with(text, &name, &wanted, args.hash_host),
            State::Absent => without(text, &name, args.key.is_some().then_some(&wanted)),
        };
        let mut plan = Plan::new();
        plan.returns("name", Value::data(args.name.as_str()));
        plan.returns("key", args.key.as_deref().map(Value::data));
        let shown = Value::data(path.to_string_lossy().as_ref());
        plan.returns("path", shown.clone());
        plan.returns("hash_host", args.hash_host);
        // Ansible's module has it in every result
        let header = if old.is_some() {
            shown.clone()
        } else {
            Value::data("/dev/null")
        };
        plan.returns(
            "diff",
            Map::new()
                .with("before_header", header)
                .with("after_header", shown)
                .with("before", Value::data(text))
                .with("after", Value::data(new.as_str())),
        );
        if new != text {
            place(
                sys,
                &mut plan,
                Source::Bytes(Cow::Owned(new.into_bytes())),
                Placement {
                    dest: path,
                    attrs: FileAttrs::nothing(),
                    backup: false,
                    backup_key: "backup_file",
                    validate: None,
                    follow: true,
                    checksums: false,
                    parent_planned: false,
                },
            )?;
        }
        Ok(plan)
    }
}

/// A line of the file, as far as entries are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry<'a> {
    marker: Option<&'a str>,
    names: &'a str,
    kind: &'a str,
    blob: &'a str,
    /// Everything after the names.
    rest: &'a str,
}

impl<'a> Entry<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return None;
        }
        let (marker, line) = if line.starts_with('@') {
            let (marker, rest) = line.split_once(char::is_whitespace)?;
            (Some(marker), rest.trim_start())
        } else {
            (None, line)
        };
        let (names, rest) = line.split_once(char::is_whitespace)?;
        let rest = rest.trim_start();
        let mut words = rest.split_whitespace();
        Some(Self {
            marker,
            names,
            kind: words.next()?,
            blob: words.next()?,
            rest,
        })
    }

    fn is_hashed(self) -> bool {
        self.names.starts_with("|1|")
    }

    fn is_of(self, name: &str) -> bool {
        if !self.is_hashed() {
            return self
                .names
                .split(',')
                .any(|known| known.to_lowercase() == name);
        }
        let mut parts = self.names.split('|').skip(2);
        let (Some(salt), Some(digest)) = (parts.next(), parts.next()) else {
            return false;
        };
        STANDARD
            .decode(salt)
            .is_ok_and(|salt| STANDARD.encode(hmac(&salt, name.as_bytes())) == digest)
    }

    /// There is one key of each type for a machine; of authorities and revoked ones there may be more.
    fn same_place(self, other: Self) -> bool {
        (self.marker, self.kind) == (other.marker, other.kind)
            && (self.marker.is_none() || self.blob == other.blob)
    }

    fn same_key(self, other: Self) -> bool {
        self.same_place(other) && self.blob == other.blob
    }

    /// Its lines with digests instead of names, one for each name.
    fn hashed(self) -> String {
        let marker = self.marker.map(|m| format!("{m} ")).unwrap_or_default();
        self.names
            .split(',')
            .map(|name| {
                let name = name.to_lowercase();
                // a salt need not be secret, only differ from line to line; that it is no random number lets check
                // mode show the very line that will be written
                let salt = Sha1::new()
                    .chain_update(&name)
                    .chain_update([0])
                    .chain_update(self.rest)
                    .finalize();
                let digest = STANDARD.encode(hmac(&salt, name.as_bytes()));
                let salt = STANDARD.encode(salt);
                format!("{marker}|1|{salt}|{digest} {}\n", self.rest)
            })
            .collect()
    }
}

/// HMAC with SHA-1 (RFC 2104).
fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; 64];
    let shortened = Sha1::digest(key);
    let key = if key.len() > block.len() {
        shortened.as_slice()
    } else {
        key
    };
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    let pad = |with: u8| block.map(|byte| byte ^ with);
    let inner = Sha1::new()
        .chain_update(pad(0x36))
        .chain_update(text)
        .finalize();
    Sha1::new()
        .chain_update(pad(0x5c))
        .chain_update(inner)
        .finalize()
        .to_vec()
}

fn wanted<'a>(args: &'a Args, name: &str) -> ModuleResult<Vec<Entry<'a>>> {
    let Some(key) = &args.key else {
        return match args.state {
            State::Present => Err("No key specified when adding a host".into()),
            State::Absent => Ok(Vec::new()),
        };
    };
    let lines: Vec<&str> = key
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.trim().starts_with('#'))
        .collect();
    let entries: Option<Vec<Entry<'a>>> = lines
        .iter()
        .map(|line| Entry::parse(line).filter(|entry| entry.is_of(name)))
        .collect();
    entries
        .filter(|entries| !entries.is_empty())
        .ok_or_else(|| "Host parameter does not match hashed host field in supplied key".into())
}

/// The text with the keys: those that are there stay where they are, others of their type go, new ones come last.
fn with(text: &str, name: &str, wanted: &[Entry<'_>], hash: bool) -> String {
    let mut found = vec![false; wanted.len()];
    let mut out = String::new();
    for line in text.split_inclusive('\n') {
        let entry = Entry::parse(line).filter(|entry| entry.is_of(name));
        let place = entry.and_then(|entry| {
            let at = wanted.iter().position(|wanted| wanted.same_place(entry))?;
            Some((entry, wanted.get(at)?, found.get_mut(at)?))
        });
        if let Some((entry, wanted, found)) = place {
            // a line for other names beside this one is another line
            let same_names = hash || entry.names == wanted.names;
            let fits = entry.same_key(*wanted) && entry.is_hashed() == hash && same_names;
            if !fits || *found {
                continue;
            }
            *found = true;
        }
        out.push_str(line);
    }
    for (entry, found) in wanted.iter().zip(found) {
        if found {
            continue;
        }
        if !out.is_empty() && !out.ends_with('\n') {
            out.push('\n');
        }
        if hash && !entry.is_hashed() {
            out.push_str(&entry.hashed());
        } else {
            let marker = entry.marker.map(|m| format!("{m} ")).unwrap_or_default();
            out.push_str(&format!("{marker}{} {}\n", entry.names, entry.rest));
        }
    }
    out
}

/// The text without the keys, or without any key of the machine.
fn without(text: &str, name: &str, keys: Option<&Vec<Entry<'_>>>) -> String {
    text.split_inclusive('\n')
        .filter(|line| {
            let goes = Entry::parse(line)
                .filter(|entry| entry.is_of(name))
                .is_some_and(|entry| {
                    keys.is_none_or(|keys| keys.iter().any(|key| key.same_key(entry)))
                });
            !goes
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Entry, hmac};

    #[test]
    fn digests_are_those_of_rfc_2202() {
        let digest = hmac(b"Jefe", b"what do ya want for nothing?");
        assert_eq!(
            crate::sys::hex(&digest),
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"
        );
        let digest = hmac(
            &[0xaa; 80],
            b"Test Using Larger Than Block-Size Key - Hash Key First",
        );
        assert_eq!(
            crate::sys::hex(&digest),
            "aa4ae5e15272d00e95705637ce8a3b55ed402112"
        );
    }

    #[test]
    fn a_line_that_was_hashed_is_found() {
        let entry = Entry::parse("A.org,1.1.1.1 ssh-rsa AAAA me").expect("a line");
        let text = entry.hashed();
        assert_eq!(text.lines().count(), 2);
        let hashed = Entry::parse(text.lines().next().expect("a line")).expect("a line");
        assert!(hashed.is_of("a.org") && !hashed.is_of("b.org"));
        assert!(hashed.same_key(entry) && hashed.is_hashed());
    }
}
