//! `apt_key`: keys that apt trusts, by gpg.
//!
//! The deprecated program `apt-key` is not needed: keys are kept in a keyring, and gpg reads and writes it.
//!
//! Source: Ansible's documentation of `ansible.builtin.apt_key`.

use super::deb822_repository::fetched;
use crate::modules::streams::command_failed;
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::{Command, Sys};
use crate::value::{ArgRule, Value};
use crate::{choices, module_args};
use std::path::{Path, PathBuf};

choices! {
    /// Whether the key is to be trusted.
    pub enum State {
        /// It is not.
        Absent = "absent",
        /// It is.
        Present = "present",
    }
}

module_args! {
    /// Arguments of `apt_key`.
    pub struct Args {
        /// The key itself.
        data: Option<String> => optional;
        /// A file on the machine that holds it.
        file: Option<PathBuf> => optional;
        /// Its id or fingerprint, in hexadecimal digits.
        id: Option<String> => optional;
        /// The keyring; `/etc/apt/trusted.gpg` without it.
        keyring: Option<PathBuf> => optional;
        /// A server that is asked for `id`.
        keyserver: Option<String> => optional;
        /// Whether the key is to be trusted.
        state: State => default("present");
        /// Where the key is fetched from.
        url: Option<String> => optional;
        /// Whether that server must prove who it is.
        validate_certs: bool => default(true);
    }
}

const TRUSTED: &str = "/etc/apt/trusted.gpg";
const PARTS: &str = "/etc/apt/trusted.gpg.d";

/// The module.
pub struct AptKey;

impl Module for AptKey {
    const NAME: &'static str = "apt_key";
    const DOC: &'static str = "Add and remove keys that apt trusts. `deb822_repository` with `signed_by` is the better way.";
    const RULES: &'static [ArgRule] = &[ArgRule::Exclusive(&["data", "file", "keyserver", "url"])];
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        if sys.which("gpg").is_none() {
            return Err("apt_key needs gpg on the machine (package gnupg)".into());
        }
        let keyring = args.keyring.as_ref().map(|path| sys.expand(path));
        let mut plan = Plan::new();
        let material = material(args, sys)?;
        let wanted = match (&args.id, &material) {
            (Some(id), _) => vec![normal(id)?],
            (None, Some(bytes)) => {
                let found = keys_in(sys, bytes)?;
                if found.is_empty() {
                    return Err("the key data holds no key".into());
                }
                found
            }
            (None, None) => {
                return Err("one of id, data, file, url or keyserver with id is needed".into());
            }
        };
        let first = wanted.first().cloned().unwrap_or_default();
        plan.returns("id", args.id.as_deref().map(Value::data));
        plan.returns("fp", Value::data(first.as_str()));
        plan.returns("key_id", Value::data(tail(&first, 16)));
        plan.returns("short_id", Value::data(tail(&first, 8)));
        let rings = match &keyring {
            Some(path) => vec![path.clone()],
            None => default_rings(sys),
        };
        let mut trusted: Vec<(PathBuf, String)> = Vec::new();
        for ring in &rings {
            for key in keys_of(sys, ring)? {
                trusted.push((ring.clone(), key));
            }
        }
        let is_in = |id: &String| trusted.iter().any(|(_, key)| key.ends_with(id.as_str()));
        let list = |keys: &[String]| format!("{}\n", keys.join("\n"));
        match args.state {
            State::Absent => {
                for (ring, key) in trusted
                    .iter()
                    .filter(|(_, key)| wanted.iter().any(|id| key.ends_with(id.as_str())))
                {
                    let diff = Diff::new(
                        ring.to_string_lossy(),
                        Some(list(std::slice::from_ref(key))),
                        None::<String>,
                    );
                    let (ring, key) = (ring.clone(), key.clone());
                    plan.act(
                        format!("remove the key {key}"),
                        Some(diff),
                        move |sys, _| {
                            let ring = ring_word(&ring);
                            gpg(
                                sys,
                                &[
                                    "--no-default-keyring",
                                    "--keyring",
                                    &ring,
                                    "--batch",
                                    "--yes",
                                    "--delete-keys",
                                    &key,
                                ],
                                &[],
                            )
                        },
                    );
                }
            }
            State::Present if wanted.iter().all(is_in) => {}
            State::Present => {
                let ring = keyring.unwrap_or_else(|| PathBuf::from(TRUSTED));
                let diff = Diff::new(ring.to_string_lossy(), None::<String>, Some(list(&wanted)));
                let server = args.keyserver.clone();
                if material.is_none() && server.is_none() {
                    return Err(Failure::new(format!(
                        "the key {first} is not there; data, file, url or keyserver must say where it comes from"
                    )));
                }
                plan.act(format!("add the key {first}"), Some(diff), move |sys, _| {
                    let is_new = !sys.exists(&ring);
                    let word = ring_word(&ring);
                    let base = ["--no-default-keyring", "--keyring", &word, "--batch"];
                    match (&material, &server) {
                        (Some(bytes), _) => {
                            let words: Vec<_> = base.into_iter().chain(["--import"]).collect();
                            gpg(sys, &words, bytes)?;
                        }
                        (None, Some(server)) => {
                            let more = ["--keyserver", server, "--recv-keys", &first];
                            let words: Vec<_> = base.into_iter().chain(more).collect();
                            gpg(sys, &words, &[])?;
                        }
                        (None, None) => {}
                    }
                    if is_new && sys.exists(&ring) {
                        // apt reads it as a user of its own
                        sys.set_mode(&ring, 0o644)?;
                    }
                    Ok(())
                });
            }
        }
        Ok(plan)
    }
}

