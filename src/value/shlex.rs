//! Splitting a command line into words as a POSIX shell does, without expanding anything.

/// The words of a command line: quotes and backslashes are taken away, nothing is expanded, `#` means nothing.
///
/// # Errors
/// When a quotation is not closed or the last character is a lone backslash.
pub fn shell_words(line: &str) -> Result<Vec<String>, String> {
    split(line, false)
}

/// As [`shell_words`], but `#` ends the line, even within a word.
///
/// # Errors
/// As [`shell_words`].
pub fn shell_words_before_comment(line: &str) -> Result<Vec<String>, String> {
    split(line, true)
}

fn split(line: &str, comments: bool) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '#' if comments => break,
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some('\'') => break,
                        Some(c) => word.push(c),
                        None => return Err("No closing quotation".into()),
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
                            None => return Err("No escaped character".into()),
                        },
                        Some(c) => word.push(c),
                        None => return Err("No closing quotation".into()),
                    }
                }
            }
            '\\' => match chars.next() {
                Some(c) => word.get_or_insert_default().push(c),
                None => return Err("No escaped character".into()),
            },
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::{shell_words, shell_words_before_comment};

    #[test]
    fn words() {
        for (line, expected) in [
            ("ls  -l\t/x\n", vec!["ls", "-l", "/x"]),
            (
                r#"a "b c"d 'e "f' '' """#,
                vec!["a", "b cd", "e \"f", "", ""],
            ),
            (
                r#"a\ b "q\"\\\x$" '\n' c#d #e"#,
                vec!["a b", "q\"\\\\x$", "\\n", "c#d", "#e"],
            ),
            ("", vec![]),
        ] {
            assert_eq!(shell_words(line).unwrap(), expected, "{line}");
        }
        for line in ["a 'b", "a \"b", "a\\", "\"\\"] {
            assert!(shell_words(line).is_err(), "{line}");
        }
    }

    #[test]
    fn a_comment_ends_the_words() {
        for (line, expected) in [
            (r"h a='x # y' # no", vec!["h", "a=x # y"]),
            ("h#x y", vec!["h"]),
            ("'' #", vec![""]),
            (r"a\#b", vec!["a#b"]),
            ("# 'x", vec![]),
        ] {
            assert_eq!(
                shell_words_before_comment(line).unwrap(),
                expected,
                "{line}"
            );
        }
        assert!(shell_words_before_comment("h 'x # y").is_err());
    }
}
