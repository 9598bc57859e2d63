//! Where a task stands in a play, comparable between hosts.

/// The way from the play's root to a task: `(section, index)` at each level. Hosts are kept in step by running
/// the least place first; two hosts at the same place are at the same task.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place(pub(super) Vec<(u8, u32)>);
