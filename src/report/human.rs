//! The terminal report.

use super::censor::censor_for_terminal;
use super::dump::{dump, visible};
use super::failure::{describe, excerpt};
use super::{Label, Output, Palette, unified};
use crate::result::{Event, EventSink, HostStats, ItemInfo, Outcome, Stats, Status, TaskInfo};
use crate::value::{Map, Value};
use std::collections::HashSet;
use std::fmt::Write as _;
use std::io::Write as _;

/// How a run is shown. Documentation page of most of them: "ansible.builtin.default callback".
#[derive(Clone, Debug)]
pub struct HumanOptions {
    /// Colours.
    pub palette: Palette,
    /// Columns of a banner.
    pub width: usize,
    /// Number of `-v`: 1 adds results as JSON, 2 the places of tasks, 3 results on several lines.
    pub verbosity: u8,
    /// Show changes as diffs.
    pub diff: bool,
    /// Show hosts where nothing was changed.
    pub show_ok: bool,
    /// Show hosts that skipped a task.
    pub show_skipped: bool,
    /// Mark banners in check mode with `[CHECK MODE]`.
    pub check_markers: bool,
    /// Failures as JSON on the line, as Ansible prints them, also without `-v`.
    pub json_failures: bool,
}

impl Default for HumanOptions {
    fn default() -> Self {
        Self {
            palette: Palette::default(),
            width: 80,
            verbosity: 0,
            diff: false,
            show_ok: true,
            show_skipped: true,
            check_markers: false,
            json_failures: false,
        }
    }
}

/// Shows a run in the look of Ansible's `default` callback.
pub struct Human {
    out: Output,
    warnings: Option<Output>,
    options: HumanOptions,
    check: bool,
    /// Whether all hosts are at the same task.
    in_step: bool,
    /// The task whose banner is the last one shown.
    banner: Option<u64>,
    /// The play whose banner is the very last line.
    just_began: Option<String>,
    warned: HashSet<String>,
    /// Tasks and hosts of which an item was shown.
    items: HashSet<(u64, String)>,
}

/// One result: of a task or of one of its items.
struct Shown<'a> {
    task: &'a TaskInfo,
    host: &'a str,
    item: Option<&'a ItemInfo>,
    status: Status,
    outcome: &'a Outcome,
    delegated_to: Option<&'a str>,
}

impl Human {
    /// Writes everything to `out`.
    pub fn new(out: Output, options: HumanOptions) -> Self {
        Self {
            out,
            warnings: None,
            options,
            check: false,
            in_step: true,
            banner: None,
            just_began: None,
            warned: HashSet::new(),
            items: HashSet::new(),
        }
    }

    /// Writes warnings to another place (stderr).
    #[must_use]
    pub fn warnings_to(mut self, out: Output) -> Self {
        self.warnings = Some(out);
        self
    }

    fn line(&mut self, label: Option<Label>, text: &str) {
        let text = label.map_or_else(
            || text.to_owned(),
            |label| self.options.palette.paint(label, text),
        );
        let _ = writeln!(self.out, "{text}");
    }

    fn heading(&mut self, text: &str) {
        let text = format!(
            "{}{}",
            visible(text),
            if self.marked() { " [CHECK MODE]" } else { "" }
        );
        let stars = self
            .options
            .width
            .saturating_sub(console::measure_text_width(&text) + 1)
            .max(3);
        let _ = writeln!(self.out, "\n{text} {}", "*".repeat(stars));
    }

    fn marked(&self) -> bool {
        self.check && self.options.check_markers
    }

    fn play(&mut self, name: &str) {
        self.heading(&if name.is_empty() {
            "PLAY".to_owned()
        } else {
            format!("PLAY [{name}]")
        });
        self.banner = None;
        self.items.clear();
    }

