//! Commands that answer as a test says.

use super::{
    Answer, Cancel, Command, Dialogue, DialogueEnd, Error, Manner, Output, Result, Runner,
};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Answers commands from a list, and remembers what was run.
#[derive(Debug, Default)]
pub struct FakeRunner {
    answers: Vec<(String, Output)>,
    log: Mutex<Vec<String>>,
}

impl FakeRunner {
    /// No answers yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with an answer: `words` is the whole command line joined by blanks, or a beginning of it that
    /// ends in `*`. Later answers win.
    #[must_use]
    pub fn answer(mut self, words: &str, rc: i32, stdout: &str, stderr: &str) -> Self {
        self.answers.push((
            words.to_owned(),
            Output {
                rc,
                stdout: stdout.into(),
                stderr: stderr.into(),
            },
        ));
        self
    }

    /// The command lines that were run, in order.
    pub fn log(&self) -> Vec<String> {
        self.log
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Runner for FakeRunner {
    fn run(&self, command: &Command, _: &[(String, String)], _: &Cancel) -> Result<Output> {
        let line = command.words().join(" ");
        self.log
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(line.clone());
        self.answers
            .iter()
            .rev()
            .find(|(pattern, _)| match pattern.strip_suffix('*') {
                Some(start) => line.starts_with(start),
                None => line == *pattern,
            })
            .map(|(_, output)| output.clone())
            .ok_or_else(|| Error::Other(format!("the test has no answer for `{line}`")))
    }

    /// All of the output is there at once.
    fn dialogue(
        &self,
        command: &Command,
        environment: &[(String, String)],
        cancel: &Cancel,
        _: Manner,
        answer: &mut dyn FnMut(&[u8]) -> Answer,
    ) -> Result<Dialogue> {
        let output = self.run(command, environment, cancel)?;
        let mut rest = output.stdout.as_slice();
        let mut end = DialogueEnd::Exit(output.rc);
        loop {
            match answer(rest) {
                Answer::Wait => break,
                Answer::Stop => {
                    end = DialogueEnd::Stopped;
                    break;
                }
                Answer::Say { upto, .. } => rest = rest.get(upto.max(1)..).unwrap_or_default(),
            }
        }
        Ok(Dialogue {
            output: output.stdout,
            end,
        })
    }

    fn has_program(&self, path: &Path) -> bool {
        let (full, name) = (path.to_string_lossy(), path.file_name());
        self.answers.iter().any(|(pattern, _)| {
            let first = pattern.split([' ', '*']).next().unwrap_or_default();
            first == full
                || (path.starts_with("/usr/bin")
                    && name.is_some_and(|name| name.to_string_lossy() == first))
        })
    }
}
