//! Values as YAML, byte for byte as PyYAML writes them.
//!
//! See the filters `to_yaml` and `to_nice_yaml` in Ansible's documentation: they are [`EmitOptions::to_yaml`] and
//! [`EmitOptions::to_nice_yaml`] with the user's options on top. Shared lists and mappings are written out each time:
//! PyYAML's `&id001` anchors depend on the identity of Python objects.

use super::libyaml::{Emitter, Layout, ScalarStyle};
use super::resolve::{Resolved, resolve};
use crate::value::{Map, Trust, Value, str_of};
use std::cmp::Ordering;
use std::ffi::CStr;

/// Block or flow style (PyYAML's `default_flow_style`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum FlowStyle {
    /// Collections that hold only plain scalars in brackets, others in blocks (`None`).
    #[default]
    Auto,
    /// Everything in blocks (`False`).
    Block,
    /// Everything in brackets (`True`).
    Flow,
}

/// How all scalars are written (PyYAML's `default_style`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum QuoteStyle {
    /// Plain where possible.
    #[default]
    Auto,
    /// `'…'`
    Single,
    /// `"…"`
    Double,
    /// `|`
    Literal,
    /// `>`
    Folded,
}

/// How to write; names and defaults are those of PyYAML's `dump`.
#[derive(Clone, Copy, Debug)]
pub struct EmitOptions {
    /// Columns per level; outside 2..=9 it is 2.
    pub indent: i32,
    /// Block or flow style.
    pub default_flow_style: FlowStyle,
    /// Quotes for all scalars.
    pub default_style: QuoteStyle,
    /// Text of several lines as literal blocks (`|`), where no style is set for all scalars.
    pub literal_lines: bool,
    /// Mappings by their keys, if these can be compared; else in their own order.
    pub sort_keys: bool,
    /// Columns after which long text is folded at spaces; below zero: never. Below twice the indentation: 80.
    pub width: i32,
    /// With `---`.
    pub explicit_start: bool,
    /// With `...`.
    pub explicit_end: bool,
    /// Letters beyond ASCII as they are, not as escapes.
    pub allow_unicode: bool,
}

impl EmitOptions {
    /// The defaults of the `to_yaml` filter.
    pub fn to_yaml() -> Self {
        Self {
            indent: 2,
            default_flow_style: FlowStyle::Auto,
            default_style: QuoteStyle::Auto,
            literal_lines: false,
            sort_keys: true,
            width: 80,
            explicit_start: false,
            explicit_end: false,
            allow_unicode: true,
        }
    }

    /// The defaults of the `to_nice_yaml` filter.
    pub fn to_nice_yaml() -> Self {
        Self {
            indent: 4,
            default_flow_style: FlowStyle::Block,
            ..Self::to_yaml()
        }
    }
}

impl Default for EmitOptions {
    fn default() -> Self {
        Self::to_yaml()
    }
}

/// The value as one YAML document, with a line break at its end.
///
/// Vault strings are written as `!vault |` with their ciphertext. The text is empty only if memory runs out or a
/// string is larger than 2 GiB.
pub fn emit(value: &Value, options: &EmitOptions) -> String {
    let layout = Layout {
        indent: options.indent,
        width: options.width,
        unicode: options.allow_unicode,
        explicit_start: options.explicit_start,
        explicit_end: options.explicit_end,
    };
    let Some(emitter) = Emitter::new(layout) else {
        return String::new();
    };
    let mut writer = Writer {
        emitter,
        options,
        astral: options.allow_unicode.then(|| Astral::for_value(value)),
    };
    writer.value(value);
    let text = writer.emitter.finish().unwrap_or_default();
    match writer.astral {
        Some(astral) => astral.restore(&text),
        None => text,
    }
}

struct Writer<'a> {
    emitter: Emitter,
    options: &'a EmitOptions,
    astral: Option<Astral>,
}

const STR: &CStr = c"tag:yaml.org,2002:str";
const NULL: &CStr = c"tag:yaml.org,2002:null";
const BOOL: &CStr = c"tag:yaml.org,2002:bool";
const INT: &CStr = c"tag:yaml.org,2002:int";
const FLOAT: &CStr = c"tag:yaml.org,2002:float";
const VAULT: &CStr = c"!vault";

