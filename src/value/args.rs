//! What arguments a module takes, as data: checks, documentation and completion read it.

use super::{Map, Value};

/// The type of an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgKind {
    /// Text; anything else is converted to it.
    Str,
    /// Yes or no.
    Bool,
    /// A whole number.
    Int,
    /// A number.
    Float,
    /// A path on the machine.
    Path,
    /// A list, or a comma separated string.
    List,
    /// A mapping.
    Dict,
    /// Any value.
    Raw,
}

impl ArgKind {
    /// The name that documentation uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Str => "str",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Float => "float",
            Self::Path => "path",
            Self::List => "list",
            Self::Dict => "dict",
            Self::Raw => "raw",
        }
    }
}

/// One argument of a module.
#[derive(Clone, Debug)]
pub struct ArgField {
    /// Its name.
    pub name: &'static str,
    /// Other names that mean the same.
    pub aliases: &'static [&'static str],
    /// What it is, in a sentence or more.
    pub doc: String,
    /// Its type.
    pub kind: ArgKind,
    /// The type of its items, if it is a list.
    pub elements: Option<ArgKind>,
    /// Whether it must be given.
    pub required: bool,
    /// What it is when it is not given.
    pub default: Option<Value>,
    /// The words that are allowed, if they are limited.
    pub choices: &'static [&'static str],
    /// Whether its value must never be shown.
    pub secret: bool,
    /// Reads a value of it and reports what is wrong, if anything.
    pub check: fn(&Value) -> Result<(), super::TypeProblem>,
}

/// A rule between arguments.
#[derive(Clone, Copy, Debug)]
pub enum ArgRule {
    /// At most one of them.
    Exclusive(&'static [&'static str]),
    /// At least one of them.
    OneOf(&'static [&'static str]),
    /// All or none of them.
    Together(&'static [&'static str]),
    /// If the first argument has this value, all of these must be given.
    If(&'static str, &'static str, &'static [&'static str]),
}

/// Everything about a module's interface.
#[derive(Clone, Debug)]
pub struct ArgSpec {
    /// The short name.
    pub module: &'static str,
    /// The collection it belongs to, e.g. `ansible.builtin`.
    pub collection: &'static str,
    /// Other short names of it.
    pub aliases: &'static [&'static str],
    /// What it does, first sentence first.
    pub doc: &'static str,
    /// Its arguments.
    pub fields: Vec<ArgField>,
    /// Rules between them.
    pub rules: &'static [ArgRule],
    /// The argument that takes the free form (`command: ls -l`), if the module has one.
    pub free_form: Option<&'static str>,
}

impl ArgSpec {
    /// The argument of that name or alias.
    pub fn field(&self, name: &str) -> Option<&ArgField> {
        self.fields
            .iter()
            .find(|field| field.name == name || field.aliases.contains(&name))
    }
}

/// Something wrong with a module's arguments. `name` is the argument as the user wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArgProblem {
    /// No such argument.
    Unknown {
        /// As written.
        name: String,
        /// All names that would do.
        known: Vec<&'static str>,
    },
    /// A required one is missing.
    Missing {
        /// Its name.
        name: &'static str,
    },
    /// Its value is of the wrong type or not an allowed word.
    Type {
        /// As written.
        name: String,
        /// What is wrong.
        message: String,
        /// What a task that fails because of it says.
        failure: String,
    },
    /// A rule between arguments is broken.
    Rule {
        /// What is wrong.
        message: String,
    },
}

impl std::fmt::Display for ArgProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unknown { name, .. } => write!(f, "unknown argument `{name}`"),
            Self::Missing { name } => write!(f, "missing required arguments: {name}"),
            Self::Type { failure, .. } => f.write_str(failure),
            Self::Rule { message } => f.write_str(message),
        }
    }
}

/// Whether every module may be given this, which is no argument: the controller says it of contents that it sends, too.
fn is_internal(name: &str) -> bool {
    let of_contents = ["_sha256", "_sha1", "_size", "_source_name"];
    name == "_raw_params" || name.starts_with("_ansible_") || of_contents.contains(&name)
}

