//! Ways to a machine and to another user on it: those that work, and what is said about those that do not.

use super::bed::Must;
use super::bed::{self, Bed, OPS_PASSWORD};
use super::play::{Run, play};
use std::process::Command;
use std::time::Duration;

const WHO: &str = "- hosts: all\n  gather_facts: false\n  tasks:\n    - command: id -un\n      register: who\n      changed_when: false\n\
     \x20   - debug: msg='I am {{ who.stdout }}'\n";

/// Runs `id -un` on one machine.
fn who(bed: &Bed, more: &[&str]) -> Run {
    let book = bed.file("who.yml", WHO);
    play(bed, &book, &[&["-l", "m1"], more].concat())
}

#[track_caller]
fn says(run: &Run, words: &[&str]) {
    for word in words {
        assert!(run.all().contains(word), "nothing about `{word}`: {run}");
    }
    for noise in ["os error", "panicked", "Error {", "Err("] {
        assert!(!run.all().contains(noise), "`{noise}` was printed: {run}");
    }
}

fn key(bed: &Bed, name: &str, passphrase: &str) -> String {
    let path = bed.directory.join(name);
    let _ = std::fs::remove_file(&path);
    let mut command = Command::new("ssh-keygen");
    command
        .args(["-q", "-t", "ed25519", "-N", passphrase, "-f"])
        .arg(&path);
    bed::run(&mut command, Duration::from_secs(20)).expect("ssh-keygen");
    path.display().to_string()
}

#[test]
fn refused_logins_say_what_to_do() {
    let Some(bed) = bed::shared() else { return };
    let with_key = |key: &str| {
        who(
            &bed,
            &["-e", &format!("ansible_ssh_private_key_file={key}")],
        )
    };
    let other = key(&bed, "other", "");
    let run = with_key(&other).expect(4);
    says(
        &run,
        &[
            "UNREACHABLE",
            "failed to authenticate as deploy",
            &other,
            "--private-key",
        ],
    );
    let run = with_key("/nowhere/key").expect(4);
    says(&run, &["/nowhere/key: No such file", "--private-key"]);
    let run = with_key(&key(&bed, "encrypted", "secret")).expect(4);
    says(&run, &["is encrypted and no passphrase was given"]);

    let run = who(
        &bed,
        &["-e", "ansible_user=ops", "-e", "ansible_password=wrong-one"],
    )
    .expect(4);
    says(&run, &["the server refused", "password"]);
    assert!(!run.all().contains("wrong-one"), "{run}");

    let known = |file: &str| {
        format!(
            r#"{{"ansible_ssh_common_args": "-o UserKnownHostsFile={file} -o StrictHostKeyChecking=yes"}}"#
        )
    };
    let run = who(&bed, &["-e", &known("/dev/null")]).expect(4);
    says(&run, &["its key is not known", "SHA256:", "accept-new"]);
    let public = std::fs::read_to_string(format!("{other}.pub")).expect("a public key");
    let changed = bed.file("changed", &format!("{} {public}", bed.machines[0].addr));
    let run = who(&bed, &["-e", &known(&changed.display().to_string())]).expect(4);
    says(&run, &["its key has changed", "changed:1", "ssh-keygen -f"]);

    let run = who(&bed, &["-e", "ansible_host=no-such-host.invalid"]).expect(4);
    says(
        &run,
        &["its name cannot be resolved", "is ansible_host right?"],
    );
    let run = who(&bed, &["-e", "ansible_port=2222"]).expect(4);
    says(&run, &["connection refused"]);
}

#[test]
fn users_are_reached_by_every_method() {
    let Some(bed) = bed::shared() else { return };
    let become_password = format!("ansible_become_password={OPS_PASSWORD}");
    let su = [
        "-b",
        "-e",
        "ansible_become_method=su",
        "-e",
        "ansible_become_user=ops",
    ];
    let run = who(&bed, &[&su[..], &["-e", &become_password]].concat()).expect(0);
    says(&run, &["I am ops"]);
    let run = who(
        &bed,
        &[&su[..], &["-e", "ansible_become_password=no"]].concat(),
    )
    .expect(2);
    says(&run, &["become ops with su: the password was refused"]);
    let run = who(&bed, &["-b", "--become-user", "nobody2"]).expect(0);
    says(&run, &["I am nobody2"]);
    let run = who(&bed, &["-b", "--become-user", "nosuch"]).expect(2);
    says(&run, &["there is no user nosuch"]);
    let run = who(&bed, &["-b", "--become-method", "doas"]).expect(2);
    says(&run, &["doas is not installed", "become_method"]);

    let password = bed
        .file("password", &format!("{OPS_PASSWORD}\n"))
        .display()
        .to_string();
    let files = [
        "--connection-password-file",
        &password,
        "--become-password-file",
        &password,
    ];
    let run = who(
        &bed,
        &[&["-b", "-e", "ansible_user=ops"], &files[..]].concat(),
    )
    .expect(0);
    says(&run, &["I am root"]);

    let machine = &bed.machines[0];
    machine.must("echo 'Defaults requiretty' > /etc/sudoers.d/zz");
    let run = who(&bed, &["-b"]);
    machine.must("rm /etc/sudoers.d/zz; mv /usr/bin/sudo /usr/bin/sudo.away");
    let missing = who(&bed, &["-b"]);
    machine.must("mv /usr/bin/sudo.away /usr/bin/sudo");
    says(&run.expect(0), &["I am root"]);
    says(
        &missing.expect(2),
        &["sudo is not installed", "become_method"],
    );
}

