//! Where the files that includes and imports of tasks name are looked for.
//!
//! Source: Ansible's documentation, "Search paths in Ansible", and what Ansible 2.18 does.

use std::path::{Component, Path, PathBuf};

/// The includes and imports that a list of tasks was reached through: what names of files in it are relative to.
#[derive(Clone, Debug, Default)]
pub struct Trail {
    /// The playbook's directory, absolute.
    base: PathBuf,
    /// The directories of the names as they were written, outermost first; a role that a task brought is its own directory.
    dirs: Vec<PathBuf>,
    /// How many of them lie outside of the role.
    outside: usize,
}

impl Trail {
    /// The start: the tasks of a playbook in this directory.
    pub(super) fn of_playbook(dir: &Path) -> Self {
        let dir = std::path::absolute(dir.join(".")).unwrap_or_else(|_| dir.to_owned());
        Self {
            base: lexical(&dir),
            ..Self::default()
        }
    }

    /// The playbook's directory.
    pub(super) fn base(&self) -> &Path {
        &self.base
    }

    /// Inside the file of this name.
    pub(super) fn through(&self, name: &str) -> Self {
        let mut inside = self.clone();
        let dir = Path::new(name).parent().unwrap_or(Path::new(""));
        inside.dirs.push(dir.to_owned());
        inside
    }

    /// Inside a role, one that a task brought (`by_task`) or one of a list.
    pub(super) fn within_role(&self, path: &Path, by_task: bool) -> Self {
        let mut inside = self.clone();
        if by_task {
            inside.dirs.push(path.to_owned());
        } else {
            inside.dirs.clear();
        }
        inside.outside = inside.dirs.len();
        inside
    }

    /// The file of tasks that an include means, or an import (`fixed`): the first that exists, or all that were tried.
    /// The names that led here are added to each other from the innermost outwards, until there is such a file.
    pub(super) fn find(
        &self,
        role: Option<&Path>,
        handler: bool,
        name: &str,
        fixed: bool,
    ) -> Result<PathBuf, Vec<PathBuf>> {
        let name = Path::new(name);
        let kind = Path::new(if handler { "handlers" } else { "tasks" });
        let mut places = Vec::new();
        let mut sum: Option<PathBuf> = None;
        let dirs = self
            .dirs
            .get(if fixed { self.outside } else { 0 }..)
            .unwrap_or_default();
        for dir in dirs.iter().rev() {
            let inner = sum.take().unwrap_or_default();
            let sum = &*sum.insert(dir.join(inner));
            match role {
                Some(role) => {
                    if !fixed {
                        places.extend(self.places(role, kind, name, true));
                    }
                    let dir = role.join(kind).join(sum);
                    places.extend(self.places(&dir, kind, name, !fixed));
                }
                None => places.extend(self.places(&self.base, sum, name, false)),
            }
        }
        if fixed || dirs.is_empty() {
            match role {
                Some(role) => places.extend(self.places(role, kind, name, !fixed)),
                None => places.push(self.base.join(name)),
            }
        }
        let places: Vec<PathBuf> = places.iter().map(|place| lexical(place)).collect();
        match places.iter().find(|place| place.is_file()) {
            Some(place) => Ok(place.clone()),
            None => Err(places),
        }
    }

    /// Where Ansible looks for a file that belongs to the part `kind` of a directory.
    fn places(&self, dir: &Path, kind: &Path, name: &Path, role: bool) -> Vec<PathBuf> {
        let role = role || is_role(dir);
        let above = dir.parent().filter(|_| role && dir.ends_with("tasks"));
        let base = above.unwrap_or(dir);
        let mut places = vec![dir.join(kind).join(name), base.join(kind).join(name)];
        if role {
            places.push(base.join("tasks").join(name));
        }
        if let Ok(here) = std::env::current_dir() {
            places.push(here.join(kind).join(name));
        }
        places.push(base.join(name));
        places.push(self.base.join(kind).join(name));
        places.push(self.base.join(name));
        places
    }
}

/// Whether the directory looks as if it were a role or lay in one.
fn is_role(dir: &Path) -> bool {
    let has = |dir: &Path, part: &str| {
        ["main.yml", "main.yaml", "main"]
            .iter()
            .any(|name| dir.join(part).join(name).exists())
    };
    let near = std::iter::once(dir).chain(dir.parent());
    dir.ends_with("tasks") && has(dir, "")
        || near
            .into_iter()
            .any(|dir| has(dir, "tasks") || has(dir, "meta"))
}

/// The path without `.` and `..`: as in Ansible, those are about names, so what stands before `..` need not exist.
pub(super) fn lexical(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(out.components().next_back(), Some(Component::Normal(_))) =>
            {
                out.pop();
            }
            Component::ParentDir if out.has_root() => {}
            part => out.push(part),
        }
    }
    if out.as_os_str().is_empty() {
        out.push(".");
    }
    out
}