    fn task_banner(&mut self, task: &TaskInfo) {
        if self.banner == Some(task.id) {
            return;
        }
        let kind = if task.handler {
            "RUNNING HANDLER"
        } else {
            "TASK"
        };
        self.heading(&format!("{kind} [{}]", full_name(task)));
        if self.options.verbosity >= 2 && !task.path.is_empty() {
            self.line(Some(Label::Faint), &format!("task path: {}", task.path));
        }
        self.banner = Some(task.id);
    }

    fn warn(&mut self, message: &str) {
        if !self.warned.insert(message.to_owned()) {
            return;
        }
        let lines: Vec<String> = message.lines().map(visible).collect();
        let text = self
            .options
            .palette
            .paint(Label::Warning, &format!("[WARNING]: {}", lines.join("\n")));
        let _ = writeln!(self.warnings.as_mut().unwrap_or(&mut self.out), "{text}");
    }

    fn result(&mut self, shown: &Shown<'_>) {
        let hidden = match shown.status {
            Status::Ok => !self.options.show_ok,
            Status::Skipped => !self.options.show_skipped,
            _ => false,
        };
        if !hidden {
            self.task_banner(shown.task);
            for warning in &shown.outcome.warnings {
                self.warn(warning);
            }
            if self.options.diff && shown.outcome.changed {
                for diff in &shown.outcome.diffs {
                    self.diff(&unified(diff));
                }
            }
            match shown.status {
                Status::Ok => self.success("ok", Label::Ok, shown),
                Status::Changed => self.success("changed", Label::Changed, shown),
                Status::Skipped => self.success("skipping", Label::Skipped, shown),
                Status::Failed | Status::Ignored | Status::Rescued | Status::Unreachable => {
                    self.failure(shown);
                }
            }
        }
        for step in &shown.outcome.left_to_do {
            let text = format!(
                "    not idempotent, still to do after it: {}",
                visible(step)
            );
            self.line(Some(Label::Warning), &text);
        }
    }

    fn success(&mut self, word: &str, label: Label, shown: &Shown<'_>) {
        let mut line = format!("{word}: [{}]", host_label(shown));
        if let Some(item) = shown.item {
            let _ = write!(line, " => (item={})", visible(&item.label));
        }
        if self.is_verbose(shown.outcome) {
            let _ = write!(line, " => {}", self.results(shown));
        }
        self.line(Some(label), &line);
    }

    fn failure(&mut self, shown: &Shown<'_>) {
        let mut line = match shown.item {
            // of an item the line says no more than that it failed
            None if shown.outcome.is_unreachable() || shown.status == Status::Unreachable => {
                format!("fatal: [{}]: UNREACHABLE!", host_label(shown))
            }
            Some(item) => format!(
                "failed: [{}] (item={})",
                host_label(shown),
                visible(&item.label)
            ),
            None => format!("fatal: [{}]: FAILED!", host_label(shown)),
        };
        let label = if shown.outcome.is_unreachable() {
            Label::Unreachable
        } else {
            Label::Failed
        };
        if self.options.json_failures || self.options.verbosity > 0 {
            let _ = write!(line, " => {}", self.results(shown));
            self.line(Some(label), &line);
            for line in excerpt(shown.outcome, self.options.palette.color).lines() {
                self.line(None, line);
            }
            let placed = shown
                .outcome
                .diagnosis
                .as_ref()
                .is_some_and(|diagnosis| diagnosis.span().is_some());
            if !placed && !shown.task.path.is_empty() && self.options.verbosity == 1 {
                self.line(Some(Label::Faint), &format!("    at: {}", shown.task.path));
            }
        } else {
            let (message, block) = describe(shown.outcome, shown.task, self.options.palette.color);
            let _ = write!(line, " => {message}");
            self.line(Some(label), &line);
            for line in block.lines() {
                self.line(None, line);
            }
        }
    }

    fn is_verbose(&self, outcome: &Outcome) -> bool {
        let flag = |name: &str| outcome.data.get(name).is_some_and(Value::truthy);
        (self.options.verbosity > 0 || flag("_ansible_verbose_always"))
            && !flag("_ansible_verbose_override")
    }

