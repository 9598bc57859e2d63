//! What a module says when it refuses its arguments: playbooks compare these sentences, so they are Ansible's.
//!
//! Source: observed results of ansible-core 2.18.

use super::unfit::{unfit, unfit_item};
use super::{ArgKind, ArgProblem, ArgSpec, TypeProblem, Value, str_of};

impl ArgProblem {
    /// A value of the wrong type, or a word that is not allowed. `names` are the name as written and the argument's own,
    /// `kind` its type and that of its items.
    pub(super) fn of_type(
        names: (&str, &str),
        (kind, elements): (ArgKind, Option<ArgKind>),
        choices: &[&str],
        value: &Value,
        problem: TypeProblem,
    ) -> Self {
        let (written, name) = names;
        let listed = choices.join(", ");
        let failure = match value {
            _ if kind == ArgKind::Raw => format!("argument '{name}': {}", problem.0),
            _ if problem.is_hidden() => format!("argument '{name}' {}", problem.0),
            Value::List(items) if !choices.is_empty() && kind == ArgKind::List => {
                let wrong: Vec<String> = items
                    .iter()
                    .map(str_of)
                    .filter(|word| !choices.contains(&word.as_str()))
                    .collect();
                format!(
                    "value of {name} must be one or more of: {listed}. Got no match for: {}",
                    wrong.join(", ")
                )
            }
            _ if !choices.is_empty() => {
                format!(
                    "value of {name} must be one of: {listed}, got: {}",
                    str_of(value)
                )
            }
            _ => not_converted(name, (kind, elements), value, &problem),
        };
        Self::Type {
            name: written.to_owned(),
            message: problem.0,
            failure,
        }
    }
}

/// That the value, or an item of the list that it is, is not of the type.
fn not_converted(
    name: &str,
    (kind, elements): (ArgKind, Option<ArgKind>),
    value: &Value,
    problem: &TypeProblem,
) -> String {
    let elements = elements.filter(|_| kind == ArgKind::List);
    if let Some(elements) = elements
        && let Some((item, why)) = unfit_item(elements, value)
    {
        return format!(
            "Elements value for option '{name}' is of type <class '{}'> and we were unable to convert to {}: {why}",
            item.type_name(),
            elements.name()
        );
    }
    let why = if problem.is_general() {
        unfit(kind, value)
    } else {
        None
    };
    format!(
        "argument '{name}' is of type <class '{}'> and we were unable to convert to {}: {}",
        value.type_name(),
        kind.name(),
        why.as_deref().unwrap_or(&problem.0)
    )
}

impl ArgSpec {
    /// The message of a task that failed because of these problems: one sentence, about the first of them in the order in
    /// which Ansible looks (what excludes each other, what is missing, types, rules, unknown names).
    pub fn refusal(&self, problems: &[ArgProblem]) -> String {
        let exclusive = |p: &&ArgProblem| matches!(p, ArgProblem::Rule { message } if message.contains("exclusive"));
        if let Some(problem) = problems.iter().find(exclusive) {
            return problem.to_string();
        }
        let mut missing: Vec<&str> = problems
            .iter()
            .filter_map(|problem| match problem {
                ArgProblem::Missing { name } => Some(*name),
                _ => None,
            })
            .collect();
        missing.sort_unstable();
        missing.dedup();
        if !missing.is_empty() {
            return format!("missing required arguments: {}", missing.join(", "));
        }
        let is_type = |p: &&ArgProblem| matches!(p, ArgProblem::Type { .. });
        let is_rule = |p: &&ArgProblem| matches!(p, ArgProblem::Rule { .. });
        let first = problems
            .iter()
            .find(is_type)
            .or_else(|| problems.iter().find(is_rule));
        if let Some(problem) = first {
            return problem.to_string();
        }
        let mut unknown: Vec<&str> = problems
            .iter()
            .filter_map(|problem| match problem {
                ArgProblem::Unknown { name, .. } => Some(name.as_str()),
                _ => None,
            })
            .collect();
        unknown.sort_unstable();
        let own = self.fields.iter().filter(|f| !f.name.starts_with('_'));
        let mut names: Vec<&str> = own.clone().map(|f| f.name).collect();
        let mut aliases: Vec<&str> = own.flat_map(|f| f.aliases.iter().copied()).collect();
        names.sort_unstable();
        aliases.sort_unstable();
        let aliases = match aliases.join(", ") {
            none if none.is_empty() => none,
            some => format!(" ({some})"),
        };
        format!(
            "Unsupported parameters for ({}) module: {}. Supported parameters include: {}{aliases}.",
            self.module,
            unknown.join(", "),
            names.join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use crate::value::{ArgRule, ArgSpec, Args, Map, check_args};

    crate::choices! { enum Word { One = "one", Two = "two" } }
    crate::module_args! {
        struct Some {
            /// A path.
            path: String => required, aliases ["dest", "name"];
            /// A number.
            count: Option<i64> => optional;
            /// A word.
            word: Option<Word> => optional;
        }
    }

    fn spec(rules: &'static [ArgRule]) -> ArgSpec {
        ArgSpec {
            module: "some",
            collection: "ansible.builtin",
            aliases: &[],
            doc: "",
            fields: Some::fields(),
            rules,
            free_form: None,
        }
    }

    fn refused(args: Map) -> String {
        let spec = spec(&[
            ArgRule::Exclusive(&["count", "word"]),
            ArgRule::If("word", "two", &["count"]),
        ]);
        spec.refusal(&check_args(&spec, &args.as_args()))
    }

    #[test]
    fn a_template_may_leave_its_argument_out() {
        let spec = spec(&[
            ArgRule::Exclusive(&["count", "word"]),
            ArgRule::Together(&["count", "word"]),
        ]);
        let (path, one, count) = ("x".into(), "one".into(), 1.into());
        let problems = |args: &[_]| check_args(&spec, args).len();
        let path = ("path", Option::Some(&path));
        assert_eq!(problems(&[path, ("count", None), ("word", None)]), 0);
        assert_eq!(
            problems(&[path, ("count", Option::Some(&count)), ("word", None)]),
            0
        );
        assert_eq!(problems(&[path, ("word", None)]), 0);
        assert_eq!(problems(&[path, ("word", Option::Some(&one))]), 1);
        assert_eq!(
            problems(&[
                path,
                ("count", Option::Some(&count)),
                ("word", Option::Some(&one))
            ]),
            1
        );
    }

    #[test]
    fn speaks_of_the_first_problem_in_ansibles_order() {
        assert_eq!(
            refused(Map::new().with("pth", "x")),
            "missing required arguments: path"
        );
        assert_eq!(
            refused(Map::new().with("name", "x").with("z", 1).with("b", 1)),
            "Unsupported parameters for (some) module: b, z. Supported parameters include: count, path, word (dest, name)."
        );
        assert_eq!(
            refused(Map::new().with("path", "x").with("word", "three")),
            "value of word must be one of: one, two, got: three"
        );
        assert_eq!(
            refused(
                Map::new()
                    .with("z", "x")
                    .with("word", "two")
                    .with("count", 1)
            ),
            "parameters are mutually exclusive: count|word"
        );
        assert_eq!(
            refused(Map::new().with("path", "x").with("word", "two")),
            "word is two but all of the following are missing: count"
        );
        let number = refused(Map::new().with("path", "x").with("count", "abc"));
        assert_eq!(
            number,
            "argument 'count' is of type <class 'str'> and we were unable to convert to int: \"'abc'\" cannot be \
             converted to an int"
        );
    }
}
