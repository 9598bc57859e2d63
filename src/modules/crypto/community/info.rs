//! `x509_certificate_info`, `openssl_csr_info`, `openssl_privatekey_info`, `openssl_publickey_info`: what files say.

use super::when::moment;
use crate::modules::crypto::key::PrivateKey;
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::sys::Sys;
use crate::value::{ArgRule, Map, Secret, Value};
use crate::x509;
use crate::{choices, module_args};
use std::path::PathBuf;

const ONE: &[ArgRule] = &[
    ArgRule::OneOf(&["path", "content"]),
    ArgRule::Exclusive(&["path", "content"]),
];

choices! {
    /// How names beyond ASCII are told.
    pub enum NameEncoding {
        /// As they are written.
        Ignore = "ignore",
        /// Not built.
        Idna = "idna",
        /// Not built.
        Unicode = "unicode",
    }
}

module_args! {
    /// What is described.
    pub struct Subject {
        /// The file on the machine.
        path: Option<PathBuf> => optional;
        /// The content itself, in PEM.
        content: Option<String> => optional;
        /// How names beyond ASCII are told; only `ignore`, as they are written, is built.
        name_encoding: NameEncoding => default("ignore");
        /// Without effect: runbook needs no library on the machine.
        select_crypto_backend: String => default("auto");
    }
}

impl Subject {
    fn content(&self, sys: &Sys, what: &str) -> ModuleResult<Vec<u8>> {
        if self.name_encoding != NameEncoding::Ignore {
            return Err(Failure::new(format!(
                "name_encoding: {} is not built: names are told as they are written",
                self.name_encoding.word()
            )));
        }
        content(sys, self.path.as_ref(), self.content.as_deref(), what)
    }
}

fn content(
    sys: &Sys,
    path: Option<&PathBuf>,
    text: Option<&str>,
    what: &str,
) -> ModuleResult<Vec<u8>> {
    if let Some(text) = text {
        return Ok(text.as_bytes().to_vec());
    }
    let path = sys.expand(path.ok_or("one of path and content is needed")?);
    sys.read(&path)?.ok_or_else(|| {
        Failure::new(format!(
            "Error while reading {what} file from disk: there is no file {}",
            path.display()
        ))
    })
}

fn told<'a>(info: Result<Map, String>) -> ModuleResult<Plan<'a>> {
    let mut plan = Plan::new();
    for (name, value) in info.map_err(Failure::new)?.str_iter() {
        plan.returns(name, value.clone());
    }
    Ok(plan)
}

module_args! {
    /// Arguments of `x509_certificate_info`.
    pub struct CertificateArgs {
        of: Subject => flatten;
        /// Moments by names of your own, `+1w2d` from now or `YYYYMMDDHHMMSSZ`; `valid_at` says for each whether the
        /// certificate is valid then.
        valid_at: Option<Map> => optional;
    }
}

/// The module.
pub struct X509CertificateInfo;

impl Module for X509CertificateInfo {
    const NAME: &'static str = "x509_certificate_info";
    const COLLECTION: &'static str = "community.crypto";
    const DOC: &'static str = "Tell what a certificate says, with the results of community.crypto.\nNumbers of more than 64 \
                               bits, like most serial numbers, are texts of their digits.";
    const RULES: &'static [ArgRule] = ONE;
    type Args = CertificateArgs;

    fn plan<'a>(args: &'a CertificateArgs, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let content = args.of.content(sys, "certificate")?;
        let now = sys.local_time().timestamp().as_second();
        let info = x509::certificate_info(&content, now).map_err(Failure::new)?;
        let limit = |name: &str| {
            let text = info.get(name).map(ToString::to_string).unwrap_or_default();
            moment(&text, now, name).map_err(Failure::new)
        };
        let validity = limit("not_before")?..=limit("not_after")?;
        let mut valid_at = Map::new();
        for (name, when) in args.valid_at.iter().flat_map(Map::str_iter) {
            let Some(when) = when.as_str() else {
                return Err(Failure::new(format!(
                    "The value for valid_at.{name} must be of type string (got {})",
                    when.type_name()
                )));
            };
            let at = moment(when, now, &format!("valid_at.{name}")).map_err(Failure::new)?;
            valid_at.set(name, validity.contains(&at));
        }
        let mut plan = told(Ok(info))?;
        plan.returns("valid_at", valid_at);
        Ok(plan)
    }
}

