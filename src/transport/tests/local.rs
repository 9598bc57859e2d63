//! Requests over local child processes, faults included.

use super::*;
use std::collections::HashMap;
use std::time::{Duration, Instant};

async fn local(agent: &AgentFile) -> Machine {
    let options = options(agent.directory.path());
    Machine::connect(
        ConnectionKind::Local,
        Target::default(),
        &agent.binaries(),
        &options,
    )
    .await
    .unwrap()
}

#[test]
fn runs_calls_in_order_and_stops_at_a_failure() {
    let agent = AgentFile::new("order");
    within(async {
        let machine = local(&agent).await;
        let calls = || {
            vec![
                call("echo", "msg", "a"),
                call("fail", "", ""),
                call("echo", "msg", "c"),
            ]
        };
        let all = machine
            .run(None, calls(), false, &NoBlobs, None)
            .await
            .unwrap();
        assert_eq!(all.iter().map(text).collect::<Vec<_>>(), ["a", "no", "c"]);
        let some = machine
            .run(None, calls(), true, &NoBlobs, None)
            .await
            .unwrap();
        assert_eq!(some.len(), 2);
        let hello = machine.start(None).await.unwrap();
        assert_eq!(hello.version, "test");
        let traffic = machine.counters();
        assert!(
            traffic.requests == 2
                && traffic.sent > 100
                && traffic.received > 100
                && traffic.uploaded == 0
        );
        assert!(traffic.agent_start > Duration::ZERO);
        machine.close().await;
    });
}

#[test]
fn overlapping_requests_get_their_own_answers() {
    let agent = AgentFile::new("overlap");
    within(async {
        let machine = local(&agent).await;
        let tasks = (0..20).map(|n| {
            let machine = machine.clone();
            async move {
                let calls = vec![call("echo", "msg", &n.to_string())];
                let outcomes = machine
                    .run(None, calls, true, &NoBlobs, None)
                    .await
                    .unwrap();
                assert_eq!(text(&outcomes[0]), n.to_string());
            }
        });
        futures_util::future::join_all(tasks).await;
    });
}

#[test]
fn contents_travel_both_ways() {
    let agent = AgentFile::new("blobs");
    within(async {
        let machine = local(&agent).await;
        let large: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_le_bytes).collect();
        let file = agent.directory.path().join("large");
        std::fs::write(&file, &large).unwrap();
        let sha = sha256(&large);
        let (exact, empty) = (vec![7_u8; 2 * (128 << 10)], Vec::new());
        let exact_file = agent.directory.path().join("exact");
        std::fs::write(&exact_file, &exact).unwrap();
        let blobs = HashMap::from([
            (sha.clone(), BlobContent::File(file)),
            (sha256(&exact), BlobContent::File(exact_file)),
            (sha256(&empty), BlobContent::Bytes(empty.clone().into())),
        ]);
        let calls = [sha, sha256(&exact), sha256(&empty), sha256(b"unknown")];
        let calls = calls
            .iter()
            .map(|sha| call("blob", "sha256", sha))
            .collect();
        let outcomes = machine.run(None, calls, false, &blobs, None).await.unwrap();
        let said: Vec<_> = outcomes.iter().map(text).collect();
        assert_eq!(
            said,
            ["4000000", "262144", "0", "content is not what was promised"]
        );
        let mut sink = MemorySink::default();
        let outcomes = machine
            .run(
                None,
                vec![call("fetch", "", "")],
                true,
                &NoBlobs,
                Some(&mut sink),
            )
            .await
            .unwrap();
        assert_eq!(
            sink.files.get(text(&outcomes[0])).map(Vec::len),
            Some(300_000)
        );
    });
}

#[test]
fn a_killed_agent_is_lost_and_the_next_request_starts_another() {
    let agent = AgentFile::new("killed");
    within(async {
        let machine = local(&agent).await;
        let before = machine.start(None).await.unwrap().pid;
        let error = machine
            .run(None, vec![call("die", "", "")], true, &NoBlobs, None)
            .await
            .unwrap_err();
        let said = error.to_string();
        assert!(matches!(error, TransportError::Lost { .. }), "{said}");
        assert!(
            said.contains("SIGABRT") && said.contains("out of memory"),
            "{said}"
        );
        let outcomes = machine
            .run(
                None,
                vec![call("echo", "msg", "again")],
                true,
                &NoBlobs,
                None,
            )
            .await
            .unwrap();
        assert_eq!(text(&outcomes[0]), "again");
        assert_ne!(machine.start(None).await.unwrap().pid, before);
    });
}