#[test]
fn every_kind_of_connection_reaches_the_machine() {
    let Some(bed) = bed::shared() else { return };
    let book = bed.file("who.yml", WHO);
    let names = bed.file("names.ini", "m1\nm2\n").display().to_string();
    let config = std::fs::read_to_string(bed.ssh_config()).expect("ssh_config");
    let jump = bed.file("jump_config", &format!("Host m1\n  ProxyJump m2\n{config}"));
    let came_from = |address: &str| {
        let log = bed.machines[0]
            .must("journalctl -u ssh --no-pager -o cat | grep 'Accepted.* for deploy' | tail -n 1");
        assert!(log.contains(address), "{log}");
    };
    let m2 = bed.machines[1].addr.to_string();
    for kind in ["ssh", "openssh"] {
        for file in [bed.ssh_config(), jump.clone()] {
            let file_name = file.display().to_string();
            let run = super::play::Run::of(&bed.runbook(&[
                "play",
                "-i",
                &names,
                "-l",
                "m1",
                "-c",
                kind,
                "-F",
                &file_name,
                &book.display().to_string(),
            ]))
            .expect(0);
            says(&run, &["I am deploy"]);
            if file == jump {
                came_from(&format!("from {m2} "));
            }
        }
    }
    let run = super::play::Run::of(&bed.runbook(&[
        "play",
        "-i",
        "localhost,",
        "-c",
        "local",
        &book.display().to_string(),
    ]))
    .expect(0);
    says(&run, &["I am root"]);
    let run = super::play::Run::of(&bed.runbook(&[
        "run",
        "m1:m2",
        "-i",
        &names,
        "-F",
        &bed.ssh_config().display().to_string(),
        "-m",
        "command",
        "-a",
        "hostname",
    ]))
    .expect(0);
    says(&run, &["m1 | CHANGED", "m2 | CHANGED"]);
}

#[test]
fn the_agent_finds_a_place_where_it_can_run() {
    let Some(bed) = bed::shared() else { return };
    let machine = &bed.machines[0];
    let book = bed.file(
        "where.yml",
        "- hosts: m1\n  gather_facts: false\n  tasks:\n    - shell: readlink /proc/$PPID/exe\n      register: where\n    - debug: var=where.stdout\n",
    );
    let runs_in = |place: &str| {
        let run = play(&bed, &book, &[]).expect(0);
        says(&run, &[place]);
    };
    let tidy = "rm -rf /home/deploy/.cache /var/tmp/runbook-* /tmp/runbook-*";
    machine.must(tidy);
    runs_in("/home/deploy/.cache/runbook/agent-");
    // same size, other bytes
    machine.must("cd /home/deploy/.cache/runbook && f=$(echo agent-*) && dd if=/dev/urandom of=$f bs=4k count=999 conv=notrunc 2>&1");
    runs_in("/home/deploy/.cache/runbook/agent-");
    machine.must("chown -R ops /home/deploy/.cache/runbook");
    runs_in("/var/tmp/runbook-");
    machine.must(tidy);
    machine.must("mkdir /home/deploy/.cache; mount -t tmpfs -o noexec,mode=777 none /home/deploy/.cache; mount -t tmpfs -o noexec,mode=1777 none /var/tmp");
    runs_in("/tmp/runbook-");
    machine.must("rm -rf /tmp/runbook-*; for d in /tmp /dev/shm; do mount -t tmpfs -o noexec,mode=1777 none $d; done");
    let noexec = play(&bed, &book, &[]);
    let places = "/tmp /var/tmp /dev/shm /home/deploy/.cache";
    machine.must(&format!(
        "for d in {places}; do umount $d; mount -t tmpfs -o size=1m,mode=1777 none $d; done"
    ));
    let full = play(&bed, &book, &[]);
    machine.must(&format!("for d in {places}; do umount $d; done; {tidy}"));
    says(
        &noexec.expect(4),
        &[
            "failed to install the agent",
            "noexec",
            "ansible_remote_tmp",
        ],
    );
    says(
        &full.expect(4),
        &["failed to install the agent", "disk full?"],
    );
}
