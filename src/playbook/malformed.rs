//! What stands where a list of tasks, a task, a role or a play should, in the words that scripts look for.

use crate::diag::Diagnostic;
use crate::yaml::Node;

/// The code of lists of tasks, and of tasks, that are something else.
const CODES: [&str; 2] = ["playbook::tasks-not-a-list", "playbook::task-not-a-mapping"];

/// What is no list of tasks.
pub(super) fn no_task_list(node: &Node) -> Diagnostic {
    let value = node.to_value();
    Diagnostic::error(
        CODES[0],
        format!("tasks must be a list, this is {}", node.describe()),
    )
    .at(&node.span)
    .tell(format!(
        "{value} should be a list or None but is <class '{}'>",
        value.type_name()
    ))
    .hint("each task begins with `- `")
}

/// What is no task.
pub(super) fn no_task(node: &Node) -> Diagnostic {
    let value = node.to_value();
    Diagnostic::error(
        CODES[1],
        format!("a task must be a mapping, this is {}", node.describe()),
    )
    .at(&node.span)
    .tell(format!(
        "The ds ({value}) should be a dict but was a <class '{}'>",
        value.type_name()
    ))
}

/// What is no list of roles.
pub(super) fn no_role_list(node: &Node) -> Diagnostic {
    let value = node.to_value();
    Diagnostic::error(
        "playbook::roles-not-a-list",
        format!("`roles` must be a list, this is {}", node.describe()),
    )
    .at(&node.span)
    .tell(format!(
        "A malformed role declaration was encountered.. ds ({value}) should be a list but was a <class '{}'>",
        value.type_name()
    ))
}

/// The refusal of a list of tasks, as that of the part of a play or block that it stands in.
pub(super) fn in_part(part: &str, mut refusal: Box<Diagnostic>) -> Box<Diagnostic> {
    within(&mut refusal, |why| {
        let of = "A malformed block was encountered while loading";
        match part {
            "tasks" => format!("{of} tasks: {why}. {why}"),
            "block" => format!("{of} a block. {why}"),
            "rescue" => format!("{of} rescue.. {why}"),
            part => format!("{of} {part}. {why}"),
        }
    });
    refusal
}

/// The same, of a role's file.
pub(super) fn in_role(part: &str, role: &str, mut refusal: Box<Diagnostic>) -> Box<Diagnostic> {
    within(&mut refusal, |why| {
        format!("The {part}/main.yml file for role '{role}' must contain a list of tasks. {why}")
    });
    refusal
}

/// The same, of a file that is included or imported.
pub(super) fn in_file(mut refusal: Box<Diagnostic>) -> Box<Diagnostic> {
    if refusal.code == CODES[0] {
        within(&mut refusal, |_| {
            "included task files must contain a list of tasks".to_owned()
        });
    }
    refusal
}

/// Gives a refusal its words once: those of the innermost part count.
fn within(refusal: &mut Diagnostic, words: impl Fn(&str) -> String) {
    if let Some(why) = &refusal.told
        && CODES.contains(&refusal.code)
        && (why.contains(" should be a list or None but is ") || why.starts_with("The ds ("))
        && !why.contains(" encountered while loading ")
        && !why.contains(" must contain a list of tasks")
    {
        refusal.told = Some(words(why));
    }
}
