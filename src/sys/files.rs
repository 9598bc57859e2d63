//! Looking at files.

use super::{Error, Meta, Result, Sys};
use sha1::Digest;
use std::io::Read;
use std::path::{Path, PathBuf};

impl Sys {
    /// The path with `~`, `~user` and `$VARS` expanded as the task's user sees them.
    pub fn expand(&self, path: &Path) -> PathBuf {
        let text = path.to_string_lossy();
        let text = self.expand_vars(&text);
        let Some(rest) = text.strip_prefix('~') else {
            return PathBuf::from(text);
        };
        let (user, tail) = rest.split_once('/').unwrap_or((rest, ""));
        let home = if user.is_empty() {
            self.env("HOME")
                .map(PathBuf::from)
                .or_else(|| self.me().ok().map(|me| me.home))
        } else {
            self.account(user)
                .ok()
                .flatten()
                .map(|account| account.home)
        };
        match home {
            Some(home) if tail.is_empty() => home,
            Some(home) => home.join(tail),
            None => PathBuf::from(text),
        }
    }

    fn expand_vars(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            let (before, after) = rest.split_at(at);
            out.push_str(before);
            let body = after.get(1..).unwrap_or_default();
            let (name, tail) = if let Some(braced) = body.strip_prefix('{') {
                match braced.split_once('}') {
                    Some((name, tail)) => (name, tail),
                    None => ("", body),
                }
            } else {
                let end = body
                    .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                    .unwrap_or(body.len());
                body.split_at(end)
            };
            if let (false, Some(value)) = (name.is_empty(), self.env(name)) {
                out.push_str(&value);
                rest = tail;
            } else {
                out.push('$');
                rest = body;
            }
        }
        out.push_str(rest);
        out
    }

    /// What the file is, or `None` if there is none. `follow` looks through a symbolic link.
    ///
    /// # Errors
    /// When it cannot be looked at (no permission, a file where a directory is needed is "none").
    pub fn stat(&self, path: &Path, follow: bool) -> Result<Option<Meta>> {
        let real = self.real_path(path);
        let meta = if follow {
            std::fs::metadata(&real)
        } else {
            std::fs::symlink_metadata(&real)
        };
        match meta {
            Ok(meta) => Ok(Some(Meta::from(&meta))),
            Err(e)
                if matches!(
                    e.kind(),
                    std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
                ) =>
            {
                Ok(None)
            }
            // a link that leads to itself leads nowhere
            Err(source) if source.raw_os_error() == Some(libc::ELOOP) => Ok(None),
            Err(source) => Err(Error::File {
                what: "cannot look at",
                path: path.to_owned(),
                source,
            }),
        }
    }

    /// Whether something is there (a dangling link counts).
    pub fn exists(&self, path: &Path) -> bool {
        matches!(self.stat(path, false), Ok(Some(_)))
    }

    /// The content, or `None` if there is no such file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(&self, path: &Path) -> Result<Option<Vec<u8>>> {
        match std::fs::read(self.real_path(path)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::File {
                what: "cannot read",
                path: path.to_owned(),
                source,
            }),
        }
    }

    /// The content as text (invalid UTF-8 replaced), or `None` if there is no such file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read_text(&self, path: &Path) -> Result<Option<String>> {
        Ok(self
            .read(path)?
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// An open file, for content that need not fit into memory.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(&self, path: &Path) -> Result<std::fs::File> {
        std::fs::File::open(self.real_path(path)).map_err(|source| Error::File {
            what: "cannot open",
            path: path.to_owned(),
            source,
        })
    }

    /// Names in a directory, sorted.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn list(&self, path: &Path) -> Result<Vec<std::ffi::OsString>> {
        let failed = |source| Error::File {
            what: "cannot list",
            path: path.to_owned(),
            source,
        };
        let mut names = std::fs::read_dir(self.real_path(path))
            .map_err(failed)?
            .map(|entry| entry.map(|e| e.file_name()))
            .collect::<std::io::Result<Vec<_>>>()
            .map_err(failed)?;
        names.sort();
        Ok(names)
    }

    /// Where a symbolic link points to, as written in it.
    ///
    /// # Errors
    /// When it is none or cannot be read.
    pub fn read_link(&self, path: &Path) -> Result<PathBuf> {
        std::fs::read_link(self.real_path(path)).map_err(|source| Error::File {
            what: "cannot read the link",
            path: path.to_owned(),
            source,
        })
    }

    /// The path with all links resolved, if it exists.
    pub fn canonical(&self, path: &Path) -> Option<PathBuf> {
        let real = std::fs::canonicalize(self.real_path(path)).ok()?;
        match &self.root {
            Some(root) => {
                let root = std::fs::canonicalize(root).ok()?;
                real.strip_prefix(root)
                    .ok()
                    .map(|rest| Path::new("/").join(rest))
            }
            None => Some(real),
        }
    }

    /// Whether the task's user may do this (`libc::R_OK`, `W_OK`, `X_OK`).
    pub fn may(&self, path: &Path, what: i32) -> bool {
        let flags = nix::unistd::AccessFlags::from_bits_truncate(what);
        nix::unistd::access(&self.real_path(path), flags).is_ok()
    }

    /// A digest of the content in hexadecimal, `None` if there is no such file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn digest<D: Digest>(&self, path: &Path) -> Result<Option<String>> {
        if self.stat(path, true)?.is_none() {
            return Ok(None);
        }
        let mut file = self.open(path)?;
        let mut digest = D::new();
        let mut buffer = vec![0; 1 << 16];
        loop {
            match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => digest.update(buffer.get(..n).unwrap_or_default()),
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(source) => {
                    return Err(Error::File {
                        what: "cannot read",
                        path: path.to_owned(),
                        source,
                    });
                }
            }
        }
        Ok(Some(hex(&digest.finalize())))
    }

    /// SHA-1 of the content, which Ansible's results call `checksum`.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn sha1(&self, path: &Path) -> Result<Option<String>> {
        self.digest::<sha1::Sha1>(path)
    }

    /// SHA-256 of the content.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn sha256(&self, path: &Path) -> Result<Option<String>> {
        self.digest::<sha2::Sha256>(path)
    }
}

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}
