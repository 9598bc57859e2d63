//! Words for shells: quoting them, and reading a text of them.

/// The text as one word for any POSIX shell (and for fish and csh, as long as it has no `!`, newline
/// or backslash).
pub(crate) fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./=:,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The words of a text as a POSIX shell would split them, without any expansion. `None` for a quote
/// that is not closed.
pub fn split(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        '"' => break,
                        '\\' => match chars.next()? {
                            c @ ('"' | '\\' | '$' | '`') => word.push(c),
                            c => word.extend(['\\', c]),
                        },
                        c => word.push(c),
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(chars.next()?),
            c if c.is_whitespace() => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_words_come_back_whole() {
        for word in [
            "",
            "a b",
            "it's",
            "$(x) `y`",
            r"back\slash",
            "\"",
            "a'b'c",
            "plain",
        ] {
            assert_eq!(split(&quote(word)), Some(vec![word.to_owned()]), "{word}");
        }
    }

    #[test]
    fn splits_as_a_shell_does() {
        let words = split(r#"-o "ProxyCommand=ssh -W %h:%p \"b\"" -i '~/my key' a\ b "" "#);
        let expected = [
            "-o",
            r#"ProxyCommand=ssh -W %h:%p "b""#,
            "-i",
            "~/my key",
            "a b",
            "",
        ];
        assert_eq!(words, Some(expected.map(str::to_owned).to_vec()));
        assert_eq!(split("a 'b"), None);
    }
}
