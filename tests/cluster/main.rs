//! The modules for Kubernetes, etcd and containers against the real programs, on loopback.
//!
//! What is needed: `etcd` on the path, and for Kubernetes a `kube-apiserver` there or in the directory that
//! `RUNBOOK_KUBERNETES` names; `containerd` and `ctr` for images. Without them a test says `SKIPPED` and passes;
//! `RUNBOOK_REQUIRE_CLUSTER=1` makes it fail instead. Each test has a lab of its own: directory, ports, processes.

mod lab;

use lab::{Lab, Run};
use serde_json::{Value, json};

/// The outcome of a task of one host, by the task's name.
fn of<'a>(run: &'a Run, task: &str) -> &'a Value {
    run.results
        .iter()
        .find(|(name, _)| name == task)
        .map_or(&Value::Null, |(_, result)| result)
}

/// What the task's result says.
fn message_of(run: &Run, task: &str) -> String {
    let message = of(run, task)["msg"].as_str();
    message.unwrap_or_default().to_owned()
}

/// Runs a playbook in check mode, for real, and again: check mode foretells what is done, and the second run does nothing.
fn lawful(lab: &Lab, playbook: &str, extra: &[&str]) -> Run {
    let check = lab.play(playbook, &[extra, &["--check"]].concat());
    let done = lab.play(playbook, extra);
    let again = lab.play(playbook, extra);
    assert_eq!(done.failed, 0, "{}", done.text);
    assert_eq!(
        (check.changed, check.failed),
        (done.changed, 0),
        "check mode foretells:\n{}",
        check.text
    );
    assert_eq!(
        again.changed, 0,
        "the second run changes nothing:\n{}",
        again.text
    );
    done
}

#[test]
fn etcd_users_roles_and_keys() {
    let Some(lab) = Lab::etcd() else { return };
    let done = lawful(&lab, "etcd-auth.yml", &[]);
    assert_eq!(done.changed, 9, "{}", done.text);
    // from now on everybody must say who they are
    let run = lab.play("etcd-denied.yml", &[]);
    assert_eq!(run.failed, 0, "{}", run.text);
    let message = |task: &str| message_of(&run, task);
    assert!(
        message("flannel reads what is not its own").contains("permission denied"),
        "{}",
        run.text
    );
    assert!(
        message("nobody").contains("permission denied"),
        "{}",
        run.text
    );
    assert!(
        message("another authority").contains("UnknownIssuer"),
        "{}",
        run.text
    );
    assert_eq!(
        of(&run, "by password")["value"],
        json!("{\"Network\":\"10.1.0.0/16\"}")
    );
    let changed = lab.play("etcd-auth.yml", &["-e", "pw=two", "-e", "allowed=read"]);
    assert_eq!(
        (changed.changed, changed.failed),
        (2, 0),
        "{}",
        changed.text
    );
    assert!(
        !changed.text.contains("secret-two"),
        "a password is shown:\n{}",
        changed.text
    );
    let again = lab.play("etcd-auth.yml", &["-e", "pw=two", "-e", "allowed=read"]);
    assert_eq!((again.changed, again.failed), (0, 0), "{}", again.text);
    let gone = lab.play("etcd-gone.yml", &[]);
    assert_eq!((gone.changed, gone.failed), (4, 0), "{}", gone.text);
    assert_eq!(lab.play("etcd-gone.yml", &[]).changed, 0);
}

#[test]
fn objects_are_applied_by_the_server() {
    let Some(lab) = Lab::kubernetes() else { return };
    let done = lawful(&lab, "objects.yml", &[]);
    assert_eq!(done.changed, 4, "{}", done.text);
    assert_eq!(
        of(&done, "deployments")["resources"][0]["spec"]["replicas"],
        json!(2)
    );
    assert_eq!(of(&done, "no such kind")["api_found"], json!(false));
    let manager = &of(&done, "many")["results"][0]["result"]["metadata"]["managedFields"][0];
    let said = (&manager["manager"], &manager["operation"]);
    assert_eq!(said, (&json!("runbook"), &json!("Apply")), "{manager}");
    // one value changes in three objects; the secret is not shown
    let check = lab.play("objects.yml", &["-e", "v=2", "--check", "--diff"]);
    let changed = lab.play("objects.yml", &["-e", "v=2", "--diff"]);
    assert_eq!((check.changed, changed.changed), (1, 1), "{}", changed.text);
    assert!(
        changed.text.contains("a: '2'") && changed.text.contains("[hidden, another one]"),
        "{}",
        changed.text
    );
    assert!(
        !changed.text.contains("hunter") && !changed.text.contains("aHVudGVy"),
        "{}",
        changed.text
    );
    let data = lab.kubectl(&[
        "get",
        "secret",
        "s",
        "-n",
        "demo",
        "-o",
        "jsonpath={.data.pw}",
    ]);
    assert!(data.is_none_or(|data| data == "aHVudGVyMg=="));
}

