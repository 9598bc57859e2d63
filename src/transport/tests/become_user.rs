//! Other users: the real `sudo` and `su` where root may use them, and stand-ins that ask, refuse,
//! hang and insist as the real ones do.

use super::*;
use crate::value::Secret;
use std::time::{Duration, Instant};

const NOBODY: &str = "nobody";

/// A stand-in for a become program: `ask` is a shell text that ends with success or exits.
fn stand_in(agent: &AgentFile, name: &str, ask: &str) -> String {
    let path = agent.directory.path().join(name);
    // Everything up to `--` is its own; `su` has `USER -c COMMAND`.
    let text = format!(
        "#!/bin/sh\nask() {{ {ask}\n}}\nprompt=\nwhile [ $# -gt 0 ]; do case \"$1\" in\n-p) prompt=$2; shift 2;;\n--) shift; ask; exec \"$@\";;\n\
         -c) shift; ask; exec /bin/sh -c \"$1\";;\n-n) noask=1; shift;;\n-u) shift 2;;\n*) shift;; esac; done\n"
    );
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    path.display().to_string()
}

/// Reads one byte at a time, as programs that ask for passwords do.
const CHECK: &str = "read -r given || exit 1; [ \"$given\" = \"it's sesame\" ]";

fn with_password(method: BecomeMethod, exe: String, password: &str) -> Become {
    Become {
        method,
        user: "deploy".to_owned(),
        password: Some(Secret::new(password.to_owned())),
        exe: Some(exe),
        flags: None,
    }
}

async fn machine(agent: &AgentFile, home: &Path) -> Machine {
    let kind = ConnectionKind::Command(vec![
        "env".to_owned(),
        format!("HOME={}", home.display()),
        "XDG_CACHE_HOME=".to_owned(),
    ]);
    let options = Options {
        start_timeout: Duration::from_secs(5),
        ..options(home)
    };
    Machine::connect(kind, Target::default(), &agent.binaries(), &options)
        .await
        .unwrap()
}

async fn echo(machine: &Machine, who: &Become) -> Result<String, TransportError> {
    let calls = vec![call("echo", "msg", "as him")];
    let outcomes = machine.run(Some(who), calls, true, &NoBlobs, None).await?;
    Ok(text(&outcomes[0]).to_owned())
}

#[test]
fn a_password_is_given_to_its_prompt_and_to_nothing_else() {
    let agent = AgentFile::new("become ask");
    let home = tempfile::tempdir().unwrap();
    let sudo = stand_in(
        &agent,
        "sudo",
        &format!(
            "echo 'We trust you have received the usual lecture: think' >&2; printf %s \"$prompt\" >&2; {CHECK} || {{ sleep 0.2; printf 'Sorry, try again.\\n%s' \"$prompt\" >&2; read -r x; exit 1; }}"
        ),
    );
    let su = stand_in(
        &agent,
        "su",
        &format!(
            "printf 'Passwort: '; {CHECK} || {{ echo 'su: Authentication failure' >&2; exit 1; }}"
        ),
    );
    let doas = stand_in(
        &agent,
        "doas",
        &format!(
            "[ -t 0 ] || {{ echo 'doas: a tty is required' >&2; exit 1; }}; stty -echo; printf 'doas (me@here) password: '; {CHECK} || {{ echo 'doas: Authentication failed'; exit 1; }}; stty echo; echo"
        ),
    );
    let free = stand_in(&agent, "free", ":");
    within(async {
        for (method, exe) in [
            (BecomeMethod::Sudo, &sudo),
            (BecomeMethod::Sudo, &free),
            (BecomeMethod::Su, &su),
            (BecomeMethod::Doas, &doas),
        ] {
            let machine = machine(&agent, home.path()).await;
            let who = with_password(method, exe.clone(), "it's sesame");
            assert_eq!(echo(&machine, &who).await.unwrap(), "as him", "{exe}");
            let output = machine
                .raw(
                    Some(&who),
                    "cat; echo out; echo err >&2; exit 5",
                    b"in\n",
                    None,
                )
                .await
                .unwrap();
            // On a terminal both streams are one.
            let sudo = method == BecomeMethod::Sudo;
            let expected = if sudo {
                &b"in\nout\n"[..]
            } else {
                &b"in\nout\nerr\n"[..]
            };
            assert_eq!((output.rc, &output.stdout[..]), (5, expected), "{exe}");
            if sudo {
                assert_eq!(output.stderr, b"err\n");
            }
            machine.close().await;
        }
        for (method, exe) in [
            (BecomeMethod::Sudo, sudo),
            (BecomeMethod::Su, su),
            (BecomeMethod::Doas, doas),
        ] {
            let machine = machine(&agent, home.path()).await;
            let who = with_password(method, exe, "wrong");
            let begun = Instant::now();
            let error = echo(&machine, &who).await.unwrap_err();
            let said = error.to_string();
            assert!(
                matches!(error, TransportError::Become { .. }) && !error.is_unreachable(),
                "{said}"
            );
            assert!(said.contains("the password was refused"), "{said}");
            assert!(begun.elapsed() < Duration::from_secs(4));
            let said = machine
                .raw(Some(&who), "true", b"", None)
                .await
                .unwrap_err()
                .to_string();
            assert!(said.contains("the password was refused"), "{said}");
        }
    });
}

