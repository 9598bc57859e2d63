//! Python literals, which is how INI inventories write values that are not text.

use crate::value::{Map, Value};

/// Nesting deeper than this is read as text.
const DEPTH: usize = 90;

/// The value of a Python literal (`1_000`, `0x1f`, `True`, `'text'`, `[1, 2]`, `{'a': 1}`, `1, 2`), or `None` if
/// the text is not one. Tuples and sets become lists. Complex numbers and integers beyond 64 bits are not read.
pub fn python_literal(text: &str) -> Option<Value> {
    if text.contains('\0') {
        return None;
    }
    let mut parser = Parser {
        rest: text.trim_start_matches([' ', '\t']),
        depth: 0,
    };
    let value = parser.tuple_or_value()?;
    parser.blank();
    parser.rest.is_empty().then_some(value)
}

struct Parser<'a> {
    rest: &'a str,
    depth: usize,
}

impl Parser<'_> {
    /// Skips blanks and a comment. (Newlines do not occur within a line of an inventory.)
    fn blank(&mut self) {
        self.rest = self
            .rest
            .trim_start_matches([' ', '\t', '\u{c}', '\r', '\n']);
        if self.rest.starts_with('#') {
            self.rest = "";
        }
    }

    fn eat(&mut self, token: &str) -> bool {
        self.blank();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn tuple_or_value(&mut self) -> Option<Value> {
        let first = self.value()?;
        if !self.eat(",") {
            return Some(first);
        }
        let mut items = vec![first];
        loop {
            self.blank();
            if self.rest.is_empty() || self.rest.starts_with(')') {
                return Some(Value::list(items));
            }
            items.push(self.value()?);
            if !self.eat(",") {
                return Some(Value::list(items));
            }
        }
    }

    fn value(&mut self) -> Option<Value> {
        self.depth += 1;
        if self.depth > DEPTH {
            return None;
        }
        let value = self.value_inner();
        self.depth -= 1;
        value
    }

    fn value_inner(&mut self) -> Option<Value> {
        self.blank();
        let first = self.rest.chars().next()?;
        match first {
            '[' => {
                self.eat("[");
                self.items("]").map(Value::list)
            }
            '(' => {
                self.eat("(");
                if self.eat(")") {
                    return Some(Value::list(Vec::new()));
                }
                let value = self.tuple_or_value()?;
                self.eat(")").then_some(value)
            }
            '{' => {
                self.eat("{");
                self.dict_or_set()
            }
            '+' | '-' => {
                let mut negative = false;
                while let Some(c) = self.rest.chars().next().filter(|c| matches!(c, '+' | '-')) {
                    negative ^= c == '-';
                    self.eat(if c == '-' { "-" } else { "+" });
                    self.blank();
                }
                match (self.number()?, negative) {
                    (Value::Int(i), true) => i.checked_neg().map(Value::Int),
                    (Value::Float(f), true) => Some(Value::Float(-f)),
                    (value, _) => Some(value),
                }
            }
            '0'..='9' | '.' => self.number(),
            _ => self.word(),
        }
    }

    fn items(&mut self, close: &str) -> Option<Vec<Value>> {
        let mut items = Vec::new();
        loop {
            if self.eat(close) {
                return Some(items);
            }
            items.push(self.value()?);
            if !self.eat(",") {
                return self.eat(close).then_some(items);
            }
        }
    }

    fn dict_or_set(&mut self) -> Option<Value> {
        if self.eat("}") {
            return Some(Value::map(Map::new()));
        }
        let first = self.value()?;
        if !self.eat(":") {
            let mut items = vec![first];
            if self.eat(",") {
                items.extend(self.items("}")?);
            } else if !self.eat("}") {
                return None;
            }
            let mut seen: Vec<Value> = Vec::new();
            for item in items {
                if !hashable(&item) {
                    return None;
                }
                if !seen.contains(&item) {
                    seen.push(item);
                }
            }
            return Some(Value::list(seen));
        }
        let mut map = Map::new();
        let mut key = first;
        loop {
            if !hashable(&key) {
                return None;
            }
            map.insert(key, self.value()?);
            let more = self.eat(",");
            if self.eat("}") {
                return Some(Value::map(map));
            }
            if !more {
                return None;
            }
            key = self.value()?;
            if !self.eat(":") {
                return None;
            }
        }
    }

    /// A name, or strings written side by side.
    fn word(&mut self) -> Option<Value> {
        let mut joined: Option<String> = None;
        loop {
            self.blank();
            let letters = self.rest.len() - self.rest.trim_start_matches(char::is_alphabetic).len();
            let prefix = self.rest.get(..letters)?;
            let after = self.rest.get(letters..)?;
            if !after.starts_with(['\'', '"']) {
                if joined.is_some() {
                    return joined.map(Value::str);
                }
                let value = match prefix {
                    "True" => Value::Bool(true),
                    "False" => Value::Bool(false),
                    "None" => Value::Null,
                    _ => return None,
                };
                if after.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
                    return None;
                }
                self.rest = after;
                return Some(value);
            }
            let raw = match prefix.to_ascii_lowercase().as_str() {
                "" | "u" | "b" => false,
                "r" | "br" | "rb" => true,
                _ => return None,
            };
            self.rest = after;
            let text = self.string(raw)?;
            joined.get_or_insert_default().push_str(&text);
        }
    }

    fn string(&mut self, raw: bool) -> Option<String> {
        let quote = if self.rest.starts_with("'''") {
            "'''"
        } else if self.rest.starts_with("\"\"\"") {
            "\"\"\""
        } else {
            self.rest.get(..1)?
        };
        let mut rest = self.rest.strip_prefix(quote)?;
        let mut out = String::new();
        loop {
            if let Some(after) = rest.strip_prefix(quote) {
                self.rest = after;
                return Some(out);
            }
            let c = rest.chars().next()?;
            rest = rest.get(c.len_utf8()..)?;
            match c {
                '\n' if quote.len() == 1 => return None,
                '\\' if raw => {
                    let next = rest.chars().next()?;
                    out.extend(['\\', next]);
                    rest = rest.get(next.len_utf8()..)?;
                }
                '\\' => rest = unescape(rest, &mut out)?,
                c => out.push(c),
            }
        }
    }

    fn number(&mut self) -> Option<Value> {
        let text = self.rest;
        let end = number_end(text);
        let (token, after) = (text.get(..end)?, text.get(end..)?);
        if after.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.') {
            return None;
        }
        self.rest = after;
        read_number(token)
    }
}

