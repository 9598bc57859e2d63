//! `x509_ca`: a certificate authority.

use super::issue::{self, Wish};
use super::key::{KeyType, PrivateKey};
use super::lifetime::{Before, Seconds, day};
use super::names::{Sans, Subject};
use super::output::{Output, check_parent, locked, options, shown, with_mode, write_all};
use super::seen::{Seen, lines};
use super::usage::{Usage, usage_names};
use crate::modules::files::attrs::{FileAttrs, Mode};
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::{Sys, WriteOptions};
use crate::value::{Map, Value};
use crate::{choices, module_args};
use std::path::{Path, PathBuf};

choices! {
    /// What happens to a CA that is another one than was asked for.
    pub enum OnMismatch {
        /// The task fails: all certificates of that CA depend on it.
        Fail = "fail",
        /// It is replaced.
        Replace = "replace",
    }
}

module_args! {
    /// Arguments of `x509_ca`.
    pub struct Args {
        /// The CA's certificate.
        cert_path: PathBuf => required;
        /// The CA's private key.
        key_path: PathBuf => required;
        /// Common name of the CA.
        common_name: String => required;
        /// Organisations of the CA.
        organization: Vec<String> => default(Vec::<String>::new());
        /// How long a new CA lives.
        not_after: Seconds => default("+3650d"), aliases ["validity"];
        /// How far a new CA's life begins in the past, for clocks that are behind.
        backdate: Seconds => default("5m");
        /// How many CAs may follow in a chain under this one; negative for no limit.
        path_length: i64 => default(0_i64);
        /// The kind of a new key.
        key_type: KeyType => default("ecdsa-p256");
        /// Warn when the CA ends within this time. A CA is never renewed by itself.
        renew_before: Before => default("0");
        /// What happens to a CA that is there but another one.
        on_mismatch: OnMismatch => default("fail");
        /// A file of all CAs to trust: when the CA is replaced, the old one stays in it.
        trust_bundle: Option<PathBuf> => optional;
        /// Permissions of the key's file.
        key_mode: Option<Mode> => optional;
        /// Keep old files under names with the time in them.
        backup: bool => default(false);
        attrs: FileAttrs => flatten;
    }
}

/// The module.
pub struct X509Ca;

const USAGES: &[Usage] = &[Usage::DigitalSignature, Usage::KeyCertSign, Usage::CrlSign];

/// The CA's files as they are.
struct Found {
    key: Option<Result<PrivateKey, String>>,
    cert: Option<Result<Seen, String>>,
}

impl Found {
    fn look(sys: &Sys, cert: &Path, key: &Path) -> ModuleResult<Self> {
        Ok(Self {
            key: sys.read(key)?.map(|content| PrivateKey::parse(&content)),
            cert: sys.read(cert)?.map(|content| Seen::parse(&content)),
        })
    }

    /// Why this is not the CA that was asked for; `Ok` for one that simply is not there yet.
    fn reason(&self, args: &Args, subject: &Subject) -> Result<Option<&'static str>, String> {
        let key = match &self.key {
            None if self.cert.is_none() => return Ok(Some("missing")),
            None => return Err("the certificate is there, but its key is not".to_owned()),
            Some(Err(problem)) => return Err(format!("its key cannot be used: {problem}")),
            Some(Ok(key)) => key,
        };
        let cert = match &self.cert {
            None => return Ok(Some("the key is there, the certificate is missing")),
            Some(Err(problem)) => {
                return Err(format!("its certificate is not readable: {problem}"));
            }
            Some(Ok(cert)) => cert,
        };
        if cert.public != key.public() {
            return Err("the key does not belong to the certificate".to_owned());
        }
        if cert.subject != *subject {
            return Err(format!(
                "its subject is {}, not {}",
                cert.subject.text(),
                subject.text()
            ));
        }
        if !cert.is_ca {
            return Err("its certificate is not that of a CA".to_owned());
        }
        let wanted = u32::try_from(args.path_length).ok();
        if cert.path_length != wanted {
            let text = |length: Option<u32>| {
                length.map_or_else(|| "unlimited".to_owned(), |n| n.to_string())
            };
            let (found, wanted) = (text(cert.path_length), text(wanted));
            return Err(format!("its path length is {found}, not {wanted}"));
        }
        Ok(None)
    }
}

