//! `openssl_publickey`.

use super::State;
use crate::choices;
use crate::module_args;
use crate::modules::crypto::der::{blocks, pem};
use crate::modules::crypto::output::{Output, check_parent, options, with_mode};
use crate::modules::files::attrs::FileAttrs;
use crate::modules::{Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::Sys;
use crate::value::{ArgRule, Secret, Value};
use std::path::PathBuf;

choices! {
    /// How the key is written.
    pub enum Format {
        /// As ssh does. Not built.
        OpenSsh = "OpenSSH",
        /// SubjectPublicKeyInfo.
        Pem = "PEM",
    }
}

module_args! {
    /// Arguments of `openssl_publickey`.
    pub struct Args {
        /// The public key's file.
        path: PathBuf => required;
        /// Whether it is to be there.
        state: State => default("present");
        /// The private key that it belongs to.
        privatekey_path: Option<PathBuf> => optional;
        /// The private key itself.
        privatekey_content: Option<Secret<String>> => optional, secret;
        /// Its passphrase.
        privatekey_passphrase: Option<Secret<String>> => optional, secret;
        /// How it is written.
        format: Format => default("PEM");
        /// Write it anew each time.
        force: bool => default(false);
        /// Return the key as `publickey`.
        return_content: bool => default(false);
        /// Keep the old file under a name with the time in it.
        backup: bool => default(false);
        /// Without effect: runbook needs no library on the machine.
        select_crypto_backend: String => default("auto");
        attrs: FileAttrs => flatten;
    }
}

/// The module.
pub struct OpensslPublicKey;

impl Module for OpensslPublicKey {
    const NAME: &'static str = "openssl_publickey";
    const COLLECTION: &'static str = "community.crypto";
    const DOC: &'static str =
        "Write the public half of a private key, with the arguments of community.crypto.";
    const RULES: &'static [ArgRule] = &[ArgRule::Exclusive(&[
        "privatekey_path",
        "privatekey_content",
    ])];
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let path = sys.expand(&args.path);
        let mut plan = Plan::new();
        plan.returns("filename", Value::data(path.to_string_lossy().as_ref()));
        plan.returns("format", args.format.word());
        if args.state == State::Absent {
            super::plan_removal(sys, &mut plan, &path, args.backup)?;
            return Ok(plan);
        }
        if args.format == Format::OpenSsh {
            return Err("format: OpenSSH is not built yet".into());
        }
        let key = super::private_key(
            sys,
            args.privatekey_path.as_ref(),
            args.privatekey_content.as_ref(),
            args.privatekey_passphrase.as_ref(),
        )?;
        let old = sys.read(&path)?;
        let public = key
            .as_ref()
            .map(crate::modules::crypto::key::PrivateKey::public);
        let now = old.as_deref().and_then(|old| {
            blocks(old)
                .into_iter()
                .find(|block| block.label == "PUBLIC KEY")
        });
        let attrs = with_mode(&args.attrs, "0644");
        let is_same = now.is_some_and(|now| Some(now.bytes) == public);
        if is_same && !args.force {
            if args.return_content {
                let text = String::from_utf8_lossy(old.as_deref().unwrap_or_default());
                plan.returns("publickey", Value::data(text.as_ref()));
            }
            attrs.plan(sys, &mut plan, &path, true)?;
            return Ok(plan);
        }
        check_parent(sys, &path)?;
        let options = options(sys, &attrs, &path)?;
        let text = public.map(|public| pem("PUBLIC KEY", &public));
        let before = old.map(|old| String::from_utf8_lossy(&old).into_owned());
        let diff = Diff::new(
            path.to_string_lossy(),
            before,
            Some(
                text.clone()
                    .unwrap_or_else(|| "[of a key that is not there yet]\n".to_owned()),
            ),
        );
        plan.act(
            format!("write the public key {}", path.display()),
            Some(diff),
            move |sys, returns| {
                let content = text.ok_or_else(|| super::no_key(args.privatekey_path.as_ref()))?;
                let returned_as = args.return_content.then_some("publickey");
                let output = Output {
                    path: &path,
                    content,
                    options,
                };
                super::write_one(sys, output, args.backup, returned_as, returns)
            },
        );
        if args.force {
            plan.repeats();
        }
        Ok(plan)
    }
}
