//! Python's literals, as `ast.literal_eval` reads them, with JSON's `true`, `false` and `null` allowed.
//!
//! Source: Ansible's documentation, "Templating (Jinja2)": the text of a template is turned back into a
//! structure if it looks like one.

use crate::value::{Map, Value};

const MAX_DEPTH: usize = 100;

/// The value of a literal, or nothing if the text is not one.
pub(crate) fn eval(text: &str) -> Option<Value> {
    let mut reader = Reader {
        rest: text.trim_start_matches([' ', '\t']),
    };
    let value = reader.value(0)?;
    reader.space();
    reader.rest.is_empty().then_some(value)
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, token: &str) -> bool {
        self.space();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.space();
        match self.rest.chars().next()? {
            '[' => self
                .list('[', "]", depth)
                .map(|(items, _)| Value::list(items)),
            '(' => {
                let (mut items, comma) = self.list('(', ")", depth)?;
                if items.len() == 1 && !comma {
                    items.pop()
                } else {
                    Some(Value::list(items))
                }
            }
            '{' => self.dict(depth),
            '\'' | '"' => self.strings(),
            'r' | 'u'
                if self
                    .rest
                    .get(1..)
                    .is_some_and(|rest| rest.starts_with(['\'', '"'])) =>
            {
                let raw = self.rest.starts_with('r');
                self.rest = self.rest.get(1..)?;
                self.string(raw).map(Value::str)
            }
            '-' | '+' | '0'..='9' | '.' => self.number(),
            _ => self.word(),
        }
    }

    fn list(&mut self, open: char, close: &str, depth: usize) -> Option<(Vec<Value>, bool)> {
        self.rest = self.rest.strip_prefix(open)?;
        let mut items = Vec::new();
        let mut comma = false;
        loop {
            if self.eat(close) {
                return Some((items, comma));
            }
            if !items.is_empty() && !comma {
                return None;
            }
            items.push(self.value(depth + 1)?);
            comma = self.eat(",");
        }
    }

    fn dict(&mut self, depth: usize) -> Option<Value> {
        self.rest = self.rest.strip_prefix('{')?;
        let mut map = Map::new();
        let mut comma = true;
        loop {
            if self.eat("}") {
                return Some(Value::map(map));
            }
            if !comma {
                return None;
            }
            let key = self.value(depth + 1)?;
            if matches!(key, Value::Map(_)) || !self.eat(":") {
                return None;
            }
            let value = self.value(depth + 1)?;
            map.insert(key, value);
            comma = self.eat(",");
        }
    }

    fn strings(&mut self) -> Option<Value> {
        let mut text = self.string(false)?;
        loop {
            self.space();
            if !self.rest.starts_with(['\'', '"']) {
                return Some(Value::str(text));
            }
            text.push_str(&self.string(false)?);
        }
    }

    fn string(&mut self, raw: bool) -> Option<String> {
        let quote = self.rest.chars().next()?;
        let triple = quote.to_string().repeat(3);
        let long = self.rest.starts_with(&triple);
        self.rest = self.rest.get(if long { 3 } else { 1 }..)?;
        let mut text = String::new();
        loop {
            if long && self.rest.starts_with(&triple) {
                self.rest = self.rest.get(3..)?;
                return Some(text);
            }
            let c = self.take()?;
            match c {
                c if c == quote && !long => return Some(text),
                '\n' if !long => return None,
                '\\' if raw => {
                    text.push('\\');
                    text.push(self.take()?);
                }
                '\\' => self.escape(&mut text)?,
                c => text.push(c),
            }
        }
    }

    fn take(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let c = chars.next()?;
        self.rest = chars.as_str();
        Some(c)
    }

    fn escape(&mut self, text: &mut String) -> Option<()> {
        let c = self.take()?;
        let digits = |reader: &mut Self, count: usize| -> Option<char> {
            let code = u32::from_str_radix(reader.rest.get(..count)?, 16).ok()?;
            reader.rest = reader.rest.get(count..)?;
            char::from_u32(code)
        };
        match c {
            '\n' => {}
            'n' => text.push('\n'),
            't' => text.push('\t'),
            'r' => text.push('\r'),
            'a' => text.push('\u{7}'),
            'b' => text.push('\u{8}'),
            'f' => text.push('\u{c}'),
            'v' => text.push('\u{b}'),
            '\\' | '\'' | '"' => text.push(c),
            'x' => text.push(digits(self, 2)?),
            'u' => text.push(digits(self, 4)?),
            'U' => text.push(digits(self, 8)?),
            '0'..='7' => {
                let mut code = c.to_digit(8)?;
                for _ in 0..2 {
                    match self.rest.chars().next().and_then(|c| c.to_digit(8)) {
                        Some(digit) => {
                            code = code * 8 + digit;
                            self.take();
                        }
                        None => break,
                    }
                }
                text.push(char::from_u32(code)?);
            }
            other => {
                text.push('\\');
                text.push(other);
            }
        }
        Some(())
    }

    fn number(&mut self) -> Option<Value> {
        let mut negative = false;
        while let Some(sign @ ('-' | '+')) = self.rest.chars().next() {
            negative ^= sign == '-';
            self.take();
            self.space();
        }
        let len = self
            .rest
            .char_indices()
            .find(|(i, c)| {
                let exponent = self.rest.get(..*i).is_some_and(|before| {
                    before.ends_with(['e', 'E']) && !before.starts_with("0x")
                });
                !(c.is_ascii_alphanumeric()
                    || matches!(c, '.' | '_')
                    || (matches!(c, '+' | '-') && exponent))
            })
            .map_or(self.rest.len(), |(i, _)| i);
        let (word, rest) = self.rest.split_at(len);
        if word.is_empty() || word.ends_with('_') || word.starts_with('_') {
            return None;
        }
        self.rest = rest;
        let word = word.replace('_', "").to_ascii_lowercase();
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
            if let Some(digits) = word.strip_prefix(prefix) {
                let number = i64::from_str_radix(digits, radix).ok()?;
                return Some(Value::Int(if negative { -number } else { number }));
            }
        }
        if word.bytes().all(|b| b.is_ascii_digit()) {
            if word.len() > 1 && word.starts_with('0') && word.bytes().any(|b| b != b'0') {
                return None;
            }
            let signed = if negative { format!("-{word}") } else { word };
            return signed
                .parse::<i64>()
                .map(Value::Int)
                .or_else(|_| signed.parse().map(Value::Float))
                .ok();
        }
        if !word.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            return None;
        }
        let number: f64 = word.parse().ok()?;
        Some(Value::Float(if negative { -number } else { number }))
    }

    fn word(&mut self) -> Option<Value> {
        let len = self
            .rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(len);
        let value = match word {
            "True" | "true" => Value::Bool(true),
            "False" | "false" => Value::Bool(false),
            "None" | "null" => Value::Null,
            _ => return None,
        };
        self.rest = rest;
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::repr;

    #[test]
    fn literals_are_read_and_other_text_is_not() {
        for (text, expected) in [
            ("[1, 'a', \"b\"]", "[1, 'a', 'b']"),
            ("{'a': true, 'b': None,}", "{'a': True, 'b': None}"),
            ("(1,)", "[1]"),
            ("((1))", "1"),
            ("[0x1f, -1.5e3, 1_000]", "[31, -1500.0, 1000]"),
            ("['\\n\\x41' 'b']", "['\\nAb']"),
        ] {
            assert_eq!(
                eval(text).map(|v| repr(&v)).as_deref(),
                Some(expected),
                "{text}"
            );
        }
        for text in [
            "[1",
            "[1 2]",
            "{a: 1}",
            "[01]",
            "{1, 2}",
            "[x]",
            "[1] y",
            &"[".repeat(5000),
        ] {
            assert!(eval(text).is_none(), "{text}");
        }
    }
}
