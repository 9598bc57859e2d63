//! The steps that pass a verdict on the playbook under test.

use super::Step;
use super::drift;
use super::end_state::{EndState, Managed, differences};
use super::observed::{Observed, Place, Seen};
use super::play::{Ended, Wanted};
use super::report::{Finding, Verdict};
use super::runner::{Runner, Said, count, failure, tasks};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

impl Runner<'_> {
    pub(super) fn converge(&mut self) -> Result<Said, String> {
        let playbook = self.converge_playbook()?;
        let ended = self.play(Step::Converge, &playbook, &Wanted::with(&["--diff"]))?;
        if !ended.well() {
            return Ok(failure(&ended).log(&ended.log));
        }
        if let Some(said) = proves_nothing(&ended) {
            return Ok(said);
        }
        self.state.converged = true;
        self.remember()?;
        // what later steps compare with
        let kept = self.work.file("converged.jsonl");
        fs::copy(&ended.events, &kept).map_err(|error| format!("{}: {error}", kept.display()))?;
        let _ = fs::remove_file(self.work.file("again.jsonl"));
        let changes = count(ended.seen.changes().count(), "change");
        Ok(Said::passed(format!("{}, {changes}", tasks(&ended))).log(&ended.log))
    }

    pub(super) fn check(&mut self) -> Result<Said, String> {
        let playbook = self.converge_playbook()?;
        let ended = self.play(
            Step::Check,
            &playbook,
            &Wanted::with(&["--check", "--diff"]),
        )?;
        if !ended.well() {
            return Ok(failure(&ended).log(&ended.log));
        }
        let changes = count(ended.seen.changes().count(), "change");
        Ok(Said::passed(format!("{changes} predicted")).log(&ended.log))
    }

    pub(super) fn idempotence(&mut self) -> Result<Said, String> {
        if !self.state.converged {
            return Err("the machines are not converged".to_owned());
        }
        self.second_run(Step::Idempotence)
    }

    fn second_run(&mut self, step: Step) -> Result<Said, String> {
        let playbook = self.converge_playbook()?;
        let wanted = Wanted {
            again: true,
            ..Wanted::with(&["--diff"])
        };
        let ended = self.play(step, &playbook, &wanted)?;
        if !ended.well() {
            return Ok(failure(&ended).log(&ended.log));
        }
        if let Some(said) = proves_nothing(&ended) {
            return Ok(said);
        }
        if step == Step::Idempotence {
            // what is managed in every run, and not in the first alone
            let kept = self.work.file("again.jsonl");
            fs::copy(&ended.events, &kept)
                .map_err(|error| format!("{}: {error}", kept.display()))?;
        }
        let findings: Vec<Finding> = ended.seen.changes().map(changed).collect();
        let ill = format!("not idempotent: {}", count(findings.len(), "change"));
        let well = format!("nothing changed in {}", tasks(&ended));
        Ok(Said::by(findings, well, ill).log(&ended.log))
    }

    /// The run that brought the machines to where they are.
    fn converged(&self) -> Result<Observed, String> {
        if !self.state.converged {
            return Err("the machines are not converged".to_owned());
        }
        Observed::read(&self.work.file("converged.jsonl")).map_err(|error| error.message.clone())
    }

    pub(super) fn predict(&mut self) -> Result<Said, String> {
        let playbook = self.converge_playbook()?;
        let converged = self.converged()?;
        let managed = Managed::of(&converged);
        let before = self.with_player(|player| managed.look(player, Step::Predict))?;
        let drifted = match self.make_drift(&converged, &before)? {
            Ok(drifted) => drifted,
            Err(said) => return Ok(said),
        };
        let predicted = self.play(
            Step::Predict,
            &playbook,
            &Wanted::with(&["--check", "--diff"]),
        )?;
        if !predicted.well() {
            return Ok(failure(&predicted).log(&predicted.log));
        }
        let real = self.play(Step::Predict, &playbook, &Wanted::with(&["--diff"]))?;
        if !real.well() {
            return Ok(failure(&real).log(&real.log));
        }
        let after = self.with_player(|player| managed.look(player, Step::Predict))?;
        let (mut findings, blind) = compare(&predicted.seen, &real.seen);
        for line in differences(&before, &after) {
            findings.push(Finding::new(format!("not brought back: {line}")));
        }
        let changes = count(real.seen.changes().count(), "change");
        let mut well = format!("{drifted}; {changes}, all predicted");
        if blind > 0 {
            well.push_str(&format!(
                ", but for {blind} of commands, which check mode cannot judge"
            ));
        }
        let ill = format!(
            "the prediction was wrong in {}",
            count(findings.len(), "place")
        );
        Ok(Said::by(findings, well, ill).log(&real.log))
    }

    /// Lets machines drift, by the scenario's `drift.yml` or by chance. Says what was done, or how it failed.
    fn make_drift(
        &mut self,
        converged: &Observed,
        before: &EndState,
    ) -> Result<Result<String, Said>, String> {
        let own = self.scenario.directory.join("drift.yml");
        let (playbook, what) = if own.exists() {
            (own, "drift by drift.yml".to_owned())
        } else {
            let again = Observed::read(&self.work.file("again.jsonl")).ok();
            let seen = again.as_ref().unwrap_or(converged);
            let drifts = drift::choose(seen, before, &mut self.chance);
            if drifts.is_empty() {
                return Ok(Ok("no file that could drift".to_owned()));
            }
            let file = self.work.file("drift.yml");
            let text = serde_json::to_string_pretty(&drift::playbook(&drifts))
                .map_err(|error| error.to_string())?;
            fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))?;
            let each: Vec<String> = drifts.iter().map(ToString::to_string).collect();
            (file, each.join(", "))
        };
        let ended = self.play(Step::Predict, &playbook, &Wanted::default())?;
        if ended.well() {
            Ok(Ok(what))
        } else {
            Ok(Err(failure(&ended).log(&ended.log)))
        }
    }

    pub(super) fn interrupt(&mut self) -> Result<Said, String> {
        let playbook = self.converge_playbook()?;
        let converged = self.converged()?;
        let managed = Managed::of(&converged);
        let want = self.with_player(|player| managed.look(player, Step::Interrupt))?;
        let mut findings = Vec::new();
        let mut after = Vec::new();
        let mut log = None;
        for _ in 0..self.options.interrupts.max(1) {
            // never after the last one: that would be no interruption
            let last = converged.tasks().saturating_sub(1);
            let results = 1 + self.chance.below(last);
            let (more, end) = self.interrupted(&playbook, results)?;
            log = Some(end.log.clone());
            let what = format!("interrupted after {}", count(results, "task result"));
            let got = self.with_player(|player| managed.look(player, Step::Interrupt));
            findings.extend(more.into_iter().map(|mut finding| {
                finding.what = format!("{what}: {}", finding.what);
                finding
            }));
            for line in differences(&want, &got?) {
                findings.push(Finding::new(format!("{what}: another end state: {line}")));
            }
            after.push(results.to_string());
        }
        let well = format!(
            "killed after {} of {}: the same end state of {}, and idempotent",
            after.join(", "),
            count(converged.tasks(), "task result"),
            count(managed.count(), "file"),
        );
        let ill = format!(
            "not safe to interrupt: {}",
            count(findings.len(), "finding")
        );
        let mut said = Said::by(findings, well, ill);
        said.log = log;
        self.state.converged = said.verdict == Verdict::Passed;
        self.remember()?;
        Ok(said)
    }

    /// A run that is killed, then one from the start, then one that must change nothing.
    fn interrupted(
        &mut self,
        playbook: &Path,
        results: usize,
    ) -> Result<(Vec<Finding>, Ended), String> {
        self.back_to_prepared()?;
        let wanted = Wanted {
            kill_after: Some(results),
            ..Wanted::default()
        };
        let cut = self.play(Step::Interrupt, playbook, &wanted)?;
        if let Some(code) = cut.code {
            return Err(format!(
                "the run ended with exit code {code} before it could be killed"
            ));
        }
        let ended = self.play(Step::Interrupt, playbook, &Wanted::with(&["--diff"]))?;
        if !ended.well() {
            return Ok((failure(&ended).findings, ended));
        }
        self.state.converged = true;
        let again = self.second_run(Step::Interrupt)?;
        Ok((again.findings, ended))
    }
}

