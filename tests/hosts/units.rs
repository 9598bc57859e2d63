//! The role systemd-unit on a real systemd: a unit runs with the files that are there, whatever clocks say.

use super::bed::{self, Bed, Machine, Must};
use super::play::{Run, play, project};

/// It shows what it has read when it was started or reloaded.
const UNIT: &str = "[Service]\nExecStart=/bin/sh -c 'cat /etc/reader/* > /run/reader.read; exec sleep infinity'\n\
                    ExecReload=/bin/sh -c 'cat /etc/reader/* > /run/reader.read'\n[Install]\nWantedBy=multi-user.target\n";

/// Plays of the role alone, and of a role that restarts by a handler.
const BOOKS: [(&str, &str); 3] = [
    ("unit.yml", "  roles: [systemd-unit]\n"),
    (
        "handler.yml",
        "  tasks:\n  - include_role: {name: systemd-unit, tasks_from: compare.yml}\n    \
         vars: {unit_notify: [Restart reader]}\n  - meta: flush_handlers\n  \
         - include_role: {name: systemd-unit, tasks_from: note.yml}\n  handlers:\n  \
         - {name: Restart reader, systemd: {name: reader, state: restarted, daemon_reload: true}}\n",
    ),
    (
        "note.yml",
        "  tasks:\n  - include_role: {name: systemd-unit, tasks_from: note.yml}\n",
    ),
];

struct Reader<'a> {
    bed: &'a Bed,
    machine: &'a Machine,
}

impl Reader<'_> {
    fn run(&self, book: &str, more: &[&str]) -> Run {
        play(self.bed, &self.bed.directory.join(book), more).expect(0)
    }

    /// What the unit runs with then, after one run that changes something and one that does not. Check mode foretells both.
    #[track_caller]
    fn takes_over(&self, book: &str, more: &[&str]) -> String {
        let check = [more, &["--check"]].concat();
        let foretold = self.run(book, &check);
        let first = self.run(book, more);
        assert!(first.count("m1", "changed") > 0, "not noticed: {first}");
        assert_eq!(foretold.changes(), first.changes(), "{foretold}{first}");
        let foretold = self.run(book, &check);
        let second = self.run(book, more);
        assert_eq!(second.count("m1", "changed"), 0, "not over: {second}");
        assert_eq!(foretold.count("m1", "changed"), 0, "{foretold}");
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
    for (name, tasks) in BOOKS {
        let book = format!(
            "- hosts: m1\n  gather_facts: false\n  become: true\n  vars:\n    unit_name: reader\n    \
             unit_files: [/etc/systemd/system/reader.service, /etc/reader]\n{tasks}"
        );
        bed.file(name, &book);
    }
    let unit = format!("cat > /etc/systemd/system/reader.service <<'END'\n{UNIT}END");
    machine.must(&unit);
    machine.must("mkdir /etc/reader; echo one > /etc/reader/conf");
    assert_eq!(reader.takes_over("unit.yml", &[]), "one\n");

    // written before the clock was set back: newer than every start for an hour
    machine.must("echo two > /etc/reader/conf; touch -d '+1 hour' /etc/reader/conf");
    assert_eq!(reader.takes_over("unit.yml", &[]), "two\n");

    // the clock was set back after the start, or the file came with a date of its own: older than the start
    machine.must("echo three > /etc/reader/conf; touch -d '-1 year' /etc/reader/conf");
    assert_eq!(reader.takes_over("unit.yml", &[]), "three\n");

    // a reload is no start
    let start = "systemctl show --value -p MainPID reader";
    let before = machine.must(start);
    machine.must("echo four > /etc/reader/conf");
    assert_eq!(
        reader.takes_over("unit.yml", &["-e", "unit_change=reloaded"]),
        "four\n"
    );
    assert_eq!(machine.must(start), before, "it was restarted");

    // started by somebody else: times are all there is, and they say that it has what is there
    machine.must("echo five > /etc/reader/conf; systemctl restart reader");
    let again = reader.run("unit.yml", &[]);
    assert_eq!(again.count("m1", "changed"), 0, "{again}");

    // and by somebody else before the file was written
    machine.must("systemctl restart reader; sleep 0.1; echo six > /etc/reader/conf");
    assert_eq!(reader.takes_over("unit.yml", &[]), "six\n");

    // that file may have come with a date of its own
    machine.must("systemctl restart reader; sleep 0.1; echo seven > /etc/reader/conf; touch -d '-1 year' /etc/reader/conf");
    assert_eq!(reader.takes_over("unit.yml", &[]), "seven\n");

    // the role that restarts by its own handler
    machine.must("echo eight > /etc/reader/conf; touch -d '-1 year' /etc/reader/conf");
    assert_eq!(reader.takes_over("handler.yml", &[]), "eight\n");

    // a note without a restart, as with --start-at-task, claims nothing
    machine.must("echo nine > /etc/reader/conf; touch -d '-1 year' /etc/reader/conf");
    reader.run("note.yml", &[]);
    assert_eq!(reader.takes_over("handler.yml", &[]), "nine\n");

    // a file that is gone; and a unit that was stopped meanwhile
    machine.must("echo ten > /etc/reader/more");
    assert_eq!(reader.takes_over("unit.yml", &[]), "nine\nten\n");
    machine.must("rm /etc/reader/more");
    assert_eq!(reader.takes_over("unit.yml", &[]), "nine\n");
    machine.must("systemctl stop reader; echo eleven > /etc/reader/conf");
    assert_eq!(reader.takes_over("unit.yml", &[]), "eleven\n");

    machine.must(
        "systemctl disable --now reader 2>&1; rm -r /etc/reader /etc/systemd/system/reader.service /run/reader.read",
    );
    std::fs::remove_file(roles).expect("removed");
}
