//! Modules of the user's own, made ready to travel: what kind they are, and everything that they need beside them.
//!
//! Source: Ansible's documentation, "Ansible module architecture" (types of modules) and "Using and developing module
//! utilities".

mod python;

use super::content::Content;
use super::shared;
use crate::diag::io_reason;
use std::path::{Path, PathBuf};

/// How a module takes its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A program: its argument is the path of a JSON file.
    Binary,
    /// Python that imports `ansible.module_utils`.
    Python,
    /// A script that says WANT_JSON: its argument is the path of a JSON file.
    WantJson,
    /// A script that the arguments are written into.
    JsonArgs,
    /// Any other script: its argument is the path of a file with `key=value` words.
    Old,
}

impl Kind {
    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Binary => "binary",
            Self::Python => "python",
            Self::WantJson => "want_json",
            Self::JsonArgs => "json_args",
            Self::Old => "old",
        }
    }
}

/// A module of the user's own.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Its name: short, or with its collection.
    pub name: &'a str,
    /// Its file.
    pub path: &'a Path,
    /// Its collection, if it is in one.
    pub collection: Option<&'a str>,
    /// Directories of Python code that modules share.
    pub module_utils: &'a [PathBuf],
    /// Directories that hold collections.
    pub collection_roots: &'a [PathBuf],
}

/// A module that is ready to travel.
#[derive(Clone, Debug)]
pub struct Packed {
    /// How it takes its arguments.
    pub kind: Kind,
    /// SHA-256 of the content.
    pub sha256: String,
    /// The module's file; for [`Kind::Python`] an archive with it and the code that it imports.
    pub content: Content,
    /// The words of its `#!` line.
    pub shebang: Vec<String>,
    /// The name that Python imports it by.
    pub python_name: String,
}

const REPLACED: &str = "#<<INCLUDE_ANSIBLE_MODULE_COMMON>>";
const JSON_ARGS: &str = "<<INCLUDE_ANSIBLE_MODULE_JSON_ARGS>>";

/// Reads a module and makes it ready.
///
/// # Errors
/// When it cannot be read, or is for another system (a sentence that says so).
pub fn pack(wanted: &Wanted<'_>) -> Result<Packed, String> {
    let bytes = std::fs::read(wanted.path).map_err(|e| {
        let path = wanted.path.display();
        format!("cannot read the module {path}: {}", io_reason(&e))
    })?;
    let text = String::from_utf8_lossy(&bytes);
    let kind = kind_of(&bytes, &text).ok_or_else(|| {
        format!(
            "the module `{}` ({}) is written for PowerShell, which runbook does not run",
            wanted.name,
            wanted.path.display()
        )
    })?;
    let shebang = match kind {
        Kind::Binary => Vec::new(),
        _ => shebang(&text),
    };
    let python_name = python::import_name(wanted);
    let (sha256, content) = match kind {
        Kind::Python => {
            let text = text.replace(REPLACED, "from ansible.module_utils.basic import *");
            shared(python::archive(wanted, &python_name, &text)?)
        }
        _ => shared(bytes),
    };
    Ok(Packed {
        kind,
        sha256,
        content,
        shebang,
        python_name,
    })
}

/// `None` for what is not for Unix.
fn kind_of(bytes: &[u8], text: &str) -> Option<Kind> {
    let is_text = |byte: &u8| matches!(byte, 7..=10 | 12 | 13 | 27 | 0x20..=0x7e | 0x80..=0xff);
    if !bytes.iter().take(1024).all(is_text) {
        return Some(Kind::Binary);
    }
    if text.contains(REPLACED) || python::imports_shared_code(text) {
        return Some(Kind::Python);
    }
    let lower = text.to_lowercase();
    let windows = [
        "# powershell_common",
        "#requires -module",
        "#requires -version",
    ];
    if windows.iter().any(|mark| lower.contains(mark)) || lower.contains("#ansiblerequires -") {
        return None;
    }
    Some(if text.contains(JSON_ARGS) {
        Kind::JsonArgs
    } else if text.contains("WANT_JSON") {
        Kind::WantJson
    } else {
        Kind::Old
    })
}

fn shebang(text: &str) -> Vec<String> {
    let line = text.lines().next().and_then(|line| line.strip_prefix("#!"));
    let words = line.map(|line| line.split_whitespace().map(str::to_owned).collect());
    words.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_by_what_is_in_the_file() {
        let kind = |text: &str| kind_of(text.as_bytes(), text);
        assert_eq!(kind("\x7fELF\0\0"), Some(Kind::Binary));
        assert_eq!(
            kind("#!/usr/bin/python\nfrom ansible.module_utils.basic import AnsibleModule\n"),
            Some(Kind::Python)
        );
        assert_eq!(
            kind("from ..module_utils.mine import x\n"),
            Some(Kind::Python)
        );
        assert_eq!(
            kind("import os\n#<<INCLUDE_ANSIBLE_MODULE_COMMON>>\n"),
            Some(Kind::Python)
        );
        assert_eq!(kind("#!/bin/sh\n# WANT_JSON\n"), Some(Kind::WantJson));
        assert_eq!(
            kind("#!/bin/sh\nargs='<<INCLUDE_ANSIBLE_MODULE_JSON_ARGS>>'\n"),
            Some(Kind::JsonArgs)
        );
        assert_eq!(kind("#!/bin/sh\n. \"$1\"\n"), Some(Kind::Old));
        assert_eq!(kind("#Requires -Module Ansible.ModuleUtils.Legacy\n"), None);
        assert_eq!(kind("#!/bin/sh\n# äöü\n. \"$1\"\n"), Some(Kind::Old));
    }

    #[test]
    fn the_first_line_names_the_interpreter() {
        assert_eq!(
            shebang("#!/usr/bin/env  perl -w\nx"),
            ["/usr/bin/env", "perl", "-w"]
        );
        assert!(shebang("x\n#!/bin/sh").is_empty());
    }
}