impl Module for X509Ca {
    const NAME: &'static str = "x509_ca";
    const COLLECTION: &'static str = "runbook.core";
    const DOC: &'static str =
        "Make a certificate authority: a key and a certificate that signs itself.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let (cert_path, key_path) = (sys.expand(&args.cert_path), sys.expand(&args.key_path));
        let subject = Subject::new(Some(&args.common_name), &args.organization);
        let attrs = with_mode(&args.attrs, "0644");
        let mut key_attrs = args.attrs.clone();
        key_attrs.mode.clone_from(&args.key_mode);
        let key_attrs = with_mode(&key_attrs, "0600");
        let now = sys.local_time().timestamp().as_second();
        let mut plan = Plan::new();
        plan.returns("cert_path", shown(&cert_path));
        plan.returns("key_path", shown(&key_path));
        plan.returns("subject", subject.text());
        let found = Found::look(sys, &cert_path, &key_path)?;
        let reason = match found.reason(args, &subject) {
            Ok(reason) => reason.map(str::to_owned),
            Err(problem) if args.on_mismatch == OnMismatch::Replace => Some(problem),
            Err(problem) => {
                return Err(Failure::new(format!(
                    "the CA at {} is another one: {problem}. All certificates that it signed depend on it, so it is \
                     left as it is; set on_mismatch=replace to replace it",
                    cert_path.display()
                ))
                .with("reason", Value::data(problem)));
            }
        };
        let Some(reason) = reason else {
            if let Some(Ok(cert)) = &found.cert {
                returns_of(cert, &mut |key, value| plan.returns(key, value));
                warn_of_end(args, cert, now, &cert_path, &mut plan);
                if let Some(bundle) = &args.trust_bundle {
                    plan_bundle(sys, &mut plan, &sys.expand(bundle), cert, &attrs)?;
                }
            }
            attrs.plan(sys, &mut plan, &cert_path, true)?;
            key_attrs.plan(sys, &mut plan, &key_path, true)?;
            return Ok(plan);
        };
        check_parent(sys, &cert_path)?;
        check_parent(sys, &key_path)?;
        let cert_options = options(sys, &attrs, &cert_path)?;
        let key_options = options(sys, &key_attrs, &key_path)?;
        plan.returns("reason", reason.as_str());
        let not_after = now + args.not_after.0;
        let before = found.cert.as_ref().map(|cert| match cert {
            Ok(cert) => cert.lines(),
            Err(_) => "[unreadable]\n".to_owned(),
        });
        let (none, purposes) = (Sans::new(), Sans::new());
        let after = lines(
            &subject,
            &subject.text(),
            &none,
            &usage_names(USAGES),
            &purposes,
            not_after,
        );
        let diff = Diff::new(cert_path.to_string_lossy(), before, Some(after));
        let bundle = args.trust_bundle.as_ref().map(|bundle| sys.expand(bundle));
        plan.act(
            format!("make the CA {}", cert_path.display()),
            Some(diff),
            move |sys, returns| {
                locked(sys, &key_path, |sys| {
                    let found = Found::look(sys, &cert_path, &key_path)?;
                    let usable = match found.reason(args, &subject) {
                        Ok(None) => true,
                        Ok(Some(_)) => false,
                        Err(problem) if args.on_mismatch == OnMismatch::Fail => {
                            return Err(problem.into());
                        }
                        Err(_) => false,
                    };
                    if usable {
                        // another host's task, delegated to the same machine, made it meanwhile
                        if let Some(Ok(cert)) = &found.cert {
                            returns_of(cert, &mut |key, value| drop(returns.set(key, value)));
                        }
                        return Ok(());
                    }
                    make(
                        args,
                        sys,
                        &found,
                        &subject,
                        &Places {
                            cert: &cert_path,
                            key: &key_path,
                            cert_options,
                            key_options,
                            bundle: bundle.as_deref(),
                        },
                        returns,
                    )
                })
            },
        );
        Ok(plan)
    }
}

