//! The callback `tree`: each host's result in a file of its own.

use super::result::Shown;
use crate::report::{censor, dump};
use crate::result::{Event, EventSink};
use crate::value::Value;
use std::path::PathBuf;

/// Writes results into a directory.
pub struct Tree {
    dir: PathBuf,
}

impl Tree {
    /// Into this directory, which exists.
    pub fn new(dir: PathBuf) -> Self {
        Self { dir }
    }
}

impl EventSink for Tree {
    fn event(&mut self, event: &Event) {
        let event = censor(event);
        let Event::TaskDone {
            task,
            host,
            outcome,
            quiet: false,
            ..
        } = event.as_ref()
        else {
            return;
        };
        let shown = Shown {
            task,
            host,
            item: None,
            outcome,
            delegated_to: None,
        };
        // a host's name is no way out of the directory
        let name = host.replace('/', "_");
        let text = dump(&Value::map(shown.members(0)), None);
        let _ = std::fs::write(self.dir.join(name), text);
    }
}
