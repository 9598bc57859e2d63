//! `htpasswd`: users and passwords for web servers.
//!
//! Source: the documentation of `community.general.htpasswd`; htpasswd(1) and "Password Formats" of Apache's manual.

use crate::modules::files::attrs::FileAttrs;
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::Sys;
use crate::value::Secret;
use crate::{choices, module_args};
use base64::Engine;
use md5::{Digest, Md5};
use sha1::Sha1;
use std::path::{Path, PathBuf};

choices! {
    /// Whether the user is there.
    pub enum State {
        /// With that password.
        Present = "present",
        /// Not.
        Absent = "absent",
    }
}

module_args! {
    /// Arguments of `htpasswd`.
    pub struct Args {
        /// The file.
        path: PathBuf => required, aliases ["dest", "destfile"];
        /// The user.
        name: String => required, aliases ["username"];
        /// The password.
        password: Option<Secret<String>> => optional, secret;
        /// How the password is kept. Built are `apr_md5_crypt`, `md5_crypt`, `ldap_sha1` and `plaintext`.
        hash_scheme: String => default("apr_md5_crypt"), aliases ["crypt_scheme"];
        /// Whether the user is there.
        state: State => default("present");
        /// Make the file, and its directory, if there is none.
        create: bool => default(true);
        attrs: FileAttrs => flatten;
    }
}

/// The characters of hashes, in their order.
const LETTERS: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The places in the digest of each group of letters.
const GROUPS: [[usize; 3]; 5] = [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5]];

/// MD5 in a thousand rounds, as crypt(3) and (with another mark) Apache have it.
fn md5_crypt(mark: &str, salt: &str, password: &str) -> String {
    let (password, salt) = (password.as_bytes(), salt.as_bytes());
    let inner = Md5::new()
        .chain_update(password)
        .chain_update(salt)
        .chain_update(password)
        .finalize();
    let mut first = Md5::new()
        .chain_update(password)
        .chain_update(mark)
        .chain_update(salt);
    for at in (0..password.len()).step_by(16) {
        let part = (password.len() - at).min(16);
        first.update(inner.get(..part).unwrap_or_default());
    }
    let mut bits = password.len();
    while bits > 0 {
        if bits & 1 == 1 {
            first.update([0]);
        } else {
            first.update(password.get(..1).unwrap_or_default());
        }
        bits >>= 1;
    }
    let mut digest = first.finalize();
    for round in 0..1000 {
        let mut next = Md5::new();
        let turn = |next: &mut Md5, own: bool| {
            if own {
                next.update(password);
            } else {
                next.update(digest);
            }
        };
        turn(&mut next, round % 2 == 1);
        if round % 3 != 0 {
            next.update(salt);
        }
        if round % 7 != 0 {
            next.update(password);
        }
        turn(&mut next, round % 2 == 0);
        digest = next.finalize();
    }
    let byte = |at: usize| u32::from(digest.get(at).copied().unwrap_or_default());
    let mut text = format!("{mark}{}$", String::from_utf8_lossy(salt));
    let mut push = |mut value: u32, letters: usize| {
        for _ in 0..letters {
            let letter = LETTERS.get((value & 0x3f) as usize).copied();
            text.push(char::from(letter.unwrap_or(b'.')));
            value >>= 6;
        }
    };
    for [a, b, c] in GROUPS {
        push(byte(a) << 16 | byte(b) << 8 | byte(c), 4);
    }
    push(byte(11), 2);
    text
}

fn salt() -> ModuleResult<String> {
    let mut bytes = [0_u8; 8];
    getrandom::fill(&mut bytes).map_err(|e| Failure::new(format!("no randomness: {e}")))?;
    Ok(bytes
        .iter()
        .map(|byte| {
            char::from(
                LETTERS
                    .get(usize::from(byte & 0x3f))
                    .copied()
                    .unwrap_or(b'.'),
            )
        })
        .collect())
}

/// A new hash of the password.
fn hashed(scheme: &str, password: &str) -> ModuleResult<String> {
    match scheme {
        "apr_md5_crypt" | "apache" | "apr1" => Ok(md5_crypt("$apr1$", &salt()?, password)),
        "md5_crypt" => Ok(md5_crypt("$1$", &salt()?, password)),
        "ldap_sha1" => Ok(sha(password)),
        "plaintext" => Ok(password.to_owned()),
        other => Err(Failure::new(format!(
            "hash_scheme: `{other}` is not built; apr_md5_crypt, md5_crypt, ldap_sha1 and plaintext are"
        ))),
    }
}

fn sha(password: &str) -> String {
    let digest = Sha1::digest(password);
    format!(
        "{{SHA}}{}",
        base64::engine::general_purpose::STANDARD.encode(digest)
    )
}

