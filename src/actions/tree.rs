//! What of a directory is copied: directories, files, and links that stay links.
//!
//! Source: Ansible's documentation of `ansible.builtin.copy`, argument `local_follow`.

use std::io;
use std::path::{Path, PathBuf};

/// Something below a directory.
pub(super) enum Node {
    /// A directory, or a link to one that is followed.
    Directory,
    /// A file, or a link to one that is followed: where it lies.
    File(PathBuf),
    /// A link that is made there as it is here.
    Link(PathBuf),
}

/// Everything below a directory with its path in it, directories before what is in them and after the
/// files beside them, names sorted. Links to what is
/// not there, and links that lead in circles, stay links.
pub(super) fn tree(root: &Path, follow: bool) -> io::Result<Vec<(PathBuf, Node)>> {
    let mut found = vec![(PathBuf::new(), Node::Directory)];
    let real = root.canonicalize()?;
    walk(
        &real,
        Path::new(""),
        follow,
        &mut vec![real.clone()],
        &mut found,
    )?;
    Ok(found)
}

fn walk(
    directory: &Path,
    below: &Path,
    follow: bool,
    parents: &mut Vec<PathBuf>,
    found: &mut Vec<(PathBuf, Node)>,
) -> io::Result<()> {
    let mut entries = std::fs::read_dir(directory)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_cached_key(|entry| (entry.path().is_dir(), entry.file_name()));
    for entry in entries {
        let path = entry.path();
        let below = below.join(entry.file_name());
        if !entry.file_type()?.is_symlink() {
            if entry.file_type()?.is_dir() {
                found.push((below.clone(), Node::Directory));
                parents.push(path.clone());
                walk(&path, &below, follow, parents, found)?;
                parents.pop();
            } else {
                found.push((below, Node::File(path)));
            }
            continue;
        }
        let real = path.canonicalize().ok().filter(|_| follow);
        match real {
            Some(real) if real.is_file() => found.push((below, Node::File(real))),
            Some(real) if real.is_dir() && !parents.contains(&real) => {
                found.push((below.clone(), Node::Directory));
                parents.push(real.clone());
                walk(&real, &below, follow, parents, found)?;
                parents.pop();
            }
            _ => found.push((below, Node::Link(std::fs::read_link(&path)?))),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Node, tree};
    use std::os::unix::fs::symlink;

    #[test]
    fn links_are_followed_or_stay_links() {
        let dir = tempfile::tempdir().expect("a directory");
        let at = |name: &str| dir.path().join(name);
        std::fs::create_dir(at("d")).expect("made");
        std::fs::write(at("d/f"), "x").expect("written");
        symlink("d/f", at("file")).expect("linked");
        symlink("..", at("d/circle")).expect("linked");
        symlink("nowhere", at("broken")).expect("linked");
        symlink("d", at("e")).expect("linked");
        let shown = |follow: bool| -> Vec<String> {
            tree(dir.path(), follow)
                .expect("walked")
                .into_iter()
                .map(|(below, node)| match node {
                    Node::Directory => format!("{}/", below.display()),
                    Node::File(_) => below.display().to_string(),
                    Node::Link(target) => format!("{}->{}", below.display(), target.display()),
                })
                .collect()
        };
        assert_eq!(
            shown(true),
            [
                "/",
                "broken->nowhere",
                "file",
                "d/",
                "d/f",
                "d/circle->..",
                "e/",
                "e/f",
                "e/circle->.."
            ]
        );
        assert_eq!(
            shown(false),
            [
                "/",
                "broken->nowhere",
                "file->d/f",
                "d/",
                "d/f",
                "d/circle->..",
                "e->d"
            ]
        );
    }
}
