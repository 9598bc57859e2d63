//! What is in a PKCS#12 file: reading and writing (RFC 7292).

use super::der::{Reader, oid_text};
use super::derive::{MacDigest, TRIPLE_DES, decrypt, encrypt_triple_des, rounds, wide};
use crate::modules::crypto::community::asn1::{integer, oid, seq};
use crate::modules::crypto::der::tlv;
use crate::modules::crypto::key::{KernelRandom, PrivateKey};
use pkcs5::der::Encode;
use rsa::rand_core::TryRng;
use sha1::{Digest, Sha1};

const DATA: &str = "1.2.840.113549.1.7.1";
const ENCRYPTED: &str = "1.2.840.113549.1.7.6";
const KEY: &str = "1.2.840.113549.1.12.10.1.1";
const SHROUDED_KEY: &str = "1.2.840.113549.1.12.10.1.2";
const CERTIFICATE: &str = "1.2.840.113549.1.12.10.1.3";
const NESTED: &str = "1.2.840.113549.1.12.10.1.6";
const X509: &str = "1.2.840.113549.1.9.22.1";
const FRIENDLY_NAME: &str = "1.2.840.113549.1.9.20";
const LOCAL_ID: &str = "1.2.840.113549.1.9.21";

/// Safes within safes end here.
const DEEPEST: usize = 8;

/// What a file has in it. It has no `Debug`: there is a key in it.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Store {
    /// The private key, in PKCS#8.
    pub(super) key: Option<Vec<u8>>,
    /// The certificate of the key, in DER.
    pub(super) certificate: Option<Vec<u8>>,
    /// The others.
    pub(super) others: Vec<Vec<u8>>,
    /// What the key and its certificate are called.
    pub(super) name: Option<String>,
}

/// How a file is to be encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encryption {
    /// AES with 256 bits, and SHA-256.
    Strong,
    /// Triple DES and SHA-1.
    Old,
}

/// A thing in the file, with what is said of it.
struct Bag {
    kind: Kind,
    name: Option<String>,
    id: Option<Vec<u8>>,
}

enum Kind {
    Key(Vec<u8>),
    Certificate(Vec<u8>),
}

impl Store {
    /// Reads a file. Without a passphrase, the empty one is tried.
    ///
    /// # Errors
    /// When it is none, the passphrase is wrong, or it is encrypted in a way that is not known.
    pub(super) fn read(bytes: &[u8], passphrase: &str) -> Result<Self, String> {
        let mut whole = Reader::new(Reader::new(bytes).expect(0x30)?);
        if whole.expect(0x02)? != [3] {
            return Err("it is not in version 3 of PKCS#12".to_owned());
        }
        let (kind, content) = content_info(&mut whole)?;
        if kind != DATA {
            return Err("it is protected by a signature, which is not built".to_owned());
        }
        let safes = Reader::new(content).expect(0x04)?;
        if !whole.is_empty() {
            verify(whole.expect(0x30)?, passphrase, safes)?;
        }
        let mut bags = Vec::new();
        let mut safes = Reader::new(Reader::new(safes).expect(0x30)?);
        while !safes.is_empty() {
            let (kind, content) = content_info(&mut safes)?;
            let mut content = Reader::new(content);
            match kind.as_str() {
                DATA => read_bags(content.expect(0x04)?, passphrase, 0, &mut bags)?,
                ENCRYPTED => {
                    let mut inner = Reader::new(content.expect(0x30)?);
                    inner.expect(0x02)?;
                    let mut inner = Reader::new(inner.expect(0x30)?);
                    inner.expect(0x06)?;
                    let (algorithm, _) = inner.whole(0x30)?;
                    let opened = decrypt(algorithm, passphrase, inner.expect(0x80)?)?;
                    read_bags(&opened, passphrase, 0, &mut bags)?;
                }
                other => return Err(format!("contents of the kind {other} are not built")),
            }
        }
        Ok(Self::sorted(bags))
    }

