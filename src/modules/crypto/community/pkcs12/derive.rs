//! Keys from passwords and what they open: PKCS#12's own way (RFC 7292, appendix B) and PKCS#5's.

use super::der::{Reader, oid_text};
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, InnerIvInit, KeyIvInit};
use hmac::{Hmac, Mac};
use pkcs5::EncryptionScheme;
use pkcs5::der::Decode;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

/// Rounds beyond this are no protection but an attack.
pub(super) const MOST_ROUNDS: u32 = 10_000_000;

/// What a derived key is for.
#[derive(Clone, Copy)]
enum Purpose {
    Key = 1,
    Iv = 2,
    Mac = 3,
}

/// Digests of the code that protects the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MacDigest {
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

impl MacDigest {
    const ALL: &'static [(&'static str, Self)] = &[
        ("1.3.14.3.2.26", Self::Sha1),
        ("2.16.840.1.101.3.4.2.4", Self::Sha224),
        ("2.16.840.1.101.3.4.2.1", Self::Sha256),
        ("2.16.840.1.101.3.4.2.2", Self::Sha384),
        ("2.16.840.1.101.3.4.2.3", Self::Sha512),
    ];

    pub(super) fn of(id: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(known, _)| *known == id);
        found.map(|(_, digest)| *digest)
    }

    pub(super) fn id(self) -> &'static str {
        let found = Self::ALL.iter().find(|(_, digest)| *digest == self);
        found.map_or("", |(id, _)| *id)
    }

    /// The code of `data` (RFC 7292, 4 and appendix B.4).
    pub(super) fn code(self, password: &[u8], salt: &[u8], rounds: u32, data: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => {
                let key = derive::<Sha1>(password, salt, Purpose::Mac, rounds, 20, 64);
                mac::<Hmac<Sha1>>(&key, data)
            }
            Self::Sha224 => {
                let key = derive::<Sha224>(password, salt, Purpose::Mac, rounds, 28, 64);
                mac::<Hmac<Sha224>>(&key, data)
            }
            Self::Sha256 => {
                let key = derive::<Sha256>(password, salt, Purpose::Mac, rounds, 32, 64);
                mac::<Hmac<Sha256>>(&key, data)
            }
            Self::Sha384 => {
                let key = derive::<Sha384>(password, salt, Purpose::Mac, rounds, 48, 128);
                mac::<Hmac<Sha384>>(&key, data)
            }
            Self::Sha512 => {
                let key = derive::<Sha512>(password, salt, Purpose::Mac, rounds, 64, 128);
                mac::<Hmac<Sha512>>(&key, data)
            }
        }
    }
}

fn mac<M: Mac + hmac::KeyInit>(key: &[u8], data: &[u8]) -> Vec<u8> {
    // a key of any length is taken
    let Ok(mac) = <M as hmac::KeyInit>::new_from_slice(key) else {
        return Vec::new();
    };
    mac.chain_update(data).finalize().into_bytes().to_vec()
}

/// A password as PKCS#12 digests it: UTF-16, the high byte first, with a zero at the end.
pub(super) fn wide(password: &str) -> Vec<u8> {
    let units = password.encode_utf16().chain([0]);
    units.flat_map(u16::to_be_bytes).collect()
}

/// `length` bytes from a wide password (RFC 7292, appendix B.2); `block` is the digest's block in bytes.
fn derive<D: Digest>(
    password: &[u8],
    salt: &[u8],
    purpose: Purpose,
    rounds: u32,
    length: usize,
    block: usize,
) -> Vec<u8> {
    let fill = |bytes: &[u8]| -> Vec<u8> {
        let length = bytes.len().div_ceil(block) * block;
        bytes.iter().copied().cycle().take(length).collect()
    };
    let diversifier = vec![purpose as u8; block];
    let mut input = [fill(salt), fill(password)].concat();
    let mut out = Vec::new();
    while out.len() < length {
        let mut hash = D::new()
            .chain_update(&diversifier)
            .chain_update(&input)
            .finalize()
            .to_vec();
        for _ in 1..rounds {
            hash = D::digest(&hash).to_vec();
        }
        out.extend_from_slice(&hash);
        let addend = fill(&hash);
        for chunk in input.chunks_mut(block) {
            let mut carry = 1_u16;
            for (byte, add) in chunk.iter_mut().zip(&addend).rev() {
                let sum = u16::from(*byte) + u16::from(*add) + carry;
                *byte = sum.to_be_bytes()[1];
                carry = sum >> 8;
            }
        }
    }
    out.truncate(length);
    out
}

