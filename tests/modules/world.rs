//! The files of a fixture: made before, compared after.

use runbook::value::{Map, Value, str_of};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// What lies at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Thing {
    File { content: Vec<u8>, mode: u32 },
    Directory { mode: u32 },
    Link { target: PathBuf },
    Other,
}

/// Everything under a root, by path as the machine sees it, with the times of last change.
pub type World = BTreeMap<String, (Thing, i64)>;

fn real(root: &Path, path: &str) -> PathBuf {
    root.join(path.trim_start_matches('/'))
}

/// A text, a number or `{content: …}` or `{base64: …}`.
fn content(value: &Value) -> Result<Vec<u8>, String> {
    use base64::Engine;
    if let Some(text) = value.get("base64") {
        return base64::engine::general_purpose::STANDARD
            .decode(str_of(text).split_whitespace().collect::<String>())
            .map_err(|e| e.to_string());
    }
    Ok(match value.get("content") {
        Some(text) => str_of(text).into_bytes(),
        None if value.as_map().is_some() => Vec::new(),
        None => str_of(value).into_bytes(),
    })
}

fn mode(value: &Value) -> Option<u32> {
    match value.get("mode")? {
        Value::Int(bits) => u32::try_from(*bits).ok(),
        text => u32::from_str_radix(&str_of(text), 8).ok(),
    }
}

/// Makes the files.
pub fn make(root: &Path, files: &Map) -> Result<(), String> {
    for (key, value) in files.str_iter() {
        let failed = |e: std::io::Error| format!("files: {key}: {e}");
        let name = key.trim_end_matches("->").trim_end();
        let path = real(root, name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        if name != key {
            symlink(str_of(value), &path).map_err(failed)?;
            continue;
        }
        if key.ends_with('/') {
            fs::create_dir_all(&path).map_err(failed)?;
        } else {
            fs::write(&path, content(value)?).map_err(failed)?;
        }
        let default = if key.ends_with('/') { 0o755 } else { 0o644 };
        let bits = mode(value).unwrap_or(default);
        fs::set_permissions(&path, fs::Permissions::from_mode(bits)).map_err(failed)?;
        if let Some(time) = value.get("mtime").and_then(Value::as_int) {
            let time = nix::sys::time::TimeSpec::new(time, 0);
            nix::sys::stat::utimensat(
                nix::fcntl::AT_FDCWD,
                &path,
                &time,
                &time,
                nix::sys::stat::UtimensatFlags::NoFollowSymlink,
            )
            .map_err(|e| failed(e.into()))?;
        }
    }
    Ok(())
}

/// Looks at everything.
pub fn snapshot(root: &Path) -> World {
    walkdir::WalkDir::new(root)
        .min_depth(1)
        .into_iter()
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let meta = fs::symlink_metadata(entry.path()).ok()?;
            let mode = meta.permissions().mode() & 0o7777;
            let thing = if meta.is_symlink() {
                Thing::Link {
                    target: fs::read_link(entry.path()).ok()?,
                }
            } else if meta.is_dir() {
                Thing::Directory { mode }
            } else if meta.is_file() {
                Thing::File {
                    content: fs::read(entry.path()).unwrap_or_default(),
                    mode,
                }
            } else {
                Thing::Other
            };
            // the time of a directory changes with scratch files in it
            let time = if meta.is_dir() { 0 } else { meta.mtime() };
            let name = entry.path().strip_prefix(root).ok()?;
            Some((format!("/{}", name.display()), (thing, time)))
        })
        .collect()
}

/// What differs between two looks.
pub fn differences(before: &World, after: &World) -> Vec<String> {
    before
        .keys()
        .chain(after.keys())
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .filter(|path| before.get(*path) != after.get(*path))
        .map(|path| {
            format!(
                "{path}: {:?} became {:?}",
                before.get(path),
                after.get(path)
            )
        })
        .collect()
}

/// Compares the world with what a fixture expects of it: only paths that it names. A `*` in a name stands for any
/// characters; some path must fit.
pub fn compare(world: &World, expected: &Map) -> Vec<String> {
    let mut problems = Vec::new();
    for (key, value) in expected.str_iter() {
        let is_link = key.ends_with("->");
        let name = key.trim_end_matches("->").trim_end().trim_end_matches('/');
        let candidates: Vec<_> = world
            .iter()
            .filter(|(path, _)| fits(name, path))
            .map(|(path, (thing, time))| (path, thing, *time))
            .collect();
        if value.is_null() && !key.ends_with('/') && !is_link {
            problems.extend(
                candidates
                    .iter()
                    .map(|(path, ..)| format!("after: {path} should not be there")),
            );
            continue;
        }
        let found: Vec<String> = candidates
            .iter()
            .map(|(_, thing, time)| mismatch(thing, *time, key, value))
            .map(Option::unwrap_or_default)
            .collect();
        if found.is_empty() {
            problems.push(format!("after: {key} is not there"));
        } else if found.iter().all(|problem| !problem.is_empty()) {
            problems.push(format!("after: {key}: {}", found.join("; ")));
        }
    }
    problems
}

fn fits(pattern: &str, path: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == path,
        Some((start, end)) => {
            path.len() >= start.len() + end.len() && path.starts_with(start) && path.ends_with(end)
        }
    }
}

fn mismatch(thing: &Thing, time: i64, key: &str, value: &Value) -> Option<String> {
    if let Some(wanted) = value.get("mtime").and_then(Value::as_int)
        && wanted != time
    {
        return Some(format!("mtime {time} instead of {wanted}"));
    }
    if key.ends_with("->") {
        return match thing {
            Thing::Link { target } if *target == Path::new(&str_of(value)) => None,
            other => Some(format!("{other:?} instead of a link to {value}")),
        };
    }
    let wanted_mode = mode(value);
    let wrong_mode = |mode: u32| {
        wanted_mode
            .filter(|wanted| *wanted != mode)
            .map(|wanted| format!("mode {mode:04o} instead of {wanted:04o}"))
    };
    match thing {
        Thing::Directory { mode } if key.ends_with('/') => wrong_mode(*mode),
        Thing::File { content: now, mode } if !key.ends_with('/') => {
            let says_content = value.as_map().is_none()
                || value.get("content").is_some()
                || value.get("base64").is_some();
            let wanted = content(value).unwrap_or_default();
            if says_content && *now != wanted {
                return Some(format!(
                    "content {:?} instead of {:?}",
                    String::from_utf8_lossy(now),
                    String::from_utf8_lossy(&wanted)
                ));
            }
            wrong_mode(*mode)
        }
        other => Some(format!("{other:?} is something else")),
    }
}
