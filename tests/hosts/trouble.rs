//! What goes wrong on real machines: a run says so, with the right exit code, and leaves nothing half done.

use super::bed::Must;
use super::bed::{self, Machine, OPS_PASSWORD};
use super::play::{OURS, Running, nothing_runs, play, until};
use std::fs;
use std::time::Duration;

#[test]
fn an_unreachable_machine_does_not_hold_up_the_others() {
    let Some(bed) = bed::shared() else {
        return;
    };
    let gone = bed.machines[0].addr.octets();
    let gone = bed.file(
        "gone.ini",
        &format!(
            "gone ansible_host={}.{}.{}.200\n",
            gone[0], gone[1], gone[2]
        ),
    );
    let gone = gone.display().to_string();
    let book = bed.file(
        "p.yml",
        "- hosts: all\n  gather_facts: false\n  tasks:\n\
         \x20   - command: hostname\n      changed_when: false\n\
         \x20   - copy: {content: 'x', dest: /tmp/reached}\n",
    );
    let run = play(&bed, &book, &["-i", &gone, "--timeout", "5"]).expect(4);
    assert_eq!(run.count("gone", "unreachable"), 1, "{run}");
    assert!(run.stdout.contains("fatal: [gone]: UNREACHABLE!"), "{run}");
    for machine in &bed.machines {
        assert_eq!(run.count(&machine.name, "changed"), 1, "{run}");
        machine.must("test -e /tmp/reached");
    }
}

#[test]
fn a_failing_task_ends_its_host_and_the_exit_code_is_2() {
    let Some(bed) = bed::shared() else {
        return;
    };
    let book = bed.file(
        "p.yml",
        "- hosts: all\n  gather_facts: false\n  tasks:\n\
         \x20   - name: breaks\n      command: sh -c 'echo on-stdout; echo on-stderr >&2; exit 7'\n      when: inventory_hostname == 'm1'\n\
         \x20   - copy: {content: 'x', dest: /tmp/failed-on}\n",
    );
    let run = play(&bed, &book, &[]).expect(2);
    assert_eq!(
        (run.count("m1", "failed"), run.count("m2", "failed")),
        (1, 0),
        "{run}"
    );
    assert_eq!(
        (run.count("m1", "changed"), run.count("m2", "changed")),
        (0, 1),
        "{run}"
    );
    for told in [
        "fatal: [m1]: FAILED!",
        "on-stdout",
        "on-stderr",
        "7",
        "p.yml:4",
    ] {
        assert!(run.all().contains(told), "nothing about {told}: {run}");
    }
    bed.machines[0].must("test ! -e /tmp/failed-on");
}

#[test]
fn an_interrupt_leaves_no_process_and_no_half_file() {
    let Some(bed) = bed::shared() else {
        return;
    };
    let sleeping = bed.file(
        "sleep.yml",
        "- hosts: all\n  gather_facts: false\n  become: true\n  tasks:\n    - command: sleep 234\n",
    );
    let running = Running::start(&bed, &sleeping, &[]);
    let sleeps = |machine: &Machine| machine.must(OURS).contains("sleep 234");
    until("the task runs", Duration::from_secs(30), || {
        bed.machines.iter().all(sleeps)
    });
    running.signal(nix::sys::signal::Signal::SIGINT);
    let run = running.end(Duration::from_secs(15));
    assert_ne!(run.code, 0, "{run}");
    until("all processes end", Duration::from_secs(15), || {
        bed.machines.iter().all(nothing_runs)
    });

    let big = bed.directory.join("big");
    let file = fs::File::create(&big).expect("a file");
    file.set_len(600 << 20).expect("its length");
    let copying = bed.file(
        "copy.yml",
        &format!(
            "- hosts: all\n  gather_facts: false\n  become: true\n  tasks:\n\
             \x20   - file: {{path: /srv/one, state: directory}}\n\
             \x20   - copy: {{src: {}, dest: /srv/one/big}}\n",
            big.display()
        ),
    );
    let running = Running::start(&bed, &copying, &[]);
    let copies = |machine: &Machine| {
        !machine
            .must("ls -A /srv/one 2>/dev/null || true")
            .is_empty()
    };
    until("the copy has begun", Duration::from_secs(60), || {
        bed.machines.iter().any(copies)
    });
    running.signal(nix::sys::signal::Signal::SIGINT);
    running.end(Duration::from_secs(30));
    until("all processes end", Duration::from_secs(30), || {
        bed.machines.iter().all(nothing_runs)
    });
    for machine in &bed.machines {
        let left = machine.must("ls -A /srv/one 2>/dev/null || true");
        let whole = left == "big\n"
            && machine.must("stat -c %s /srv/one/big").trim() == (600_u64 << 20).to_string();
        assert!(
            left.is_empty() || whole,
            "{}: half a file: {left}",
            machine.name
        );
    }
}