/// A run in which a host did nothing, or that had no hosts.
fn proves_nothing(ended: &Ended) -> Option<Said> {
    let idle = ended.seen.idle();
    let why = if ended.seen.hosts.is_empty() {
        "the run had no hosts, which proves nothing".to_owned()
    } else if idle.is_empty() {
        return None;
    } else {
        format!(
            "no task was executed on {}, which proves nothing",
            idle.join(", ")
        )
    };
    Some(Said::failed(why, Vec::new()).log(&ended.log))
}

fn changed((place, seen): &(Place, Seen)) -> Finding {
    Finding {
        place: Some(place.clone()),
        what: String::new(),
        diff: seen.diff.clone(),
    }
}

/// Where a prediction and what really changed differ, and how many changes could not be predicted.
fn compare(predicted: &Observed, real: &Observed) -> (Vec<Finding>, usize) {
    let places = |seen: &Observed| -> BTreeSet<Place> {
        seen.changes().map(|(place, _)| place.clone()).collect()
    };
    let (foreseen, done) = (places(predicted), places(real));
    // a task that check mode leaves out says nothing of what it would do; nor do its items exist then
    let left_out = |place: &Place| {
        predicted.results.iter().any(|(other, seen)| {
            other.host == place.host && other.at == place.at && seen.status == "skipped"
        })
    };
    let mut findings = Vec::new();
    let mut blind = 0;
    for place in done.difference(&foreseen) {
        if left_out(place) {
            blind += 1;
            continue;
        }
        let diff = real.changes().find(|(other, _)| other == place);
        findings.push(Finding {
            place: Some(place.clone()),
            what: "changed, and was not predicted".to_owned(),
            diff: diff.map(|(_, seen)| seen.diff.clone()).unwrap_or_default(),
        });
    }
    for place in foreseen.difference(&done) {
        let diff = predicted.changes().find(|(other, _)| other == place);
        findings.push(Finding {
            place: Some(place.clone()),
            what: "predicted, and did not change".to_owned(),
            diff: diff.map(|(_, seen)| seen.diff.clone()).unwrap_or_default(),
        });
    }
    (findings, blind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn run(results: &[(&str, &str)]) -> Observed {
        let mut seen = Observed::default();
        for (at, status) in results {
            let place = Place {
                host: "h".to_owned(),
                task: "t".to_owned(),
                handler: false,
                at: (*at).to_owned(),
                item: None,
            };
            let result = Seen {
                status: (*status).to_owned(),
                action: "copy".to_owned(),
                data: json!({}),
                diff: String::new(),
                message: String::new(),
                delegated_to: None,
            };
            seen.results.push((place, result));
        }
        seen
    }

    #[test]
    fn both_ways_of_being_wrong_are_found() {
        let predicted = run(&[
            ("a", "changed"),
            ("b", "ok"),
            ("c", "skipped"),
            ("d", "changed"),
        ]);
        let real = run(&[
            ("a", "changed"),
            ("b", "changed"),
            ("c", "changed"),
            ("d", "ok"),
        ]);
        let (findings, blind) = compare(&predicted, &real);
        let what: Vec<(&str, &str)> = findings
            .iter()
            .map(|f| {
                (
                    f.place.as_ref().map_or("", |p| p.at.as_str()),
                    f.what.as_str(),
                )
            })
            .collect();
        assert_eq!(
            what,
            [
                ("b", "changed, and was not predicted"),
                ("d", "predicted, and did not change")
            ]
        );
        assert_eq!(blind, 1);
    }
}
