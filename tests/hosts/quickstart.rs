//! The quickstart playbook, which needs no machine.

use super::bed::{binary, run, text};
use super::play::project;
use std::process::Command;
use std::time::Duration;

#[test]
fn quickstart_creates_and_then_has_nothing_to_do() {
    let home = tempfile::tempdir().expect("a directory");
    let play = |more: &[&str]| {
        let mut command = Command::new(binary());
        command
            .args([
                "play".as_ref(),
                project("playbooks/quickstart.yml").as_os_str(),
            ])
            .args(more)
            .current_dir(home.path())
            .env_clear()
            .env("HOME", home.path())
            .env("PATH", "/usr/bin:/bin");
        run(&mut command, Duration::from_secs(60)).expect("runbook ends")
    };
    let first = play(&[]);
    assert!(
        first.status.success(),
        "{}{}",
        text(&first.stdout),
        text(&first.stderr)
    );
    let directory = home.path().join(".cache/runbook-quickstart");
    let read = |name: &str| std::fs::read_to_string(directory.join(name)).unwrap_or_default();
    assert!(
        read("app.conf")
            .ends_with("greeting = Hello\ncolour.1 = red\ncolour.2 = green\ncolour.3 = blue\n")
    );
    assert_eq!(read("settings"), "colours=red,green,blue\n");
    assert_eq!(read("restarts"), "restarted\n");

    let second = text(&play(&[]).stdout);
    assert!(second.contains("changed=0 "), "{second}");

    let check = text(&play(&["-e", "greeting=Hi", "--check", "--diff"]).stdout);
    assert!(
        check.contains("-greeting = Hello\n+greeting = Hi\n"),
        "{check}"
    );
    assert!(
        read("app.conf").contains("Hello"),
        "check mode wrote: {check}"
    );

    play(&["-e", "greeting=Hi"]);
    assert_eq!(read("restarts"), "restarted\nrestarted\n");
}
