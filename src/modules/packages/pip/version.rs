//! Versions of Python packages and what is asked of them.
//!
//! Source: the Python packaging user guide, "Version specifiers" (PEP 440).

use std::cmp::Ordering;

/// A version that can be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Version {
    epoch: u64,
    release: Vec<u64>,
    /// Letter and number of `a1`, `b2`, `rc3`.
    pre: Option<(char, u64)>,
    post: Option<u64>,
    dev: Option<u64>,
    local: Option<String>,
}

/// The digits that a text begins with, as a number, and what follows.
fn number(text: &str) -> (Option<u64>, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    (digits.parse().ok(), rest)
}

fn separated(text: &str) -> &str {
    text.strip_prefix(['.', '-', '_']).unwrap_or(text)
}

impl Version {
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        let text = text.strip_prefix('v').unwrap_or(&text);
        let (text, local) = match text.split_once('+') {
            Some((text, local)) => (text, Some(local.replace(['-', '_'], "."))),
            None => (text, None),
        };
        let (epoch, mut rest) = match text.split_once('!') {
            Some((epoch, rest)) => (epoch.parse().ok()?, rest),
            None => (0, text),
        };
        let mut release = Vec::new();
        loop {
            let (part, after) = number(rest);
            release.push(part?);
            rest = after;
            match rest.strip_prefix('.') {
                Some(after) if after.starts_with(|c: char| c.is_ascii_digit()) => rest = after,
                _ => break,
            }
        }
        let mut version = Self {
            epoch,
            release,
            pre: None,
            post: None,
            dev: None,
            local,
        };
        while !rest.is_empty() {
            let word = separated(rest);
            let letters = [
                ("alpha", 'a'),
                ("beta", 'b'),
                ("preview", 'c'),
                ("pre", 'c'),
                ("post", 'p'),
                ("rev", 'p'),
                ("dev", 'd'),
                ("rc", 'c'),
                ("a", 'a'),
                ("b", 'b'),
                ("c", 'c'),
                ("r", 'p'),
            ];
            let found = letters
                .iter()
                .find_map(|(word_, kind)| Some((*kind, word.strip_prefix(word_)?)));
            let (kind, after) = match found {
                Some(found) => found,
                // `1.0-1` is a post release
                None if rest.starts_with('-') => ('p', word),
                None => return None,
            };
            let (value, after) = number(separated(after));
            let value = value.unwrap_or(0);
            match kind {
                'p' => version.post = Some(value),
                'd' => version.dev = Some(value),
                letter => version.pre = Some((letter, value)),
            }
            rest = after;
        }
        Some(version)
    }

    fn release(&self) -> &[u64] {
        let zeros = self.release.iter().rev().take_while(|n| **n == 0).count();
        self.release
            .get(..self.release.len() - zeros)
            .unwrap_or_default()
    }

    fn has_base_of(&self, other: &Self) -> bool {
        self.epoch == other.epoch && self.release() == other.release()
    }

    fn is_prerelease(&self) -> bool {
        self.pre.is_some() || self.dev.is_some()
    }

    /// What is compared after the release: pre-, post- and development release.
    fn rank(&self) -> (i8, Option<(char, u64)>, i8, u64, i8, u64) {
        let pre = match (self.pre, self.post, self.dev) {
            (Some(_), ..) => 0,
            (None, None, Some(_)) => -1,
            (None, ..) => 1,
        };
        (
            pre,
            self.pre,
            i8::from(self.post.is_some()),
            self.post.unwrap_or(0),
            i8::from(self.dev.is_none()),
            self.dev.unwrap_or(0),
        )
    }

    fn public(&self) -> Self {
        Self {
            local: None,
            ..self.clone()
        }
    }

    fn compare(&self, other: &Self) -> Ordering {
        (self.epoch, self.release(), self.rank())
            .cmp(&(other.epoch, other.release(), other.rank()))
            .then_with(|| self.local.cmp(&other.local))
    }
}

