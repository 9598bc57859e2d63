//! Which files `find` takes.

use super::{Args, FileType, Stamp};
use crate::modules::files::lossless::decode;
use crate::modules::files::pyregex::{Flags, PyRegex};
use crate::modules::files::wildcard;
use crate::modules::{Failure, ModuleResult};
use crate::sys::{Command, FileKind, Meta, Sys};
use std::path::Path;

/// A pattern of a name.
enum Name {
    Shell(String),
    Regex(PyRegex),
}

impl Name {
    fn all(patterns: &[String], use_regex: bool, name: &str) -> ModuleResult<Vec<Self>> {
        patterns
            .iter()
            .map(|pattern| {
                Ok(if use_regex {
                    Self::Regex(PyRegex::new(pattern, Flags::default(), name)?)
                } else {
                    Self::Shell(pattern.clone())
                })
            })
            .collect()
    }

    fn fits(&self, name: &str) -> ModuleResult<bool> {
        match self {
            Self::Shell(pattern) => Ok(wildcard::fits(pattern, name)),
            Self::Regex(regex) => regex.matches_start(name),
        }
    }
}

/// Whether a file is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    Yes,
    No,
    /// It cannot be told: its content is to have something, and is no text.
    NoText,
    /// The same: nothing here knows the encoding.
    UnknownEncoding,
}

/// What is asked for.
pub(super) struct Filter {
    patterns: Vec<Name>,
    excludes: Vec<Name>,
    contains: Option<PyRegex>,
    /// That of the contents, if it is not UTF-8.
    encoding: Option<String>,
    whole: bool,
    /// Seconds since 1970, and whether files must be older.
    age: Option<(f64, bool)>,
    stamp: Stamp,
    /// Bytes, and whether files must be larger.
    size: Option<(u64, bool)>,
    mode: Option<u32>,
    exact_mode: bool,
    kind: FileType,
}

