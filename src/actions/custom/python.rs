//! Modules in Python: an archive of the module and the shared code of the user's own that it may import.
//!
//! Which of it a module imports is not looked into: directories of shared code are small, and travel once.

use super::Wanted;
use crate::diag::io_reason;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::sync::LazyLock;

use fancy_regex::Regex;
use zip::write::SimpleFileOptions;

/// What of shared code may travel at most, in bytes: more is a mistake.
const LIMIT: u64 = 32 << 20;

/// `None` cannot happen: the tests would fail.
static SHARED_CODE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?x)
        from\ +\.{2,}\ *module_utils\S*\ +import\s
        | (?:from|import)\ +ansible_collections\.[^.\s]+\.[^.\s]+\.plugins\.module_utils
        | from\ +ansible\.module_utils\S*\ +import\s
        | import\ +ansible\.module_utils\.",
    )
    .ok()
});

static COLLECTION: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"ansible_collections\.(\w+)\.(\w+)").ok());

/// Whether a text is Python that imports shared code.
pub(super) fn imports_shared_code(text: &str) -> bool {
    let pattern = SHARED_CODE.as_ref();
    pattern.is_some_and(|pattern| pattern.is_match(text).unwrap_or(false))
}

/// The name by which Python imports a module.
pub(super) fn import_name(wanted: &Wanted<'_>) -> String {
    let short = match wanted.collection {
        Some(collection) => wanted
            .name
            .strip_prefix(collection)
            .unwrap_or(wanted.name)
            .trim_start_matches('.'),
        None => wanted.name,
    };
    match wanted.collection {
        Some(collection) => format!("ansible_collections.{collection}.plugins.modules.{short}"),
        None => format!("ansible.modules.{short}"),
    }
}

/// Files by their path in the archive.
#[derive(Default)]
struct Files {
    all: BTreeMap<String, Vec<u8>>,
    size: u64,
}

impl Files {
    /// Adds the Python code below a directory; what is there already stays.
    fn add_tree(&mut self, dir: &Path, place: &str) -> Result<(), String> {
        for entry in walkdir::WalkDir::new(dir)
            .follow_links(true)
            .sort_by_file_name()
        {
            let Ok(entry) = entry else { continue };
            let is_code = entry.path().extension().is_some_and(|ext| ext == "py");
            let Ok(below) = entry.path().strip_prefix(dir) else {
                continue;
            };
            let name = format!("{place}/{}", below.display());
            if !is_code || !entry.file_type().is_file() || self.all.contains_key(&name) {
                continue;
            }
            let code = std::fs::read(entry.path()).map_err(|e| {
                format!("cannot read {}: {}", entry.path().display(), io_reason(&e))
            })?;
            self.size += code.len() as u64;
            if self.size > LIMIT {
                return Err(format!(
                    "there is more than {} MiB of Python code in {}",
                    LIMIT >> 20,
                    dir.display()
                ));
            }
            self.all.insert(name, code);
        }
        Ok(())
    }

    /// Makes every directory a package.
    fn close(&mut self) {
        let mut dirs = BTreeSet::new();
        for name in self.all.keys() {
            let mut dir = name.as_str();
            while let Some((above, _)) = dir.rsplit_once('/') {
                dirs.insert(above.to_owned());
                dir = above;
            }
        }
        for dir in dirs {
            // these are packages of runbook's own code, beside which the archive stands
            if !matches!(dir.as_str(), "ansible" | "ansible/module_utils") {
                self.all.entry(format!("{dir}/__init__.py")).or_default();
            }
        }
    }
}

