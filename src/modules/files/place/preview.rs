//! Contents as diffs show them.

use crate::modules::ModuleResult;
use crate::result::Diff;
use crate::sys::{Sys, hex};
use sha1::Digest;
use std::path::Path;

/// Contents above this size (in bytes) are not shown; it is the default of Ansible's `max_diff_size`.
pub const MAX_DIFF_SIZE: u64 = 104_448;

/// A content as text for a diff: `[binary]` with its size and the start of its digest (so that two of them
/// differ) where it is no text.
pub fn preview(bytes: &[u8]) -> String {
    if bytes.len() as u64 > MAX_DIFF_SIZE {
        return too_large(bytes.len() as u64);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if !bytes.contains(&0) => text.to_owned(),
        _ => {
            let digest = hex(&sha2::Sha256::digest(bytes));
            format!(
                "[binary] {} bytes, sha256 {}\n",
                bytes.len(),
                digest.get(..12).unwrap_or(&digest)
            )
        }
    }
}

/// What stands for a content that is too large to show.
pub(super) fn too_large(size: u64) -> String {
    format!("[not shown: {size} bytes are more than {MAX_DIFF_SIZE}]\n")
}

/// A file's content as text for a diff; `None` if there is no such file.
pub(super) fn of_file(sys: &Sys, path: &Path) -> ModuleResult<Option<String>> {
    let Some(meta) = sys.stat(path, true)? else {
        return Ok(None);
    };
    if meta.size > MAX_DIFF_SIZE {
        return Ok(Some(too_large(meta.size)));
    }
    Ok(match sys.read_up_to(path, MAX_DIFF_SIZE)? {
        Some((bytes, true)) => Some(preview(&bytes)),
        Some((_, false)) => Some(too_large(meta.size)),
        None => None,
    })
}

/// The diff of a content; `None` for a side that does not exist.
pub fn content_diff(path: &Path, before: Option<&[u8]>, after: Option<&[u8]>) -> Diff {
    Diff::new(
        path.to_string_lossy(),
        before.map(preview),
        after.map(preview),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary_and_large_contents_are_not_shown() {
        assert_eq!(preview(b"a\n"), "a\n");
        assert!(preview(b"a\0").starts_with("[binary] 2 bytes"));
        assert_ne!(preview(b"a\0"), preview(b"b\0"));
        assert!(preview(&vec![b'a'; 104_449]).starts_with("[not shown"));
        assert!(preview(&vec![b'a'; 104_448]).starts_with("aaa"));
    }
}