impl Writer<'_> {
    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.scalar(NULL, "null", Resolved::Null),
            Value::Bool(true) => self.scalar(BOOL, "true", Resolved::Bool),
            Value::Bool(false) => self.scalar(BOOL, "false", Resolved::Bool),
            Value::Int(i) => self.scalar(INT, &i.to_string(), Resolved::Int),
            Value::Float(f) => self.scalar(FLOAT, &float_text(*f), Resolved::Float),
            Value::Str(text) if text.trust() == Trust::Vault => {
                self.emitter
                    .scalar(VAULT, text, false, false, ScalarStyle::Literal);
            }
            Value::Str(text) => self.scalar(STR, text, Resolved::Str),
            Value::List(items) => {
                let flow = self.is_flow(items.iter());
                self.emitter.sequence_start(flow);
                for item in items.iter() {
                    self.value(item);
                }
                self.emitter.sequence_end();
            }
            Value::Map(map) => {
                let flow = self.is_flow(map.iter().flat_map(|(key, value)| [key, value]));
                self.emitter.mapping_start(flow);
                for (key, value) in self.ordered(map) {
                    self.value(key);
                    self.value(value);
                }
                self.emitter.mapping_end();
            }
        }
    }

    fn scalar(&mut self, tag: &CStr, text: &str, kind: Resolved) {
        let style = match self.options.default_style {
            QuoteStyle::Auto if self.options.literal_lines && text.contains('\n') => {
                ScalarStyle::Literal
            }
            QuoteStyle::Auto => ScalarStyle::Any,
            QuoteStyle::Single => ScalarStyle::SingleQuoted,
            QuoteStyle::Double => ScalarStyle::DoubleQuoted,
            QuoteStyle::Literal => ScalarStyle::Literal,
            QuoteStyle::Folded => ScalarStyle::Folded,
        };
        // a tag may be left out where reading the text again finds it
        let plain = resolve(text) == kind;
        let quoted = kind == Resolved::Str;
        match &mut self.astral {
            Some(astral) => {
                let hidden = astral.hide(text);
                self.emitter.scalar(tag, &hidden, plain, quoted, style);
            }
            None => self.emitter.scalar(tag, text, plain, quoted, style),
        }
    }

    fn is_flow<'v>(&self, mut members: impl Iterator<Item = &'v Value>) -> bool {
        match self.options.default_flow_style {
            FlowStyle::Block => false,
            FlowStyle::Flow => true,
            // as PyYAML: a scalar with a style of its own keeps its parent in a block
            FlowStyle::Auto => {
                let styled = self.options.default_style != QuoteStyle::Auto;
                members.all(|member| match member {
                    Value::List(_) | Value::Map(_) => false,
                    Value::Str(text) => !styled && text.trust() != Trust::Vault,
                    _ => !styled,
                })
            }
        }
    }

    fn ordered<'v>(&self, map: &'v Map) -> Vec<(&'v Value, &'v Value)> {
        let mut pairs: Vec<_> = map.iter().collect();
        if self.options.sort_keys && comparable(&pairs) {
            pairs.sort_by(|(a, _), (b, _)| compare(a, b));
        }
        pairs
    }
}

/// Whether Python could sort these keys.
fn comparable(pairs: &[(&Value, &Value)]) -> bool {
    let is = |test: fn(&Value) -> bool| pairs.iter().all(|(key, _)| test(key));
    is(|key| matches!(key, Value::Str(_)))
        || is(|key| matches!(key, Value::Bool(_) | Value::Int(_) | Value::Float(_)))
}

fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Str(a), Value::Str(b)) => a.as_str().cmp(b.as_str()),
        (Value::Int(a), Value::Int(b)) => a.cmp(b),
        _ => number(a).partial_cmp(&number(b)).unwrap_or(Ordering::Equal),
    }
}

#[expect(clippy::cast_precision_loss, reason = "only the order matters")]
fn number(value: &Value) -> f64 {
    match value {
        Value::Bool(b) => f64::from(u8::from(*b)),
        Value::Int(i) => *i as f64,
        Value::Float(f) => *f,
        _ => 0.0,
    }
}

fn float_text(f: f64) -> String {
    if f.is_nan() {
        return ".nan".into();
    }
    if f.is_infinite() {
        return if f > 0.0 { ".inf" } else { "-.inf" }.into();
    }
    let text = str_of(&Value::Float(f));
    match text.split_once('e') {
        // so that reading it again finds a float: 1e+16 is a string in YAML 1.1
        Some((mantissa, exponent)) if !mantissa.contains('.') => format!("{mantissa}.0e{exponent}"),
        _ => text,
    }
}

/// PyYAML's libyaml writes characters beyond the first plane as escapes even where Unicode is allowed; ours would not.
/// So each goes through the emitter as two characters that it does escape, of the same size in bytes (4) and in columns
/// as an escape (10), and is put back afterwards.
struct Astral {
    control: char,
    hidden: Vec<char>,
}

const NONCHARACTER: char = '\u{fffe}';

impl Astral {
    /// With a control character whose escape does not occur in the value itself.
    fn for_value(value: &Value) -> Self {
        let control = (1..=6)
            .chain(14..=26)
            .map(char::from)
            .find(|control| !mentions(value, &mark(*control), &[*control, NONCHARACTER]))
            .unwrap_or('\u{1}');
        Self {
            control,
            hidden: Vec::new(),
        }
    }

    fn hide(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            if c > '\u{ffff}' {
                self.hidden.push(c);
                out.push(self.control);
                out.push(NONCHARACTER);
            } else {
                out.push(c);
            }
        }
        out
    }

    fn restore(self, text: &str) -> String {
        if self.hidden.is_empty() {
            return text.to_owned();
        }
        let mark = mark(self.control);
        let mut parts = text.split(mark.as_str());
        let mut out = parts.next().unwrap_or_default().to_owned();
        for (part, c) in parts.zip(self.hidden) {
            out.push_str(&format!("\\U{:08X}", c as u32));
            out.push_str(part);
        }
        out
    }
}

fn mark(control: char) -> String {
    format!("\\x{:02X}\\uFFFE", control as u32)
}

fn mentions(value: &Value, mark: &str, hidden: &[char; 2]) -> bool {
    match value {
        Value::Str(text) => {
            text.contains(mark) || text.contains(String::from_iter(hidden).as_str())
        }
        Value::List(items) => items.iter().any(|item| mentions(item, mark, hidden)),
        Value::Map(map) => map
            .iter()
            .any(|(key, value)| mentions(key, mark, hidden) || mentions(value, mark, hidden)),
        _ => false,
    }
}
