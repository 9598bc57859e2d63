//! YAML as PyYAML reads it (YAML 1.1), with line and column on every node, and as PyYAML writes it.
//!
//! The way of a text: [`parse`] tries JSON, then takes events from libyaml (`libyaml`), composes nodes of them
//! (`compose`, with `tags`, `mapping` for merge keys and duplicates, and `resolve` for YAML 1.1's types) or explains
//! what is wrong (`syntax`). [`emit`] goes the other way.

mod compose;
mod emit;
mod json;
mod libyaml;
mod mapping;
mod node;
mod parse;
mod places;
mod resolve;
mod syntax;
mod tags;
#[cfg(test)]
mod tests;
mod timestamp;
mod values;

pub use emit::{EmitOptions, FlowStyle, QuoteStyle, emit};
pub use node::{Entry, Kind, Node};
pub use parse::{Document, parse, parse_all};
pub use resolve::parse_scalar;
pub use values::values_of;