#[test]
fn refusals_come_in_bounded_time_and_in_plain_words() {
    let agent = AgentFile::new("become refuse");
    let home = tempfile::tempdir().unwrap();
    within(async {
        for (name, ask, expected) in [
            (
                "needs",
                "[ -n \"$noask\" ] && { echo 'sudo: a password is required' >&2; exit 1; }",
                "a password is needed",
            ),
            (
                "denied",
                "echo 'me is not in the sudoers file.' >&2; exit 1",
                "not allowed",
            ),
            (
                "nouser",
                "echo 'sudo: unknown user deploy' >&2; exit 1",
                "no user deploy",
            ),
            ("mute", "exit 1", "said nothing"),
            (
                "hangs",
                "echo 'thinking' >&2; sleep 60",
                "no answer within 5 s; it last said: thinking",
            ),
        ] {
            let machine = machine(&agent, home.path()).await;
            let who = Become {
                exe: Some(stand_in(&agent, name, ask)),
                ..Become::sudo("deploy")
            };
            let begun = Instant::now();
            let error = echo(&machine, &who).await.unwrap_err();
            let said = error.to_string();
            assert!(
                matches!(error, TransportError::Become { .. }) && said.contains(expected),
                "{said}"
            );
            assert!(begun.elapsed() < Duration::from_secs(9));
        }
        let machine = machine(&agent, home.path()).await;
        let who = Become {
            exe: Some("no-such-sudo".to_owned()),
            ..Become::sudo("deploy")
        };
        let said = echo(&machine, &who).await.unwrap_err().to_string();
        assert!(said.contains("not installed"), "{said}");
    });
}

#[test]
fn requiretty_is_satisfied_by_a_terminal() {
    let agent = AgentFile::new("become tty");
    let home = tempfile::tempdir().unwrap();
    let exe = stand_in(
        &agent,
        "tty-sudo",
        "[ -t 0 ] || { echo 'sudo: sorry, you must have a tty to run sudo' >&2; exit 1; }",
    );
    within(async {
        let machine = machine(&agent, home.path()).await;
        let who = Become {
            exe: Some(exe),
            ..Become::sudo("deploy")
        };
        assert_eq!(echo(&machine, &who).await.unwrap(), "as him");
        let large: Vec<u8> = (0..=255_u8).cycle().take(300_000).collect();
        let blobs = std::collections::HashMap::from([(
            sha256(&large),
            BlobContent::Bytes(large.clone().into()),
        )]);
        let calls = vec![call("blob", "sha256", &sha256(&large))];
        let outcomes = machine
            .run(Some(&who), calls, true, &blobs, None)
            .await
            .unwrap();
        assert_eq!(text(&outcomes[0]), "300000");
        assert_eq!(
            machine
                .raw(Some(&who), "exit 6", b"", None)
                .await
                .unwrap()
                .rc,
            6
        );
    });
}

#[test]
fn root_becomes_nobody_with_the_real_programs() {
    if !nix::unistd::getuid().is_root() {
        return skip("not root: sudo and su are not tried");
    }
    let Ok(Some(nobody)) = nix::unistd::User::from_name(NOBODY) else {
        return skip("no user nobody");
    };
    let agent = AgentFile::new("become real");
    let home = tempfile::tempdir().unwrap();
    let program = std::env::current_exe().unwrap();
    // The agent of the tests is this program, which that user must be able to start.
    let copy = agent.directory.path().join("program");
    std::fs::copy(&program, &copy).unwrap();
    let text_of_it = std::fs::read_to_string(&agent.path).unwrap();
    let text_of_it =
        text_of_it.replace(&program.display().to_string(), &copy.display().to_string());
    std::fs::write(&agent.path, text_of_it).unwrap();
    within(async {
        for (method, exe, flags) in [
            (BecomeMethod::Sudo, "/usr/bin/sudo", None),
            (BecomeMethod::Su, "/bin/su", Some("-s /bin/sh".to_owned())),
        ] {
            if !Path::new(exe).exists() {
                skip(exe);
                continue;
            }
            let machine = machine(&agent, home.path()).await;
            let who = Become {
                method,
                flags,
                exe: Some(exe.to_owned()),
                ..Become::sudo(NOBODY)
            };
            let outcomes = machine
                .run(
                    Some(&who),
                    vec![call("whoami", "", "")],
                    true,
                    &NoBlobs,
                    None,
                )
                .await
                .unwrap();
            assert_eq!(text(&outcomes[0]), nobody.uid.to_string());
            let output = machine.raw(Some(&who), "id -un", b"", None).await.unwrap();
            assert_eq!(output.stdout, b"nobody\n");
            machine.close().await;
            let file = format!(
                "/var/tmp/runbook-{}/agent-{}",
                nobody.uid,
                &agent.sha256()[..16]
            );
            assert!(Path::new(&file).exists());
            std::fs::remove_file(file).unwrap();
        }
    });
}

#[test]
fn another_users_copy_saves_the_upload() {
    let agent = AgentFile::new("become copy");
    let home = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    let exe = stand_in(
        &agent,
        "moves",
        &format!("export HOME={}", other.path().display()),
    );
    within(async {
        let machine = machine(&agent, home.path()).await;
        machine.start(None).await.unwrap();
        let uploaded = machine.counters().uploaded;
        let who = Become {
            exe: Some(exe),
            ..Become::sudo("deploy")
        };
        assert_eq!(echo(&machine, &who).await.unwrap(), "as him");
        assert_eq!(machine.counters().uploaded, uploaded);
        let cache = other.path().join(".cache/runbook");
        assert_eq!(std::fs::read_dir(cache).unwrap().count(), 1);
    });
}
