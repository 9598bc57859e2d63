//! The format against what Ansible wrote, what is damaged, and round trips.

use super::hex;
use super::*;
use proptest::prelude::*;

fn identity(id: &str, password: &str) -> Identity {
    Identity {
        id: id.to_owned(),
        password: Password::new(password).unwrap(),
        origin: "a test".to_owned(),
    }
}

fn vault(identities: &[(&str, &str)]) -> Vault {
    Vault::new(
        identities.iter().map(|(id, p)| identity(id, p)).collect(),
        false,
    )
}

fn sealed(text: &str, label: Option<&str>) -> String {
    encrypt(
        text.as_bytes(),
        &Password::new("pw1").unwrap(),
        label,
        Some(b"0123456789abcdef"),
    )
    .unwrap()
}

/// `'plain' | vault('sec', salt='abcdefgh')` in ansible-core 2.18.
const FILTERED: &str = "$ANSIBLE_VAULT;1.2;AES256;filter_default\n\
    363136323633363436353636363736380a3836373464316664636265663763353263656634306532\n\
    34353231303134323062636466313465653865656531346638323166323831623834633065616435\n\
    390a6330386636333339613061346663663034373039343330366532663761366364\n";

#[test]
fn writes_what_ansible_writes() {
    let password = Password::new("sec").unwrap();
    let text = encrypt(
        b"plain",
        &password,
        Some("filter_default"),
        Some(b"abcdefgh"),
    )
    .unwrap();
    assert_eq!(text, FILTERED);
    let opened = vault(&[("x", "sec")]);
    let opened = opened.open(FILTERED.as_bytes()).unwrap();
    assert_eq!(&**opened.plain, b"plain");
    assert_eq!(opened.label.as_deref(), Some("filter_default"));
}

#[test]
fn versions_follow_the_label() {
    assert!(sealed("x", None).starts_with("$ANSIBLE_VAULT;1.1;AES256\n"));
    assert!(sealed("x", Some("default")).starts_with("$ANSIBLE_VAULT;1.1;AES256\n"));
    assert!(sealed("x", Some("prod")).starts_with("$ANSIBLE_VAULT;1.2;AES256;prod\n"));
    let password = Password::new("p").unwrap();
    for label in ["a;b", "", " a", "a\nb"] {
        assert_eq!(
            encrypt(b"x", &password, Some(label), None),
            Err(VaultError::Label(label.to_owned()))
        );
    }
    assert_eq!(
        encrypt(b"x", &password, None, Some(b"")),
        Err(VaultError::Salt)
    );
}

#[test]
fn salts_are_random() {
    let password = Password::new("p").unwrap();
    let make = || encrypt(b"x", &password, None, None).unwrap();
    assert_ne!(make(), make());
    assert_eq!(Envelope::parse(make().as_bytes()).unwrap().salt.len(), 32);
}

#[test]
fn lines_are_80_wide_and_may_be_joined_or_indented() {
    let text = sealed(&"long ".repeat(100), None);
    assert!(text.lines().skip(1).all(|line| line.len() <= 80));
    let mut lines: Vec<&str> = text.lines().skip(1).collect();
    assert!(lines.pop().is_some() && lines.iter().all(|line| line.len() == 80));
    let (header, body) = text.split_once('\n').unwrap();
    let plain = Envelope::parse(text.as_bytes()).unwrap();
    for other in [
        format!("{header}\n{}", body.replace('\n', "")),
        text.replace('\n', "\r\n"),
        format!("{header}  \n    {}\n\n", body.replace('\n', "\n    ")),
        format!("{header}\n{}", body.to_uppercase()),
    ] {
        assert_eq!(Envelope::parse(other.as_bytes()).unwrap(), plain);
    }
}

#[test]
fn damage_is_named() {
    let good = sealed("secret", None);
    let (header, body) = good.split_once('\n').unwrap();
    let parse = |text: &str| Envelope::parse(text.as_bytes()).unwrap_err();
    assert_eq!(parse("a: 1\n"), FormatError::NotEncrypted);
    assert_eq!(parse(""), FormatError::NotEncrypted);
    assert_eq!(parse("$ANSIBLE_VAULT;1.1\n6162\n"), FormatError::Header);
    assert_eq!(
        parse("$ANSIBLE_VAULT;1.2;AES256\n6162\n"),
        FormatError::Header
    );
    assert_eq!(
        parse(&good.replace("1.1", "1.7")),
        FormatError::Version("1.7".into())
    );
    assert_eq!(
        parse(&good.replace("AES256", "AES")),
        FormatError::Cipher("AES".into())
    );
    assert_eq!(parse(&format!("{header}\nzz{body}")), FormatError::Hex);
    assert_eq!(
        parse(&format!("{header}\n{}", body.trim_end().get(1..).unwrap())),
        FormatError::Odd
    );
    assert_eq!(parse(&format!("{header}\n")), FormatError::Parts);
    // cut off after the salt
    assert_eq!(
        parse(&format!("{header}\n{}\n", body.get(..32).unwrap())),
        FormatError::Parts
    );
}

