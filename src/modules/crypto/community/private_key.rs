//! `openssl_privatekey`.

use super::{Regenerate, State};
use crate::modules::crypto::key::{KeyType, PrivateKey};
use crate::modules::crypto::output::{Output, check_parent, locked, options, with_mode};
use crate::modules::files::attrs::FileAttrs;
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::Sys;
use crate::value::{Map, Secret, Value};
use crate::{choices, module_args};
use std::path::PathBuf;

choices! {
    /// Kinds of keys.
    #[allow(missing_docs)]
    pub enum Kind {
        Dsa = "DSA",
        Ecc = "ECC",
        Ed25519 = "Ed25519",
        Ed448 = "Ed448",
        Rsa = "RSA",
        X25519 = "X25519",
        X448 = "X448",
    }
}

choices! {
    /// How the key is written.
    pub enum Format {
        /// The old form of its kind.
        Pkcs1 = "pkcs1",
        /// The form for all kinds.
        Pkcs8 = "pkcs8",
        /// Its bytes alone.
        Raw = "raw",
        /// The old form where there is one.
        Auto = "auto",
        /// The same; a key that is there may have any.
        AutoIgnore = "auto_ignore",
    }
}

choices! {
    /// What is done with a key that is written in another form.
    pub enum Mismatch {
        /// A new key is made.
        Regenerate = "regenerate",
        /// It is written anew.
        Convert = "convert",
    }
}

module_args! {
    /// Arguments of `openssl_privatekey`.
    pub struct Args {
        /// The key's file.
        path: PathBuf => required;
        /// Whether it is to be there.
        state: State => default("present");
        /// The kind of key. Built are `RSA`, `ECC` and `Ed25519`.
        r#type: Kind => default("RSA");
        /// Bits of an RSA key, 2048 to 4096.
        size: i64 => default(4096);
        /// The curve of an `ECC` key. Built are `secp256r1` and `secp384r1`.
        curve: Option<String> => optional;
        /// How it is written.
        format: Format => default("auto_ignore");
        /// What is done with a key that is written in another form.
        format_mismatch: Mismatch => default("regenerate");
        /// When a key that is there is replaced.
        regenerate: Regenerate => default("full_idempotence");
        /// Make a new key each time.
        force: bool => default(false);
        /// Encrypt the key. Not built yet.
        passphrase: Option<Secret<String>> => optional, secret;
        /// How it is encrypted. Without effect.
        cipher: String => default("auto");
        /// Return the key as `privatekey`. Use `no_log` then.
        return_content: bool => default(false);
        /// Keep the old key under a name with the time in it.
        backup: bool => default(false);
        /// Without effect: runbook needs no library on the machine.
        select_crypto_backend: String => default("auto");
        attrs: FileAttrs => flatten;
    }
}

/// The module.
pub struct OpensslPrivateKey;

/// What the key is to be.
#[derive(Clone, Copy)]
enum Wanted {
    Rsa(usize),
    Other(KeyType),
}

impl Wanted {
    fn of(args: &Args) -> ModuleResult<Self> {
        match (args.r#type, args.curve.as_deref()) {
            (Kind::Rsa, _) => match usize::try_from(args.size) {
                Ok(bits @ 2048..=4096) if bits % 256 == 0 => Ok(Self::Rsa(bits)),
                _ => Err("size: RSA keys are built with 2048 to 4096 bits, in steps of 256".into()),
            },
            (Kind::Ed25519, _) => Ok(Self::Other(KeyType::Ed25519)),
            (Kind::Ecc, Some("secp256r1")) => Ok(Self::Other(KeyType::EcdsaP256)),
            (Kind::Ecc, Some("secp384r1")) => Ok(Self::Other(KeyType::EcdsaP384)),
            (Kind::Ecc, None) => {
                Err("type is ECC but all of the following are missing: curve".into())
            }
            (Kind::Ecc, Some(curve)) => Err(Failure::new(format!(
                "keys on the curve {curve} are not built; secp256r1 and secp384r1 are"
            ))),
            (other, _) => Err(Failure::new(format!(
                "keys of the type {} are not built; RSA, ECC and Ed25519 are",
                other.word()
            ))),
        }
    }

    fn kind(self) -> String {
        match self {
            Self::Rsa(bits) => format!("rsa-{bits}"),
            Self::Other(kind) => kind.word().to_owned(),
        }
    }

    fn make(self) -> Result<PrivateKey, String> {
        match self {
            Self::Rsa(bits) => PrivateKey::generate_rsa(bits),
            Self::Other(kind) => PrivateKey::generate(kind),
        }
    }
}

fn written(key: &PrivateKey, format: Format) -> ModuleResult<String> {
    match format {
        Format::Pkcs8 => Ok(key.pem()),
        Format::Raw => Err("format: raw is not built yet".into()),
        Format::Pkcs1 if key.kind() == "ed25519" => {
            Err("format: there is no pkcs1 for Ed25519".into())
        }
        Format::Pkcs1 | Format::Auto | Format::AutoIgnore => Ok(key.traditional_pem()),
    }
}

/// Digests of the public half, by their names.
fn fingerprints(key: &PrivateKey) -> Map {
    crate::x509::fingerprints(&key.public())
}

/// What is done about the key.
enum Do {
    Nothing,
    Make(String),
    Convert,
}

