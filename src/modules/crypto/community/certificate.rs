//! `x509_certificate` of community.crypto: a certificate signed by its own key or by a CA's, from a request.

use super::State;
use super::extension::{AUTHORITY_KEY_ID, Extension, SUBJECT_KEY_ID, same};
use super::name::Name;
use super::signed::{Certified, Found, certificate, key_id, lines};
use super::when::moment;
use crate::modules::crypto::key::PrivateKey;
use crate::modules::crypto::output::{Output, check_parent, locked, options, with_mode};
use crate::modules::files::attrs::FileAttrs;
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::Sys;
use crate::value::{ArgRule, Secret, Value};
use crate::{choices, module_args};
use std::path::PathBuf;

choices! {
    /// Who signs.
    #[allow(missing_docs)]
    pub enum Provider {
        Acme = "acme",
        Entrust = "entrust",
        OwnCa = "ownca",
        SelfSigned = "selfsigned",
    }
}

choices! {
    /// Whether a certificate gets the id of its key.
    #[allow(missing_docs)]
    pub enum KeyId {
        IfNotProvided = "create_if_not_provided",
        Always = "always_create",
        Never = "never_create",
    }
}

module_args! {
    /// Arguments of `x509_certificate`.
    pub struct Args {
        /// The certificate's file.
        path: PathBuf => required;
        /// Whether it is to be there.
        state: State => default("present");
        /// Who signs it. Built are `selfsigned` and `ownca`.
        provider: Option<Provider> => optional;
        /// The request for it, on the same machine.
        csr_path: Option<PathBuf> => optional;
        /// The request itself.
        csr_content: Option<String> => optional;
        /// The key of a certificate that signs itself; else, the key that it has to belong to.
        privatekey_path: Option<PathBuf> => optional;
        /// That key itself.
        privatekey_content: Option<Secret<String>> => optional, secret;
        /// Its passphrase.
        privatekey_passphrase: Option<Secret<String>> => optional, secret;
        /// From when on a certificate that signs itself is valid: `+0s`, or `YYYYMMDDHHMMSSZ`.
        selfsigned_not_before: String => default("+0s"), aliases ["selfsigned_notBefore"];
        /// Until when it is.
        selfsigned_not_after: String => default("+3650d"), aliases ["selfsigned_notAfter"];
        /// The digest that is signed. `sha256`; keys on secp384r1 sign with their own.
        selfsigned_digest: String => default("sha256");
        /// The version, which is 3.
        selfsigned_version: i64 => default(3);
        /// Whether it gets the id of its key.
        selfsigned_create_subject_key_identifier: KeyId => default("create_if_not_provided");
        /// The CA's certificate.
        ownca_path: Option<PathBuf> => optional;
        /// The CA's certificate itself.
        ownca_content: Option<String> => optional;
        /// The CA's key.
        ownca_privatekey_path: Option<PathBuf> => optional;
        /// The CA's key itself.
        ownca_privatekey_content: Option<Secret<String>> => optional, secret;
        /// Its passphrase.
        ownca_privatekey_passphrase: Option<Secret<String>> => optional, secret;
        /// From when on a certificate of the CA is valid.
        ownca_not_before: String => default("+0s");
        /// Until when it is.
        ownca_not_after: String => default("+3650d");
        /// The digest that is signed. `sha256`; keys on secp384r1 sign with their own.
        ownca_digest: String => default("sha256");
        /// The version, which is 3.
        ownca_version: i64 => default(3);
        /// Whether it gets the id of its key.
        ownca_create_subject_key_identifier: KeyId => default("create_if_not_provided");
        /// Whether it gets the id of its issuer's key.
        ownca_create_authority_key_identifier: bool => default(true);
        /// Whether other times than those asked for are no reason to issue it anew.
        ignore_timestamps: bool => default(true);
        /// Issue it anew each time.
        force: bool => default(false);
        /// Return it as `certificate`.
        return_content: bool => default(false);
        /// Keep the old one under a name with the time in it.
        backup: bool => default(false);
        /// Without effect: runbook needs no library on the machine.
        select_crypto_backend: String => default("auto");
        attrs: FileAttrs => flatten;
    }
}

