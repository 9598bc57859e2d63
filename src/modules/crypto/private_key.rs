//! `x509_private_key`.

use super::key::{KeyType, PrivateKey};
use super::output::{Output, check_parent, locked, options, shown, with_mode, write_all};
use crate::modules::files::attrs::FileAttrs;
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::Sys;
use crate::value::Secret;
use crate::{choices, module_args};
use std::path::PathBuf;

choices! {
    /// When an existing key is replaced.
    pub enum Regenerate {
        /// Never; one that cannot be read is a failure.
        Never = "never",
        /// When it cannot be read.
        Invalid = "invalid",
        /// When it cannot be read or is of another type.
        Mismatch = "mismatch",
        /// Each time.
        Always = "always",
    }
}

module_args! {
    /// Arguments of `x509_private_key`.
    pub struct Args {
        /// The key's file (PKCS#8 in PEM).
        path: PathBuf => required, aliases ["dest"];
        /// The kind of key.
        r#type: KeyType => default("ecdsa-p256");
        /// When a key that is there is replaced.
        regenerate: Regenerate => default("invalid");
        /// Encrypt the key. Not built yet.
        passphrase: Option<Secret<String>> => optional, secret;
        /// Keep the old key under a name with the time in it.
        backup: bool => default(false);
        attrs: FileAttrs => flatten;
    }
}

/// The module.
pub struct X509PrivateKey;

impl Module for X509PrivateKey {
    const NAME: &'static str = "x509_private_key";
    const COLLECTION: &'static str = "runbook.core";
    const DOC: &'static str =
        "Make a private key. It is readable for its owner only, unless said otherwise.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        if args.passphrase.is_some() {
            return Err("keys with a passphrase are not built yet".into());
        }
        let path = sys.expand(&args.path);
        let attrs = with_mode(&args.attrs, "0600");
        let wanted = args.r#type.word();
        let mut plan = Plan::new();
        plan.returns("path", shown(&path));
        plan.returns("pkcs8", true);
        plan.returns("type", wanted);
        let content = sys.read(&path)?;
        let found = content.as_deref().map(PrivateKey::parse);
        let reason = match &found {
            None => Some("missing".to_owned()),
            Some(Err(problem)) if args.regenerate == Regenerate::Never => {
                return Err(Failure::new(format!(
                    "{} cannot be used: {problem}",
                    path.display()
                )));
            }
            Some(Err(problem)) => Some(format!("unreadable: {problem}")),
            Some(Ok(_)) if args.regenerate == Regenerate::Always => Some("asked for".to_owned()),
            Some(Ok(key)) if args.regenerate == Regenerate::Mismatch && key.kind() != wanted => {
                Some(format!("it is {}, not {wanted}", key.kind()))
            }
            Some(Ok(key)) => {
                plan.returns("type", key.kind());
                plan.returns("fingerprint", key.fingerprint());
                None
            }
        };
        let Some(reason) = reason else {
            attrs.plan(sys, &mut plan, &path, true)?;
            return Ok(plan);
        };
        check_parent(sys, &path)?;
        let options = options(sys, &attrs, &path)?;
        plan.returns("reason", reason);
        let before = found.map(|found| match found {
            Ok(key) => format!("type: {}\nfingerprint: {}\n", key.kind(), key.fingerprint()),
            Err(_) => "[unreadable]\n".to_owned(),
        });
        let after = format!("type: {wanted}\nfingerprint: [new]\n");
        let diff = Diff::new(path.to_string_lossy(), before, Some(after));
        plan.act(
            format!("make the key {}", path.display()),
            Some(diff),
            move |sys, returns| {
                locked(sys, &path, |sys| {
                    if sys.read(&path)? != content {
                        return Err("another process changed the key meanwhile".into());
                    }
                    let key = PrivateKey::generate(args.r#type)?;
                    returns.set("fingerprint", key.fingerprint());
                    let output = Output {
                        path: &path,
                        content: key.pem(),
                        options,
                    };
                    write_all(sys, &[output], args.backup, returns)
                })
            },
        );
        if args.regenerate == Regenerate::Always {
            plan.repeats();
        }
        Ok(plan)
    }
}
