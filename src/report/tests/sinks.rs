use super::run::{changed, command_failure, events, hidden, send, task};
use crate::report::{Fan, Human, HumanOptions, Json, Junit, Output, Palette, Progress, Timing};
use crate::result::{Event, EventSink, Outcome, Status};
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Text written by a sink.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Paper {
    fn output(&self) -> Output {
        Box::new(self.clone())
    }

    fn text(&self) -> String {
        String::from_utf8(
            self.0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone(),
        )
        .expect("UTF-8")
    }
}

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn human(options: HumanOptions) -> String {
    shown(options, &events())
}

fn shown(options: HumanOptions, events: &[Event]) -> String {
    let paper = Paper::default();
    send(&mut Human::new(paper.output(), options), events);
    paper.text()
}

#[test]
fn human_plain() {
    insta::assert_snapshot!(human(HumanOptions::default()));
}

#[test]
fn human_verbose_with_diffs() {
    insta::assert_snapshot!(human(HumanOptions {
        verbosity: 1,
        diff: true,
        ..HumanOptions::default()
    }));
}

#[test]
fn human_very_verbose() {
    let options = HumanOptions {
        verbosity: 3,
        ..HumanOptions::default()
    };
    let fails = task(3, "fails", "command");
    insta::assert_snapshot!(shown(
        options,
        &[
            fails.start(),
            fails.done("h", Status::Failed, command_failure())
        ]
    ));
}

#[test]
fn human_in_colour() {
    let options = HumanOptions {
        palette: Palette { color: true },
        diff: true,
        ..HumanOptions::default()
    };
    insta::assert_snapshot!(human(options).replace('\u{1b}', "␛"));
}

#[test]
fn human_showing_only_what_changed() {
    insta::assert_snapshot!(human(HumanOptions {
        show_ok: false,
        show_skipped: false,
        ..HumanOptions::default()
    }));
}

#[test]
fn human_failures_as_json() {
    let text = human(HumanOptions {
        json_failures: true,
        ..HumanOptions::default()
    });
    assert!(
        text.contains("fatal: [db1]: UNREACHABLE! => {\"changed\": false, \"msg\": \"no route to 198.18.0.9:22\\ncheck the address\", \"unreachable\": true}"),
        "{text}"
    );
}

#[test]
fn human_repeats_a_banner_when_tasks_interleave() {
    let (first, second) = (task(1, "one", "command"), task(2, "two", "command"));
    let events = [
        first.start(),
        first.done("a", Status::Ok, Outcome::ok()),
        second.start(),
        first.done("b", Status::Ok, Outcome::ok()),
    ];
    let text = shown(
        HumanOptions {
            width: 20,
            ..HumanOptions::default()
        },
        &events,
    );
    assert_eq!(
        text,
        "\nTASK [one] *********\nok: [a]\n\nTASK [two] *********\n\nTASK [one] *********\nok: [b]\n"
    );
}

#[test]
fn check_mode_is_marked_if_asked() {
    let play = Event::PlayStart {
        name: "p".into(),
        hosts: vec!["a".into()],
        check: true,
        strategy: "linear".into(),
    };
    let marked = HumanOptions {
        check_markers: true,
        width: 30,
        ..HumanOptions::default()
    };
    assert_eq!(
        shown(marked, std::slice::from_ref(&play)),
        "\nPLAY [p] [CHECK MODE] ********\n"
    );
    assert!(!shown(HumanOptions::default(), &[play]).contains("CHECK"));
}

#[test]
fn warnings_can_go_elsewhere_and_come_once() {
    let (out, err) = (Paper::default(), Paper::default());
    let mut sink = Human::new(out.output(), HumanOptions::default()).warnings_to(err.output());
    for _ in 0..2 {
        sink.event(&Event::Warning {
            message: "careful".into(),
        });
    }
    assert_eq!(
        (out.text().as_str(), err.text().as_str()),
        ("", "[WARNING]: careful\n")
    );
}

#[test]
fn json_lines() {
    let paper = Paper::default();
    send(&mut Json::new(paper.output()), &events());
    let lines: Vec<serde_json::Value> = paper
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).expect("each line is JSON"))
        .collect();
    assert_eq!(lines.len(), events().len());
    assert_eq!(
        lines
            .iter()
            .filter(|line| line.get("schema").is_some())
            .count(),
        1
    );
    insta::assert_snapshot!(paper.text());
}

#[test]
fn junit_document() {
    let paper = Paper::default();
    send(&mut Junit::new(paper.output()), &events());
    insta::assert_snapshot!(paper.text());
}

#[test]
fn junit_is_written_even_if_the_run_breaks_off() {
    let paper = Paper::default();
    let one = task(1, "a <b> & \u{1}", "command");
    send(
        &mut Junit::new(paper.output()),
        &[one.done("h", Status::Ok, Outcome::ok())],
    );
    assert!(
        paper
            .text()
            .contains("name=\"[h] : a &lt;b&gt; &amp; \u{fffd}\""),
        "{}",
        paper.text()
    );
}

#[test]
fn timing_tables() {
    let paper = Paper::default();
    send(&mut Timing::new(paper.output(), 3), &events());
    insta::assert_snapshot!(paper.text());
}

#[test]
fn secrets_come_out_nowhere() {
    let paper = Paper::default();
    let options = HumanOptions {
        verbosity: 3,
        diff: true,
        ..HumanOptions::default()
    };
    let mut all = Fan::new()
        .with(Human::new(paper.output(), options))
        .with(Human::new(paper.output(), HumanOptions::default()))
        .with(Json::new(paper.output()))
        .with(Junit::new(paper.output()))
        .with(Timing::new(paper.output(), 9));
    let secret = task(1, "secret", "command");
    let all_statuses = [
        Status::Ok,
        Status::Changed,
        Status::Skipped,
        Status::Failed,
        Status::Ignored,
        Status::Rescued,
        Status::Unreachable,
    ];
    for status in all_statuses {
        let leaving = Outcome {
            left_to_do: vec!["set hunter2".into()],
            diagnosis: None,
            ..command_failure()
        };
        all.event(&secret.item("h", 0, "hunter2", status, hidden(changed())));
        all.event(&secret.done("h", status, hidden(leaving)));
    }
    drop(all);
    assert!(
        paper.text().contains("no_log: true"),
        "the place of the secret is marked"
    );
    assert!(!paper.text().contains("hunter"), "{}", paper.text());
}

#[test]
fn progress_is_wiped_before_lines_and_at_the_end() {
    let paper = Paper::default();
    let clock = Arc::new(|| Duration::from_millis(1500));
    let inner = Human::new(
        paper.output(),
        HumanOptions {
            width: 20,
            ..HumanOptions::default()
        },
    );
    let one = task(1, "one", "command");
    let mut sink = Progress::around(inner, paper.output(), 40, clock);
    let play = Event::PlayStart {
        name: "p".into(),
        hosts: vec!["a".into(), "b".into()],
        check: false,
        strategy: "linear".into(),
    };
    send(
        &mut sink,
        &[play, one.start(), one.done("a", Status::Ok, Outcome::ok())],
    );
    drop(sink);
    let wiped = "\r\u{1b}[2K";
    assert_eq!(
        paper.text(),
        format!(
            "\nPLAY [p] ***********\n\nTASK [one] *********\none  0/2 hosts, 0.00s{wiped}ok: [a]\none  1/2 hosts, 0.00s{wiped}"
        )
    );
}
