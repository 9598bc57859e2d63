//! `image_import`: images out of archives, for machines without a registry.

use super::archive::read;
use super::runtime::{Runtime, Store};
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::Sys;
use crate::value::{Map, Value};
use crate::{choices, module_args};
use std::path::PathBuf;

choices! {
    /// What there is to be.
    pub enum State {
        /// The images.
        Present = "present",
        /// None of them.
        Absent = "absent",
    }
}

module_args! {
    /// Arguments of `image_import`.
    pub struct Args {
        /// The archive on the machine, as `docker save` or `ctr images export` write it.
        path: Option<PathBuf> => optional, aliases ["src"];
        /// Names that must be in the archive; with `absent` those that go, unless a path names them.
        names: Vec<String> => default(Vec::<String>::new()), aliases ["name"];
        /// Who keeps the images.
        runtime: Runtime => default("auto");
        /// containerd's namespace; that of the kubelet is `k8s.io`.
        namespace: String => default("k8s.io");
        /// The runtime's socket, if it is not where it usually is.
        address: Option<PathBuf> => optional;
        /// Import even if the images are there.
        force: bool => default(false);
        /// What there is to be.
        state: State => default("present");
    }
}

/// The module.
pub struct ImageImport;

impl Module for ImageImport {
    const NAME: &'static str = "image_import";
    const COLLECTION: &'static str = "runbook.core";
    const DOC: &'static str = "Import images of containers from an archive.\nAn image counts as there when its name leads to the \
        same digest as in the archive.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let mut plan = Plan::new();
        if args.state == State::Absent {
            remove(args, sys, &mut plan)?;
            return Ok(plan);
        }
        let path = args
            .path
            .as_ref()
            .ok_or("state=present needs the path of an archive")?;
        let path = sys.expand(path);
        if !sys.exists(&path) {
            // a task before this one may bring it, which in check mode did not
            let what = format!("there is no file {} on the machine", path.display());
            let diff = Diff::new(path.to_string_lossy(), None::<String>, Some("[images]\n"));
            plan.act(
                format!("import {}", path.display()),
                Some(diff),
                move |_, _| Err(Failure::new(what)),
            );
            return Ok(plan);
        }
        let store = Store::find(sys, args.runtime, &args.namespace, args.address.as_deref())?;
        let packed = read(sys, &path)?;
        for name in &args.names {
            let name = store.name(name);
            if !packed.iter().any(|image| image.name == name) {
                let found: Vec<_> = packed.iter().map(|image| image.name.as_str()).collect();
                return Err(Failure::new(format!(
                    "{} has no image {name}; it has {}",
                    path.display(),
                    found.join(", ")
                )));
            }
        }
        let (mut before, mut after) = (String::new(), String::new());
        let mut images = Vec::new();
        for image in &packed {
            let found = store.image(sys, &image.name)?;
            let digest = image
                .target
                .clone()
                .or_else(|| image.config.clone())
                .unwrap_or_default();
            let is_there = found.as_ref().is_some_and(|found| found.is(image));
            images.push(Value::map(
                Map::new()
                    .with("name", Value::data(image.name.as_str()))
                    .with("digest", Value::data(digest.as_str()))
                    .with("changed", !is_there || args.force),
            ));
            if is_there && !args.force {
                continue;
            }
            if let Some(found) = found {
                before.push_str(&format!("{} {}\n", image.name, found.target));
            }
            after.push_str(&format!("{} {digest}\n", image.name));
        }
        plan.returns("images", images);
        if after.is_empty() {
            return Ok(plan);
        }
        let title = "images".to_owned();
        let diff = Diff::new(
            title,
            Some(before).filter(|text| !text.is_empty()),
            Some(after),
        );
        plan.act(
            format!("import {}", path.display()),
            Some(diff),
            move |sys, _| store.import(sys, &path),
        );
        if args.force {
            plan.repeats();
        }
        Ok(plan)
    }
}

fn remove(args: &Args, sys: &Sys, plan: &mut Plan<'_>) -> ModuleResult<()> {
    let store = Store::find(sys, args.runtime, &args.namespace, args.address.as_deref())?;
    let mut names: Vec<String> = args.names.iter().map(|name| store.name(name)).collect();
    if names.is_empty() {
        let path = args
            .path
            .as_ref()
            .ok_or("state=absent needs names, or the path of an archive")?;
        names = read(sys, &sys.expand(path))?
            .into_iter()
            .map(|image| image.name)
            .collect();
    }
    for name in names {
        let Some(found) = store.image(sys, &name)? else {
            continue;
        };
        let diff = Diff::new(
            "images",
            Some(format!("{name} {}\n", found.target)),
            None::<String>,
        );
        let store = store.clone();
        plan.act(format!("remove {name}"), Some(diff), move |sys, _| {
            store.remove(sys, &name)
        });
    }
    Ok(())
}