fn decide(
    args: &Args,
    wanted: Wanted,
    found: Option<&Result<PrivateKey, String>>,
    content: Option<&[u8]>,
) -> ModuleResult<Do> {
    let key = match found {
        None => return Ok(Do::Make("missing".to_owned())),
        Some(_) if args.force || args.regenerate == Regenerate::Always => {
            return Ok(Do::Make("asked for".to_owned()));
        }
        Some(Err(problem)) if args.regenerate == Regenerate::Full => {
            return Ok(Do::Make(format!("unreadable: {problem}")));
        }
        Some(Err(problem)) => {
            return Err(Failure::new(format!(
                "Unable to read the key: {problem}. Use `regenerate: full_idempotence` or `always`, or remove it first."
            )));
        }
        Some(Ok(_)) if args.regenerate == Regenerate::Never => return Ok(Do::Nothing),
        Some(Ok(key)) => key,
    };
    if key.kind() != wanted.kind() {
        let message = format!("it is {}, not {}", key.kind(), wanted.kind());
        if args.regenerate == Regenerate::Fail {
            return Err(Failure::new(format!(
                "Key has wrong type and/or size: {message}. Will not proceed. To force regeneration, call the module \
                 with `force` set to true, or `regenerate` set to `partial_idempotence`, `full_idempotence` or `always`."
            )));
        }
        return Ok(Do::Make(message));
    }
    let is_form = match args.format {
        Format::AutoIgnore => true,
        format => {
            let now = String::from_utf8_lossy(content.unwrap_or_default());
            let label = |text: &str| {
                text.lines()
                    .find(|l| l.starts_with("-----BEGIN"))
                    .map(str::to_owned)
            };
            label(&now) == label(&written(key, format)?)
        }
    };
    match (is_form, args.format_mismatch, args.regenerate) {
        (true, ..) => Ok(Do::Nothing),
        (false, Mismatch::Convert, _) => Ok(Do::Convert),
        (false, Mismatch::Regenerate, Regenerate::Fail) => Err(
            "Key has wrong format. Will not proceed. Set `format_mismatch` to `convert` to write it anew.".into(),
        ),
        (false, Mismatch::Regenerate, _) => Ok(Do::Make("it is written in another form".to_owned())),
    }
}

impl Module for OpensslPrivateKey {
    const NAME: &'static str = "openssl_privatekey";
    const COLLECTION: &'static str = "community.crypto";
    const DOC: &'static str = "Make a private key, with the arguments of community.crypto.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let path = sys.expand(&args.path);
        let mut plan = Plan::new();
        plan.returns("filename", Value::data(path.to_string_lossy().as_ref()));
        if args.state == State::Absent {
            super::plan_removal(sys, &mut plan, &path, args.backup)?;
            return Ok(plan);
        }
        if args.passphrase.is_some() {
            return Err("keys with a passphrase are not built yet".into());
        }
        let wanted = Wanted::of(args)?;
        plan.returns("type", args.r#type.word());
        match wanted {
            Wanted::Rsa(bits) => plan.returns("size", i64::try_from(bits).unwrap_or_default()),
            Wanted::Other(_) => {
                if let Some(curve) = &args.curve {
                    plan.returns("curve", curve.as_str());
                }
            }
        }
        let content = sys.read(&path)?;
        let found = content.as_deref().map(PrivateKey::parse);
        let attrs = with_mode(&args.attrs, "0600");
        let reason = match decide(args, wanted, found.as_ref(), content.as_deref())? {
            Do::Nothing => {
                if let Some(Ok(key)) = &found {
                    plan.returns("fingerprint", fingerprints(key));
                }
                if args.return_content {
                    let text = String::from_utf8_lossy(content.as_deref().unwrap_or_default());
                    plan.returns("privatekey", Value::data(text.as_ref()));
                }
                attrs.plan(sys, &mut plan, &path, true)?;
                return Ok(plan);
            }
            Do::Make(reason) => Some(reason),
            Do::Convert => None,
        };
        check_parent(sys, &path)?;
        let options = options(sys, &attrs, &path)?;
        let side = |kind: &str, print: &str| format!("type: {kind}\nfingerprint: {print}\n");
        let before = found.as_ref().map(|found| match found {
            Ok(key) => side(&key.kind(), &key.fingerprint()),
            Err(_) => "[unreadable]\n".to_owned(),
        });
        let after = match (&reason, &before) {
            (None, Some(before)) => format!("{before}form: {}\n", args.format.word()),
            _ => side(&wanted.kind(), "[new]"),
        };
        let diff = Diff::new(path.to_string_lossy(), before, Some(after));
        let makes_new = reason.is_some();
        plan.act(
            format!("make the key {}", path.display()),
            Some(diff),
            move |sys, returns| {
                locked(sys, &path, |sys| {
                    if sys.read(&path)? != content {
                        return Err("another process changed the key meanwhile".into());
                    }
                    let key = match found {
                        Some(Ok(key)) if !makes_new => key,
                        _ => wanted.make()?,
                    };
                    returns.set("fingerprint", fingerprints(&key));
                    let text = written(&key, args.format)?;
                    let returned_as = args.return_content.then_some("privatekey");
                    let output = Output {
                        path: &path,
                        content: text,
                        options,
                    };
                    super::write_one(sys, output, args.backup, returned_as, returns)
                })
            },
        );
        if args.force || args.regenerate == Regenerate::Always {
            plan.repeats();
        }
        Ok(plan)
    }
}