fn hashable(value: &Value) -> bool {
    !matches!(value, Value::List(_) | Value::Map(_))
}

/// Where the characters that a number may have end (an exponent's sign included).
fn number_end(text: &str) -> usize {
    let radix = matches!(
        text.as_bytes(),
        [b'0', b'x' | b'X' | b'o' | b'O' | b'b' | b'B', ..]
    );
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        let sign = matches!(c, '+' | '-') && matches!(before, 'e' | 'E') && !radix;
        if !(c.is_ascii_alphanumeric() || c == '_' || c == '.' || sign) {
            return at;
        }
        before = c;
    }
    text.len()
}

fn read_number(token: &str) -> Option<Value> {
    // an underscore only between digits (or after the radix)
    let bytes = token.as_bytes();
    for (at, b) in bytes.iter().enumerate() {
        if *b == b'_' {
            let before = at.checked_sub(1).and_then(|i| bytes.get(i));
            let after = bytes.get(at + 1);
            let fits = |b: Option<&u8>| b.is_some_and(u8::is_ascii_hexdigit);
            let radix = at == 2 && matches!(before, Some(b'x' | b'X' | b'o' | b'O' | b'b' | b'B'));
            if !((fits(before) || radix) && fits(after)) {
                return None;
            }
        }
    }
    let plain = token.replace('_', "");
    let radix = match plain.get(..2).map(str::to_ascii_lowercase).as_deref() {
        Some("0x") => Some(16),
        Some("0o") => Some(8),
        Some("0b") => Some(2),
        _ => None,
    };
    if let Some(radix) = radix {
        let digits = plain.get(2..)?;
        return i64::from_str_radix(digits.strip_prefix('+').map_or(digits, |_| ""), radix)
            .ok()
            .map(Value::Int);
    }
    if plain.bytes().all(|b| b.is_ascii_digit()) {
        // 01 is an error in Python, 00 is not
        if plain.starts_with('0') && plain.bytes().any(|b| b != b'0') {
            return None;
        }
        return plain.parse().ok().map(Value::Int);
    }
    let mantissa = plain.split(['e', 'E']).next()?;
    let digits = mantissa.bytes().any(|b| b.is_ascii_digit());
    let only = plain
        .bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    (digits && only).then(|| plain.parse().ok().map(Value::Float))?
}

