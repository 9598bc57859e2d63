//! `password`: a random password that is kept in a file.

use super::{Lookup, Query};
use crate::template::filters::{Random, crypt, salt};
use crate::value::{Map, Value, str_of};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

pub(super) const TABLE: &[(&str, Lookup)] = &[("password", password)];

/// `password('path length=20 chars=ascii_letters,digits encrypt=sha512_crypt seed=x')`.
fn password(query: &mut Query) -> Result<Vec<Value>, String> {
    let mut out = Vec::new();
    for term in query.texts() {
        let mut options = query.options.clone();
        let mut path = Vec::new();
        for word in term.split_whitespace() {
            match word.split_once('=') {
                Some((key @ ("length" | "encrypt" | "chars" | "ident" | "seed"), value)) => {
                    options.set(key, Value::str(value));
                }
                _ => path.push(word),
            }
        }
        out.push(Value::data(one(query, &path.join(" "), &options)?));
    }
    Ok(out)
}

fn one(query: &Query, name: &str, options: &Map) -> Result<String, String> {
    let length = options
        .get("length")
        .and_then(crate::template::call::int_of)
        .unwrap_or(20);
    let length = usize::try_from(length).unwrap_or(20).min(100_000);
    let encrypt = options
        .get("encrypt")
        .filter(|v| !v.is_null())
        .map(str_of)
        .filter(|kind| !kind.is_empty());
    let chars = alphabet(options.get("chars"));
    let seed = options.get("seed").filter(|v| !v.is_null()).map(str_of);
    let path = crate::template::expand_home(name);
    let path = if path.is_absolute() {
        path
    } else {
        query.render.session.files.basedir.join(path)
    };
    let keep = path != Path::new("/dev/null");
    let stored = if keep {
        std::fs::read_to_string(&path).ok()
    } else {
        None
    };
    let (mut password, mut kept_salt) = match &stored {
        Some(text) => match text.trim_end().split_once(" salt=") {
            Some((password, salt)) => (
                password.to_owned(),
                Some(salt.split(" ident=").next().unwrap_or(salt).to_owned()),
            ),
            None => (text.trim_end().to_owned(), None),
        },
        None => (String::new(), None),
    };
    let mut changed = false;
    if stored.is_none() || password.is_empty() {
        let mut random = Random::new(seed.as_deref());
        password = (0..length)
            .filter_map(|_| chars.get(random.below(chars.len())))
            .collect();
        changed = true;
    }
    if encrypt.is_some() && kept_salt.is_none() {
        kept_salt = Some(salt(16));
        changed = true;
    }
    if changed && keep {
        let text = match &kept_salt {
            Some(salt) => format!("{password} salt={salt}\n"),
            None => format!("{password}\n"),
        };
        store(&path, &text).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    match encrypt {
        Some(kind) => crypt(
            &kind,
            &password,
            kept_salt.as_deref().unwrap_or_default(),
            None,
        ),
        None => Ok(password),
    }
}

/// The characters of `chars`: names of Python's `string` module, or characters themselves.
fn alphabet(given: Option<&Value>) -> Vec<char> {
    let parts: Vec<String> = match given {
        None | Some(Value::Null) => vec!["ascii_letters".into(), "digits".into(), ".,:-_".into()],
        Some(Value::List(items)) => items.iter().map(str_of).collect(),
        Some(other) => {
            let text = str_of(other);
            let mut parts: Vec<String> = text
                .replace(",,", ",")
                .split(',')
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
                .collect();
            if text.contains(",,") {
                parts.push(",".into());
            }
            parts
        }
    };
    let mut chars = Vec::new();
    for part in parts {
        match part.as_str() {
            "ascii_letters" => chars.extend(('a'..='z').chain('A'..='Z')),
            "ascii_lowercase" => chars.extend('a'..='z'),
            "ascii_uppercase" => chars.extend('A'..='Z'),
            "digits" => chars.extend('0'..='9'),
            "hexdigits" => chars.extend(('0'..='9').chain('a'..='f').chain('A'..='F')),
            "octdigits" => chars.extend('0'..='7'),
            "punctuation" => chars.extend("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~".chars()),
            other => chars.extend(other.chars()),
        }
    }
    chars
}

fn store(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(dir) = path.parent() {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)?;
    }
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())
}
