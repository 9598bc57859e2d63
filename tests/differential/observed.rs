//! What a run did, read off its output.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A run as data. Hosts run side by side, so within a task the lines are sorted by host.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Observed {
    /// The exit code.
    exit: i32,
    /// Counts of each host.
    recap: BTreeMap<String, String>,
    /// Banners and under each what its hosts did.
    tasks: Vec<(String, Vec<String>)>,
    /// What the playbook wrote.
    files: BTreeMap<String, String>,
    #[serde(skip)]
    talk: String,
}

impl Observed {
    pub fn of(exit: i32, stdout: &str, stderr: &str, files: BTreeMap<String, String>) -> Self {
        let mut seen = Self {
            exit,
            files,
            talk: tail(&format!("{stdout}{stderr}")),
            ..Self::default()
        };
        let mut lines = stdout.lines().peekable();
        while let Some(line) = lines.next() {
            if let Some(banner) = banner(line) {
                seen.tasks.push((banner.to_owned(), Vec::new()));
                continue;
            }
            if let Some((host, counts)) = recap(line) {
                seen.recap.insert(host, counts);
                continue;
            }
            let mut told = match result(line) {
                Some(told) => told,
                None if line.starts_with("included: ") => included(line),
                None if line.starts_with("FAILED - RETRYING") => line.to_owned(),
                None if line == "skipping: no hosts matched" => line.to_owned(),
                None if line == "...ignoring" => {
                    if let Some(last) = seen.tasks.last_mut().and_then(|(_, told)| told.last_mut())
                    {
                        last.push_str(" ...ignoring");
                    }
                    continue;
                }
                None => continue,
            };
            if line.ends_with("=> {") {
                let mut text = "{".to_owned();
                for line in lines.by_ref() {
                    text.push_str(line);
                    text.push('\n');
                    if line == "}" {
                        break;
                    }
                }
                // how a failure is told is each program's own affair
                if told.contains(": failed") {
                    if let Some((_, task)) = seen.tasks.last_mut() {
                        task.push(told);
                    }
                    continue;
                }
                let shown = serde_json::from_str::<serde_json::Value>(&text)
                    .map_or(text, |value| value.to_string());
                told.push(' ');
                told.push_str(&shown);
            }
            if let Some((_, task)) = seen.tasks.last_mut() {
                task.push(told);
            }
        }
        seen.settle();
        // a banner under which nothing is told says nothing that the other program must say as well
        seen.tasks.retain(|(banner, told)| {
            let meta = banner.ends_with("[meta]") || banner.ends_with(" : meta]");
            banner.starts_with("PLAY") || !told.is_empty() && !meta
        });
        seen
    }

    /// Puts the lines of each task in the order of their hosts. After a loop, `...ignoring` follows whatever line was
    /// the last, of whichever host: it is a line of its own.
    pub fn settle(&mut self) {
        const IGNORING: &str = " ...ignoring";
        for (_, task) in &mut self.tasks {
            let mut loops = 0;
            for line in task.iter_mut().filter(|line| line.contains(" (item=")) {
                if let Some(before) = line.strip_suffix(IGNORING) {
                    *line = before.to_owned();
                    loops += 1;
                }
            }
            task.extend(std::iter::repeat_n(IGNORING.trim().to_owned(), loops));
            task.sort_by(|a, b| host_of(a).cmp(host_of(b)));
        }
    }

    /// The same as what each host did by itself, play by play.
    #[must_use]
    pub fn apart(mut self) -> Self {
        let mut plays: Vec<(String, Vec<String>)> = Vec::new();
        for (banner, told) in self.tasks {
            if banner.starts_with("PLAY") {
                plays.push((banner, Vec::new()));
                continue;
            }
            if let Some((_, all)) = plays.last_mut() {
                let of_hosts = told.iter().filter(|line| !line.starts_with("included"));
                all.extend(of_hosts.map(|line| format!("{line} [{banner}]")));
            }
        }
        for (_, told) in &mut plays {
            told.sort_by(|a, b| host_of(a).cmp(host_of(b)));
        }
        self.tasks = plays;
        self
    }

    /// The end of the output, for whoever looks for the reason.
    pub fn talk(&self) -> &str {
        &self.talk
    }

