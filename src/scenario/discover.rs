//! Which scenarios there are.

use super::fields::Read;
use super::{Scenario, molecule, read};
use crate::diag::{Diagnostic, did_you_mean};
use crate::sys::fnmatch;
use std::path::{Path, PathBuf};

/// Directories that hold scenarios, and the name of the file in each of them.
const PLACES: [(&str, &str); 3] = [
    ("molecule-like-tests", "scenario.yml"),
    ("molecule", "molecule.yml"),
    ("extensions/molecule", "molecule.yml"),
];

/// A scenario that was found and not read yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The name of its directory, with those between it and the place for scenarios.
    pub name: String,
    /// Its file.
    pub file: PathBuf,
    /// Where it belongs.
    pub project: PathBuf,
}

impl Found {
    /// Reads it.
    ///
    /// # Errors
    /// What is wrong with its file.
    pub fn read(&self) -> Read<Scenario> {
        if self
            .file
            .file_name()
            .is_some_and(|name| name == "scenario.yml")
        {
            read::read(&self.name, &self.file, &self.project)
        } else {
            molecule::read(&self.name, &self.file, &self.project)
        }
    }
}

/// The scenarios of a project, and of the roles in it, by name.
pub fn discover(project: &Path) -> Vec<Found> {
    let mut found = Vec::new();
    in_project(project, "", &mut found);
    for entry in walkdir::WalkDir::new(project.join("roles"))
        .min_depth(1)
        .max_depth(1)
        .sort_by_file_name()
        .into_iter()
        .filter_map(Result::ok)
    {
        let role = entry.file_name().to_string_lossy().into_owned();
        in_project(entry.path(), &format!("{role}/"), &mut found);
    }
    found
}

fn in_project(project: &Path, before: &str, found: &mut Vec<Found>) {
    for (place, file_name) in PLACES {
        let top = project.join(place);
        for entry in walkdir::WalkDir::new(&top)
            .max_depth(4)
            .sort_by_file_name()
            .into_iter()
            .filter_map(Result::ok)
        {
            if entry.file_name() != file_name {
                continue;
            }
            let directory = entry.path().parent().unwrap_or(&top);
            let Ok(name) = directory.strip_prefix(&top) else {
                continue;
            };
            found.push(Found {
                name: format!("{before}{}", name.display()),
                file: entry.path().to_owned(),
                project: project.to_owned(),
            });
        }
    }
}

/// Those that somebody asks for: by name, by a glob of names, or by directory. All, if nothing is asked for.
///
/// # Errors
/// Something that is asked for is not there.
pub fn choose(project: &Path, wanted: &[String]) -> Read<Vec<Found>> {
    let all = discover(project);
    if wanted.is_empty() {
        if all.is_empty() {
            return Err(Box::new(
                Diagnostic::error("scenario::none", "there are no scenarios here").hint(
                    "a scenario is molecule-like-tests/NAME/scenario.yml or molecule/NAME/molecule.yml",
                ),
            ));
        }
        return Ok(all);
    }
    let mut chosen: Vec<Found> = Vec::new();
    for word in wanted {
        let path = project.join(word);
        let mut matching: Vec<&Found> = all
            .iter()
            .filter(|found| {
                found.name == *word
                    || found.file == path
                    || found.file.parent() == Some(path.as_path())
                    || fnmatch(word, &found.name)
            })
            .collect();
        if matching.is_empty() {
            let mut error =
                Diagnostic::error("scenario::none", format!("there is no scenario `{word}`"));
            error.hint = did_you_mean(word, all.iter().map(|found| found.name.as_str()));
            if error.hint.is_none() && !all.is_empty() {
                let names: Vec<&str> = all.iter().map(|found| found.name.as_str()).collect();
                error.hint = Some(format!("there are {}", names.join(", ")));
            }
            return Err(Box::new(error));
        }
        matching.retain(|found| !chosen.contains(found));
        chosen.extend(matching.into_iter().cloned());
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project() -> tempfile::TempDir {
        let directory = tempfile::tempdir().expect("a directory");
        for file in [
            "molecule-like-tests/pki/scenario.yml",
            "molecule-like-tests/etcd-ha/scenario.yml",
            "molecule/default/molecule.yml",
            "roles/web/molecule/default/molecule.yml",
            "molecule/default/tests/molecule.txt",
        ] {
            let path = directory.path().join(file);
            std::fs::create_dir_all(path.parent().expect("parent")).expect("a directory");
            std::fs::write(path, "about: x\n").expect("a file");
        }
        directory
    }

    #[test]
    fn all_places_are_searched() {
        let project = project();
        let names: Vec<String> = discover(project.path())
            .into_iter()
            .map(|f| f.name)
            .collect();
        assert_eq!(names, ["etcd-ha", "pki", "default", "web/default"]);
    }

    #[test]
    fn chosen_by_name_glob_or_directory_and_once() {
        let project = project();
        let names = |words: &[&str]| -> Vec<String> {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            let found = choose(project.path(), &words).expect("they are there");
            found.into_iter().map(|f| f.name).collect()
        };
        assert_eq!(names(&["p*", "pki"]), ["pki"]);
        assert_eq!(names(&["molecule-like-tests/etcd-ha"]), ["etcd-ha"]);
        let error = choose(project.path(), &["etcd-hq".to_owned()]).expect_err("a slip");
        assert!(
            error
                .hint
                .as_deref()
                .is_some_and(|hint| hint.contains("etcd-ha")),
            "{error:?}"
        );
    }
}
