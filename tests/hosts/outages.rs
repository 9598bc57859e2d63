//! Machines, connections and the controller itself that go away in the middle of the work.

use super::bed::Must;
use super::bed::{self, Bed, Machine, run};
use super::play::{Running, nothing_runs, play, until};
use nix::sys::signal::Signal;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

const LONG: &str = "- hosts: all\n  gather_facts: false\n  become: true\n  tasks:\n\
     \x20   - shell: trap '' TERM; sleep 236; true\n      when: inventory_hostname == 'm1'\n\
     \x20   - copy: {content: x, dest: /tmp/outage}\n";
/// The machine is asked often whether it is there.
const ALERT: &str =
    r#"{"ansible_ssh_extra_args": "-o ServerAliveInterval=1 -o ServerAliveCountMax=3"}"#;

fn long(bed: &Bed) -> PathBuf {
    for machine in &bed.machines {
        machine.must("rm -f /tmp/outage");
    }
    bed.file("long.yml", LONG)
}

fn wait_for_task(machine: &Machine) {
    until("the task runs", Duration::from_secs(60), || {
        machine.ssh("pgrep -x sleep").rc == 0
    });
}

/// `m1` is unreachable, and the others did all that they had to.
#[track_caller]
fn only_m1_is_lost(bed: &Bed, running: Running, limit: Duration, reason: &str) {
    let run = running.end(limit).expect(4);
    assert_eq!(run.count("m1", "unreachable"), 1, "{run}");
    assert!(run.all().contains(reason), "nothing about {reason}: {run}");
    for machine in &bed.machines[1..] {
        assert_eq!(run.count(&machine.name, "changed"), 1, "{run}");
    }
}

#[test]
fn a_killed_controller_leaves_nothing_on_the_machines() {
    let Some(bed) = bed::shared() else { return };
    for signal in [Signal::SIGKILL, Signal::SIGTERM] {
        let running = Running::start(&bed, &long(&bed), &[]);
        wait_for_task(&bed.machines[0]);
        running.signal(signal);
        let run = running.end(Duration::from_secs(15));
        let expected = if signal == Signal::SIGTERM { 99 } else { -1 };
        assert_eq!(run.code, expected, "{run}");
        until("all processes end", Duration::from_secs(15), || {
            bed.machines.iter().all(nothing_runs)
        });
    }
    for machine in &bed.machines {
        let left = machine.must(
            "find /tmp /var/tmp /root/.cache /home/deploy/.cache -name 'runbook-agent-*' -o -name 'agent-*.tmp' 2>/dev/null; true",
        );
        assert_eq!(left, "", "{}", machine.name);
    }
}

#[test]
fn a_closed_connection_is_told_and_ends_the_task() {
    let Some(bed) = bed::shared() else { return };
    let running = Running::start(&bed, &long(&bed), &[]);
    wait_for_task(&bed.machines[0]);
    bed.machines[0]
        .must("ps -eo pid,args | awk '/sshd: deploy/ && !/awk/ {print $1}' | xargs kill -9");
    only_m1_is_lost(
        &bed,
        running,
        Duration::from_secs(20),
        "closed the connection",
    );
    until("its task ends", Duration::from_secs(15), || {
        nothing_runs(&bed.machines[0])
    });
}

/// Packets to an address vanish for as long as this lives.
struct Silence(String);

impl Silence {
    fn towards(machine: &Machine) -> Self {
        let silence = Self(machine.addr.to_string());
        silence.rule("-I");
        silence
    }

    fn rule(&self, action: &str) {
        let mut command = Command::new("iptables");
        command.args(["-w", action, "OUTPUT", "-d", &self.0, "-j", "DROP"]);
        let output = run(&mut command, Duration::from_secs(20)).expect("iptables");
        assert!(output.status.success(), "iptables {action}");
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        self.rule("-D");
    }
}

#[test]
fn a_silent_network_is_noticed_in_bounded_time() {
    let Some(bed) = bed::shared() else { return };
    let running = Running::start(&bed, &long(&bed), &["-e", ALERT]);
    wait_for_task(&bed.machines[0]);
    let silence = Silence::towards(&bed.machines[0]);
    only_m1_is_lost(&bed, running, Duration::from_secs(20), "keepalive");
    drop(silence);
    // its sshd has not heard of it
    bed.machines[0].must("pkill -9 -x sleep; pkill -f '^sshd: deploy' || true");
}

