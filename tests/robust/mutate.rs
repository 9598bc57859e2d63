//! Texts broken at random, the same way for the same seed.

/// What is thrown in.
const TOKENS: &[&str] = &[
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "{{ x }}",
    "{% if %}",
    "- ",
    ": ",
    "? ",
    "&a ",
    "*a",
    "<<: *a",
    "!!int ",
    "!vault ",
    "!unsafe ",
    "!!binary ",
    "[",
    "]",
    "{",
    "}",
    "99999999999999999999",
    "-1",
    "0x",
    "1e999",
    ".nan",
    "null",
    "~",
    "|",
    ">",
    "|2-",
    "\t",
    "\"",
    "'",
    "#",
    "\n---\n",
    "\n...\n",
    "\\",
    "%",
    "@",
    "`",
    ",",
    "!",
    "&",
    ":",
    "::",
    "[1:99999999]",
    "[a:z]",
    "\0",
    "\u{feff}",
    "\u{85}",
    "\u{2028}",
    "é",
    "😀",
    "\r\n",
    "\r",
    "loop: ",
    "when: ",
    "vars: ",
    "block: ",
    "include_tasks: play.yml",
    "import_tasks: more.yml",
    "hosts: ",
    "name: ",
    "tags: ",
    "register: ",
    "item",
    "omit",
    "| default(",
    "| list",
    "~ ",
    "** 9",
    "is ",
    "lookup('",
    "[0]",
    ".x",
    "range(9)",
    "=",
    "\n\n\n",
    "  ",
];

pub struct Mutator(u64);

impl Mutator {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below the bound; 0 if there is none.
    pub fn below(&mut self, bound: usize) -> usize {
        match bound {
            0 => 0,
            _ => usize::try_from(self.next() % bound as u64).unwrap_or(0),
        }
    }

    fn token(&mut self) -> &'static str {
        TOKENS[self.below(TOKENS.len())]
    }

    /// The text, broken in one to four places.
    pub fn bytes(&mut self, text: &[u8]) -> Vec<u8> {
        let mut out = text.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(out.len() + 1);
            let end = (at + self.below(30)).min(out.len());
            match self.below(8) {
                0 => {
                    out.drain(at..end);
                }
                1 => {
                    let piece = out[at..end].to_vec();
                    out.splice(at..at, piece);
                }
                2 => self.swap_lines(&mut out),
                3 => out.truncate(at),
                4 => out.insert(at, self.next().to_le_bytes()[3]),
                _ => {
                    let token = self.token();
                    out.splice(at..at, token.bytes());
                }
            }
        }
        out
    }

    /// The same for what must be text.
    pub fn text(&mut self, text: &str) -> String {
        String::from_utf8_lossy(&self.bytes(text.as_bytes())).into_owned()
    }

    fn swap_lines(&mut self, out: &mut Vec<u8>) {
        let mut lines: Vec<Vec<u8>> = out.split(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
        let (a, b) = (self.below(lines.len()), self.below(lines.len()));
        lines.swap(a, b);
        *out = lines.join(&b'\n');
    }
}
