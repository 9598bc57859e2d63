//! The agent driven over pipes, in this process.

mod connection;
mod modules;

use crate::value::{Map, Value};
use crate::wire::{Call, FromAgent, ToAgent};
use connection::Connection;
use std::time::{Duration, Instant};

fn call(module: &str, args: Map) -> Call {
    Call {
        module: module.into(),
        args,
        check: false,
        diff: false,
        no_log: false,
        replan: false,
        environment: Vec::new(),
        timeout: None,
        background: None,
    }
}

fn run(id: u64, calls: Vec<Call>) -> ToAgent {
    ToAgent::Run {
        id,
        calls,
        stop_on_failure: true,
    }
}

fn digest(bytes: &[u8]) -> String {
    crate::sys::hex(&<sha2::Sha256 as sha2::Digest>::digest(bytes))
}

#[test]
fn greets_and_runs_calls_in_order_until_one_fails() {
    let mut agent = Connection::open();
    agent.send(&run(
        1,
        vec![
            call("ping", Map::new()),
            call("ansible.builtin.ping", Map::new().with("data", "two")),
            call("ping", Map::new().with("data", "crash")),
            call("ping", Map::new()),
        ],
    ));
    let outcomes = agent.outcomes(1);
    let pings: Vec<_> = outcomes.iter().map(|o| o.data.get("ping")).collect();
    assert_eq!(
        pings,
        [Some(&Value::data("pong")), Some(&Value::data("two")), None]
    );
    let crashed = outcomes.last().and_then(|o| o.data.get("module_stderr"));
    assert_eq!(crashed, Some(&Value::data("Exception: boom\n")));
    agent.send(&ToAgent::Bye);
    agent.ends().expect("in order");
}

#[test]
fn an_unknown_module_is_named() {
    let mut agent = Connection::open();
    agent.send(&run(1, vec![call("nosuch.thing", Map::new())]));
    let outcomes = agent.outcomes(1);
    assert!(outcomes[0].failed);
    assert!(
        outcomes[0]
            .message()
            .expect("why")
            .contains("`nosuch.thing`")
    );
}

#[test]
fn a_crash_is_a_failed_outcome_and_the_agent_lives_on() {
    let mut agent = Connection::open();
    agent.send(&run(1, vec![call("test_panic", Map::new())]));
    let message = agent.outcomes(1)[0].message().expect("why").to_owned();
    assert!(
        message.starts_with("module test_panic crashed: out of cheese"),
        "{message}"
    );
    agent.send(&run(2, vec![call("ping", Map::new())]));
    assert!(!agent.outcomes(2)[0].failed);
}

#[test]
fn a_hanging_command_is_cancelled_while_another_request_is_answered() {
    let mut agent = Connection::open();
    let calls = vec![call("test_sleep", Map::new()), call("ping", Map::new())];
    agent.send(&run(1, calls));
    agent.send(&run(2, vec![call("ping", Map::new())]));
    assert!(!agent.outcomes(2)[0].failed);
    let begun = Instant::now();
    agent.send(&ToAgent::Cancel { id: 1 });
    let outcomes = agent.outcomes(1);
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(outcomes.len(), 1, "the call after it is not run");
    // on a busy machine the thread of the first request may not have begun
    let why = outcomes[0].message().expect("why");
    assert!(why.starts_with("it was stopped"), "{why}");
}

#[test]
fn a_time_limit_stops_the_call_alone() {
    let mut agent = Connection::open();
    let mut slow = call("test_sleep", Map::new());
    slow.timeout = Some(1);
    agent.send(&ToAgent::Run {
        id: 1,
        calls: vec![slow, call("ping", Map::new())],
        stop_on_failure: false,
    });
    let outcomes = agent.outcomes(1);
    let message = outcomes[0].message().expect("why");
    assert!(
        message.contains("in the expected time frame (1)"),
        "{message}"
    );
    let period = outcomes[0]
        .data
        .get("timedout")
        .and_then(|t| t.get("period"));
    assert_eq!(period, Some(&Value::Int(1)));
    assert!(!outcomes[1].failed);
}

#[test]
fn the_end_of_the_stream_kills_what_runs() {
    let mut agent = Connection::open();
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("pid");
    let args = Map::new().with("pid_file", file.to_string_lossy().as_ref());
    agent.send(&run(1, vec![call("test_sleep", args)]));
    let begun = Instant::now();
    while !file.exists() && begun.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(10));
    }
    std::thread::sleep(Duration::from_millis(50));
    let pid = std::fs::read_to_string(&file).expect("it began");
    agent
        .hang_up()
        .expect("an end of stream is an end in order");
    assert!(
        !std::path::Path::new(&format!("/proc/{}/fd", pid.trim())).exists(),
        "process {pid} is still there"
    );
}

