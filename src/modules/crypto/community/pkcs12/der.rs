//! Reading DER (X.690) element by element.

use crate::modules::crypto::der::element;

/// Elements one after another.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next element's tag.
    pub(super) fn tag(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// The next element whole, and its content.
    ///
    /// # Errors
    /// When there is none of that tag.
    pub(super) fn whole(&mut self, tag: u8) -> Result<(&'a [u8], &'a [u8]), String> {
        if self.0.get(1) == Some(&0x80) {
            return Err(
                "it has elements of indefinite length (BER), which are not built".to_owned(),
            );
        }
        let (found, content, rest) = element(self.0).ok_or("it is cut off")?;
        if found != tag {
            return Err("it is not in the form of PKCS#12".to_owned());
        }
        let (whole, _) = self.0.split_at(self.0.len() - rest.len());
        self.0 = rest;
        Ok((whole, content))
    }

    /// The next element's content.
    ///
    /// # Errors
    /// When there is none of that tag.
    pub(super) fn expect(&mut self, tag: u8) -> Result<&'a [u8], String> {
        self.whole(tag).map(|(_, content)| content)
    }
}

/// An object identifier's content with dots.
pub(super) fn oid_text(content: &[u8]) -> String {
    let mut numbers: Vec<u64> = Vec::new();
    let mut number = 0_u64;
    for byte in content {
        number = number.wrapping_shl(7) | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            if numbers.is_empty() {
                let first = (number / 40).min(2);
                numbers.push(first);
                number -= first * 40;
            }
            numbers.push(number);
            number = 0;
        }
    }
    let words: Vec<String> = numbers.iter().map(u64::to_string).collect();
    words.join(".")
}
