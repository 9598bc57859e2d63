//! The bootstrap script under real shells, over child processes.

use super::*;
use crate::transport::install::script;
use std::process::Command;

/// A home of its own for the script, and the shells to try it under.
struct Place {
    home: tempfile::TempDir,
    agent: AgentFile,
}

impl Place {
    fn new(marker: &str) -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
            agent: AgentFile::new(marker),
        }
    }

    /// A machine whose commands run with this home, under this shell.
    async fn machine(&self, shell: &str, remote_tmp: Option<&str>) -> Machine {
        let words = [
            "env".to_owned(),
            format!("HOME={}", self.home.path().display()),
        ];
        let mut words = words.to_vec();
        words.push("XDG_CACHE_HOME=".to_owned());
        if shell == "busybox" {
            let bin = self.home.path().join("bin");
            if !bin.exists() {
                std::fs::create_dir(&bin).unwrap();
                let installed = Command::new("busybox")
                    .args(["--install", "-s"])
                    .arg(&bin)
                    .status()
                    .unwrap();
                assert!(installed.success());
            }
            // Its own tools only; /bin/sh in the script's command is replaced by busybox's.
            words.push(format!("PATH={}", bin.display()));
            words.push(self.shim(&bin).display().to_string());
        }
        let target = Target {
            remote_tmp: remote_tmp.map(str::to_owned),
            ..Target::default()
        };
        let kind = ConnectionKind::Command(words);
        Machine::connect(
            kind,
            target,
            &self.agent.binaries(),
            &options(self.home.path()),
        )
        .await
        .unwrap()
    }

    /// Takes `/bin/sh -c "exec /bin/sh -c …"` and runs it with busybox's shell.
    fn shim(&self, bin: &Path) -> PathBuf {
        let path = self.home.path().join("shim");
        let sh = bin.join("sh").display().to_string();
        let text = format!(
            "#!/bin/sh\nshift 2\nexec {sh} -c \"$(echo \"$1\" | {}/sed '1s|^exec /bin/sh|exec {sh}|')\"\n",
            bin.display()
        );
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        path
    }

    fn installed(&self, directory: &Path) -> PathBuf {
        directory.join(format!("agent-{}", &self.agent.sha256()[..16]))
    }

    fn cache(&self) -> PathBuf {
        self.home.path().join(".cache/runbook")
    }
}

fn shells() -> Vec<&'static str> {
    let mut shells = vec!["sh"];
    if Command::new("busybox").arg("true").status().is_ok() {
        shells.push("busybox");
    } else {
        skip("no busybox: the bootstrap script is tried under sh only");
    }
    shells
}

#[test]
fn the_script_fits_into_single_quotes() {
    let script = script();
    assert!(!script.contains(['\'', '!', '\\', '\n']), "{script}");
    assert!(script.len() < 6000);
    for shell in ["sh", "bash", "dash"] {
        if let Ok(status) = Command::new(shell).args(["-n", "-c", &script]).status() {
            assert!(status.success(), "{shell}");
        }
    }
}

#[test]
fn installs_once_and_then_starts_warm() {
    for shell in shells() {
        let place = Place::new(&format!("warm {shell}"));
        within(async {
            let machine = place.machine(shell, None).await;
            let outcomes = machine
                .run(None, vec![call("umask", "", "")], true, &NoBlobs, None)
                .await
                .unwrap();
            // The script's own umask is not the agent's.
            let mask = nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o022));
            nix::sys::stat::umask(mask);
            assert_eq!(text(&outcomes[0]), format!("{:03o}", mask.bits()));
            let cold = machine.counters().uploaded;
            // It is very compressible.
            assert!((100..80_000).contains(&cold), "{cold} bytes under {shell}");
            machine.close().await;
            let file = place.installed(&place.cache());
            assert_eq!(
                std::fs::read(&file).unwrap(),
                std::fs::read(&place.agent.path).unwrap()
            );
            let mode = std::fs::metadata(place.cache())
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o700);
            let machine = place.machine(shell, None).await;
            machine.start(None).await.unwrap();
            assert_eq!(machine.counters().uploaded, 0);
            let left: Vec<_> = std::fs::read_dir(place.cache()).unwrap().collect();
            assert_eq!(left.len(), 1, "{left:?}");
        });
    }
}

