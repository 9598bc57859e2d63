//! Settings of the program, as the lookup `config` asks for them.

use crate::value::Value;
use std::sync::Arc;

/// Gives the value of a setting (`config`) by its name; of an option by its plugin's kind and name, and its own.
pub type Setting = Arc<dyn Fn(Option<(&str, &str)>, &str) -> Option<FoundSetting> + Send + Sync>;

/// A setting that was asked for.
#[derive(Clone)]
pub struct FoundSetting {
    /// Its value, if no variable sets it.
    pub value: Value,
    /// Where that is from.
    pub origin: String,
    /// The variables that set it; of several the last counts.
    pub vars: Vec<&'static str>,
    /// Brings the value of a variable to its type.
    pub typed: fn(&'static str, &Value) -> Value,
    /// Its type.
    pub kind: &'static str,
}
