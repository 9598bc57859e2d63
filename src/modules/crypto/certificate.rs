//! `x509_certificate`: a certificate signed by a CA that lies on the same machine.

use super::csr::Request;
use super::issue::{self, Wish};
use super::key::{KeyType, PrivateKey};
use super::lifetime::{Before, Seconds, moment};
use super::names::{Sans, Subject, parse_sans};
use super::output::{Output, check_parent, locked, options, shown, with_mode, write_all};
use super::seen::{Seen, lines};
use super::usage::{Purpose, Usage, purpose_names, usage_names};
use crate::modules::files::attrs::{FileAttrs, Mode};
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::{Sys, WriteOptions};
use crate::value::{ArgRule, Map, Secret, Value};
use crate::{choices, module_args};
use std::path::{Path, PathBuf};

choices! {
    /// What there is to be.
    pub enum State {
        /// A valid certificate.
        Present = "present",
        /// Neither certificate nor key.
        Absent = "absent",
    }
}

module_args! {
    /// Arguments of `x509_certificate`.
    pub struct Args {
        /// The certificate's file.
        cert_path: PathBuf => required;
        /// The key's file; the key is made if it is missing. Not with a request, whose key is elsewhere.
        key_path: Option<PathBuf> => optional;
        /// The CA's certificate.
        ca_cert_path: Option<PathBuf> => optional;
        /// The CA's key.
        ca_key_path: Option<PathBuf> => optional;
        /// The CA's certificate itself, in PEM.
        ca_cert: Option<String> => optional;
        /// The CA's key itself, in PEM.
        ca_key: Option<Secret<String>> => optional, secret;
        /// A request for the certificate, on the same machine.
        csr_path: Option<PathBuf> => optional;
        /// A request for the certificate itself, in PEM.
        csr_content: Option<String> => optional;
        /// Common name of the subject; without subject and names those of the request are taken.
        common_name: Option<String> => optional;
        /// Organisations of the subject.
        organization: Vec<String> => default(Vec::<String>::new());
        /// Alternative names: `DNS:name`, `IP:address`, `URI:…`, `email:…`.
        san: Vec<String> => default(Vec::<String>::new()), aliases ["subject_alt_name"];
        /// Uses of the key.
        key_usage: Vec<Usage> => default(vec!["digital_signature"]);
        /// Purposes of the certificate.
        extended_key_usage: Vec<Purpose> => default(vec!["server_auth", "client_auth"]);
        /// How long a new certificate is valid; at most as long as its CA. A change of this alone issues nothing.
        validity: Seconds => default("365d");
        /// How far a new certificate's life begins in the past, for clocks that are behind.
        backdate: Seconds => default("5m");
        /// How long before its end it is renewed, as a span or as a part of its life (`20%`).
        renew_before: Before => default("30d");
        /// The kind of a new key.
        key_type: KeyType => default("ecdsa-p256");
        /// Make a new key when the certificate is renewed.
        rekey: bool => default(true);
        /// Add the CA's certificate to the file, unless the CA signed itself.
        chain: bool => default(true);
        /// What there is to be.
        state: State => default("present");
        /// Permissions of the key's file.
        key_mode: Option<Mode> => optional;
        /// Keep old files under names with the time in them.
        backup: bool => default(false);
        attrs: FileAttrs => flatten;
    }
}

/// The module.
pub struct X509Certificate;

