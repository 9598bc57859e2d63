//! Hashes of passwords as crypt(3) has them.
//!
//! Source: crypt(5), and the documentation of Python's library passlib, whose defaults Ansible takes.

mod old;

pub use old::bcrypt;

use old::md5_crypt;

/// The characters of hashes and salts, in their order.
const ALPHABET: &[u8] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The crypt(3) hash of a password.
///
/// # Errors
/// For schemes other than those of SHA, MD5 and Blowfish, and for salts that crypt does not take.
pub fn crypt(
    kind: &str,
    password: &str,
    salt: &str,
    rounds: Option<i64>,
) -> Result<String, String> {
    match kind {
        "md5" | "md5_crypt" => return md5_crypt(password.as_bytes(), salt, "$1$"),
        "apr_md5_crypt" => return md5_crypt(password.as_bytes(), salt, "$apr1$"),
        "bcrypt" | "blowfish" => {
            return bcrypt(password.as_bytes(), salt, "2b", rounds.unwrap_or(12));
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
        other => Err(unknown(other)),
    }
}

/// Why a scheme is refused. Those that take a user's name beside the password are told in words that playbooks look for.
fn unknown(kind: &str) -> String {
    match kind {
        "msdcc" | "msdcc2" | "oracle10" | "postgres_md5" => format!(
            "{kind} is not in the list of supported passlib algorithms: md5, blowfish, sha256, sha512"
        ),
        _ => format!(
            "the password hash `{kind}` is not supported, only sha256, sha512, md5, apr_md5_crypt and bcrypt are"
        ),
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

fn encode(raw: &[u8], order: &[&[usize]]) -> String {
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
