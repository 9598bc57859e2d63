//! `rpm_key`: keys that rpm trusts.
//!
//! Source: Ansible's documentation of `ansible.builtin.rpm_key`; rpmkeys(8).

use super::openpgp::{PublicKey, keys};
use crate::modules::steps::{ask_tool, run_tool};
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::Sys;
use crate::{choices, module_args};
use std::path::Path;

choices! {
    /// Whether rpm trusts the key.
    pub enum State {
        /// It does not.
        Absent = "absent",
        /// It does.
        Present = "present",
    }
}

module_args! {
    /// Arguments of `rpm_key`.
    pub struct Args {
        /// The key: a URL, a file on the machine, or (to remove it) its id or fingerprint.
        key: String => required;
        /// Whether rpm trusts it.
        state: State => default("present");
        /// Check who the server is from which it comes.
        validate_certs: bool => default(true);
        /// Only import a file that has keys with these fingerprints.
        fingerprint: Option<Vec<String>> => optional;
    }
}

/// The module.
pub struct RpmKey;

/// As fingerprints and ids are compared.
fn normal(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let text = text.to_uppercase();
    text.strip_prefix("0X").unwrap_or(&text).to_owned()
}

impl Module for RpmKey {
    const NAME: &'static str = "rpm_key";
    const DOC: &'static str = "Import keys that rpm trusts, and remove them.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        if sys.which("rpm").is_none() {
            return Err("Failed to find required executable \"rpm\"".into());
        }
        let mut plan = Plan::new();
        let content = content(args, sys)?;
        let found = content.as_deref().map(keys);
        let wanted = match &found {
            Some(keys) => keys
                .first()
                .map(|key| key.id().to_owned())
                .ok_or_else(|| Failure::new(format!("Not a public key: {}", args.key)))?,
            None => normal(&args.key),
        };
        let trusted = installed(sys)?;
        let is_it = |key: &PublicKey| key.fingerprint.ends_with(&wanted);
        let is_there = trusted.iter().any(is_it);
        match (args.state, is_there) {
            (State::Present, true) | (State::Absent, false) => return Ok(plan),
            (State::Present, false) => {}
            (State::Absent, true) => {
                // it is named by the main key
                let at = trusted.iter().position(is_it).unwrap_or_default();
                let main = trusted.iter().take(at + 1).rfind(|key| !key.is_subkey);
                let id = main.map_or(wanted.as_str(), PublicKey::id);
                let short = id.get(id.len().saturating_sub(8)..).unwrap_or_default();
                let package = format!("gpg-pubkey-{}", short.to_lowercase());
                let diff = Diff::new(package.as_str(), Some("trusted\n"), None::<String>);
                plan.act(format!("remove {package}"), Some(diff), move |sys, _| {
                    run_tool(sys, &["rpm", "--erase", "--allmatches", &package]).map(drop)
                });
                return Ok(plan);
            }
        }
        let (Some(content), Some(found)) = (content, found) else {
            return Err("When importing a key, a valid file must be given".into());
        };
        for print in args.fingerprint.iter().flatten() {
            let print = normal(print);
            if !found.iter().any(|key| key.fingerprint == print) {
                let all: Vec<_> = found.iter().map(|key| key.fingerprint.as_str()).collect();
                return Err(Failure::new(format!(
                    "The specified fingerprint, '{print}', does not match any key fingerprints in '{}'",
                    all.join(", ")
                )));
            }
        }
        let diff = Diff::new(wanted.as_str(), None::<String>, Some("trusted\n"));
        plan.act(format!("import {wanted}"), Some(diff), move |sys, _| {
            let file = sys.scratch_file("key", &mut content.as_slice())?;
            let path = file.path().to_string_lossy().into_owned();
            run_tool(sys, &["rpm", "--import", &path]).map(drop)
        });
        Ok(plan)
    }
}

/// The key itself, if it is not only named.
fn content(args: &Args, sys: &Sys) -> ModuleResult<Option<Vec<u8>>> {
    if args.key.contains("://") {
        return super::deb822_repository::fetched(sys, &args.key, args.validate_certs)
            .map(Some)
            .map_err(|why| {
                Failure::new(format!(
                    "failed to fetch key at {} , error was: {why}",
                    args.key
                ))
            });
    }
    let path = sys.expand(Path::new(&args.key));
    if let Some(bytes) = sys.read(&path).ok().flatten() {
        return Ok(Some(bytes));
    }
    let name = normal(&args.key);
    if name.len() >= 8 && name.chars().all(|c| c.is_ascii_hexdigit()) {
        return Ok(None);
    }
    Err(Failure::new(format!("Not a valid key {}", args.key)))
}

/// The keys that rpm trusts, with their subkeys.
fn installed(sys: &Sys) -> ModuleResult<Vec<PublicKey>> {
    let any = sys.query(&sys.tool(["rpm", "-q", "gpg-pubkey"]))?;
    if !any.ok() {
        return Ok(Vec::new());
    }
    let text = ask_tool(sys, &["rpm", "-q", "gpg-pubkey", "--qf", "%{description}"])?;
    Ok(keys(text.as_bytes()))
}
