//! Encodings of texts: those that Ansible's plugins are given the name of.
//!
//! Source: Python's documentation, "codecs: Standard Encodings".

/// The encodings that there are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Charset {
    Utf8,
    Utf8Sig,
    Ascii,
    Latin1,
    Latin9,
    Windows1252,
    Utf16(Option<bool>),
}

/// What ISO-8859-15 has in other places than ISO-8859-1.
const LATIN9: &[(u8, char)] = &[
    (0xa4, '€'),
    (0xa6, 'Š'),
    (0xa8, 'š'),
    (0xb4, 'Ž'),
    (0xb8, 'ž'),
    (0xbc, 'Œ'),
    (0xbd, 'œ'),
    (0xbe, 'Ÿ'),
];

/// What Windows-1252 has between 0x80 and 0x9f; what is not here is no sign.
const WINDOWS1252: &[(u8, char)] = &[
    (0x80, '€'),
    (0x82, '‚'),
    (0x83, 'ƒ'),
    (0x84, '„'),
    (0x85, '…'),
    (0x86, '†'),
    (0x87, '‡'),
    (0x88, 'ˆ'),
    (0x89, '‰'),
    (0x8a, 'Š'),
    (0x8b, '‹'),
    (0x8c, 'Œ'),
    (0x8e, 'Ž'),
    (0x91, '‘'),
    (0x92, '’'),
    (0x93, '“'),
    (0x94, '”'),
    (0x95, '•'),
    (0x96, '–'),
    (0x97, '—'),
    (0x98, '˜'),
    (0x99, '™'),
    (0x9a, 'š'),
    (0x9b, '›'),
    (0x9c, 'œ'),
    (0x9e, 'ž'),
    (0x9f, 'Ÿ'),
];

fn named(name: &str) -> Result<Charset, String> {
    let plain: String = name
        .to_lowercase()
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    Ok(match plain.as_str() {
        "utf8" | "u8" => Charset::Utf8,
        "utf8sig" => Charset::Utf8Sig,
        "ascii" | "usascii" | "646" => Charset::Ascii,
        "latin1" | "iso88591" | "l1" | "8859" | "cp819" => Charset::Latin1,
        "latin9" | "iso885915" | "l9" => Charset::Latin9,
        "windows1252" | "cp1252" | "1252" => Charset::Windows1252,
        "utf16" | "u16" => Charset::Utf16(None),
        "utf16le" => Charset::Utf16(Some(false)),
        "utf16be" => Charset::Utf16(Some(true)),
        _ => return Err(format!("unknown encoding: {name}")),
    })
}

fn wrong(name: &str) -> String {
    format!("the bytes are no {name} text")
}

/// The text of these bytes.
///
/// # Errors
/// When the encoding is unknown, or the bytes are not of it.
pub(crate) fn decode(bytes: &[u8], name: &str) -> Result<String, String> {
    let utf8 = |bytes: &[u8]| {
        std::str::from_utf8(bytes)
            .map(str::to_owned)
            .map_err(|_| wrong(name))
    };
    match named(name)? {
        Charset::Utf8 => utf8(bytes),
        Charset::Utf8Sig => utf8(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)),
        Charset::Ascii if bytes.is_ascii() => utf8(bytes),
        Charset::Ascii => Err(wrong(name)),
        Charset::Latin1 => Ok(bytes.iter().map(|byte| char::from(*byte)).collect()),
        Charset::Latin9 => Ok(bytes
            .iter()
            .map(|byte| {
                LATIN9
                    .iter()
                    .find(|(at, _)| at == byte)
                    .map_or_else(|| char::from(*byte), |(_, c)| *c)
            })
            .collect()),
        Charset::Windows1252 => bytes
            .iter()
            .map(|byte| match byte {
                0x80..=0x9f => WINDOWS1252
                    .iter()
                    .find(|(at, _)| at == byte)
                    .map(|(_, c)| *c)
                    .ok_or_else(|| wrong(name)),
                _ => Ok(char::from(*byte)),
            })
            .collect(),
        Charset::Utf16(order) => {
            let (big, rest) = match (order, bytes) {
                (None, [0xfe, 0xff, rest @ ..]) => (true, rest),
                (None, [0xff, 0xfe, rest @ ..]) => (false, rest),
                (order, rest) => (order.unwrap_or(false), rest),
            };
            let units: Vec<u16> = rest
                .chunks(2)
                .map(|pair| match pair {
                    [a, b] if big => Ok(u16::from_be_bytes([*a, *b])),
                    [a, b] => Ok(u16::from_le_bytes([*a, *b])),
                    _ => Err(wrong(name)),
                })
                .collect::<Result<_, _>>()?;
            String::from_utf16(&units).map_err(|_| wrong(name))
        }
    }
}

/// The bytes of this text.
///
/// # Errors
/// When the encoding is unknown, or has no sign for a character.
pub(crate) fn encode(text: &str, name: &str) -> Result<Vec<u8>, String> {
    let one = |c: char, limit: u32| {
        u8::try_from(u32::from(c))
            .ok()
            .filter(|byte| u32::from(*byte) < limit)
            .ok_or_else(|| format!("{name} has no sign for `{c}`"))
    };
    match named(name)? {
        Charset::Utf8 => Ok(text.as_bytes().to_vec()),
        Charset::Utf8Sig => Ok([b"\xef\xbb\xbf", text.as_bytes()].concat()),
        Charset::Ascii => text.chars().map(|c| one(c, 128)).collect(),
        Charset::Latin1 => text.chars().map(|c| one(c, 256)).collect(),
        Charset::Latin9 => text
            .chars()
            .map(|c| match LATIN9.iter().find(|(_, own)| *own == c) {
                Some((byte, _)) => Ok(*byte),
                None => one(c, 256),
            })
            .collect(),
        Charset::Windows1252 => text
            .chars()
            .map(|c| match WINDOWS1252.iter().find(|(_, own)| *own == c) {
                Some((byte, _)) => Ok(*byte),
                None if ('\u{80}'..='\u{9f}').contains(&c) => one(c, 128),
                None => one(c, 256),
            })
            .collect(),
        Charset::Utf16(order) => {
            let big = order == Some(true);
            let mut out = if order.is_none() {
                vec![0xff, 0xfe]
            } else {
                Vec::new()
            };
            for unit in text.encode_utf16() {
                out.extend(if big {
                    unit.to_be_bytes()
                } else {
                    unit.to_le_bytes()
                });
            }
            Ok(out)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[test]
    fn there_and_back() {
        for (name, text) in [
            ("utf-8", "é€"),
            ("latin-1", "été"),
            ("ISO8859-15", "œuf 5 €"),
            ("windows-1252", "été – 5 €"),
            ("utf-16", "x😀"),
            ("utf-16-be", "x😀"),
            ("ascii", "x"),
        ] {
            let bytes = encode(text, name).unwrap();
            assert_eq!(decode(&bytes, name).unwrap(), text, "{name}");
        }
        assert_eq!(encode("é", "latin1").unwrap(), [0xe9]);
        assert!(encode("é", "ascii").is_err());
        assert!(decode(&[0xe9], "utf-8").is_err());
        assert!(decode(&[0xe9], "no-such").is_err());
    }
}
