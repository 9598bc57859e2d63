//! `synchronize` between the controller and machines, by the controller's rsync and ssh.

use super::bed::{self, Bed, Must, OPS_PASSWORD};
use super::play::play;
use std::path::{Path, PathBuf};
use std::process::Command;

const BOOK: &str = "\
- hosts: m1
  gather_facts: false
  tasks:
    - synchronize: {src: \"{{ tree }}/\", dest: \"{{ to | default('/var/tmp/synced') }}\"}
      become: \"{{ root | default(false) | bool }}\"
";

const BACK: &str = "\
- hosts: m1
  gather_facts: false
  tasks:
    - ansible.posix.synchronize: {src: /var/tmp/synced, dest: \"{{ playbook_dir }}/pulled-back/\", mode: pull, group: false}
    - ansible.posix.synchronize: {src: /var/tmp/synced/, dest: /var/tmp/twice, compress: false, owner: false}
      delegate_to: \"{{ inventory_hostname }}\"
    - command: cat /var/tmp/twice/sub/b
      register: b
      changed_when: false
    - assert: {that: \"b.stdout == 'two'\"}
";

const BETWEEN: &str = "\
- hosts: m2
  gather_facts: false
  tasks:
    - synchronize: {src: /tmp/between/, dest: /tmp/of-m1, verify_host: false, group: false, owner: false}
      delegate_to: m1
    - synchronize: {mode: pull, src: /tmp/of-m1, dest: /tmp/again, verify_host: false, group: false, owner: false}
      delegate_to: m1
";

const INTO_CONTAINER: &str = "\
- hosts: localhost
  gather_facts: false
  tasks:
    - add_host: {name: box, ansible_connection: docker}
- hosts: box
  gather_facts: false
  tasks:
    - synchronize: {src: /tmp/between/, dest: /tmp/of-m1}
      delegate_to: m1
";

const BRING: &str = r#"
- hosts: m1:m2
  gather_facts: false
  become: true
  tasks:
    - file: {path: /opt/rsync, state: directory}
    - copy: {src: "{{ item }}", dest: /opt/rsync/, mode: "0755"}
      loop: [FILES]
    - copy:
        dest: /usr/local/bin/rsync
        mode: "0755"
        content: |
          #!/bin/sh
          exec /opt/rsync/ld-linux-*.so.2 --library-path /opt/rsync /opt/rsync/rsync "$@"
"#;

/// The machines have no rsync: the controller's goes there, with the libraries that it needs.
fn bring_rsync(bed: &Bed, program: &Path) {
    let listed = Command::new("ldd").arg(program).output().expect("ldd");
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    let mut files: Vec<PathBuf> = text
        .split_whitespace()
        .filter(|word| word.starts_with('/'))
        .map(PathBuf::from)
        .collect();
    files.push(program.to_owned());
    let items: Vec<String> = files
        .iter()
        .map(|file| format!("'{}'", file.display()))
        .collect();
    let book = BRING.replace("FILES", &items.join(", "));
    let book = bed.file("bring.yml", &book);
    play(bed, &book, &[]).expect(0);
}

fn rsync() -> Option<PathBuf> {
    let places = ["/usr/bin/rsync", "/usr/local/bin/rsync"].map(PathBuf::from);
    let found = places.into_iter().find(|path| path.exists());
    if found.is_none() {
        assert!(!bed::required(), "this test needs rsync");
        bed::say("SKIPPED (loud): no rsync");
    }
    found
}

#[test]
fn trees_go_from_machine_to_machine() {
    let Some(bed) = bed::shared() else { return };
    let Some(rsync) = rsync() else { return };
    let (m1, m2) = (&bed.machines[0], &bed.machines[1]);
    bring_rsync(&bed, &rsync);
    m1.must("rm -rf /tmp/between /tmp/again; mkdir -p /tmp/between/sub; echo two > /tmp/between/sub/b; chmod -R a+rX /tmp/between");
    m2.must("rm -rf /tmp/of-m1");
    let book = bed.file("between.yml", BETWEEN);
    // no key of the controller's is on the machines: m1 logs in to m2 with the password
    let password = format!("ansible_password={OPS_PASSWORD}");
    let run = |more: &[&str]| {
        let all = [&["-e", "ansible_user=ops", "-e", &password][..], more].concat();
        play(&bed, &book, &all)
    };
    let foretold = run(&["--check"]);
    assert!(foretold.count("m2", "changed") >= 1, "{foretold}");
    assert_eq!(m2.must("ls /tmp | grep -c of-m1 || true").trim(), "0");
    let sent = run(&[]).expect(0);
    assert_eq!(sent.count("m2", "changed"), 2, "{sent}");
    assert!(!sent.all().contains(OPS_PASSWORD));
    assert_eq!(
        m2.must("cat /tmp/of-m1/sub/b; stat -c %U /tmp/of-m1/sub/b"),
        "two\nops\n"
    );
    assert_eq!(m1.must("cat /tmp/again/of-m1/sub/b").trim(), "two");
    assert_eq!(run(&[]).expect(0).count("m2", "changed"), 0);
    // from there no container can be reached
    let book = bed.file("into.yml", INTO_CONTAINER);
    let refused = play(&bed, &book, &[]).expect(2);
    assert!(
        refused
            .all()
            .replace('\n', " ")
            .contains("rsync on m1 cannot reach box over the connection `docker`"),
        "{refused}"
    );
    m1.must("rm -rf /tmp/between /tmp/again /opt/rsync /usr/local/bin/rsync");
    m2.must("rm -rf /tmp/of-m1 /opt/rsync /usr/local/bin/rsync");
}

#[test]
fn trees_go_to_machines_and_come_back() {
    let Some(bed) = bed::shared() else { return };
    let Some(rsync) = rsync() else { return };
    let m1 = &bed.machines[0];
    bed.file("tree/a", "one");
    bed.file("tree/sub/b", "two");
    let tree = format!("tree={}", bed.directory.join("tree").display());
    let book = bed.file("sync.yml", BOOK);
    let run = |more: &[&str]| play(&bed, &book, &[&["-e", &tree][..], more].concat());

    m1.must("rm -rf /var/tmp/synced /var/tmp/twice /usr/local/bin/rsync");
    let missing = run(&[]).expect(2);
    assert!(
        missing
            .all()
            .replace('\n', " ")
            .contains("install rsync on that machine"),
        "{missing}"
    );
    bring_rsync(&bed, &rsync);

    let foretold = run(&["--check"]).expect(0);
    assert_eq!(foretold.count("m1", "changed"), 1, "{foretold}");
    assert_eq!(m1.must("ls /var/tmp | grep -c synced || true").trim(), "0");
    assert_eq!(run(&[]).expect(0).count("m1", "changed"), 1);
    assert_eq!(
        m1.must("cat /var/tmp/synced/a /var/tmp/synced/sub/b"),
        "onetwo"
    );
    assert_eq!(run(&[]).expect(0).count("m1", "changed"), 0);
    assert_eq!(m1.must("stat -c %U /var/tmp/synced/a").trim(), "deploy");

    let back = bed.file("back.yml", BACK);
    assert_eq!(play(&bed, &back, &[]).expect(0).count("m1", "changed"), 2);
    let came =
        std::fs::read_to_string(bed.directory.join("pulled-back/synced/sub/b")).expect("it came");
    assert_eq!(came, "two");
    assert_eq!(play(&bed, &back, &[]).expect(0).count("m1", "changed"), 0);

    // as root there, though the login is another
    let as_root = ["-e", "root=true", "-e", "to=/root/synced"];
    assert_eq!(run(&as_root).expect(0).count("m1", "changed"), 1);
    assert_eq!(m1.must("stat -c %U /root/synced/a").trim(), "root");
    assert_eq!(run(&as_root).expect(0).count("m1", "changed"), 0);

    // with a password instead of a key
    let password = format!("ansible_password={OPS_PASSWORD}");
    let ops = ["-e", "ansible_user=ops", "-e", &password];
    let ops = [&ops[..], &["-e", "to=/tmp/of-ops"]].concat();
    let sent = run(&ops).expect(0);
    assert_eq!(sent.count("m1", "changed"), 1, "{sent}");
    assert!(!sent.all().contains(OPS_PASSWORD));
    assert_eq!(m1.must("stat -c %U /tmp/of-ops/a").trim(), "ops");
    let asked = run(&[&ops[..], &["-e", "root=true", "-e", "to=/tmp/x"]].concat()).expect(2);
    assert!(
        asked
            .all()
            .replace('\n', " ")
            .contains("with sudo without one"),
        "{asked}"
    );

    // who is not known is not trusted
    let nobody = bed.file("nobody", "").display().to_string();
    let strange = format!(
        "{{\"ansible_ssh_common_args\": \"-o UserKnownHostsFile={nobody} -o StrictHostKeyChecking=yes\"}}"
    );
    let refused = run(&["-e", &strange]).expect(2);
    assert!(refused.all().contains("verify_host: false"), "{refused}");
    m1.must("rm -rf /var/tmp/synced /var/tmp/twice /root/synced /tmp/of-ops /opt/rsync /usr/local/bin/rsync");
    bed.machines[1].must("rm -rf /opt/rsync /usr/local/bin/rsync");
}
