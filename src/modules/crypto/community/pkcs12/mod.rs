//! `openssl_pkcs12`: a key, its certificate and others in one file, without openssl.
//!
//! Source: Ansible's documentation of `community.crypto.openssl_pkcs12`; RFC 7292.

mod der;
mod derive;
mod store;
#[cfg(test)]
mod tests;

use super::State;
use crate::modules::crypto::der::{blocks, pem};
use crate::modules::crypto::key::PrivateKey;
use crate::modules::crypto::output::{options, shown, with_mode};
use crate::modules::files::attrs::FileAttrs;
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::{Sys, hex};
use crate::value::{ArgRule, Secret, Value};
use crate::{choices, module_args};
use base64::Engine;
pub(in crate::modules::crypto) use derive::decrypt;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use store::{Encryption, Store};

/// Rounds with modern encryption, as many as others use.
const ROUNDS: u32 = 20_000;
/// Rounds with `compatibility2022`, unless `iter_size` says otherwise.
const OLD_ROUNDS: u32 = 50_000;

choices! {
    /// What is done.
    pub enum Action {
        /// Write a PKCS#12 file.
        Export = "export",
        /// Write what is in one, in PEM.
        Parse = "parse",
    }
}

choices! {
    /// How the file is encrypted.
    pub enum Level {
        /// AES with 256 bits, and SHA-256.
        Auto = "auto",
        /// Triple DES and SHA-1, for software that knows nothing newer.
        Compatibility2022 = "compatibility2022",
    }
}

choices! {
    /// Without effect.
    #[allow(missing_docs)]
    pub enum Backend {
        Auto = "auto",
        Cryptography = "cryptography",
        PyOpenSsl = "pyopenssl",
    }
}

module_args! {
    /// Arguments of `openssl_pkcs12`.
    pub struct Args {
        /// Write a PKCS#12 file, or write in PEM what is in `src`.
        action: Action => default("export");
        /// The file that is written.
        path: PathBuf => required;
        /// Whether it is to be there.
        state: State => default("present");
        /// The PKCS#12 file whose content is written. Needed by `action: parse`.
        src: Option<PathBuf> => optional;
        /// The passphrase of the PKCS#12 file. Without one, nothing in it is encrypted.
        passphrase: Option<Secret<String>> => optional, secret;
        /// What the key and its certificate are called. Needed where a file is written.
        friendly_name: Option<String> => optional, aliases ["name"];
        /// The private key's file.
        privatekey_path: Option<PathBuf> => optional;
        /// The private key itself.
        privatekey_content: Option<Secret<String>> => optional, secret;
        /// The passphrase of the private key.
        privatekey_passphrase: Option<Secret<String>> => optional, secret;
        /// The file of the key's certificate.
        certificate_path: Option<PathBuf> => optional;
        /// The key's certificate itself.
        certificate_content: Option<String> => optional;
        /// Files of other certificates; of each the first one is taken.
        other_certificates: Option<Vec<PathBuf>> => optional, aliases ["ca_certificates"];
        /// Other certificates themselves; of each text the first one is taken.
        other_certificates_content: Option<Vec<String>> => optional;
        /// Take all certificates of each file or text.
        other_certificates_parse_all: bool => default(false);
        /// How it is encrypted. A file that is there may be encrypted otherwise.
        encryption_level: Level => default("auto");
        /// Rounds of the encryption; 20000, or 50000 with `compatibility2022`, if not given. A file that is there may
        /// have any number.
        iter_size: Option<i64> => optional;
        /// Rounds of the code that protects the whole; as many as of the encryption if not given.
        maciter_size: Option<i64> => optional;
        /// Write it anew each time.
        force: bool => default(false);
        /// Return the file as `pkcs12`, in base64.
        return_content: bool => default(false);
        /// Keep the old file under a name with the time in it.
        backup: bool => default(false);
        /// Without effect: runbook needs no library on the machine.
        select_crypto_backend: Backend => default("auto");
        attrs: FileAttrs => flatten;
    }
}

/// The module.
pub struct OpensslPkcs12;

