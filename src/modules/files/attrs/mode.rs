//! Permission bits as users write them.
//!
//! Source: Ansible's documentation of `ansible.builtin.file`, argument `mode`.

use crate::value::{ArgKind, FromValue, TypeProblem, Value, str_of};

/// A mode: bits, a symbolic change, or that of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// These bits (`0o7777` at most). A number in YAML is taken as it is: `0644` is octal there, `644` is not.
    Bits(u32),
    /// `u=rw,g-w,o+X`.
    Symbolic(Vec<Clause>),
    /// That of the source file; only for modules that have one.
    Preserve,
}

/// One change of a symbolic mode: for whom, how, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clause {
    who: Vec<Who>,
    masked: bool,
    operator: Operator,
    what: Vec<char>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    User,
    Group,
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Add,
    Remove,
    Set,
}

impl Who {
    fn shift(self) -> u32 {
        match self {
            Self::User => 6,
            Self::Group => 3,
            Self::Other => 0,
        }
    }

    fn special(self) -> u32 {
        match self {
            Self::User => 0o4000,
            Self::Group => 0o2000,
            Self::Other => 0o1000,
        }
    }

    fn mask(self) -> u32 {
        (0o7 << self.shift()) | self.special()
    }
}

impl Mode {
    /// Reads a mode from text: octal digits, symbolic, or `preserve`.
    ///
    /// # Errors
    /// A sentence when it is none of these.
    pub fn parse(text: &str) -> Result<Self, TypeProblem> {
        let text = text.trim();
        if text == "preserve" {
            return Ok(Self::Preserve);
        }
        // changes nothing, as a default of roles
        if text.is_empty() {
            return Ok(Self::Symbolic(Vec::new()));
        }
        let digits = text
            .strip_prefix("0o")
            .or_else(|| text.strip_prefix("0O"))
            .unwrap_or(text);
        if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
            return u32::from_str_radix(digits, 8)
                .ok()
                .filter(|bits| *bits <= 0o7777)
                .map(Self::Bits)
                .ok_or_else(|| TypeProblem(format!("`{text}` is not an octal mode up to 07777")));
        }
        let clauses: Option<Vec<Vec<Clause>>> = text.split(',').map(clauses).collect();
        match clauses {
            Some(clauses) if !text.is_empty() => {
                Ok(Self::Symbolic(clauses.into_iter().flatten().collect()))
            }
            _ => Err(TypeProblem(format!(
                "`{text}` is not a mode: write octal digits in quotes (\"0644\") or a symbolic mode (u=rw,g=r)"
            ))),
        }
    }

    /// The bits that result where `current` is set now; `None` for [`Mode::Preserve`].
    pub fn apply(&self, current: u32, directory: bool, umask: u32) -> Option<u32> {
        match self {
            Self::Bits(bits) => Some(*bits),
            Self::Preserve => None,
            Self::Symbolic(clauses) => Some(
                clauses
                    .iter()
                    .fold(current, |bits, clause| clause.apply(bits, directory, umask)),
            ),
        }
    }
}

impl Clause {
    fn apply(&self, mut bits: u32, directory: bool, umask: u32) -> u32 {
        for who in &self.who {
            let mut wanted = 0;
            for what in &self.what {
                let executable = directory || bits & 0o111 != 0;
                wanted |= match what {
                    'r' => 4 << who.shift(),
                    'w' => 2 << who.shift(),
                    'x' => 1 << who.shift(),
                    'X' if executable => 1 << who.shift(),
                    's' if *who != Who::Other => who.special(),
                    't' if *who == Who::Other => who.special(),
                    'u' => ((bits >> 6) & 0o7) << who.shift(),
                    'g' => ((bits >> 3) & 0o7) << who.shift(),
                    'o' => (bits & 0o7) << who.shift(),
                    _ => 0,
                };
            }
            if self.masked {
                wanted &= !umask;
            }
            bits = match self.operator {
                Operator::Add => bits | wanted,
                Operator::Remove => bits & !wanted,
                Operator::Set => (bits & !who.mask()) | wanted,
            };
        }
        bits
    }
}

/// The clauses of one part between commas: `ug+r-w`.
fn clauses(part: &str) -> Option<Vec<Clause>> {
    let at = part.find(['+', '-', '='])?;
    let (users, mut rest) = part.split_at_checked(at)?;
    let mut who = Vec::new();
    for user in users.chars() {
        match user {
            'u' => who.push(Who::User),
            'g' => who.push(Who::Group),
            'o' => who.push(Who::Other),
            'a' => who.extend([Who::User, Who::Group, Who::Other]),
            _ => return None,
        }
    }
    let masked = who.is_empty();
    if masked {
        who.extend([Who::User, Who::Group, Who::Other]);
    }
    let mut out = Vec::new();
    while let Some(first) = rest.chars().next() {
        let operator = match first {
            '+' => Operator::Add,
            '-' => Operator::Remove,
            '=' => Operator::Set,
            _ => return None,
        };
        let tail = rest.get(1..)?;
        let end = tail.find(['+', '-', '=']).unwrap_or(tail.len());
        let (what, next) = tail.split_at_checked(end)?;
        let copied = matches!(what, "u" | "g" | "o");
        if !copied && !what.chars().all(|c| "rwxXst".contains(c)) {
            return None;
        }
        out.push(Clause {
            who: who.clone(),
            masked,
            operator,
            what: what.chars().collect(),
        });
        rest = next;
    }
    Some(out)
}

impl FromValue for Mode {
    const KIND: ArgKind = ArgKind::Raw;
    fn from_value(value: &Value) -> Result<Self, TypeProblem> {
        match value {
            Value::Int(bits) => u32::try_from(*bits)
                .ok()
                .filter(|bits| *bits <= 0o7777)
                .map(Self::Bits)
                .ok_or_else(|| {
                    TypeProblem(format!(
                        "{bits} is no mode: write it in quotes, or with a leading zero"
                    ))
                }),
            Value::Str(text) => Self::parse(text),
            other => Self::parse(&str_of(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, current: u32, directory: bool) -> u32 {
        Mode::parse(text)
            .expect("a mode")
            .apply(current, directory, 0o022)
            .expect("bits")
    }

    #[test]
    fn octal_text_and_plain_numbers() {
        assert_eq!(of("0644", 0, false), 0o644);
        assert_eq!(of("1777", 0, false), 0o1777);
        assert_eq!(Mode::from_value(&Value::Int(420)), Ok(Mode::Bits(0o644)));
        assert_eq!(Mode::from_value(&"preserve".into()), Ok(Mode::Preserve));
        assert_eq!(Mode::parse(""), Ok(Mode::Symbolic(Vec::new())));
        for wrong in ["0999", "77777", "u=q", "rw-r--r--", "u+r,,g+w"] {
            assert!(Mode::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn symbolic_changes() {
        assert_eq!(of("u=rw,g=r,o=", 0o777, false), 0o640);
        assert_eq!(of("u+rwX,g-w", 0o660, false), 0o640);
        assert_eq!(of("a+X", 0o644, true), 0o755);
        assert_eq!(of("a+X", 0o744, false), 0o755);
        assert_eq!(
            of("+w", 0o444, false),
            0o644,
            "without a user the umask counts"
        );
        assert_eq!(of("g=u", 0o640, false), 0o660);
        assert_eq!(of("u+s,o+t", 0o755, true), 0o5755);
        assert_eq!(of("u=rwx", 0o4644, false), 0o744);
        assert_eq!(of("ug+x-w", 0o660, false), 0o550);
    }
}