/// Checks arguments against a spec. `None` values are those not known yet (templates): their names are
/// checked, their types are not. Names that begin with `_` are for runbook's own use; those that a module takes pass.
pub fn check_args(spec: &ArgSpec, args: &[(&str, Option<&Value>)]) -> Vec<ArgProblem> {
    let mut problems = Vec::new();
    for (name, value) in args {
        let is_own = name.starts_with('_');
        if is_own && (spec.field(name).is_some() || is_internal(name)) {
            continue;
        }
        let Some(field) = spec.field(name) else {
            problems.push(ArgProblem::Unknown {
                name: (*name).to_owned(),
                known: spec
                    .fields
                    .iter()
                    .filter(|f| !f.name.starts_with('_'))
                    .flat_map(|f| std::iter::once(f.name).chain(f.aliases.iter().copied()))
                    .collect(),
            });
            continue;
        };
        if let Some(value) = value
            && (!value.is_null() || field.required)
            && let Err(problem) = (field.check)(value)
        {
            problems.push(ArgProblem::of_type(
                (name, field.name),
                (field.kind, field.elements),
                field.choices,
                value,
                problem,
            ));
        }
    }
    let found = |wanted: &str, counts: fn(Option<&Value>) -> bool| {
        let field = spec.field(wanted);
        args.iter().any(|(name, value)| {
            counts(*value)
                && (*name == wanted
                    || field.is_some_and(|f| f.name == *name || f.aliases.contains(name)))
        })
    };
    // a template may turn out to leave its argument out
    let given = |wanted: &str| found(wanted, |value| !matches!(value, Some(Value::Null)));
    let surely = |wanted: &str| found(wanted, |value| value.is_some_and(|v| !v.is_null()));
    for field in &spec.fields {
        if field.required && !given(field.name) {
            problems.push(ArgProblem::Missing { name: field.name });
        }
    }
    // as in Ansible, an argument with a default counts as given, except where arguments exclude each other
    let has_default = |wanted: &str| spec.field(wanted).is_some_and(|f| f.default.is_some());
    let has = |wanted: &str| given(wanted) || has_default(wanted);
    let surely_has = |wanted: &str| surely(wanted) || has_default(wanted);
    for rule in spec.rules {
        let surely: &dyn Fn(&str) -> bool = match rule {
            ArgRule::Exclusive(_) => &surely,
            _ => &surely_has,
        };
        if let Some(message) = rule.broken(surely, &has, args, spec) {
            problems.push(ArgProblem::Rule { message });
        }
    }
    problems
}

impl ArgRule {
    fn broken(
        &self,
        surely: &dyn Fn(&str) -> bool,
        given: &dyn Fn(&str) -> bool,
        args: &[(&str, Option<&Value>)],
        spec: &ArgSpec,
    ) -> Option<String> {
        match self {
            Self::Exclusive(names) => {
                let found: Vec<_> = names.iter().filter(|n| surely(n)).copied().collect();
                (found.len() > 1)
                    .then(|| format!("parameters are mutually exclusive: {}", found.join("|")))
            }
            Self::OneOf(names) => (!names.iter().any(|n| given(n)))
                .then(|| format!("one of the following is required: {}", names.join(", "))),
            Self::Together(names) => (names.iter().any(|n| surely(n))
                && !names.iter().all(|n| given(n)))
            .then(|| format!("parameters are required together: {}", names.join(", "))),
            Self::If(name, wanted, needed) => {
                let field = spec.field(name)?;
                let value = args
                    .iter()
                    .find(|(n, _)| *n == field.name || field.aliases.contains(n));
                let matches = match value {
                    Some((_, Some(value))) => super::str_of(value) == *wanted,
                    Some((_, None)) => false,
                    None => field
                        .default
                        .as_ref()
                        .is_some_and(|d| super::str_of(d) == *wanted),
                };
                let missing: Vec<_> = needed.iter().filter(|n| !given(n)).copied().collect();
                (matches && !missing.is_empty()).then(|| {
                    format!(
                        "{name} is {wanted} but all of the following are missing: {}",
                        missing.join(", ")
                    )
                })
            }
        }
    }
}

impl Map {
    /// The arguments as [`check_args`] takes them, all values known.
    pub fn as_args(&self) -> Vec<(&str, Option<&Value>)> {
        self.str_iter().map(|(k, v)| (k, Some(v))).collect()
    }
}
