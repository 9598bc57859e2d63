//! The etcd role on three machines, from nothing to a cluster, and what follows.

use super::bed::Must;
use super::bed::{self, Bed};
use super::play::{Run, play, project};

const NAMES: [&str; 3] = ["etcd-01", "etcd-02", "etcd-03"];

const ETCDCTL: &str =
    "cd /etc/etcd/pki && etcdctl --cacert=ca.crt --cert=client.crt --key=client.key";

fn converge(bed: &Bed, more: &[&str]) -> Run {
    let lab = project("inventories/lab").display().to_string();
    let keys = format!("pki_dir={}", bed.directory.join("pki").display());
    let mut arguments = vec!["-i", &lab, "-e", &keys, "-e", "etcd_update_cache=false"];
    arguments.extend(more);
    play(bed, &project("playbooks/etcd.yml"), &arguments)
}

fn changed(run: &Run) -> u32 {
    NAMES.iter().map(|name| run.count(name, "changed")).sum()
}

#[test]
fn a_cluster_comes_up_stays_and_is_repaired() {
    let Some(bed) = bed::boot(&NAMES) else { return };

    let first = converge(&bed, &[]).expect(0);
    assert!(
        NAMES.iter().all(|name| first.count(name, "changed") > 3),
        "{first}"
    );
    is_healthy(&bed);

    let second = converge(&bed, &[]).expect(0);
    assert_eq!(changed(&second), 0, "not idempotent: {second}");

    converge(&bed, &["--verify"]).expect(0);

    let tagged = converge(&bed, &["--tags", "test"]).expect(0);
    assert!(
        tagged.stdout.contains("Read through each member"),
        "{tagged}"
    );
    assert!(!tagged.stdout.contains("[etcd : Packages]"), "{tagged}");

    the_prediction_comes_true(&bed);
    bad_settings_stop_at_the_first_member(&bed);
}

fn is_healthy(bed: &Bed) {
    let endpoints: Vec<String> = bed
        .machines
        .iter()
        .map(|machine| format!("https://{}:2379", machine.addr))
        .collect();
    let endpoints = endpoints.join(",");
    bed.machines[0].must(&format!(
        "{ETCDCTL} --endpoints={endpoints} endpoint health"
    ));
    bed.machines[0].must(&format!(
        "{ETCDCTL} --endpoints=https://{}:2379 put /k v1",
        bed.machines[0].addr
    ));
    let read = bed.machines[2].must(&format!(
        "{ETCDCTL} --endpoints=https://127.0.0.1:2379 get --print-value-only /k"
    ));
    assert_eq!(read, "v1\n");
    let stranger = bed.machines[1].ssh(&format!(
        "cd /etc/etcd/pki && etcdctl --cacert=ca.crt --command-timeout=3s --endpoints=https://{}:2379 get /k",
        bed.machines[0].addr
    ));
    assert_ne!(stranger.rc, 0, "without a certificate: {stranger:?}");
}

/// After drift, check mode names the changes of the next run, and changes nothing itself.
fn the_prediction_comes_true(bed: &Bed) {
    let drifted = &bed.machines[1];
    drifted.must("echo '# drift' >> /etc/default/etcd; chmod 600 /etc/etcd/pki/client.crt");
    let state = "find /etc/default/etcd /etc/etcd /var/lib/etcd -maxdepth 2 -printf '%p %m %u %s %T@\\n' | sort; \
                 systemctl show etcd --property=MainPID";
    let before = drifted.must(state);
    let predicted = converge(bed, &["--check", "--diff"]).expect(0);
    assert_eq!(
        drifted.must(state),
        before,
        "check mode changed something: {predicted}"
    );

    let repaired = converge(bed, &["--diff"]).expect(0);
    assert_eq!(
        predicted.changes(),
        repaired.changes(),
        "check: {predicted}\nrun: {repaired}"
    );
    assert_eq!(
        predicted.diff_lines(),
        repaired.diff_lines(),
        "check: {predicted}\nrun: {repaired}"
    );
    assert!(
        repaired.diff_lines().contains(&"-# drift".to_owned()),
        "{repaired}"
    );
    assert_eq!(
        (
            repaired.count("etcd-01", "changed"),
            repaired.count("etcd-03", "changed")
        ),
        (0, 0),
        "{repaired}"
    );
    assert!(!repaired.stdout.contains("PRIVATE KEY"), "a key in a diff");
    is_healthy(bed);
}

/// A heartbeat that is too long for the election timeout: etcd refuses to start with it.
fn bad_settings_stop_at_the_first_member(bed: &Bed) {
    let settings = r#"{"etcd_settings": {"ETCD_HEARTBEAT_INTERVAL": 250}}"#;
    let broken = converge(bed, &["-e", settings]).expect(2);
    assert_eq!(broken.count("etcd-01", "failed"), 1, "{broken}");
    for machine in &bed.machines[1..] {
        assert_eq!(
            machine.must("systemctl is-active etcd"),
            "active\n",
            "{}: {broken}",
            machine.name
        );
    }
    converge(bed, &[]).expect(0);
    is_healthy(bed);
}
