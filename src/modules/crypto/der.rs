//! The little of DER and PEM that wrapping keys and files needs.

use base64::Engine;
use x509_parser::pem::Pem;

/// A PEM block: its label and its bytes.
pub(super) struct Block {
    pub(super) label: String,
    pub(super) bytes: Vec<u8>,
}

/// All PEM blocks of a text, whatever stands between them.
pub(super) fn blocks(text: &[u8]) -> Vec<Block> {
    Pem::iter_from_buffer(text)
        .map_while(Result::ok)
        .map(|pem| Block {
            label: pem.label,
            bytes: pem.contents,
        })
        .collect()
}

/// Bytes as a PEM block.
pub(super) fn pem(label: &str, bytes: &[u8]) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(bytes);
    let mut out = format!("-----BEGIN {label}-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, tail) = rest.split_at(rest.len().min(64));
        out.push_str(line);
        out.push('\n');
        rest = tail;
    }
    out.push_str(&format!("-----END {label}-----\n"));
    out
}

pub(super) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = content.len();
    if length < 0x80 {
        out.push(u8::try_from(length).unwrap_or_default());
    } else {
        let bytes = length.to_be_bytes();
        let bytes: Vec<u8> = bytes.into_iter().skip_while(|b| *b == 0).collect();
        out.push(0x80 | u8::try_from(bytes.len()).unwrap_or_default());
        out.extend(bytes);
    }
    out.extend(content);
    out
}

/// `rsaEncryption` with its empty parameters.
const RSA: &[u8] = &[
    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];
/// `id-ecPublicKey`.
const EC: &[u8] = &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
pub(super) const P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
pub(super) const P384: &[u8] = &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22];

/// PKCS#8 of a key in another format, by its PEM label (RFC 5208, 8017, 5915). `parameters` is the content of an
/// `EC PARAMETERS` block before it.
pub(super) fn to_pkcs8(label: &str, key: &[u8], parameters: Option<&[u8]>) -> Option<Vec<u8>> {
    let algorithm = match label {
        "PRIVATE KEY" => return Some(key.to_vec()),
        "RSA PRIVATE KEY" => RSA.to_vec(),
        "EC PRIVATE KEY" => {
            let holds = |curve: &[u8]| {
                let within = |bytes: &[u8]| bytes.windows(curve.len()).any(|w| w == curve);
                within(key) || parameters.is_some_and(within)
            };
            let curve = [P256, P384].into_iter().find(|curve| holds(curve))?;
            [EC, curve].concat()
        }
        _ => return None,
    };
    let version = tlv(0x02, &[0]);
    let content = [version, tlv(0x30, &algorithm), tlv(0x04, key)].concat();
    Some(tlv(0x30, &content))
}

/// The first element: its tag, its content, and what follows.
pub(super) fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = if *first < 0x80 {
        (usize::from(*first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        let length = digits.iter().try_fold(0_usize, |sum, byte| {
            sum.checked_mul(256)?.checked_add(usize::from(*byte))
        })?;
        (length, rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

/// What PKCS#8 wraps: the key in the old form of its kind (RFC 5208).
pub(super) fn from_pkcs8(pkcs8: &[u8]) -> Option<Vec<u8>> {
    let (_, content, _) = element(pkcs8)?;
    let (_, _, rest) = element(content)?;
    let (_, _, rest) = element(rest)?;
    let (tag, inner, _) = element(rest)?;
    (tag == 0x04).then(|| inner.to_vec())
}

/// A key on an elliptic curve with the curve and the public point in it, as it stands alone (RFC 5915).
pub(super) fn with_curve(key: &[u8], curve: &[u8], public: &[u8]) -> Vec<u8> {
    let secret = element(key)
        .and_then(|(_, content, _)| {
            let (_, _, rest) = element(content)?;
            element(rest)
        })
        .map(|(_, secret, _)| secret)
        .unwrap_or_default();
    let point = tlv(0x03, &[&[0], public].concat());
    let parts = [
        tlv(0x02, &[1]),
        tlv(0x04, secret),
        tlv(0xa0, curve),
        tlv(0xa1, &point),
    ];
    tlv(0x30, &parts.concat())
}
