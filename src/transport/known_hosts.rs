//! `known_hosts` files: which keys a host is known by.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use russh::keys::{Algorithm, HashAlg, PublicKey, parse_public_key_base64};
use sha1::{Digest, Sha1};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// A line's mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A host's own key.
    Host,
    /// `@revoked`.
    Revoked,
    /// `@cert-authority`.
    Authority,
}

/// A line that speaks of the host.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub kind: Kind,
    pub key: PublicKey,
    pub file: PathBuf,
    /// From 1.
    pub line: usize,
}

/// What is known about one host, from all its files.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownHost {
    /// How `known_hosts` names it: `host`, or `[host]:port`.
    pub name: String,
    known: Vec<Known>,
    /// Lines for the name without its port, which can confirm a key but not contradict one.
    portless: Vec<Known>,
}

/// What the files say to a key.
#[derive(Debug)]
pub(crate) enum Verdict<'a> {
    /// It is known.
    Known,
    /// The host is known by other keys only; one of them.
    Changed(&'a Known),
    /// The key was revoked.
    Revoked(&'a Known),
    /// Nothing is known.
    Unknown,
}

/// How `known_hosts` names a host.
pub(crate) fn name_of(host: &str, port: u16) -> String {
    let host = host.to_lowercase();
    if port == 22 {
        host
    } else {
        format!("[{host}]:{port}")
    }
}

impl KnownHost {
    /// Reads the files; one that is not there has no lines.
    pub(crate) fn read(host: &str, port: u16, files: &[PathBuf]) -> Self {
        let name = name_of(host, port);
        let plain = host.to_lowercase();
        let (mut known, mut portless) = (Vec::new(), Vec::new());
        for file in files {
            let Ok(bytes) = std::fs::read(file) else {
                continue;
            };
            let text = String::from_utf8_lossy(&bytes);
            for (index, line) in text.lines().enumerate() {
                let Some((kind, patterns, key)) = fields(line) else {
                    continue;
                };
                let by_name = matches(patterns, &name);
                let by_plain = port != 22 && kind == Kind::Host && matches(patterns, &plain);
                if !by_name && !by_plain {
                    continue;
                }
                let Ok(key) = parse_public_key_base64(key) else {
                    continue;
                };
                let file = file.clone();
                let entry = Known {
                    kind,
                    key,
                    file,
                    line: index + 1,
                };
                if by_name {
                    known.push(entry);
                } else {
                    portless.push(entry);
                }
            }
        }
        Self {
            name,
            known,
            portless,
        }
    }

    /// The verdict on a key. A host that is known by a key of another type only is `Changed`: the
    /// types that are known were asked for first, so the server has none of them.
    pub(crate) fn judge(&self, key: &PublicKey) -> Verdict<'_> {
        let same = |known: &&Known| known.key.key_data() == key.key_data();
        let of = |kind| self.known.iter().filter(move |known| known.kind == kind);
        if let Some(revoked) = of(Kind::Revoked).find(same) {
            return Verdict::Revoked(revoked);
        }
        if of(Kind::Host).any(|known| same(&known)) {
            return Verdict::Known;
        }
        let same_type = |known: &&Known| known.key.algorithm() == key.algorithm();
        if let Some(other) = of(Kind::Host)
            .find(same_type)
            .or_else(|| of(Kind::Host).next())
        {
            return Verdict::Changed(other);
        }
        if self.portless.iter().any(|known| same(&known)) {
            return Verdict::Known;
        }
        Verdict::Unknown
    }

    /// The authorities that sign keys for the host.
    pub(crate) fn authorities(&self) -> impl Iterator<Item = &PublicKey> {
        let lines = self
            .known
            .iter()
            .filter(|known| known.kind == Kind::Authority);
        lines.map(|known| &known.key)
    }

    /// Whether a key was revoked.
    pub(crate) fn revoked(&self, key: &PublicKey) -> Option<&Known> {
        match self.judge(key) {
            Verdict::Revoked(known) => Some(known),
            _ => None,
        }
    }

    /// The algorithms in the order to ask for: those of known keys first.
    pub(crate) fn order(&self, all: &[Algorithm]) -> Vec<Algorithm> {
        let known = |algorithm: &Algorithm| {
            self.known.iter().chain(&self.portless).any(|known| {
                known.kind == Kind::Host && same_family(&known.key.algorithm(), algorithm)
            })
        };
        let (mut first, rest): (Vec<_>, Vec<_>) = all.iter().cloned().partition(known);
        first.extend(rest);
        first
    }
}