impl Module for OpensslPkcs12 {
    const NAME: &'static str = "openssl_pkcs12";
    const COLLECTION: &'static str = "community.crypto";
    const DOC: &'static str = "Write a key and certificates into one PKCS#12 file, or take them out of one, with the \
                               arguments of community.crypto.\nThe file's mode is 0400 unless said otherwise.";
    const RULES: &'static [ArgRule] = &[
        ArgRule::If("action", "parse", &["src"]),
        ArgRule::Exclusive(&["privatekey_path", "privatekey_content"]),
        ArgRule::Exclusive(&["certificate_path", "certificate_content"]),
        ArgRule::Exclusive(&["other_certificates", "other_certificates_content"]),
    ];
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let path = sys.expand(&args.path);
        let mut plan = Plan::new();
        plan.returns("filename", shown(&path));
        if let Some(key) = &args.privatekey_path {
            plan.returns("privatekey_path", shown(key));
        }
        check_directory(sys, &path)?;
        if args.state == State::Absent {
            super::plan_removal(sys, &mut plan, &path, args.backup)?;
            return Ok(plan);
        }
        let old = sys.read(&path)?;
        if args.return_content {
            plan.returns("pkcs12", old.as_deref().map(encoded));
        }
        if let Some(mode) = mode_of(sys, &path)? {
            plan.returns("mode", mode);
        }
        let attrs = with_mode(&args.attrs, "0400");
        let passphrase = args.passphrase.as_ref().map(|p| p.reveal().as_str());
        let passphrase = passphrase.filter(|passphrase| !passphrase.is_empty());
        let (content, fits, before) = match args.action {
            Action::Export => export(args, sys, old.as_deref(), passphrase)?,
            Action::Parse => parse(args, sys, old.as_deref(), passphrase)?,
        };
        if fits && !args.force {
            attrs.plan(sys, &mut plan, &path, true)?;
            return Ok(plan);
        }
        let after = match &content {
            Content::Store(store) if store.name.as_deref().is_none_or(str::is_empty) => {
                return Err("Friendly_name is required".into());
            }
            Content::Store(store) | Content::Text(store, _) => described(store),
        };
        let options = options(sys, &attrs, &path)?;
        let diff = Diff::new(path.to_string_lossy(), before, Some(after));
        let rounds = rounds(args)?;
        let is_there = old.is_some();
        plan.act(
            format!("write {}", path.display()),
            Some(diff),
            move |sys, returns| {
                let content = match content {
                    Content::Text(_, text) => text.into_bytes(),
                    Content::Store(store) => {
                        let encryption = match args.encryption_level {
                            Level::Auto => Encryption::Strong,
                            Level::Compatibility2022 => Encryption::Old,
                        };
                        let (rounds, mac_rounds) = rounds;
                        store.write(passphrase, encryption, rounds, mac_rounds)?
                    }
                };
                if args.backup && is_there {
                    returns.set("backup_file", shown(&sys.backup(&path)?));
                }
                sys.write(&path, &content, &options)?;
                if args.return_content {
                    returns.set("pkcs12", encoded(&content));
                }
                returns.set("mode", mode_of(sys, &path)?);
                Ok(())
            },
        );
        if args.force {
            plan.repeats();
        }
        Ok(plan)
    }
}

/// What is written.
enum Content {
    /// A PKCS#12 file of this.
    Store(Store),
    /// What was in one, in PEM.
    Text(Store, String),
}

/// What is to be in the file, whether it is, and what is in it now.
type Wish = (Content, bool, Option<String>);

fn export(
    args: &Args,
    sys: &Sys,
    old: Option<&[u8]>,
    passphrase: Option<&str>,
) -> ModuleResult<Wish> {
    let wanted = wanted(args, sys)?;
    let found = old.map(|old| Store::read(old, passphrase.unwrap_or_default()));
    let fits = found.as_ref().is_some_and(|found| match found {
        Ok(found) => found.fits(&wanted),
        Err(_) => false,
    });
    let before = found.map(|found| match found {
        Ok(found) => described(&found),
        Err(why) => format!("[cannot be read: {why}]\n"),
    });
    Ok((Content::Store(wanted), fits, before))
}

fn parse(
    args: &Args,
    sys: &Sys,
    old: Option<&[u8]>,
    passphrase: Option<&str>,
) -> ModuleResult<Wish> {
    let src = sys.expand(args.src.as_ref().ok_or("src is needed")?);
    let failed = |why: String| Failure::new(format!("{}: {why}", src.display()));
    let store = Store::read(&file(sys, &src)?, passphrase.unwrap_or_default()).map_err(failed)?;
    let mut text = match &store.key {
        Some(key) => PrivateKey::of_pkcs8(key.clone())
            .map_err(failed)?
            .traditional_pem(),
        None => String::new(),
    };
    for certificate in store.certificate.iter().chain(&store.others) {
        text.push_str(&pem("CERTIFICATE", certificate));
    }
    let is_same = old == Some(text.as_bytes());
    let before = old.map(|_| "[something else]\n".to_owned());
    Ok((Content::Text(store, text), is_same, before))
}