/// The module.
pub struct X509Certificate;

/// What the certificate is to be.
struct Wish {
    subject: Name,
    subject_raw: Vec<u8>,
    public: Vec<u8>,
    /// Those of the request, and the id of the key.
    extensions: Vec<Extension>,
    authority: Option<Extension>,
    issuer_raw: Vec<u8>,
    /// The public half of what it is signed with.
    signer: Vec<u8>,
    not_before: i64,
    not_after: i64,
}

fn bytes_of(
    sys: &Sys,
    path: Option<&PathBuf>,
    content: Option<&str>,
) -> ModuleResult<Option<Vec<u8>>> {
    match (path, content) {
        (_, Some(text)) => Ok(Some(text.as_bytes().to_vec())),
        (Some(path), None) => Ok(sys.read(&sys.expand(path))?),
        (None, None) => Ok(None),
    }
}

fn with_key_id(mut extensions: Vec<Extension>, how: KeyId, public: &[u8]) -> Vec<Extension> {
    let has = extensions.iter().any(|e| e.id == SUBJECT_KEY_ID);
    match how {
        KeyId::Never => {}
        KeyId::IfNotProvided if has => {}
        KeyId::IfNotProvided | KeyId::Always => {
            extensions.retain(|e| e.id != SUBJECT_KEY_ID);
            extensions.push(Extension::subject_key_id(&key_id(public)));
        }
    }
    extensions
}