#[test]
fn a_node_is_drained() {
    let Some(lab) = Lab::kubernetes() else { return };
    let run = lab.play("drain.yml", &[]);
    assert_eq!(run.failed, 0, "{}", run.text);
    let message = |task: &str| message_of(&run, task);
    assert!(message("no such node").contains("nowhere"), "{}", run.text);
    let refused = message("pods that nobody makes again");
    assert!(
        refused.contains("pod default/bare is of no controller") && refused.contains("scratch"),
        "{}",
        run.text
    );
    assert!(
        message("held back").contains("disruption budget"),
        "{}",
        run.text
    );
}

#[test]
fn conflicts_waiting_pruning_and_deleting() {
    let Some(lab) = Lab::kubernetes() else { return };
    let run = lab.play("manners.yml", &[]);
    assert_eq!(run.failed, 0, "{}", run.text);
    let message = |task: &str| message_of(&run, task);
    assert!(
        message("a field of another manager").contains("force_conflicts=true"),
        "{}",
        run.text
    );
    assert!(
        message("a field of another manager").contains(".data.a"),
        "{}",
        run.text
    );
    assert!(
        message("never ready").contains("in 2 seconds"),
        "{}",
        run.text
    );
    assert!(
        message("never gone").contains("runbook.test/hold"),
        "{}",
        run.text
    );
    assert!(message("not allowed").contains("forbidden"), "{}", run.text);
    assert!(
        message("an unknown authority").contains("UnknownIssuer"),
        "{}",
        run.text
    );
    assert!(
        message("unverified").contains("must prove who it is"),
        "{}",
        run.text
    );
    assert!(
        message("an unknown kind").contains("does not know"),
        "{}",
        run.text
    );
    for (task, changed) in [
        ("taken over", true),
        ("taken over, again", false),
        ("pruned", true),
        ("pruned, again", false),
        ("what another manager made is left", true),
        ("deleted", true),
        ("deleted, again", false),
        ("deleted while it goes", false),
        ("by a token", false),
    ] {
        assert_eq!(
            of(&run, task)["changed"],
            json!(changed),
            "{task}:\n{}",
            run.text
        );
    }
    assert_eq!(
        of(&run, "what is left")["resources"]
            .as_array()
            .map(Vec::len),
        Some(1),
        "{}",
        run.text
    );
}

#[test]
fn kubeconfigs_that_lead_there() {
    let Some(lab) = Lab::kubernetes() else { return };
    let done = lawful(&lab, "kubeconfigs.yml", &[]);
    assert_eq!(done.changed, 6, "{}", done.text);
    for task in ["with pkcs8", "with pkcs1", "with sec1", "by paths"] {
        assert_eq!(
            of(&done, task)["resources"][0]["metadata"]["name"],
            json!("default"),
            "{task}:\n{}",
            done.text
        );
    }
    if let Some(names) = lab.kubectl_with("two.conf", &["get", "namespaces", "-o", "name"]) {
        assert!(names.contains("namespace/kube-system"), "{names}");
    }
}

#[test]
fn images_of_archives() {
    let Some(lab) = Lab::containerd() else { return };
    let done = lawful(&lab, "images.yml", &[]);
    assert_eq!(done.changed, 2, "{}", done.text);
    // the same name, another content
    lab.pack("other.tar", "registry.lab/tiny:1", "other");
    let run = lab.play("images.yml", &["-e", "archive=other.tar"]);
    assert_eq!((run.changed, run.failed), (1, 0), "{}", run.text);
    let gone = lab.play("images-gone.yml", &[]);
    assert_eq!((gone.changed, gone.failed), (1, 0), "{}", gone.text);
    assert_eq!(lab.play("images-gone.yml", &[]).changed, 0);
}

