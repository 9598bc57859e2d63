//! A key, its request, a CA and certificates, as a role would make them.

use crate::modules::{Registry, RunMode};
use crate::result::Outcome;
use crate::sys::{FakeRunner, Sys};
use crate::value::Map;
use std::path::Path;
use std::sync::Arc;

struct Machine {
    root: tempfile::TempDir,
    sys: Sys,
}

impl Machine {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let sys = Sys::rooted(root.path(), Arc::new(FakeRunner::new()));
        Self { root, sys }
    }

    fn run(&mut self, module: &str, args: &Map) -> Outcome {
        let entry = Registry
            .find(&format!("community.crypto.{module}"))
            .expect(module);
        (entry.run)(
            args,
            &mut self.sys,
            RunMode {
                replan: true,
                ..RunMode::default()
            },
        )
    }

    /// It changes something, a second time not, and check mode says so before.
    #[track_caller]
    fn changes(&mut self, module: &str, args: &Map) -> Outcome {
        let entry = Registry
            .find(&format!("community.crypto.{module}"))
            .expect(module);
        let check = RunMode {
            check: true,
            ..RunMode::default()
        };
        let foretold = (entry.run)(args, &mut self.sys, check);
        assert!(foretold.changed, "{module}: {foretold:?}");
        let first = self.run(module, args);
        assert!(first.changed && !first.failed, "{module}: {first:?}");
        assert!(first.left_to_do.is_empty(), "{module}: {first:?}");
        let again = self.run(module, args);
        assert!(!again.changed && !again.failed, "{module} again: {again:?}");
        first
    }

    fn text(&self, path: &str) -> String {
        std::fs::read_to_string(self.root.path().join(path.trim_start_matches('/'))).unwrap()
    }
}

fn key(kind: &str) -> Map {
    let args = Map::new().with("path", "/k").with("type", kind);
    if kind == "ECC" {
        args.with("curve", "secp256r1")
    } else {
        args.with("size", 2048)
    }
}

#[test]
fn keys_are_made_in_their_forms_and_kept() {
    for (kind, label) in [
        ("ECC", "EC PRIVATE KEY"),
        ("Ed25519", "PRIVATE KEY"),
        ("RSA", "RSA PRIVATE KEY"),
    ] {
        let mut machine = Machine::new();
        let made = machine.changes("openssl_privatekey", &key(kind));
        assert!(
            machine
                .text("/k")
                .starts_with(&format!("-----BEGIN {label}-----")),
            "{kind}"
        );
        let print = made
            .data
            .get("fingerprint")
            .and_then(|all| all.get("sha256").cloned());
        assert_eq!(print.unwrap().to_string().len(), 32 * 3 - 1);
        assert!(
            made.data.get("privatekey").is_none(),
            "the key is not returned"
        );
        // the same key in the other form
        if kind != "Ed25519" {
            let convert = key(kind)
                .with("format", "pkcs8")
                .with("format_mismatch", "convert");
            let converted = machine.changes("openssl_privatekey", &convert);
            assert!(
                machine
                    .text("/k")
                    .starts_with("-----BEGIN PRIVATE KEY-----")
            );
            assert_eq!(
                converted.data.get("fingerprint"),
                made.data.get("fingerprint")
            );
        }
    }
    let mut machine = Machine::new();
    machine.changes("openssl_privatekey", &key("ECC"));
    let wrong = machine.run(
        "openssl_privatekey",
        &key("Ed25519").with("regenerate", "fail"),
    );
    assert!(
        wrong.message().unwrap().contains("wrong type and/or size"),
        "{wrong:?}"
    );
    let never = machine.run(
        "openssl_privatekey",
        &key("Ed25519").with("regenerate", "never"),
    );
    assert!(!never.changed && !never.failed);
    machine.changes("openssl_privatekey", &key("Ed25519"));
    let unbuilt = machine.run("openssl_privatekey", &key("X448"));
    assert!(unbuilt.message().unwrap().contains("not built"));
    machine.changes(
        "openssl_privatekey",
        &Map::new().with("path", "/k").with("state", "absent"),
    );
    assert!(!Path::new(&machine.root.path().join("k")).exists());
}

fn request() -> Map {
    Map::new()
        .with("path", "/r")
        .with("privatekey_path", "/k")
        .with("country_name", "DE")
        .with("organization_name", "Example")
        .with("organizational_unit_name", "One")
        .with("subject", Map::new().with("OU", vec!["Two", "Three"]))
        .with("common_name", "www.example.org")
        .with(
            "subject_alt_name",
            vec!["DNS:www.example.org", "IP:10.0.0.1", "email:a@b.c"],
        )
        .with("key_usage", vec!["digitalSignature", "Key Encipherment"])
        .with("key_usage_critical", true)
        .with("extended_key_usage", vec!["serverAuth", "1.2.3.4"])
        .with("basic_constraints", vec!["CA:FALSE"])
}

