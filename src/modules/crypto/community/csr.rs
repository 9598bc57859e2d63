//! `openssl_csr`.

use super::State;
use super::extension::{Extension, same};
use super::name::Name;
use super::signed::{Found, key_id, lines, request};
use crate::module_args;
use crate::modules::crypto::output::{Output, check_parent, options, with_mode};
use crate::modules::files::attrs::FileAttrs;
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::Sys;
use crate::value::{ArgRule, Map, Secret, Value};
use std::path::PathBuf;

module_args! {
    /// Arguments of `openssl_csr`.
    pub struct Args {
        /// The request's file.
        path: PathBuf => required;
        /// Whether it is to be there.
        state: State => default("present");
        /// The private key that it is for; it does not leave the machine.
        privatekey_path: Option<PathBuf> => optional;
        /// The private key itself.
        privatekey_content: Option<Secret<String>> => optional, secret;
        /// Its passphrase.
        privatekey_passphrase: Option<Secret<String>> => optional, secret;
        /// The digest that is signed. `sha256`; keys on secp384r1 sign with their own.
        digest: String => default("sha256");
        /// The version, which is 1.
        version: i64 => default(1);
        /// Attributes of the subject by their names, after those below; a value may be a list.
        subject: Option<Map> => optional;
        /// Attributes of the subject as mappings with one member, in this order.
        subject_ordered: Option<Vec<Map>> => optional;
        /// Country of the subject.
        country_name: Option<String> => optional, aliases ["C", "countryName"];
        /// State or province of the subject.
        state_or_province_name: Option<String> => optional, aliases ["ST", "stateOrProvinceName"];
        /// Place of the subject.
        locality_name: Option<String> => optional, aliases ["L", "localityName"];
        /// Organisation of the subject.
        organization_name: Option<String> => optional, aliases ["O", "organizationName"];
        /// Part of the organisation.
        organizational_unit_name: Option<String> => optional, aliases ["OU", "organizationalUnitName"];
        /// Common name of the subject.
        common_name: Option<String> => optional, aliases ["CN", "commonName"];
        /// Address for mail of the subject.
        email_address: Option<String> => optional, aliases ["E", "emailAddress"];
        /// Alternative names: `DNS:name`, `IP:address`, `URI:…`, `email:…`, `RID:…`.
        subject_alt_name: Vec<String> => default(Vec::<String>::new()), aliases ["subjectAltName"];
        /// Whoever does not understand alternative names must not accept it.
        subject_alt_name_critical: bool => default(false), aliases ["subjectAltName_critical"];
        /// Without alternative names, the common name is one.
        use_common_name_for_san: bool => default(true), aliases ["useCommonNameForSAN"];
        /// Uses of the key, such as `digitalSignature`.
        key_usage: Vec<String> => default(Vec::<String>::new()), aliases ["keyUsage"];
        /// Whoever does not understand uses of keys must not accept it.
        key_usage_critical: bool => default(false), aliases ["keyUsage_critical"];
        /// Purposes, such as `serverAuth`.
        extended_key_usage: Vec<String> => default(Vec::<String>::new()), aliases ["extKeyUsage", "extendedKeyUsage"];
        /// Whoever does not understand purposes must not accept it.
        extended_key_usage_critical: bool => default(false), aliases ["extKeyUsage_critical", "extendedKeyUsage_critical"];
        /// Whether it is for a CA: `CA:TRUE`, `pathlen:0`.
        basic_constraints: Vec<String> => default(Vec::<String>::new()), aliases ["basicConstraints"];
        /// Whoever does not understand that must not accept it.
        basic_constraints_critical: bool => default(false), aliases ["basicConstraints_critical"];
        /// Its server has to send what OCSP says of it.
        ocsp_must_staple: bool => default(false), aliases ["ocspMustStaple"];
        /// Whoever does not understand that must not accept it.
        ocsp_must_staple_critical: bool => default(false), aliases ["ocspMustStaple_critical"];
        /// Names that a CA may certify. Not built yet.
        name_constraints_permitted: Option<Vec<String>> => optional;
        /// Names that a CA must not certify. Not built yet.
        name_constraints_excluded: Option<Vec<String>> => optional;
        /// Whoever does not understand these must not accept it.
        name_constraints_critical: bool => default(false);
        /// The id of the key in hexadecimal.
        subject_key_identifier: Option<String> => optional;
        /// Take the digest of the key as its id.
        create_subject_key_identifier: bool => default(false);
        /// The id of the issuer's key in hexadecimal.
        authority_key_identifier: Option<String> => optional;
        /// The issuer's names. Not built yet.
        authority_cert_issuer: Option<Vec<String>> => optional;
        /// The number of the issuer's certificate. Not built yet.
        authority_cert_serial_number: Option<i64> => optional;
        /// Where lists of revoked certificates are. Not built yet.
        crl_distribution_points: Option<Vec<Map>> => optional;
        /// Write a new request each time.
        force: bool => default(false);
        /// Return the request as `csr`.
        return_content: bool => default(false);
        /// Keep the old request under a name with the time in it.
        backup: bool => default(false);
        /// Without effect: runbook needs no library on the machine.
        select_crypto_backend: String => default("auto");
        attrs: FileAttrs => flatten;
    }
}

