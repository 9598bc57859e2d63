//! Extended attributes: access control lists, SELinux contexts, capabilities.

use std::ffi::CString;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Copies the extended attributes of a file to an open one, as far as the file system and the user's rights allow: what
/// replaces a file keeps its access control list and its SELinux context. Capabilities belong to the old content.
pub(super) fn copy_xattrs(from: &Path, to: &std::fs::File) {
    let Ok(path) = CString::new(from.as_os_str().as_bytes()) else {
        return;
    };
    for name in names(&path) {
        if name.as_bytes() == b"security.capability" || name.as_bytes() == b"security.ima" {
            continue;
        }
        if let Some(value) = value(&path, &name) {
            // SAFETY: name is NUL-terminated, value is valid for its length, the descriptor is open.
            unsafe {
                libc::fsetxattr(
                    to.as_raw_fd(),
                    name.as_ptr(),
                    value.as_ptr().cast(),
                    value.len(),
                    0,
                );
            }
        }
    }
}

fn names(path: &CString) -> Vec<CString> {
    let mut buffer = vec![0_u8; 64 << 10];
    // SAFETY: path is NUL-terminated, the buffer is valid for its length.
    let length =
        unsafe { libc::listxattr(path.as_ptr(), buffer.as_mut_ptr().cast(), buffer.len()) };
    let Ok(length) = usize::try_from(length) else {
        return Vec::new();
    };
    buffer
        .get(..length)
        .unwrap_or_default()
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty())
        .filter_map(|name| CString::new(name).ok())
        .collect()
}

fn value(path: &CString, name: &CString) -> Option<Vec<u8>> {
    let mut buffer = vec![0_u8; 64 << 10];
    // SAFETY: both names are NUL-terminated, the buffer is valid for its length.
    let length = unsafe {
        libc::getxattr(
            path.as_ptr(),
            name.as_ptr(),
            buffer.as_mut_ptr().cast(),
            buffer.len(),
        )
    };
    buffer.truncate(usize::try_from(length).ok()?);
    Some(buffer)
}

#[cfg(test)]
mod tests {
    use crate::sys::{Sys, WriteOptions};
    use std::path::Path;

    #[test]
    fn a_replaced_file_keeps_its_extended_attributes() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("file");
        std::fs::write(&path, "old").expect("written");
        let file = std::fs::File::open(&path).expect("open");
        let name = std::ffi::CString::new("user.colour").expect("a name");
        // SAFETY: as above.
        let rc = unsafe {
            use std::os::fd::AsRawFd;
            libc::fsetxattr(
                file.as_raw_fd(),
                name.as_ptr(),
                c"blue".as_ptr().cast(),
                4,
                0,
            )
        };
        if rc != 0 {
            return; // the file system has none
        }
        let mut sys = Sys::real();
        sys.write(Path::new(&path), b"new", &WriteOptions::default())
            .expect("replaced");
        let c_path = std::ffi::CString::new(path.to_string_lossy().as_bytes()).expect("a path");
        assert_eq!(
            super::value(&c_path, &name).as_deref(),
            Some(b"blue".as_slice())
        );
    }
}
