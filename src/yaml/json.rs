//! JSON with places. Ansible reads every file as JSON first and as YAML only if that fails.
//!
//! It accepts what Python's `json` accepts (`NaN` and `Infinity` too) and gives up silently at anything else: the YAML
//! reader then finds better words. Members named `__ansible_vault` and `__ansible_unsafe` are Ansible's way to carry
//! vault and unsafe strings in JSON.

use super::compose::MAX_DEPTH;
use super::mapping::{Pair, assemble};
use super::node::{Kind, Node};
use super::places::Places;
use crate::diag::Source;
use crate::value::Text;
use std::sync::Arc;

/// The document, if the whole text is JSON.
pub(super) fn parse(source: &Arc<Source>) -> Option<Node> {
    let mut places = Places::new(source);
    let text = places.text();
    // cheap refusal of nearly every YAML file
    let first = text.trim_start_matches(is_space).chars().next()?;
    if !matches!(
        first,
        '{' | '[' | '"' | '-' | '0'..='9' | 't' | 'f' | 'n' | 'N' | 'I'
    ) {
        return None;
    }
    let mut reader = Reader {
        text,
        at: 0,
        depth: 0,
        places: &mut places,
    };
    let node = reader.value()?;
    reader.space();
    (reader.at == text.len()).then_some(node)
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

struct Reader<'a, 'p> {
    text: &'a str,
    at: usize,
    depth: usize,
    places: &'p mut Places<'a>,
}

impl<'a> Reader<'a, '_> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(is_space).len();
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn value(&mut self) -> Option<Node> {
        self.space();
        let start = self.at;
        // lines and columns count forward, so the place is taken before the members'
        let mut span = self.places.span(start, start);
        let kind = match self.rest().chars().next()? {
            '{' => self.nested(Self::object)?,
            '[' => self.nested(Self::array)?,
            '"' => Kind::Str(Text::template(self.string()?)),
            '-' | '0'..='9' if !self.rest().starts_with("-I") => self.number()?,
            _ => self.word()?,
        };
        span.end = self.places.absolute(self.at);
        Some(Node::new(kind, span))
    }

    fn nested(&mut self, read: fn(&mut Self) -> Option<Kind>) -> Option<Kind> {
        self.at += 1;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let kind = read(self)?;
        self.depth -= 1;
        Some(kind)
    }

    fn word(&mut self) -> Option<Kind> {
        let words = [
            ("true", Kind::Bool(true)),
            ("false", Kind::Bool(false)),
            ("null", Kind::Null),
            ("NaN", Kind::Float(f64::NAN)),
            ("Infinity", Kind::Float(f64::INFINITY)),
            ("-Infinity", Kind::Float(f64::NEG_INFINITY)),
        ];
        for (word, kind) in words {
            if self.eat(word) {
                return Some(kind);
            }
        }
        None
    }

    fn number(&mut self) -> Option<Kind> {
        let start = self.at;
        self.eat("-");
        let whole = self.digits();
        if whole.is_empty() || (whole.len() > 1 && whole.starts_with('0')) {
            return None;
        }
        let mut float = false;
        if self.eat(".") {
            float = true;
            if self.digits().is_empty() {
                return None;
            }
        }
        if self.eat("e") || self.eat("E") {
            float = true;
            let _ = self.eat("+") || self.eat("-");
            if self.digits().is_empty() {
                return None;
            }
        }
        let text = self.text.get(start..self.at)?;
        if float {
            return text.parse().ok().map(Kind::Float);
        }
        // beyond 64 bits: the digits, as in YAML
        Some(
            text.parse()
                .map_or_else(|_| Kind::Str(Text::template(text)), Kind::Int),
        )
    }

    fn digits(&mut self) -> &'a str {
        let rest = self.rest();
        let len = rest.bytes().take_while(u8::is_ascii_digit).count();
        self.at += len;
        rest.get(..len).unwrap_or_default()
    }

    fn string(&mut self) -> Option<String> {
        if !self.eat("\"") {
            return None;
        }
        let mut out = String::new();
        loop {
            let rest = self.rest();
            let plain = rest.find(|c: char| c == '"' || c == '\\' || c < ' ')?;
            out.push_str(rest.get(..plain)?);
            self.at += plain;
            if self.eat("\"") {
                return Some(out);
            }
            if !self.eat("\\") {
                return None;
            }
            let escape = self.rest().chars().next()?;
            self.at += escape.len_utf8();
            out.push(match escape {
                '"' | '\\' | '/' => escape,
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => self.unicode()?,
                _ => return None,
            });
        }
    }

    /// `\uXXXX`, a pair of them for characters beyond the first plane.
    fn unicode(&mut self) -> Option<char> {
        let first = self.hex()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first);
        }
        if !self.eat("\\u") {
            return None;
        }
        let second = self.hex().filter(|n| (0xdc00..0xe000).contains(n))?;
        char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00))
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.rest().get(..4)?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }

    fn array(&mut self) -> Option<Kind> {
        let mut items = Vec::new();
        self.space();
        if self.eat("]") {
            return Some(Kind::Seq(items));
        }
        loop {
            items.push(self.value()?);
            self.space();
            if self.eat("]") {
                return Some(Kind::Seq(items));
            }
            if !self.eat(",") {
                return None;
            }
        }
    }

    fn object(&mut self) -> Option<Kind> {
        let mut pairs = Vec::new();
        self.space();
        if self.eat("}") {
            return Some(Kind::Map(Vec::new()));
        }
        loop {
            self.space();
            let start = self.at;
            let mut span = self.places.span(start, start);
            let name = self.string()?;
            span.end = self.places.absolute(self.at);
            self.space();
            if !self.eat(":") {
                return None;
            }
            let value = self.value()?;
            pairs.push(Pair {
                key: Node::new(Kind::Str(Text::template(name)), span),
                value,
                merge: false,
            });
            self.space();
            if self.eat("}") {
                break;
            }
            if !self.eat(",") {
                return None;
            }
        }
        if let Some(kind) = carried(&pairs) {
            return Some(kind);
        }
        // as Ansible: JSON's duplicates are silent, the last one counts
        assemble(pairs, &mut Vec::new()).ok().map(Kind::Map)
    }
}

/// The vault or unsafe string that an object stands for.
fn carried(pairs: &[Pair]) -> Option<Kind> {
    pairs.iter().find_map(|pair| {
        let text = pair.value.as_str()?;
        match pair.key.as_str()? {
            "__ansible_vault" => Some(Kind::Str(Text::vault(text))),
            "__ansible_unsafe" => Some(Kind::Str(Text::data(text))),
            _ => None,
        }
    })
}