/// The ciphers of PKCS#12's own scheme (appendix C).
pub(super) const TRIPLE_DES: &str = "1.2.840.113549.1.12.1.3";
const RC2_128: &str = "1.2.840.113549.1.12.1.5";
const RC2_40: &str = "1.2.840.113549.1.12.1.6";

/// What `algorithm` (an AlgorithmIdentifier) encrypted.
///
/// # Errors
/// When the algorithm is not known, or the password is wrong.
pub(in crate::modules::crypto) fn decrypt(
    algorithm: &[u8],
    password: &str,
    data: &[u8],
) -> Result<Vec<u8>, String> {
    let mut parts = Reader::new(Reader::new(algorithm).expect(0x30)?);
    let id = oid_text(parts.expect(0x06)?);
    let wrong = || "it cannot be decrypted: the passphrase is wrong".to_owned();
    if let TRIPLE_DES | RC2_128 | RC2_40 = id.as_str() {
        let mut parameters = Reader::new(parts.expect(0x30)?);
        let salt = parameters.expect(0x04)?;
        let rounds = rounds(parameters.expect(0x02)?)?;
        let secret =
            |purpose, length| derive::<Sha1>(&wide(password), salt, purpose, rounds, length, 64);
        let iv = secret(Purpose::Iv, 8);
        let opened = if id == TRIPLE_DES {
            cbc::Decryptor::<des::TdesEde3>::new_from_slices(&secret(Purpose::Key, 24), &iv)
                .ok()
                .and_then(|cipher| cipher.decrypt_padded_vec::<Pkcs7>(data).ok())
        } else {
            let bytes = if id == RC2_40 { 5 } else { 16 };
            let key = rc2::Rc2::new_with_eff_key_len(&secret(Purpose::Key, bytes), bytes * 8);
            cbc::Decryptor::inner_iv_slice_init(key, &iv)
                .ok()
                .and_then(|cipher| cipher.decrypt_padded_vec::<Pkcs7>(data).ok())
        };
        return opened.ok_or_else(wrong);
    }
    match EncryptionScheme::from_der(algorithm) {
        Ok(EncryptionScheme::Pbes2(parameters)) => {
            if let Some(kdf) = parameters.kdf.pbkdf2()
                && kdf.iteration_count > MOST_ROUNDS
            {
                return Err(format!("it has more than {MOST_ROUNDS} rounds"));
            }
            parameters
                .decrypt(password, data)
                .map_err(|error| match error {
                    pkcs5::Error::DecryptFailed | pkcs5::Error::EncryptFailed => wrong(),
                    other => format!("it cannot be decrypted: {other}"),
                })
        }
        _ => Err(format!("the encryption {id} is not built")),
    }
}

/// A number of rounds.
pub(super) fn rounds(bytes: &[u8]) -> Result<u32, String> {
    bytes
        .iter()
        .try_fold(0_u32, |sum, byte| {
            sum.checked_mul(256)?.checked_add(u32::from(*byte))
        })
        .filter(|rounds| *rounds <= MOST_ROUNDS)
        .ok_or_else(|| format!("it has more than {MOST_ROUNDS} rounds"))
}

/// Encrypts with triple DES in PKCS#12's own way, for programs that know nothing newer.
pub(super) fn encrypt_triple_des(
    password: &str,
    salt: &[u8],
    rounds: u32,
    data: &[u8],
) -> Option<Vec<u8>> {
    let secret =
        |purpose, length| derive::<Sha1>(&wide(password), salt, purpose, rounds, length, 64);
    cbc::Encryptor::<des::TdesEde3>::new_from_slices(
        &secret(Purpose::Key, 24),
        &secret(Purpose::Iv, 8),
    )
    .ok()
    .map(|cipher| cipher.encrypt_padded_vec::<Pkcs7>(data))
}
