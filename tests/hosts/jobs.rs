//! Tasks in the background on real machines: they survive what began them.

use super::bed::Must;
use super::bed::{self, Machine};
use super::play::{Running, play, until};
use std::time::Duration;

/// Kills the agents of a machine, but no jobs.
const KILL_AGENTS: &str = "ps -eo pid,args | awk '/[/]agent-/ && !/--job/ && !/awk/ {print $1}' | xargs -r kill -9 2>/dev/null; true";

#[test]
fn a_job_survives_its_connection_and_belongs_to_the_user_that_was_become() {
    let Some(bed) = bed::shared() else {
        return;
    };
    let fire = bed.file(
        "fire.yml",
        "- hosts: all\n  gather_facts: false\n  become: true\n  become_user: daemon\n  tasks:\n\
         \x20   - shell: id -un; sleep 4; echo said\n      async: 60\n      poll: 0\n      register: job\n\
         \x20   - copy: {content: \"{{ job.ansible_job_id }}\", dest: \"/tmp/jid\"}\n",
    );
    let where_to = ["-e", "ansible_async_dir=/tmp/jobs-of-daemon"];
    play(&bed, &fire, &where_to).expect(0);
    for machine in &bed.machines {
        machine.must(KILL_AGENTS);
        let about = machine.must("stat -c '%U %a' /tmp/jobs-of-daemon /tmp/jobs-of-daemon/j*");
        assert_eq!(about, "daemon 700\ndaemon 600\n", "{}", machine.name);
    }
    let look = bed.file(
        "look.yml",
        "- hosts: all\n  gather_facts: false\n  become: true\n  become_user: daemon\n  tasks:\n\
         \x20   - slurp: {src: /tmp/jid}\n      register: jid\n\
         \x20   - async_status: {jid: \"{{ jid.content | b64decode }}\"}\n      register: job\n      until: job is finished\n      retries: 20\n      delay: 1\n\
         \x20   - assert: {that: \"job.stdout_lines == ['daemon', 'said']\"}\n",
    );
    let run = play(&bed, &look, &where_to).expect(0);
    assert_eq!(run.count("m1", "changed"), 1, "{run}");
    for machine in &bed.machines {
        machine.must("rm -rf /tmp/jobs-of-daemon /tmp/jid");
    }
}

#[test]
fn whoever_waits_for_a_job_comes_back_after_the_agent_was_killed() {
    let Some(bed) = bed::shared() else {
        return;
    };
    let book = bed.file(
        "p.yml",
        "- hosts: all\n  gather_facts: false\n  become: true\n  tasks:\n\
         \x20   - command: sh -c 'sleep 6.5; echo through'\n      async: 60\n      poll: 1\n      register: job\n\
         \x20   - assert: {that: \"job.stdout == 'through'\"}\n",
    );
    let running = Running::start(&bed, &book, &[]);
    let sleeps = |machine: &Machine| machine.must("ps -eo args").contains("sleep 6.5");
    until("the job runs", Duration::from_secs(60), || {
        bed.machines.iter().all(sleeps)
    });
    for machine in &bed.machines {
        machine.must(KILL_AGENTS);
    }
    let run = running.end(Duration::from_secs(60));
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(run.count("m1", "changed"), 1, "{run}");
    let left = bed.machines[0].must("ls -A /root/.ansible_async");
    assert_eq!(left, "", "no file is left");
}

#[test]
fn a_user_whose_agent_ran_can_be_deleted() {
    let Some(bed) = bed::shared() else { return };
    let book = bed.file(
        "leaver.yml",
        "- hosts: all\n  gather_facts: false\n  become: true\n  tasks:\n\
         \x20   - user: {name: leaver, shell: /bin/sh}\n\
         \x20   - command: id -un\n      become_user: leaver\n      register: who\n      changed_when: false\n\
         \x20   - assert: {that: who.stdout == 'leaver'}\n\
         \x20   - user: {name: leaver, state: absent, remove: true}\n",
    );
    let run = play(&bed, &book, &[]).expect(0);
    for machine in &bed.machines {
        assert_eq!(run.count(&machine.name, "changed"), 2, "{run}");
        machine.must("! getent passwd leaver");
    }
}
