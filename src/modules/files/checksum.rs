//! The digests that users choose from.

use crate::choices;
use crate::sys::{Result, Sys};
use std::path::Path;

choices! {
    /// A digest.
    pub enum Algorithm {
        /// MD5.
        Md5 = "md5",
        /// SHA-1.
        Sha1 = "sha1",
        /// SHA-224.
        Sha224 = "sha224",
        /// SHA-256.
        Sha256 = "sha256",
        /// SHA-384.
        Sha384 = "sha384",
        /// SHA-512.
        Sha512 = "sha512",
    }
}

impl Algorithm {
    /// The digest of a file in hexadecimal, `None` if there is no such file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn digest(self, sys: &Sys, path: &Path) -> Result<Option<String>> {
        match self {
            Self::Md5 => sys.digest::<md5::Md5>(path),
            Self::Sha1 => sys.digest::<sha1::Sha1>(path),
            Self::Sha224 => sys.digest::<sha2::Sha224>(path),
            Self::Sha256 => sys.digest::<sha2::Sha256>(path),
            Self::Sha384 => sys.digest::<sha2::Sha384>(path),
            Self::Sha512 => sys.digest::<sha2::Sha512>(path),
        }
    }
}