    /// The first key, the certificate that belongs to it, and the rest in order.
    fn sorted(bags: Vec<Bag>) -> Self {
        let mut store = Self::default();
        let mut id = None;
        let mut certificates = Vec::new();
        for bag in bags {
            match bag.kind {
                Kind::Key(key) if store.key.is_none() => {
                    store.key = Some(key);
                    store.name = bag.name;
                    id = bag.id;
                }
                Kind::Key(_) => {}
                Kind::Certificate(der) => certificates.push((der, bag.name, bag.id)),
            }
        }
        let public = store
            .key
            .as_ref()
            .and_then(|key| PrivateKey::of_pkcs8(key.clone()).ok())
            .map(|key| key.public());
        let of_key = certificates
            .iter()
            .position(|(der, _, other)| match &public {
                Some(public) => public_of(der).as_ref() == Some(public),
                None => id.is_some() && *other == id,
            });
        // without a key, the one that has an id or is the first
        let own = of_key.or_else(|| {
            let is_alone = store.key.is_none() && !certificates.is_empty();
            let marked = certificates.iter().position(|(_, _, id)| id.is_some());
            is_alone.then(|| marked.unwrap_or_default())
        });
        for (at, (der, name, _)) in certificates.into_iter().enumerate() {
            if Some(at) == own {
                store.certificate = Some(der);
                store.name = name.or(store.name);
            } else {
                store.others.push(der);
            }
        }
        store
    }

    /// Whether it has what is wanted. Without a key a file may have any name.
    pub(super) fn fits(&self, wanted: &Self) -> bool {
        let sorted = |store: &Self| {
            let mut others = store.others.clone();
            others.sort();
            others.dedup();
            others
        };
        let same_key = match (&self.key, &wanted.key) {
            (Some(found), Some(wanted)) => is_same_key(found, wanted),
            (found, wanted) => found.is_none() && wanted.is_none(),
        };
        let named = |store: &Self| store.name.clone().filter(|name| !name.is_empty());
        same_key
            && self.certificate == wanted.certificate
            && sorted(self) == sorted(wanted)
            && (self.key.is_none() || named(self) == named(wanted))
    }

    /// Writes a file. Without a passphrase nothing in it is encrypted.
    ///
    /// # Errors
    /// When a part cannot be encrypted.
    pub(super) fn write(
        &self,
        passphrase: Option<&str>,
        encryption: Encryption,
        rounds: u32,
        mac_rounds: u32,
    ) -> Result<Vec<u8>, String> {
        let id = self
            .certificate
            .as_ref()
            .map(|der| Sha1::digest(der).to_vec());
        let named = attributes(self.name.as_deref(), id.as_deref());
        let mut certificates = Vec::new();
        if let Some(der) = &self.certificate {
            certificates.push(certificate_bag(der, &named));
        }
        certificates.extend(self.others.iter().map(|der| certificate_bag(der, &[])));
        let mut safes = Vec::new();
        let cipher = passphrase.map(|passphrase| (passphrase, encryption, rounds));
        if !certificates.is_empty() {
            let certificates = seq(&certificates);
            safes.push(match cipher {
                None => data(&certificates),
                Some(cipher) => {
                    let (algorithm, encrypted) = encrypt(cipher, &certificates)?;
                    let inner = seq(&[id_of(DATA), algorithm, tlv(0x80, &encrypted)]);
                    let content = seq(&[integer(&[0]), inner]);
                    seq(&[id_of(ENCRYPTED), tlv(0xa0, &content)])
                }
            });
        }
        if let Some(key) = &self.key {
            let bag = match cipher {
                None => bag(KEY, key, &named),
                Some(cipher) => {
                    let (algorithm, encrypted) = encrypt(cipher, key)?;
                    bag(
                        SHROUDED_KEY,
                        &seq(&[algorithm, tlv(0x04, &encrypted)]),
                        &named,
                    )
                }
            };
            safes.push(data(&seq(&[bag])));
        }
        let safes = seq(&safes);
        let digest = match encryption {
            Encryption::Strong => MacDigest::Sha256,
            Encryption::Old => MacDigest::Sha1,
        };
        let salt = random::<8>();
        let code = digest.code(
            &wide(passphrase.unwrap_or_default()),
            &salt,
            mac_rounds,
            &safes,
        );
        let algorithm = seq(&[id_of(digest.id()), tlv(0x05, &[])]);
        let mac = seq(&[
            seq(&[algorithm, tlv(0x04, &code)]),
            tlv(0x04, &salt),
            integer(&mac_rounds.to_be_bytes()),
        ]);
        Ok(seq(&[integer(&[3]), data(&safes), mac]))
    }
}

