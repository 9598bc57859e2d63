//! Checksums and password hashes.

use super::Filter;
use super::random::Random;
use crate::template::call::{Call, fail};
use crate::value::{bcrypt, crypt};
use minijinja::Error;
use minijinja::value::Value as Val;
use sha2::Digest;
use std::fmt::Write as _;

pub(super) const TABLE: &[(&str, Filter)] = &[
    ("md5", |c| Ok(Val::from(digest("md5", &c.text()?)?))),
    ("sha1", |c| Ok(Val::from(digest("sha1", &c.text()?)?))),
    ("checksum", |c| Ok(Val::from(digest("sha1", &c.text()?)?))),
    ("hash", |c| {
        let kind = c
            .args
            .opt_text("hashtype")?
            .unwrap_or_else(|| "sha1".into());
        Ok(Val::from(digest(&kind, &c.text()?)?))
    }),
    ("password_hash", password_hash),
];

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// The hexadecimal digest of a text.
pub(crate) fn digest(kind: &str, text: &str) -> Result<String, Error> {
    let bytes = text.as_bytes();
    Ok(match kind {
        "md5" => hex(&md5::Md5::digest(bytes)),
        "sha1" => hex(&sha1::Sha1::digest(bytes)),
        "sha224" => hex(&sha2::Sha224::digest(bytes)),
        "sha256" => hex(&sha2::Sha256::digest(bytes)),
        "sha384" => hex(&sha2::Sha384::digest(bytes)),
        "sha512" => hex(&sha2::Sha512::digest(bytes)),
        other => return fail(format!("unsupported hash type {other}")),
    })
}

const ALPHABET: &[u8] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A random salt for crypt.
pub(crate) fn salt(len: usize) -> String {
    let mut random = Random::new(None);
    (0..len)
        .filter_map(|_| ALPHABET.get(random.below(ALPHABET.len())))
        .map(|byte| char::from(*byte))
        .collect()
}

/// `password_hash(hashtype='sha512', salt=None, salt_size=None, rounds=None, ident=None)`.
fn password_hash(call: &mut Call) -> Result<Val, Error> {
    let kind = call
        .args
        .opt_text("hashtype")?
        .unwrap_or_else(|| "sha512".into());
    let given = call.args.opt_text("salt")?;
    let size = call.args.int("salt_size", Some(16))?;
    let rounds = call
        .args
        .opt("rounds")?
        .and_then(|value| crate::template::call::int_of(&value));
    let ident = call.args.opt_text("ident")?;
    let length = match kind.as_str() {
        "bcrypt" | "blowfish" => 22,
        "md5" | "md5_crypt" | "apr_md5_crypt" => 8,
        _ => usize::try_from(size).unwrap_or(16).clamp(1, 16),
    };
    let salt = given.unwrap_or_else(|| salt(length));
    let password = match call.input.as_str() {
        Some(password) => password.to_owned(),
        None if call.input.is_undefined() => return Err(Error::undefined(&call.input)),
        None => {
            return fail(format!(
                "secret must be unicode or bytes, not {}",
                crate::template::call::type_name(&call.input)
            ));
        }
    };
    let hashed = match kind.as_str() {
        "bcrypt" | "blowfish" => bcrypt(
            password.as_bytes(),
            &salt,
            ident.as_deref().unwrap_or("2b"),
            rounds.unwrap_or(12),
        ),
        _ => crypt(&kind, &password, &salt, rounds),
    };
    hashed.map(Val::from).or_else(fail)
}
