//! YAML as PyYAML reads it (YAML 1.1), with line and column on every node, and as PyYAML writes it.

mod node;

pub use node::{Entry, Kind, Node};