module_args! {
    /// Arguments of `openssl_csr_info`.
    pub struct RequestArgs {
        of: Subject => flatten;
    }
}

/// The module.
pub struct OpensslCsrInfo;

impl Module for OpensslCsrInfo {
    const NAME: &'static str = "openssl_csr_info";
    const COLLECTION: &'static str = "community.crypto";
    const DOC: &'static str =
        "Tell what a request for a certificate says, with the results of community.crypto.";
    const RULES: &'static [ArgRule] = ONE;
    type Args = RequestArgs;

    fn plan<'a>(args: &'a RequestArgs, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let info = x509::request_info(&args.of.content(sys, "CSR")?).map_err(Failure::new)?;
        if info
            .get("signature_valid")
            .is_some_and(|valid| !valid.truthy())
        {
            let mut failure = Failure::new("CSR signature is invalid!");
            failure.returns = info;
            return Err(failure);
        }
        told(Ok(info))
    }
}

module_args! {
    /// Arguments of `openssl_publickey_info`.
    pub struct PublicKeyArgs {
        /// The file on the machine.
        path: Option<PathBuf> => optional;
        /// The content itself, in PEM.
        content: Option<String> => optional;
        /// Without effect: runbook needs no library on the machine.
        select_crypto_backend: String => default("auto");
    }
}

/// The module.
pub struct OpensslPublicKeyInfo;

impl Module for OpensslPublicKeyInfo {
    const NAME: &'static str = "openssl_publickey_info";
    const COLLECTION: &'static str = "community.crypto";
    const DOC: &'static str = "Tell what a public key is, with the results of community.crypto.";
    const RULES: &'static [ArgRule] = ONE;
    type Args = PublicKeyArgs;

    fn plan<'a>(args: &'a PublicKeyArgs, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let content = content(
            sys,
            args.path.as_ref(),
            args.content.as_deref(),
            "public key",
        )?;
        told(x509::public_key_of(&content))
    }
}

module_args! {
    /// Arguments of `openssl_privatekey_info`.
    pub struct PrivateKeyArgs {
        /// The file on the machine.
        path: Option<PathBuf> => optional;
        /// The content itself, in PEM.
        content: Option<Secret<String>> => optional, secret;
        /// The passphrase of the key.
        passphrase: Option<Secret<String>> => optional, secret;
        /// Return the secret numbers, too. Not built: they are nobody's business but the key's.
        return_private_key_data: bool => default(false);
        /// Check that both halves of the key belong to each other. Reading the key does that.
        check_consistency: bool => default(false);
        /// Without effect: runbook needs no library on the machine.
        select_crypto_backend: String => default("auto");
    }
}

/// The module.
pub struct OpensslPrivateKeyInfo;

impl Module for OpensslPrivateKeyInfo {
    const NAME: &'static str = "openssl_privatekey_info";
    const COLLECTION: &'static str = "community.crypto";
    const DOC: &'static str = "Tell what a private key is and what its public half says, with the results of community.crypto.";
    const RULES: &'static [ArgRule] = ONE;
    type Args = PrivateKeyArgs;

    fn plan<'a>(args: &'a PrivateKeyArgs, sys: &Sys) -> ModuleResult<Plan<'a>> {
        if args.return_private_key_data {
            return Err("return_private_key_data is not built: the numbers of a private key are not returned".into());
        }
        let text = args.content.as_ref().map(|secret| secret.reveal().as_str());
        let content = content(sys, args.path.as_ref(), text, "private key")?;
        let mut plan = Plan::new();
        plan.returns("can_load_key", true);
        let unreadable = |why: String| {
            Failure::new(why)
                .with("can_load_key", true)
                .with("can_parse_key", false)
                .with("key_is_consistent", Value::Null)
        };
        let key = match &args.passphrase {
            Some(passphrase) => PrivateKey::open(&content, passphrase.reveal()),
            None => PrivateKey::parse(&content),
        };
        let key = key.map_err(unreadable)?;
        let mut info = x509::public_key_info(&key.public()).map_err(Failure::new)?;
        plan.returns("can_parse_key", true);
        plan.returns(
            "key_is_consistent",
            args.check_consistency.then(|| Value::from(true)),
        );
        for (from, to) in [
            ("public_key", "public_key"),
            ("fingerprints", "public_key_fingerprints"),
            ("type", "type"),
            ("public_data", "public_data"),
        ] {
            plan.returns(to, info.take(from).unwrap_or_default());
        }
        Ok(plan)
    }
}
