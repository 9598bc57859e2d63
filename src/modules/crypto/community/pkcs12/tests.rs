//! Files that openssl wrote, and those written here.

use super::store::{Encryption, Store};
use crate::modules::crypto::der::blocks;
use crate::modules::crypto::key::PrivateKey;
use crate::modules::{Registry, RunMode};
use crate::result::Outcome;
use crate::sys::{FakeRunner, Sys};
use crate::value::{Map, Value};
use std::path::Path;
use std::sync::Arc;

fn given(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/pkcs12")
        .join(name);
    std::fs::read(path).expect(name)
}

fn certificate(name: &str) -> Vec<u8> {
    blocks(&given(name)).remove(0).bytes
}

fn key() -> Vec<u8> {
    PrivateKey::parse(&given("key.pem"))
        .unwrap()
        .pkcs8()
        .to_vec()
}

#[test]
fn what_openssl_wrote_is_read() {
    for (file, passphrase, has_authority) in [
        ("modern.p12", "geheim", true),
        ("legacy.p12", "geheim", true),
        ("plain.p12", "", false),
    ] {
        let found = Store::read(&given(file), passphrase)
            .map_err(|why| format!("{file}: {why}"))
            .unwrap();
        let name = if has_authority { "raclette" } else { "plain" };
        assert_eq!(found.name.as_deref(), Some(name), "{file}");
        assert_eq!(
            found.certificate,
            Some(certificate("certificate.pem")),
            "{file}"
        );
        let others = if has_authority {
            vec![certificate("authority.pem")]
        } else {
            Vec::new()
        };
        assert_eq!(found.others, others, "{file}");
        let public = |key: &[u8]| PrivateKey::of_pkcs8(key.to_vec()).unwrap().public();
        assert_eq!(public(&found.key.unwrap()), public(&key()), "{file}");
        let wrong = Store::read(&given(file), "falsch").err().unwrap();
        assert!(wrong.contains("passphrase is wrong"), "{wrong}");
    }
    // cut off anywhere it is an error, and no more
    let whole = given("legacy.p12");
    for length in (0..whole.len()).step_by(7) {
        assert!(Store::read(whole.get(..length).unwrap(), "geheim").is_err());
    }
}

#[test]
fn what_is_written_is_read() {
    let store = Store {
        key: Some(key()),
        certificate: Some(certificate("certificate.pem")),
        others: vec![certificate("authority.pem")],
        name: Some("räclette 🧀".into()),
    };
    for (passphrase, encryption) in [
        (Some("geheim"), Encryption::Strong),
        (Some("geheim"), Encryption::Old),
        (None, Encryption::Strong),
    ] {
        let bytes = store.write(passphrase, encryption, 1000, 1000).unwrap();
        let found = Store::read(&bytes, passphrase.unwrap_or_default()).unwrap();
        assert!(found == store && found.fits(&store), "{encryption:?}");
        assert!(Store::read(&bytes, "falsch").is_err());
        let is_readable = bytes.windows(16).any(|w| key().windows(16).any(|k| k == w));
        assert_eq!(is_readable, passphrase.is_none(), "{encryption:?}");
    }
    let fewer = Store {
        others: Vec::new(),
        ..store.clone()
    };
    let renamed = Store {
        name: None,
        ..store.clone()
    };
    assert!(!fewer.fits(&store) && !renamed.fits(&store));
}

#[test]
fn encrypted_keys_are_opened() {
    for file in ["encrypted_key.pem", "encrypted_key_old.pem"] {
        let key = PrivateKey::open(&given(file), "geheim")
            .map_err(|why| format!("{file}: {why}"))
            .unwrap();
        assert_eq!(
            key.public(),
            PrivateKey::parse(&given("key.pem")).unwrap().public()
        );
        let wrong = PrivateKey::open(&given(file), "falsch").err().unwrap();
        assert!(wrong.contains("Wrong or empty passphrase"), "{wrong}");
    }
    // as Ansible has it, a passphrase that nothing needs is wrong
    let wrong = PrivateKey::open(&given("key.pem"), "geheim").err().unwrap();
    assert!(wrong.contains("Wrong or empty passphrase"), "{wrong}");
}

struct Machine {
    root: tempfile::TempDir,
    sys: Sys,
}