impl Module for X509Certificate {
    const NAME: &'static str = "x509_certificate";
    const COLLECTION: &'static str = "runbook.core";
    const DOC: &'static str =
        "Issue a certificate, and again only for a reason, which is named in `reason`.";
    const RULES: &'static [ArgRule] = &[
        ArgRule::Exclusive(&["key_path", "csr_path", "csr_content"]),
        ArgRule::Exclusive(&["ca_cert_path", "ca_cert"]),
        ArgRule::Exclusive(&["ca_key_path", "ca_key"]),
    ];
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let places = Places::of(args, sys)?;
        let mut plan = Plan::new();
        plan.returns("cert_path", shown(&places.cert));
        if let Some(key) = &places.key {
            plan.returns("key_path", shown(key));
        }
        if args.state == State::Absent {
            remove(sys, &mut plan, &places);
            return Ok(plan);
        }
        let task = match Task::look(args, sys, &places) {
            Ok(task) => task,
            Err(NotYet::Failure(failure)) => return Err(failure),
            Err(NotYet::Missing(what)) => {
                // a task before this one may make it, which in check mode did not
                check_parent(sys, &places.cert)?;
                let diff = Diff::new(
                    places.cert.to_string_lossy(),
                    None::<String>,
                    Some("[a new certificate]\n"),
                );
                plan.returns("reason", "missing");
                plan.act("issue a certificate", Some(diff), move |_, _| {
                    Err(Failure::new(what))
                });
                return Ok(plan);
            }
        };
        let now = sys.local_time().timestamp().as_second();
        let reasons = task.reasons(args, now);
        if let Some(cert) = task.cert.as_ref().and_then(|cert| cert.as_ref().ok()) {
            returns_of(cert, &mut |key, value| plan.returns(key, value));
        }
        if reasons.is_empty() {
            places.attrs.plan(sys, &mut plan, &places.cert, true)?;
            if let Some(key) = &places.key {
                places.key_attrs.plan(sys, &mut plan, key, true)?;
            }
            return Ok(plan);
        }
        check_parent(sys, &places.cert)?;
        let cert_options = options(sys, &places.attrs, &places.cert)?;
        let key_options = match &places.key {
            Some(key) => {
                check_parent(sys, key)?;
                options(sys, &places.key_attrs, key)?
            }
            None => WriteOptions::default(),
        };
        let reason = reasons
            .first()
            .map(|(_, text)| text.clone())
            .unwrap_or_default();
        plan.returns("reason", reason);
        plan.returns(
            "reasons",
            reasons
                .iter()
                .map(|(_, text)| Value::data(text.as_str()))
                .collect::<Vec<_>>(),
        );
        let diff = task.diff(args, &places.cert, now);
        plan.act(
            format!("issue {}", places.cert.display()),
            Some(diff),
            move |sys, returns| {
                locked(sys, &places.lock, |sys| {
                    let task = Task::look(args, sys, &places).map_err(NotYet::failure)?;
                    let now = sys.local_time().timestamp().as_second();
                    let reasons = task.reasons(args, now);
                    if reasons.is_empty() {
                        if let Some(Ok(cert)) = &task.cert {
                            returns_of(cert, &mut |key, value| drop(returns.set(key, value)));
                        }
                        return Ok(());
                    }
                    task.issue(
                        args,
                        sys,
                        &places,
                        &reasons,
                        (cert_options, key_options),
                        returns,
                    )
                })
            },
        );
        Ok(plan)
    }
}

/// Paths, expanded, and their attributes.
struct Places {
    cert: PathBuf,
    key: Option<PathBuf>,
    /// What signers lock: the CA's directory.
    lock: PathBuf,
    attrs: FileAttrs,
    key_attrs: FileAttrs,
}

impl Places {
    fn of(args: &Args, sys: &Sys) -> ModuleResult<Self> {
        let needs_source = args.state == State::Present;
        let has_source =
            args.key_path.is_some() || args.csr_path.is_some() || args.csr_content.is_some();
        if needs_source && !has_source {
            return Err("one of key_path, csr_path and csr_content is needed".into());
        }
        let cert = sys.expand(&args.cert_path);
        let mut key_attrs = args.attrs.clone();
        key_attrs.mode.clone_from(&args.key_mode);
        Ok(Self {
            lock: args
                .ca_key_path
                .as_ref()
                .map_or_else(|| cert.clone(), |path| sys.expand(path)),
            key: args.key_path.as_ref().map(|path| sys.expand(path)),
            cert,
            attrs: with_mode(&args.attrs, "0644"),
            key_attrs: with_mode(&key_attrs, "0600"),
        })
    }
}

fn remove(sys: &Sys, plan: &mut Plan<'_>, places: &Places) {
    for path in [Some(&places.cert), places.key.as_ref()]
        .into_iter()
        .flatten()
    {
        if sys.exists(path) {
            let owned = path.clone();
            let diff = Diff::new(path.to_string_lossy(), Some("present\n"), None::<String>);
            plan.step(diff, move |sys| sys.remove_file(&owned));
        }
    }
}

/// Why there is nothing to be planned exactly.
enum NotYet {
    Failure(Failure),
    Missing(String),
}

impl NotYet {
    fn failure(self) -> Failure {
        match self {
            Self::Failure(failure) => failure,
            Self::Missing(what) => Failure::new(what),
        }
    }
}

