//! Shell-style patterns, as Python's `fnmatch` reads them.

/// Whether the whole text matches: `*` any text, `?` a character, `[a-c]` one of them, `[!a-c]` none of them.
/// A bracket that is not closed stands for itself.
pub fn glob_matches(pattern: &str, text: &str) -> bool {
    let pattern = parse(pattern);
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    // where to go on after the last star takes one character more
    let mut retry: Option<(usize, usize)> = None;
    while let Some(&c) = text.get(t) {
        match pattern.get(p) {
            Some(Piece::Star) => {
                retry = Some((p + 1, t));
                p += 1;
                continue;
            }
            Some(piece) if piece.takes(c) => {
                p += 1;
                t += 1;
                continue;
            }
            _ => {}
        }
        let Some((after_star, from)) = retry else {
            return false;
        };
        retry = Some((after_star, from + 1));
        (p, t) = (after_star, from + 1);
    }
    pattern
        .get(p..)
        .is_some_and(|rest| rest.iter().all(|piece| matches!(piece, Piece::Star)))
}

enum Piece {
    Star,
    Any,
    Char(char),
    Class {
        not: bool,
        ranges: Vec<(char, char)>,
    },
}

impl Piece {
    fn takes(&self, c: char) -> bool {
        match self {
            Self::Star => false,
            Self::Any => true,
            Self::Char(own) => *own == c,
            Self::Class { not, ranges } => {
                ranges.iter().any(|(from, to)| (*from..=*to).contains(&c)) != *not
            }
        }
    }
}

fn parse(pattern: &str) -> Vec<Piece> {
    let chars: Vec<char> = pattern.chars().collect();
    let mut pieces = Vec::new();
    let mut rest = chars.as_slice();
    while let [c, after @ ..] = rest {
        rest = after;
        match c {
            '*' => pieces.push(Piece::Star),
            '?' => pieces.push(Piece::Any),
            '[' => match class(after) {
                Some((piece, after)) => {
                    pieces.push(piece);
                    rest = after;
                }
                None => pieces.push(Piece::Char('[')),
            },
            c => pieces.push(Piece::Char(*c)),
        }
    }
    pieces
}

fn class(after: &[char]) -> Option<(Piece, &[char])> {
    let (not, body) = match after {
        ['!', body @ ..] => (true, body),
        body => (false, body),
    };
    // a `]` that comes first is a member
    let end = body.iter().skip(1).position(|c| *c == ']')? + 1;
    let (members, rest) = (body.get(..end)?, body.get(end + 1..)?);
    let mut ranges = Vec::new();
    let mut members = members;
    loop {
        match members {
            [from, '-', to, more @ ..] => {
                ranges.push((*from, *to));
                members = more;
            }
            [c, more @ ..] => {
                ranges.push((*c, *c));
                members = more;
            }
            [] => return Some((Piece::Class { not, ranges }, rest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::glob_matches;

    #[test]
    fn globs() {
        for (pattern, text, expected) in [
            ("web*", "web1", true),
            ("*.example.com", "a.b.example.com", true),
            ("*.example.com", "example.com", false),
            ("w?b", "web", true),
            ("w[a-e]b", "web", true),
            ("w[!a-e]b", "web", false),
            ("w[]x]b", "w]b", true),
            ("w[b", "w[b", true),
            ("*a*b*c", "xxaxxbxxbc", true),
            ("*a*b*c", "xxaxxbxxbcd", false),
            ("", "", true),
            ("*", "", true),
            ("web", "WEB", false),
        ] {
            assert_eq!(glob_matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