/// The archive.
pub(super) fn archive(
    wanted: &Wanted<'_>,
    python_name: &str,
    text: &str,
) -> Result<Vec<u8>, String> {
    let mut files = Files::default();
    let own = format!("{}.py", python_name.replace('.', "/"));
    files.all.insert(own, text.as_bytes().to_vec());
    for dir in wanted.module_utils {
        files.add_tree(dir, "ansible/module_utils")?;
    }
    let mut seen = BTreeSet::new();
    if let Some(collection) = wanted.collection {
        add_collection(&mut files, wanted, collection, &mut seen)?;
    }
    loop {
        let mut named = BTreeSet::new();
        for code in files.all.values() {
            let code = String::from_utf8_lossy(code);
            let found = COLLECTION.iter().flat_map(|it| it.captures_iter(&*code));
            for found in found.flatten() {
                if let (Some(space), Some(name)) = (found.get(1), found.get(2)) {
                    named.insert(format!("{}.{}", space.as_str(), name.as_str()));
                }
            }
        }
        let before = seen.len();
        for collection in named {
            add_collection(&mut files, wanted, &collection, &mut seen)?;
        }
        if seen.len() == before {
            break;
        }
    }
    files.close();
    let failed = |e: zip::result::ZipError| format!("the module cannot be packed: {e}");
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .last_modified_time(zip::DateTime::default())
        .compression_method(zip::CompressionMethod::Deflated);
    for (name, code) in &files.all {
        zip.start_file(name, options).map_err(failed)?;
        zip.write_all(code)
            .map_err(|e| failed(zip::result::ZipError::Io(e)))?;
    }
    Ok(zip.finish().map_err(failed)?.into_inner())
}

fn add_collection(
    files: &mut Files,
    wanted: &Wanted<'_>,
    collection: &str,
    seen: &mut BTreeSet<String>,
) -> Result<(), String> {
    let Some((space, name)) = collection.split_once('.') else {
        return Ok(());
    };
    if !seen.insert(collection.to_owned()) {
        return Ok(());
    }
    let found = wanted
        .collection_roots
        .iter()
        .map(|root| root.join(space).join(name).join("plugins/module_utils"))
        .find(|dir| dir.is_dir());
    match found {
        Some(dir) => files.add_tree(
            &dir,
            &format!("ansible_collections/{space}/{name}/plugins/module_utils"),
        ),
        // the error says so where the module really imports it
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn names(bytes: Vec<u8>) -> Vec<String> {
        let zip = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
        let mut names: Vec<String> = zip
            .file_names()
            .map(|name| name.unwrap().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn shared_code_travels_with_the_module() {
        let dir = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("module_utils/mine/deep.py", "");
        write("module_utils/notes.txt", "");
        write(
            "c/a/one/plugins/module_utils/x.py",
            "import ansible_collections.a.two.plugins.module_utils.y\n",
        );
        write("c/a/two/plugins/module_utils/y.py", "");
        write("c/a/three/plugins/module_utils/z.py", "");
        let utils = [dir.path().join("module_utils")];
        let roots = [dir.path().join("c")];
        let wanted = Wanted {
            name: "a.one.mod",
            path: &PathBuf::from("unused"),
            collection: Some("a.one"),
            module_utils: &utils,
            collection_roots: &roots,
        };
        let name = import_name(&wanted);
        assert_eq!(name, "ansible_collections.a.one.plugins.modules.mod");
        let bytes = archive(&wanted, &name, "text").unwrap();
        assert_eq!(
            bytes,
            archive(&wanted, &name, "text").unwrap(),
            "not the same twice"
        );
        let names = names(bytes);
        for there in [
            "ansible/module_utils/mine/__init__.py",
            "ansible/module_utils/mine/deep.py",
            "ansible_collections/a/one/plugins/modules/mod.py",
            "ansible_collections/a/one/plugins/module_utils/x.py",
            "ansible_collections/a/two/plugins/module_utils/y.py",
            "ansible_collections/a/__init__.py",
        ] {
            assert!(names.iter().any(|name| name == there), "{there}: {names:?}");
        }
        let foreign = |name: &String| name.contains("three") || name.ends_with("notes.txt");
        assert!(!names.iter().any(foreign), "{names:?}");
    }
}
