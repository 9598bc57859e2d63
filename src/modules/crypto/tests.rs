//! The family as a whole, in a directory of its own.

use crate::modules::{Registry, RunMode};
use crate::result::Outcome;
use crate::sys::{FakeRunner, Sys};
use crate::value::{Map, Value};
use std::path::{Path, PathBuf};
use std::sync::Arc;

struct World {
    dir: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::create_dir_all(dir.path().join("etc")).expect("made");
        std::fs::write(dir.path().join("etc/passwd"), "root:x:0:0::/root:/bin/sh\n")
            .expect("written");
        std::fs::create_dir(dir.path().join("pki")).expect("made");
        Self { dir }
    }

    fn sys(&self) -> Sys {
        Sys::rooted(self.dir.path(), Arc::new(FakeRunner::new()))
    }

    fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path.trim_start_matches('/'))
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).expect("readable")
    }

    fn try_run(&self, module: &str, args: &Map, check: bool) -> Outcome {
        let entry = Registry
            .find(&format!("runbook.core.{module}"))
            .expect("registered");
        let mode = RunMode {
            check,
            diff: true,
            replan: true,
        };
        (entry.run)(args, &mut self.sys(), mode)
    }

    /// Check, apply, apply again: the laws that hold for every module.
    fn run(&self, module: &str, args: &Map) -> Outcome {
        let before = self.snapshot();
        let check = self.try_run(module, args, true);
        assert_eq!(self.snapshot(), before, "check mode changes nothing");
        let outcome = self.try_run(module, args, false);
        assert!(!outcome.failed, "{outcome:?}");
        assert_eq!(outcome.left_to_do, Vec::<String>::new());
        assert_eq!(
            (check.changed, &check.diffs),
            (outcome.changed, &outcome.diffs)
        );
        let shown = serde_json::to_string(&outcome).expect("JSON");
        assert!(!shown.contains("PRIVATE KEY"), "a key is shown");
        let again = self.try_run(module, args, false);
        assert!(!again.failed && !again.changed, "{again:?}");
        outcome
    }

    fn snapshot(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files: Vec<_> = walkdir::WalkDir::new(self.dir.path())
            .into_iter()
            .filter_map(Result::ok)
            .filter(|entry| entry.file_type().is_file())
            .map(|entry| {
                (
                    entry.path().to_owned(),
                    std::fs::read(entry.path()).expect("readable"),
                )
            })
            .collect();
        files.sort();
        files
    }

    fn mode(&self, path: &str) -> u32 {
        use std::os::unix::fs::PermissionsExt;
        std::fs::metadata(self.path(path))
            .expect("there")
            .permissions()
            .mode()
            & 0o777
    }
}

fn ca() -> Map {
    Map::new()
        .with("cert_path", "/pki/ca.crt")
        .with("key_path", "/pki/ca.key")
        .with("common_name", "etcd-ca")
}

fn leaf() -> Map {
    Map::new()
        .with("cert_path", "/pki/a.crt")
        .with("key_path", "/pki/a.key")
        .with("ca_cert_path", "/pki/ca.crt")
        .with("ca_key_path", "/pki/ca.key")
        .with("common_name", "kube-apiserver")
        .with("organization", vec!["system:masters"])
        .with("san", vec!["DNS:kubernetes", "IP:10.3.0.1", "localhost"])
}