#[test]
fn a_changed_text_opens_with_nothing() {
    let good = Envelope::parse(sealed("secret", None).as_bytes()).unwrap();
    let vault = vault(&[("default", "pw1")]);
    assert_eq!(
        vault.decrypt(good.to_string().as_bytes()).unwrap(),
        b"secret"
    );
    let mut changed = [good.clone(), good.clone(), good.clone(), good.clone()];
    changed[0].ciphertext[0] ^= 1;
    changed[1].hmac[31] ^= 1;
    changed[2].salt[0] ^= 1;
    changed[3].hmac.truncate(31);
    for text in changed {
        assert!(matches!(
            vault.decrypt(text.to_string().as_bytes()),
            Err(VaultError::NoneFits { .. })
        ));
    }
}

#[test]
fn the_named_password_is_tried_first_and_then_the_others() {
    let text = sealed("x", Some("prod"));
    let all = vault(&[("dev", "pw1"), ("prod", "wrong"), ("test", "pw1")]);
    assert_eq!(all.open(text.as_bytes()).unwrap().identity.id, "dev");
    let named = vault(&[("dev", "pw1"), ("prod", "pw1")]);
    assert_eq!(named.open(text.as_bytes()).unwrap().identity.id, "prod");
    let wrong = vault(&[("dev", "a"), ("prod", "b")]);
    let error = wrong.decrypt(text.as_bytes()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no vault password fits it: it is for `prod`; tried `prod` (a test), `dev` (a test)"
    );
    assert_eq!(
        Vault::default().decrypt(text.as_bytes()),
        Err(VaultError::NoPasswords)
    );
}

#[test]
fn id_match_allows_no_other() {
    let text = sealed("x", Some("prod"));
    let strict = |id: &str| Vault::new(vec![identity(id, "pw1")], true);
    assert!(matches!(
        strict("dev").decrypt(text.as_bytes()),
        Err(VaultError::NoSuchId { .. })
    ));
    assert_eq!(strict("prod").decrypt(text.as_bytes()).unwrap(), b"x");
}

#[test]
fn passwords_do_not_print() {
    let shown = format!("{:?}", vault(&[("a", "hunter2")]));
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(shown.contains("********"), "{shown}");
    assert!(Password::new("").is_none());
}

#[test]
fn binary_content_survives_and_is_no_text() {
    let password = Password::new("pw1").unwrap();
    let bytes: Vec<u8> = (0..=255).collect();
    let text = encrypt(&bytes, &password, None, None).unwrap();
    let vault = vault(&[("default", "pw1")]);
    assert_eq!(vault.decrypt(text.as_bytes()).unwrap(), bytes);
    assert_eq!(vault.decrypt_text(&text), Err(VaultError::NotText));
}

mod sources {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn read(text: &str, answers: &[&str], twice: bool) -> Result<Identity, PasswordError> {
        let mut answers = answers.iter();
        SecretSource::parse(text).read("default", &Vault::default(), twice, &mut |_| {
            answers.next().map(|text| (*text).to_owned().into())
        })
    }