/// Whether both are the same private key; others may write it in another way.
fn is_same_key(one: &[u8], other: &[u8]) -> bool {
    let public = |key: &[u8]| {
        PrivateKey::of_pkcs8(key.to_vec())
            .ok()
            .map(|key| key.public())
    };
    one == other || public(one).is_some_and(|one| Some(one) == public(other))
}

/// The public key of a certificate.
fn public_of(der: &[u8]) -> Option<Vec<u8>> {
    use x509_parser::prelude::{FromDer, X509Certificate};
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    Some(certificate.public_key().raw.to_vec())
}

/// A ContentInfo: its kind and what is in it.
fn content_info<'a>(from: &mut Reader<'a>) -> Result<(String, &'a [u8]), String> {
    let mut info = Reader::new(from.expect(0x30)?);
    let kind = oid_text(info.expect(0x06)?);
    Ok((kind, info.expect(0xa0)?))
}

/// Checks the code that protects the whole.
fn verify(mac: &[u8], passphrase: &str, safes: &[u8]) -> Result<(), String> {
    let mut mac = Reader::new(mac);
    let mut digest = Reader::new(mac.expect(0x30)?);
    let algorithm = oid_text(Reader::new(digest.expect(0x30)?).expect(0x06)?);
    let code = digest.expect(0x04)?;
    let salt = mac.expect(0x04)?;
    let rounds = if mac.is_empty() {
        1
    } else {
        rounds(mac.expect(0x02)?)?
    };
    let Some(digest) = MacDigest::of(&algorithm) else {
        return Err(format!("the protection by {algorithm} is not built"));
    };
    let fits = |password: &[u8]| digest.code(password, salt, rounds, safes) == code;
    // some programs write no passphrase as nothing, others as the empty one
    if fits(&wide(passphrase)) || (passphrase.is_empty() && fits(&[])) {
        Ok(())
    } else {
        Err("the passphrase is wrong, or the file was changed".to_owned())
    }
}

fn read_bags(
    bytes: &[u8],
    passphrase: &str,
    depth: usize,
    into: &mut Vec<Bag>,
) -> Result<(), String> {
    if depth > DEEPEST {
        return Err("it has safes within safes without end".to_owned());
    }
    let mut bags = Reader::new(Reader::new(bytes).expect(0x30)?);
    while !bags.is_empty() {
        let mut bag = Reader::new(bags.expect(0x30)?);
        let kind = oid_text(bag.expect(0x06)?);
        let value = bag.expect(0xa0)?;
        let (name, id) = if bag.is_empty() {
            (None, None)
        } else {
            said(bag.expect(0x31)?)?
        };
        let mut inner = Reader::new(value);
        let kind = match kind.as_str() {
            KEY => Kind::Key(value.to_vec()),
            SHROUDED_KEY => {
                let mut shrouded = Reader::new(inner.expect(0x30)?);
                let (algorithm, _) = shrouded.whole(0x30)?;
                Kind::Key(decrypt(algorithm, passphrase, shrouded.expect(0x04)?)?)
            }
            CERTIFICATE => {
                let mut certificate = Reader::new(inner.expect(0x30)?);
                if oid_text(certificate.expect(0x06)?) != X509 {
                    continue;
                }
                let der = Reader::new(certificate.expect(0xa0)?).expect(0x04)?;
                Kind::Certificate(der.to_vec())
            }
            NESTED => {
                read_bags(value, passphrase, depth + 1, into)?;
                continue;
            }
            // secrets and lists of what was revoked
            _ => continue,
        };
        into.push(Bag { kind, name, id });
    }
    Ok(())
}