impl<E: Into<Failure>> From<E> for NotYet {
    fn from(error: E) -> Self {
        Self::Failure(error.into())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    Missing,
    Key,
    Content,
    Renewal,
}

/// Everything that a decision needs.
struct Task {
    ca: Seen,
    ca_key: PrivateKey,
    subject: Subject,
    sans: Sans,
    request: Option<Request>,
    key: Option<Result<PrivateKey, String>>,
    cert: Option<Result<Seen, String>>,
    chained: usize,
}

impl Task {
    fn look(args: &Args, sys: &Sys, places: &Places) -> Result<Self, NotYet> {
        let ca = content(
            sys,
            args.ca_cert_path.as_ref(),
            args.ca_cert.as_deref(),
            "ca_cert",
        )?;
        let ca_key = args.ca_key.as_ref().map(|key| key.reveal().as_str());
        let ca_key = content(sys, args.ca_key_path.as_ref(), ca_key, "ca_key")?;
        let ca = Seen::parse(&ca)
            .map_err(|p| Failure::new(format!("the CA's certificate cannot be used: {p}")))?;
        let ca_key = PrivateKey::parse(&ca_key)
            .map_err(|p| Failure::new(format!("the CA's key cannot be used: {p}")))?;
        if ca.public != ca_key.public() {
            return Err(
                Failure::new("the CA's key does not belong to the CA's certificate").into(),
            );
        }
        if !ca.is_ca {
            return Err(Failure::new("the certificate given as CA is not that of a CA").into());
        }
        let request = if args.csr_path.is_some() || args.csr_content.is_some() {
            let text = content(
                sys,
                args.csr_path.as_ref(),
                args.csr_content.as_deref(),
                "csr",
            )?;
            Some(Request::parse(&text).map_err(Failure::new)?)
        } else {
            None
        };
        let mut subject = Subject::new(args.common_name.as_deref(), &args.organization);
        let mut sans = parse_sans(&args.san).map_err(Failure::new)?;
        if let Some(request) = &request {
            if subject == Subject::default() {
                subject = Subject {
                    others: Sans::new(),
                    ..request.subject.clone()
                };
            }
            if sans.is_empty() {
                sans.clone_from(&request.sans);
            }
        }
        if subject == Subject::default() && sans.is_empty() {
            return Err(Failure::new("a certificate needs a common_name or a san").into());
        }
        let key = match &places.key {
            Some(path) => sys.read(path)?.map(|content| PrivateKey::parse(&content)),
            None => None,
        };
        let found = sys
            .read(&places.cert)?
            .map(|content| Seen::parse_all(&content));
        let mut chained = 0;
        let cert = found.map(|all| {
            all.and_then(|all| {
                chained = all.len().saturating_sub(1);
                all.into_iter()
                    .next()
                    .ok_or_else(|| "there is no certificate in it".to_owned())
            })
        });
        Ok(Self {
            ca,
            ca_key,
            subject,
            sans,
            request,
            key,
            cert,
            chained,
        })
    }

    /// Until when a certificate issued now would be valid.
    fn not_after(&self, args: &Args, now: i64) -> i64 {
        (now + args.validity.0).min(self.ca.not_after)
    }

    /// Why the certificate must be issued, most important first.
    fn reasons(&self, args: &Args, now: i64) -> Vec<(Why, String)> {
        let mut reasons = Vec::new();
        let mut add = |why: Why, text: String| reasons.push((why, text));
        match &self.key {
            Some(Err(problem)) => add(Why::Key, format!("the key is not readable: {problem}")),
            None if self.request.is_none() => add(Why::Key, "the key is missing".to_owned()),
            _ => {}
        }
        let cert = match &self.cert {
            None => {
                add(Why::Missing, "missing".to_owned());
                return reasons;
            }
            Some(Err(problem)) => {
                add(Why::Missing, format!("unreadable: {problem}"));
                return reasons;
            }
            Some(Ok(cert)) => cert,
        };
        let public = match (&self.request, &self.key) {
            (Some(request), _) => Some(request.public.clone()),
            (None, Some(Ok(key))) => Some(key.public()),
            _ => None,
        };
        if public.is_some_and(|public| public != cert.public) {
            add(
                Why::Content,
                "the key does not belong to the certificate".to_owned(),
            );
        }
        if !cert.is_signed_by(&self.ca) {
            add(
                Why::Content,
                format!(
                    "it was not issued by this CA, but by {}",
                    cert.issuer.text()
                ),
            );
        }
        if cert.subject != self.subject {
            add(
                Why::Content,
                format!(
                    "subject: {} instead of {}",
                    cert.subject.text(),
                    self.subject.text()
                ),
            );
        }
        if cert.sans != self.sans {
            let missing: Vec<_> = self
                .sans
                .difference(&cert.sans)
                .map(|s| format!("+{s}"))
                .collect();
            let extra: Vec<_> = cert
                .sans
                .difference(&self.sans)
                .map(|s| format!("-{s}"))
                .collect();
            add(
                Why::Content,
                format!("san: {}", [missing, extra].concat().join(" ")),
            );
        }
        if cert.usages != usage_names(&args.key_usage) {
            add(Why::Content, "key usage".to_owned());
        }
        if cert.purposes != purpose_names(&args.extended_key_usage) {
            add(Why::Content, "extended key usage".to_owned());
        }
        if cert.is_ca {
            add(Why::Content, "it is a CA".to_owned());
        }
        if cert.not_after > self.ca.not_after {
            add(Why::Content, "it would outlive its CA".to_owned());
        }
        if args.chain && !self.ca.is_self_signed() && self.chained == 0 {
            add(Why::Content, "the chain is missing".to_owned());
        }
        if cert.not_before > now {
            add(
                Why::Content,
                format!("it is valid only from {}", moment(cert.not_before)),
            );
        }
        let left = cert.not_after - now;
        let gains = self.not_after(args, now) > cert.not_after + 60;
        if gains && left < args.renew_before.of(cert.not_after - cert.not_before) {
            add(
                Why::Renewal,
                format!("it ends on {}", moment(cert.not_after)),
            );
        }
        reasons
    }

