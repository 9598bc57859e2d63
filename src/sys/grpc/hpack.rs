//! Headers on the wire (RFC 7541), without a dynamic table: the other side is told that it has room for nothing.

/// Lengths of the Huffman codes of the characters from blank to tilde (appendix B). The code is canonical: codes of one
/// length follow each other in the order of their characters, shorter ones come first.
const LENGTHS: &[u8] = &[
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15,
    6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8,
    13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7,
    7, 7, 15, 11, 14, 13,
];
/// The longest code that is read.
const LONGEST: u8 = 19;

/// A code of this many bits stands for a character.
struct Code {
    length: u8,
    bits: u32,
    character: u8,
}

fn codes() -> Vec<Code> {
    // the zero byte has a code as short as those of some characters
    let zero = std::iter::once((0_u8, 13_u8));
    let others = (b' '..=b'~').zip(LENGTHS.iter().copied());
    let mut all: Vec<(u8, u8)> = zero
        .chain(others)
        .map(|(character, length)| (length, character))
        .collect();
    all.sort_unstable();
    let mut codes = Vec::with_capacity(all.len());
    let (mut next, mut last) = (0_u32, 0_u8);
    for (length, character) in all {
        next <<= length - last;
        codes.push(Code {
            length,
            bits: next,
            character,
        });
        next += 1;
        last = length;
    }
    codes
}

fn unhuffman(bytes: &[u8]) -> Option<Vec<u8>> {
    let codes = codes();
    let mut out = Vec::new();
    let (mut bits, mut length) = (0_u32, 0_u8);
    for byte in bytes {
        for at in (0..8).rev() {
            bits = bits << 1 | u32::from(byte >> at & 1);
            length += 1;
            if let Some(code) = codes
                .iter()
                .find(|code| code.length == length && code.bits == bits)
            {
                out.push(code.character);
                (bits, length) = (0, 0);
            } else if length > LONGEST {
                return None;
            }
        }
    }
    // what is left is filled up with ones, less than a byte of them
    (length < 8 && bits == (1 << length) - 1).then_some(out)
}

fn integer(input: &mut &[u8], prefix: u8) -> Option<usize> {
    let (first, mut rest) = input.split_first()?;
    let most = (1_usize << prefix) - 1;
    let mut value = usize::from(*first) & most;
    if value == most {
        let mut shift = 0;
        loop {
            let (byte, tail) = rest.split_first()?;
            rest = tail;
            value = value.checked_add(usize::from(byte & 0x7f).checked_shl(shift)?)?;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
            if shift > 28 {
                return None;
            }
        }
    }
    *input = rest;
    Some(value)
}

fn string(input: &mut &[u8]) -> Option<Vec<u8>> {
    let is_huffman = input.first()? & 0x80 != 0;
    let length = integer(input, 7)?;
    let (bytes, rest) = input.split_at_checked(length)?;
    *input = rest;
    if is_huffman {
        unhuffman(bytes)
    } else {
        Some(bytes.to_vec())
    }
}

/// The fields of the static table that count here; of the others only the place is known.
fn indexed(index: usize) -> Option<(&'static str, &'static str)> {
    Some(match index {
        8 => (":status", "200"),
        9 => (":status", "204"),
        10 => (":status", "206"),
        11 => (":status", "304"),
        12 => (":status", "400"),
        13 => (":status", "404"),
        14 => (":status", "500"),
        1..=61 => ("", ""),
        _ => return None,
    })
}

/// Reads a block of headers; `None` if it is not readable. Names from the static table that mean nothing here are empty.
pub(super) fn decode(mut input: &[u8]) -> Option<Vec<(String, String)>> {
    let mut headers = Vec::new();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    while let Some(first) = input.first().copied() {
        if first & 0x80 != 0 {
            let (name, value) = indexed(integer(&mut input, 7)?)?;
            headers.push((name.to_owned(), value.to_owned()));
            continue;
        }
        if first & 0xe0 == 0x20 {
            integer(&mut input, 5)?; // how large the dynamic table is to be
            continue;
        }
        let prefix = if first & 0x40 != 0 { 6 } else { 4 };
        let name = match integer(&mut input, prefix)? {
            0 => text(string(&mut input)?),
            index => indexed(index)?.0.to_owned(),
        };
        headers.push((name, text(string(&mut input)?)));
    }
    Some(headers)
}

fn put_string(out: &mut Vec<u8>, text: &str) {
    let length = text.len();
    if length < 0x7f {
        out.push(u8::try_from(length).unwrap_or_default());
    } else {
        out.push(0x7f);
        let mut rest = length - 0x7f;
        while rest >= 0x80 {
            out.push(u8::try_from(rest & 0x7f).unwrap_or_default() | 0x80);
            rest >>= 7;
        }
        out.push(u8::try_from(rest).unwrap_or_default());
    }
    out.extend(text.as_bytes());
}

/// A block of headers, each written out, never to be remembered.
pub(super) fn encode(headers: &[(&str, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, value) in headers {
        out.push(0x10);
        put_string(&mut out, name);
        put_string(&mut out, value);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unhex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text
            .bytes()
            .map(|b| u8::from_str_radix(&char::from(b).to_string(), 16).expect("hex"))
            .collect();
        digits
            .chunks(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect()
    }

    /// The examples of RFC 7541, appendix C.
    #[test]
    fn huffman() {
        for (bytes, text) in [
            ("f1e3c2e5f23a6ba0ab90f4ff", "www.example.com"),
            ("a8eb10649cbf", "no-cache"),
            ("25a849e95ba97d7f", "custom-key"),
            ("25a849e95bb8e8b4bf", "custom-value"),
            (
                "d07abe941054d444a8200595040b8166e082a62d1bff",
                "Mon, 21 Oct 2013 20:13:21 GMT",
            ),
            (
                "9d29ad171863c78f0b97c8e9ae82ae43d3",
                "https://www.example.com",
            ),
            (
                "94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
                "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
            ),
        ] {
            assert_eq!(
                unhuffman(&unhex(bytes))
                    .map(|b| String::from_utf8_lossy(&b).into_owned())
                    .as_deref(),
                Some(text)
            );
        }
        assert_eq!(unhuffman(&[0xff; 8]), None);
        assert_eq!(
            unhuffman(&[0x00, 0x00, 0xf0]),
            None,
            "half a character at the end"
        );
    }

    #[test]
    fn what_is_written_is_read() {
        let long = "x".repeat(400);
        let headers = [
            ("grpc-status", "9"),
            ("grpc-message", long.as_str()),
            (":path", "/a"),
        ];
        let read = decode(&encode(&headers)).expect("readable");
        let read: Vec<(&str, &str)> = read.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(read, headers);
    }

    #[test]
    fn blocks_of_servers() {
        // :status 200, content-type (31) literal, a table of size nothing
        let mut block = vec![0x20, 0x88, 0x0f, 0x10];
        block.extend([3, b'a', b'/', b'b']);
        let read = decode(&block).expect("readable");
        assert_eq!(
            read.first(),
            Some(&(":status".to_owned(), "200".to_owned()))
        );
        for bad in [
            &[0xbe][..],
            &[0x40, 0x05, b'a'],
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            &[0x7f],
        ] {
            assert_eq!(decode(bad), None, "{bad:?}");
        }
    }
}
