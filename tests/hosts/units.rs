//! The role systemd-unit on a real systemd: a unit runs with the files that are there, whatever clocks say.

use super::bed::{self, Bed, Machine, Must};
use super::play::{Run, play, project};

/// It shows what it has read when it was started or reloaded.
const UNIT: &str = "[Service]\nExecStart=/bin/sh -c 'cp /etc/reader/* /run/reader.read; exec sleep infinity'\n\
                    ExecReload=/bin/sh -c 'cp /etc/reader/* /run/reader.read'\n[Install]\nWantedBy=multi-user.target\n";

struct Reader<'a> {
    bed: &'a Bed,
    machine: &'a Machine,
}

impl Reader<'_> {
    fn run(&self, change: &str) -> Run {
        let book = self.bed.file(
            "reader.yml",
            "- hosts: m1\n  gather_facts: false\n  become: true\n  roles: [systemd-unit]\n  vars:\n    unit_name: reader\n    \
             unit_files: [/etc/systemd/system/reader.service, /etc/reader]\n",
        );
        let change = format!("unit_change={change}");
        play(self.bed, &book, &["-e", &change]).expect(0)
    }

    /// What the unit runs with then, after one run that changes something and one that does not.
    #[track_caller]
    fn takes_over(&self, change: &str) -> String {
        let first = self.run(change);
        assert!(first.count("m1", "changed") > 0, "not noticed: {first}");
        let second = self.run(change);
        assert_eq!(second.count("m1", "changed"), 0, "not over: {second}");
        self.machine.must("cat /run/reader.read")
    }
}

#[test]
fn a_unit_runs_with_the_files_that_are_there() {
    let Some(bed) = bed::shared() else { return };
    let machine = &bed.machines[0];
    let reader = Reader { bed: &bed, machine };
    // as in a project: roles lie beside the playbook
    let roles = bed.directory.join("roles");
    std::os::unix::fs::symlink(project("roles"), &roles).expect("a link to the roles");
    let unit = format!("cat > /etc/systemd/system/reader.service <<'END'\n{UNIT}END");
    machine.must(&unit);
    machine.must("mkdir /etc/reader; echo one > /etc/reader/conf");
    assert_eq!(reader.takes_over("restarted"), "one\n");

    // written before the clock was set back: newer than every start for an hour
    machine.must("echo two > /etc/reader/conf; touch -d '+1 hour' /etc/reader/conf");
    assert_eq!(reader.takes_over("restarted"), "two\n");

    // the clock was set back after the start, or the file came with a date of its own: older than the start
    machine.must("echo three > /etc/reader/conf; touch -d '-1 year' /etc/reader/conf");
    assert_eq!(reader.takes_over("restarted"), "three\n");

    // a reload is no start
    let start = "systemctl show --value -p MainPID reader";
    let before = machine.must(start);
    machine.must("echo four > /etc/reader/conf");
    assert_eq!(reader.takes_over("reloaded"), "four\n");
    assert_eq!(machine.must(start), before, "it was restarted");

    // started by somebody else: times are all there is, and they say that it has what is there
    machine.must("echo five > /etc/reader/conf; systemctl restart reader");
    let again = reader.run("restarted");
    assert_eq!(again.count("m1", "changed"), 0, "{again}");

    // and by somebody else before the file was written
    machine.must("systemctl restart reader; sleep 0.1; echo six > /etc/reader/conf");
    assert_eq!(reader.takes_over("restarted"), "six\n");

    machine.must(
        "systemctl disable --now reader 2>&1; rm -r /etc/reader /etc/systemd/system/reader.service /run/reader.read",
    );
    std::fs::remove_file(roles).expect("removed");
}