    /// The result as JSON, without what the line says already and what nobody asked for.
    fn results(&self, shown: &Shown<'_>) -> String {
        let Outcome {
            changed,
            unreachable,
            data,
            ..
        } = shown.outcome;
        let is_debug = base_name(&shown.task.action) == "debug";
        let mut map = Map::new();
        if !is_debug {
            map.set("changed", *changed);
        }
        if *unreachable {
            map.set("unreachable", true);
        }
        for (key, value) in data {
            let name = key.as_str().unwrap_or_default();
            let kept = match name {
                "invocation" | "diff" => self.options.verbosity >= 3,
                "exception" => false,
                "ansible_loop_var" | "item" => !is_debug,
                // of `debug`, only what it was asked to print
                "attempts" | "failed_when_result" => !(is_debug && data.get("msg").is_some()),
                _ => !name.starts_with("_ansible_"),
            };
            if kept {
                map.insert(key.clone(), value.clone());
            }
        }
        // `debug: var=item`: the item is what it was asked to print
        if is_debug
            && map.is_empty()
            && let Some(item) = data.get("item")
        {
            map.set("item", item.clone());
        }
        let wide = self.options.verbosity >= 3
            || data
                .get("_ansible_verbose_always")
                .is_some_and(Value::truthy);
        dump(&Value::map(map), wide.then_some(4))
    }

    fn diff(&mut self, text: &str) {
        for line in text.lines() {
            let label = match line.chars().next() {
                Some('+') => Some(Label::Added),
                Some('-') => Some(Label::Removed),
                Some('@') => Some(Label::Hunk),
                _ => None,
            };
            self.line(label, &visible(line));
        }
        if !text.is_empty() {
            self.line(None, "");
        }
    }

    fn task_done(&mut self, shown: &Shown<'_>, looped: bool) {
        let includes = [
            "include_tasks",
            "include_role",
            "import_tasks",
            "import_role",
            "include",
        ];
        if shown.status == Status::Ok && includes.contains(&base_name(&shown.task.action)) {
            return;
        }
        let items_shown = looped && self.items.remove(&(shown.task.id, shown.host.to_owned()));
        // its items have told everything, unless they are hidden; of `debug`, Ansible shows the message alone, so that
        // its items do not count as told
        let told = items_shown
            && shown.outcome.data.get("results").is_some()
            && !(base_name(&shown.task.action) == "debug" && shown.outcome.failed)
            && !shown.outcome.is_unreachable();
        // a loop that was skipped as a whole gets a line of its own
        if !told || shown.status == Status::Skipped {
            self.result(shown);
        }
        if shown.status == Status::Ignored {
            self.line(Some(Label::Skipped), "...ignoring");
        }
    }

    fn recap(&mut self, stats: &Stats) {
        self.check = false;
        self.heading("PLAY RECAP");
        let width = stats
            .hosts
            .keys()
            .map(|name| console::measure_text_width(name))
            .max()
            .unwrap_or(0)
            .max(26);
        for (name, counts) in &stats.hosts {
            let line = self.counts(name, counts, width);
            self.line(None, &line);
        }
        self.line(None, "");
    }

    fn counts(&self, name: &str, counts: &HostStats, width: usize) -> String {
        let palette = self.options.palette;
        let host = match counts {
            HostStats { failed: 1.., .. }
            | HostStats {
                unreachable: 1.., ..
            } => Label::Failed,
            HostStats { changed: 1.., .. } => Label::Changed,
            _ => Label::Ok,
        };
        let mut line = console::pad_str(name, width, console::Alignment::Left, None).into_owned();
        line = format!("{} :", palette.paint(host, &line));
        for (word, count, label) in [
            ("ok", counts.ok, Label::Ok),
            ("changed", counts.changed, Label::Changed),
            ("unreachable", counts.unreachable, Label::Unreachable),
            ("failed", counts.failed, Label::Failed),
            ("skipped", counts.skipped, Label::Skipped),
            ("rescued", counts.rescued, Label::Ok),
            ("ignored", counts.ignored, Label::Warning),
        ] {
            let field = format!("{word}={count:<4}");
            let painted = if count > 0 {
                palette.paint(label, &field)
            } else {
                field
            };
            let _ = write!(line, " {painted}");
        }
        line
    }
}