fn reason(outcome: &Outcome) -> &str {
    outcome
        .data
        .get("reason")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn openssl(args: &[&str]) -> Option<std::process::Output> {
    std::process::Command::new("openssl")
        .args(args)
        .output()
        .ok()
}

#[test]
fn keys_of_all_kinds() {
    for kind in ["ecdsa-p256", "ecdsa-p384", "ed25519", "rsa-2048"] {
        let world = World::new();
        let args = Map::new().with("path", "/pki/k").with("type", kind);
        let outcome = world.run("x509_private_key", &args);
        assert!(outcome.changed);
        assert_eq!(reason(&outcome), "missing");
        assert_eq!(outcome.data.get("type"), Some(&kind.into()));
        assert_eq!(world.mode("pki/k"), 0o600);
        assert!(
            world
                .read("pki/k")
                .starts_with("-----BEGIN PRIVATE KEY-----\n")
        );
        let other = if kind == "ed25519" {
            "ecdsa-p256"
        } else {
            "ed25519"
        };
        let other = args.clone().with("type", other);
        assert!(
            !world.run("x509_private_key", &other).changed,
            "another type alone changes nothing"
        );
        let other = other.with("regenerate", "mismatch");
        assert!(reason(&world.run("x509_private_key", &other)).contains(kind));
    }
}

#[test]
fn a_broken_key_is_replaced_unless_never() {
    let world = World::new();
    std::fs::write(world.path("pki/k"), "nonsense").expect("written");
    let args = Map::new()
        .with("path", "/pki/k")
        .with("regenerate", "never");
    assert!(world.try_run("x509_private_key", &args, false).failed);
    assert_eq!(world.read("pki/k"), "nonsense");
    let outcome = world.run("x509_private_key", &Map::new().with("path", "/pki/k"));
    assert!(reason(&outcome).starts_with("unreadable"));
}

#[test]
fn old_formats_of_keys_are_read() {
    for (name, command) in [
        (
            "sec1",
            &["ecparam", "-name", "prime256v1", "-genkey", "-out"][..],
        ),
        ("pkcs1", &["genrsa", "-traditional", "-out"][..]),
    ] {
        let world = World::new();
        let path = world.path("pki/ca.key");
        let mut args: Vec<&str> = command.to_vec();
        let path_text = path.to_string_lossy();
        args.push(&path_text);
        let Some(output) = openssl(&args) else {
            return;
        };
        assert!(
            output.status.success(),
            "{name}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let before = world.read("pki/ca.key");
        assert!(
            !before.contains("BEGIN PRIVATE KEY"),
            "{name} is an old format"
        );
        assert!(world.run("x509_ca", &ca()).changed);
        assert_eq!(world.read("pki/ca.key"), before, "the key stays as it is");
        assert!(world.run("x509_certificate", &leaf()).changed);
    }
}

#[test]
fn a_ca_and_a_certificate_that_openssl_accepts() {
    let world = World::new();
    let outcome = world.run("x509_ca", &ca());
    assert_eq!(reason(&outcome), "missing");
    assert_eq!(
        (world.mode("pki/ca.crt"), world.mode("pki/ca.key")),
        (0o644, 0o600)
    );
    let outcome = world.run("x509_certificate", &leaf());
    assert_eq!(reason(&outcome), "the key is missing");
    let info = world.run("x509_info", &Map::new().with("path", "/pki/a.crt"));
    let get = |key: &str| info.data.get(key).expect("there").to_json();
    assert_eq!(
        get("subject")["text"],
        "O=system:masters, CN=kube-apiserver"
    );
    assert_eq!(
        get("san"),
        serde_json::json!(["DNS:kubernetes", "DNS:localhost", "IP:10.3.0.1"])
    );
    assert_eq!(
        get("extended_key_usage"),
        serde_json::json!(["client_auth", "server_auth"])
    );
    assert_eq!(get("key_usage"), serde_json::json!(["digital_signature"]));
    assert_eq!(get("is_ca"), false);
    assert!((364..=365).contains(&get("days_left").as_i64().expect("a number")));
    let verified = openssl(&[
        "verify",
        "-x509_strict",
        "-CAfile",
        &world.path("pki/ca.crt").to_string_lossy(),
        &world.path("pki/a.crt").to_string_lossy(),
    ]);
    if let Some(output) = verified {
        let said = [output.stdout, output.stderr].concat();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&said)
        );
    }
}

#[test]
fn each_reason_is_named_and_the_key_is_kept() {
    let world = World::new();
    world.run("x509_ca", &ca());
    world.run("x509_certificate", &leaf());
    let key = world.read("pki/a.key");
    for (change, expected) in [
        (
            leaf().with("san", vec!["DNS:kubernetes", "IP:10.3.0.2"]),
            "san: +IP:10.3.0.2 -DNS:localhost -IP:10.3.0.1",
        ),
        (
            leaf().with("common_name", "other"),
            "subject: O=system:masters, CN=kube-apiserver instead of",
        ),
        (
            leaf().with("key_usage", vec!["digital_signature", "key_encipherment"]),
            "key usage",
        ),
        (
            leaf().with("extended_key_usage", vec!["client_auth"]),
            "extended key usage",
        ),
    ] {
        world.run("x509_certificate", &leaf());
        let outcome = world.run("x509_certificate", &change);
        assert!(
            outcome.changed && reason(&outcome).starts_with(expected),
            "{}",
            reason(&outcome)
        );
    }
    world.run("x509_certificate", &leaf());
    assert_eq!(world.read("pki/a.key"), key);
    let longer = leaf().with("validity", "700d");
    assert!(
        !world.run("x509_certificate", &longer).changed,
        "validity alone issues nothing"
    );
    let due = leaf().with("renew_before", "366d").with("validity", "700d");
    assert!(reason(&world.run("x509_certificate", &due)).starts_with("it ends on"));
    assert_ne!(world.read("pki/a.key"), key, "a renewal makes a new key");
    std::fs::write(world.path("pki/a.crt"), "nonsense").expect("written");
    assert!(reason(&world.run("x509_certificate", &leaf())).starts_with("unreadable"));
    std::fs::remove_file(world.path("pki/a.key")).expect("removed");
    assert_eq!(
        reason(&world.run("x509_certificate", &leaf())),
        "the key is missing"
    );
}

