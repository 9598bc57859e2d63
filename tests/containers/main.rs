//! Containers as machines: the connections `podman`, `docker` and `chroot`, and the scenario drivers `podman` and `docker`, on an
//! image that is made here from one static busybox. Podman needs root and busybox, and is skipped without them, loudly, unless
//! `RUNBOOK_REQUIRE_HOSTS` is set; docker needs a daemon, and is skipped, loudly, where none can be reached or started.

mod daemon;
mod engine;

use engine::{Engine, IMAGE, good, said, write};
use std::fs;
use std::process::{Command, Output, Stdio};

const PLAY: &str = "- hosts: all
  gather_facts: false
  tasks:
    - name: a file
      copy: {content: 'for {{ inventory_hostname }}', dest: /etc/here}
    - name: who
      command: id -u
      register: who
      changed_when: false
      check_mode: false
    - assert: {that: who.stdout == '0'}
";

#[test]
fn podman() {
    let Some(engine) = Engine::podman() else {
        return;
    };
    chroot(&engine);
    scenario(&engine);
}

#[test]
fn docker() {
    let Some(engine) = Engine::docker() else {
        return;
    };
    scenario(&engine);
    verdicts(&engine);
    settings(&engine);
}

/// `ansible_connection: chroot`: the host is a directory.
fn chroot(engine: &Engine) {
    let root = engine.root();
    nix::sys::stat::mknod(
        &root.join("dev/null"),
        nix::sys::stat::SFlag::S_IFCHR,
        nix::sys::stat::Mode::from_bits_truncate(0o666),
        nix::sys::stat::makedev(1, 3),
    )
    .expect("made");
    let project = engine.home();
    write(&project.join("play.yml"), PLAY);
    let inventory = format!(
        "tree ansible_connection=chroot ansible_host={}\n",
        root.display()
    );
    write(&project.join("hosts.ini"), &inventory);
    let first = good(&mut engine.runbook(&["play", "-i", "hosts.ini", "play.yml"]));
    assert!(first.contains("changed=1"), "{first}");
    assert_eq!(
        fs::read_to_string(root.join("etc/here")).expect("there"),
        "for tree"
    );
    let second = good(&mut engine.runbook(&["play", "-i", "hosts.ini", "play.yml"]));
    assert!(second.contains("changed=0"), "{second}");
    fs::remove_file(root.join("etc/here")).expect("removed");
}

/// A project with one Molecule scenario of that name.
fn project(engine: &Engine, name: &str, platforms: &str, verify: &str) {
    let directory = engine.home().join(name).join("molecule").join(name);
    write(
        &directory.join("molecule.yml"),
        &format!(
            "driver: {{name: {}}}\nplatforms:\n{}",
            engine.program,
            platforms.replace("IMAGE", IMAGE)
        ),
    );
    write(&directory.join("converge.yml"), PLAY);
    write(&directory.join("verify.yml"), verify);
}

fn in_project(engine: &Engine, name: &str, words: &[&str]) -> Command {
    let mut command = engine.runbook(words);
    command.current_dir(engine.home().join(name));
    command
}

/// Two containers: the whole test, what is left of it, and steps one by one.
fn scenario(engine: &Engine) {
    let names = if engine.has_names() {
        "    - {command: nslookup two, changed_when: false}\n"
    } else {
        eprintln!("SKIPPED: this podman has no plugin for names");
        ""
    };
    project(
        engine,
        "two",
        "  - {name: one, image: 'IMAGE', pre_build_image: true, groups: [web]}\n  \
           - {name: two, image: 'IMAGE', pre_build_image: true, env: {ROLE: second}}\n",
        &format!(
            "- hosts: all\n  gather_facts: false\n  tasks:\n    - command: cat /etc/here\n      changed_when: false\n      \
             register: here\n    - assert: {{that: here.stdout == 'for ' ~ inventory_hostname}}\n{names}\
             - hosts: two\n  gather_facts: false\n  tasks:\n    - raw: echo $ROLE\n      register: role\n    \
             - assert: {{that: role.stdout is search('second')}}\n"
        ),
    );
    let runbook = |words: &[&str]| in_project(engine, "two", words);
    let report = good(&mut runbook(&["test"]));
    assert!(report.contains("verify       passed"), "{report}");
    engine.is_empty();

    good(&mut runbook(&["scenario", "converge", "two"]));
    assert_eq!(engine.containers(&[]).len(), 2);
    good(&mut runbook(&["scenario", "idempotence", "two"]));
    assert_eq!(login(&mut runbook(&["login", "two"])), "two-second");
    good(&mut runbook(&["scenario", "destroy", "two"]));
    engine.is_empty();
}