    fn file(name: &str, content: &str, mode: u32) -> (tempfile::TempDir, String) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let shown = path.display().to_string();
        (dir, shown)
    }

    #[test]
    fn files_are_trimmed() {
        let (_dir, path) = file("pw", "  pw 1 \n\n", 0o600);
        let found = read(&format!("prod@{path}"), &[], false).unwrap();
        assert_eq!(
            (found.id.as_str(), found.password),
            ("prod", Password::new("pw 1").unwrap())
        );
        assert_eq!(read(&path, &[], false).unwrap().id, "default");
        let (_dir, path) = file("pw", " \n", 0o600);
        assert!(
            read(&path, &[], false)
                .unwrap_err()
                .message
                .contains("is empty")
        );
        assert!(
            read("/nowhere/pw", &[], false)
                .unwrap_err()
                .message
                .contains("there is no")
        );
        assert!(
            read("/", &[], false)
                .unwrap_err()
                .message
                .contains("directory")
        );
    }

    #[test]
    fn programs_are_run_and_clients_told_the_id() {
        let (_dir, path) = file("pw.sh", "#!/bin/sh\necho \"pw $#\"\n", 0o700);
        let found = read(&format!("prod@{path}"), &[], false).unwrap();
        assert_eq!(found.password, Password::new("pw 0").unwrap());
        let (_dir, path) = file("pw-client.sh", "#!/bin/sh\necho \"$1 $2\"\n", 0o700);
        let found = read(&format!("prod@{path}"), &[], false).unwrap();
        assert_eq!(found.password, Password::new("--vault-id prod").unwrap());
        let (_dir, path) = file("pw-client", "#!/bin/sh\necho none >&2; exit 2\n", 0o700);
        let error = read(&format!("prod@{path}"), &[], false).unwrap_err();
        assert!(
            error
                .message
                .ends_with("has no password for the id `prod`: none"),
            "{error}"
        );
        let (_dir, path) = file("pw", "#!/bin/sh\nexit 3\n", 0o700);
        assert!(
            read(&path, &[], false)
                .unwrap_err()
                .message
                .contains("exit code 3")
        );
        let (_dir, path) = file("pw", "secret\n", 0o700);
        let error = read(&path, &[], false).unwrap_err();
        assert!(error.hint.unwrap().contains("executable bits"));
    }

    #[test]
    fn users_are_asked_once_or_twice() {
        let found = read("dev@prompt", &[" pw "], false).unwrap();
        assert_eq!(found.password, Password::new("pw").unwrap());
        assert!(
            read("dev@prompt", &["a", "b"], true)
                .unwrap_err()
                .message
                .contains("match")
        );
        assert!(read("dev@prompt", &["a", "a"], true).is_ok());
        assert!(read("prompt", &[], false).unwrap_err().hint.is_some());
        assert!(read("prompt", &[""], false).is_err());
    }

    #[test]
    fn password_files_may_be_encrypted() {
        let (_dir, path) = file("pw", &sealed("inner\n", None), 0o600);
        assert!(read(&path, &[], false).is_err());
        let known = vault(&[("default", "pw1")]);
        let found = SecretSource::file(&path).read("d", &known, false, &mut |_| None);
        assert_eq!(found.unwrap().password, Password::new("inner\n").unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_encrypted_opens_again(
        plain in proptest::collection::vec(any::<u8>(), 0..200),
        password in "[^\\x00]{1,20}",
        label in proptest::option::of("[a-zA-Z0-9_@. -]{0,5}[a-z]"),
    ) {
        let label = label.as_deref().map(str::trim);
        let secret = Password::new(password.clone()).unwrap();
        let text = encrypt(&plain, &secret, label, None).unwrap();
        let vault = vault(&[("other", "no"), ("any", &password)]);
        let opened = vault.open(text.as_bytes()).unwrap();
        prop_assert_eq!(&**opened.plain, plain.as_slice());
        prop_assert_eq!(opened.label.as_deref(), label.filter(|l| *l != DEFAULT_ID));
    }

    #[test]
    fn envelopes_survive_writing(
        label in proptest::option::of("[a-z]{1,8}"),
        salt in proptest::collection::vec(any::<u8>(), 1..40),
        hmac in proptest::collection::vec(any::<u8>(), 1..40),
        ciphertext in proptest::collection::vec(any::<u8>(), 1..400),
    ) {
        let envelope = Envelope { label, salt, hmac, ciphertext };
        prop_assert_eq!(Envelope::parse(envelope.to_string().as_bytes()).unwrap(), envelope);
    }

    #[test]
    fn garbage_never_panics(text in proptest::collection::vec(any::<u8>(), 0..300), cut in 0_usize..400) {
        let _ = Envelope::parse(&text);
        let mut sealed = sealed("secret", Some("l")).into_bytes();
        sealed.truncate(cut);
        let _ = Envelope::parse(&sealed);
        sealed.extend_from_slice(&text);
        prop_assert!(vault(&[]).decrypt(&sealed).is_err());
        let mut body = b"$ANSIBLE_VAULT;1.1;AES256\n".to_vec();
        body.extend_from_slice(hex::encode(&text).as_bytes());
        let _ = Envelope::parse(&body);
    }
}