/// The name and the id among attributes.
fn said(attributes: &[u8]) -> Result<(Option<String>, Option<Vec<u8>>), String> {
    let (mut name, mut id) = (None, None);
    let mut attributes = Reader::new(attributes);
    while !attributes.is_empty() {
        let mut attribute = Reader::new(attributes.expect(0x30)?);
        let kind = oid_text(attribute.expect(0x06)?);
        let mut values = Reader::new(attribute.expect(0x31)?);
        match (kind.as_str(), values.tag()) {
            (FRIENDLY_NAME, Some(0x1e)) => {
                let units = values.expect(0x1e)?.chunks_exact(2);
                let units: Vec<u16> = units
                    .filter_map(|pair| <[u8; 2]>::try_from(pair).ok())
                    .map(u16::from_be_bytes)
                    .collect();
                name = Some(String::from_utf16_lossy(&units));
            }
            (LOCAL_ID, Some(0x04)) => id = Some(values.expect(0x04)?.to_vec()),
            _ => {}
        }
    }
    Ok((name, id))
}

/// An object identifier of this file.
fn id_of(text: &str) -> Vec<u8> {
    oid(text).unwrap_or_default()
}

/// Contents that are not encrypted.
fn data(content: &[u8]) -> Vec<u8> {
    seq(&[id_of(DATA), tlv(0xa0, &tlv(0x04, content))])
}

fn bag(kind: &str, value: &[u8], attributes: &[u8]) -> Vec<u8> {
    let mut parts = vec![id_of(kind), tlv(0xa0, value)];
    if !attributes.is_empty() {
        parts.push(tlv(0x31, attributes));
    }
    seq(&parts)
}

fn certificate_bag(der: &[u8], attributes: &[u8]) -> Vec<u8> {
    let value = seq(&[id_of(X509), tlv(0xa0, &tlv(0x04, der))]);
    bag(CERTIFICATE, &value, attributes)
}

/// A set's content, in DER's order.
fn attributes(name: Option<&str>, id: Option<&[u8]>) -> Vec<u8> {
    let mut all = Vec::new();
    if let Some(name) = name {
        let units: Vec<u8> = name.encode_utf16().flat_map(u16::to_be_bytes).collect();
        all.push(seq(&[id_of(FRIENDLY_NAME), tlv(0x31, &tlv(0x1e, &units))]));
    }
    if let Some(id) = id {
        all.push(seq(&[id_of(LOCAL_ID), tlv(0x31, &tlv(0x04, id))]));
    }
    all.sort();
    all.concat()
}

/// An AlgorithmIdentifier and what it encrypted.
fn encrypt(
    (passphrase, encryption, rounds): (&str, Encryption, u32),
    data: &[u8],
) -> Result<(Vec<u8>, Vec<u8>), String> {
    let failed = || "it could not be encrypted".to_owned();
    match encryption {
        Encryption::Strong => {
            let parameters = pkcs5::pbes2::Parameters::generate_pbkdf2_sha256_aes256cbc(
                rounds,
                &random::<16>(),
                random::<16>(),
            )
            .map_err(|_| failed())?;
            let encrypted = parameters.encrypt(passphrase, data).map_err(|_| failed())?;
            let algorithm = pkcs5::EncryptionScheme::Pbes2(parameters).to_der();
            Ok((algorithm.map_err(|_| failed())?, encrypted))
        }
        Encryption::Old => {
            let salt = random::<8>();
            let encrypted =
                encrypt_triple_des(passphrase, &salt, rounds, data).ok_or_else(failed)?;
            let parameters = seq(&[tlv(0x04, &salt), integer(&rounds.to_be_bytes())]);
            Ok((seq(&[id_of(TRIPLE_DES), parameters]), encrypted))
        }
    }
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    let Ok(()) = KernelRandom.try_fill_bytes(&mut bytes);
    bytes
}
