//! Events as data.

use super::{Output, censor};
use crate::result::{Event, EventSink};
use serde_json::{Map, Value};

/// The version of the format, in the member `schema` of the first line. Members may be added under the same
/// version; it grows when one is removed or changes its meaning.
pub const SCHEMA: u32 = 1;

/// Writes one event per line as JSON, as soon as it happens.
pub struct Json {
    out: Output,
    begun: bool,
}

impl Json {
    /// Writes to `out`.
    pub fn new(out: Output) -> Self {
        Self { out, begun: false }
    }
}

impl EventSink for Json {
    fn event(&mut self, event: &Event) {
        let Ok(Value::Object(members)) = serde_json::to_value(censor(event).as_ref()) else {
            return;
        };
        let mut line = Map::new();
        if !std::mem::replace(&mut self.begun, true) {
            line.insert("schema".into(), SCHEMA.into());
        }
        line.extend(members);
        let _ = writeln!(self.out, "{}", Value::Object(line));
        let _ = self.out.flush();
    }
}
