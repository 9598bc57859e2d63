//! Where an inventory comes from.

use std::path::{Path, PathBuf};

/// One inventory source, as `-i` or the configuration names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceSpec {
    /// A comma separated list of hosts: `web1,web2` or `web1,`.
    List(String),
    /// A file, an executable script or a directory of them.
    Path(PathBuf),
}

impl SourceSpec {
    /// Reads the argument of `-i`. Text with a comma is a host list unless a file of that name exists. A bare name
    /// that does not exist is looked up in `inventories/`, as a directory or with `.yml`, `.yaml` or `.ini`.
    pub fn parse(argument: &str, cwd: &Path) -> Self {
        let path = cwd.join(argument);
        if path.exists() {
            return Self::Path(path);
        }
        if argument.contains(',') {
            return Self::List(argument.to_owned());
        }
        if !argument.contains('/') && !argument.is_empty() {
            for suffix in ["", ".yml", ".yaml", ".ini"] {
                let candidate = cwd.join("inventories").join(format!("{argument}{suffix}"));
                if candidate.exists() {
                    return Self::Path(candidate);
                }
            }
        }
        Self::Path(path)
    }

    /// The directory whose `group_vars/` and `host_vars/` belong to the source; none for a host list.
    pub fn vars_dir(&self) -> Option<PathBuf> {
        match self {
            Self::List(_) => None,
            Self::Path(path) if path.is_dir() => Some(path.clone()),
            Self::Path(path) => path.parent().map(Path::to_path_buf),
        }
    }
}

/// As the user would write it.
impl std::fmt::Display for SourceSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::List(list) => f.write_str(list),
            Self::Path(path) => write!(f, "{}", path.display()),
        }
    }
}
