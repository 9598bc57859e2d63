//! `molecule.yml`, as Molecule's documentation describes it ("Configuration"), so that a tree of its scenarios runs here.

use super::container_options;
use super::fields::{Read, members, string, strings, vars, wrong};
use super::read::{host_name, lexical, mount, sequence, text_of};
use super::spec::{DriverKind, Platform, Scenario};
use super::step::Step;
use crate::diag::Source;
use crate::value::{Map, Value};
use crate::yaml::{Node, parse};
use std::path::Path;

const TOP: [&str; 11] = [
    "dependency",
    "driver",
    "platforms",
    "provisioner",
    "scenario",
    "verifier",
    "log",
    "prerun",
    "role_name_check",
    "shared_state",
    "ansible",
];

/// Reads a `molecule.yml`.
///
/// # Errors
/// What is wrong with it, or not built, with the place.
pub fn read(name: &str, file: &Path, project: &Path) -> Read<Scenario> {
    let text = interpolate(&text_of(file)?, |name| std::env::var(name).ok());
    let document = parse(&Source::new(file, text))?;
    let mut scenario = Scenario::new(name, file, project);
    // scenarios of Molecule know nothing of the steps that it does not have
    scenario.sequence.retain(|step| *step != Step::Predict);
    for (name, node) in members(&document.node, "a `molecule.yml`", &TOP)? {
        match name {
            "dependency" => dependency(node, &mut scenario)?,
            "driver" => {
                let name = match node.get("name") {
                    Some(name) => string(name)?,
                    None => "default".to_owned(),
                };
                let kind = DriverKind::named(&name)
                    .ok_or_else(|| wrong(node, format!("the driver `{name}` is not built")))?;
                scenario.driver = Some(kind);
            }
            "platforms" => platforms(node, &mut scenario)?,
            "provisioner" => provisioner(node, &mut scenario)?,
            "scenario" => {
                if let Some(node) = node.get("test_sequence") {
                    scenario.sequence = sequence(node)?;
                }
            }
            "verifier" => {
                let name = node.get("name").map_or(Ok("ansible".to_owned()), string)?;
                if name != "ansible" {
                    return Err(wrong(
                        node,
                        format!("the verifier `{name}` is not built; `ansible` is"),
                    ));
                }
            }
            "ansible" => {
                return Err(wrong(
                    node,
                    "the section `ansible` is not built; `provisioner` is",
                ));
            }
            _ => {}
        }
    }
    if let Some(image) = scenario.platforms.first()
        && scenario.driver.is_none()
    {
        // what Molecule without a driver means: the scenario's own playbooks, unless there is an image to start
        scenario.driver = Some(if image.image.is_some() {
            DriverKind::Podman
        } else {
            DriverKind::Delegated
        });
    }
    scenario.find_playbooks();
    for file in ["requirements.yml", "requirements.yaml", "collections.yml"] {
        let path = scenario.directory.join(file);
        if scenario.dependency.is_none() && path.exists() {
            scenario.requirements = Some(path);
        }
    }
    Ok(scenario)
}

fn dependency(node: &Node, scenario: &mut Scenario) -> Read<()> {
    let enabled = node
        .get("enabled")
        .is_none_or(|node| node.to_value().truthy());
    match node.get("name").map(string).transpose()?.as_deref() {
        Some("shell") if enabled => {
            let command = node
                .get("command")
                .ok_or_else(|| wrong(node, "the dependency `shell` needs a `command`"))?;
            scenario.dependency = Some(string(command)?);
        }
        Some("shell" | "galaxy") | None => {
            let file = node
                .get("options")
                .and_then(|options| options.get("role-file"));
            if let (Some(file), true) = (file, enabled) {
                scenario.requirements = Some(lexical(&scenario.project.join(string(file)?)));
            }
        }
        Some(other) => {
            return Err(wrong(
                node,
                format!("the dependency `{other}` is not built"),
            ));
        }
    }
    Ok(())
}

fn platforms(node: &Node, scenario: &mut Scenario) -> Read<()> {
    for item in node.as_seq().unwrap_or_default() {
        let mut platform = Platform::default();
        let directory = scenario.project.clone();
        for entry in item.as_map().unwrap_or_default() {
            let node = &entry.value;
            match entry.key.as_str().unwrap_or_default() {
                "name" => platform.name = host_name(node)?,
                "groups" => platform.groups = strings(node)?,
                "image" | "box" => platform.image = Some(string(node)?),
                "command" if node.to_value().truthy() => {
                    let text = string(node)?;
                    platform.command = Some(text.split_whitespace().map(str::to_owned).collect());
                }
                "privileged" => platform.privileged = node.to_value().truthy(),
                "memory" => platform.memory = string(node)?.parse().ok(),
                "volumes" => {
                    for volume in strings(node)? {
                        platform.volumes.push(mount(&volume, &directory));
                    }
                }
                // Molecule's drivers run their own idle command unless they are told not to
                "override_command" if !node.to_value().truthy() => {
                    platform.command = Some(Vec::new());
                }
                other => platform
                    .options
                    .extend(container_options::words(other, node)?),
            }
        }
        if platform.name.is_empty() {
            return Err(wrong(item, "a platform needs a `name`"));
        }
        scenario.platforms.push(platform);
    }
    Ok(())
}

