//! The text form of what is encrypted.

use super::hex;

/// How encrypted texts begin.
const MARK: &str = "$ANSIBLE_VAULT";
/// The only cipher that Ansible still writes and reads.
const CIPHER: &str = "AES256";
/// Characters in a line of the body.
const WIDTH: usize = 80;

/// Whether this is the beginning of an encrypted text.
pub fn is_encrypted(bytes: &[u8]) -> bool {
    bytes.starts_with(b"$ANSIBLE_VAULT;")
}

/// What an encrypted text holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The label of a text of version 1.2: which password its author meant.
    pub label: Option<String>,
    /// The salt of the password.
    pub salt: Vec<u8>,
    /// HMAC-SHA256 of the ciphertext.
    pub hmac: Vec<u8>,
    /// The ciphertext.
    pub ciphertext: Vec<u8>,
}

/// What is wrong with an encrypted text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// It does not begin as one.
    #[error("it is not encrypted with vault")]
    NotEncrypted,
    /// The first line lacks a part.
    #[error(
        "its first line must be `$ANSIBLE_VAULT;1.1;AES256` or `$ANSIBLE_VAULT;1.2;AES256;label`"
    )]
    Header,
    /// A version that nobody has written yet.
    #[error("version `{0}` of vault's format is not known, 1.1 and 1.2 are")]
    Version(String),
    /// Another cipher.
    #[error("the cipher `{0}` is not known, AES256 is")]
    Cipher(String),
    /// The body is not hexadecimal.
    #[error("Vault format unhexlify error: Non-hexadecimal digit found; it was changed or cut off")]
    Hex,
    /// A digit of the body is missing.
    #[error("Vault format unhexlify error: Odd-length string; it was changed or cut off")]
    Odd,
    /// The body lacks a part.
    #[error("what follows its first line is not complete: it was cut off")]
    Parts,
}

impl From<hex::Wrong> for FormatError {
    fn from(wrong: hex::Wrong) -> Self {
        match wrong {
            hex::Wrong::Odd => Self::Odd,
            hex::Wrong::Digit => Self::Hex,
        }
    }
}

impl Envelope {
    /// Reads an encrypted text. Blanks around lines do not matter.
    ///
    /// # Errors
    /// If it is none, or of another version, or damaged.
    pub fn parse(text: &[u8]) -> Result<Self, FormatError> {
        let mut lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        let header = lines.next().unwrap_or_default();
        let header = std::str::from_utf8(header).map_err(|_| FormatError::NotEncrypted)?;
        let mut words = header.split(';').map(str::trim);
        if words.next() != Some(MARK) {
            return Err(FormatError::NotEncrypted);
        }
        let (Some(version), Some(cipher)) = (words.next(), words.next()) else {
            return Err(FormatError::Header);
        };
        let label = match version {
            "1.1" => None,
            "1.2" => match words.next() {
                Some(label) if !label.is_empty() => Some(label.to_owned()),
                _ => return Err(FormatError::Header),
            },
            other => return Err(FormatError::Version(other.to_owned())),
        };
        if cipher != CIPHER {
            return Err(FormatError::Cipher(cipher.to_owned()));
        }
        let digits = lines.fold(Vec::new(), |mut all, line| {
            all.extend_from_slice(line);
            all
        });
        let body = hex::decode(&digits)?;
        // three texts of hexadecimal digits again
        let mut parts = body.splitn(3, |byte| *byte == b'\n');
        let mut part = || {
            let digits = parts.next().ok_or(FormatError::Parts)?;
            Ok::<_, FormatError>(hex::decode(digits)?)
        };
        let (salt, hmac, ciphertext) = (part()?, part()?, part()?);
        if salt.is_empty() || hmac.is_empty() || ciphertext.is_empty() {
            return Err(FormatError::Parts);
        }
        Ok(Self {
            label,
            salt,
            hmac,
            ciphertext,
        })
    }
}

/// The text, with a line break at its end.
impl std::fmt::Display for Envelope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.label {
            Some(label) => writeln!(f, "{MARK};1.2;{CIPHER};{label}")?,
            None => writeln!(f, "{MARK};1.1;{CIPHER}")?,
        }
        let inner = [&self.salt, &self.hmac, &self.ciphertext]
            .map(|part| hex::encode(part))
            .join("\n");
        let digits = hex::encode(inner.as_bytes());
        for line in digits.as_bytes().chunks(WIDTH) {
            writeln!(f, "{}", String::from_utf8_lossy(line))?;
        }
        Ok(())
    }
}
