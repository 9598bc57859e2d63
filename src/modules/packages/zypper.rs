//! `zypper`.
//!
//! Source: Ansible's documentation of `community.general.zypper`; zypper(8).

use super::transaction::{ask, diff, foretell, line, listed, run};
use crate::modules::streams::{command_failed, set_output, set_stream};
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::sys::{Output, Sys};
use crate::value::Map;
use crate::{choices, module_args};
use std::path::Path;

choices! {
    /// What is installed.
    #[allow(missing_docs)]
    pub enum Kind {
        Package = "package",
        Patch = "patch",
        Pattern = "pattern",
        Product = "product",
        SrcPackage = "srcpackage",
        Application = "application",
    }
}

choices! {
    /// What packages are to be.
    pub enum Wish {
        /// Installed.
        Present = "present",
        /// Installed in the newest version.
        Latest = "latest",
        /// Not installed.
        Absent = "absent",
        /// All of the distribution's newest version; for the name `*` alone.
        DistUpgrade = "dist-upgrade",
        /// As `present`.
        Installed = "installed",
        /// As `absent`.
        Removed = "removed",
    }
}

module_args! {
    /// Arguments of `zypper`.
    pub struct Args {
        /// Packages, with conditions (`x>=1.0`), addresses or files; `+` and `-` before a name install and remove. `*` is
        /// all, for `latest` and `dist-upgrade`.
        name: Vec<String> => required, aliases ["pkg"];
        /// What they are to be.
        state: Wish => default("present");
        /// What they are.
        r#type: Kind => default("package");
        /// Refresh the repositories first; not in check mode.
        update_cache: bool => default(false), aliases ["refresh"];
        /// Do not check signatures.
        disable_gpg_check: bool => default(false);
        /// Do not install what is only recommended.
        disable_recommends: bool => default(true);
        /// Install also older versions and those of other vendors.
        force: bool => default(false);
        /// Let zypper find a solution for conflicts.
        force_resolution: bool => default(false);
        /// Install also older versions.
        oldpackage: bool => default(false);
        /// Install even if packages have files in common.
        replacefiles: bool => default(false);
        /// With `dist-upgrade`: packages may come from another vendor.
        allow_vendor_change: bool => default(false);
        /// Remove also what nothing needs any more.
        clean_deps: bool => default(false);
        /// Return only the messages of what zypper prints.
        simple_errors: bool => default(false);
        /// Let zypper print less.
        quiet: bool => default(true);
        /// Do not mind that a package's script failed.
        skip_post_errors: bool => default(false);
        /// Options of the command.
        extra_args: Option<String> => optional;
        /// Options before the command.
        extra_args_precommand: Option<String> => optional;
    }
}

/// The module.
pub struct Zypper;

impl Module for Zypper {
    const NAME: &'static str = "zypper";
    const COLLECTION: &'static str = "community.general";
    const DOC: &'static str =
        "Install, upgrade and remove packages of openSUSE and SUSE Linux Enterprise.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        if sys.which("zypper").is_none() {
            return Err("zypper is not there".into());
        }
        let tool = Tool::new(args, sys)?;
        if !args.update_cache {
            return tool.work(sys);
        }
        let mut plan = Plan::new();
        foretell(&mut plan, tool.work(sys));
        let words = tool.command("refresh", &[], &[]);
        plan.always(
            "refresh the repositories, and go by them",
            move |sys, data| {
                run(sys, &words, "Zypper refresh run failed.", data)?;
                tool.work(sys)?.apply_within(sys, data)
            },
        );
        Ok(plan)
    }
}

/// A name: whether it is to be installed, and the condition on its version.
struct Wanted<'a> {
    sign: Option<char>,
    name: &'a str,
    version: &'a str,
}