/// Whether that is the password's hash, in one of the forms that are known.
fn fits(hash: &str, password: &str) -> bool {
    for mark in ["$apr1$", "$1$"] {
        if let Some(rest) = hash.strip_prefix(mark) {
            let salt = rest.split('$').next().unwrap_or_default();
            return md5_crypt(mark, salt, password) == hash;
        }
    }
    if hash.starts_with("{SHA}") {
        return sha(password) == hash;
    }
    !hash.starts_with('$') && hash == password
}

/// The module.
pub struct Htpasswd;

impl Module for Htpasswd {
    const NAME: &'static str = "htpasswd";
    const COLLECTION: &'static str = "community.general";
    const DOC: &'static str = "Users and their passwords in files for web servers.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let path = sys.expand(&args.path);
        let mut plan = Plan::new();
        plan.secret();
        let old = sys.read_text(&path)?;
        let name = args.name.as_str();
        if name.contains([':', '\n']) {
            return Err("name: a user's name has neither colons nor line breaks in it".into());
        }
        let is_theirs = |line: &str| line.split_once(':').is_some_and(|(user, _)| user == name);
        let lines: Vec<&str> = old.as_deref().unwrap_or_default().lines().collect();
        let now = lines.iter().find(|line| is_theirs(line));
        let new = match args.state {
            State::Absent => {
                if now.is_none() {
                    let what = if old.is_some() {
                        name.to_owned()
                    } else {
                        path.display().to_string()
                    };
                    plan.returns("msg", format!("{what} not present"));
                    args.attrs.plan(sys, &mut plan, &path, true)?;
                    return Ok(plan);
                }
                plan.returns("msg", format!("Remove {name}"));
                lines
                    .iter()
                    .filter(|line| !is_theirs(line))
                    .map(|line| format!("{line}\n"))
                    .collect()
            }
            State::Present => {
                let Some(password) = &args.password else {
                    return Err(
                        "state is present but all of the following are missing: password".into(),
                    );
                };
                if old.is_none() && !args.create {
                    return Err(Failure::new(format!(
                        "Destination {} does not exist",
                        path.display()
                    )));
                }
                let hash = now
                    .and_then(|line| line.split_once(':'))
                    .map(|(_, hash)| hash);
                if hash.is_some_and(|hash| fits(hash.trim_end(), password.reveal())) {
                    plan.returns("msg", format!("{name} already present"));
                    args.attrs.plan(sys, &mut plan, &path, true)?;
                    return Ok(plan);
                }
                let message = if old.is_none() {
                    format!("Create {}", path.display())
                } else {
                    format!("Add/update {name}")
                };
                plan.returns("msg", message);
                let line = format!("{name}:{}", hashed(&args.hash_scheme, password.reveal())?);
                let mut new: String = lines
                    .iter()
                    .map(|old| {
                        if is_theirs(old) {
                            format!("{line}\n")
                        } else {
                            format!("{old}\n")
                        }
                    })
                    .collect();
                if now.is_none() {
                    new.push_str(&line);
                    new.push('\n');
                }
                new
            }
        };
        let options = args.attrs.write_options(sys, &path)?;
        let diff = Diff::new(path.to_string_lossy(), old, Some(new.clone()));
        let owned = path.clone();
        plan.act(
            format!("write {}", path.display()),
            Some(diff),
            move |sys, _| {
                if let Some(parent) = owned.parent() {
                    make_parents(sys, parent)?;
                }
                Ok(sys.write(&owned, new.as_bytes(), &options)?)
            },
        );
        args.attrs.plan(sys, &mut plan, &path, true)?;
        Ok(plan)
    }
}

fn make_parents(sys: &mut Sys, directory: &Path) -> ModuleResult<()> {
    let mut missing: Vec<&Path> = directory
        .ancestors()
        .take_while(|dir| !dir.as_os_str().is_empty() && !sys.exists(dir))
        .collect();
    while let Some(dir) = missing.pop() {
        sys.make_dir(dir, 0o777)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_other_programs() {
        // by `openssl passwd -apr1 -salt …` and `-1`
        assert_eq!(md5_crypt("$apr1$", "abcdefgh", "secret"), OPENSSL_APR1);
        assert_eq!(
            md5_crypt("$1$", "xy", "a much longer password than sixteen"),
            OPENSSL_1
        );
        assert_eq!(sha("secret"), "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=");
        let made = hashed("apr_md5_crypt", "secret").unwrap();
        assert!(fits(&made, "secret") && !fits(&made, "other"), "{made}");
        assert!(fits("secret", "secret") && !fits("$2y$05$x", "$2y$05$x"));
        assert!(
            hashed("bcrypt", "x")
                .unwrap_err()
                .message
                .contains("not built")
        );
    }

    const OPENSSL_APR1: &str = "$apr1$abcdefgh$h9FWgUz3n9YxylKLlR5SQ/";
    const OPENSSL_1: &str = "$1$xy$cEHxrWa7fGc1UnMezW.w51";
}