#[test]
fn a_request_says_all_and_is_written_anew_only_for_a_reason() {
    let mut machine = Machine::new();
    machine.changes("openssl_privatekey", &key("ECC"));
    let made = machine.changes("openssl_csr", &request());
    assert_eq!(
        made.data
            .get("subject")
            .unwrap()
            .to_string()
            .matches("organizationalUnitName")
            .count(),
        3
    );
    // names in another order are no reason, others are
    let turned = request().with(
        "subject_alt_name",
        vec!["email:a@b.c", "IP:10.0.0.1", "DNS:www.example.org"],
    );
    assert!(!machine.run("openssl_csr", &turned).changed);
    machine.changes(
        "openssl_csr",
        &request().with("subject_alt_name", vec!["DNS:other"]),
    );
    machine.changes("openssl_csr", &request().with("key_usage_critical", false));
    machine.changes(
        "openssl_csr",
        &request().with("common_name", "x.example.org"),
    );
    let plain = Map::new()
        .with("path", "/r")
        .with("privatekey_path", "/k")
        .with("common_name", "me");
    let made = machine.changes("openssl_csr", &plain.clone().with("ocsp_must_staple", true));
    assert_eq!(
        made.data.get("subjectAltName").unwrap().to_string(),
        "['DNS:me']"
    );
    machine.changes("openssl_privatekey", &key("Ed25519"));
    machine.changes("openssl_csr", &plain);
    let wrong = machine.run(
        "openssl_csr",
        &plain.clone().with("key_usage", vec!["flying"]),
    );
    assert!(wrong.message().unwrap().contains("flying"));
    let no_key = machine.run("openssl_csr", &plain.with("privatekey_path", "/none"));
    assert_eq!(
        no_key.message(),
        Some("The private key /none does not exist")
    );
}

#[test]
fn certificates_are_signed_by_themselves_or_by_a_ca() {
    let mut machine = Machine::new();
    // the CA signs itself
    machine.changes("openssl_privatekey", &key("ECC").with("path", "/ca.key"));
    let ca = Map::new()
        .with("path", "/ca.csr")
        .with("privatekey_path", "/ca.key")
        .with("common_name", "CA")
        .with("use_common_name_for_san", false)
        .with("basic_constraints", vec!["CA:TRUE", "pathlen:0"])
        .with("basic_constraints_critical", true)
        .with("key_usage", vec!["keyCertSign", "cRLSign"])
        .with("create_subject_key_identifier", true);
    machine.changes("openssl_csr", &ca);
    let own = Map::new()
        .with("path", "/ca.crt")
        .with("csr_path", "/ca.csr")
        .with("privatekey_path", "/ca.key")
        .with("provider", "selfsigned");
    machine.changes("x509_certificate", &own);
    // what it signs says what the request said
    machine.changes("openssl_privatekey", &key("RSA"));
    machine.changes("openssl_csr", &request());
    let issued = Map::new()
        .with("path", "/c.crt")
        .with("csr_path", "/r")
        .with("provider", "ownca")
        .with("ownca_path", "/ca.crt")
        .with("ownca_privatekey_path", "/ca.key")
        .with("ownca_not_after", "+10d")
        .with("mode", "0640");
    machine.changes("x509_certificate", &issued);
    let pem = machine.text("/c.crt");
    let seen = crate::modules::crypto::seen::Seen::parse(pem.as_bytes()).unwrap();
    let ca_seen =
        crate::modules::crypto::seen::Seen::parse(machine.text("/ca.crt").as_bytes()).unwrap();
    assert!(seen.is_signed_by(&ca_seen) && ca_seen.is_ca && ca_seen.path_length == Some(0));
    assert!(!seen.is_ca && seen.not_after - seen.not_before == 10 * 86_400);
    assert_eq!(seen.authority_id, ca_seen.key_id);
    assert_eq!(seen.sans.len(), 3);
    assert!(seen.usages.contains("key_encipherment") && seen.purposes.contains("1.2.3.4"));
    assert_eq!(seen.subject.common_name.as_deref(), Some("www.example.org"));
    // another request, another certificate; other times only if asked for
    machine.changes(
        "openssl_csr",
        &request().with("common_name", "x.example.org"),
    );
    machine.changes("x509_certificate", &issued);
    let longer = issued.clone().with("ownca_not_after", "20400101000000Z");
    assert!(!machine.run("x509_certificate", &longer).changed);
    let exact = longer
        .with("ownca_not_before", "20200101000000Z")
        .with("ignore_timestamps", false);
    machine.changes("x509_certificate", &exact);
    // another CA of the same name
    machine.changes(
        "openssl_privatekey",
        &key("Ed25519").with("path", "/ca.key"),
    );
    machine.changes("openssl_csr", &ca);
    machine.changes("x509_certificate", &own);
    machine.changes("x509_certificate", &issued);
    for (args, part) in [
        (issued.clone().with("provider", "acme"), "not built"),
        (
            issued.clone().with("csr_path", "/none"),
            "/none does not exist",
        ),
        (
            issued.with("ownca_privatekey_path", "/k"),
            "does not belong to the CA",
        ),
    ] {
        let outcome = machine.run("x509_certificate", &args);
        assert!(
            outcome.failed && outcome.message().unwrap().contains(part),
            "{outcome:?}"
        );
    }
}

#[test]
fn the_public_half_is_written() {
    let mut machine = Machine::new();
    machine.changes("openssl_privatekey", &key("ECC"));
    let args = Map::new()
        .with("path", "/p")
        .with("privatekey_path", "/k")
        .with("return_content", true);
    let made = machine.changes("openssl_publickey", &args);
    assert_eq!(
        made.data.get("publickey").unwrap().to_string(),
        machine.text("/p")
    );
    assert!(machine.text("/p").starts_with("-----BEGIN PUBLIC KEY-----"));
    machine.changes("openssl_privatekey", &key("Ed25519"));
    machine.changes("openssl_publickey", &args);
}

#[test]
fn two_collections_have_an_x509_certificate() {
    let collection = |name: &str| Registry.find(name).map(|entry| entry.collection);
    assert_eq!(collection("x509_certificate"), Some("runbook.core"));
    assert_eq!(
        collection("runbook.core.x509_certificate"),
        Some("runbook.core")
    );
    assert_eq!(
        collection("community.crypto.x509_certificate"),
        Some("community.crypto")
    );
    assert_eq!(collection("openssl_csr"), Some("community.crypto"));
}
