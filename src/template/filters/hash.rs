//! Checksums and password hashes.

use super::lists::Random;
use super::{Filter, old_crypt};
use crate::template::call::{Call, fail};
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
        "bcrypt" | "blowfish" => old_crypt::bcrypt(
            password.as_bytes(),
            &salt,
            ident.as_deref().unwrap_or("2b"),
            rounds.unwrap_or(12),
        ),
        _ => crypt(&kind, &password, &salt, rounds),
    };
    hashed.map(Val::from).or_else(fail)
}

/// The crypt(3) hash of a password.
///
/// # Errors
/// For schemes other than those of SHA, MD5 and Blowfish, and for salts that crypt does not take.
pub(crate) fn crypt(
    kind: &str,
    password: &str,
    salt: &str,
    rounds: Option<i64>,
) -> Result<String, String> {
    match kind {
        "md5" | "md5_crypt" => return old_crypt::md5_crypt(password.as_bytes(), salt, "$1$"),
        "apr_md5_crypt" => return old_crypt::md5_crypt(password.as_bytes(), salt, "$apr1$"),
        "bcrypt" | "blowfish" => {
            return old_crypt::bcrypt(password.as_bytes(), salt, "2b", rounds.unwrap_or(12));
        }
        _ => {}
    }
    if salt.len() > 16 || !salt.bytes().all(|byte| ALPHABET.contains(&byte)) {
        return Err(format!(
            "invalid salt {salt:?}: up to 16 of the characters ./0-9A-Za-z are allowed"
        ));
    }
    // the library that Ansible uses has defaults of its own
    let count = rounds.unwrap_or(match kind {
        "sha256" | "sha256_crypt" => 535_000,
        _ => 656_000,
    });
    let number = u32::try_from(count).map_err(|_| format!("invalid rounds {count}"))?;
    let params = sha_crypt::Params::new(number)
        .map_err(|_| format!("invalid rounds {count}: 1000 to 999999999 are allowed"))?;
    let mark = if count == 5000 {
        String::new()
    } else {
        format!("rounds={count}$")
    };
    match kind {
        "sha512" | "sha512_crypt" => {
            let raw = sha_crypt::sha512_crypt(password.as_bytes(), salt.as_bytes(), params);
            Ok(format!("$6${mark}{salt}${}", encode(&raw, &ORDER_512)))
        }
        "sha256" | "sha256_crypt" => {
            let raw = sha_crypt::sha256_crypt(password.as_bytes(), salt.as_bytes(), params);
            Ok(format!("$5${mark}{salt}${}", encode(&raw, &ORDER_256)))
        }
        other => Err(format!(
            "the password hash `{other}` is not supported, only sha256, sha512, md5, apr_md5_crypt and bcrypt are"
        )),
    }
}

/// The order in which crypt writes the bytes: three at a time, the last group shorter.
const ORDER_512: [&[usize]; 22] = [
    &[0, 21, 42],
    &[22, 43, 1],
    &[44, 2, 23],
    &[3, 24, 45],
    &[25, 46, 4],
    &[47, 5, 26],
    &[6, 27, 48],
    &[28, 49, 7],
    &[50, 8, 29],
    &[9, 30, 51],
    &[31, 52, 10],
    &[53, 11, 32],
    &[12, 33, 54],
    &[34, 55, 13],
    &[56, 14, 35],
    &[15, 36, 57],
    &[37, 58, 16],
    &[59, 17, 38],
    &[18, 39, 60],
    &[40, 61, 19],
    &[62, 20, 41],
    &[63],
];
const ORDER_256: [&[usize]; 11] = [
    &[0, 10, 20],
    &[21, 1, 11],
    &[12, 22, 2],
    &[3, 13, 23],
    &[24, 4, 14],
    &[15, 25, 5],
    &[6, 16, 26],
    &[27, 7, 17],
    &[18, 28, 8],
    &[9, 19, 29],
    &[31, 30],
];

pub(super) fn encode(raw: &[u8], order: &[&[usize]]) -> String {
    let mut out = String::new();
    for group in order {
        let mut word = group.iter().fold(0u32, |word, i| {
            (word << 8) | u32::from(raw.get(*i).copied().unwrap_or(0))
        });
        for _ in 0..=group.len() {
            let digit = ALPHABET
                .get((word & 0x3f) as usize)
                .copied()
                .unwrap_or(b'.');
            out.push(char::from(digit));
            word >>= 6;
        }
    }
    out
}
