//! The bed itself: machines come up as promised.

use super::bed;
use super::bed::Must;

#[test]
fn machines_boot_without_python_and_let_deploy_in() {
    let Some(bed) = bed::boot(&["m1", "m2", "m3"]) else {
        return;
    };
    for machine in &bed.machines {
        assert_eq!(machine.must("hostname").trim(), machine.name);
        let python = machine
            .ssh("command -v python3 python python2 perl6; ls /usr/bin/python* /usr/lib/python*");
        assert_eq!(python.stdout, "", "a target must not need Python");
        let who = machine.ssh_as("deploy", "id -un && sudo -n id -un");
        assert_eq!(
            (who.rc, who.stdout.as_str()),
            (0, "deploy\nroot\n"),
            "{who:?}"
        );
        let state = machine.must("systemctl is-system-running || systemctl --failed --no-legend");
        assert_eq!(state.trim(), "running", "{}", machine.name);
    }
    let (first, last) = (&bed.machines[0], &bed.machines[2]);
    first.must(&format!("timeout 5 bash -c '</dev/tcp/{}/22'", last.addr));
    let offline =
        first.ssh("apt-get install -qq --no-download etcd-client >/dev/null && etcdctl version");
    assert!(offline.stdout.contains("3.4"), "{offline:?}");
}

#[test]
fn dropping_a_bed_leaves_nothing() {
    let Some(bed) = bed::boot(&["m1"]) else {
        return;
    };
    let (directory, address) = (bed.directory.clone(), bed.machines[0].addr);
    drop(bed);
    assert!(!directory.exists(), "{}", directory.display());
    let mounts = std::fs::read_to_string("/proc/self/mounts").expect("mounts");
    assert!(
        !mounts.contains(&directory.display().to_string()),
        "{mounts}"
    );
    let addresses = bed::run(
        std::process::Command::new("ip").args(["-4", "-o", "addr"]),
        std::time::Duration::from_secs(10),
    )
    .expect("ip");
    let network = address.octets();
    let gone = format!("198.18.{}.1/", network[2]);
    assert!(
        !bed::text(&addresses.stdout).contains(&gone),
        "the bridge is still there"
    );
}
