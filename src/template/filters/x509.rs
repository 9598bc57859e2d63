//! Filters of `community.crypto` that describe certificates, requests and public keys.
//!
//! Source: Ansible's documentation of the collection community.crypto, "Filter plugins".

use super::Filter;
use crate::template::call::{Call, fail, type_name};
use crate::value::{Map, Value};
use crate::x509;
use minijinja::Error;
use minijinja::value::Value as Val;

pub(super) const TABLE: &[(&str, Filter)] = &[
    ("x509_certificate_info", |c| {
        let text = input(c, "x509_certificate_info")?;
        let now = jiff::Timestamp::now().as_second();
        told(c, x509::certificate_info(text.as_bytes(), now))
    }),
    ("openssl_csr_info", |c| {
        let text = input(c, "openssl_csr_info")?;
        told(c, x509::request_info(text.as_bytes()))
    }),
    ("openssl_publickey_info", |c| {
        let text = input(c, "openssl_publickey_info")?;
        told(c, x509::public_key_of(text.as_bytes()))
    }),
    ("split_pem", split_pem),
];

/// The text, and only how names are written may be said besides.
fn input(call: &mut Call, filter: &str) -> Result<String, Error> {
    if call.input.as_str().is_none() {
        let found = type_name(&call.input);
        return fail(format!(
            "The community.crypto.{filter} input must be a text type, not {found}"
        ));
    }
    let encoding = call.args.opt_text("name_encoding")?;
    if encoding.is_some_and(|encoding| encoding != "ignore") {
        return fail(format!(
            "community.crypto.{filter}: `name_encoding` is built for `ignore` only: names stay as they are written"
        ));
    }
    call.args.finish()?;
    call.text()
}

fn told(call: &Call, info: Result<Map, String>) -> Result<Val, Error> {
    match info {
        Ok(info) => call.out(Value::map(info)),
        Err(why) => fail(why),
    }
}

/// Each PEM block of a text, as a text.
fn split_pem(call: &mut Call) -> Result<Val, Error> {
    let text = call.text()?;
    let mut blocks = Vec::new();
    let mut open: Option<String> = None;
    for line in text.split_inclusive('\n') {
        if line.starts_with("-----BEGIN ") {
            open = Some(String::new());
        }
        if let Some(block) = &mut open {
            block.push_str(line);
            if line.starts_with("-----END ") {
                blocks.extend(open.take().map(Value::data));
            }
        }
    }
    call.out(Value::list(blocks))
}
