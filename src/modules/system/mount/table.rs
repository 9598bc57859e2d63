//! The table of file systems, and the kernel's list of what is mounted.

use crate::modules::ModuleResult;
use crate::sys::Sys;
use std::path::Path;

/// A line of the table, its blanks not escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub source: String,
    pub point: String,
    pub kind: String,
    pub options: String,
    pub dump: String,
    pub pass: String,
}

impl Entry {
    fn parse(line: &str) -> Option<Self> {
        let line = line.trim();
        if line.starts_with('#') {
            return None;
        }
        let mut fields = line.split_whitespace().map(unescape);
        Some(Self {
            source: fields.next()?,
            point: fields.next()?,
            kind: fields.next()?,
            options: fields.next().unwrap_or_else(|| "defaults".into()),
            dump: fields.next().unwrap_or_else(|| "0".into()),
            pass: fields.next().unwrap_or_else(|| "0".into()),
        })
    }

    fn line(&self) -> String {
        let fields = [
            &self.source,
            &self.point,
            &self.kind,
            &self.options,
            &self.dump,
            &self.pass,
        ];
        fields.map(|field| escape(field)).join(" ")
    }

    /// Whether two lines are about the same: the mount point, or for swap, which has none, the source.
    fn same_place(&self, other: &Self) -> bool {
        if self.point == "none" || self.point == "swap" {
            return self.point == other.point && self.source == other.source;
        }
        trimmed(&self.point) == trimmed(&other.point)
    }
}

fn trimmed(point: &str) -> &str {
    if point == "/" {
        point
    } else {
        point.trim_end_matches('/')
    }
}

/// The table's text with or without the entry.
pub(super) fn edit(text: &str, wanted: &Entry, present: bool) -> String {
    let mut found = false;
    let mut out = String::new();
    for line in text.split_inclusive('\n') {
        match Entry::parse(line).filter(|entry| entry.same_place(wanted)) {
            None => out.push_str(line),
            Some(_) if !present => {}
            // the same place twice becomes once
            Some(_) if found => {}
            Some(entry) => {
                found = true;
                let entry = Entry {
                    point: wanted.point.clone(),
                    ..entry
                };
                if entry == *wanted {
                    out.push_str(line);
                } else {
                    out.push_str(&wanted.line());
                    out.push('\n');
                }
            }
        }
    }
    if present && !found {
        if !out.is_empty() && !out.ends_with('\n') {
            out.push('\n');
        }
        out.push_str(&wanted.line());
        out.push('\n');
    }
    out
}

fn escape(field: &str) -> String {
    let mut out = String::new();
    for c in field.chars() {
        match c {
            ' ' => out.push_str("\\040"),
            '\t' => out.push_str("\\011"),
            '\n' => out.push_str("\\012"),
            c => out.push(c),
        }
    }
    out
}

/// Octal escapes (`\040`).
fn unescape(field: &str) -> String {
    let mut out = Vec::new();
    let mut rest = field.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let digits = tail.get(..3).and_then(|d| std::str::from_utf8(d).ok());
        match digits.and_then(|d| u8::from_str_radix(d, 8).ok()) {
            Some(byte) if *first == b'\\' => {
                out.push(byte);
                rest = tail.get(3..).unwrap_or_default();
            }
            _ => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// What is mounted somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mounted {
    pub source: String,
}

impl Mounted {
    /// What is mounted on that very path, last of all.
    pub fn at(point: &Path, sys: &Sys) -> ModuleResult<Option<Self>> {
        let real = sys.canonical(point).unwrap_or_else(|| point.to_owned());
        let text = sys
            .read_text(Path::new("/proc/self/mountinfo"))?
            .unwrap_or_default();
        Ok(text.lines().rev().find_map(|line| {
            let mut fields = line.split_whitespace();
            let mounted = unescape(fields.nth(4)?);
            // optional fields end with a hyphen; then come type and source
            let source = fields.skip_while(|field| *field != "-").nth(2)?;
            (Path::new(&mounted) == real).then(|| Self {
                source: unescape(source),
            })
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_fstab_5_says() {
        let entry = Entry::parse("/dev/sdc\\0401\t/mnt/a\\040b ext4\n").expect("an entry");
        assert_eq!(
            (entry.source.as_str(), entry.point.as_str()),
            ("/dev/sdc 1", "/mnt/a b")
        );
        assert_eq!(entry.options, "defaults");
        assert_eq!(
            entry.line(),
            "/dev/sdc\\0401 /mnt/a\\040b ext4 defaults 0 0"
        );
        assert!(Entry::parse("# /dev/x /y ext4").is_none());
        assert!(Entry::parse("").is_none());
    }
}
