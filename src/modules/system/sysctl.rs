//! `sysctl`: settings of the kernel, in a file and in effect.

use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::{Sys, WriteOptions, sysctl_path};
use crate::value::{Value, to_bool};
use crate::{choices, module_args};
use std::path::{Path, PathBuf};

choices! {
    /// Whether the setting is to be in the file.
    pub enum State {
        /// It is in the file.
        Present = "present",
        /// It is not in the file.
        Absent = "absent",
    }
}

module_args! {
    /// Arguments of `sysctl`.
    pub struct Args {
        /// The setting, e.g. `net.ipv4.ip_forward`.
        name: String => required, aliases ["key"];
        /// Its value.
        value: Option<String> => optional, aliases ["val"];
        /// Whether it is to be in the file.
        state: State => default("present");
        /// Settings that the kernel does not know are no failure.
        ignoreerrors: bool => default(false);
        /// Put the file's settings into effect if something is changed.
        reload: bool => default(true);
        /// The file.
        sysctl_file: PathBuf => default("/etc/sysctl.conf");
        /// Put the value into effect even if the file has it already.
        sysctl_set: bool => default(false);
    }
}

/// The module.
pub struct Sysctl;

impl Module for Sysctl {
    const NAME: &'static str = "sysctl";
    const COLLECTION: &'static str = "ansible.posix";
    const DOC: &'static str = "Set settings of the kernel, in a file and in effect.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let name = args.name.trim();
        if name.is_empty()
            || name.contains(['=', '\n'])
            || name.split(['.', '/']).any(|p| p == "..")
        {
            return Err("name cannot be blank".into());
        }
        let present = args.state == State::Present;
        let value = args.value.as_deref().map(normal).unwrap_or_default();
        if present && args.value.is_none() {
            return Err("value cannot be None".into());
        }
        if present && value.is_empty() {
            return Err("value cannot be blank".into());
        }
        let path = sys.expand(&args.sysctl_file);
        let before = sys.read_text(&path)?;
        let text = before.clone().unwrap_or_default();
        let filed = in_file(&text, name);
        let now = sys.sysctl(name);
        let in_effect = now.as_deref().is_some_and(|now| same(now, &value));
        let mut plan = Plan::new();

        let write = match (&filed, present) {
            (None, true) | (Some(_), false) => true,
            (Some(filed), true) => *filed != value,
            (None, false) => false,
        };
        // a setting that the kernel does not know cannot come into effect; with ignoreerrors nothing is tried
        let unknown = now.is_none() && args.ignoreerrors;
        let set = present && !in_effect && !unknown && (args.sysctl_set || args.reload);
        if set {
            let diff = Diff::new(
                name,
                now.as_ref().map(|now| format!("{now}\n")),
                Some(format!("{value}\n")),
            );
            if args.sysctl_set {
                let value = value.clone();
                plan.act(format!("set {name}"), Some(diff), move |sys, _| {
                    put(name, &value, args.ignoreerrors, sys)
                        .map_err(|why| Failure::new(format!("setting {name} failed: {why}")))
                });
            } else {
                // the reload below puts it into effect, once it is in the file
                plan.act(format!("set {name}"), Some(diff), |_, _| Ok(()));
            }
        }
        if write {
            let after = with_setting(&text, name, present.then_some(value.as_str()));
            let diff = Diff::new(path.to_string_lossy(), before, Some(after.clone()));
            let target = path.clone();
            plan.act(
                format!("write {}", path.display()),
                Some(diff),
                move |sys, _| Ok(sys.write(&target, after.as_bytes(), &WriteOptions::default())?),
            );
        }
        if args.reload && plan.changes() {
            plan.always("put the file's settings into effect", move |sys, _| {
                reload(&path, args.ignoreerrors, sys).map(|()| false)
            });
        }
        Ok(plan)
    }
}

/// A value as the file gets it: words for yes and no become 1 and 0.
fn normal(value: &str) -> String {
    let value = value.trim();
    let word = value.bytes().all(|b| b.is_ascii_alphabetic());
    match to_bool(&Value::data(value)) {
        Some(yes) if word => if yes { "1" } else { "0" }.to_owned(),
        _ => value.to_owned(),
    }
}

/// Whether two values are the same but for blanks.
fn same(a: &str, b: &str) -> bool {
    a.split_whitespace().eq(b.split_whitespace())
}

/// Key and value of a line, if it is a setting.
fn setting(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    if line.starts_with(['#', ';']) {
        return None;
    }
    let (key, value) = line.split_once('=')?;
    Some((key.trim(), value.trim()))
}

/// The last value of the setting in the file's text.
fn in_file(text: &str, name: &str) -> Option<String> {
    text.lines()
        .filter_map(setting)
        .rfind(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
}

/// The text with the setting once, at its first place or at the end; without it if there is no value.
fn with_setting(text: &str, name: &str, value: Option<&str>) -> String {
    let mut out = String::new();
    let mut value = value;
    for line in text.lines() {
        if setting(line).is_some_and(|(key, _)| key == name) {
            if let Some(value) = value.take() {
                out.push_str(&format!("{name}={value}\n"));
            }
        } else {
            out.push_str(line);
            out.push('\n');
        }
    }
    if let Some(value) = value {
        out.push_str(&format!("{name}={value}\n"));
    }
    out
}

/// Gives a setting its value; with `unknown_is_fine` nothing happens where the kernel does not know it.
fn put(name: &str, value: &str, unknown_is_fine: bool, sys: &mut Sys) -> Result<(), String> {
    let path = sysctl_path(name);
    if !sys.exists(&path) {
        return if unknown_is_fine {
            Ok(())
        } else {
            Err(format!(
                "the kernel has no setting {name} (is the kernel module loaded that brings it?)"
            ))
        };
    }
    sys.write_kernel(&path, value)
        .map_err(|error| error.to_string())
}

/// Does what `sysctl -p FILE` does: every setting of the file, a `-` before it forgives errors. What the kernel does not let
/// be written is no problem if it is as it is to be.
fn reload(path: &Path, unknown_is_fine: bool, sys: &mut Sys) -> ModuleResult<()> {
    let text = sys.read_text(path)?.unwrap_or_default();
    let mut problems = Vec::new();
    for (key, value) in text.lines().filter_map(setting) {
        let (key, forgiven) = match key.strip_prefix('-') {
            Some(key) => (key.trim(), true),
            None => (key, false),
        };
        let put = put(key, value, unknown_is_fine, sys);
        let in_effect = || sys.sysctl(key).is_some_and(|now| same(&now, value));
        match put {
            Err(why) if !forgiven && !in_effect() => problems.push(why),
            _ => {}
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Failure::new(format!(
            "Failed to reload sysctl: {}",
            problems.join("; ")
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_values() {
        let text = "# a=1\na = 2\nb=3\na=4\n";
        assert_eq!(in_file(text, "a").as_deref(), Some("4"));
        assert_eq!(with_setting(text, "a", Some("5")), "# a=1\na=5\nb=3\n");
        assert_eq!(with_setting(text, "a", None), "# a=1\nb=3\n");
        assert_eq!(with_setting("x=1", "y", Some("2")), "x=1\ny=2\n");
        assert_eq!(normal(" True "), "1");
        assert_eq!(normal("10"), "10");
        assert!(same("4096\t16384  4194304", "4096 16384 4194304"));
    }
}