/// What is wished, and the key that signs; `Err` says which file is not there (yet).
fn look(args: &Args, sys: &Sys, now: i64) -> ModuleResult<Result<(Wish, PrivateKey), String>> {
    let missing = |what: &str, path: Option<&PathBuf>| {
        let path = path.map_or_else(String::new, |path| path.display().to_string());
        Ok(Err(format!("The {what} {path} does not exist")))
    };
    let gives_csr = args.csr_path.is_some() || args.csr_content.is_some();
    let request = bytes_of(sys, args.csr_path.as_ref(), args.csr_content.as_deref())?;
    if gives_csr && request.is_none() {
        return missing("certificate signing request file", args.csr_path.as_ref());
    }
    let request = request
        .map(|bytes| Found::request(&bytes))
        .transpose()
        .map_err(|problem| Failure::new(format!("the request cannot be used: {problem}")))?;
    if args.provider == Some(Provider::SelfSigned) {
        let key = super::private_key(
            sys,
            args.privatekey_path.as_ref(),
            args.privatekey_content.as_ref(),
            args.privatekey_passphrase.as_ref(),
        )?;
        let Some(key) = key else {
            return missing("private key", args.privatekey_path.as_ref());
        };
        let public = key.public();
        let (subject, raw, extensions) = match request {
            Some(request) if request.public != public => {
                return Err(
                    "The private key does not belong to the certificate signing request".into(),
                );
            }
            Some(request) => (request.subject, request.subject_raw, request.extensions),
            None => (Name::default(), Name::default().der(), Vec::new()),
        };
        let wish = Wish {
            extensions: with_key_id(
                extensions,
                args.selfsigned_create_subject_key_identifier,
                &public,
            ),
            subject,
            issuer_raw: raw.clone(),
            subject_raw: raw,
            signer: public.clone(),
            public,
            authority: None,
            not_before: moment(&args.selfsigned_not_before, now, "selfsigned_not_before")?,
            not_after: moment(&args.selfsigned_not_after, now, "selfsigned_not_after")?,
        };
        return Ok(Ok((wish, key)));
    }
    let Some(request) = request else {
        return Err("one of csr_path and csr_content is needed for the provider ownca".into());
    };
    let ca = bytes_of(sys, args.ownca_path.as_ref(), args.ownca_content.as_deref())?;
    let Some(ca) = ca else {
        if args.ownca_path.is_none() {
            return Err(
                "one of ownca_path and ownca_content is needed for the provider ownca".into(),
            );
        }
        return missing("CA certificate", args.ownca_path.as_ref());
    };
    let ca = Found::certificate(&ca).map_err(|problem| {
        Failure::new(format!("the CA's certificate cannot be used: {problem}"))
    })?;
    if args.ownca_privatekey_path.is_none() && args.ownca_privatekey_content.is_none() {
        return Err("one of ownca_privatekey_path and ownca_privatekey_content is needed for the provider ownca".into());
    }
    let key = super::private_key(
        sys,
        args.ownca_privatekey_path.as_ref(),
        args.ownca_privatekey_content.as_ref(),
        args.ownca_privatekey_passphrase.as_ref(),
    )?;
    let Some(key) = key else {
        return missing("CA's private key", args.ownca_privatekey_path.as_ref());
    };
    if ca.public != key.public() {
        return Err("The CA's private key does not belong to the CA's certificate".into());
    }
    let authority = args.ownca_create_authority_key_identifier.then(|| {
        let own = ca.extensions.iter().find(|e| e.id == SUBJECT_KEY_ID);
        // the id in its octet string
        let id = own.and_then(|e| e.content.get(2..)).map(<[u8]>::to_vec);
        Extension::authority_key_id(&id.unwrap_or_else(|| key_id(&ca.public)))
    });
    let mut extensions = request.extensions;
    if authority.is_some() {
        extensions.retain(|e| e.id != AUTHORITY_KEY_ID);
    }
    let wish = Wish {
        extensions: with_key_id(
            extensions,
            args.ownca_create_subject_key_identifier,
            &request.public,
        ),
        subject: request.subject,
        subject_raw: request.subject_raw,
        public: request.public,
        authority,
        issuer_raw: ca.subject_raw,
        signer: ca.public,
        not_before: moment(&args.ownca_not_before, now, "ownca_not_before")?,
        not_after: moment(&args.ownca_not_after, now, "ownca_not_after")?,
    };
    Ok(Ok((wish, key)))
}

/// Why the certificate that is there is not the one that is wished.
fn difference(args: &Args, wish: &Wish, found: &Found) -> Option<&'static str> {
    let wanted: Vec<Extension> = wish
        .extensions
        .iter()
        .chain(&wish.authority)
        .cloned()
        .collect();
    if found.public != wish.public {
        Some("it is for another key")
    } else if !found.subject.is_same(&wish.subject) {
        Some("subject")
    } else if found.issuer_raw != wish.issuer_raw || !found.is_signed_with(&wish.signer) {
        Some("it was signed by another")
    } else if !same(&found.extensions, &wanted) {
        Some("extensions")
    } else if !args.ignore_timestamps
        && (found.not_before, found.not_after) != (wish.not_before, wish.not_after)
    {
        Some("times")
    } else {
        None
    }
}

fn refuse_unbuilt(args: &Args) -> ModuleResult<()> {
    match args.provider {
        None => {
            return Err("state is present but all of the following are missing: provider".into());
        }
        Some(provider @ (Provider::Acme | Provider::Entrust)) => {
            return Err(Failure::new(format!(
                "the provider {} is not built; selfsigned and ownca are",
                provider.word()
            )));
        }
        Some(Provider::OwnCa | Provider::SelfSigned) => {}
    }
    if args.selfsigned_digest != "sha256" || args.ownca_digest != "sha256" {
        return Err("digests other than sha256 are not built".into());
    }
    if args.selfsigned_version != 3 || args.ownca_version != 3 {
        return Err("certificates have the version 3".into());
    }
    Ok(())
}