impl<'a> Wanted<'a> {
    fn of(text: &'a str) -> Self {
        let (sign, rest) = match text.chars().next() {
            Some(sign @ ('+' | '-' | '~')) => (Some(sign), text.get(1..).unwrap_or_default()),
            _ => (None, text),
        };
        let at = rest.find(['<', '>', '=']).unwrap_or(rest.len());
        let (name, version) = rest.split_at(at);
        let is_version = |text: &str| {
            text.trim_start_matches(['<', '>', '='])
                .chars()
                .all(|c| c.is_ascii_digit() || matches!(c, '.' | '-'))
        };
        if is_version(version) {
            Self {
                sign,
                name,
                version,
            }
        } else {
            Self {
                sign,
                name: rest,
                version: "",
            }
        }
    }

    fn is_install(&self) -> bool {
        matches!(self.sign, None | Some('+'))
    }
}

/// A package as zypper tells of it.
struct Solvable {
    name: String,
    edition: String,
    old: String,
    group: String,
}

/// zypper with what a task says of it.
struct Tool<'a> {
    args: &'a Args,
    names: Vec<String>,
    /// The whole system is a snapshot that cannot be written; changes go to the next one.
    is_transactional: bool,
}

impl<'a> Tool<'a> {
    fn new(args: &'a Args, sys: &Sys) -> ModuleResult<Self> {
        let mounts = sys
            .read_text(Path::new("/proc/mounts"))?
            .unwrap_or_default();
        let is_fixed = mounts.lines().any(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            matches!(words.as_slice(), [_, "/", "btrfs", options, ..] if options.split(',').any(|o| o == "ro"))
        });
        let names = args.name.iter().filter(|name| !name.is_empty()).cloned();
        Ok(Self {
            args,
            names: names.collect(),
            is_transactional: is_fixed && sys.exists(Path::new("/usr/sbin/transactional-update")),
        })
    }

    /// The words of a command.
    fn command(&self, verb: &str, options: &[&str], names: &[String]) -> Vec<String> {
        let args = self.args;
        let installs = matches!(verb, "install" | "update" | "patch" | "dist-upgrade");
        let mut words: Vec<&str> = Vec::new();
        if self.is_transactional {
            words.extend([
                "transactional-update",
                "--continue",
                "--drop-if-no-change",
                "--quiet",
                "run",
            ]);
        }
        words.extend(["zypper", "--non-interactive", "--xmlout"]);
        let when = |is_so: bool, word: &'static str| is_so.then_some(word);
        words.extend(when(args.quiet, "--quiet"));
        words.extend(
            args.extra_args_precommand
                .iter()
                .flat_map(|text| text.split_whitespace()),
        );
        words.extend(when(
            (installs || verb == "refresh") && args.disable_gpg_check,
            "--no-gpg-checks",
        ));
        words.extend(when(verb == "search", "--disable-repositories"));
        words.push(verb);
        if !matches!(verb, "patch" | "dist-upgrade" | "refresh") {
            words.extend(["--type", args.r#type.word()]);
        }
        if installs {
            let versions = self
                .names
                .iter()
                .any(|name| !Wanted::of(name).version.is_empty());
            words.push("--auto-agree-with-licenses");
            words.extend(when(args.disable_recommends, "--no-recommends"));
            words.extend(when(args.force, "--force"));
            words.extend(when(args.force_resolution, "--force-resolution"));
            words.extend(when(args.oldpackage || versions, "--oldpackage"));
            words.extend(when(args.replacefiles, "--replacefiles"));
        }
        words.extend(when(verb == "remove" && args.clean_deps, "--clean-deps"));
        words.extend(when(
            verb == "dist-upgrade" && args.allow_vendor_change,
            "--allow-vendor-change",
        ));
        words.extend(
            args.extra_args
                .iter()
                .flat_map(|text| text.split_whitespace()),
        );
        let words: Vec<String> = words.into_iter().map(str::to_owned).collect();
        line(&words, options, names)
    }

    /// Plans by the repositories as they are.
    fn work<'b>(&self, sys: &Sys) -> ModuleResult<Plan<'b>> {
        let args = self.args;
        let mut plan = Plan::new();
        plan.returns("name", listed(&self.names));
        plan.returns("state", args.state.word());
        plan.returns("update_cache", args.update_cache);
        plan.returns("rc", 0);
        let is_all = self.names == ["*"];
        let is_absent = matches!(args.state, Wish::Absent | Wish::Removed);
        let (verb, names) = match args.state {
            Wish::Latest | Wish::DistUpgrade if is_all => {
                let verb = match (args.r#type, args.state) {
                    (Kind::Patch, _) => "patch",
                    (_, Wish::DistUpgrade) => "dist-upgrade",
                    _ => "update",
                };
                (verb, Vec::new())
            }
            Wish::DistUpgrade => return Err("Can not dist-upgrade specific packages.".into()),
            _ if is_absent => ("remove", self.to_remove(sys)?),
            _ => ("install", self.to_install(sys)?),
        };
        if names.is_empty() && matches!(verb, "install" | "remove") {
            return Ok(plan);
        }
        // a name may begin with a sign
        let end: &[&str] = if verb == "install" { &["--"] } else { &[] };
        let trial = self.command(verb, &[&["--dry-run"], end].concat(), &names);
        let output = ask(sys, &trial)?;
        let found = self.solvables(sys, &trial, &output, true)?;
        if found.is_empty() {
            return Ok(plan);
        }
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for solvable in &found {
            let Solvable {
                name,
                edition,
                old,
                group,
            } = solvable;
            match group.as_str() {
                "to-remove" => before.push(format!("{name} {edition}")),
                "to-upgrade" | "to-downgrade" | "to-change-arch" => {
                    before.push(format!("{name} {old}"));
                    after.push(format!("{name} {edition}"));
                }
                _ => after.push(format!("{name} {edition}")),
            }
        }
        let words = self.command(verb, end, &names);
        let (simple, skip_post_errors) = (args.simple_errors, args.skip_post_errors);
        plan.act(
            words.join(" "),
            Some(diff(&before, &after)),
            move |sys, data| change(sys, &words, simple, skip_post_errors, data),
        );
        Ok(plan)
    }

    fn to_install(&self, sys: &Sys) -> ModuleResult<Vec<String>> {
        let (files, names): (Vec<&String>, Vec<&String>) =
            self.names.iter().partition(|name| is_file(name));
        let wanted: Vec<Wanted<'_>> = names.iter().map(|name| Wanted::of(name)).collect();
        let there = if self.args.state == Wish::Latest {
            Vec::new()
        } else {
            self.installed(sys, wanted.iter().filter(|one| one.version.is_empty()))?
        };
        let open = wanted.iter().filter(|one| {
            self.args.state == Wish::Latest
                || !one.version.is_empty()
                || one.is_install() != there.iter().any(|name| name == one.name)
        });
        let open = open.map(|one| {
            let sign = if one.is_install() { '+' } else { '-' };
            format!("{sign}{}{}", one.name, one.version)
        });
        Ok(files.into_iter().cloned().chain(open).collect())
    }

    fn to_remove(&self, sys: &Sys) -> ModuleResult<Vec<String>> {
        if self.names.iter().any(|name| is_file(name)) {
            return Err("Can not remove via URL.".into());
        }
        if self.args.r#type == Kind::Patch {
            return Err("Can not remove patches.".into());
        }
        let wanted: Vec<Wanted<'_>> = self.names.iter().map(|name| Wanted::of(name)).collect();
        if wanted.iter().any(|one| one.sign == Some('+')) {
            return Err("Can not combine '+' prefix with state=remove/absent.".into());
        }
        let there = self.installed(sys, wanted.iter())?;
        let open = wanted
            .iter()
            .filter(|one| there.iter().any(|name| name == one.name));
        Ok(open
            .map(|one| format!("{}{}", one.name, one.version))
            .collect())
    }

    /// Those that are installed.
    fn installed<'b>(
        &self,
        sys: &Sys,
        names: impl Iterator<Item = &'b Wanted<'b>>,
    ) -> ModuleResult<Vec<String>> {
        let names: Vec<String> = names.map(|one| one.name.to_owned()).collect();
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let options = ["--match-exact", "--details", "--installed-only"];
        let words = self.command("search", &options, &names);
        let output = ask(sys, &words)?;
        let found = self.solvables(sys, &words, &output, false)?;
        Ok(found.into_iter().map(|solvable| solvable.name).collect())
    }

    /// What zypper told of packages. With `must`, none that fits is a failure.
    fn solvables(
        &self,
        sys: &Sys,
        words: &[String],
        output: &Output,
        must: bool,
    ) -> ModuleResult<Vec<Solvable>> {
        let said = Said::read(output)?;
        match output.rc {
            104 if !must => Ok(Vec::new()),
            104 => Err(Failure::new(
                said.messages.last().cloned().unwrap_or_default(),
            )),
            // restart needed, zypper was upgraded, a signature, a script: done all the same
            0 | 102 | 103 | 106 | 107 => Ok(said.solvables),
            rc => {
                let what = format!("Zypper run command failed with return code {rc}.");
                Err(command_failed(&what, &sys.tool(words), output))
            }
        }
    }
}

