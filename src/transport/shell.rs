//! Words for shells.

/// The text as one word for any POSIX shell (and for fish and csh, as long as it has no `!`, newline
/// or backslash).
pub(crate) fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./=:,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::quote;
    use crate::value::shell_words;

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
            assert_eq!(shell_words(&quote(word)).unwrap(), [word], "{word}");
        }
    }
}
