//! Shell patterns over names, as Python's `fnmatch` and tar know them: `*`, `?`, `[abc]`, `[!abc]`.

/// Whether the whole text fits the pattern. A `*` stands for slashes too.
pub fn fits(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    // where to go on if what follows the last star does not fit
    let mut back: Option<(usize, usize)> = None;
    loop {
        let step = match (pattern.get(p), text.get(t)) {
            (None, None) => return true,
            (Some('*'), _) => {
                back = Some((p + 1, t));
                p += 1;
                continue;
            }
            (Some('?'), Some(_)) => Some(1),
            (Some('['), Some(c)) => match class(pattern.get(p..).unwrap_or_default(), *c) {
                Some((true, length)) => Some(length),
                Some((false, _)) => None,
                None if *c == '[' => Some(1),
                None => None,
            },
            (Some(a), Some(b)) if a == b => Some(1),
            _ => None,
        };
        match (step, back) {
            (Some(length), _) => {
                p += length;
                t += 1;
            }
            (None, Some((after, from))) if from < text.len() => {
                back = Some((after, from + 1));
                p = after;
                t = from + 1;
            }
            _ => return false,
        }
    }
}

/// Whether the class at the beginning of the pattern has the character, and the class's length; `None` if it is not
/// closed.
fn class(pattern: &[char], c: char) -> Option<(bool, usize)> {
    let negated = pattern.get(1) == Some(&'!');
    let start = if negated { 2 } else { 1 };
    let end = (start + 1..pattern.len()).find(|i| pattern.get(*i) == Some(&']'))?;
    let members = pattern.get(start..end)?;
    let mut found = false;
    let mut i = 0;
    while let Some(first) = members.get(i) {
        if let (Some('-'), Some(last)) = (members.get(i + 1), members.get(i + 2)) {
            found |= (*first..=*last).contains(&c);
            i += 3;
        } else {
            found |= *first == c;
            i += 1;
        }
    }
    Some((found != negated, end + 1))
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn patterns() {
        for (pattern, text) in [
            ("*", ""),
            ("*.log", "a.log"),
            ("a*b*c", "axxbyyc"),
            ("?[a-c][!x]", "zby"),
            ("[]]", "]"),
            ("a[", "a["),
            ("*/x", "a/b/x"),
        ] {
            assert!(fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("*.log", "a.logs"),
            ("?", ""),
            ("[!a]", "a"),
            ("a", "ab"),
            ("", "a"),
        ] {
            assert!(!fits(pattern, text), "{pattern} {text}");
        }
    }
}