/// The module.
pub struct OpensslCsr;

fn subject_of(args: &Args) -> Result<Name, String> {
    let mut name = Name::default();
    if let Some(ordered) = &args.subject_ordered {
        for part in ordered {
            name.extend(part)?;
        }
        return Ok(name);
    }
    for (attribute, value) in [
        ("C", &args.country_name),
        ("ST", &args.state_or_province_name),
        ("L", &args.locality_name),
        ("O", &args.organization_name),
        ("OU", &args.organizational_unit_name),
        ("CN", &args.common_name),
        ("emailAddress", &args.email_address),
    ] {
        name.push(attribute, value.as_deref())?;
    }
    if let Some(more) = &args.subject {
        name.extend(more)?;
    }
    Ok(name)
}

fn identifier(text: &str, argument: &str) -> Result<Vec<u8>, String> {
    let digits: String = text.chars().filter(|c| *c != ':').collect();
    let pairs: Option<Vec<u8>> = digits
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    pairs
        .filter(|_| digits.len().is_multiple_of(2))
        .ok_or_else(|| format!("Cannot parse {argument}: it is no hexadecimal text"))
}

/// All extensions but for the id of the key, which needs the key.
fn extensions_of(args: &Args, names: &[String]) -> Result<Vec<Extension>, String> {
    let mut all = Vec::new();
    if !names.is_empty() {
        all.push(Extension::alternative_names(
            names,
            args.subject_alt_name_critical,
        )?);
    }
    if !args.key_usage.is_empty() {
        all.push(Extension::key_usage(
            &args.key_usage,
            args.key_usage_critical,
        )?);
    }
    if !args.extended_key_usage.is_empty() {
        all.push(Extension::purposes(
            &args.extended_key_usage,
            args.extended_key_usage_critical,
        )?);
    }
    if !args.basic_constraints.is_empty() {
        all.push(Extension::basic_constraints(
            &args.basic_constraints,
            args.basic_constraints_critical,
        )?);
    }
    if args.ocsp_must_staple {
        all.push(Extension::must_staple(args.ocsp_must_staple_critical));
    }
    if let Some(id) = &args.subject_key_identifier {
        all.push(Extension::subject_key_id(&identifier(
            id,
            "subject_key_identifier",
        )?));
    }
    if let Some(id) = &args.authority_key_identifier {
        all.push(Extension::authority_key_id(&identifier(
            id,
            "authority_key_identifier",
        )?));
    }
    Ok(all)
}

fn refuse_unbuilt(args: &Args) -> ModuleResult<()> {
    let unbuilt = [
        (
            args.name_constraints_permitted.is_some(),
            "name_constraints_permitted",
        ),
        (
            args.name_constraints_excluded.is_some(),
            "name_constraints_excluded",
        ),
        (
            args.authority_cert_issuer.is_some(),
            "authority_cert_issuer",
        ),
        (
            args.authority_cert_serial_number.is_some(),
            "authority_cert_serial_number",
        ),
        (
            args.crl_distribution_points.is_some(),
            "crl_distribution_points",
        ),
    ];
    if let Some((_, name)) = unbuilt.iter().find(|(given, _)| *given) {
        return Err(Failure::new(format!("{name} is not built yet")));
    }
    if args.digest != "sha256" {
        return Err("digest: only sha256 is built".into());
    }
    if args.version != 1 {
        return Err("version: requests have the version 1".into());
    }
    Ok(())
}

