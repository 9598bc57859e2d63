//! The callback `default`.

use super::diff::diff_text;
use super::result::{Shown, written};
use super::{AnsibleOptions, Colour, ResultFormat, Screen, base_name};
use crate::report::censor::censor_for_terminal;
use crate::report::dump;
use crate::report::dump::visible;
use crate::report::human::full_name;
use crate::result::{Event, EventSink, HostStats, Stats, Status, TaskInfo};
use crate::value::{Map, Value};
use std::fmt::Write as _;

/// Shows a run as Ansible's callback `default` does.
pub struct AnsibleDefault {
    screen: Screen,
    options: AnsibleOptions,
    /// The task whose banner is the last one shown.
    banner: Option<u64>,
    /// The play that began last, if nothing was shown of it yet.
    just_began: Option<String>,
    check: bool,
    /// The error that was told last, beside a result.
    reason: String,
}

impl AnsibleDefault {
    /// On this screen.
    pub fn new(screen: Screen, options: AnsibleOptions) -> Self {
        let check = options.check;
        Self {
            screen,
            options,
            banner: None,
            just_began: None,
            check,
            reason: String::new(),
        }
    }

    fn marker(&self, check: bool) -> &'static str {
        if check && self.options.check_markers {
            " [CHECK MODE]"
        } else {
            ""
        }
    }

    fn play(&mut self, name: &str) {
        let marker = self.marker(self.check);
        let text = if name.is_empty() {
            format!("PLAY{marker}")
        } else {
            format!("PLAY [{}]{marker}", name_of(name))
        };
        self.screen.banner(&text);
        self.banner = None;
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
        let marker = self.marker(task.check);
        let mut name = name_of(&full_name(task));
        if self.options.task_arguments && !task.args.is_empty() {
            name = format!("{name} {}", task.args);
        }
        self.screen.banner(&format!("{kind} [{name}]{marker}"));
        if self.options.verbosity >= 2 {
            self.task_path(task, Some(Colour::Debug));
        }
        self.banner = Some(task.id);
    }

    fn task_path(&mut self, task: &TaskInfo, colour: Option<Colour>) {
        if !task.path.is_empty() {
            let place = self.options.place(&task.path);
            self.screen.say(&format!("task path: {place}"), colour);
        }
    }

    /// What comes before the line of a result. `false`: it is not shown.
    fn opens(&mut self, shown: &Shown<'_>, status: Status) -> bool {
        for warning in &shown.outcome.warnings {
            self.screen.warning(warning);
        }
        self.deprecations(shown);
        let hidden = match status {
            Status::Ok => !self.options.show_ok,
            Status::Skipped => !self.options.show_skipped,
            _ => false,
        };
        if !hidden {
            self.task_banner(shown.task);
        }
        !hidden
    }

    fn deprecations(&mut self, shown: &Shown<'_>) {
        let list = shown.outcome.data.get("deprecations");
        for entry in list.and_then(Value::as_list).unwrap_or_default() {
            let text = entry.get("msg").unwrap_or(entry).to_string();
            let version = entry.get("version").filter(|v| !v.is_null());
            let when = version.map_or_else(
                || "This feature will be removed in a future release.".to_owned(),
                |v| format!("This feature will be removed in version {v}."),
            );
            self.screen.deprecation(&format!("{text}. {when}"));
        }
    }

    fn diffs(&mut self, shown: &Shown<'_>) {
        if !shown.outcome.changed {
            return;
        }
        let action = base_name(&shown.task.action);
        for diff in &shown.outcome.diffs {
            let text = diff_text(diff, action, self.options.diff_context, &self.screen);
            if !text.is_empty() {
                self.screen.say(&text, None);
            }
        }
    }

    fn is_verbose(&self, shown: &Shown<'_>) -> bool {
        let facts = base_name(&shown.task.action) == "gather_facts"
            || base_name(&shown.task.action) == "setup" && shown.task.name == "Gathering Facts";
        let quiet = shown.flag("_ansible_verbose_override") || facts && self.options.verbosity < 3;
        (self.options.verbosity > 0 || shown.flag("_ansible_verbose_always")) && !quiet
    }

    fn result(&mut self, shown: &Shown<'_>, status: Status) {
        let shows = self.opens(shown, status);
        // an item shows its diff on its own line, a loop as a whole has none
        self.diffs(shown);
        if !shows {
            return;
        }
        match status {
            Status::Ok => self.success("ok", Colour::Ok, shown),
            Status::Changed => self.success("changed", Colour::Changed, shown),
            Status::Skipped => self.success("skipping", Colour::Skip, shown),
            Status::Failed | Status::Ignored | Status::Rescued | Status::Unreachable => {
                // of an item the line says no more than that it failed
                if shown.outcome.is_unreachable() && shown.item.is_none() {
                    self.unreachable(shown);
                } else {
                    self.failure(shown);
                }
            }
        }
    }

    fn success(&mut self, word: &str, colour: Colour, shown: &Shown<'_>) {
        let skipping = word == "skipping";
        // a skipped task names no delegate
        let host = if skipping {
            shown.host.to_owned()
        } else {
            shown.host_label(&self.options)
        };
        let mut line = format!("{word}: [{host}]");
        if let Some(item) = shown.item {
            let _ = write!(line, " => (item={})", name_of(&item.label));
            if skipping {
                line.push(' ');
            }
        }
        if self.is_verbose(shown) {
            let _ = write!(line, " => {}", self.results(shown));
        }
        self.screen.say(&line, Some(colour));
    }

    /// Why something cannot be included: once, as everything that is told on stderr.
    fn not_included(&mut self, shown: &Shown<'_>) {
        if let Some(reason) = shown.reason().filter(|reason| self.reason != *reason) {
            let text = format!("ERROR! {}", reason.trim_end());
            self.screen.complain(&text, Colour::Error);
            self.reason = reason;
        }
    }

    fn failure(&mut self, shown: &Shown<'_>) {
        let host = shown.host_label(&self.options);
        let results = self.results(shown);
        let line = match shown.item {
            Some(item) => format!(
                "failed: [{host}] (item={}) => {results}",
                name_of(&item.label)
            ),
            None => format!("fatal: [{host}]: FAILED! => {results}"),
        };
        if shown.item.is_none() && self.options.path_on_failure && self.options.verbosity < 2 {
            self.task_path(shown.task, None);
        }
        if let Some(crash) = shown.crash(self.options.verbosity) {
            self.say_failure(&crash, Colour::Error);
        }
        self.say_failure(&line, Colour::Error);
    }

    fn unreachable(&mut self, shown: &Shown<'_>) {
        let host = shown.host_label(&self.options);
        let results = self.results(shown);
        let line = format!("fatal: [{host}]: UNREACHABLE! => {results}");
        self.say_failure(&line, Colour::Unreachable);
    }

    fn say_failure(&mut self, line: &str, colour: Colour) {
        if self.options.failed_to_stderr {
            self.screen.complain(line, colour);
        } else {
            self.screen.say(line, Some(colour));
        }
    }

    fn results(&self, shown: &Shown<'_>) -> String {
        if shown.item.is_some() || shown.outcome.data.get("results").is_none() {
            return written(&self.options, shown);
        }
        if shown.outcome.is_unreachable() {
            return written(&self.options, shown);
        }
        // the items have told theirs
        let mut outcome = shown.outcome.clone();
        outcome.data.retain(|key, value| {
            key.as_str() != Some("results")
                || value.as_list().is_none_or(<[_]>::is_empty) && self.options.verbosity > 9
        });
        let skipped_empty = outcome.data.get("skipped_reason").is_some();
        if skipped_empty {
            outcome
                .data
                .retain(|key, _| key.as_str() == Some("skipped_reason"));
        }
        written(
            &self.options,
            &Shown {
                outcome: &outcome,
                ..*shown
            },
        )
    }

    fn task_done(&mut self, shown: &Shown<'_>, status: Status, looped: bool) {
        self.not_included(shown);
        // items have told everything, unless they are hidden
        let told = looped && shown.outcome.data.get("results").is_some();
        // of `debug`, Ansible shows the message alone, so that its items do not count as told
        let told =
            told && !(shown.is_debug() && shown.outcome.failed) && !shown.outcome.is_unreachable();
        if told && status != Status::Skipped {
            for warning in &shown.outcome.warnings {
                self.screen.warning(warning);
            }
        } else {
            self.result(shown, status);
        }
        if status == Status::Ignored {
            self.screen.say("...ignoring", Some(Colour::Skip));
        }
    }

    fn recap(&mut self, stats: &Stats) {
        self.screen.banner("PLAY RECAP");
        let mut hosts: Vec<(&String, &HostStats)> = stats.hosts.iter().collect();
        hosts.sort_by_key(|(name, _)| *name);
        for (name, counts) in hosts {
            let line = self.counts(name, counts);
            self.screen.say(&line, None);
        }
        self.screen.say("", None);
        self.custom(&stats.custom);
        if self.options.check && self.options.check_markers {
            self.screen.banner("DRY RUN");
        }
    }

    fn custom(&mut self, custom: &Map) {
        if !self.options.custom_stats || custom.is_empty() {
            return;
        }
        self.screen.banner("CUSTOM STATS: ");
        let mut entries: Vec<(String, &Value)> =
            custom.iter().map(|(k, v)| (k.to_string(), v)).collect();
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        let (run, hosts): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(|(name, _)| name == "_run");
        let text = |value: &Value| crate::report::dump(value, None).replace('\n', "");
        for (name, value) in &hosts {
            self.screen.say(&format!("\t{name}: {}", text(value)), None);
        }
        for (_, value) in &run {
            self.screen.say(&format!("\tRUN: {}", text(value)), None);
        }
        self.screen.say("", None);
    }

    fn counts(&self, name: &str, counts: &HostStats) -> String {
        let host = match counts {
            HostStats { failed: 1.., .. }
            | HostStats {
                unreachable: 1.., ..
            } => Colour::Error,
            HostStats { changed: 1.., .. } => Colour::Changed,
            _ => Colour::Ok,
        };
        let painted = self.screen.paint(host, name);
        // Ansible pads to the width with its colours in it
        let width = if painted == *name { 26 } else { 37 };
        let mut line = format!("{painted:<width$} :");
        for (word, count, colour) in [
            ("ok", counts.ok, Colour::Ok),
            ("changed", counts.changed, Colour::Changed),
            ("unreachable", counts.unreachable, Colour::Unreachable),
            ("failed", counts.failed, Colour::Error),
            ("skipped", counts.skipped, Colour::Skip),
            ("rescued", counts.rescued, Colour::Ok),
            ("ignored", counts.ignored, Colour::Warn),
        ] {
            let field = format!("{word}={count:<4}");
            let field = if count > 0 {
                self.screen.paint(colour, &field)
            } else {
                field
            };
            let _ = write!(line, " {field}");
        }
        line
    }
}