/// A keyring in the form that apt reads, not a keybox.
fn ring_word(ring: &Path) -> String {
    format!("gnupg-ring:{}", ring.display())
}

fn tail(text: &str, length: usize) -> &str {
    text.get(text.len().saturating_sub(length)..)
        .unwrap_or(text)
}

/// An id as gpg prints it.
fn normal(id: &str) -> ModuleResult<String> {
    let plain: String = id
        .trim()
        .trim_start_matches("0x")
        .trim_start_matches("0X")
        .chars()
        .filter(|c| !c.is_whitespace())
        .collect::<String>()
        .to_ascii_uppercase();
    let is_hex = plain.chars().all(|c| c.is_ascii_hexdigit());
    if is_hex && plain.len() >= 8 {
        Ok(plain)
    } else {
        Err(Failure::new(format!("Invalid key_id: {id}")).with("id", Value::data(id)))
    }
}

/// The key, if the arguments say where it is (a server of keys is asked only when it is missing).
fn material(args: &Args, sys: &Sys) -> ModuleResult<Option<Vec<u8>>> {
    if let Some(data) = &args.data {
        return Ok(Some(data.clone().into_bytes()));
    }
    if let Some(file) = &args.file {
        let path = sys.expand(file);
        let bytes = sys.read(&path)?;
        return bytes
            .map(Some)
            .ok_or_else(|| Failure::new(format!("there is no file {}", path.display())));
    }
    if let Some(url) = &args.url {
        let bytes = fetched(sys, url, args.validate_certs)
            .map_err(|why| Failure::new(format!("error getting key id from url: {url}: {why}")))?;
        return Ok(Some(bytes));
    }
    if args.keyserver.is_some() && args.id.is_none() {
        return Err("Missing key_id, required with keyserver.".into());
    }
    Ok(None)
}

/// The keyrings that apt reads.
fn default_rings(sys: &Sys) -> Vec<PathBuf> {
    let mut rings = vec![PathBuf::from(TRUSTED)];
    for name in sys.list(Path::new(PARTS)).unwrap_or_default() {
        let text = name.to_string_lossy();
        if text.ends_with(".gpg") || text.ends_with(".asc") {
            rings.push(Path::new(PARTS).join(&name));
        }
    }
    rings
}

/// The fingerprints of the keys in a file.
fn keys_of(sys: &Sys, ring: &Path) -> ModuleResult<Vec<String>> {
    match sys.read(ring)? {
        Some(bytes) => keys_in(sys, &bytes),
        None => Ok(Vec::new()),
    }
}

fn keys_in(sys: &Sys, bytes: &[u8]) -> ModuleResult<Vec<String>> {
    let words = [
        "gpg",
        "--batch",
        "--no-tty",
        "--with-colons",
        "--show-keys",
        "-",
    ];
    let command = sys.tool(words).stdin(bytes);
    let output = sys.query(&command)?;
    if !output.ok() && output.stdout.is_empty() {
        return Err(command_failed("gpg cannot read the key", &command, &output));
    }
    let mut found = Vec::new();
    for line in output.text().lines() {
        let fields: Vec<_> = line.split(':').collect();
        if let (Some(&"fpr"), Some(print)) = (fields.first(), fields.get(9)) {
            found.push((*print).to_owned());
        }
    }
    Ok(found)
}

fn gpg(sys: &mut Sys, words: &[&str], input: &[u8]) -> ModuleResult<()> {
    let command: Command = sys
        .tool(std::iter::once("gpg").chain(words.iter().copied()))
        .stdin(input);
    let output = sys.run(&command)?;
    if output.ok() {
        Ok(())
    } else {
        Err(command_failed("gpg", &command, &output))
    }
}
