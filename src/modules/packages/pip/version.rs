//! What is asked of versions of Python packages.
//!
//! Source: the Python packaging user guide, "Version specifiers" (PEP 440).

use crate::value::Pep440;
use std::cmp::Ordering;

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
        (*operator == "===" || Pep440::parse(plain).is_some()).then(|| Self {
            operator,
            version: version.to_owned(),
        })
    }

    /// Whether an installed version fulfils it.
    pub fn holds(&self, installed: &str) -> bool {
        if self.operator == "===" {
            return installed.eq_ignore_ascii_case(&self.version);
        }
        let Some(have) = Pep440::parse(installed) else {
            return false;
        };
        if let Some(text) = self.version.strip_suffix(".*") {
            let Some(prefix) = Pep440::parse(text) else {
                return false;
            };
            let begins = have.has_epoch_of(&prefix)
                && (0..parts(text)).all(|at| have.part(at) == prefix.part(at));
            return begins == (self.operator == "==");
        }
        let Some(wanted) = Pep440::parse(&self.version) else {
            return false;
        };
        let plain = if wanted.is_local() {
            have.clone()
        } else {
            have.public()
        };
        let order = plain.cmp(&wanted);
        match self.operator {
            "==" => order == Ordering::Equal,
            "!=" => order != Ordering::Equal,
            "<=" => order != Ordering::Greater,
            ">=" => order != Ordering::Less,
            "<" => {
                let early =
                    have.is_prerelease() && !wanted.is_prerelease() && have.has_release_of(&wanted);
                order == Ordering::Less && !early
            }
            ">" => {
                let late = have.is_postrelease()
                    && !wanted.is_postrelease()
                    && have.has_release_of(&wanted);
                order == Ordering::Greater && !late
            }
            // compatible: at least this, and the same but for the last part
            _ => {
                let fixed = parts(&self.version).saturating_sub(1);
                let begins = (0..fixed).all(|at| have.part(at) == wanted.part(at));
                order != Ordering::Less && begins && have.has_epoch_of(&wanted)
            }
        }
    }
}

/// How many numbers the release in a text is written with: zeros at its end count.
fn parts(text: &str) -> usize {
    let text = text.split_once('!').map_or(text, |(_, rest)| rest);
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let release = text.get(..end).unwrap_or_default();
    release.split('.').filter(|part| !part.is_empty()).count()
}

#[cfg(test)]
mod tests {
    use super::Specifier;

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
            ("~=1.4.0", "1.4.7", true),
            ("~=1.4.0", "1.5", false),
            ("==1.0.*", "1.1", false),
            (">1.0+9", "1.0+10", true),
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