#[test]
fn a_machine_without_power_is_lost_and_one_that_reboots_is_waited_for() {
    let Some(bed) = bed::shared() else { return };
    let machine = &bed.machines[0];
    let running = Running::start(&bed, &long(&bed), &["-e", ALERT]);
    wait_for_task(machine);
    machine.power_off();
    only_m1_is_lost(
        &bed,
        running,
        Duration::from_secs(20),
        "failed to hear from",
    );
    machine.power_on().expect("nspawn starts");
    machine.wait(Duration::from_secs(60)).expect("it boots");

    let book = bed.file(
        "reboot.yml",
        "- hosts: m1\n  gather_facts: false\n  become: true\n  tasks:\n\
         \x20   - shell: systemd-run --on-active=1s --timer-property=AccuracySec=100ms systemctl poweroff\n\
         \x20   - wait_for_connection: {delay: 3, timeout: 60, sleep: 1}\n\
         \x20   - shell: cut -d. -f1 /proc/uptime\n\
         \x20   - meta: reset_connection\n\
         \x20   - command: hostname\n",
    );
    let running = Running::start(&bed, &book, &["-v"]);
    assert!(machine.wait_down(Duration::from_secs(40)), "it goes down");
    machine.power_on().expect("nspawn starts");
    let run = running.end(Duration::from_secs(90)).expect(0);
    assert_eq!(run.count("m1", "ok"), 4, "{run}");
    machine.wait(Duration::from_secs(60)).expect("it boots");
}

#[test]
fn a_play_restarts_its_machine_and_goes_on() {
    let Some(bed) = bed::shared() else { return };
    let machine = &bed.machines[1];
    let before = machine.must("cat /proc/sys/kernel/random/boot_id");
    machine.must("touch /run/gone-with-the-restart");
    let book = bed.file(
        "restart.yml",
        "- hosts: m2\n  gather_facts: false\n  become: true\n  tasks:\n\
         \x20   - command: cat /proc/sys/kernel/random/boot_id\n      register: before\n\
         \x20   - reboot: {reboot_timeout: 120}\n      register: restarted\n      notify: told\n\
         \x20   - command: cat /proc/sys/kernel/random/boot_id\n      register: after\n\
         \x20   - stat: {path: /run/gone-with-the-restart}\n      register: gone\n\
         \x20   - copy: {content: after, dest: /root/after-the-restart}\n\
         \x20   - assert:\n        that:\n          - before.stdout != after.stdout\n\
         \x20         - restarted is changed and restarted.rebooted and restarted.elapsed < 120\n\
         \x20         - not gone.stat.exists\n\
         \x20 handlers:\n    - name: told\n      command: hostname\n",
    );
    let run = play(&bed, &book, &["-v"]).expect(0);
    assert_eq!(run.count("m2", "ok"), 7, "{run}");
    machine.wait(Duration::from_secs(60)).expect("it boots");
    assert_ne!(
        machine.must("cat /proc/sys/kernel/random/boot_id"),
        before,
        "{run}"
    );
    assert_eq!(machine.must("cat /root/after-the-restart"), "after");
    machine.must("rm /root/after-the-restart");

    // and what does not come back is told in time
    let book = bed.file(
        "no-return.yml",
        "- hosts: m2\n  gather_facts: false\n  become: true\n  tasks:\n\
         \x20   - reboot: {reboot_timeout: 4, connect_timeout: 1, reboot_command: systemctl poweroff}\n",
    );
    let run = play(&bed, &book, &[]).expect(2);
    assert!(
        run.all()
            .contains("Timed out waiting for last boot time check"),
        "{run}"
    );
    assert!(machine.wait_down(Duration::from_secs(40)), "it goes down");
    machine.power_on().expect("nspawn starts");
    machine.wait(Duration::from_secs(60)).expect("it boots");
}

#[test]
fn waiting_for_a_connection_is_bounded_and_can_be_interrupted() {
    let Some(bed) = bed::shared() else { return };
    let book = bed.file(
        "wait.yml",
        "- hosts: m1\n  gather_facts: false\n  tasks:\n    - wait_for_connection: {timeout: 4, sleep: 1, connect_timeout: 1}\n",
    );
    let begun = Instant::now();
    let run = play(&bed, &book, &["-e", "ansible_port=2222"]).expect(2);
    assert!(run.all().contains("timed out waiting"), "{run}");
    assert!(
        begun.elapsed() < Duration::from_secs(15),
        "{:?}",
        begun.elapsed()
    );

    let book = bed.file(
        "wait2.yml",
        "- hosts: m1\n  gather_facts: false\n  tasks:\n    - wait_for_connection: {delay: 100}\n",
    );
    let running = Running::start(&bed, &book, &[]);
    std::thread::sleep(Duration::from_secs(1));
    running.signal(Signal::SIGINT);
    running.end(Duration::from_secs(10)).expect(99);
}

#[test]
fn each_machine_fails_in_its_own_way_and_the_last_goes_on() {
    let Some(bed) = bed::shared() else { return };
    let book = bed.file(
        "mixed.yml",
        "- hosts: all\n  gather_facts: false\n  tasks:\n\
         \x20   - command: 'false'\n      when: inventory_hostname == 'm2'\n\
         \x20   - copy: {content: x, dest: /tmp/mixed}\n",
    );
    let more = bed.file("ports.ini", "m1 ansible_port=2222\n");
    let run = play(&bed, &book, &["-i", &more.display().to_string()]).expect(4);
    let counts = |host| ["unreachable", "failed", "changed"].map(|what| run.count(host, what));
    assert_eq!(counts("m1"), [1, 0, 0], "{run}");
    assert_eq!(counts("m2"), [0, 1, 0], "{run}");
    assert_eq!(counts("m3"), [0, 0, 1], "{run}");
}