impl Machine {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        for name in [
            "key.pem",
            "certificate.pem",
            "authority.pem",
            "encrypted_key.pem",
        ] {
            std::fs::write(root.path().join(name), given(name)).unwrap();
        }
        let sys = Sys::rooted(root.path(), Arc::new(FakeRunner::new()));
        Self { root, sys }
    }

    fn run(&mut self, args: &Map, check: bool) -> Outcome {
        let entry = Registry.find("community.crypto.openssl_pkcs12").unwrap();
        let mode = RunMode {
            check,
            diff: true,
            ..RunMode::default()
        };
        (entry.run)(args, &mut self.sys, mode)
    }

    /// Check mode says the same as doing it, and a second time nothing changes.
    #[track_caller]
    fn changes(&mut self, args: &Map) -> Outcome {
        let foretold = self.run(args, true);
        let first = self.run(args, false);
        assert!(first.changed && !first.failed, "{first:?}");
        assert_eq!(
            (foretold.changed, foretold.diffs),
            (true, first.diffs.clone())
        );
        let again = self.run(args, false);
        assert!(!again.changed && !again.failed, "{again:?}");
        first
    }
}

fn export() -> Map {
    Map::new()
        .with("path", "/x.p12")
        .with("friendly_name", "raclette")
        .with("passphrase", "geheim")
        .with("privatekey_path", "/key.pem")
        .with("certificate_path", "/certificate.pem")
        .with(
            "other_certificates",
            Value::list(vec!["/authority.pem".into()]),
        )
}

#[test]
fn a_file_is_written_changed_and_taken_apart() {
    let mut machine = Machine::new();
    let first = machine.changes(&export().with("return_content", true));
    assert_eq!(first.data.get("mode"), Some(&Value::from("0400")));
    assert!(
        first
            .data
            .get("pkcs12")
            .is_some_and(|text| text.to_string().len() > 500)
    );
    assert!(!format!("{:?}", first.diffs).contains("geheim"));
    // the key may come encrypted, and the file may be encrypted in another way
    let opened = export()
        .with("privatekey_path", "/encrypted_key.pem")
        .with("privatekey_passphrase", "geheim")
        .with("encryption_level", "compatibility2022");
    assert!(!machine.run(&opened, false).changed);
    let parse = Map::new()
        .with("action", "parse")
        .with("src", "/x.p12")
        .with("path", "/x.pem")
        .with("passphrase", "geheim");
    machine.changes(&parse);
    let text = std::fs::read(machine.root.path().join("x.pem")).unwrap();
    assert_eq!(
        text,
        [
            given("key.pem"),
            given("certificate.pem"),
            given("authority.pem")
        ]
        .concat()
    );
    // another name, another passphrase, the mode alone, gone
    machine.changes(
        &export()
            .with("friendly_name", "fondue")
            .with("backup", true),
    );
    machine.changes(&export().with("passphrase", "anders"));
    let moded = machine.changes(&export().with("passphrase", "anders").with("mode", "0600"));
    assert_eq!(moded.diffs.len(), 1);
    assert!(machine.run(&export().with("force", true), false).changed);
    machine.changes(&Map::new().with("path", "/x.p12").with("state", "absent"));
}

#[test]
fn what_is_refused_says_why() {
    let mut machine = Machine::new();
    for (args, why) in [
        (
            export().with("path", "/no/x.p12"),
            "The directory '/no' does not exist",
        ),
        (
            export().with("friendly_name", Value::Null),
            "Friendly_name is required",
        ),
        (
            export().with("privatekey_path", "/none"),
            "No such file or directory: '/none'",
        ),
        (
            export().with("privatekey_path", "/encrypted_key.pem"),
            "no passphrase is given",
        ),
        (
            export().with("certificate_path", "/key.pem"),
            "no certificate in it",
        ),
        (export().with("iter_size", -1), "iter_size"),
        (
            Map::new()
                .with("path", "/x")
                .with("action", "parse")
                .with("src", "/key.pem"),
            "/key.pem: it is",
        ),
        (Map::new().with("path", "/x").with("action", "parse"), "src"),
    ] {
        let outcome = machine.run(&args, false);
        let message = outcome.message().unwrap_or_default().to_string();
        assert!(
            outcome.failed && message.contains(why),
            "{why}: {outcome:?}"
        );
    }
}