/// What is said to a shell on the machine, on a terminal: the program `script` has one.
fn login(command: &mut Command) -> String {
    let words: Vec<String> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let mut script = Command::new("script");
    script.args(["-qec", &words.join(" "), "/dev/null"]);
    for (name, value) in command.get_envs() {
        script.env(name, value.unwrap_or_default());
    }
    if let Some(directory) = command.get_current_dir() {
        script.current_dir(directory);
    }
    let mut child = script
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("script, of the package bsdutils or util-linux");
    let mut keys = child.stdin.take().expect("a pipe");
    let typed = b"echo \"<$(cat /etc/hostname)-$ROLE>\"; exit\n";
    std::io::Write::write_all(&mut keys, typed).expect("typed");
    let output: Output = child.wait_with_output().expect("it ends");
    let text = said(&output);
    let answer = text.lines().find_map(|line| {
        let inner = line.trim().strip_prefix('<')?.strip_suffix('>')?;
        Some(inner.to_owned())
    });
    answer.unwrap_or(text)
}

/// The verdicts that look at machines and make them anew, on machines that have no sudo.
fn verdicts(engine: &Engine) {
    let steps = "create,converge,check,idempotence,predict,interrupt,verify,destroy";
    let report = good(&mut in_project(engine, "two", &["test", "--steps", steps]));
    assert!(report.contains("all predicted"), "{report}");
    assert!(report.contains("the same end state of 2 files"), "{report}");
    engine.is_empty();
}

/// What a platform can ask for.
fn settings(engine: &Engine) {
    write(&engine.home().join("given/one"), "from here");
    let volume = engine.home().join("given").display().to_string();
    project(
        engine,
        "settings",
        &format!(
            "  - name: only\n    image: 'IMAGE'\n    memory: 256m\n    volumes: ['{volume}:/given:ro']\n    \
             tmpfs: {{/scratch: 'size=1m'}}\n    etc_hosts: {{elsewhere: 192.0.2.1}}\n    sysctls: {{net.ipv4.ip_forward: 1}}\n    \
             ulimits: ['nofile=512:512']\n    capabilities: [NET_ADMIN]\n    command: sleep 600\n    override_command: true\n"
        ),
        "- hosts: only\n  gather_facts: false\n  tasks:\n    - raw: cat /given/one /etc/hosts /proc/mounts /proc/1/cmdline\n      \
         register: seen\n    - assert:\n        that:\n          - \"'from here' in seen.stdout\"\n          \
         - seen.stdout is search('192.0.2.1\\s+elsewhere')\n          - seen.stdout is search('/scratch tmpfs.*size=1024k')\n          \
         - \"'sleep' in seen.stdout\"\n    - raw: cat /proc/sys/net/ipv4/ip_forward; ulimit -n\n      register: limits\n    \
         - assert: {that: \"limits.stdout_lines == ['1', '512']\"}\n",
    );
    good(&mut in_project(engine, "settings", &["test"]));
    engine.is_empty();

    // an image that is nowhere: said, and nothing is left
    project(
        engine,
        "missing",
        "  - {name: only, image: 'localhost:1/nowhere:1'}\n",
        "[]\n",
    );
    let output = in_project(engine, "missing", &["test"]).output();
    let output = output.expect("it starts");
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("docker run: "), "{}", said(&output));
    engine.is_empty();
}