fn provisioner(node: &Node, scenario: &mut Scenario) -> Read<()> {
    for entry in node.as_map().unwrap_or_default() {
        let node = &entry.value;
        match entry.key.as_str().unwrap_or_default() {
            "playbooks" => {
                for entry in node.as_map().unwrap_or_default() {
                    let name = entry.key.as_str().unwrap_or_default();
                    if let Some(step) = Step::named(name) {
                        let path = lexical(&scenario.directory.join(string(&entry.value)?));
                        scenario.playbooks.0.push((step, path));
                    }
                }
            }
            "inventory" => inventory(node, scenario)?,
            "env" => {
                for (name, value) in vars(node)?.str_iter() {
                    let value = crate::value::str_of(value);
                    scenario.environment.push((name.to_owned(), value));
                }
            }
            "options" => {
                for (name, value) in vars(node)?.str_iter() {
                    options(name, value, &mut scenario.options);
                }
            }
            "config_options" => settings(&vars(node)?, &mut scenario.environment),
            _ => {}
        }
    }
    Ok(())
}

/// Options of `ansible-playbook` without their hyphens.
fn options(name: &str, value: &Value, out: &mut Vec<String>) {
    let dashes = if name.len() == 1 || name.chars().all(|c| c == 'v') {
        "-"
    } else {
        "--"
    };
    match value {
        Value::Bool(true) => out.push(format!("{dashes}{name}")),
        Value::Bool(false) | Value::Null => {}
        other => {
            out.push(format!("{dashes}{name}"));
            out.push(crate::value::str_of(other));
        }
    }
}

/// Sections of an `ansible.cfg`, as the variables of the environment that mean the same.
fn settings(sections: &Map, out: &mut Vec<(String, String)>) {
    for (section, settings) in sections.str_iter() {
        let Value::Map(settings) = settings else {
            continue;
        };
        for (name, value) in settings.str_iter() {
            let variable = match section {
                "defaults" => format!("ANSIBLE_{}", name.to_uppercase()),
                other => format!("ANSIBLE_{}_{}", other.to_uppercase(), name.to_uppercase()),
            };
            out.push((variable, crate::value::str_of(value)));
        }
    }
}

fn inventory(node: &Node, scenario: &mut Scenario) -> Read<()> {
    for entry in node.as_map().unwrap_or_default() {
        let node = &entry.value;
        match entry.key.as_str().unwrap_or_default() {
            "group_vars" => scenario.group_vars = vars(node)?,
            "host_vars" => scenario.host_vars = vars(node)?,
            "links" => {
                for (_, path) in vars(node)?.str_iter() {
                    let path = lexical(&scenario.directory.join(crate::value::str_of(path)));
                    // links to `group_vars` and `host_vars` are found beside an inventory
                    let path = match path.file_name().and_then(|name| name.to_str()) {
                        Some("group_vars" | "host_vars") => path.parent().map(Path::to_owned),
                        _ => Some(path),
                    };
                    scenario.inventories.extend(path);
                }
            }
            "hosts" => {
                return Err(wrong(
                    node,
                    "`provisioner.inventory.hosts` is not built; `platforms` is",
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

/// `$NAME`, `${NAME}`, `${NAME:-else}`, `${NAME-else}`, and `$$` for a dollar sign; as Molecule replaces them in the text.
fn interpolate(text: &str, variable: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let braced = after
            .strip_prefix('{')
            .and_then(|inner| inner.split_once('}'));
        if let Some(tail) = after.strip_prefix('$') {
            out.push('$');
            rest = tail;
        } else if let Some((inner, tail)) = braced {
            let end = inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let (name, otherwise) = inner.split_at(end.unwrap_or(inner.len()));
            let value = variable(name);
            let value = match otherwise.strip_prefix(":-") {
                Some(otherwise) => value
                    .filter(|v| !v.is_empty())
                    .unwrap_or(otherwise.to_owned()),
                None => value.unwrap_or(otherwise.strip_prefix('-').unwrap_or("").to_owned()),
            };
            out.push_str(&value);
            rest = tail;
        } else {
            let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let (name, tail) = after.split_at(end.unwrap_or(after.len()));
            match name.chars().next() {
                Some(c) if !c.is_ascii_digit() => out.push_str(&variable(name).unwrap_or_default()),
                _ => {
                    out.push('$');
                    out.push_str(name);
                }
            }
            rest = tail;
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_in_the_text() {
        let variable = |name: &str| match name {
            "A" => Some("1".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        for (text, want) in [
            ("x $A y", "x 1 y"),
            ("${A}${B}", "1"),
            ("${B:-b c}", "b c"),
            ("${EMPTY:-e}", "e"),
            ("${EMPTY-e}", ""),
            ("$$A 5$ $1", "$A 5$ $1"),
            ("${unclosed", "${unclosed"),
        ] {
            let got = interpolate(text, variable);
            // an unclosed brace stays as it is
            assert_eq!(got, want, "{text}");
        }
    }

    #[test]
    fn a_usual_one() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("molecule/default/molecule.yml");
        std::fs::create_dir_all(file.parent().expect("parent")).expect("a directory");
        let text = "---\ndependency:\n  name: galaxy\ndriver:\n  name: docker\nplatforms:\n  - name: instance\n    \
                    image: \"debian:${NO_SUCH:-12}\"\n    command: \"\"\n    volumes:\n      - /sys/fs/cgroup:/sys/fs/cgroup:rw\n    \
                    cgroupns_mode: host\n    privileged: true\n    pre_build_image: true\nprovisioner:\n  name: ansible\n  \
                    inventory:\n    group_vars:\n      all: {a: 1}\n  playbooks:\n    converge: ${P:-converge.yml}\n\
                    verifier:\n  name: ansible\n";
        std::fs::write(&file, text).expect("a file");
        let scenario = read("default", &file, directory.path()).expect("it is right");
        assert_eq!(scenario.driver, Some(DriverKind::Docker));
        assert_eq!(scenario.platforms[0].image.as_deref(), Some("debian:12"));
        assert!(scenario.platforms[0].privileged && scenario.platforms[0].command.is_none());
        assert!(scenario.playbooks.of(Step::Converge).is_some());
        assert!(scenario.group_vars.get("all").is_some());
    }
}
