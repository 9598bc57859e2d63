//! Writing DER (X.690), as far as requests and certificates need it.

pub(super) use crate::modules::crypto::der::tlv;

/// A sequence of what was written already.
pub(super) fn seq(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

/// A number that is not negative, from its bytes, most significant first.
pub(super) fn integer(bytes: &[u8]) -> Vec<u8> {
    let mut content: Vec<u8> = bytes.iter().copied().skip_while(|b| *b == 0).collect();
    if content.first().is_none_or(|first| first & 0x80 != 0) {
        content.insert(0, 0);
    }
    tlv(0x02, &content)
}

/// An object identifier such as `2.5.4.3`; `None` if it is none.
pub(super) fn oid(text: &str) -> Option<Vec<u8>> {
    let mut numbers = text
        .split('.')
        .map(|part| part.parse::<u64>().ok())
        .collect::<Option<Vec<_>>>()?
        .into_iter();
    let (first, second) = (numbers.next()?, numbers.next()?);
    if first > 2 || (first < 2 && second > 39) {
        return None;
    }
    let head = (first * 40).checked_add(second)?;
    let mut content = Vec::new();
    for number in std::iter::once(head).chain(numbers) {
        let mut groups = Vec::new();
        let mut rest = number;
        loop {
            groups.push(u8::try_from(rest & 0x7f).unwrap_or_default());
            rest >>= 7;
            if rest == 0 {
                break;
            }
        }
        while let Some(group) = groups.pop() {
            content.push(if groups.is_empty() {
                group
            } else {
                group | 0x80
            });
        }
    }
    Some(tlv(0x06, &content))
}

/// A bit string whose bits are all used.
pub(super) fn bits(bytes: &[u8]) -> Vec<u8> {
    tlv(0x03, &[&[0], bytes].concat())
}

/// A bit string of flags, the first one first, without those at the end that are not set (X.690, 11.2.2).
pub(super) fn flags(set: &[bool]) -> Vec<u8> {
    let used = set.iter().rposition(|set| *set).map_or(0, |at| at + 1);
    let mut bytes = vec![0_u8; used.div_ceil(8)];
    for (at, set) in set.iter().take(used).enumerate() {
        if let (true, Some(byte)) = (*set, bytes.get_mut(at / 8)) {
            *byte |= 0x80 >> (at % 8);
        }
    }
    let unused = u8::try_from(bytes.len() * 8 - used).unwrap_or_default();
    tlv(0x03, &[&[unused], bytes.as_slice()].concat())
}

/// A moment in seconds since 1970 (RFC 5280, 4.1.2.5).
pub(super) fn time(at: i64) -> Option<Vec<u8>> {
    let time = jiff::Timestamp::from_second(at).ok()?;
    let year = time.strftime("%Y").to_string().parse::<i32>().ok()?;
    Some(if (1950..2050).contains(&year) {
        tlv(0x17, time.strftime("%y%m%d%H%M%SZ").to_string().as_bytes())
    } else {
        tlv(0x18, time.strftime("%Y%m%d%H%M%SZ").to_string().as_bytes())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_written_as_others_write_them() {
        assert_eq!(oid("2.5.4.3"), Some(vec![6, 3, 0x55, 4, 3]));
        let rsa = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11];
        assert_eq!(oid("1.2.840.113549.1.1.11"), Some(rsa.to_vec()));
        assert_eq!(oid("3.1"), None);
        assert_eq!(oid("1.x"), None);
        // digitalSignature and keyEncipherment; none at all
        assert_eq!(flags(&[true, false, true, false]), [3, 2, 5, 0xa0]);
        assert_eq!(flags(&[false; 9]), [3, 1, 0]);
        assert_eq!(integer(&[0, 0x80]), [2, 2, 0, 0x80]);
        assert_eq!(integer(&[]), [2, 1, 0]);
        assert_eq!(
            time(0).unwrap(),
            [&[0x17, 13][..], b"700101000000Z"].concat()
        );
        let late = [&[0x18, 15][..], b"20500101000000Z"].concat();
        assert_eq!(time(2_524_608_000).unwrap(), late);
    }
}