#[test]
fn a_killed_agent_is_reported_and_the_next_run_works() {
    let Some(bed) = bed::shared() else {
        return;
    };
    let book = bed.file(
        "p.yml",
        "- hosts: all\n  gather_facts: false\n  become: true\n  tasks:\n\
         \x20   - shell: sleep 235; true\n      when: inventory_hostname == 'm1' and slow | default(true) | bool\n\
         \x20   - copy: {content: 'x', dest: /tmp/went-on}\n",
    );
    let running = Running::start(&bed, &book, &[]);
    let victim = &bed.machines[0];
    until("the task runs", Duration::from_secs(30), || {
        victim.must(OURS).contains("sleep 235")
    });
    victim.must("ps -eo pid,comm | awk '$2 ~ /^agent-/ {print $1}' | xargs kill -9");
    let run = running.end(Duration::from_secs(60));
    assert!([2, 4].contains(&run.code), "{run}");
    assert_eq!(
        run.count("m1", "failed") + run.count("m1", "unreachable"),
        1,
        "{run}"
    );
    assert_eq!(run.count("m2", "changed"), 1, "the other goes on: {run}");
    until("its task ends too", Duration::from_secs(15), || {
        nothing_runs(victim)
    });

    play(&bed, &book, &["-e", "slow=false"]).expect(0);
    victim.must("test -e /tmp/went-on");
}

#[test]
fn a_full_disk_keeps_the_old_file() {
    let Some(bed) = bed::shared() else {
        return;
    };
    let machine = &bed.machines[0];
    machine.must(
        "mkdir /mnt/small && mount -t tmpfs -o size=1m none /mnt/small && echo old > /mnt/small/f",
    );
    let big = bed.file("big", &"0123456789abcdef".repeat(1 << 17));
    let book = bed.file(
        "p.yml",
        &format!(
            "- hosts: all\n  gather_facts: false\n  become: true\n  tasks:\n    - copy: {{src: {}, dest: /mnt/small/f}}\n",
            big.display()
        ),
    );
    let run = play(&bed, &book, &[]).expect(2);
    assert!(
        run.all().to_lowercase().contains("no space left"),
        "the reason is missing: {run}"
    );
    assert!(
        run.all().contains("/mnt/small/f"),
        "the file is not named: {run}"
    );
    assert_eq!(
        machine.must("cat /mnt/small/f; ls -A /mnt/small"),
        "old\nf\n",
        "{run}"
    );
    machine.must("umount /mnt/small");
}

#[test]
fn a_refused_sudo_says_why() {
    let Some(bed) = bed::shared() else {
        return;
    };
    let book = bed.file(
        "p.yml",
        "- hosts: all\n  gather_facts: false\n  become: true\n  tasks:\n    - command: id -un\n      changed_when: false\n",
    );
    let asking = |user: &[&str]| play(&bed, &book, user);

    let nobody = asking(&["-e", "ansible_user=nobody2"]);
    assert!([2, 4].contains(&nobody.code), "{nobody}");
    assert!(nobody.all().contains("sudo"), "{nobody}");

    let login = format!("ansible_password={OPS_PASSWORD}");
    let ops = ["-e", "ansible_user=ops", "-e", &login];
    let without = asking(&ops);
    assert!([2, 4].contains(&without.code), "{without}");
    assert!(without.all().contains("password"), "{without}");

    let wrong = asking(&[&ops[..], &["-e", "ansible_become_password=not-this-one"]].concat());
    assert!([2, 4].contains(&wrong.code), "{wrong}");
    assert!(wrong.all().to_lowercase().contains("password"), "{wrong}");
    assert!(
        !wrong.all().contains("not-this-one"),
        "a password was printed: {wrong}"
    );

    let become_password = format!("ansible_become_password={OPS_PASSWORD}");
    let right = asking(&[&ops[..], &["-e", &become_password]].concat()).expect(0);
    assert_eq!(right.count("m1", "ok"), 1, "{right}");
}