fn same_family(a: &Algorithm, b: &Algorithm) -> bool {
    matches!((a, b), (Algorithm::Rsa { .. }, Algorithm::Rsa { .. })) || a == b
}

/// The SHA-256 fingerprint as OpenSSH shows it.
pub(crate) fn fingerprint(key: &PublicKey) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

static APPENDING: Mutex<()> = Mutex::new(());

/// Adds a line, in one write, to a file that is made if need be.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn append(file: &Path, name: &str, key: &PublicKey) -> std::io::Result<()> {
    let _one = APPENDING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(parent) = file.parent()
        && !parent.as_os_str().is_empty()
        && !parent.exists()
    {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(parent)?;
    }
    let text = std::fs::read(file).unwrap_or_default();
    let mut line = String::new();
    if text.last().is_some_and(|&byte| byte != b'\n') {
        line.push('\n');
    }
    let mut key = key.clone();
    key.set_comment("");
    let key = key.to_openssh().map_err(std::io::Error::other)?;
    line.push_str(&format!("{name} {}\n", key.trim()));
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.append(true).create(true).mode(0o600).open(file)?;
    file.write_all(line.as_bytes())
}

/// Mark, patterns and key of a line; `None` for comments and nonsense.
fn fields(line: &str) -> Option<(Kind, &str, &str)> {
    let mut words = line.split_whitespace();
    let first = words.next()?;
    if first.starts_with('#') {
        return None;
    }
    let (kind, patterns) = match first {
        "@revoked" => (Kind::Revoked, words.next()?),
        "@cert-authority" => (Kind::Authority, words.next()?),
        _ if first.starts_with('@') => return None,
        patterns => (Kind::Host, patterns),
    };
    let _algorithm = words.next()?;
    Some((kind, patterns, words.next()?))
}

fn matches(patterns: &str, name: &str) -> bool {
    let mut found = false;
    for pattern in patterns.split(',') {
        if let Some(hashed) = pattern.strip_prefix("|1|") {
            found |= hash_matches(hashed, name);
        } else if let Some(pattern) = pattern.strip_prefix('!') {
            if wildcard(&pattern.to_lowercase(), name) {
                return false;
            }
        } else {
            found |= wildcard(&pattern.to_lowercase(), name);
        }
    }
    found
}

fn hash_matches(hashed: &str, name: &str) -> bool {
    let Some((salt, hash)) = hashed.split_once('|') else {
        return false;
    };
    let (Ok(salt), Ok(hash)) = (STANDARD.decode(salt), STANDARD.decode(hash)) else {
        return false;
    };
    hmac_sha1(&salt, name.as_bytes()) == hash
}

fn hmac_sha1(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; 64];
    let short;
    let key = if key.len() > block.len() {
        short = Sha1::digest(key);
        &short[..]
    } else {
        key
    };
    for (byte, key) in block.iter_mut().zip(key) {
        *byte = *key;
    }
    let inner = Sha1::new()
        .chain_update(block.map(|byte| byte ^ 0x36))
        .chain_update(message)
        .finalize();
    let outer = Sha1::new()
        .chain_update(block.map(|byte| byte ^ 0x5c))
        .chain_update(inner)
        .finalize();
    outer.to_vec()
}

