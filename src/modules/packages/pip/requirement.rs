//! What a name given to pip asks for.

use super::version::Specifier;

/// A package that is asked for.
#[derive(Clone, Debug)]
pub(super) struct Requirement {
    /// What pip gets.
    pub text: String,
    /// Name and conditions, if it is a plain name; a URL, a path or one with extras or markers is for pip to judge.
    plain: Option<(String, Vec<Specifier>)>,
}

/// A name as pip compares names.
fn canonical(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        match c {
            '-' | '_' | '.' if out.ends_with('-') => {}
            '-' | '_' | '.' => out.push('-'),
            c => out.push(c.to_ascii_lowercase()),
        }
    }
    out
}

impl Requirement {
    pub fn new(text: &str) -> Self {
        Self {
            text: text.trim().to_owned(),
            plain: plain(text.trim()),
        }
    }

    /// The same with the version of the argument `version`.
    pub fn with_version(&self, version: &str) -> Self {
        let version = version.trim_start();
        let separator = if version.starts_with(|c: char| c.is_ascii_digit()) {
            "=="
        } else {
            ""
        };
        Self::new(&format!("{}{separator}{version}", self.text))
    }

    pub fn has_version(&self) -> bool {
        self.plain
            .as_ref()
            .is_some_and(|(_, specs)| !specs.is_empty())
    }

    /// Whether what is installed fulfils it; `None` if only pip can tell.
    pub fn is_fulfilled(&self, installed: &[(String, String)]) -> Option<bool> {
        let (name, specifiers) = self.plain.as_ref()?;
        Some(installed.iter().any(|(have, version)| {
            canonical(have) == *name && specifiers.iter().all(|spec| spec.holds(version))
        }))
    }
}

fn plain(text: &str) -> Option<(String, Vec<Specifier>)> {
    let end = text
        .find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)))
        .unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return None;
    }
    let rest = rest.trim();
    let rest = rest
        .strip_prefix('(')
        .and_then(|r| r.strip_suffix(')'))
        .unwrap_or(rest);
    let is_file = [".whl", ".zip", ".tar.gz", ".tar.bz2"]
        .iter()
        .any(|ext| name.ends_with(ext));
    if is_file {
        return None;
    }
    let specifiers = rest
        .split(',')
        .filter(|part| !part.trim().is_empty())
        .map(Specifier::parse)
        .collect::<Option<Vec<_>>>()?;
    Some((canonical(name), specifiers))
}

/// The packages of the argument `name`: its list may have been cut at the commas between conditions.
pub(super) fn requirements(names: &[String]) -> Vec<Requirement> {
    let mut whole: Vec<String> = Vec::new();
    let mut in_brackets = false;
    for part in names.iter().flat_map(|name| name.split(',')) {
        let continues = in_brackets || part.trim_start().starts_with(['<', '>', '=', '!', '~']);
        match whole.last_mut() {
            Some(last) if continues => {
                last.push(',');
                last.push_str(part);
            }
            _ => whole.push(part.to_owned()),
        }
        if part.contains('[') {
            in_brackets = true;
        }
        if part.contains(']') {
            in_brackets = false;
        }
    }
    whole
        .iter()
        .filter(|text| !text.trim().is_empty())
        .map(|text| Requirement::new(text))
        .collect()
}

/// Whether it names a repository of a version control system.
pub(super) fn is_repository(name: &str) -> bool {
    ["svn+", "git+", "hg+", "bzr+"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::{Requirement, requirements};

    #[test]
    fn lists_cut_at_commas_are_put_together() {
        let names = [
            "django>1.11.1".to_owned(),
            "<1.11.3".into(),
            "a[b".into(),
            "c]".into(),
            "d".into(),
        ];
        let found: Vec<_> = requirements(&names).into_iter().map(|r| r.text).collect();
        assert_eq!(found, ["django>1.11.1,<1.11.3", "a[b,c]", "d"]);
    }

    #[test]
    fn what_is_installed_fulfils_or_not() {
        let installed = [("Foo.Bar".to_owned(), "1.5".to_owned())];
        let asks = |text: &str| Requirement::new(text).is_fulfilled(&installed);
        assert_eq!(asks("foo_bar"), Some(true));
        assert_eq!(asks("foo-bar >=1,<2"), Some(true));
        assert_eq!(asks("foo-bar==2"), Some(false));
        assert_eq!(asks("foo"), Some(false));
        assert_eq!(asks("foo-bar[x]"), None);
        assert_eq!(asks("git+https://x/y"), None);
        assert_eq!(asks("./foo"), None);
        assert_eq!(Requirement::new("a").with_version("1.0").text, "a==1.0");
        assert_eq!(Requirement::new("a").with_version(">1").text, "a>1");
    }
}