/// What the arguments name.
fn wanted(args: &Args, sys: &Sys) -> ModuleResult<Store> {
    let mut store = Store {
        name: args.friendly_name.clone(),
        ..Store::default()
    };
    if let Some(path) = &args.privatekey_path {
        // that it is missing is a failure even in check mode
        file(sys, &sys.expand(path))?;
    }
    if args.privatekey_path.is_some() || args.privatekey_content.is_some() {
        let key = super::private_key(
            sys,
            args.privatekey_path.as_ref(),
            args.privatekey_content.as_ref(),
            args.privatekey_passphrase.as_ref(),
        )?;
        store.key = key.map(|key| key.pkcs8().to_vec());
    }
    let certificate = match (&args.certificate_path, &args.certificate_content) {
        (Some(path), _) => Some(file(sys, &sys.expand(path))?),
        (None, text) => text.as_ref().map(|text| text.clone().into_bytes()),
    };
    if let Some(certificate) = certificate {
        let all = certificates(&certificate, "the certificate", false)?;
        store.certificate = all.into_iter().next();
    }
    let all = args.other_certificates_parse_all;
    for path in args.other_certificates.iter().flatten() {
        let content = file(sys, &sys.expand(path))?;
        let found = certificates(&content, &path.to_string_lossy(), all)?;
        store.others.extend(found);
    }
    for text in args.other_certificates_content.iter().flatten() {
        let found = certificates(
            text.as_bytes(),
            "an item of other_certificates_content",
            all,
        )?;
        store.others.extend(found);
    }
    Ok(store)
}

/// The first certificate of a text, or all, however many there are.
fn certificates(text: &[u8], what: &str, all: bool) -> ModuleResult<Vec<Vec<u8>>> {
    let mut found: Vec<Vec<u8>> = blocks(text)
        .into_iter()
        .filter(|block| block.label == "CERTIFICATE")
        .map(|block| block.bytes)
        .collect();
    if !all {
        if found.is_empty() {
            return Err(Failure::new(format!(
                "{what}: there is no certificate in it"
            )));
        }
        found.truncate(1);
    }
    Ok(found)
}

fn file(sys: &Sys, path: &Path) -> ModuleResult<Vec<u8>> {
    let missing = || format!("[Errno 2] No such file or directory: '{}'", path.display());
    sys.read(path)?.ok_or_else(|| Failure::new(missing()))
}

fn check_directory(sys: &Sys, path: &Path) -> ModuleResult<()> {
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    let is_directory = sys
        .stat(parent, true)?
        .is_some_and(|meta| meta.kind == crate::sys::FileKind::Directory);
    if is_directory {
        return Ok(());
    }
    let message = format!(
        "The directory '{}' does not exist or the path is not a directory",
        parent.display()
    );
    Err(Failure::new(message).with("name", shown(parent)))
}

/// Rounds of the encryption, and of the code that protects the whole.
fn rounds(args: &Args) -> ModuleResult<(u32, u32)> {
    let usual = match args.encryption_level {
        Level::Auto => ROUNDS,
        Level::Compatibility2022 => OLD_ROUNDS,
    };
    let number = |name: &str, given: Option<i64>, usual: u32| match given {
        None | Some(0) => Ok(usual),
        Some(given) => u32::try_from(given)
            .ok()
            .filter(|given| *given <= derive::MOST_ROUNDS)
            .ok_or_else(|| {
                Failure::new(format!(
                    "{name}: a number from 1 to {} is needed",
                    derive::MOST_ROUNDS
                ))
            }),
    };
    let rounds = number("iter_size", args.iter_size, usual)?;
    Ok((rounds, number("maciter_size", args.maciter_size, rounds)?))
}

fn encoded(bytes: &[u8]) -> Value {
    Value::data(base64::engine::general_purpose::STANDARD.encode(bytes))
}

fn mode_of(sys: &Sys, path: &Path) -> ModuleResult<Option<String>> {
    let meta = sys.stat(path, true)?;
    Ok(meta.map(|meta| format!("{:04o}", meta.mode & 0o7777)))
}

/// The lines of a diff.
fn described(store: &Store) -> String {
    let print = |der: &[u8]| hex(&Sha256::digest(der));
    let mut text = format!(
        "friendly name: {}\n",
        store.name.as_deref().unwrap_or_default()
    );
    if let Some(key) = &store.key {
        let public = PrivateKey::of_pkcs8(key.clone()).map(|key| key.fingerprint());
        text.push_str(&format!("private key of: {}\n", public.unwrap_or_default()));
    }
    if let Some(certificate) = &store.certificate {
        text.push_str(&format!("certificate: {}\n", print(certificate)));
    }
    let mut others: Vec<String> = store.others.iter().map(|der| print(der)).collect();
    others.sort();
    for other in others {
        text.push_str(&format!("other certificate: {other}\n"));
    }
    text
}
