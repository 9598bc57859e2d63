//! Messages of etcd's services: protocol buffers, as far as they are needed.
//!
//! Source: Protocol Buffers' documentation, "Encoding"; the field numbers are those of etcd's API reference.

/// A message that is written.
#[derive(Clone, Debug, Default)]
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0
                .push(u8::try_from(value & 0x7f).unwrap_or_default() | 0x80);
            value >>= 7;
        }
        self.0.push(u8::try_from(value).unwrap_or_default());
    }

    /// A number; zero is what is not said.
    #[must_use]
    pub(super) fn number(mut self, field: u64, value: u64) -> Self {
        if value != 0 {
            self.varint(field << 3);
            self.varint(value);
        }
        self
    }

    /// Bytes; none are what is not said.
    #[must_use]
    pub(super) fn data(mut self, field: u64, value: &[u8]) -> Self {
        if !value.is_empty() {
            self.varint(field << 3 | 2);
            self.varint(value.len() as u64);
            self.0.extend(value);
        }
        self
    }

    /// Text.
    #[must_use]
    pub(super) fn text(self, field: u64, value: &str) -> Self {
        self.data(field, value.as_bytes())
    }

    /// Another message.
    #[must_use]
    pub(super) fn message(mut self, field: u64, value: &Self) -> Self {
        self.varint(field << 3 | 2);
        self.varint(value.0.len() as u64);
        self.0.extend(&value.0);
        self
    }
}

/// A value of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field<'a> {
    Number(u64),
    Data(&'a [u8]),
    Other,
}

/// A message that is read. What is not readable ends it.
#[derive(Clone, Debug)]
pub(super) struct Reader<'a> {
    fields: Vec<(u64, Field<'a>)>,
}

fn varint(input: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = input.split_first()?;
        *input = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn field<'a>(input: &mut &'a [u8]) -> Option<(u64, Field<'a>)> {
    let tag = varint(input)?;
    let skip = |input: &mut &'a [u8], length: usize| {
        let (bytes, rest) = input.split_at_checked(length)?;
        *input = rest;
        Some(bytes)
    };
    let value = match tag & 7 {
        0 => Field::Number(varint(input)?),
        1 => skip(input, 8).map(|_| Field::Other)?,
        2 => {
            let length = usize::try_from(varint(input)?).ok()?;
            Field::Data(skip(input, length)?)
        }
        5 => skip(input, 4).map(|_| Field::Other)?,
        _ => return None,
    };
    Some((tag >> 3, value))
}

impl<'a> Reader<'a> {
    pub(super) fn new(mut input: &'a [u8]) -> Self {
        let mut fields = Vec::new();
        while !input.is_empty() {
            let Some(found) = field(&mut input) else {
                break;
            };
            fields.push(found);
        }
        Self { fields }
    }

    /// A number, zero if it is not said.
    pub(super) fn number(&self, field: u64) -> u64 {
        let mut all = self.fields.iter().rev();
        all.find_map(|(name, value)| match value {
            Field::Number(number) if *name == field => Some(*number),
            _ => None,
        })
        .unwrap_or(0)
    }

    /// All values of a field that are bytes, texts or messages.
    pub(super) fn all(&self, field: u64) -> impl Iterator<Item = &'a [u8]> {
        self.fields
            .iter()
            .filter_map(move |(name, value)| match value {
                Field::Data(bytes) if *name == field => Some(*bytes),
                _ => None,
            })
    }

    /// Bytes, none if they are not said.
    pub(super) fn data(&self, field: u64) -> &'a [u8] {
        self.all(field).last().unwrap_or_default()
    }

    /// Text.
    pub(super) fn text(&self, field: u64) -> String {
        String::from_utf8_lossy(self.data(field)).into_owned()
    }

    /// All texts of a field.
    pub(super) fn texts(&self, field: u64) -> Vec<String> {
        self.all(field)
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let inner = Writer::new().text(1, "a").number(2, 300);
        let outer = Writer::new()
            .message(3, &inner)
            .message(3, &Writer::new())
            .data(1, &[0xff])
            .number(9, u64::MAX)
            .number(4, 0);
        assert_eq!(inner.bytes(), [0x0a, 1, b'a', 0x10, 0xac, 0x02]);
        let reader = Reader::new(outer.bytes());
        assert_eq!(
            (reader.number(9), reader.number(4), reader.data(1)),
            (u64::MAX, 0, &[0xff][..])
        );
        let all: Vec<_> = reader.all(3).map(Reader::new).collect();
        assert_eq!(all.len(), 2);
        assert_eq!((all[0].text(1).as_str(), all[0].number(2)), ("a", 300));
    }

    #[test]
    fn nonsense_ends_the_message() {
        for bytes in [&[0x0a, 0xff][..], &[0xff; 20], &[0x0b], &[0x0d, 1]] {
            assert_eq!(Reader::new(bytes).data(1), b"", "{bytes:?}");
        }
    }
}
