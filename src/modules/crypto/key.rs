//! Private keys.

use super::community::decrypt;
use super::der::{P256, P384, blocks, element, from_pkcs8, pem, to_pkcs8, with_curve};
use crate::choices;
use crate::sys::hex;
use rcgen::{KeyPair, PublicKeyData};
use rsa::pkcs8::EncodePrivateKey;
use sha2::{Digest, Sha256};
use std::convert::Infallible;

choices! {
    /// Kinds of keys.
    pub enum KeyType {
        /// Elliptic curve P-256.
        EcdsaP256 = "ecdsa-p256",
        /// Elliptic curve P-384.
        EcdsaP384 = "ecdsa-p384",
        /// Edwards curve 25519.
        Ed25519 = "ed25519",
        /// RSA with 2048 bits.
        Rsa2048 = "rsa-2048",
        /// RSA with 4096 bits.
        Rsa4096 = "rsa-4096",
    }
}

/// A private key. It has no `Debug` and is never shown.
pub(super) struct PrivateKey {
    pub(super) pair: KeyPair,
    pkcs8: Vec<u8>,
}

/// Randomness from the kernel, which is there or the program cannot go on.
pub(super) struct KernelRandom;

impl rsa::rand_core::TryRng for KernelRandom {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_ne_bytes(bytes))
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_ne_bytes(bytes))
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        while getrandom::fill(bytes).is_err() {
            // early after boot it may have to come first; without it there can be no key
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        Ok(())
    }
}

impl rsa::rand_core::TryCryptoRng for KernelRandom {}

