//! `scenario.yml`.

use super::fields::{Read, boolean, members, quantity, string, strings, vars, wrong};
use super::spec::{DriverKind, Image, Platform, Scenario};
use super::step::Step;
use crate::diag::{Diagnostic, Source, did_you_mean};
use crate::yaml::{Node, parse};
use std::path::{Path, PathBuf};
use std::time::Duration;

const MEMBERS: [&str; 17] = [
    "about",
    "driver",
    "platforms",
    "image",
    "inventory",
    "vars",
    "group_vars",
    "host_vars",
    "playbooks",
    "sequence",
    "needs",
    "options",
    "environment",
    "volatile",
    "limit",
    "seed",
    "dependency",
];

const TIME: [(&str, u64); 3] = [("s", 1), ("m", 60), ("h", 3600)];
const SIZE: [(&str, u64); 2] = [("M", 1), ("G", 1024)];

/// Reads a `scenario.yml`.
///
/// # Errors
/// What is wrong with it, with the place.
pub fn read(name: &str, file: &Path, project: &Path) -> Read<Scenario> {
    let text = text_of(file)?;
    let document = parse(&Source::new(file, text))?;
    let mut scenario = Scenario::new(name, file, project);
    let directory = scenario.directory.clone();
    let path = |node: &Node| string(node).map(|text| lexical(&directory.join(text)));
    for (name, node) in members(&document.node, "a scenario", &MEMBERS)? {
        match name {
            "about" => scenario.about = string(node)?,
            "driver" => scenario.driver = Some(driver(node)?),
            "platforms" => scenario.platforms = platforms(node, &directory)?,
            "image" => scenario.image = image(node)?,
            "inventory" => {
                scenario.inventories = match node.as_seq() {
                    Some(items) => items.iter().map(path).collect::<Read<_>>()?,
                    None => vec![path(node)?],
                };
            }
            "vars" => scenario.vars = vars(node)?,
            "group_vars" => scenario.group_vars = vars(node)?,
            "host_vars" => scenario.host_vars = vars(node)?,
            "playbooks" => {
                let names: Vec<&str> = Step::ALL.iter().map(|step| step.name()).collect();
                for (name, node) in members(node, "`playbooks`", &names)? {
                    let step = Step::named(name).ok_or_else(|| wrong(node, "no such step"))?;
                    scenario.playbooks.0.push((step, path(node)?));
                }
            }
            "sequence" => scenario.sequence = sequence(node)?,
            "needs" => {
                for (name, node) in members(node, "`needs`", &["files", "programs", "environment"])?
                {
                    match name {
                        "files" => {
                            let files = strings(node)?;
                            scenario.needs_files = files
                                .iter()
                                .map(|file| lexical(&directory.join(file)))
                                .collect();
                        }
                        "environment" => scenario.needs_environment = strings(node)?,
                        _ => scenario.needs_programs = strings(node)?,
                    }
                }
            }
            "options" => scenario.options = strings(node)?,
            "environment" => {
                for (name, value) in vars(node)?.str_iter() {
                    let value = crate::value::str_of(value);
                    scenario.environment.push((name.to_owned(), value));
                }
            }
            "volatile" => scenario.volatile = strings(node)?,
            "limit" => scenario.limit = Duration::from_secs(quantity(node, &TIME)?),
            "seed" => scenario.seed = Some(quantity(node, &[("", 1)])?),
            _ => scenario.dependency = Some(string(node)?),
        }
    }
    scenario.find_playbooks();
    Ok(scenario)
}

/// The text of a file.
pub(super) fn text_of(file: &Path) -> Read<String> {
    std::fs::read_to_string(file).map_err(|error| {
        Box::new(Diagnostic::error(
            "scenario::file",
            format!("{}: {}", file.display(), crate::diag::io_reason(&error)),
        ))
    })
}

fn driver(node: &Node) -> Read<DriverKind> {
    let name = string(node)?;
    DriverKind::named(&name).ok_or_else(|| {
        let mut error = wrong(node, format!("there is no driver `{name}`"));
        error.hint = did_you_mean(&name, DriverKind::ALL.map(DriverKind::name));
        error
    })
}

/// Steps by name.
pub(super) fn sequence(node: &Node) -> Read<Vec<Step>> {
    let Some(items) = node.as_seq() else {
        return Err(wrong(node, "a sequence is a list of steps"));
    };
    items
        .iter()
        .map(|item| {
            let name = string(item)?;
            // Molecule's steps may have words after them
            let first = name.split_whitespace().next().unwrap_or_default();
            Step::named(first).ok_or_else(|| {
                let mut error = wrong(item, format!("there is no step `{first}`"));
                error.hint = did_you_mean(first, Step::ALL.map(Step::name));
                error
            })
        })
        .collect()
}

