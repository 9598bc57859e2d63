//! Where Ansible writes: lines and banners to standard output, warnings to standard error.

use super::Colour;
use crate::report::Output;
use std::collections::HashSet;
use std::io::Write as _;

/// The two streams of a program that writes as Ansible does.
pub struct Screen {
    out: Output,
    err: Output,
    colour: bool,
    columns: usize,
    warned: HashSet<String>,
}

impl Screen {
    /// Columns of a banner where the output is no terminal.
    pub const COLUMNS: usize = 79;

    /// Writes to `out` and `err`; `columns` is the terminal's width less one, and at least 79.
    pub fn new(out: Output, err: Output, colour: bool, columns: usize) -> Self {
        Self {
            out,
            err,
            colour,
            columns: columns.max(Self::COLUMNS),
            warned: HashSet::new(),
        }
    }

    /// The text in a colour, if there are any.
    pub fn paint(&self, colour: Colour, text: &str) -> String {
        if self.colour {
            colour.paint(text)
        } else {
            text.to_owned()
        }
    }

    /// A line for standard output; no second line break after one.
    pub fn say(&mut self, text: &str, colour: Option<Colour>) {
        let text = colour.map_or_else(|| text.to_owned(), |colour| self.paint(colour, text));
        // a closed pipe does not stop the run
        let _ = self.out.write_all(line(text).as_bytes());
        let _ = self.out.flush();
    }

    /// A line for standard error.
    pub fn complain(&mut self, text: &str, colour: Colour) {
        let text = self.paint(colour, text);
        let _ = self.err.write_all(line(text).as_bytes());
        let _ = self.err.flush();
    }

    /// An empty line and a heading, filled with stars.
    pub fn banner(&mut self, text: &str) {
        let stars = self
            .columns
            .saturating_sub(console::measure_text_width(text))
            .max(3);
        self.say(&format!("\n{text} {}", "*".repeat(stars)), None);
    }

    /// A warning, if it is new.
    pub fn warning(&mut self, message: &str) {
        let text = wrapped(&format!("[WARNING]: {message}"), self.columns);
        if self.warned.insert(text.clone()) {
            self.complain(&text, Colour::Warn);
        }
    }

    /// A deprecation, if it is new.
    pub fn deprecation(&mut self, message: &str) {
        let text = format!(
            "[DEPRECATION WARNING]: {message} Deprecation warnings can be disabled by setting \
             deprecation_warnings=False in ansible.cfg."
        );
        let text = filled(&text, self.columns);
        if self.warned.insert(text.clone()) {
            self.complain(&text, Colour::Deprecate);
        }
    }
}

fn line(mut text: String) -> String {
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// Text in lines of at most so many characters, broken at blanks and after hyphens in words, as Python's `textwrap`
/// breaks it.
pub fn wrapped(text: &str, columns: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut current = String::new();
    let mut width = 0;
    for chunk in chunks(text) {
        let size = chunk.chars().count();
        let blank = chunk.starts_with(' ');
        if blank && current.is_empty() && !lines.is_empty() {
            continue;
        }
        if width + size > columns && !(current.is_empty()) {
            lines.push(current.trim_end().to_owned());
            current.clear();
            width = 0;
            if blank {
                continue;
            }
        }
        let mut rest = chunk;
        while rest.chars().count() > columns {
            let at = rest
                .char_indices()
                .nth(columns)
                .map_or(rest.len(), |(i, _)| i);
            let (head, tail) = rest.split_at(at);
            lines.push(head.to_owned());
            rest = tail.to_owned();
        }
        width += rest.chars().count();
        current.push_str(&rest);
    }
    let current = current.trim_end();
    if !current.is_empty() {
        lines.push(current.to_owned());
    }
    lines.join("\n")
}

/// The same, where blanks at the ends of lines stay: so Ansible wraps what it says of deprecations.
fn filled(text: &str, columns: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut current = String::new();
    let mut width = 0;
    for chunk in chunks(text) {
        let size = chunk.chars().count();
        if width + size > columns && !current.is_empty() {
            lines.push(std::mem::take(&mut current));
            width = 0;
        }
        width += size;
        current.push_str(&chunk);
    }
    lines.push(current);
    lines.join("\n")
}

/// Words and blanks; a word with hyphens between letters is several. Each white space counts as one blank.
fn chunks(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut word = String::new();
    let letters: Vec<char> = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .collect();
    for (index, c) in letters.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|i| letters.get(i));
        let was_blank = word.ends_with(' ');
        if !word.is_empty() && (*c == ' ') != was_blank {
            found.push(std::mem::take(&mut word));
        }
        word.push(*c);
        let letter = |c: Option<&char>| c.is_some_and(|c| c.is_alphabetic());
        let next = (letters.get(index + 1), letters.get(index + 2));
        let earlier = index.checked_sub(2).and_then(|i| letters.get(i));
        if *c == '-'
            && letter(before)
            && letter(earlier)
            && letter(next.0)
            && (letter(next.1) || next.1 == Some(&'-'))
        {
            found.push(std::mem::take(&mut word));
        }
    }
    if !word.is_empty() {
        found.push(word);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn as_textwrap_breaks() {
        let text = "[WARNING]: Platform linux on host h1 is using the discovered Python interpreter at \
                    /root/.pyenv/shims/python3.13, but future installation of another Python interpreter could \
                    change the meaning of that path. See \
                    https://docs.ansible.com/ansible-core/2.18/reference_appendices/interpreter_discovery.html for \
                    more information.";
        assert_eq!(
            wrapped(text, 79),
            "[WARNING]: Platform linux on host h1 is using the discovered Python interpreter\n\
             at /root/.pyenv/shims/python3.13, but future installation of another Python\n\
             interpreter could change the meaning of that path. See\n\
             https://docs.ansible.com/ansible-\n\
             core/2.18/reference_appendices/interpreter_discovery.html for more information."
        );
    }

    #[test]
    fn what_is_too_long_is_cut() {
        assert_eq!(wrapped("abcdefgh ij", 3), "abc\ndef\ngh\nij");
    }
}
