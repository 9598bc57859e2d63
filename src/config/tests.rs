//! Files, the environment, and what is wrong with them.

use super::ini;
use super::{Config, DuplicateKeys, Gathering, Origin};
use crate::diag::{Diagnostic, RenderOptions, Source, render};
use proptest::prelude::*;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

struct Place {
    dir: tempfile::TempDir,
    env: Vec<(&'static str, String)>,
}

impl Place {
    fn new(cfg: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("ansible.cfg"), cfg).unwrap();
        Self {
            dir,
            env: Vec::new(),
        }
    }

    fn env(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.env.push((name, value.into()));
        self
    }

    fn load(&self) -> Result<Config, Diagnostic> {
        let env = |name: &str| {
            let found = self.env.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.clone())
        };
        Config::load_with(&env, self.dir.path(), &self.dir.path().join("system.cfg"))
    }

    fn show(&self, diagnostic: &Diagnostic) -> String {
        render(diagnostic, RenderOptions::default())
            .replace(&format!("{}/", self.dir.path().display()), "")
    }
}

#[test]
fn file_then_environment() {
    let place = Place::new(
        "# comment\n[defaults]\nforks = 20 ; many\nroles_path = roles:../shared/roles:~/r:{{CWD}}/here\nInventory: hosts.ini, $INV/more\n\
         remote_user = 'deploy'\ngathering = smart\nhost_key_checking = no\nansible_managed = a\n  b\n[ssh_connection]\nretries=3\n[tags]\nskip = slow, \"never this\"\n",
    )
    .env("HOME", "/home/me")
    .env("INV", "/inv")
    .env("ANSIBLE_FORKS", "7")
    .env("ANSIBLE_TIMEOUT", "")
    .env("ANSIBLE_DUPLICATE_YAML_DICT_KEY", "error");
    let config = place.load().unwrap();
    let dir = place.dir.path();
    assert_eq!(config.forks.value, 7);
    assert_eq!(config.forks.origin.to_string(), "$ANSIBLE_FORKS");
    assert_eq!(
        config.roles_path.value,
        [
            dir.join("roles"),
            dir.parent().unwrap().join("shared/roles"),
            PathBuf::from("/home/me/r"),
            dir.join("here")
        ]
    );
    assert_eq!(
        config.inventory.value,
        [dir.join("hosts.ini"), PathBuf::from("/inv/more")]
    );
    assert_eq!(config.remote_user.value.as_deref(), Some("deploy"));
    assert_eq!(config.gathering.value, Gathering::Smart);
    assert!(!config.host_key_checking.value);
    assert_eq!(config.ansible_managed.value, "a\nb");
    assert_eq!(config.ssh_retries.value, 3);
    assert_eq!(config.tags_skip.value, ["slow", "never this"]);
    assert_eq!(config.duplicate_dict_key.value, DuplicateKeys::Error);
    assert_eq!(
        (config.timeout.value, config.timeout.origin.clone()),
        (10, Origin::Default)
    );
    let Origin::File(span) = &config.ssh_retries.origin else {
        panic!("from the file");
    };
    assert_eq!((span.line, span.column), (12, 1));
    assert_eq!(
        config.file.as_deref(),
        Some(dir.join("ansible.cfg").as_path())
    );
    assert!(config.warnings.is_empty() && config.ignored.is_empty());
}

#[test]
fn the_first_file_counts() {
    let place = Place::new("[defaults]\nforks=1\n");
    let dir = place.dir.path().to_owned();
    std::fs::create_dir(dir.join("home")).unwrap();
    std::fs::write(dir.join("home/.ansible.cfg"), "[defaults]\nforks=2\n").unwrap();
    std::fs::write(dir.join("system.cfg"), "[defaults]\nforks=3\n").unwrap();
    std::fs::create_dir(dir.join("named")).unwrap();
    std::fs::write(dir.join("named/ansible.cfg"), "[defaults]\ntimeout=4\n").unwrap();
    let place = place.env("HOME", dir.join("home").to_string_lossy());
    assert_eq!(place.load().unwrap().forks.value, 1);
    let named = Place {
        dir: place.dir,
        env: place.env.clone(),
    }
    .env("ANSIBLE_CONFIG", "named");
    let config = named.load().unwrap();
    assert_eq!((config.forks.value, config.timeout.value), (5, 4));
    let place = Place {
        dir: named.dir,
        env: place.env,
    };
    std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(0o777)).unwrap();
    let config = place.load().unwrap();
    assert_eq!(config.forks.value, 2);
    assert_eq!(config.warnings[0].code, "config::world-writable");
    std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::remove_file(dir.join("ansible.cfg")).unwrap();
    std::fs::remove_file(dir.join("home/.ansible.cfg")).unwrap();
    assert_eq!(place.load().unwrap().forks.value, 3);
    let missing = Place {
        dir: place.dir,
        env: place.env,
    }
    .env("ANSIBLE_CONFIG", "nowhere.cfg");
    let config = missing.load().unwrap();
    assert_eq!(
        (config.forks.value, config.warnings[0].code),
        (3, "config::missing")
    );
}

