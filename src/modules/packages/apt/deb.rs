//! Package files: a path or an address of a `.deb`.

use super::Args;
use super::get::{Call, environment};
use super::status::Database;
use super::version::compare;
use crate::modules::streams::command_failed;
use crate::modules::{ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::Sys;
use std::path::Path;

/// Adds the installation of the files that are not installed yet.
pub(super) fn plan<'a>(
    args: &'a Args,
    debs: &str,
    plan: &mut Plan<'a>,
    sys: &Sys,
) -> ModuleResult<()> {
    let database = Database::read(sys)?;
    let scratch = sys.scratch()?;
    let (mut before, mut after) = (String::new(), String::new());
    let mut files = Vec::new();
    for (index, place) in debs.split(',').map(str::trim).enumerate() {
        let file = if place.contains("://") {
            let target = scratch.path().join(format!("{index}.deb"));
            download(place, &target, sys)?;
            target
        } else {
            let path = sys.expand(Path::new(place));
            if !sys.exists(&path) {
                return Err(format!(
                    "Unable to install package: there is no file {} on the machine",
                    path.display()
                )
                .into());
            }
            path
        };
        let (name, version, arch) = describe(&file, sys)?;
        let known = database
            .get(&format!("{name}:{arch}"))
            .filter(|known| known.installed());
        if known.is_some_and(|known| compare(&known.version, &version).is_eq()) {
            continue;
        }
        if let Some(known) = known {
            if compare(&known.version, &version).is_gt() && !args.allow_downgrade && !args.force {
                return Err(format!(
                    "A later version of {name} is already installed: {} (see allow_downgrade)",
                    known.version
                )
                .into());
            }
            before.push_str(&format!("{name} {}\n", known.version));
        }
        after.push_str(&format!("{name} {version}\n"));
        files.push(file.to_string_lossy().into_owned());
    }
    if files.is_empty() {
        return Ok(());
    }
    let diff = Diff::new(
        "packages",
        (!before.is_empty()).then_some(before),
        Some(after),
    );
    let call = Call::new(args, &["install"], &files);
    plan.act(call.shown(), Some(diff), move |sys, data| {
        let output = call.run(args, sys)?;
        crate::modules::streams::set_output(data, &output, false);
        // the downloads are needed until now
        drop(scratch);
        Ok(())
    });
    Ok(())
}

fn download(address: &str, target: &Path, sys: &Sys) -> ModuleResult<()> {
    let target = target.to_string_lossy();
    let command = environment(sys.tool([
        "/usr/lib/apt/apt-helper",
        "download-file",
        address,
        target.as_ref(),
    ]));
    let output = sys.query(&command)?;
    if output.ok() {
        Ok(())
    } else {
        Err(command_failed(
            &format!("cannot download {address}"),
            &command,
            &output,
        ))
    }
}

/// Name, version and architecture of a package file.
fn describe(file: &Path, sys: &Sys) -> ModuleResult<(String, String, String)> {
    let command = sys.tool(["dpkg-deb".as_ref(), "--field".as_ref(), file.as_os_str()]);
    let output = sys.query(&command)?;
    if !output.ok() {
        return Err(command_failed(
            "Unable to install package",
            &command,
            &output,
        ));
    }
    let text = output.text();
    let field = |name: &str| {
        text.lines().find_map(|line| {
            let value = line.strip_prefix(name)?.strip_prefix(':')?;
            Some(value.trim().to_owned())
        })
    };
    match (field("Package"), field("Version"), field("Architecture")) {
        (Some(name), Some(version), Some(arch)) => Ok((name, version, arch)),
        _ => Err(format!("{} is not a package of Debian's kind", file.display()).into()),
    }
}