/// Reads what follows a backslash; returns the rest.
fn unescape<'a>(rest: &'a str, out: &mut String) -> Option<&'a str> {
    let c = rest.chars().next()?;
    let after = rest.get(c.len_utf8()..)?;
    let hex = |digits: usize| {
        let text = after.get(..digits)?;
        if !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let c = char::from_u32(u32::from_str_radix(text, 16).ok()?)?;
        Some((c, after.get(digits..)?))
    };
    let simple = match c {
        '\\' | '\'' | '"' => c,
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'v' => '\u{b}',
        '\n' => return Some(after),
        'x' | 'u' | 'U' => {
            let (c, after) = hex(match c {
                'x' => 2,
                'u' => 4,
                _ => 8,
            })?;
            out.push(c);
            return Some(after);
        }
        'N' => return None,
        '0'..='7' => {
            let len = rest
                .bytes()
                .take(3)
                .take_while(|b| (b'0'..=b'7').contains(b))
                .count();
            out.push(char::from_u32(
                u32::from_str_radix(rest.get(..len)?, 8).ok()?,
            )?);
            return rest.get(len..);
        }
        c => {
            out.push('\\');
            c
        }
    };
    out.push(simple);
    Some(after)
}

#[cfg(test)]
mod tests {
    use super::python_literal;
    use proptest::prelude::*;

    fn shown(text: &str) -> String {
        python_literal(text).map_or("-".into(), |v| format!("{v:?}"))
    }

    #[test]
    fn literals() {
        for (text, expected) in [
            ("1", "1"),
            ("1_000", "1000"),
            ("0x1f", "31"),
            ("0o17", "15"),
            ("0b1_1", "3"),
            ("-5", "-5"),
            ("- 5", "-5"),
            ("1.10", "1.1"),
            ("1e3", "1000.0"),
            ("1.", "1.0"),
            (".5", "0.5"),
            ("00", "0"),
            ("01", "-"),
            ("1__0", "-"),
            ("1_", "-"),
            ("1.2.3", "-"),
            ("10.0.0.1", "-"),
            ("True", "True"),
            ("true", "-"),
            ("None", "None"),
            ("Nonesuch", "-"),
            ("yes", "-"),
            ("'q'", "'q'"),
            ("\"q\"", "'q'"),
            ("'a' 'b'", "'ab'"),
            ("r'\\n'", "'\\\\n'"),
            ("'a\\tb'", "'a\\tb'"),
            ("u'x'", "'x'"),
            ("f'x'", "-"),
            ("[1, 'a', [2.0]]", "[1, 'a', [2.0]]"),
            ("[1,]", "[1]"),
            ("[,]", "-"),
            ("[1 2]", "-"),
            ("{'a': 1, 'b': {}}", "{'a': 1, 'b': {}}"),
            ("{1, 2}", "[1, 2]"),
            ("{[1]: 2}", "-"),
            ("1, 2", "[1, 2]"),
            ("(1)", "1"),
            ("(1,)", "[1]"),
            ("()", "[]"),
            ("5 # five", "5"),
            ("5 five", "-"),
            ("'x", "-"),
            ("", "-"),
            ("1+2", "-"),
            ("99999999999999999999", "-"),
            ("1j", "-"),
            ("0x", "-"),
            ("0x+1", "-"),
            ("e5", "-"),
            ("'\\xzz'", "-"),
            ("'\\d'", "'\\\\d'"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn deep_nesting_is_text() {
        assert_eq!(shown(&"[".repeat(100_000)), "-");
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC*") {
            let _ = python_literal(&text);
        }

        #[test]
        fn never_panics_near_literals(text in "[\\[\\](){}'\"\\\\0-9a-fxobeN_.,:+\\- #\u{e9}]{0,12}") {
            let _ = python_literal(&text);
        }
    }
}
