//! Bytes as text and back, whatever they are.

/// The text of the bytes; those that are no UTF-8 become characters that [`encode`] turns back.
pub(super) fn decode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        out.extend(
            chunk
                .invalid()
                .iter()
                .filter_map(|byte| char::from_u32(BASE + u32::from(*byte))),
        );
    }
    out
}

/// The bytes of the text.
pub(super) fn encode(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut buffer = [0; 4];
    for c in text.chars() {
        match u8::try_from((c as u32).wrapping_sub(BASE)) {
            Ok(byte) if byte >= 0x80 => out.push(byte),
            _ => out.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes()),
        }
    }
    out
}

/// In the last plane for private use.
const BASE: u32 = 0x10_ff00;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_comes_back() {
        let bytes: Vec<u8> = (0..=255).chain("é€😀".bytes()).collect();
        assert_eq!(encode(&decode(&bytes)), bytes);
    }
}
