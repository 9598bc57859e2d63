//! AES-256 in counter mode with PKCS7 padding, its keys from PBKDF2, and HMAC-SHA256 over the ciphertext.

use super::keys::Keys;
use super::{Envelope, Password, VaultError};
use aes::Aes256;
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit, StreamCipher};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// Bytes in a block of AES.
const BLOCK: usize = 16;
/// Bytes of a salt that nobody gave.
const SALT: usize = 32;

/// Encrypts: the text that `ansible-vault` writes and reads. A label makes it version 1.2; the label `default` is
/// none. Without a salt there is a random one, as there should be: with one, equal texts look equal.
///
/// # Errors
/// If a label cannot stand in a header, the salt is empty, or the system gives no random bytes.
pub fn encrypt(
    plain: &[u8],
    password: &Password,
    label: Option<&str>,
    salt: Option<&[u8]>,
) -> Result<String, VaultError> {
    let label = label.filter(|label| *label != super::DEFAULT_ID);
    if let Some(label) = label
        && (label.trim() != label
            || label.is_empty()
            || label.contains(|c: char| c == ';' || c.is_control()))
    {
        return Err(VaultError::Label(label.to_owned()));
    }
    let salt = match salt {
        Some([]) => return Err(VaultError::Salt),
        Some(salt) => salt.to_vec(),
        None => {
            let mut salt = vec![0; SALT];
            getrandom::fill(&mut salt).map_err(|error| VaultError::Random(error.to_string()))?;
            salt
        }
    };
    let keys = Keys::derive(password, &salt);
    let padding = BLOCK - plain.len() % BLOCK;
    let mut data = Zeroizing::new(Vec::with_capacity(plain.len() + padding));
    data.extend_from_slice(plain);
    data.resize(plain.len() + padding, u8::try_from(padding).unwrap_or(0));
    apply(&keys, &mut data)?;
    let mut mac = mac(&keys)?;
    mac.update(&data);
    let envelope = Envelope {
        label: label.map(str::to_owned),
        salt,
        hmac: mac.finalize().into_bytes().to_vec(),
        ciphertext: data.to_vec(),
    };
    Ok(envelope.to_string())
}

/// Decrypts; nothing if the password is another one or the text was changed. The comparison takes the same time
/// whatever differs.
pub(super) fn open(envelope: &Envelope, keys: &Keys) -> Option<Zeroizing<Vec<u8>>> {
    let mut mac = mac(keys).ok()?;
    mac.update(&envelope.ciphertext);
    mac.verify_slice(&envelope.hmac).ok()?;
    let mut data = Zeroizing::new(envelope.ciphertext.clone());
    apply(keys, &mut data).ok()?;
    let padding = usize::from(*data.last()?);
    let length = data.len().checked_sub(padding)?;
    let (_, end) = data.split_at_checked(length)?;
    let good =
        (1..=BLOCK).contains(&padding) && end.iter().all(|byte| usize::from(*byte) == padding);
    good.then(|| {
        data.truncate(length);
        data
    })
}

fn mac(keys: &Keys) -> Result<Hmac<Sha256>, VaultError> {
    Hmac::<Sha256>::new_from_slice(keys.mac()).map_err(|_| VaultError::Salt)
}

fn apply(keys: &Keys, data: &mut [u8]) -> Result<(), VaultError> {
    let mut cipher = Ctr128BE::<Aes256>::new_from_slices(keys.cipher(), keys.counter())
        .map_err(|_| VaultError::Salt)?;
    cipher.apply_keystream(data);
    Ok(())
}
