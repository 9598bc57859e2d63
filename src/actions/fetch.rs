//! `fetch`: a file of the machine to the controller.
//!
//! Source: Ansible's documentation of the module of that name.

use super::args::decode;
use super::{Content, Input, RemoteCall, Result, Step};
use crate::module_args;
use crate::result::Outcome;
use crate::template::expand_home;
use crate::value::{Map, Value};
use std::path::{Component, Path, PathBuf};

module_args! {
    /// Arguments of `fetch`.
    pub struct FetchArgs {
        /// The file on the machine.
        src: String => required;
        /// Where it goes: a directory, below which the host's name and the whole path are added.
        dest: String => required;
        /// `dest` is the file itself, or a directory if it ends in a slash.
        flat: bool => default(false);
        /// Whether a missing file is a failure.
        fail_on_missing: bool => default(true);
        /// Whether what came is compared with what was sent. (It always is.)
        validate_checksum: bool => default(true);
    }
}

pub(super) fn fetch(input: &Input<'_>) -> Result<Step> {
    let is_given = |name: &str| input.args.get(name).is_some_and(|value| !value.is_null());
    if !is_given("src") || !is_given("dest") {
        return Err("src and dest are required".to_owned().into());
    }
    for (name, option) in [("src", "source"), ("dest", "dest")] {
        if matches!(input.args.get(name), Some(Value::List(_) | Value::Map(_))) {
            let message = format!("Invalid type supplied for {option} option, it must be a string");
            return Err(message.into());
        }
    }
    let args: FetchArgs = decode("fetch", &input.args)?;
    if input.check {
        let mut outcome = Outcome::skip("check mode");
        outcome
            .data
            .set("msg", "check mode not (yet) supported for this module");
        return Ok(Step::done(outcome));
    }
    let dest = expand_home(&args.dest);
    let dest = if dest.is_absolute() {
        dest
    } else {
        input.cx.files().basedir.join(dest)
    };
    let target = if args.flat {
        if dest.is_dir() && !args.dest.ends_with('/') {
            return Err(
                "dest is an existing directory, use a trailing slash if you want to fetch src into that directory"
                    .to_owned()
                    .into(),
            );
        }
        if args.dest.ends_with('/') {
            dest.join(Path::new(&args.src).file_name().unwrap_or_default())
        } else {
            dest
        }
    } else {
        // only plain names: a machine's answer must not leave the directory
        let below: PathBuf = Path::new(&args.src)
            .components()
            .filter(|part| matches!(part, Component::Normal(_)))
            .collect();
        dest.join(input.host).join(below)
    };
    if target.is_dir() {
        return Err(format!(
            "calculated dest '{}' is an existing directory, use another path that does not point to an existing \
             directory",
            target.display()
        )
        .into());
    }
    let have = Content::File(target.clone()).sha256().ok();
    let mut remote = Map::new().with("src", Value::data(args.src.as_str()));
    remote.set("fail_on_missing", args.fail_on_missing);
    if let Some(have) = &have {
        remote.set("_have_sha256", Value::data(have.as_str()));
    }
    let mut call = RemoteCall::new("_fetch", remote);
    call.receive = Some(target.clone());
    call.finish = Some(Box::new(move |mut outcome| {
        if !outcome.failed && !outcome.skipped {
            // what was sent is new or differs from what was here
            outcome.changed = matches!(outcome.data.get("_sent"), Some(Value::Bool(true)));
            outcome
                .data
                .set("dest", Value::data(target.display().to_string()));
            if outcome.changed {
                for (from, to) in [("checksum", "remote_checksum"), ("md5sum", "remote_md5sum")] {
                    if let Some(sum) = outcome.data.get(from).cloned() {
                        outcome.data.set(to, sum);
                    }
                }
            }
        }
        outcome
    }));
    Ok(Step::Call(call))
}