/// One condition, e.g. `>=1.2`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Specifier {
    operator: &'static str,
    version: String,
}

const OPERATORS: &[&str] = &["===", "~=", "==", "!=", "<=", ">=", "<", ">"];

impl Specifier {
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let operator = OPERATORS.iter().find(|op| text.starts_with(**op))?;
        let version = text.strip_prefix(operator)?.trim();
        let plain = version.strip_suffix(".*").unwrap_or(version);
        (*operator == "===" || Version::parse(plain).is_some()).then(|| Self {
            operator,
            version: version.to_owned(),
        })
    }

    /// Whether an installed version fulfils it.
    pub fn holds(&self, installed: &str) -> bool {
        if self.operator == "===" {
            return installed.eq_ignore_ascii_case(&self.version);
        }
        let Some(have) = Version::parse(installed) else {
            return false;
        };
        if let Some(prefix) = self.version.strip_suffix(".*") {
            let Some(prefix) = Version::parse(prefix) else {
                return false;
            };
            let begins = have.epoch == prefix.epoch
                && prefix
                    .release
                    .iter()
                    .enumerate()
                    .all(|(at, part)| have.release.get(at).copied().unwrap_or(0) == *part);
            return begins == (self.operator == "==");
        }
        let Some(wanted) = Version::parse(&self.version) else {
            return false;
        };
        let plain = if wanted.local.is_none() {
            have.public()
        } else {
            have.clone()
        };
        let order = plain.compare(&wanted);
        match self.operator {
            "==" => order == Ordering::Equal,
            "!=" => order != Ordering::Equal,
            "<=" => order != Ordering::Greater,
            ">=" => order != Ordering::Less,
            "<" => {
                let early =
                    have.is_prerelease() && !wanted.is_prerelease() && have.has_base_of(&wanted);
                order == Ordering::Less && !early
            }
            ">" => {
                let late =
                    have.post.is_some() && wanted.post.is_none() && have.has_base_of(&wanted);
                order == Ordering::Greater && !late
            }
            // compatible: at least this, and the same but for the last part
            _ => {
                let fixed = wanted.release.len().saturating_sub(1);
                let begins = (0..fixed).all(|at| {
                    have.release.get(at).copied().unwrap_or(0)
                        == wanted.release.get(at).copied().unwrap_or(0)
                });
                order != Ordering::Less && begins && have.epoch == wanted.epoch
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Specifier, Version};
    use std::cmp::Ordering;

    #[test]
    fn versions_are_ordered() {
        let order = [
            "1.0.dev1",
            "1.0a1",
            "1.0a2.dev1",
            "1.0a2",
            "1.0b1",
            "1.0rc1",
            "1.0",
            "1.0+x",
            "1.0.post1",
            "1.1",
            "1!0.1",
        ];
        for pair in order.windows(2) {
            let parse = |text: &str| Version::parse(text).expect("a version");
            assert_eq!(
                parse(pair[0]).compare(&parse(pair[1])),
                Ordering::Less,
                "{pair:?}"
            );
        }
        assert!(Version::parse("latest").is_none());
    }

    #[test]
    fn conditions_hold_as_pip_sees_them() {
        let cases = [
            ("==1.0", "1.0.0", true),
            ("==1.0", "1.0+local", true),
            ("==1.4.*", "1.4.9", true),
            ("!=1.4.*", "1.4.9", false),
            (">=1.2", "1.10", true),
            ("<2", "2.0rc1", false),
            (">1.7", "1.7.post1", false),
            ("~=2.2", "2.9", true),
            ("~=2.2", "3.0", false),
            ("~=1.4.5", "1.5.0", false),
            ("===1.0x", "1.0X", true),
        ];
        for (condition, installed, wanted) in cases {
            let specifier = Specifier::parse(condition).expect("a condition");
            assert_eq!(
                specifier.holds(installed),
                wanted,
                "{condition} {installed}"
            );
        }
    }
}
