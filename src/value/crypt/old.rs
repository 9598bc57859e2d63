//! The hashes of passwords that are not made of SHA: MD5 and Blowfish.
//!
//! Source: crypt(5), and the documentation of Python's library passlib, whose defaults Ansible takes.

use blowfish::Blowfish;
use md5::{Digest, Md5};

const DOTS_FIRST: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const LETTERS_FIRST: &[u8; 64] =
    b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// What is encrypted with a key that is made of the password.
const MAGIC: &[u8; 24] = b"OrpheanBeholderScryDoubt";

/// `$1$…`, or with another mark what some servers make of it (`$apr1$`).
pub(super) fn md5_crypt(password: &[u8], salt: &str, mark: &str) -> Result<String, String> {
    if salt.len() > 8 || !salt.bytes().all(|byte| DOTS_FIRST.contains(&byte)) {
        return Err(format!(
            "invalid salt {salt:?}: up to 8 of the characters ./0-9A-Za-z are allowed"
        ));
    }
    let salt_bytes = salt.as_bytes();
    let other = Md5::digest([password, salt_bytes, password].concat());
    let mut first = [password, mark.as_bytes(), salt_bytes].concat();
    first.extend(other.iter().cycle().take(password.len()));
    let mut bits = password.len();
    while bits > 0 {
        first.push(if bits & 1 == 1 {
            0
        } else {
            password.first().copied().unwrap_or_default()
        });
        bits >>= 1;
    }
    let mut state: Vec<u8> = Md5::digest(&first).to_vec();
    for round in 0..1000 {
        let mut text = Vec::new();
        let odd = round & 1 == 1;
        text.extend_from_slice(if odd { password } else { &state });
        if round % 3 != 0 {
            text.extend_from_slice(salt_bytes);
        }
        if round % 7 != 0 {
            text.extend_from_slice(password);
        }
        text.extend_from_slice(if odd { &state } else { password });
        state = Md5::digest(&text).to_vec();
    }
    let order: [&[usize]; 6] = [
        &[0, 6, 12],
        &[1, 7, 13],
        &[2, 8, 14],
        &[3, 9, 15],
        &[4, 10, 5],
        &[11],
    ];
    Ok(format!("{mark}{salt}${}", super::encode(&state, &order)))
}

/// `$2b$…`: bcrypt with `2^cost` rounds. The salt has 22 characters.
///
/// # Errors
/// When the salt, the mark or the cost is none.
pub fn bcrypt(password: &[u8], salt: &str, ident: &str, cost: i64) -> Result<String, String> {
    if !matches!(ident, "2" | "2a" | "2b" | "2y") {
        return Err(format!("invalid ident {ident:?}"));
    }
    let cost = u32::try_from(cost)
        .ok()
        .filter(|cost| (4..=31).contains(cost))
        .ok_or_else(|| format!("bcrypt: rounds must be 4 to 31, not {cost}"))?;
    let salt = read(salt)
        .filter(|bytes| bytes.len() == 16)
        .ok_or("bcrypt requires a salt of exactly 22 of the characters ./A-Za-z0-9")?;
    let mut key = password.to_vec();
    key.push(0);
    key.truncate(72);
    let mut state = Blowfish::bc_init_state();
    state.salted_expand_key(&salt, &key);
    for _ in 0..1u64 << cost {
        state.bc_expand_key(&key);
        state.bc_expand_key(&salt);
    }
    let mut out = Vec::new();
    for block in MAGIC.chunks(8) {
        let word = |at: usize| {
            let bytes = block.get(at..at + 4).unwrap_or_default();
            bytes
                .iter()
                .fold(0u32, |word, byte| (word << 8) | u32::from(*byte))
        };
        let mut words = [word(0), word(4)];
        for _ in 0..64 {
            words = state.bc_encrypt(words);
        }
        out.extend(words.iter().flat_map(|word| word.to_be_bytes()));
    }
    out.truncate(23);
    Ok(format!(
        "${ident}${cost:02}${}{}",
        write(&salt),
        write(&out)
    ))
}

fn read(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let (mut word, mut bits) = (0u32, 0);
    for byte in text.bytes() {
        let digit = LETTERS_FIRST.iter().position(|known| *known == byte)?;
        word = (word << 6 | u32::try_from(digit).ok()?) & 0xffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push(u8::try_from((word >> bits) & 0xff).ok()?);
        }
    }
    Some(out)
}

fn write(bytes: &[u8]) -> String {
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let word = (0..3).fold(0usize, |word, at| {
            word << 8 | usize::from(group.get(at).copied().unwrap_or_default())
        });
        for at in 0..=group.len() {
            let digit = LETTERS_FIRST.get(word >> (18 - 6 * at) & 63);
            out.push(char::from(digit.copied().unwrap_or(b'.')));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{bcrypt, md5_crypt};

    #[test]
    fn hashes_are_those_of_crypt() {
        assert_eq!(
            md5_crypt(b"test", "mysalt12", "$1$").unwrap(),
            "$1$mysalt12$EA7dAbVBAhwzm6ajZrz1h/"
        );
        assert_eq!(
            bcrypt(b"U*U", "CCCCCCCCCCCCCCCCCCCCC.", "2a", 5).unwrap(),
            "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"
        );
        assert!(bcrypt(b"x", "short", "2b", 5).is_err());
        assert!(bcrypt(b"x", "CCCCCCCCCCCCCCCCCCCCC.", "2b", 3).is_err());
    }
}
