//! What both JUnit reports share: text in XML 1.0, and times.

/// Milliseconds as seconds with three digits.
pub(crate) fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1000, ms % 1000)
}

/// Text between elements. Most control characters have no place in XML 1.0 at all.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// The same for an attribute, where white space would be lost.
pub(crate) fn quoted(text: &str) -> String {
    escaped(text).replace('\n', "&#10;").replace('\t', "&#9;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_hold_is_replaced() {
        assert_eq!(
            escaped("a\n<b> & \"c\"\u{1}\u{ffff}\t"),
            "a\n&lt;b&gt; &amp; &quot;c&quot;\u{fffd}\u{fffd}\t"
        );
        assert_eq!(quoted("a\nb\tc"), "a&#10;b&#9;c");
        assert_eq!(seconds(61_005), "61.005");
    }
}