/// Whether a pattern with `*` and `?` matches the whole text.
pub(crate) fn wildcard(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some('?') => (p, t) = (p + 1, t + 1),
            Some(c) if text.get(t) == Some(c) => (p, t) = (p + 1, t + 1),
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    (p, t) = (at + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|&c| c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";
    const B: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIA6rWI3G1sz07DnfFlrouTcysQlj2P+jpNSOEWD9OJ3X";

    fn key(text: &str) -> PublicKey {
        parse_public_key_base64(text).unwrap()
    }

    fn host(host: &str, port: u16, text: &str) -> KnownHost {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        KnownHost::read(host, port, &[file.path().to_owned()])
    }

    #[test]
    fn plain_port_wildcard_and_negated_names() {
        let text = format!(
            "# comment\nweb1,10.0.0.1 ssh-ed25519 {A}\n[web1]:2222 ssh-ed25519 {B}\n*.lab,!bad.lab ssh-ed25519 {A} me\n"
        );
        assert!(matches!(
            host("WEB1", 22, &text).judge(&key(A)),
            Verdict::Known
        ));
        assert!(matches!(
            host("10.0.0.1", 22, &text).judge(&key(A)),
            Verdict::Known
        ));
        let changed = host("web1", 22, &text);
        let Verdict::Changed(known) = changed.judge(&key(B)) else {
            panic!("not changed");
        };
        assert_eq!(known.line, 2);
        assert!(matches!(
            host("web1", 2222, &text).judge(&key(B)),
            Verdict::Known
        ));
        assert!(matches!(
            host("web1", 2222, &text).judge(&key(A)),
            Verdict::Changed(_)
        ));
        assert!(matches!(
            host("x.lab", 22, &text).judge(&key(A)),
            Verdict::Known
        ));
        assert!(matches!(
            host("bad.lab", 22, &text).judge(&key(A)),
            Verdict::Unknown
        ));
        // A line without the port confirms, but does not contradict.
        assert!(matches!(
            host("10.0.0.1", 23, &text).judge(&key(A)),
            Verdict::Known
        ));
        assert!(matches!(
            host("10.0.0.1", 23, &text).judge(&key(B)),
            Verdict::Unknown
        ));
    }

    #[test]
    fn hashed_names() {
        // HMAC-SHA1 test case 2 of RFC 2202 pins the primitive.
        let expected = "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79";
        let got: String = hmac_sha1(b"Jefe", b"what do ya want for nothing?")
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(got, expected);
        let salt = b"01234567890123456789";
        let line = format!(
            "|1|{}|{} ssh-ed25519 {A}\n",
            STANDARD.encode(salt),
            STANDARD.encode(hmac_sha1(salt, b"[h]:2022"))
        );
        assert!(matches!(
            host("h", 2022, &line).judge(&key(A)),
            Verdict::Known
        ));
        assert!(matches!(
            host("g", 2022, &line).judge(&key(A)),
            Verdict::Unknown
        ));
    }

    #[test]
    fn revoked_wins_and_authorities_are_found() {
        let text = format!(
            "* ssh-ed25519 {A}\n@revoked * ssh-ed25519 {A}\n@cert-authority *.lab ssh-ed25519 {B}\n"
        );
        let known = host("h.lab", 22, &text);
        assert!(matches!(known.judge(&key(A)), Verdict::Revoked(k) if k.line == 2));
        assert_eq!(known.authorities().count(), 1);
        assert_eq!(host("h", 22, &text).authorities().count(), 0);
    }

    #[test]
    fn known_algorithms_come_first() {
        let all = [
            Algorithm::Rsa {
                hash: Some(HashAlg::Sha512),
            },
            Algorithm::Ed25519,
            Algorithm::Rsa { hash: None },
        ];
        let order = host("h", 22, &format!("h ssh-ed25519 {A}\n")).order(&all);
        assert_eq!(order.first(), Some(&Algorithm::Ed25519));
        assert_eq!(order.len(), 3);
    }

    #[test]
    fn append_makes_the_file_and_mends_a_missing_newline() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("ssh/known_hosts");
        append(&file, "a", &key(A)).unwrap();
        assert_eq!(
            std::fs::read_to_string(&file).unwrap(),
            format!("a ssh-ed25519 {A}\n")
        );
        std::fs::write(&file, "# no newline").unwrap();
        append(&file, "[b]:1", &key(B)).unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        assert_eq!(text, format!("# no newline\n[b]:1 ssh-ed25519 {B}\n"));
    }
}