#[test]
fn a_ca_of_another_name_is_left_alone_or_replaced_with_a_bundle() {
    let world = World::new();
    let bundled = ca().with("trust_bundle", "/pki/bundle.crt");
    world.run("x509_ca", &bundled);
    let old = world.read("pki/ca.crt");
    world.run("x509_certificate", &leaf());
    let other = bundled.clone().with("common_name", "new-ca");
    let outcome = world.try_run("x509_ca", &other, false);
    assert!(
        outcome.failed
            && outcome
                .message()
                .expect("why")
                .contains("CN=etcd-ca, not CN=new-ca")
    );
    assert_eq!(world.read("pki/ca.crt"), old);
    let outcome = world.run("x509_ca", &other.with("on_mismatch", "replace"));
    assert!(outcome.changed);
    let bundle = world.read("pki/bundle.crt");
    assert!(bundle.contains(old.trim()) && bundle.contains(world.read("pki/ca.crt").trim()));
    let outcome = world.run("x509_certificate", &leaf());
    assert_eq!(
        reason(&outcome),
        "it was not issued by this CA, but by CN=etcd-ca"
    );
}

#[test]
fn a_certificate_does_not_outlive_its_ca_and_is_not_renewed_for_nothing() {
    let world = World::new();
    world.run("x509_ca", &ca().with("not_after", "20d"));
    let outcome = world.run("x509_certificate", &leaf());
    assert!(outcome.changed);
    let days = |path: &str| {
        let info = world.run("x509_info", &Map::new().with("path", path));
        info.data.get("not_after").cloned()
    };
    assert_eq!(days("/pki/a.crt"), days("/pki/ca.crt"));
    let short = leaf()
        .with("cert_path", "/pki/b.crt")
        .with("validity", "10d")
        .with("renew_before", "15d");
    let outcome = world.try_run("x509_certificate", &short, false);
    assert!(
        outcome
            .message()
            .expect("why")
            .contains("longer than renew_before")
    );
}

#[test]
fn a_request_is_made_on_the_node_and_signed_elsewhere() {
    let world = World::new();
    world.run("x509_ca", &ca());
    let csr = Map::new()
        .with("path", "/pki/node.csr")
        .with("key_path", "/pki/node.key")
        .with("common_name", "system:node:n1")
        .with("organization", vec!["system:nodes"])
        .with("san", vec!["DNS:n1"]);
    let early = world.try_run("x509_csr", &csr, true);
    assert!(
        early.changed && !early.failed,
        "in check mode the key may come"
    );
    assert!(
        world
            .try_run("x509_csr", &csr, false)
            .message()
            .expect("why")
            .contains("x509_private_key")
    );
    world.run(
        "x509_private_key",
        &Map::new().with("path", "/pki/node.key"),
    );
    let made = world.run("x509_csr", &csr);
    let content = made.data.get("csr").cloned().expect("returned");
    let sign = Map::new()
        .with("cert_path", "/pki/node.crt")
        .with("csr_content", content)
        .with("ca_cert", world.read("pki/ca.crt"))
        .with("ca_key", world.read("pki/ca.key"));
    let outcome = world.run("x509_certificate", &sign);
    assert_eq!(
        outcome.data.get("subject"),
        Some(&"O=system:nodes, CN=system:node:n1".into())
    );
    world.run(
        "x509_private_key",
        &Map::new()
            .with("path", "/pki/node.key")
            .with("type", "ed25519")
            .with("regenerate", "mismatch"),
    );
    assert_eq!(
        reason(&world.run("x509_csr", &csr)),
        "it is for another key"
    );
    let absent = sign.with("state", "absent");
    assert!(world.run("x509_certificate", &absent).changed);
    assert!(!Path::new(&world.path("pki/node.crt")).exists());
}

#[test]
fn tasks_of_many_hosts_make_one_ca() {
    let world = World::new();
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| world.try_run("x509_ca", &ca(), false)))
            .collect();
        runs.into_iter()
            .map(|run| run.join().expect("no crash"))
            .collect()
    });
    let mut prints: Vec<_> = outcomes
        .iter()
        .map(|o| o.data.get("fingerprint").cloned())
        .collect();
    prints.dedup();
    assert!(outcomes.iter().all(|o| !o.failed), "{outcomes:?}");
    assert_eq!(prints.len(), 1, "all see the same CA");
    assert!(!world.run("x509_ca", &ca()).changed);
}

#[test]
fn key_and_certificate_are_written_both_or_neither() {
    use super::output::{Output, write_all};
    let world = World::new();
    std::fs::write(world.path("pki/old.key"), "old").expect("written");
    let [old, new, nowhere] = ["/pki/old.key", "/pki/new.key", "/missing/a.crt"].map(Path::new);
    let outputs = [old, new, nowhere].map(|path| Output {
        path,
        content: "new".into(),
        options: crate::sys::WriteOptions::default(),
    });
    assert!(write_all(&mut world.sys(), &outputs, false, &mut Map::new()).is_err());
    assert_eq!(world.read("pki/old.key"), "old");
    assert!(!world.path("pki/new.key").exists());
}
