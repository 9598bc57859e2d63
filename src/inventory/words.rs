//! A line split into words as a POSIX shell does it (Python's `shlex` with comments).

/// The words of a line: quotes group and vanish, a backslash takes the next character, `#` ends the line even
/// within a word.
///
/// # Errors
/// A sentence, if a quote is not closed or a backslash comes last.
pub(super) fn split(line: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '#' => break,
            '\\' => {
                let next = chars.next().ok_or("nothing follows the backslash")?;
                word.get_or_insert_default().push(next);
            }
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some('\'') => break,
                        Some(c) => word.push(c),
                        None => return Err("the quote is not closed"),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some('"') => break,
                        Some('\\') => match chars.next() {
                            Some(c @ ('"' | '\\')) => word.push(c),
                            Some(c) => word.extend(['\\', c]),
                            None => return Err("the quote is not closed"),
                        },
                        Some(c) => word.push(c),
                        None => return Err("the quote is not closed"),
                    }
                }
            }
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn quotes_escapes_and_comments() {
        assert_eq!(
            split(r#"h a='x y' b="p \"q\" \n" c=d\ e # no"#).unwrap(),
            ["h", "a=x y", r#"b=p "q" \n"#, "c=d e"]
        );
        assert_eq!(split("h#x y").unwrap(), ["h"]);
        assert_eq!(split("''").unwrap(), [""]);
        assert!(split("h 'x").is_err());
        assert!(split("h \"x\\").is_err());
        assert!(split("h \\").is_err());
    }
}