    fn diff(&self, args: &Args, path: &Path, now: i64) -> Diff {
        let before = self.cert.as_ref().map(|cert| match cert {
            Ok(cert) => cert.lines(),
            Err(_) => "[unreadable]\n".to_owned(),
        });
        let after = lines(
            &self.subject,
            &self.ca.subject.text(),
            &self.sans,
            &usage_names(&args.key_usage),
            &purpose_names(&args.extended_key_usage),
            self.not_after(args, now),
        );
        Diff::new(path.to_string_lossy(), before, Some(after))
    }

    fn issue(
        &self,
        args: &Args,
        sys: &mut Sys,
        places: &Places,
        reasons: &[(Why, String)],
        (cert_options, key_options): (WriteOptions, WriteOptions),
        returns: &mut Map,
    ) -> ModuleResult<()> {
        let now = sys.local_time().timestamp().as_second();
        let not_after = self.not_after(args, now);
        if not_after <= now {
            return Err(Failure::new(format!(
                "the CA ended on {}: nothing can be signed with it",
                moment(self.ca.not_after)
            )));
        }
        let life = not_after - now + args.backdate.0;
        if not_after < self.ca.not_after && not_after - now <= args.renew_before.of(life) {
            return Err("validity must be longer than renew_before, or each run would issue a new certificate".into());
        }
        let is_new_key = self.request.is_none()
            && (!matches!(&self.key, Some(Ok(_)))
                || (args.rekey && reasons.iter().any(|(why, _)| *why == Why::Renewal)));
        let new_key = is_new_key
            .then(|| PrivateKey::generate(args.key_type))
            .transpose()?;
        let public = match (&self.request, &new_key, &self.key) {
            (Some(request), ..) => request.public.clone(),
            (None, Some(key), _) | (None, None, Some(Ok(key))) => key.public(),
            _ => return Err("there is no key".into()),
        };
        let wish = Wish {
            subject: &self.subject,
            sans: &self.sans,
            usages: &args.key_usage,
            purposes: &args.extended_key_usage,
            not_before: now - args.backdate.0,
            not_after,
        };
        let mut cert = issue::leaf(&wish, &public, &self.ca, &self.ca_key)?;
        returns_of(&Seen::parse(cert.as_bytes())?, &mut |key, value| {
            drop(returns.set(key, value));
        });
        if args.chain && !self.ca.is_self_signed() {
            cert.push_str(&super::der::pem("CERTIFICATE", &self.ca.der));
        }
        let mut outputs = Vec::new();
        if let (Some(key), Some(path)) = (&new_key, &places.key) {
            outputs.push(Output {
                path,
                content: key.pem(),
                options: key_options,
            });
        }
        outputs.push(Output {
            path: &places.cert,
            content: cert,
            options: cert_options,
        });
        write_all(sys, &outputs, args.backup, returns)
    }
}

fn returns_of(cert: &Seen, set: &mut dyn FnMut(&str, Value)) {
    set("subject", cert.subject.text().into());
    set(
        "san",
        cert.sans
            .iter()
            .map(|s| Value::data(s.as_str()))
            .collect::<Vec<_>>()
            .into(),
    );
    set("fingerprint", cert.fingerprint().into());
    set("serial", crate::sys::hex(&cert.serial).into());
    set("not_before", moment(cert.not_before).into());
    set("not_after", moment(cert.not_after).into());
}

fn content(
    sys: &Sys,
    path: Option<&PathBuf>,
    text: Option<&str>,
    name: &str,
) -> Result<Vec<u8>, NotYet> {
    match (path, text) {
        (Some(path), _) => {
            let path = sys.expand(path);
            sys.read(&path)?.ok_or_else(|| {
                NotYet::Missing(format!("there is no file {} ({name}_path)", path.display()))
            })
        }
        (None, Some(text)) => Ok(text.as_bytes().to_vec()),
        (None, None) => {
            Err(Failure::new(format!("one of {name}_path and {name} is needed")).into())
        }
    }
}
