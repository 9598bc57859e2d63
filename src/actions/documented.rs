//! What is to be said of actions whose arguments no declaration checks: those that take any name, and those that
//! change the course of a play. For `runbook doc` only.

use crate::value::{ArgField, ArgKind, ArgSpec, Value, check};

/// Name, other names, type, whether it is needed, what it is.
type Argument = (
    &'static str,
    &'static [&'static str],
    ArgKind,
    bool,
    &'static str,
);

struct Documented {
    name: &'static str,
    doc: &'static str,
    arguments: &'static [Argument],
    free_form: Option<&'static str>,
}

const FILE: Argument = (
    "file",
    &[],
    ArgKind::Path,
    true,
    "The file of tasks; relative paths begin at the file that includes it, in roles at their tasks.",
);
const APPLY: Argument = (
    "apply",
    &[],
    ArgKind::Dict,
    false,
    "Keywords for everything that is included (`tags`, `become`, …).",
);
const ROLE: Argument = ("name", &["role"], ArgKind::Str, true, "The role.");
const TASKS_FROM: Argument = (
    "tasks_from",
    &[],
    ArgKind::Str,
    false,
    "A file of its tasks instead of `main`.",
);
const VARS_FROM: Argument = (
    "vars_from",
    &[],
    ArgKind::Str,
    false,
    "A file of its variables instead of `main`.",
);
const DEFAULTS_FROM: Argument = (
    "defaults_from",
    &[],
    ArgKind::Str,
    false,
    "A file of its defaults instead of `main`.",
);
const HANDLERS_FROM: Argument = (
    "handlers_from",
    &[],
    ArgKind::Str,
    false,
    "A file of its handlers instead of `main`.",
);
const DUPLICATES: Argument = (
    "allow_duplicates",
    &[],
    ArgKind::Bool,
    false,
    "Whether the role runs again if it ran before with the same parameters.",
);
const ARGSPEC: Argument = (
    "rolespec_validate",
    &[],
    ArgKind::Bool,
    false,
    "Whether the role's argument specification is checked.",
);

const DOCUMENTED: &[Documented] = &[
    Documented {
        name: "set_fact",
        doc: "Set variables of the host.\nEvery argument but `cacheable` is a variable: its name and its value. It holds for \
              the rest of the run, in later plays too.",
        arguments: &[(
            "cacheable",
            &[],
            ArgKind::Bool,
            false,
            "Whether it is a fact as well: one that ranks below the variables of plays.",
        )],
        free_form: None,
    },
    Documented {
        name: "add_host",
        doc: "Add a host to the inventory of this run.\nThe task runs once, for the first host. Every other argument is a \
              variable of the new host.",
        arguments: &[
            (
                "name",
                &["host", "hostname"],
                ArgKind::Str,
                true,
                "The host's name, with `:port` behind it if it has one.",
            ),
            (
                "groups",
                &["group", "groupname"],
                ArgKind::List,
                false,
                "The groups that it is put into; they are made if they are new.",
            ),
        ],
        free_form: Some("name"),
    },
    Documented {
        name: "group_by",
        doc: "Put the host into a group made from variables.",
        arguments: &[
            (
                "key",
                &[],
                ArgKind::Str,
                true,
                "The group's name; blanks become hyphens.",
            ),
            (
                "parents",
                &[],
                ArgKind::List,
                false,
                "The groups that the group is put into; `all` unless they are given.",
            ),
        ],
        free_form: None,
    },
    Documented {
        name: "raw",
        doc: "Run a command line on the machine without the agent.\nIt goes through the login shell as it is written; for \
              machines that the agent cannot run on.",
        arguments: &[(
            "executable",
            &[],
            ArgKind::Path,
            false,
            "The shell that runs it.",
        )],
        free_form: Some("_raw_params"),
    },
    Documented {
        name: "meta",
        doc: "Change the course of the run.\nOne word: `flush_handlers` (run what was notified now), `clear_facts`, \
              `clear_host_errors` (hosts that failed take part again), `end_host`, `end_batch`, `end_play`, `end_role`, \
              `reset_connection`, `noop`. `when` counts; loops do not.",
        arguments: &[],
        free_form: Some("one of these words"),
    },
    Documented {
        name: "include_tasks",
        doc: "Include a file of tasks while the play runs.\nThe name may depend on variables, facts and loops; `when` and tags \
              are those of the inclusion itself.",
        arguments: &[FILE, APPLY],
        free_form: Some("file"),
    },
    Documented {
        name: "import_tasks",
        doc: "Put a file of tasks in place when the playbook is loaded.\nKeywords (`when`, `tags`, …) hold for each task in it; \
              the name can only hold variables that are known by then.",
        arguments: &[FILE],
        free_form: Some("file"),
    },
    Documented {
        name: "include_role",
        doc: "Include a role while the play runs.\nThe name may depend on variables, facts and loops.",
        arguments: &[
            ROLE,
            TASKS_FROM,
            VARS_FROM,
            DEFAULTS_FROM,
            HANDLERS_FROM,
            APPLY,
            (
                "public",
                &[],
                ArgKind::Bool,
                false,
                "Whether later tasks of the play see the role's variables and defaults.",
            ),
            DUPLICATES,
            ARGSPEC,
        ],
        free_form: None,
    },
    Documented {
        name: "import_role",
        doc: "Put a role in place when the playbook is loaded.\nKeywords hold for each of its tasks; its variables and defaults \
              are seen by the whole play.",
        arguments: &[
            ROLE,
            TASKS_FROM,
            VARS_FROM,
            DEFAULTS_FROM,
            HANDLERS_FROM,
            DUPLICATES,
            ARGSPEC,
        ],
        free_form: None,
    },
    Documented {
        name: "import_playbook",
        doc: "Put the plays of another playbook in place.\nStands where a play stands; `vars`, `when` and `tags` hold for each \
              of them.",
        arguments: &[],
        free_form: Some("the playbook's path"),
    },
];

/// The interfaces of these actions, for documentation.
pub fn documented_specs() -> Vec<ArgSpec> {
    DOCUMENTED
        .iter()
        .map(|action| ArgSpec {
            module: action.name,
            collection: "ansible.builtin",
            aliases: &[],
            doc: action.doc,
            fields: action.arguments.iter().map(field).collect(),
            rules: &[],
            free_form: action.free_form,
        })
        .collect()
}

fn field(argument: &Argument) -> ArgField {
    let (name, aliases, kind, required, doc) = *argument;
    ArgField {
        name,
        aliases,
        doc: doc.to_owned(),
        kind,
        elements: (kind == ArgKind::List).then_some(ArgKind::Str),
        required,
        default: None,
        choices: &[],
        secret: false,
        check: check::<Value>,
    }
}

#[cfg(test)]
mod tests {
    use super::documented_specs;
    use crate::actions::{ActionRegistry, controller_specs};

    #[test]
    fn every_action_is_documented_once() {
        let mut names: Vec<&str> = documented_specs()
            .into_iter()
            .chain(controller_specs())
            .map(|spec| spec.module)
            .collect();
        let known: Vec<&str> = ActionRegistry.names().collect();
        for name in &names {
            assert!(known.contains(name), "{name} is no action");
        }
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "an action has two entries");
    }
}