impl Module for X509Certificate {
    const NAME: &'static str = "x509_certificate";
    const COLLECTION: &'static str = "community.crypto";
    const DOC: &'static str =
        "Issue a certificate from a request, with the arguments of community.crypto.";
    const RULES: &'static [ArgRule] = &[
        ArgRule::Exclusive(&["csr_path", "csr_content"]),
        ArgRule::Exclusive(&["privatekey_path", "privatekey_content"]),
        ArgRule::Exclusive(&["ownca_path", "ownca_content"]),
        ArgRule::Exclusive(&["ownca_privatekey_path", "ownca_privatekey_content"]),
    ];
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let path = sys.expand(&args.path);
        let mut plan = Plan::new();
        let place = |path: &PathBuf| Value::data(path.to_string_lossy().as_ref());
        plan.returns("filename", place(&path));
        if args.state == State::Absent {
            super::plan_removal(sys, &mut plan, &path, args.backup)?;
            return Ok(plan);
        }
        refuse_unbuilt(args)?;
        plan.returns("privatekey", args.privatekey_path.as_ref().map(place));
        plan.returns("csr", args.csr_path.as_ref().map(place));
        if args.provider == Some(Provider::OwnCa) {
            plan.returns("ca_cert", args.ownca_path.as_ref().map(place));
            plan.returns(
                "ca_privatekey",
                args.ownca_privatekey_path.as_ref().map(place),
            );
        }
        let now = sys.local_time().timestamp().as_second();
        let looked = look(args, sys, now)?;
        let content = sys.read(&path)?;
        let found = content.as_deref().map(Found::certificate);
        let reason = match (&found, &looked) {
            (None, _) => Some("missing"),
            (Some(Err(_)), _) => Some("unreadable"),
            (Some(Ok(_)), Err(_)) => Some("what it is made of is not there"),
            (Some(Ok(found)), Ok((wish, _))) => difference(args, wish, found),
        };
        let reason = reason.or(args.force.then_some("asked for"));
        let attrs = with_mode(&args.attrs, "0644");
        let Some(reason) = reason else {
            if args.return_content {
                let text = String::from_utf8_lossy(content.as_deref().unwrap_or_default());
                plan.returns("certificate", Value::data(text.as_ref()));
            }
            attrs.plan(sys, &mut plan, &path, true)?;
            return Ok(plan);
        };
        check_parent(sys, &path)?;
        let options = options(sys, &attrs, &path)?;
        let before = found
            .map(|found| found.map_or_else(|_| "[unreadable]\n".to_owned(), |found| found.lines()));
        let after = match &looked {
            Ok((wish, _)) => lines(&wish.subject, &wish.extensions),
            Err(_) => "[of what is not there yet]\n".to_owned(),
        };
        let diff = Diff::new(
            path.to_string_lossy(),
            before,
            Some(format!("{after}reason: {reason}\n")),
        );
        plan.act(
            format!("issue {}", path.display()),
            Some(diff),
            move |sys, returns| {
                let lock = args.ownca_privatekey_path.as_ref().unwrap_or(&path).clone();
                let lock = sys.expand(&lock);
                locked(sys, &lock, |sys| {
                    let (wish, key) = looked.map_err(Failure::new)?;
                    let extensions: Vec<Extension> = wish
                        .extensions
                        .iter()
                        .chain(&wish.authority)
                        .cloned()
                        .collect();
                    let certified = Certified {
                        subject: &wish.subject_raw,
                        issuer: &wish.issuer_raw,
                        public: &wish.public,
                        extensions: &extensions,
                        not_before: wish.not_before,
                        not_after: wish.not_after,
                    };
                    let content = certificate(&certified, &key)?;
                    let returned_as = args.return_content.then_some("certificate");
                    let output = Output {
                        path: &path,
                        content,
                        options,
                    };
                    super::write_one(sys, output, args.backup, returned_as, returns)
                })
            },
        );
        if args.force {
            plan.repeats();
        }
        Ok(plan)
    }
}