struct Places<'a> {
    cert: &'a Path,
    key: &'a Path,
    cert_options: WriteOptions,
    key_options: WriteOptions,
    bundle: Option<&'a Path>,
}

fn make(
    args: &Args,
    sys: &mut Sys,
    found: &Found,
    subject: &Subject,
    places: &Places<'_>,
    returns: &mut Map,
) -> ModuleResult<()> {
    // a key without a certificate is used; one of a CA that is replaced is not
    let fresh;
    let kept = match (&found.key, &found.cert) {
        (Some(Ok(key)), None) => Some(key),
        _ => None,
    };
    let key = if let Some(key) = kept {
        key
    } else {
        fresh = PrivateKey::generate(args.key_type)?;
        &fresh
    };
    let now = sys.local_time().timestamp().as_second();
    let wish = Wish {
        subject,
        sans: &Sans::new(),
        usages: USAGES,
        purposes: &[],
        not_before: now - args.backdate.0,
        not_after: now + args.not_after.0,
    };
    let cert = issue::ca(&wish, u8::try_from(args.path_length).ok(), key)?;
    let seen = Seen::parse(cert.as_bytes())?;
    returns_of(&seen, &mut |key, value| drop(returns.set(key, value)));
    let mut outputs = Vec::new();
    if kept.is_none() {
        outputs.push(Output {
            path: places.key,
            content: key.pem(),
            options: places.key_options,
        });
    }
    if let Some(path) = places.bundle {
        let mut old = sys.read_text(path)?.unwrap_or_default();
        if old.is_empty()
            && let Some(Ok(cert)) = &found.cert
        {
            old = super::der::pem("CERTIFICATE", &cert.der);
        }
        outputs.push(Output {
            path,
            content: format!("{cert}{old}"),
            options: places.cert_options,
        });
    }
    outputs.push(Output {
        path: places.cert,
        content: cert,
        options: places.cert_options,
    });
    write_all(sys, &outputs, args.backup, returns)
}

fn returns_of(cert: &Seen, set: &mut dyn FnMut(&str, Value)) {
    set("fingerprint", cert.fingerprint().into());
    set("not_after", super::lifetime::moment(cert.not_after).into());
}

fn warn_of_end(args: &Args, cert: &Seen, now: i64, path: &Path, plan: &mut Plan<'_>) {
    let left = cert.not_after - now;
    if left
        < args
            .renew_before
            .of(cert.not_after - cert.not_before)
            .max(0)
        || left < 0
    {
        plan.warn(format!(
            "the CA {} ends on {}; a CA is never renewed by itself, plan its replacement",
            path.display(),
            day(cert.not_after)
        ));
    }
}

/// The bundle must have the CA in it; others in it stay.
fn plan_bundle(
    sys: &Sys,
    plan: &mut Plan<'_>,
    path: &Path,
    ca: &Seen,
    attrs: &FileAttrs,
) -> ModuleResult<()> {
    let old = sys.read_text(path)?;
    let known = Seen::parse_all(old.as_deref().unwrap_or_default().as_bytes()).unwrap_or_default();
    if known.iter().any(|seen| seen.der == ca.der) {
        return attrs.plan(sys, plan, path, true);
    }
    check_parent(sys, path)?;
    let options = attrs.write_options(sys, path)?;
    let new = format!(
        "{}{}",
        super::der::pem("CERTIFICATE", &ca.der),
        old.as_deref().unwrap_or_default()
    );
    let owned = path.to_owned();
    let diff = Diff::new(path.to_string_lossy(), old, Some(new.clone()));
    plan.step(diff, move |sys| sys.write(&owned, new.as_bytes(), &options));
    Ok(())
}