#[test]
fn a_damaged_copy_is_replaced() {
    let place = Place::new("damaged");
    within(async {
        place.machine("sh", None).await.start(None).await.unwrap();
        let file = place.installed(&place.cache());
        let length = std::fs::metadata(&file).unwrap().len();
        // Right in size, mode and place, and yet not the agent.
        std::fs::write(&file, vec![0; usize::try_from(length).unwrap()]).unwrap();
        let machine = place.machine("sh", None).await;
        machine.start(None).await.unwrap();
        assert!(machine.counters().uploaded > 0);
        // Truncated: seen by its size.
        std::fs::write(&file, "#!/bin/sh\n").unwrap();
        place.machine("sh", None).await.start(None).await.unwrap();
        assert_eq!(std::fs::metadata(&file).unwrap().len(), length);
    });
}

#[test]
fn foreign_open_and_linked_directories_are_passed_over() {
    for (case, shell) in [
        ("mode", "sh"),
        ("link", "sh"),
        ("owner", "sh"),
        ("link", "busybox"),
    ] {
        if !shells().contains(&shell) {
            continue;
        }
        let place = Place::new(&format!("{case} {shell}"));
        let cache = place.cache();
        std::fs::create_dir(place.home.path().join(".cache")).unwrap();
        match case {
            "mode" => {
                std::fs::create_dir(&cache).unwrap();
                std::fs::set_permissions(&cache, PermissionsExt::from_mode(0o755)).unwrap();
            }
            "link" => {
                let elsewhere = place.home.path().join("elsewhere");
                std::fs::create_dir(&elsewhere).unwrap();
                std::fs::set_permissions(&elsewhere, PermissionsExt::from_mode(0o700)).unwrap();
                std::os::unix::fs::symlink(&elsewhere, &cache).unwrap();
            }
            _ => {
                std::fs::create_dir(&cache).unwrap();
                std::fs::set_permissions(&cache, PermissionsExt::from_mode(0o700)).unwrap();
                if std::os::unix::fs::chown(&cache, Some(12345), Some(12345)).is_err() {
                    skip("not root: a directory of somebody else cannot be made");
                    continue;
                }
            }
        }
        within(async {
            let machine = place.machine(shell, None).await;
            machine.start(None).await.unwrap();
            assert!(!place.installed(&cache).exists(), "{case}");
            machine.close().await;
            for directory in ["/var/tmp", "/tmp"] {
                let uid = nix::unistd::getuid();
                let _ = std::fs::remove_file(
                    place.installed(Path::new(&format!("{directory}/runbook-{uid}"))),
                );
            }
        });
    }
}

#[test]
fn remote_tmp_comes_first_and_may_hold_anything() {
    let place = Place::new("remote_tmp");
    let odd = place.home.path().join("it's a $(touch owned) `dir`");
    std::fs::create_dir(&odd).unwrap();
    within(async {
        let machine = place.machine("sh", Some(odd.to_str().unwrap())).await;
        machine.start(None).await.unwrap();
        let uid = nix::unistd::getuid();
        assert!(
            place
                .installed(&odd.join(format!("runbook-{uid}")))
                .exists()
        );
        assert!(!place.cache().join("runbook").exists());
        std::fs::create_dir(place.home.path().join("t")).unwrap();
        let machine = place.machine("sh", Some("~/t")).await;
        machine.start(None).await.unwrap();
        assert!(
            place
                .installed(&place.home.path().join(format!("t/runbook-{uid}")))
                .exists()
        );
    });
}

#[test]
fn noexec_goes_to_the_next_directory_without_another_upload() {
    let place = Place::new("noexec");
    let cache = place.home.path().join(".cache");
    std::fs::create_dir(&cache).unwrap();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "noexec", "none"])
        .arg(&cache)
        .status();
    if !mounted.is_ok_and(|status| status.success()) {
        return skip("no right to mount: noexec is not tried");
    }
    let result = within(async {
        let machine = place.machine("sh", None).await;
        let started = machine.start(None).await;
        let uploaded = machine.counters().uploaded;
        machine.close().await;
        (started, uploaded)
    });
    let left = std::fs::read_dir(cache.join("runbook")).unwrap().count();
    let unmounted = Command::new("umount").arg(&cache).status();
    assert!(unmounted.is_ok_and(|status| status.success()));
    let uid = nix::unistd::getuid();
    let elsewhere = place.installed(Path::new(&format!("/var/tmp/runbook-{uid}")));
    let there = elsewhere.exists();
    let _ = std::fs::remove_file(&elsewhere);
    result.0.unwrap();
    assert!(there && left == 0 && result.1 < 80_000);
}

