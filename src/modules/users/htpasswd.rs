//! `htpasswd`: users and passwords for web servers.
//!
//! Source: the documentation of `community.general.htpasswd`; htpasswd(1) and "Password Formats" of Apache's manual.

use crate::modules::files::attrs::FileAttrs;
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::Sys;
use crate::value::{Secret, bcrypt, crypt};
use crate::{choices, module_args};
use base64::Engine;
use sha1::{Digest, Sha1};
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
        /// How the password is kept: `apr_md5_crypt`, `bcrypt`, `md5_crypt`, `sha256_crypt`, `sha512_crypt`, `ldap_sha1`, `plaintext`.
        hash_scheme: String => default("apr_md5_crypt"), aliases ["crypt_scheme"];
        /// Whether the user is there.
        state: State => default("present");
        /// Make the file, and its directory, if there is none.
        create: bool => default(true);
        attrs: FileAttrs => flatten;
    }
}

/// The characters of salts.
const LETTERS: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

fn salt(length: usize) -> ModuleResult<String> {
    let mut bytes = vec![0_u8; length];
    getrandom::fill(&mut bytes).map_err(|e| Failure::new(format!("no randomness: {e}")))?;
    let letter = |byte: &u8| LETTERS.get(usize::from(byte & 0x3f)).copied();
    Ok(bytes
        .iter()
        .map(|byte| char::from(letter(byte).unwrap_or(b'.')))
        .collect())
}

/// A new hash of the password.
fn hashed(scheme: &str, password: &str) -> ModuleResult<String> {
    let made = match scheme {
        "apr_md5_crypt" | "md5_crypt" => crypt(scheme, password, &salt(8)?, None),
        // the last character of a salt has two bits to say
        "bcrypt" => bcrypt(password.as_bytes(), &format!("{}.", salt(21)?), "2y", 12),
        "sha256_crypt" | "sha512_crypt" => crypt(scheme, password, &salt(16)?, None),
        "ldap_sha1" => Ok(sha(password)),
        "plaintext" => Ok(password.to_owned()),
        other => Err(format!(
            "hash_scheme: `{other}` is not built; apr_md5_crypt, md5_crypt, bcrypt, sha256_crypt, sha512_crypt, \
             ldap_sha1 and plaintext are"
        )),
    };
    made.map_err(Failure::new)
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
    if hash.starts_with("{SHA}") {
        return sha(password) == hash;
    }
    let Some(rest) = hash.strip_prefix('$') else {
        return hash == password;
    };
    let parts: Vec<&str> = rest.split('$').collect();
    let made = match parts.as_slice() {
        ["apr1", salt, _] => crypt("apr_md5_crypt", password, salt, None),
        ["1", salt, _] => crypt("md5_crypt", password, salt, None),
        [ident @ ("2" | "2a" | "2b" | "2y"), cost, both] => {
            let (Ok(cost), Some(salt)) = (cost.parse(), both.get(..22)) else {
                return false;
            };
            bcrypt(password.as_bytes(), salt, ident, cost)
        }
        [kind @ ("5" | "6"), rest @ ..] => {
            let name = if *kind == "5" {
                "sha256_crypt"
            } else {
                "sha512_crypt"
            };
            match rest {
                [salt, _] => crypt(name, password, salt, Some(5000)),
                [rounds, salt, _] => {
                    let number = rounds.strip_prefix("rounds=").and_then(|n| n.parse().ok());
                    crypt(name, password, salt, number)
                }
                _ => return false,
            }
        }
        _ => return false,
    };
    made.is_ok_and(|made| made == hash)
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
        for hash in [
            // by openssl passwd -apr1, -1, -5 and -6
            "$apr1$abcdefgh$h9FWgUz3n9YxylKLlR5SQ/",
            "$1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1",
            "$5$abcdefgh$gruCpC7VkOTspMQTTSAR8mtlO9Upms.fwqE5y16JVM.",
            "$6$abcdefgh$ltjgWl6579NluT/Vi1nwEvcil.G5Nbc4NiXZaNGStk8PSwGfQv72N2CKPPrVACtLtip/cZ/1GM/O6IND4WQhG.",
            "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=",
            "secret",
        ] {
            assert!(fits(hash, "secret") && !fits(hash, "other"), "{hash}");
        }
        for scheme in [
            "apr_md5_crypt",
            "md5_crypt",
            "bcrypt",
            "ldap_sha1",
            "plaintext",
        ] {
            let made = hashed(scheme, "secret").unwrap();
            assert!(fits(&made, "secret") && !fits(&made, "other"), "{made}");
        }
        assert!(!fits("$x$y", "$x$y") && !fits("$2y$05$x", "x"));
        assert!(
            hashed("des_crypt", "x")
                .unwrap_err()
                .message
                .contains("not built")
        );
    }
}
