//! The type of a content by its first bytes: the few that matter, not all that `file` knows.

use crate::modules::ModuleResult;
use crate::sys::{FileKind, Meta, Special, Sys};
use std::path::Path;

const MAGIC: &[(&[u8], &str)] = &[
    (b"\x1f\x8b", "application/gzip"),
    (b"BZh", "application/x-bzip2"),
    (b"\xfd7zXZ\0", "application/x-xz"),
    (b"\x28\xb5\x2f\xfd", "application/zstd"),
    (b"PK\x03\x04", "application/zip"),
    (b"PK\x05\x06", "application/zip"),
    (b"\x7fELF", "application/x-executable"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"!<arch>\ndebian", "application/vnd.debian.binary-package"),
    (b"!<arch>\n", "application/x-archive"),
    (b"\xed\xab\xee\xdb", "application/x-rpm"),
    (b"SQLite format 3\0", "application/vnd.sqlite3"),
];

const TEXT_MAGIC: &[(&[u8], &str)] = &[
    (b"#!/bin/sh", "text/x-shellscript"),
    (b"#!/bin/bash", "text/x-shellscript"),
    (b"#!/usr/bin/env bash", "text/x-shellscript"),
    (b"#!/usr/bin/env python", "text/x-script.python"),
    (b"#!/usr/bin/python", "text/x-script.python"),
    (b"<?xml", "text/xml"),
    (b"<!DOCTYPE html", "text/html"),
    (b"-----BEGIN CERTIFICATE", "text/plain"),
];

/// The type and the character set (`binary` for what is no text).
pub(super) fn mime_of(
    sys: &Sys,
    path: &Path,
    meta: &Meta,
) -> ModuleResult<(&'static str, &'static str)> {
    Ok(match meta.kind {
        FileKind::Directory => ("inode/directory", "binary"),
        FileKind::Link => ("inode/symlink", "binary"),
        FileKind::Other(Special::Block) => ("inode/blockdevice", "binary"),
        FileKind::Other(Special::Char) => ("inode/chardevice", "binary"),
        FileKind::Other(Special::Fifo) => ("inode/fifo", "binary"),
        FileKind::Other(Special::Socket) => ("inode/socket", "binary"),
        FileKind::File if !sys.may(path, libc::R_OK) => ("unknown", "unknown"),
        FileKind::File => match sys.read_up_to(path, 1 << 16)? {
            Some((bytes, whole)) => of_bytes(&bytes, whole),
            None => ("unknown", "unknown"),
        },
    })
}

fn of_bytes(bytes: &[u8], whole: bool) -> (&'static str, &'static str) {
    if bytes.is_empty() {
        return ("inode/x-empty", "binary");
    }
    let found = |list: &[(&[u8], &'static str)]| {
        list.iter()
            .find(|(start, _)| bytes.starts_with(start))
            .map(|(_, mime)| *mime)
    };
    if let Some(mime) = found(MAGIC) {
        return (mime, "binary");
    }
    if bytes.get(257..262) == Some(b"ustar") {
        return ("application/x-tar", "binary");
    }
    let is_text = !bytes.contains(&0);
    let charset = match std::str::from_utf8(bytes) {
        Ok(text) if text.is_ascii() => "us-ascii",
        Ok(_) => "utf-8",
        // cut in the middle of a character
        Err(e) if !whole && e.error_len().is_none() => "utf-8",
        Err(_) if is_text => "unknown-8bit",
        Err(_) => "binary",
    };
    if !is_text || charset == "binary" {
        return ("application/octet-stream", "binary");
    }
    let json = whole
        && matches!(bytes.first(), Some(b'{' | b'['))
        && serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok();
    if json {
        return ("application/json", charset);
    }
    (found(TEXT_MAGIC).unwrap_or("text/plain"), charset)
}

#[cfg(test)]
mod tests {
    use super::of_bytes;

    #[test]
    fn first_bytes_tell() {
        assert_eq!(of_bytes(b"", true).0, "inode/x-empty");
        assert_eq!(of_bytes(b"hi\n", true), ("text/plain", "us-ascii"));
        assert_eq!(of_bytes("hé\n".as_bytes(), true), ("text/plain", "utf-8"));
        assert_eq!(of_bytes(b"{\"a\": 1}", true).0, "application/json");
        assert_eq!(of_bytes(b"\x1f\x8b\x08", true).0, "application/gzip");
        assert_eq!(of_bytes(b"a\0b", true).1, "binary");
    }
}
