//! Bytes that are no text, as a text shows them: Python's `b'…'`.

use super::{Text, TextClass};
use std::fmt::Write;

impl Text {
    /// Bytes that are no text (`!!binary`): a text that shows them as Python does, and knows them.
    pub fn binary(bytes: &[u8]) -> Self {
        Self::data(literal(bytes)).of_class(TextClass::Bytes)
    }

    /// The bytes, if it is [`Text::binary`].
    pub fn octets(&self) -> Option<Vec<u8>> {
        match self.class() {
            TextClass::Bytes => read(self),
            _ => None,
        }
    }
}

/// Python's `repr()` of bytes.
fn literal(bytes: &[u8]) -> String {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') {
        b'"'
    } else {
        b'\''
    };
    let mut out = String::from("b");
    out.push(char::from(quote));
    for byte in bytes {
        match *byte {
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            byte if byte == quote => {
                out.push('\\');
                out.push(char::from(byte));
            }
            byte @ b' '..=b'~' => out.push(char::from(byte)),
            byte => {
                let _ = write!(out, "\\x{byte:02x}");
            }
        }
    }
    out.push(char::from(quote));
    out
}

fn read(text: &str) -> Option<Vec<u8>> {
    let inner = text.strip_prefix('b')?;
    let inner = inner.get(1..inner.len().checked_sub(1)?)?;
    let mut bytes = inner.bytes();
    let mut out = Vec::with_capacity(inner.len());
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'\\' => match bytes.next()? {
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'x' => {
                    let mut digit = || char::from(bytes.next()?).to_digit(16);
                    u8::try_from(digit()? * 16 + digit()?).ok()?
                }
                other => other,
            },
            other => other,
        });
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::Text;

    #[test]
    fn every_byte_comes_back() {
        let all: Vec<u8> = (0..=255).collect();
        for bytes in [&all[..], b"it's", b"a \"b\"", b"", b"\\x41'\""] {
            assert_eq!(Text::binary(bytes).octets().as_deref(), Some(bytes));
        }
        assert_eq!(Text::binary(b"it's\n\xff").as_str(), "b\"it's\\n\\xff\"");
        assert_eq!(Text::data("b'x'").octets(), None);
    }
}