fn list(words: &[String]) -> Value {
    if words.is_empty() {
        return Value::Null;
    }
    Value::list(
        words
            .iter()
            .map(|word| Value::data(word.as_str()))
            .collect(),
    )
}

impl Module for OpensslCsr {
    const NAME: &'static str = "openssl_csr";
    const COLLECTION: &'static str = "community.crypto";
    const DOC: &'static str =
        "Write a request for a certificate, with the arguments of community.crypto.";
    const RULES: &'static [ArgRule] = &[
        ArgRule::Exclusive(&["privatekey_path", "privatekey_content"]),
        ArgRule::Exclusive(&["create_subject_key_identifier", "subject_key_identifier"]),
        ArgRule::Exclusive(&["subject", "subject_ordered"]),
    ];
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let path = sys.expand(&args.path);
        let mut plan = Plan::new();
        plan.returns("filename", Value::data(path.to_string_lossy().as_ref()));
        if args.state == State::Absent {
            super::plan_removal(sys, &mut plan, &path, args.backup)?;
            return Ok(plan);
        }
        refuse_unbuilt(args)?;
        let subject = subject_of(args)?;
        let names = match subject.common_name() {
            Some(name) if args.subject_alt_name.is_empty() && args.use_common_name_for_san => {
                vec![format!("DNS:{name}")]
            }
            _ => args.subject_alt_name.clone(),
        };
        let mut extensions = extensions_of(args, &names)?;
        let key = super::private_key(
            sys,
            args.privatekey_path.as_ref(),
            args.privatekey_content.as_ref(),
            args.privatekey_passphrase.as_ref(),
        )?;
        if let Some(key) = key.as_ref().filter(|_| args.create_subject_key_identifier) {
            extensions.push(Extension::subject_key_id(&key_id(&key.public())));
        }
        plan.returns(
            "privatekey",
            args.privatekey_path
                .as_ref()
                .map(|path| Value::data(path.to_string_lossy().as_ref())),
        );
        plan.returns("subject", subject.value());
        plan.returns("subjectAltName", list(&names));
        plan.returns("keyUsage", list(&args.key_usage));
        plan.returns("extendedKeyUsage", list(&args.extended_key_usage));
        plan.returns("basicConstraints", list(&args.basic_constraints));
        plan.returns("ocspMustStaple", args.ocsp_must_staple);
        let content = sys.read(&path)?;
        let found = content.as_deref().map(Found::request);
        let is_same = match (&found, &key) {
            (Some(Ok(found)), Some(key)) => {
                found.public == key.public()
                    && found.subject.is_same(&subject)
                    && same(&found.extensions, &extensions)
            }
            _ => false,
        };
        let attrs = with_mode(&args.attrs, "0644");
        if is_same && !args.force {
            if args.return_content {
                let text = String::from_utf8_lossy(content.as_deref().unwrap_or_default());
                plan.returns("csr", Value::data(text.as_ref()));
            }
            attrs.plan(sys, &mut plan, &path, true)?;
            return Ok(plan);
        }
        check_parent(sys, &path)?;
        let options = options(sys, &attrs, &path)?;
        let before = found
            .map(|found| found.map_or_else(|_| "[unreadable]\n".to_owned(), |found| found.lines()));
        let diff = Diff::new(
            path.to_string_lossy(),
            before,
            Some(lines(&subject, &extensions)),
        );
        plan.act(
            format!("write the request {}", path.display()),
            Some(diff),
            move |sys, returns| {
                let key = key.ok_or_else(|| super::no_key(args.privatekey_path.as_ref()))?;
                let content = request(&subject, &extensions, &key)?;
                let returned_as = args.return_content.then_some("csr");
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
