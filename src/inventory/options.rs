//! How inventories are read.

use super::Inventory;
use crate::diag::Diagnostic;
use crate::value::Map;
use crate::vault::Vault;
use std::sync::Arc;

/// What is known of hosts besides what inventory sources say: files of variables and the fact cache.
/// Given the inventory so far and whether such files are wanted, gives the variables by the name of a host.
pub type MoreVars = Arc<
    dyn Fn(&Inventory, bool) -> Result<Box<dyn Fn(&str) -> Result<Map, Diagnostic>>, Diagnostic>
        + Send
        + Sync,
>;

/// What happens to names of groups that could not be names of variables (`force_valid_group_names`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GroupNames {
    /// They stay, with a warning.
    #[default]
    Never,
    /// They stay.
    Ignore,
    /// Underscores replace what is wrong, with a warning.
    Always,
    /// Underscores replace what is wrong.
    Silently,
}

/// What a host pattern that matches nothing is (`host_pattern_mismatch`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mismatch {
    /// A warning.
    #[default]
    Warning,
    /// An error.
    Error,
    /// Nothing to speak of.
    Ignore,
}

/// What happens when sources cannot be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unparsed {
    /// The first one is an error; a directory in which nothing can be read is none.
    #[default]
    FileFails,
    /// The first one is an error, even if it is such a directory.
    Fails,
    /// Warnings.
    Warns,
    /// Warnings; an error if none of the sources can be read.
    AllFail,
}

impl Unparsed {
    /// Whether a file that cannot be read is an error.
    pub(super) fn refuses_files(self) -> bool {
        matches!(self, Self::FileFails | Self::Fails)
    }
}

/// How to read inventories.
#[derive(Clone, Default)]
pub struct LoadOptions {
    /// Opens encrypted inventory files.
    pub vault: Arc<Vault>,
    /// File name endings to pass over in directories (`inventory_ignore_extensions`); none for Ansible's.
    pub ignored_endings: Option<Vec<String>>,
    /// Regular expressions of names to pass over in directories (`inventory_ignore_patterns`).
    pub ignored_patterns: Vec<String>,
    /// What to do about sources that cannot be read.
    pub unparsed: Unparsed,
    /// The kinds of sources to try, in this order (`enable_plugins`); none for the usual ones.
    pub enabled: Option<Vec<String>>,
    /// What happens to odd names of groups.
    pub group_names: GroupNames,
    /// What a host pattern that matches nothing is.
    pub mismatch: Mismatch,
    /// Extra variables, for sources that compute variables and ask for them.
    pub extra_vars: Arc<Map>,
    /// Whether such sources see extra variables when they do not say.
    pub use_extra_vars: bool,
    /// What else such sources see.
    pub more_vars: Option<MoreVars>,
    /// `hash_behaviour = merge`: a variable that is a mapping is merged with what sources before gave.
    pub merge_hashes: bool,
}
