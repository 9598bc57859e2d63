//! Several sinks as one.

use crate::result::{Event, EventSink};

/// Gives each event to every sink, in order.
#[derive(Default)]
pub struct Fan {
    sinks: Vec<Box<dyn EventSink>>,
}

impl Fan {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// One more sink, after the others.
    #[must_use]
    pub fn with(mut self, sink: impl EventSink + 'static) -> Self {
        self.sinks.push(Box::new(sink));
        self
    }
}

impl EventSink for Fan {
    fn event(&mut self, event: &Event) {
        for sink in &mut self.sinks {
            sink.event(event);
        }
    }
}
