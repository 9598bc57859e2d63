//! The little of OpenPGP that names keys: their ids and fingerprints.
//!
//! Source: RFC 4880, sections 4.2 (packets), 5.5.2 (public keys), 6.2 (armor) and 12.2 (fingerprints).

use base64::Engine;
use sha1::{Digest, Sha1};

/// A public key, or a subkey of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PublicKey {
    /// Its fingerprint: 40 hexadecimal digits in capitals.
    pub fingerprint: String,
    /// Whether it belongs to the key before it.
    pub is_subkey: bool,
}

impl PublicKey {
    /// The last 16 digits of its fingerprint.
    pub(super) fn id(&self) -> &str {
        let at = self.fingerprint.len().saturating_sub(16);
        self.fingerprint.get(at..).unwrap_or_default()
    }
}

const PUBLIC_KEY: u8 = 6;
const PUBLIC_SUBKEY: u8 = 14;

/// The keys of a file or of a text with armored blocks; none where there are none.
pub(super) fn keys(content: &[u8]) -> Vec<PublicKey> {
    let text = String::from_utf8_lossy(content);
    if !text.contains("-----BEGIN PGP PUBLIC KEY BLOCK-----") {
        return packets(content);
    }
    text.split("-----BEGIN PGP PUBLIC KEY BLOCK-----")
        .skip(1)
        .filter_map(|block| block.split("-----END PGP PUBLIC KEY BLOCK-----").next())
        .flat_map(|block| packets(&unarmored(block)))
        .collect()
}

/// The bytes of an armored block: what is between the headers and the checksum.
fn unarmored(block: &str) -> Vec<u8> {
    let mut lines = block.lines().map(str::trim).skip(1).peekable();
    while lines.next_if(|line| line.contains(": ")).is_some() {}
    let body: String = lines
        .filter(|line| !line.is_empty())
        .take_while(|line| !line.starts_with('='))
        .collect();
    base64::engine::general_purpose::STANDARD
        .decode(body)
        .unwrap_or_default()
}

fn packets(mut bytes: &[u8]) -> Vec<PublicKey> {
    let mut keys = Vec::new();
    while let Some((tag, body, rest)) = packet(bytes) {
        bytes = rest;
        // version 4; older ones have no such fingerprint
        if !matches!(tag, PUBLIC_KEY | PUBLIC_SUBKEY) || body.first() != Some(&4) {
            continue;
        }
        let Ok(length) = u16::try_from(body.len()) else {
            continue;
        };
        let digest = Sha1::new()
            .chain_update([0x99])
            .chain_update(length.to_be_bytes())
            .chain_update(body)
            .finalize();
        keys.push(PublicKey {
            fingerprint: crate::sys::hex(&digest).to_uppercase(),
            is_subkey: tag == PUBLIC_SUBKEY,
        });
    }
    keys
}

/// The first packet: its tag, its body, and what follows.
fn packet(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let number = |digits: &[u8]| {
        digits
            .iter()
            .fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte))
    };
    let (tag, length, rest) = if first & 0xc0 == 0xc0 {
        let (length, rest) = match *rest.first()? {
            short @ 0..=191 => (usize::from(short), rest.get(1..)?),
            middle @ 192..=223 => {
                let second = usize::from(*rest.get(1)?);
                (
                    (usize::from(middle) - 192) * 256 + second + 192,
                    rest.get(2..)?,
                )
            }
            255 => (number(rest.get(1..5)?), rest.get(5..)?),
            // in pieces: keys never are
            _ => return None,
        };
        (first & 0x3f, length, rest)
    } else if first & 0x80 != 0 {
        let (length, rest) = match first & 3 {
            0 => (number(rest.get(..1)?), rest.get(1..)?),
            1 => (number(rest.get(..2)?), rest.get(2..)?),
            2 => (number(rest.get(..4)?), rest.get(4..)?),
            _ => (rest.len(), rest),
        };
        (first >> 2 & 0x0f, length, rest)
    } else {
        return None;
    };
    let (body, rest) = rest.split_at_checked(length)?;
    Some((tag, body, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_named_as_gpg_names_them() {
        let found = keys(include_bytes!("../../../tests/modules/rpm_key/key.asc"));
        let prints: Vec<(&str, bool)> = found
            .iter()
            .map(|key| (key.fingerprint.as_str(), key.is_subkey))
            .collect();
        assert_eq!(
            prints,
            [
                ("7E5E938CBCDECD7A35E4B1FB9A052C315E2542DD", false),
                ("E9CC84C55953BEFD626C347106908DF23E0E373B", true)
            ]
        );
        assert_eq!(
            found[0].id(),
            &"7E5E938CBCDECD7A35E4B1FB9A052C315E2542DD"[24..]
        );
        let text =
            String::from_utf8_lossy(include_bytes!("../../../tests/modules/rpm_key/key.asc"))
                .into_owned();
        assert_eq!(keys(format!("{text}\n{text}").as_bytes()).len(), 4);
        assert!(keys(b"no key").is_empty() && keys(b"\x99\xff\xff").is_empty());
    }
}