impl Filter {
    pub(super) fn new(args: &Args, sys: &Sys) -> ModuleResult<Self> {
        let is_utf8 = |name: &str| matches!(name.to_ascii_lowercase().as_str(), "utf-8" | "utf8");
        let excludes = args.excludes.clone().unwrap_or_default();
        let age = args
            .age
            .as_deref()
            .map(|age| measure(age, AGES, "age"))
            .transpose()?;
        let size = args
            .size
            .as_deref()
            .map(|size| measure(size, SIZES, "size"))
            .transpose()?;
        #[expect(
            clippy::cast_precision_loss,
            reason = "ages are far below 2^53 seconds"
        )]
        let age = age.map(|(seconds, larger)| (sys.now() - seconds as f64, larger));
        Ok(Self {
            patterns: Name::all(&args.patterns, args.use_regex, "patterns")?,
            excludes: Name::all(&excludes, args.use_regex, "excludes")?,
            contains: args
                .contains
                .as_ref()
                .map(|text| PyRegex::new(text, Flags::default(), "contains"))
                .transpose()?,
            encoding: (args.encoding.clone()).filter(|encoding| !is_utf8(encoding)),
            whole: args.read_whole_file,
            age,
            stamp: args.age_stamp,
            size,
            mode: args.mode.as_ref().and_then(|mode| mode.apply(0, false, 0)),
            exact_mode: args.exact_mode,
            kind: args.file_type,
        })
    }

    pub(super) fn takes(
        &self,
        sys: &Sys,
        path: &Path,
        name: &str,
        meta: &Meta,
    ) -> ModuleResult<Taken> {
        let is_file = meta.kind == FileKind::File;
        let kind = match self.kind {
            FileType::Any => true,
            FileType::Directory => meta.kind == FileKind::Directory,
            FileType::File => is_file,
            FileType::Link => meta.kind == FileKind::Link,
        };
        let fits = kind
            && self.has_name(name)?
            && self.has_age(meta)
            && self.has_mode(meta)
            && (!is_file || self.has_size(meta));
        match fits {
            true if self.kind == FileType::File => self.has_content(sys, path),
            true => Ok(Taken::Yes),
            false => Ok(Taken::No),
        }
    }

    fn has_name(&self, name: &str) -> ModuleResult<bool> {
        let any = |names: &[Name]| -> ModuleResult<bool> {
            for pattern in names {
                if pattern.fits(name)? {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        Ok((self.patterns.is_empty() || any(&self.patterns)?) && !any(&self.excludes)?)
    }

    fn has_age(&self, meta: &Meta) -> bool {
        let time = match self.stamp {
            Stamp::Atime => meta.atime,
            Stamp::Ctime => meta.ctime,
            Stamp::Mtime => meta.mtime,
        };
        match self.age {
            Some((limit, true)) => time <= limit,
            Some((limit, false)) => time >= limit,
            None => true,
        }
    }

    fn has_size(&self, meta: &Meta) -> bool {
        match self.size {
            Some((limit, true)) => meta.size >= limit,
            Some((limit, false)) => meta.size <= limit,
            None => true,
        }
    }

    fn has_mode(&self, meta: &Meta) -> bool {
        match self.mode {
            Some(mode) if self.exact_mode => meta.mode == mode,
            Some(mode) => meta.mode & mode != 0,
            None => true,
        }
    }

    fn has_content(&self, sys: &Sys, path: &Path) -> ModuleResult<Taken> {
        let Some(regex) = &self.contains else {
            return Ok(Taken::Yes);
        };
        // what cannot be read does not contain it
        let Ok(Some(bytes)) = sys.read(path) else {
            return Ok(Taken::No);
        };
        let bytes = match &self.encoding {
            Some(encoding) => match in_utf8(sys, encoding, bytes)? {
                Ok(bytes) => bytes,
                Err(taken) => return Ok(taken),
            },
            None => bytes,
        };
        let text = decode(&bytes);
        let is_text = std::str::from_utf8(&bytes).is_ok();
        let otherwise = if is_text { Taken::No } else { Taken::NoText };
        if self.whole {
            let found = is_text && regex.is_found(&text)?;
            return Ok(if found { Taken::Yes } else { otherwise });
        }
        for line in text.split_inclusive('\n') {
            if regex.matches_start(line)? {
                return Ok(Taken::Yes);
            }
        }
        Ok(otherwise)
    }
}

/// A text in UTF-8, by the machine's `iconv`, which knows what is written there.
fn in_utf8(sys: &Sys, encoding: &str, bytes: Vec<u8>) -> ModuleResult<Result<Vec<u8>, Taken>> {
    let mut command = Command::new(["iconv", "-f", encoding, "-t", "UTF-8"]).env("LC_ALL", "C");
    command.stdin = bytes;
    let output = sys.query(&command).map_err(|error| {
        Failure::new(format!(
            "encoding: `{encoding}` is read by iconv, which cannot be run: {error}"
        ))
    })?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    Ok(if output.ok() {
        Ok(output.stdout)
    } else if complaint.contains("illegal input") || complaint.contains("incomplete") {
        Err(Taken::NoText)
    } else {
        Err(Taken::UnknownEncoding)
    })
}

const AGES: &[(char, u64)] = &[
    ('s', 1),
    ('m', 60),
    ('h', 3600),
    ('d', 86_400),
    ('w', 604_800),
];
const SIZES: &[(char, u64)] = &[
    ('b', 1),
    ('k', 1 << 10),
    ('m', 1 << 20),
    ('g', 1 << 30),
    ('t', 1 << 40),
];

/// A number with a unit, and whether it means "at least".
fn measure(text: &str, units: &[(char, u64)], name: &str) -> ModuleResult<(u64, bool)> {
    let lower = text.trim().to_ascii_lowercase();
    let (digits, at_least) = match lower.strip_prefix('-') {
        Some(digits) => (digits, false),
        None => (lower.as_str(), true),
    };
    let (digits, unit) = match units.iter().find(|(letter, _)| digits.ends_with(*letter)) {
        Some((letter, unit)) => (digits.trim_end_matches(*letter), *unit),
        None => (digits, 1),
    };
    digits
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(unit))
        .map(|number| (number, at_least))
        .ok_or_else(|| Failure::new(format!("failed to process {name}: `{text}`")))
}