#[test]
fn a_content_is_asked_for_when_a_module_needs_it_and_removed_with_the_request() {
    let mut agent = Connection::open();
    let content = b"one two three".as_slice();
    let sha256 = digest(content);
    let args = Map::new().with("sha256", sha256.as_str());
    let calls = vec![call("test_blob", args.clone()), call("test_blob", args)];
    agent.send(&run(1, calls));
    let FromAgent::NeedBlob {
        id: 1,
        sha256: asked,
    } = agent.next()
    else {
        panic!("it did not ask");
    };
    assert_eq!(asked, sha256);
    agent.blob(&sha256, &content[..4], false);
    agent.blob(&sha256, &content[4..], true);
    let outcomes = agent.outcomes(1);
    assert_eq!(outcomes.len(), 2);
    let mut paths = Vec::new();
    for outcome in &outcomes {
        assert_eq!(outcome.data.get("text"), Some(&"one two three".into()));
        assert_eq!(outcome.data.get("mode"), Some(&"600 in 700".into()));
        paths.push(
            outcome
                .data
                .get("path")
                .and_then(Value::as_str)
                .expect("a path")
                .to_owned(),
        );
    }
    assert_eq!(
        agent.blobs.get(&sha256).map(Vec::as_slice),
        Some(content),
        "sent back"
    );
    assert!(!std::path::Path::new(&paths[0]).exists(), "it is kept");
    let args = Map::new().with("sha256", sha256.as_str());
    agent.send(&run(2, vec![call("test_blob", args)]));
    assert!(matches!(agent.next(), FromAgent::NeedBlob { id: 2, .. }));
    agent.blob(&sha256, content, true);
    assert!(!agent.outcomes(2)[0].failed);
    let directory = std::path::Path::new(&paths[0])
        .parent()
        .expect("one")
        .to_owned();
    agent.hang_up().expect("in order");
    assert!(!directory.exists());
}

#[test]
fn a_wrong_content_fails_the_call_and_can_be_sent_again() {
    let mut agent = Connection::open();
    let sha256 = digest(b"right");
    let args = Map::new().with("sha256", sha256.as_str());
    agent.send(&run(1, vec![call("test_blob", args.clone())]));
    assert!(matches!(agent.next(), FromAgent::NeedBlob { .. }));
    agent.blob(&sha256, b"wrong", true);
    let outcomes = agent.outcomes(1);
    assert!(outcomes[0].message().expect("why").contains(&sha256));
    agent.send(&run(2, vec![call("test_blob", args)]));
    assert!(matches!(agent.next(), FromAgent::NeedBlob { .. }));
    agent.blob(&sha256, b"right", true);
    assert!(!agent.outcomes(2)[0].failed);
}

#[test]
fn a_path_is_no_checksum() {
    let mut agent = Connection::open();
    let args = Map::new().with("sha256", "../../etc/passwd");
    agent.send(&run(1, vec![call("test_blob", args)]));
    assert!(
        agent.outcomes(1)[0]
            .message()
            .expect("why")
            .contains("not a SHA-256")
    );
}

#[test]
fn no_log_and_secret_arguments_do_not_leave() {
    let mut agent = Connection::open();
    let args = Map::new()
        .with("password", "hunter2")
        .with("port", 4711_i64);
    let open = call("test_echo", args.clone());
    let mut closed = call("test_echo", args);
    closed.no_log = true;
    agent.send(&run(1, vec![open, closed]));
    let outcomes = agent.outcomes(1);
    let shown = serde_json::to_string(&outcomes[0]).expect("json");
    assert!(
        !shown.contains("hunter2") && !shown.contains("4711"),
        "{shown}"
    );
    assert_eq!(
        outcomes[0].data.get("text"),
        Some(&"it is ********!".into())
    );
    assert!(outcomes[1].changed);
    assert_eq!(outcomes[1].data.len(), 1);
    let text = outcomes[1].data.get("censored").and_then(Value::as_str);
    assert!(text.is_some_and(|text| text.contains("'no_log: true'")));
}

#[test]
fn garbage_ends_the_session_with_an_error() {
    let mut agent = Connection::open();
    agent.raw(b"GET / HTTP/1.1\r\n\r\n");
    agent.ends().expect_err("not frames");
    let mut agent = Connection::open();
    let mut frame = Vec::new();
    frame.extend_from_slice(&9_u32.to_be_bytes());
    frame.extend_from_slice(&5_u32.to_be_bytes());
    frame.extend_from_slice(b"{nope");
    agent.raw(&frame);
    agent.ends().expect_err("not a message");
}