    /// What differs in the other.
    pub fn compare(&self, other: &Self) -> Vec<String> {
        let mut problems = Vec::new();
        // an error of the playbook itself: when it is found, and how much was shown before, is the program's affair
        if self.recap.is_empty() && self.exit != 0 && other.recap.is_empty() && other.exit != 0 {
            return problems;
        }
        if self.exit != other.exit {
            problems.push(format!("exit: {} instead of {}", other.exit, self.exit));
        }
        if self.recap != other.recap {
            problems.push(format!("recap: {:?}\n  not: {:?}", other.recap, self.recap));
        }
        let lines = |seen: &Self| {
            let mut text = String::new();
            for (banner, told) in &seen.tasks {
                text.push_str(banner);
                text.push('\n');
                for line in told {
                    text.push_str("  ");
                    text.push_str(line);
                    text.push('\n');
                }
            }
            text
        };
        let (mine, theirs) = (lines(self), lines(other));
        if mine != theirs {
            problems.push(difference("tasks", &mine, &theirs));
        }
        for name in self.files.keys().chain(other.files.keys()) {
            let (mine, theirs) = (self.files.get(name), other.files.get(name));
            if mine != theirs {
                let text =
                    |side: Option<&String>| side.map_or("(none)\n", String::as_str).to_owned();
                let problem = difference(name, &text(mine), &text(theirs));
                if !problems.contains(&problem) {
                    problems.push(problem);
                }
            }
        }
        problems
    }
}

fn difference(what: &str, mine: &str, theirs: &str) -> String {
    let diff = similar::TextDiff::from_lines(mine, theirs);
    let mut unified = diff.unified_diff();
    format!(
        "{what} (- ansible, + runbook):\n{}",
        unified.context_radius(2)
    )
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    let skip = lines
        .len()
        .saturating_sub(if std::env::var_os("TALK").is_some() {
            200
        } else {
            0
        });
    let notes = lines
        .iter()
        .filter(|line| {
            line.contains("rror") || line.starts_with("fatal") || line.starts_with("failed")
        })
        .take(3);
    notes
        .chain(&lines[skip..])
        .map(|line| format!("    | {}\n", line.chars().take(300).collect::<String>()))
        .collect()
}

/// `TASK [x] ****` without its stars.
fn banner(line: &str) -> Option<&str> {
    let known = ["PLAY [", "TASK [", "RUNNING HANDLER ["];
    if !known.iter().any(|start| line.starts_with(start)) {
        return None;
    }
    let end = line.trim_end_matches('*');
    let name = end.trim_end();
    (end.len() + 3 <= line.len()).then(|| name.strip_suffix(" [CHECK MODE]").unwrap_or(name))
}

fn recap(line: &str) -> Option<(String, String)> {
    let (host, counts) = line.split_once(" : ok=")?;
    let counts = format!("ok={counts}");
    let words: Vec<&str> = counts
        .split_whitespace()
        .filter(|word| !word.ends_with("=0"))
        .collect();
    Some((host.trim().to_owned(), words.join(" ")))
}

/// `status host (item)` of a line of a result.
fn result(line: &str) -> Option<String> {
    let (word, rest) = line.split_once(": [")?;
    if !["ok", "changed", "skipping", "failed", "fatal"].contains(&word) {
        return None;
    }
    let (host, rest) = rest.split_once(']')?;
    // the address of a delegate beside its name is for people
    let host = match host.split_once('(') {
        Some((names, _)) if names.contains(" -> ") => names,
        _ => host,
    };
    let word = match word {
        "fatal" if rest.starts_with(": UNREACHABLE!") => "unreachable",
        "fatal" => "failed",
        other => other,
    };
    let item = rest
        .find("(item=")
        .filter(|at| *at <= 4)
        .and_then(|at| rest.get(at..))
        .map(|item| {
            item.find(") =>")
                .and_then(|end| item.get(..=end))
                .unwrap_or(item)
                .trim_end()
        });
    Some(match item {
        Some(item) => format!("{host}: {word} {item}"),
        None => format!("{host}: {word}"),
    })
}

/// `included: file for hosts`, the file by its last two parts.
fn included(line: &str) -> String {
    let Some((what, hosts)) = line
        .strip_prefix("included: ")
        .and_then(|rest| rest.split_once(" for "))
    else {
        return line.to_owned();
    };
    let name = what.rsplit('/').next().unwrap_or(what);
    let (hosts, item) = match hosts.find(" => ") {
        Some(at) => hosts.split_at(at),
        None => (hosts, ""),
    };
    let mut hosts: Vec<&str> = hosts.split(", ").collect();
    hosts.sort_unstable();
    format!("included {name} for {}{item}", hosts.join(", "))
}

fn host_of(told: &str) -> &str {
    if let Some((_, rest)) = told.split_once("RETRYING: [") {
        return rest.split_once(']').map_or("", |(host, _)| host);
    }
    told.split_once(':').map_or("", |(host, _)| host)
}