#[test]
fn a_full_disk_goes_to_the_next_directory() {
    let place = Place::new("full");
    let cache = place.home.path().join(".cache");
    std::fs::create_dir(&cache).unwrap();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=16k", "none"])
        .arg(&cache)
        .status();
    if !mounted.is_ok_and(|status| status.success()) {
        return skip("no right to mount: a full disk is not tried");
    }
    let started = within(async {
        let machine = place.machine("sh", None).await;
        let started = machine.start(None).await;
        machine.close().await;
        started
    });
    let left = std::fs::read_dir(cache.join("runbook")).unwrap().count();
    let _ = Command::new("umount").arg(&cache).status();
    let uid = nix::unistd::getuid();
    let _ = std::fs::remove_file(place.installed(Path::new(&format!("/var/tmp/runbook-{uid}"))));
    started.unwrap();
    assert_eq!(left, 0);
}

#[test]
fn a_transfer_that_is_cut_leaves_nothing() {
    let place = Place::new("cut");
    let table = format!("{}={}:1000", std::env::consts::ARCH, "0".repeat(64));
    let script = script();
    let mut child = Command::new("/bin/sh")
        .args(["-c", &script, "runbook", &table, "", "", "", ""])
        .env("HOME", place.home.path())
        .env_remove("XDG_CACHE_HOME")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"1000\nhalf of it")
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("RUNBOOK-BOOT short"), "{said}");
    assert_eq!(std::fs::read_dir(place.cache()).unwrap().count(), 0);
}

#[test]
fn noise_around_the_marks_is_passed_over() {
    let place = Place::new("noise");
    within(async {
        let home = format!("HOME={}", place.home.path().display());
        let noisy =
            r#"printf 'Welcome to\nthe lab: no newline at the end'; echo warning >&2; exec "$@""#;
        let words = [
            "env",
            &home,
            "XDG_CACHE_HOME=",
            "/bin/sh",
            "-c",
            noisy,
            "noisy",
        ];
        let kind = ConnectionKind::Command(words.map(str::to_owned).to_vec());
        let options = options(place.home.path());
        let machine = Machine::connect(kind, Target::default(), &place.agent.binaries(), &options)
            .await
            .unwrap();
        let outcomes = machine
            .run(
                None,
                vec![call("echo", "msg", "through")],
                true,
                &NoBlobs,
                None,
            )
            .await
            .unwrap();
        assert_eq!(text(&outcomes[0]), "through");
    });
}

#[test]
fn another_architecture_is_named() {
    let place = Place::new("arch");
    let other = AgentBinaries::new(
        vec![("riscv64".to_owned(), place.agent.path.clone())],
        "/opt/runbook-agent-<arch>",
    );
    within(async {
        let words = [
            "env".to_owned(),
            format!("HOME={}", place.home.path().display()),
        ]
        .to_vec();
        let kind = ConnectionKind::Command(words);
        let machine =
            Machine::connect(kind, Target::default(), &other, &options(place.home.path()))
                .await
                .unwrap();
        let error = machine.start(None).await.unwrap_err();
        let said = error.to_string();
        assert!(matches!(error, TransportError::WrongArch { .. }), "{said}");
        assert!(
            said.contains(&format!("/opt/runbook-agent-{}", std::env::consts::ARCH)),
            "{said}"
        );
    });
}

#[test]
fn a_shell_that_hangs_is_given_up() {
    let place = Place::new("hang");
    within(async {
        let kind = ConnectionKind::Command(
            ["/bin/sh", "-c", "echo 'please hold'; sleep 60"]
                .map(str::to_owned)
                .to_vec(),
        );
        let options = Options {
            start_timeout: std::time::Duration::from_secs(1),
            ..options(place.home.path())
        };
        let machine = Machine::connect(kind, Target::default(), &place.agent.binaries(), &options)
            .await
            .unwrap();
        let begun = std::time::Instant::now();
        let error = machine.start(None).await.unwrap_err();
        assert!(begun.elapsed().as_secs() < 5);
        assert!(
            matches!(error, TransportError::Lost { .. })
                && error.to_string().contains("please hold"),
            "{error}"
        );
    });
}