impl EventSink for AnsibleDefault {
    fn event(&mut self, event: &Event) {
        let event = censor_for_terminal(event);
        let began = self.just_began.take();
        match event.as_ref() {
            Event::PlaybookStart { path, plays } => {
                if self.options.verbosity >= 2 {
                    let name = std::path::Path::new(path)
                        .file_name()
                        .map_or_else(|| path.clone(), |name| name.to_string_lossy().into_owned());
                    self.screen.banner(&format!("PLAYBOOK: {name}"));
                    self.screen
                        .say(&format!("{plays} plays in {path}"), Some(Colour::Verbose));
                }
                if self.options.check && self.options.check_markers {
                    self.screen.banner("DRY RUN");
                }
            }
            Event::PlayStart { name, check, .. } => {
                self.check = *check;
                self.play(name);
                self.just_began = Some(name.clone());
            }
            Event::PlayNoHosts { name } => {
                if began.as_ref() != Some(name) {
                    self.play(name);
                }
                self.screen
                    .say("skipping: no hosts matched", Some(Colour::Skip));
            }
            Event::Meta {
                task,
                host,
                skipped,
                message,
            } => {
                self.banner = None;
                self.task_banner(task);
                if self.options.verbosity >= 2 {
                    let text = format!("META: {message}");
                    self.screen.say(&text, Some(Colour::Verbose));
                }
                if *skipped && self.options.show_skipped {
                    let mut text = format!("skipping: [{host}]");
                    if self.options.verbosity > 0 {
                        let word = message.split(' ').next().unwrap_or_default();
                        let about = Map::new()
                            .with("msg", Value::data(word))
                            .with("skip_reason", Value::data(message.as_str()));
                        let wide = (self.options.verbosity > 2).then_some(4);
                        text = format!("{text} => {}", dump(&Value::map(about), wide));
                    }
                    self.screen.say(&text, Some(Colour::Skip));
                }
            }
            Event::NoHostsLeft => {
                // once for the share of failures, once for there being nobody left
                self.screen.banner("NO MORE HOSTS LEFT");
                self.screen.banner("NO MORE HOSTS LEFT");
            }
            Event::TaskStart { task } => {
                if self.options.show_ok && self.options.show_skipped {
                    self.task_banner(task);
                }
            }
            Event::HostStart { task, host } => {
                if self.options.per_host_start {
                    let text = format!(" [started TASK: {} on {host}]", full_name(task));
                    self.screen.say(&text, Some(Colour::Ok));
                }
            }
            Event::ItemDone {
                task,
                host,
                item,
                status,
                outcome,
                delegated_to,
            } => {
                let shown = Shown {
                    task,
                    host,
                    item: Some(item),
                    outcome,
                    delegated_to: delegated_to.as_deref(),
                };
                self.result(&shown, *status);
            }
            Event::Retry { task, host, left } => {
                let text = format!(
                    "FAILED - RETRYING: [{host}]: {} ({left} retries left).",
                    full_name(task)
                );
                self.screen.say(&text, Some(Colour::Debug));
            }
            Event::AsyncPoll { host, jid, .. } => {
                let text = format!("ASYNC POLL on {host}: jid={jid} started=1 finished=0");
                self.screen.say(&text, Some(Colour::Debug));
            }
            Event::AsyncDone {
                host, jid, failed, ..
            } => {
                let word = if *failed { "FAILED" } else { "OK" };
                let text = format!("ASYNC {word} on {host}: jid={jid}");
                self.screen.say(&text, Some(Colour::Debug));
            }
            Event::TaskDone { quiet: true, .. } => {}
            Event::TaskDone {
                task,
                host,
                status,
                outcome,
                delegated_to,
                looped,
                ..
            } => {
                let shown = Shown {
                    task,
                    host,
                    item: None,
                    outcome,
                    delegated_to: delegated_to.as_deref(),
                };
                self.task_done(&shown, *status, *looped);
            }
            Event::Included {
                task,
                what,
                hosts,
                item,
            } => {
                self.task_banner(task);
                let mut line = format!("included: {what} for {}", hosts.join(", "));
                if let Some(item) = item {
                    let _ = write!(line, " => (item={})", name_of(item));
                }
                self.screen.say(&line, Some(Colour::Skip));
            }
            Event::Warning { message } => self.screen.warning(message),
            Event::Becoming { host, command } => {
                let line = format!("<{host}> EXEC {command}");
                self.screen.say(&line, Some(Colour::Verbose));
            }
            Event::Deprecation { message } => self.screen.deprecation(message),
            Event::Connections { .. } => {}
            Event::Recap { stats, .. } => self.recap(stats),
        }
    }
}

/// A name or label: line breaks stay, other control characters are shown.
pub(super) fn name_of(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(visible).collect();
    lines.join("\n")
}

impl AnsibleOptions {
    /// Whether results are YAML.
    pub fn is_yaml(&self) -> bool {
        self.format == ResultFormat::Yaml
    }
}
