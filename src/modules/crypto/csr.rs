//! `x509_csr`: a request for a certificate, made where the key is.

use super::der::{Block, blocks};
use super::issue::{Wish, request};
use super::key::PrivateKey;
use super::names::{Sans, Subject, parse_sans, sans_of, sans_text};
use super::output::{Output, check_parent, options, shown, with_mode, write_all};
use crate::module_args;
use crate::modules::files::attrs::FileAttrs;
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::Sys;
use crate::value::Value;
use std::path::PathBuf;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::FromDer;

module_args! {
    /// Arguments of `x509_csr`.
    pub struct Args {
        /// The request's file.
        path: PathBuf => required, aliases ["dest"];
        /// The private key that it is for; it does not leave the machine.
        key_path: PathBuf => required, aliases ["privatekey_path"];
        /// Common name of the subject.
        common_name: Option<String> => optional;
        /// Organisations of the subject.
        organization: Vec<String> => default(Vec::<String>::new());
        /// Alternative names: `DNS:name`, `IP:address`, `URI:…`, `email:…`.
        san: Vec<String> => default(Vec::<String>::new()), aliases ["subject_alt_name"];
        /// Keep the old request under a name with the time in it.
        backup: bool => default(false);
        attrs: FileAttrs => flatten;
    }
}

/// The request in a PEM text.
///
/// # Errors
/// There is none.
pub(super) fn request_block(content: &[u8]) -> Result<Block, String> {
    blocks(content)
        .into_iter()
        .find(|block| block.label.ends_with("CERTIFICATE REQUEST"))
        .ok_or_else(|| "there is no certificate request in it".to_owned())
}

/// A request that was signed with the key that it is for.
///
/// # Errors
/// When it cannot be read, or its signature is wrong.
pub(super) fn verified(block: &Block) -> Result<X509CertificationRequest<'_>, String> {
    let (_, csr) = X509CertificationRequest::from_der(&block.bytes)
        .map_err(|e| format!("the request cannot be read: {e}"))?;
    csr.verify_signature()
        .map_err(|_| "the request's signature is wrong")?;
    Ok(csr)
}

/// A request as it is found.
pub(super) struct Request {
    pub(super) subject: Subject,
    pub(super) sans: Sans,
    pub(super) public: Vec<u8>,
}

impl Request {
    /// Reads one in PEM, and checks that who made it has the key.
    ///
    /// # Errors
    /// When it cannot be read, or its signature is wrong.
    pub(super) fn parse(content: &[u8]) -> Result<Self, String> {
        let block = request_block(content)?;
        let csr = verified(&block)?;
        let info = &csr.certification_request_info;
        let mut sans = Sans::new();
        for extension in csr.requested_extensions().into_iter().flatten() {
            if let ParsedExtension::SubjectAlternativeName(names) = extension {
                sans = sans_of(&names.general_names);
            }
        }
        Ok(Self {
            subject: Subject::of(&info.subject),
            sans,
            public: info.subject_pki.raw.to_vec(),
        })
    }

    fn lines(&self) -> String {
        lines(&self.subject, &self.sans)
    }
}

fn lines(subject: &Subject, sans: &Sans) -> String {
    format!("subject: {}\nsan: {}\n", subject.text(), sans_text(sans))
}

/// The module.
pub struct X509Csr;

impl Module for X509Csr {
    const NAME: &'static str = "x509_csr";
    const COLLECTION: &'static str = "runbook.core";
    const DOC: &'static str =
        "Write a request for a certificate, for a key that stays where it is.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let path = sys.expand(&args.path);
        let key_path = sys.expand(&args.key_path);
        let subject = Subject::new(args.common_name.as_deref(), &args.organization);
        let sans = parse_sans(&args.san)?;
        let attrs = with_mode(&args.attrs, "0644");
        let mut plan = Plan::new();
        plan.returns("path", shown(&path));
        // a key that is missing may be made by a task before this one, which in check mode did not
        let key = sys
            .read(&key_path)?
            .map(|content| PrivateKey::parse(&content))
            .transpose();
        let key = key.map_err(|problem| {
            Failure::new(format!(
                "the key {} cannot be used: {problem}",
                key_path.display()
            ))
        })?;
        let content = sys.read(&path)?;
        let found = content.as_deref().map(Request::parse);
        let reason = match &found {
            None => Some("missing"),
            Some(Err(_)) => Some("unreadable"),
            Some(Ok(found)) if key.as_ref().is_none_or(|key| key.public() != found.public) => {
                Some("it is for another key")
            }
            Some(Ok(found)) if found.subject != subject => Some("subject"),
            Some(Ok(found)) if found.sans != sans => Some("san"),
            Some(Ok(_)) => None,
        };
        let Some(reason) = reason else {
            plan.returns(
                "csr",
                content.map(|c| Value::data(String::from_utf8_lossy(&c).as_ref())),
            );
            attrs.plan(sys, &mut plan, &path, true)?;
            return Ok(plan);
        };
        check_parent(sys, &path)?;
        let options = options(sys, &attrs, &path)?;
        plan.returns("reason", reason);
        let before = found
            .map(|found| found.map_or_else(|_| "[unreadable]\n".to_owned(), |found| found.lines()));
        let diff = Diff::new(path.to_string_lossy(), before, Some(lines(&subject, &sans)));
        plan.act(
            format!("write the request {}", path.display()),
            Some(diff),
            move |sys, returns| {
                let key = key.ok_or_else(|| {
                    Failure::new(format!(
                        "there is no key {}; make it first (x509_private_key)",
                        key_path.display()
                    ))
                })?;
                let wish = Wish {
                    subject: &subject,
                    sans: &sans,
                    usages: &[],
                    purposes: &[],
                    not_before: 0,
                    not_after: 0,
                };
                let content = request(&wish, &key)?;
                returns.set("csr", Value::data(content.as_str()));
                let output = Output {
                    path: &path,
                    content,
                    options,
                };
                write_all(sys, &[output], args.backup, returns)
            },
        );
        Ok(plan)
    }
}
