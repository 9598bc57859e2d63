//! Versions of Python packages, for the test `version` and for the module `pip`.
//!
//! Source: PEP 440, "Version Identification and Dependency Specification".

use std::cmp::Ordering;

/// A version of a Python package. The order is that of the standard.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pep440 {
    epoch: u64,
    release: Vec<u64>,
    /// Before the release: kind (a development release of it: -1, `a`: 0, `b`: 1, `rc`: 2, none: 3) and number.
    pre: (i8, u64),
    /// After it: the number plus one, nothing: 0.
    post: u64,
    /// A development release: before what is none.
    dev: Development,
    /// Letters before numbers, as the standard orders them.
    local: Vec<Local>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Development {
    Of(u64),
    No,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Local {
    Word(String),
    Number(u64),
}

/// The text with its leading number, if it has one.
fn number(text: &str) -> (Option<u64>, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    (digits.parse().ok(), rest)
}

/// `.rc-1` and the like: the number (0 if there is none) and the rest, if one of these words comes next.
fn marked<'a>(text: &'a str, words: &[&str]) -> Option<(u64, &'a str)> {
    let inner = text.strip_prefix(['.', '-', '_']).unwrap_or(text);
    let rest = words.iter().find_map(|word| inner.strip_prefix(word))?;
    let behind = rest.strip_prefix(['.', '-', '_']).unwrap_or(rest);
    match number(behind) {
        (Some(number), rest) => Some((number, rest)),
        (None, _) => Some((0, rest)),
    }
}

impl Pep440 {
    /// The version that a text is; nothing if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let lower = text.trim().to_ascii_lowercase();
        let text = lower.strip_prefix('v').unwrap_or(&lower);
        let (public, local) = match text.split_once('+') {
            Some((public, local)) => (public, Some(local)),
            None => (text, None),
        };
        let (epoch, mut rest) = match public.split_once('!') {
            Some((epoch, rest)) => (epoch.parse().ok()?, rest),
            None => (0, public),
        };
        let mut release = Vec::new();
        loop {
            let (part, behind) = number(rest);
            release.push(part?);
            rest = behind;
            match behind.strip_prefix('.') {
                Some(more) if more.starts_with(|c: char| c.is_ascii_digit()) => rest = more,
                _ => break,
            }
        }
        while release.len() > 1 && release.last() == Some(&0) {
            release.pop();
        }
        let mut pre = None;
        for (kind, words) in [
            (2, &["rc", "preview", "pre", "c"][..]),
            (0, &["alpha", "a"]),
            (1, &["beta", "b"]),
        ] {
            if let Some((number, behind)) = marked(rest, words) {
                pre = Some((kind, number));
                rest = behind;
                break;
            }
        }
        let mut post = 0;
        if let Some((number, behind)) = marked(rest, &["post", "rev", "r"]) {
            (post, rest) = (number + 1, behind);
        } else if let Some((Some(number), behind)) = rest.strip_prefix('-').map(number) {
            (post, rest) = (number + 1, behind);
        }
        let mut dev = Development::No;
        if let Some((number, behind)) = marked(rest, &["dev"]) {
            (dev, rest) = (Development::Of(number), behind);
        }
        if !rest.is_empty() {
            return None;
        }
        let local = local.map_or_else(Vec::new, |local| {
            local
                .split(['.', '-', '_'])
                .map(|part| {
                    part.parse()
                        .map_or_else(|_| Local::Word(part.to_owned()), Local::Number)
                })
                .collect()
        });
        let pre = match (pre, post, &dev) {
            (Some(pre), _, _) => pre,
            (None, 0, Development::Of(_)) => (-1, 0),
            (None, _, _) => (3, 0),
        };
        Some(Self {
            epoch,
            release,
            pre,
            post,
            dev,
            local,
        })
    }

    /// The order of two versions.
    ///
    /// # Errors
    /// The text that is none.
    pub fn compare<'a>(a: &'a str, b: &'a str) -> Result<Ordering, &'a str> {
        Ok(Self::parse(a).ok_or(a)?.cmp(&Self::parse(b).ok_or(b)?))
    }

    /// The part of its release at that place, 0 behind the last.
    pub fn part(&self, at: usize) -> u64 {
        self.release.get(at).copied().unwrap_or(0)
    }

    /// Whether it comes before the release that it names.
    pub fn is_prerelease(&self) -> bool {
        self.pre.0 < 3 || self.dev != Development::No
    }

    /// Whether it comes after the release that it names.
    pub fn is_postrelease(&self) -> bool {
        self.post > 0
    }

    /// Whether it has a local part (`+…`).
    pub fn is_local(&self) -> bool {
        !self.local.is_empty()
    }

    /// It, without its local part.
    #[must_use]
    pub fn public(&self) -> Self {
        Self {
            local: Vec::new(),
            ..self.clone()
        }
    }

    /// Whether both are of one epoch.
    pub fn has_epoch_of(&self, other: &Self) -> bool {
        self.epoch == other.epoch
    }

    /// Whether both name the same release, whatever comes before or after it.
    pub fn has_release_of(&self, other: &Self) -> bool {
        self.has_epoch_of(other) && self.release == other.release
    }
}

#[cfg(test)]
mod tests {
    use super::Pep440;

    #[test]
    fn in_order() {
        let sorted = [
            "1.0.dev1",
            "1.0a1.dev2",
            "1.0a1",
            "1.0b2",
            "1.0rc1",
            "1.0",
            "1.0+abc",
            "1.0+5",
            "1.0.post1.dev1",
            "1.0.post1",
            "1.0.1",
            "1.2",
            "1.10",
            "1!0.1",
        ];
        for pair in sorted.windows(2) {
            let [low, high] = pair else { continue };
            assert!(
                Pep440::compare(low, high).unwrap().is_lt(),
                "{low} < {high}"
            );
        }
        for (a, b) in [
            ("1.0", "1.0.0"),
            ("v1.0-RC.1", "1.0rc1"),
            ("1.0-1", "1.0.post1"),
        ] {
            assert!(Pep440::compare(a, b).unwrap().is_eq(), "{a} = {b}");
        }
        assert!(Pep440::parse("x").is_none() && Pep440::parse("1.0-x").is_none());
    }
}