/// The role `pki` for three hosts, all on this machine.
fn pki(lab: &Lab, extra: &[&str]) -> Run {
    let run = lab.run("pki-role.yml", &[&["-i", "pki-hosts.yml"], extra].concat());
    assert_eq!(run.failed, 0, "{}", run.text);
    run
}

/// Identities that were issued, as host and name.
fn issued(run: &Run) -> Vec<String> {
    let tasks = run
        .results
        .iter()
        .filter(|(name, _)| name.ends_with("Identities of the host"));
    let items =
        tasks.flat_map(|(_, result)| result["results"].as_array().cloned().unwrap_or_default());
    items
        .filter(|item| item["changed"] == json!(true))
        .filter_map(|item| {
            let path = item["cert_path"].as_str()?.to_owned();
            path.split("/hosts/").nth(1).map(str::to_owned)
        })
        .collect()
}

#[test]
fn identities_of_a_cluster() {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("SKIPPED (loud): the role pki gives files to root");
        return;
    }
    let lab = Lab::new();
    assert_eq!(issued(&pki(&lab, &[])).len(), 17);
    assert_eq!(pki(&lab, &[]).changed, 0, "the second run changes nothing");
    let mode = |path: &str| {
        use std::os::unix::fs::PermissionsExt;
        std::fs::metadata(lab.path(path))
            .expect("there")
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!(mode("made"), 0o700);
    assert_eq!(mode("on/w1/kubernetes/pki/kubelet.key"), 0o600);
    assert!(
        !lab.path("on/w1/kubernetes/pki/ca.key").exists(),
        "workers cannot sign"
    );
    assert!(!lab.path("on/w1/kubernetes/pki/etcd-ca.crt").exists());
    // each verifies with its own authority only
    let verifies = |ca: &str, certificate: &str| {
        let output = std::process::Command::new("openssl")
            .args(["verify", "-x509_strict", "-CAfile"])
            .args([lab.path(ca), lab.path(certificate)])
            .output();
        output.map_or(None, |output| Some(output.status.success()))
    };
    for (ca, certificate, expected) in [
        (
            "made/kubernetes/ca.crt",
            "on/w1/kubernetes/pki/kubelet.crt",
            true,
        ),
        ("made/etcd/ca.crt", "on/m1/etcd/pki/member.crt", true),
        (
            "made/front-proxy/ca.crt",
            "on/m1/kubernetes/pki/front-proxy-client.crt",
            true,
        ),
        (
            "made/etcd/ca.crt",
            "on/w1/kubernetes/pki/kubelet.crt",
            false,
        ),
    ] {
        assert!(
            verifies(ca, certificate).is_none_or(|found| found == expected),
            "{certificate} by {ca}"
        );
    }
    // a name for the API servers issues one certificate again
    let named = [
        "-e",
        r#"{"pki_apiserver_names": ["10.0.0.100", "api.lab"]}"#,
    ];
    assert_eq!(issued(&pki(&lab, &named)), ["m1/apiserver.crt"]);
    assert_eq!(pki(&lab, &named).changed, 0);
    // all are near their end when that is said to be far away
    let renewed = pki(
        &lab,
        &[
            &named[..],
            &["-e", "pki_renew_before=366d", "-e", "pki_leaf_days=700"],
        ]
        .concat(),
    );
    assert_eq!(issued(&renewed).len(), 17, "{}", renewed.text);
    assert_eq!(pki(&lab, &named).changed, 0);
}

#[test]
fn identities_whose_keys_stay_on_the_hosts() {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("SKIPPED (loud): the role pki gives files to root");
        return;
    }
    let lab = Lab::new();
    let node = ["-e", "pki_key_location=node"];
    assert!(pki(&lab, &node).changed > 0);
    assert_eq!(
        pki(&lab, &node).changed,
        0,
        "the second run changes nothing"
    );
    assert!(lab.path("on/w2/kubernetes/pki/kubelet.key").exists());
    assert!(lab.path("made/hosts/w2/kubelet.crt").exists());
    assert!(
        !lab.path("made/hosts/w2/kubelet.key").exists(),
        "a key left its host"
    );
}
