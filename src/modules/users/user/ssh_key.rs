//! An SSH key for the user, made by `ssh-keygen`.

use super::{Args, run};
use crate::modules::{ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::{Account, Sys, WriteOptions};
use crate::value::{Map, Value};
use std::path::{Path, PathBuf};

/// Plans a key if there is none (or, with `force`, a new one).
pub(super) fn plan<'a>(
    args: &'a Args,
    account: Option<&Account>,
    plan: &mut Plan<'a>,
    sys: &Sys,
) -> ModuleResult<()> {
    let home = args
        .home
        .as_ref()
        .map(|home| sys.expand(home))
        .or_else(|| account.map(|account| account.home.clone()))
        .unwrap_or_else(|| Path::new("/home").join(&args.name));
    let key = key_in(args, &home);
    let there = [key.clone(), public(&key)]
        .into_iter()
        .find(|path| sys.exists(path));
    if let Some(path) = there {
        if !args.force {
            plan.warn(format!(
                "Found existing ssh key file \"{}\", no force, so skipping ssh-keygen generation",
                path.display()
            ));
            let mut data = Map::new();
            describe(&key, sys, &mut data)?;
            for (name, value) in &data {
                plan.returns(name.as_str().unwrap_or_default(), value.clone());
            }
            return Ok(());
        }
        plan.warn(format!(
            "Overwriting existing ssh key file \"{}\"",
            path.display()
        ));
        plan.repeats();
    }
    let before = sys
        .read_text(&public(&key))?
        .map(|text| format!("{}\n", text.trim()));
    let diff = Diff::new(
        key.to_string_lossy(),
        before,
        Some(format!("a new key of type {}\n", args.ssh_key_type)),
    );
    plan.act(
        format!("make {}", key.display()),
        Some(diff),
        move |sys, data| generate(args, sys, data),
    );
    Ok(())
}

fn key_in(args: &Args, home: &Path) -> PathBuf {
    match &args.ssh_key_file {
        Some(file) => home.join(file),
        None => home.join(".ssh").join(format!("id_{}", args.ssh_key_type)),
    }
}

fn public(key: &Path) -> PathBuf {
    let mut name = key.as_os_str().to_owned();
    name.push(".pub");
    name.into()
}

fn generate(args: &Args, sys: &mut Sys, data: &mut Map) -> ModuleResult<()> {
    if sys.which("ssh-keygen").is_none() {
        return Err("ssh-keygen is not there: install OpenSSH's client to make keys".into());
    }
    let account = sys
        .account_anywhere(&args.name)?
        .ok_or_else(|| format!("the user {} is gone", args.name))?;
    let key = key_in(args, &account.home);
    let owner = (Some(account.uid), Some(account.gid));
    if let Some(dir) = key.parent()
        && !sys.exists(dir)
    {
        sys.make_dir(dir, 0o700)?;
        sys.set_owner(dir, owner.0, owner.1, true)?;
    }
    sys.remove_file(&key)?;
    sys.remove_file(&public(&key))?;
    let comment = match &args.ssh_key_comment {
        Some(comment) => comment.clone(),
        None => format!(
            "ansible-generated on {}",
            nix::unistd::gethostname()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default()
        ),
    };
    let path = key.to_string_lossy().into_owned();
    let mut words = vec![
        "ssh-keygen".to_owned(),
        "-q".into(),
        "-t".into(),
        args.ssh_key_type.clone(),
    ];
    if args.ssh_key_bits > 0 {
        words.extend(["-b".into(), args.ssh_key_bits.to_string()]);
    }
    words.extend(["-C".into(), comment, "-f".into(), path]);
    // the passphrase goes through a helper program's environment: a command line can be read by everybody
    let scratch = sys.scratch()?;
    let command = match &args.ssh_key_passphrase {
        None => {
            words.extend(["-N".into(), String::new()]);
            sys.tool(&words)
        }
        Some(passphrase) => {
            let helper = scratch.path().join("askpass");
            let options = WriteOptions {
                mode: Some(0o700),
                ..WriteOptions::default()
            };
            sys.write(
                &helper,
                b"#!/bin/sh\nprintf '%s\\n' \"$RUNBOOK_PASSPHRASE\"\n",
                &options,
            )?;
            sys.tool(&words)
                .env("SSH_ASKPASS", helper.to_string_lossy())
                .env("SSH_ASKPASS_REQUIRE", "force")
                .env("DISPLAY", ":")
                .env("RUNBOOK_PASSPHRASE", passphrase.reveal())
        }
    };
    run(
        &command,
        &format!("the key of {} cannot be made", args.name),
        sys,
        data,
    )?;
    for path in [key.clone(), public(&key)] {
        if sys.exists(&path) {
            sys.set_owner(&path, owner.0, owner.1, true)?;
        }
    }
    describe(&key, sys, data)
}

/// What results say of the key.
fn describe(key: &Path, sys: &Sys, data: &mut Map) -> ModuleResult<()> {
    data.set("ssh_key_file", Value::data(key.to_string_lossy().as_ref()));
    let text = sys.read_text(&public(key))?;
    data.set("ssh_public_key", text.map(|text| Value::data(text.trim())));
    if sys.which("ssh-keygen").is_some() && sys.exists(key) {
        let output = sys.query(&sys.tool(["ssh-keygen", "-l", "-f", &key.to_string_lossy()]))?;
        data.set("ssh_fingerprint", Value::data(output.complaint()));
    }
    Ok(())
}
