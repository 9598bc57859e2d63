//! Modules of the user's own on machines without Python.

use super::bed;
use super::bed::Must;
use super::play::play;

const BOOK: &str = "\
- hosts: all
  gather_facts: false
  become: true
  become_user: daemon
  tasks:
    - greet: {who: \"the world's end\"}
      register: greeting
    - assert:
        that:
          - greeting is changed
          - greeting.said == \"daemon\"
          - greeting.told.who == \"the world's end\"
    - own_program: {say: hello}
      register: program
    - assert: {that: \"program.msg == 'hello'\"}
    - greet: {who: later}
      vars: {ansible_async_dir: /tmp/jobs-of-custom}
      async: 30
      poll: 1
      register: later
    - assert: {that: \"later.told.who == 'later'\"}
    - in_python: {}
      register: python
      ignore_errors: true
    - assert: {that: python is failed}
";

/// What is left but the agent's program of a user without a home.
const LEFT: &str = "find /tmp /var/tmp -maxdepth 2 -name 'runbook-*' ! -name runbook-1";

#[test]
fn a_machine_without_python_runs_what_it_can_and_says_what_it_cannot() {
    let Some(bed) = bed::shared() else {
        return;
    };
    std::fs::create_dir_all(bed.directory.join("library")).expect("a directory");
    bed.file(
        "library/greet.sh",
        "#!/bin/sh\n# WANT_JSON\nprintf '{\"changed\": true, \"said\": \"%s\", \"told\": %s}\\n' \"$(id -un)\" \"$(cat \"$1\")\"\n",
    );
    // a program: the test's own is as good as any, if it reads its file of arguments
    let program = own_program(&bed.directory);
    std::fs::copy(program, bed.directory.join("library/own_program")).expect("a program");
    bed.file(
        "library/in_python.py",
        "#!/usr/bin/python\nfrom ansible.module_utils.basic import AnsibleModule\nAnsibleModule({}).exit_json()\n",
    );
    let book = bed.file("custom.yml", BOOK);
    let run = play(&bed, &book, &[]).expect(0);
    assert_eq!(run.count("m1", "ignored"), 1, "{run}");
    let why =
        "the module `in_python` is written in Python, and there is no Python 3 on this machine";
    assert!(run.stdout.replace('\n', " ").contains(why), "{run}");
    for machine in &bed.machines {
        let left = machine.must(LEFT);
        assert_eq!(left, "", "{}", machine.name);
        machine.must("rm -rf /tmp/jobs-of-custom");
    }
}

/// A static program that answers with the argument `say`, made by the compiler that made this test.
fn own_program(dir: &std::path::Path) -> std::path::PathBuf {
    let source = dir.join("own_program.rs");
    let code = r#"
fn main() {
    let path = std::env::args().nth(1).expect("a path");
    let told = std::fs::read_to_string(path).expect("arguments");
    let say = told.split("\"say\": \"").nth(1).and_then(|rest| rest.split('"').next());
    println!("{{\"msg\": \"{}\"}}", say.expect("the argument"));
}
"#;
    std::fs::write(&source, code).expect("the source");
    let program = dir.join("own_program");
    let status = std::process::Command::new("rustc")
        .args(["-C", "target-feature=+crt-static", "-o"])
        .arg(&program)
        .arg(&source)
        .status()
        .expect("rustc");
    assert!(status.success());
    program
}