fn image(node: &Node) -> Read<Image> {
    let mut image = Image::default();
    for (name, node) in members(node, "`image`", &["suite", "packages", "download"])? {
        match name {
            "suite" => image.suite = Some(string(node)?),
            "packages" => image.packages = strings(node)?,
            _ => image.download = strings(node)?,
        }
    }
    Ok(image)
}

fn platforms(node: &Node, directory: &Path) -> Read<Vec<Platform>> {
    let names = [
        "name",
        "groups",
        "vars",
        "image",
        "command",
        "privileged",
        "memory",
        "options",
        "volumes",
    ];
    let Some(items) = node.as_seq() else {
        return Err(wrong(node, "`platforms` is a list of machines"));
    };
    let mut all: Vec<Platform> = Vec::new();
    for item in items {
        let mut platform = Platform::default();
        for (name, node) in members(item, "a platform", &names)? {
            match name {
                "name" => platform.name = host_name(node)?,
                "groups" => platform.groups = strings(node)?,
                "vars" => platform.vars = vars(node)?,
                "image" => platform.image = Some(string(node)?),
                "command" => platform.command = Some(strings(node)?),
                "privileged" => platform.privileged = boolean(node)?,
                "options" => platform.options = strings(node)?,
                "memory" => platform.memory = Some(quantity(node, &SIZE)?),
                _ => {
                    for volume in strings(node)? {
                        platform.volumes.push(mount(&volume, directory));
                    }
                }
            }
        }
        if platform.name.is_empty() {
            return Err(wrong(item, "a platform needs a `name`"));
        }
        if all.iter().any(|other| other.name == platform.name) {
            return Err(wrong(
                item,
                format!("there are two platforms `{}`", platform.name),
            ));
        }
        all.push(platform);
    }
    Ok(all)
}

/// A name that a machine can have; it becomes part of file names.
pub(super) fn host_name(node: &Node) -> Read<String> {
    let name = string(node)?;
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.starts_with(['-', '.']) || !name.chars().all(fine) {
        return Err(wrong(
            node,
            format!("`{name}` cannot be the name of a machine"),
        ));
    }
    Ok(name)
}

/// `HERE:THERE[:ro|:rw]`; a relative path is under the scenario's directory.
pub(super) fn mount(text: &str, directory: &Path) -> (PathBuf, PathBuf, bool) {
    let mut parts = text.splitn(3, ':');
    let here = parts.next().unwrap_or_default();
    let there = parts.next().unwrap_or(here);
    let writable = parts
        .next()
        .is_none_or(|mode| mode.split(',').all(|word| word != "ro"));
    (
        lexical(&directory.join(here)),
        PathBuf::from(there),
        writable,
    )
}

/// The path without `.` and `..`, as far as it can be told without looking.
pub(super) fn lexical(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Read<Scenario> {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("molecule-like-tests/x/scenario.yml");
        std::fs::create_dir_all(file.parent().expect("parent")).expect("a directory");
        std::fs::write(&file, text).expect("a file");
        std::fs::write(file.with_file_name("verify.yml"), "[]").expect("a file");
        read("x", &file, directory.path())
    }

    #[test]
    fn a_whole_one() {
        let text = "about: shows\ndriver: nspawn\nimage: {packages: [etcd-server]}\nlimit: 5m\nseed: 7\nplatforms:\n\
                    - {name: a, groups: [g], vars: {v: 1}, memory: 2G, volumes: ['../y:/y:ro']}\n\
                    sequence: [create, converge, destroy]\nneeds: {programs: [x], files: [../../z], environment: [E]}\n";
        let scenario = read_text(text).expect("it is right");
        let platform = &scenario.platforms[0];
        assert_eq!(
            (platform.memory, platform.groups.as_slice()),
            (Some(2048), &["g".to_owned()][..])
        );
        assert!(platform.volumes[0].0.ends_with("molecule-like-tests/y") && !platform.volumes[0].2);
        assert_eq!(scenario.limit.as_secs(), 300);
        assert_eq!(
            scenario.sequence,
            [Step::Create, Step::Converge, Step::Destroy]
        );
        assert!(scenario.needs_files[0].ends_with("z"));
        assert_eq!(scenario.needs_environment, ["E"]);
        assert!(scenario.playbooks.of(Step::Verify).is_some());
        assert!(scenario.playbooks.of(Step::Converge).is_none());
    }

    #[test]
    fn slips_are_told_with_their_places() {
        for (text, part) in [
            ("platform: []", "has no `platform`"),
            ("driver: nspwan", "no driver `nspwan`"),
            ("sequence: [convergence]", "no step `convergence`"),
            ("platforms: [{groups: [a]}]", "needs a `name`"),
            ("platforms: [{name: a/b}]", "cannot be the name"),
            ("platforms: [{name: a}, {name: a}]", "two platforms `a`"),
            ("limit: soon", "units s, m, h"),
        ] {
            let error = read_text(text).expect_err(text);
            assert!(error.message.contains(part), "{text}: {}", error.message);
            assert!(error.span.is_some(), "{text}");
        }
    }
}
