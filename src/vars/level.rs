//! The levels of precedence.

/// Where a variable comes from; what is listed later wins. Numbers in the documentation of the members are those of
/// Ansible's page "Using variables".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// 2: `defaults/main.yml` of roles.
    RoleDefaults,
    /// 3: variables of the group `all` in the inventory.
    InventoryAll,
    /// 3: variables of other groups in the inventory.
    InventoryGroup,
    /// 4: `group_vars/all` beside the inventory.
    GroupVarsAll,
    /// 5: `group_vars/all` beside the playbook.
    PlaybookGroupVarsAll,
    /// 6: other `group_vars/` beside the inventory.
    GroupVars,
    /// 7: other `group_vars/` beside the playbook.
    PlaybookGroupVars,
    /// 8: variables of the host in the inventory.
    InventoryHost,
    /// 9: `host_vars/` beside the inventory.
    HostVars,
    /// 10: `host_vars/` beside the playbook.
    PlaybookHostVars,
    /// 11: facts, and `set_fact` with `cacheable`.
    Facts,
    /// 12: `vars` of a play.
    PlayVars,
    /// 13: answers to `vars_prompt`.
    VarsPrompt,
    /// 14: `vars_files`.
    VarsFiles,
    /// 15: `vars/main.yml` of roles, and `vars` of their entries.
    RoleVars,
    /// 16: `vars` of blocks.
    BlockVars,
    /// 17: `vars` of the task.
    TaskVars,
    /// 18: `include_vars`.
    IncludeVars,
    /// 19: `set_fact`.
    SetFact,
    /// 19: `register`; among these two the later wins, whichever it is.
    Registered,
    /// 20: parameters of roles: what stands beside `role:` in an entry and is no keyword.
    RoleParams,
    /// 21: `vars` of an include.
    IncludeParams,
    /// 22: `-e` on the command line.
    ExtraVars,
    /// Variables that runbook sets itself; nothing overrides them.
    Magic,
    /// Loop variables and the like, for the length of one task.
    Local,
}

impl Level {
    /// The order of layers in a scope: equal for levels that share a number and overwrite each other.
    pub fn rank(self) -> u8 {
        match self {
            Self::Registered => Self::SetFact as u8,
            other => other as u8,
        }
    }

    /// What a person calls it.
    pub fn title(self) -> &'static str {
        match self {
            Self::RoleDefaults => "role defaults",
            Self::InventoryAll => "inventory, group all",
            Self::InventoryGroup => "inventory group",
            Self::GroupVarsAll => "inventory group_vars/all",
            Self::PlaybookGroupVarsAll => "playbook group_vars/all",
            Self::GroupVars => "inventory group_vars",
            Self::PlaybookGroupVars => "playbook group_vars",
            Self::InventoryHost => "inventory host",
            Self::HostVars => "inventory host_vars",
            Self::PlaybookHostVars => "playbook host_vars",
            Self::Facts => "facts",
            Self::PlayVars => "play vars",
            Self::VarsPrompt => "vars_prompt",
            Self::VarsFiles => "vars_files",
            Self::RoleVars => "role vars",
            Self::BlockVars => "block vars",
            Self::TaskVars => "task vars",
            Self::IncludeVars => "include_vars",
            Self::SetFact => "set_fact",
            Self::Registered => "register",
            Self::RoleParams => "role parameters",
            Self::IncludeParams => "include parameters",
            Self::ExtraVars => "extra vars (-e)",
            Self::Magic => "magic variable",
            Self::Local => "loop or task variable",
        }
    }
}