#[test]
fn garbage_in_the_stream_is_a_protocol_error() {
    let agent = AgentFile::new("garbage");
    within(async {
        let machine = local(&agent).await;
        let error = machine
            .run(None, vec![call("garbage", "", "")], true, &NoBlobs, None)
            .await
            .unwrap_err();
        assert!(matches!(error, TransportError::Protocol { .. }), "{error}");
    });
}

#[test]
fn a_dropped_request_is_cancelled_there() {
    let agent = AgentFile::new("dropped");
    within(async {
        let machine = local(&agent).await;
        machine.start(None).await.unwrap();
        let waiting = machine.run(None, vec![call("wait", "", "")], true, &NoBlobs, None);
        assert!(
            tokio::time::timeout(Duration::from_millis(200), waiting)
                .await
                .is_err()
        );
        // The agent of the test answers nothing else before it was cancelled.
        let next = machine.run(
            None,
            vec![call("echo", "msg", "free")],
            true,
            &NoBlobs,
            None,
        );
        let outcomes = tokio::time::timeout(Duration::from_secs(10), next)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(text(&outcomes[0]), "free");
    });
}

#[test]
fn cancel_is_bounded_and_answers_come() {
    let agent = AgentFile::new("cancel");
    within(async {
        let machine = local(&agent).await;
        machine.start(None).await.unwrap();
        let other = machine.clone();
        let waiting = tokio::spawn(async move {
            other
                .run(None, vec![call("wait", "", "")], true, &NoBlobs, None)
                .await
        });
        tokio::time::sleep(Duration::from_millis(200)).await;
        let begun = Instant::now();
        machine.cancel().await;
        assert!(begun.elapsed() < Duration::from_secs(4));
        let outcomes = waiting.await.unwrap().unwrap();
        assert_eq!(text(&outcomes[0]), "cancelled");
    });
}

#[test]
fn raw_keeps_status_and_streams_apart() {
    let agent = AgentFile::new("raw");
    within(async {
        let machine = local(&agent).await;
        let output = machine
            .raw(None, "cat; echo err >&2; exit 3", b"in", None)
            .await
            .unwrap();
        assert_eq!(
            (output.rc, &output.stdout[..], &output.stderr[..]),
            (3, &b"in"[..], &b"err\n"[..])
        );
        let output = machine
            .raw(None, "echo $0 'it''s'", b"", Some("/bin/sh"))
            .await
            .unwrap();
        assert_eq!(output.stdout, b"/bin/sh its\n");
        let large = vec![b'z'; 1 << 20];
        let output = machine.raw(None, "cat", &large, None).await.unwrap();
        assert!(output.stdout == large);
    });
}

#[test]
fn an_agent_that_does_not_start_says_so() {
    let agent = AgentFile::new("broken");
    std::fs::write(
        &agent.path,
        "#!/bin/sh\necho 'cannot do that' >&2; exit 9\n",
    )
    .unwrap();
    within(async {
        let machine = local(&agent).await;
        let error = machine.start(None).await.unwrap_err().to_string();
        assert!(
            error.contains("exit status 9") && error.contains("cannot do that"),
            "{error}"
        );
    });
}

#[test]
fn a_fake_machine_answers_from_a_function() {
    within(async {
        let machine = Machine::fake(
            FakeMachine::new(|call| Outcome::ok().with("msg", call.module.as_str()))
                .with_raw(|line| (0, line.to_uppercase())),
        );
        let outcomes = machine
            .run(None, vec![call("ping", "", "")], true, &NoBlobs, None)
            .await
            .unwrap();
        assert_eq!(text(&outcomes[0]), "ping");
        let sudo = Become::sudo("root");
        assert!(
            machine
                .run(
                    Some(&sudo),
                    vec![call("ping", "", "")],
                    true,
                    &NoBlobs,
                    None
                )
                .await
                .is_ok()
        );
        assert_eq!(
            machine.raw(None, "id", b"", None).await.unwrap().stdout,
            b"ID"
        );
    });
}