#[test]
fn defaults_are_those_of_ansible() {
    let env = |name: &str| (name == "HOME").then(|| "/home/me".to_owned());
    let config =
        Config::load_with(&env, Path::new("/nonexistent"), Path::new("/nonexistent")).unwrap();
    assert_eq!(config.forks.value, 5);
    assert_eq!(
        config.roles_path.value[0],
        Path::new("/home/me/.ansible/roles")
    );
    assert_eq!(config.remote_tmp.value, "~/.ansible/tmp");
    assert!(!config.forks.is_set() && config.file.is_none());
    let env = |name: &str| (name == "ANSIBLE_HOME").then(|| "/opt/a".to_owned());
    let config =
        Config::load_with(&env, Path::new("/nonexistent"), Path::new("/nonexistent")).unwrap();
    assert_eq!(config.roles_path.value[0], Path::new("/opt/a/roles"));
}

#[test]
fn unknown_settings_are_named() {
    let place = Place::new(
        "[defaults]\npipelining=1\nfrks=3\nbecome=yes\n[galaxy]\nserver=x\n[diff]\nalways=maybe\n",
    );
    let config = place.load().unwrap();
    let all: Vec<String> = config
        .ignored
        .iter()
        .map(|i| format!("{i} {} {}", i.known, i.hint.clone().unwrap_or_default()))
        .collect();
    insta::assert_snapshot!(all.join("\n"));
    assert!(!config.diff_always.value);
    insta::assert_snapshot!(place.show(&config.warnings[0]));
}

#[test]
fn colours() {
    let place = Place::new("")
        .env("NO_COLOR", "1")
        .env("ANSIBLE_FORCE_COLOR", "true");
    let config = place.load().unwrap();
    assert!(config.nocolor.value && config.force_color.value);
    assert!(
        !Place::new("")
            .env("NO_COLOR", "")
            .load()
            .unwrap()
            .nocolor
            .value
    );
}

#[test]
fn errors_are_explained() {
    let cases = [
        "forks = 3\n",
        "[defaults]\nforks\n",
        "[defaults]\nforks = many\n",
        "[defaults]\nforks = 0\n",
        "[defaults]\nforks = 1\nForks = 2\n",
        "[defaults]\n[tags]\n[defaults]\n",
        "[defaults]\ngathering = sometimes\n",
    ];
    let mut all = String::new();
    for case in cases {
        let place = Place::new(case);
        all.push_str(&place.show(&place.load().unwrap_err()));
        all.push_str("\n\n");
    }
    let place = Place::new("").env("ANSIBLE_FORKS", "x");
    all.push_str(&place.show(&place.load().unwrap_err()));
    insta::assert_snapshot!(all);
}

#[test]
fn ini_follows_configparser() {
    let text = "\u{feff}[a]\r\nX = 1 ; c\r\ny: two # not a comment\r\nz = a;b\r\n\r\n# c\r\n[b] ; c\r\n  k = v\r\n    w\r\n\r\n    x\r\n  l =\r\n";
    let entries = ini::parse(&Source::new("t.cfg", text)).unwrap();
    let found: Vec<_> = entries
        .iter()
        .map(|e| (e.section.as_str(), e.key.as_str(), e.value.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            ("a", "x", "1"),
            ("a", "y", "two # not a comment"),
            ("a", "z", "a;b"),
            ("b", "k", "v\nw\n\nx"),
            ("b", "l", "")
        ]
    );
    let span = &entries[0].span;
    assert_eq!(&text[span.start..span.end], "X = 1");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_ini_text_panics(text in "[\\[\\]a=:;# \t\r\nü😀'\"\\\\{}$~\u{feff}]{0,60}") {
        let source = Source::new("f.cfg", text);
        match ini::parse(&source) {
            Ok(entries) => for entry in entries {
                prop_assert!(source.text.get(entry.span.start..entry.span.end).is_some());
                prop_assert!(!entry.key.is_empty());
            },
            Err(error) => prop_assert!(!render(&error, RenderOptions::default()).is_empty()),
        }
    }

    #[test]
    fn no_values_panic(value in "[a-z0-9=:;,# \tü😀'\"\\\\{}$~/.]{0,30}", name in 0usize..8) {
        let keys = ["forks", "roles_path", "inventory", "remote_user", "gathering", "host_key_checking", "callbacks_enabled", "private_key_file"];
        let text = format!("[defaults]\n{} = {value}\n", keys[name]);
        if let Err(error) = Place::new(&text).load() {
            prop_assert!(error.span.is_some());
        }
    }
}