/// Installs or removes. The same is run once more where zypper asks for that, or where a script may fail.
fn change(
    sys: &mut Sys,
    words: &[String],
    simple: bool,
    skip_post_errors: bool,
    data: &mut Map,
) -> ModuleResult<()> {
    let command = sys.tool(words);
    let mut output = sys.run(&command)?;
    if output.rc == 103 || (output.rc == 107 && skip_post_errors) {
        output = sys.run(&command)?;
    }
    set_output(data, &output, false);
    let messages = Said::read(&output)
        .map(|said| said.messages)
        .unwrap_or_default();
    if simple && !messages.is_empty() {
        set_stream(data, "stdout", &messages.join(" \n"));
    }
    if matches!(output.rc, 0 | 102) {
        return Ok(());
    }
    let what = match messages.last() {
        Some(message) if output.rc == 104 => message.clone(),
        _ => format!("Zypper run command failed with return code {}.", output.rc),
    };
    let mut failure = command_failed(&what, &command, &output);
    if simple && !messages.is_empty() {
        failure = failure.with("stdout", messages.join(" \n"));
    }
    Err(failure)
}

fn is_file(name: &str) -> bool {
    let path = Path::new(name);
    name.contains("://") || path.extension().is_some_and(|extension| extension == "rpm")
}

/// What zypper printed, in XML.
struct Said {
    messages: Vec<String>,
    solvables: Vec<Solvable>,
}

impl Said {
    fn read(output: &Output) -> ModuleResult<Self> {
        let text = output.text();
        let doc = uppsala::parse(text.trim()).map_err(|error| {
            let mut failure = Failure::new(format!("Failed to parse zypper xml output: {error}"));
            set_output(&mut failure.returns, output, false);
            failure
        })?;
        let messages = doc.get_elements_by_tag_name("message");
        let solvables = doc
            .get_elements_by_tag_name("solvable")
            .into_iter()
            .map(|id| {
                let attribute =
                    |name: &str| doc.get_attribute(id, name).unwrap_or_default().to_owned();
                let parent = doc.parent(id).and_then(|parent| doc.element(parent));
                Solvable {
                    name: attribute("name"),
                    edition: attribute("edition"),
                    old: attribute("edition-old"),
                    group: parent
                        .map(|parent| parent.name.local_name.to_string())
                        .unwrap_or_default(),
                }
            });
        Ok(Self {
            messages: messages
                .into_iter()
                .map(|id| doc.text_content_deep(id))
                .collect(),
            solvables: solvables.collect(),
        })
    }
}
