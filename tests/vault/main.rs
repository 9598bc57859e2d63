//! Vaults cross over: what Ansible encrypted opens here, and what runbook encrypts opens there.
//!
//! `fixtures/<name>.vault` was made by `ansible-vault encrypt` of ansible-core 2.18 from `<name>.plain`, with one of the
//! two passwords. With `RUNBOOK_ORACLE=/path/to/ansible-playbook`, its neighbour `ansible-vault` opens ours.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vault/fixtures")
}

/// The names of all fixtures.
fn names() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(fixtures())
        .expect("the fixtures")
        .filter_map(|entry| {
            let path = entry.expect("a fixture").path();
            let is_vault = path.extension().is_some_and(|ending| ending == "vault");
            is_vault.then(|| path.file_stem().unwrap().to_string_lossy().into_owned())
        })
        .collect();
    names.sort();
    assert!(names.len() > 4, "the fixtures were not found");
    names
}

/// Runs a program in a directory with an empty home.
fn run(program: &Path, dir: &Path, args: &[&str]) -> Output {
    Command::new(program)
        .args(args)
        .current_dir(dir)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", dir)
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .output()
        .expect("the program runs")
}

#[track_caller]
fn good(output: &Output) -> &[u8] {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    &output.stdout
}

fn runbook() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_runbook"))
}

/// `ansible-vault`, if there is an oracle.
fn oracle() -> Option<PathBuf> {
    std::env::var_os("RUNBOOK_ORACLE").map(|path| Path::new(&path).with_file_name("ansible-vault"))
}

const PASSWORDS: [&str; 4] = [
    "--vault-id",
    "dev@dev.password",
    "--vault-id",
    "prod@prod.password",
];

fn with<'a>(head: &[&'a str], tail: &[&'a str]) -> Vec<&'a str> {
    [head, tail].concat()
}

/// A directory with the passwords and the plain files.
fn workshop() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    for entry in fs::read_dir(fixtures()).expect("the fixtures") {
        let path = entry.expect("a fixture").path();
        fs::copy(&path, dir.path().join(path.file_name().unwrap())).expect("a copy");
    }
    dir
}

#[test]
fn what_ansible_encrypted_opens_here() {
    let dir = workshop();
    for name in names() {
        let plain = fs::read(fixtures().join(format!("{name}.plain"))).expect("the plain file");
        let vault = format!("{name}.vault");
        let args = with(&["vault", "view", &vault], &PASSWORDS);
        let output = run(runbook(), dir.path(), &args);
        assert!(good(&output) == plain, "{name} differs");
        // in place, for its owner alone
        good(&run(
            runbook(),
            dir.path(),
            &with(&["vault", "decrypt", &vault], &PASSWORDS),
        ));
        let path = dir.path().join(&vault);
        assert!(
            fs::read(&path).expect("the file") == plain,
            "{name} differs"
        );
        let mode = fs::metadata(&path).expect("the file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_wrong_password_changes_nothing() {
    let dir = workshop();
    fs::write(dir.path().join("wrong"), "wrong\n").expect("a password");
    for name in names() {
        let vault = format!("{name}.vault");
        let before = fs::read(dir.path().join(&vault)).expect("the file");
        for command in ["decrypt", "rekey"] {
            let args = ["vault", command, &vault, "--vault-password-file", "wrong"];
            let more: &[&str] = if command == "rekey" {
                &["--new-vault-password-file", "dev.password"]
            } else {
                &[]
            };
            let output = run(runbook(), dir.path(), &with(&args, more));
            assert_eq!(output.status.code(), Some(1), "{name}");
            assert!(output.stdout.is_empty(), "{name}");
        }
        assert!(fs::read(dir.path().join(&vault)).expect("the file") == before);
    }
}

#[test]
fn what_runbook_encrypted_opens_in_ansible() {
    let Some(ansible) = oracle() else {
        return;
    };
    for (id, label) in [
        ("dev.password", "1.1;AES256"),
        ("prod@prod.password", "1.2;AES256;prod"),
    ] {
        let dir = workshop();
        for name in names() {
            let file = format!("{name}.plain");
            let plain = fs::read(dir.path().join(&file)).expect("the plain file");
            good(&run(
                runbook(),
                dir.path(),
                &["vault", "encrypt", "--vault-id", id, &file],
            ));
            let sealed = fs::read_to_string(dir.path().join(&file)).expect("text");
            assert_eq!(
                sealed.lines().next(),
                Some(format!("$ANSIBLE_VAULT;{label}").as_str())
            );
            let args = with(&["decrypt", "--output", "opened", &file], &PASSWORDS);
            good(&run(&ansible, dir.path(), &args));
            assert!(
                fs::read(dir.path().join("opened")).expect("the file") == plain,
                "{name} differs"
            );
            // and back with the other password, which Ansible sets
            let rekey = [
                "rekey",
                "--vault-id",
                id,
                "--new-vault-id",
                "again@dev.password",
                &file,
            ];
            good(&run(&ansible, dir.path(), &rekey));
            let view = ["vault", "view", "--vault-id", "dev.password", &file];
            let output = run(runbook(), dir.path(), &view);
            assert!(good(&output) == plain, "{name} differs");
        }
    }
}

#[test]
fn strings_that_runbook_encrypted_are_values_in_ansible() {
    let Some(ansible) = oracle() else {
        return;
    };
    let dir = workshop();
    let args = [
        "vault",
        "encrypt-string",
        "--vault-id",
        "prod@prod.password",
        "--name",
        "secret",
        "opened: in 'Ansible' \"too\"",
    ];
    let output = run(runbook(), dir.path(), &args);
    let vars = String::from_utf8(good(&output).to_vec()).expect("text");
    assert!(vars.starts_with("secret: !vault |\n          $ANSIBLE_VAULT;1.2;AES256;prod\n"));
    fs::write(dir.path().join("vars.yml"), vars).expect("the file");
    let playbook = r#"
- hosts: localhost
  gather_facts: false
  vars_files: [vars.yml]
  vars:
    plain: "opened: in 'Ansible' \"too\""
  tasks:
    - assert:
        that: secret == plain and secret is vault_encrypted
"#;
    fs::write(dir.path().join("play.yml"), playbook).expect("the file");
    let play = with(&["-i", "localhost,", "-c", "local", "play.yml"], &PASSWORDS);
    good(&run(
        &ansible.with_file_name("ansible-playbook"),
        dir.path(),
        &play,
    ));
    let here = run(runbook(), dir.path(), &with(&["play"], &play));
    good(&here);
}
