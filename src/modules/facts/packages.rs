//! `package_facts`: what is installed.
//!
//! Source: Ansible's documentation of `ansible.builtin.package_facts`.

use super::look::Look;
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::sys::{Command, Sys};
use crate::value::{Map, Value};
use crate::{choices, module_args};
use indexmap::IndexMap;

choices! {
    /// How many package managers are asked.
    pub enum Strategy {
        /// The first that is there.
        First = "first",
        /// All that are there.
        All = "all",
    }
}

module_args! {
    /// Arguments of `package_facts`.
    pub struct Args {
        /// Package managers to ask: `apt`, `rpm` (also as `dnf`, `yum`, `zypper`), `apk`, `pacman`, or `auto` for all
        /// that are there.
        manager: Vec<String> => default(vec!["auto"]);
        /// Whether to ask the first that is there or all.
        strategy: Strategy => default("first");
    }
}

/// The module.
pub struct PackageFacts;

type Packages = IndexMap<String, Vec<Map>>;

const MANAGERS: &[&str] = &["apt", "rpm", "apk", "pacman"];

impl Module for PackageFacts {
    const NAME: &'static str = "package_facts";
    const DOC: &'static str = "Gather the installed packages as the fact `packages`.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let mut wanted: Vec<&str> = Vec::new();
        for name in &args.manager {
            match name.to_lowercase().as_str() {
                "auto" => wanted.extend(MANAGERS),
                "dnf" | "dnf5" | "yum" | "zypper" => wanted.push("rpm"),
                other => match MANAGERS.iter().find(|known| **known == other) {
                    Some(known) => wanted.push(known),
                    None => {
                        return Err(Failure::new(format!(
                            "the package manager `{name}` is not built; known are {}",
                            MANAGERS.join(", ")
                        )));
                    }
                },
            }
        }
        let mut found = 0;
        let mut packages = Packages::new();
        for manager in wanted {
            let Some(list) = list(Look(sys), manager)? else {
                continue;
            };
            found += 1;
            for package in list {
                let name = package
                    .get("name")
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned();
                packages
                    .entry(name)
                    .or_default()
                    .push(package.with("source", manager));
            }
            if args.strategy == Strategy::First {
                break;
            }
        }
        if found == 0 {
            let shown = crate::value::repr(&args.manager.clone().into());
            let warnings: Vec<String> = args
                .manager
                .iter()
                .map(|name| {
                    let program = if name == "apt" { "apt-get" } else { name };
                    if sys.which(program).is_some() {
                        format!("Failed to retrieve packages with {name}: Unable to list packages: it has no database")
                    } else {
                        format!("Requested package manager {name} was not usable by this module: it is not there")
                    }
                })
                .collect();
            return Err(Failure::new(format!(
                "Could not detect a supported package manager from the following list: {shown}, or the required Python \
                 library is not installed. Check warnings for details."
            ))
            .with("warnings", warnings));
        }
        packages.sort_keys();
        let packages: Map = packages
            .into_iter()
            .map(|(name, all)| (Value::data(name), all.into()))
            .collect();
        let mut plan = Plan::new();
        let facts = Map::new().with("packages", packages);
        plan.returns("ansible_facts", Value::map(facts).into_data());
        Ok(plan)
    }
}

/// The packages of a manager; `None` if it is not there.
fn list(look: Look<'_>, manager: &str) -> ModuleResult<Option<Vec<Map>>> {
    Ok(match manager {
        "apt" if look.exists("/var/lib/dpkg/status") && look.exists("/usr/bin/apt-get") => {
            Some(dpkg(&look.lines("/var/lib/dpkg/status")))
        }
        "apk" if look.exists("/lib/apk/db/installed") => {
            Some(apk(&look.lines("/lib/apk/db/installed")))
        }
        "pacman" if look.exists("/var/lib/pacman/local") => Some(pacman(look)),
        "rpm" if look.0.which("rpm").is_some() => Some(rpm(look)?),
        _ => None,
    })
}

fn dpkg(lines: &[String]) -> Vec<Map> {
    let mut packages = Vec::new();
    for paragraph in lines.split(std::string::String::is_empty) {
        let field = |name: &str| {
            let found = paragraph
                .iter()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            found.unwrap_or_default()
        };
        if field("Status").ends_with(" installed") {
            packages.push(
                Map::new()
                    .with("name", field("Package"))
                    .with("version", field("Version"))
                    .with("arch", field("Architecture"))
                    .with("category", field("Section"))
                    .with("origin", field("Origin")),
            );
        }
    }
    packages
}

fn apk(lines: &[String]) -> Vec<Map> {
    let mut packages = Vec::new();
    for paragraph in lines.split(std::string::String::is_empty) {
        let field = |name: &str| paragraph.iter().find_map(|line| line.strip_prefix(name));
        if let (Some(name), Some(version)) = (field("P:"), field("V:")) {
            let (version, release) = version.rsplit_once('-').unwrap_or((version, ""));
            packages.push(
                Map::new()
                    .with("name", name)
                    .with("version", version)
                    .with("release", release),
            );
        }
    }
    packages
}

fn pacman(look: Look<'_>) -> Vec<Map> {
    let mut packages = Vec::new();
    for dir in look.names("/var/lib/pacman/local") {
        let lines = look.lines(format!("/var/lib/pacman/local/{dir}/desc"));
        let section = |name: &str| -> Vec<&str> {
            let body = lines.iter().skip_while(|line| *line != name).skip(1);
            body.take_while(|line| !line.is_empty())
                .map(String::as_str)
                .collect()
        };
        let first = |name: &str| {
            section(name)
                .first()
                .copied()
                .unwrap_or_default()
                .to_owned()
        };
        if lines.is_empty() {
            continue;
        }
        let provides: Vec<_> = section("%PROVIDES%")
            .iter()
            .map(|p| Value::data(p.split('=').next().unwrap_or_default()))
            .collect();
        let provides = if provides.is_empty() {
            Value::Null
        } else {
            provides.into()
        };
        packages.push(
            Map::new()
                .with("name", first("%NAME%"))
                .with("version", first("%VERSION%"))
                .with("arch", first("%ARCH%"))
                .with("provides", provides),
        );
    }
    packages
}

fn rpm(look: Look<'_>) -> ModuleResult<Vec<Map>> {
    let format = "%{NAME}\t%{VERSION}\t%{RELEASE}\t%{EPOCH}\t%{ARCH}\n";
    let output = look
        .0
        .query(&Command::new(["rpm", "-qa", "--qf", format]).c_locale())?;
    if !output.ok() {
        return Err(Failure::new(format!(
            "rpm cannot list the packages: {}",
            output.complaint()
        )));
    }
    let text = output.text();
    Ok(text
        .lines()
        .filter_map(|line| {
            let mut fields = line.split('\t');
            let (name, version, release) = (fields.next()?, fields.next()?, fields.next()?);
            let (epoch, arch) = (fields.next()?, fields.next()?);
            Some(
                Map::new()
                    .with("name", name)
                    .with("version", version)
                    .with("release", release)
                    .with("epoch", epoch.parse::<i64>().ok())
                    .with(
                        "arch",
                        if arch == "(none)" {
                            Value::Null
                        } else {
                            arch.into()
                        },
                    ),
            )
        })
        .collect())
}
