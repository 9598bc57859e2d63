//! What results say of the file that a module left behind.

use super::{Attrs, mode_text};
use crate::sys::{FileKind, Meta, Result, Sys};
use crate::value::{Map, Value};
use std::path::Path;

/// The return values `uid`, `gid`, `owner`, `group`, `mode`, `size` and `state`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts(Map);

impl Facts {
    /// Those of a file with this metadata.
    pub fn of(sys: &Sys, meta: &Meta) -> Self {
        let state = match meta.kind {
            FileKind::Directory => "directory",
            FileKind::Link => "link",
            _ if meta.nlink > 1 => "hard",
            _ => "file",
        };
        Self::predicted(sys, Attrs::of(meta), meta.size, state)
    }

    /// Those that a file is going to have; what is `None` is left out.
    pub fn predicted(sys: &Sys, attrs: Attrs, size: u64, state: &str) -> Self {
        let mut map = Map::new();
        if let Some(uid) = attrs.uid {
            map.set("uid", uid);
            map.set("owner", Value::data(owner_name(sys, uid)));
        }
        if let Some(gid) = attrs.gid {
            map.set("gid", gid);
            map.set("group", Value::data(group_name(sys, gid)));
        }
        if let Some(mode) = attrs.mode {
            map.set("mode", Value::data(mode_text(mode)));
        }
        map.set("state", Value::data(state));
        map.set("size", size);
        Self(map)
    }

    /// A file that is not there.
    pub fn absent() -> Self {
        Self(Map::new().with("state", Value::data("absent")))
    }

    /// Puts them among a step's return values.
    pub fn refresh(self, returns: &mut Map) {
        for (key, value) in self.0 {
            returns.insert(key, value);
        }
    }

    /// Puts them among a plan's return values.
    pub fn plan(self, plan: &mut crate::modules::Plan<'_>) {
        for (key, value) in self.0 {
            if let Some(key) = key.as_str() {
                plan.returns(key, value);
            }
        }
    }
}

/// What results say of this path now.
///
/// # Errors
/// When it cannot be looked at.
pub fn facts_of(sys: &Sys, path: &Path, follow: bool) -> Result<Facts> {
    Ok(match sys.stat(path, follow)? {
        Some(meta) => Facts::of(sys, &meta),
        None => Facts::absent(),
    })
}

/// The user's name, or the number if it has none.
pub(super) fn owner_name(sys: &Sys, uid: u32) -> String {
    let known = sys.accounts().unwrap_or_default();
    known
        .into_iter()
        .find(|account| account.uid == uid)
        .map_or_else(|| uid.to_string(), |account| account.name)
}

/// The group's name, or the number if it has none.
pub(super) fn group_name(sys: &Sys, gid: u32) -> String {
    let known = sys.groups().unwrap_or_default();
    known
        .into_iter()
        .find(|group| group.gid == gid)
        .map_or_else(|| gid.to_string(), |group| group.name)
}