impl EventSink for Human {
    fn event(&mut self, event: &Event) {
        let event = censor_for_terminal(event);
        let began = self.just_began.take();
        match event.as_ref() {
            Event::PlaybookStart { path, .. } => {
                if self.options.verbosity >= 2 {
                    self.heading(&format!("PLAYBOOK: {path}"));
                }
            }
            Event::PlayStart {
                name,
                check,
                strategy,
                ..
            } => {
                self.in_step = strategy == "linear";
                self.check = *check;
                self.play(name);
                self.just_began = Some(name.clone());
            }
            Event::PlayNoHosts { name } => {
                if began.as_ref() != Some(name) {
                    self.play(name);
                }
                self.line(Some(Label::Skipped), "skipping: no hosts matched");
            }
            Event::TaskStart { task } => {
                // hosts that go their own ways show tasks by their results
                if self.in_step && self.options.show_ok && self.options.show_skipped {
                    self.task_banner(task);
                }
            }
            Event::HostStart { .. } => {}
            Event::ItemDone {
                task,
                host,
                item,
                status,
                outcome,
                delegated_to,
            } => {
                self.items.insert((task.id, host.clone()));
                let delegated_to = delegated_to.as_deref();
                self.result(&Shown {
                    task,
                    host,
                    item: Some(item),
                    status: *status,
                    outcome,
                    delegated_to,
                });
            }
            Event::Retry { task, host, left } => {
                let text = format!(
                    "FAILED - RETRYING: [{host}]: {} ({left} retries left).",
                    full_name(task)
                );
                self.line(Some(Label::Faint), &text);
            }
            Event::AsyncPoll { host, jid, .. } => {
                let text = format!("ASYNC POLL on {host}: jid={jid} started=1 finished=0");
                self.line(Some(Label::Faint), &text);
            }
            // the task's own line says the same
            Event::AsyncDone { .. } | Event::TaskDone { quiet: true, .. } => {}
            Event::TaskDone {
                task,
                host,
                status,
                outcome,
                delegated_to,
                looped,
                ..
            } => {
                let delegated_to = delegated_to.as_deref();
                let shown = Shown {
                    task,
                    host,
                    item: None,
                    status: *status,
                    outcome,
                    delegated_to,
                };
                self.task_done(&shown, *looped);
            }
            Event::Included {
                what, hosts, item, ..
            } => {
                let mut line = format!("included: {what} for {}", hosts.join(", "));
                if let Some(item) = item {
                    let _ = write!(line, " => (item={})", visible(item));
                }
                self.line(Some(Label::Skipped), &line);
            }
            Event::Warning { message } => self.warn(message),
            Event::Becoming { host, command } => {
                self.line(None, &format!("<{host}> becomes another user: {command}"));
            }
            Event::Connections { .. }
            | Event::Deprecation { .. }
            | Event::NoHostsLeft
            | Event::Meta { .. } => {}
            Event::Recap { stats, .. } => self.recap(stats),
        }
        let _ = self.out.flush();
    }
}

/// The task's name with its role before it.
pub(super) fn full_name(task: &TaskInfo) -> String {
    match &task.role {
        Some(role) if !task.name.starts_with(&format!("{role} : ")) => {
            format!("{role} : {}", task.name)
        }
        _ => task.name.clone(),
    }
}

fn base_name(action: &str) -> &str {
    let short = action
        .strip_prefix("ansible.builtin.")
        .or_else(|| action.strip_prefix("ansible.legacy."));
    short.unwrap_or(action)
}

fn host_label(shown: &Shown<'_>) -> String {
    match shown.delegated_to {
        Some(other) => format!("{} -> {other}", shown.host),
        None => shown.host.to_owned(),
    }
}