impl PrivateKey {
    /// Makes a new one.
    ///
    /// # Errors
    /// When there is no randomness.
    pub(super) fn generate(kind: KeyType) -> Result<Self, String> {
        let failed = |e: rcgen::Error| format!("a key could not be made: {e}");
        let pair = match kind {
            KeyType::EcdsaP256 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256),
            KeyType::EcdsaP384 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384),
            KeyType::Ed25519 => KeyPair::generate_for(&rcgen::PKCS_ED25519),
            KeyType::Rsa2048 => return Self::generate_rsa(2048),
            KeyType::Rsa4096 => return Self::generate_rsa(4096),
        };
        let pair = pair.map_err(failed)?;
        Self::of_pkcs8(pair.serialize_der())
    }

    /// Makes a new RSA key with so many bits.
    ///
    /// # Errors
    /// When that is impossible.
    pub(super) fn generate_rsa(bits: usize) -> Result<Self, String> {
        let key = rsa::RsaPrivateKey::new(&mut KernelRandom, bits)
            .map_err(|e| format!("a key could not be made: {e}"))?;
        let der = key
            .to_pkcs8_der()
            .map_err(|e| format!("a key could not be written: {e}"))?;
        Self::of_pkcs8(der.as_bytes().to_vec())
    }

    /// Of a key in PKCS#8.
    ///
    /// # Errors
    /// When it is of a kind that cannot be used.
    pub(super) fn of_pkcs8(pkcs8: Vec<u8>) -> Result<Self, String> {
        let pair = KeyPair::try_from(pkcs8.as_slice()).map_err(|_| {
            "it is not a key that can be used: P-256, P-384, Ed25519 or RSA with 2048 to 4096 bits, with its public \
             part"
                .to_owned()
        })?;
        Ok(Self { pair, pkcs8 })
    }

    /// Reads a file's content that a passphrase opens, in PEM.
    ///
    /// # Errors
    /// When it is none, not encrypted, or by another passphrase or in the old way of openssl (`Proc-Type`).
    pub(super) fn open(content: &[u8], passphrase: &str) -> Result<Self, String> {
        let wrong = "Wrong or empty passphrase provided for private key";
        let blocks = blocks(content);
        let Some(key) = blocks
            .iter()
            .find(|block| block.label == "ENCRYPTED PRIVATE KEY")
        else {
            if content.windows(10).any(|w| w == b"Proc-Type:") {
                return Err(
                    "keys that are encrypted in the old way (Proc-Type) are not built; openssl pkcs8 -topk8 writes them \
                     anew"
                        .to_owned(),
                );
            }
            return Err(wrong.to_owned());
        };
        // EncryptedPrivateKeyInfo (RFC 5958, 3): the algorithm, and what it encrypted
        let parts = element(&key.bytes).and_then(|(_, content, _)| {
            let (_, _, rest) = element(content)?;
            let (_, encrypted, _) = element(rest)?;
            Some((content.split_at(content.len() - rest.len()).0, encrypted))
        });
        let (algorithm, encrypted) = parts.ok_or("there is no private key in it")?;
        let pkcs8 =
            decrypt(algorithm, passphrase, encrypted).map_err(|why| format!("{wrong}: {why}"))?;
        Self::of_pkcs8(pkcs8)
    }

    /// Its bytes in PKCS#8.
    pub(super) fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    /// Reads a file's content: PKCS#8, PKCS#1 or SEC1 in PEM.
    ///
    /// # Errors
    /// When it is none, or encrypted.
    pub(super) fn parse(content: &[u8]) -> Result<Self, String> {
        let blocks = blocks(content);
        let parameters = blocks
            .iter()
            .find(|b| b.label == "EC PARAMETERS")
            .map(|b| b.bytes.as_slice());
        let key = blocks
            .iter()
            .find(|block| block.label.ends_with("PRIVATE KEY"))
            .ok_or("there is no private key in it")?;
        if key.label == "ENCRYPTED PRIVATE KEY" || content.windows(10).any(|w| w == b"Proc-Type:") {
            return Err("it is encrypted, and no passphrase is given".to_owned());
        }
        let pkcs8 = to_pkcs8(&key.label, &key.bytes, parameters)
            .ok_or_else(|| format!("keys in the format `{}` are not known", key.label))?;
        Self::of_pkcs8(pkcs8)
    }

    /// Its kind, as an argument names it; RSA keys of other sizes are `rsa-3072` and so on.
    pub(super) fn kind(&self) -> String {
        let algorithm = self.pair.algorithm();
        if algorithm == &rcgen::PKCS_ECDSA_P256_SHA256 {
            "ecdsa-p256".to_owned()
        } else if algorithm == &rcgen::PKCS_ECDSA_P384_SHA384 {
            "ecdsa-p384".to_owned()
        } else if algorithm == &rcgen::PKCS_ED25519 {
            "ed25519".to_owned()
        } else {
            // the public key is a sequence of the modulus and a small exponent
            let bits = self.pair.public_key_raw().len().saturating_sub(14) * 8;
            format!("rsa-{}", bits.next_multiple_of(256))
        }
    }

    /// Its public half (SubjectPublicKeyInfo).
    pub(super) fn public(&self) -> Vec<u8> {
        self.pair.subject_public_key_info()
    }

    /// SHA-256 of its public half, in hexadecimal.
    pub(super) fn fingerprint(&self) -> String {
        hex(&Sha256::digest(self.public()))
    }

    /// The file's content: PKCS#8 in PEM.
    pub(super) fn pem(&self) -> String {
        pem("PRIVATE KEY", &self.pkcs8)
    }

    /// The file's content in the old form of its kind (PKCS#1, SEC1), where it has one.
    pub(super) fn traditional_pem(&self) -> String {
        match (self.kind().as_str(), from_pkcs8(&self.pkcs8)) {
            ("ed25519", _) | (_, None) => self.pem(),
            ("ecdsa-p256", Some(inner)) => pem(
                "EC PRIVATE KEY",
                &with_curve(&inner, P256, self.pair.public_key_raw()),
            ),
            ("ecdsa-p384", Some(inner)) => pem(
                "EC PRIVATE KEY",
                &with_curve(&inner, P384, self.pair.public_key_raw()),
            ),
            (_, Some(inner)) => pem("RSA PRIVATE KEY", &inner),
        }
    }
}
