//! `validate_argument_spec`: a role's variables against its `meta/argument_specs.yml`.
//!
//! Source: Ansible's documentation, "Role argument validation" and of the module `validate_argument_spec`.

use super::spec_types::{class_of, converted};
use super::{Input, Result, Step};
use crate::result::Outcome;
use crate::template::Variable;
use crate::value::{Map, Value, to_bool};

pub(super) fn validate(input: &Input<'_>) -> Result<Step> {
    let empty = Map::new();
    let map = |name: &str| input.args.get(name).and_then(Value::as_map);
    let spec = map("argument_spec").unwrap_or(&empty);
    let mut given = Map::new();
    for (name, _) in spec.str_iter() {
        if let Some(value) = variable(input, name)? {
            given.set(name, value);
        }
    }
    for (name, value) in map("provided_arguments").unwrap_or(&empty) {
        given.insert(name.clone(), value.clone());
    }
    let mut check = Check::default();
    check.level(spec, &mut given, &Map::new());
    let mut problems = check.problems;
    if !check.unsupported.is_empty() {
        check.unsupported.sort();
        problems.push(format!(
            "{}. Supported parameters include: {}.",
            check.unsupported.join(", "),
            check.supported
        ));
    }
    let context = input
        .args
        .get("validate_args_context")
        .cloned()
        .unwrap_or_else(|| Value::map(Map::new()));
    if problems.is_empty() {
        return Ok(Step::done(
            Outcome::ok()
                .with("msg", "The arg spec validation passed")
                .with("validate_args_context", context),
        ));
    }
    let message = format!("Validation of arguments failed:\n{}", problems.join("\n"));
    let errors: Vec<Value> = problems.into_iter().map(Value::data).collect();
    Ok(Step::done(
        Outcome::failure(message)
            .with("argument_errors", Value::list(errors))
            .with("argument_spec_data", Value::map(spec.clone()).into_data())
            .with("validate_args_context", context),
    ))
}

fn variable(input: &Input<'_>, name: &str) -> Result<Option<Value>> {
    match input.cx.scope().get(name) {
        None => Ok(None),
        Some(Variable::Final(value)) => Ok(Some(value)),
        Some(Variable::Lazy(value)) => Ok(Some(input.templar.render(&value, input.cx)?)),
        Some(_) => Ok(None),
    }
}

fn words(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::List(items)) => items.iter().map(ToString::to_string).collect(),
        Some(Value::Null) | None => Vec::new(),
        Some(one) => vec![one.to_string()],
    }
}

/// What is found wrong, level by level.
#[derive(Default)]
struct Check {
    problems: Vec<String>,
    /// Names that no spec knows, with the options that they are in.
    unsupported: Vec<String>,
    /// What is known where the last of them stands.
    supported: String,
    /// The options around the level, outermost first.
    path: Vec<String>,
}

impl Check {
    /// Notes a problem, with the options that it is in.
    fn note(&mut self, message: String) {
        self.problems.push(if self.path.is_empty() {
            message
        } else {
            format!("{message} found in {}", self.path.join(" -> "))
        });
    }

    /// Checks the values of one level; `rules` holds the relations between them. Values become what their types say.
    fn level(&mut self, spec: &Map, given: &mut Map, rules: &Map) {
        for (name, option) in spec.str_iter() {
            for alias in words(option.get("aliases")) {
                if let Some(value) = given.take(&alias) {
                    given.set(name, value);
                }
            }
        }
        for (name, _) in given
            .str_iter()
            .filter(|(name, _)| spec.get(*name).is_none())
        {
            let place: Vec<&str> = self.path.iter().map(String::as_str).chain([name]).collect();
            self.unsupported.push(place.join("."));
            let mut known: Vec<&str> = spec.str_iter().map(|(name, _)| name).collect();
            known.sort_unstable();
            self.supported = known.join(", ");
        }
        for group in rules.get("mutually_exclusive").into_iter().flat_map(groups) {
            if group.iter().filter(|name| has(given, name)).count() > 1 {
                self.note(format!(
                    "parameters are mutually exclusive: {}",
                    group.join("|")
                ));
            }
        }
        for (name, option) in spec.str_iter() {
            if let Some(default) = option.get("default").filter(|value| !value.is_null())
                && given.get(name).is_none()
            {
                given.set(name, default.clone());
            }
        }
        let flag = |option: &Value, key: &str| option.get(key).and_then(to_bool).unwrap_or(false);
        let mut missing: Vec<&str> = spec
            .str_iter()
            .filter(|(name, option)| flag(option, "required") && given.get(*name).is_none())
            .map(|(name, _)| name)
            .collect();
        if !missing.is_empty() {
            missing.sort_unstable();
            self.note(format!(
                "missing required arguments: {}",
                missing.join(", ")
            ));
        }
        for (name, option) in spec.str_iter() {
            let Some(value) = given.get(name) else {
                continue;
            };
            if value.is_null() && !flag(option, "required") && option.get("default").is_none() {
                continue;
            }
            if let Some(value) = self.typed(name, option, &value.clone()) {
                given.set(name, value);
            }
        }
        for (name, option) in spec.str_iter() {
            if let (Some(choices), Some(value)) = (
                option.get("choices").and_then(Value::as_list),
                given.get(name),
            ) {
                self.chosen(name, choices, value);
            }
        }
        self.relations(given, rules);
        for (name, option) in spec.str_iter() {
            self.inner(name, option, given);
        }
    }

    /// The value as its type has it; a problem is noted.
    fn typed(&mut self, name: &str, option: &Value, value: &Value) -> Option<Value> {
        let kind = option.get("type").and_then(Value::as_str).unwrap_or("str");
        let found_in = if self.path.is_empty() {
            String::new()
        } else {
            format!(" found in '{}'.", self.path.join(" -> "))
        };
        let value = match converted(kind, value) {
            Ok(value) => value,
            Err(why) => {
                self.problems.push(format!(
                    "argument '{name}' is of type {}{found_in} and we were unable to convert to {kind}: {why}",
                    class_of(value)
                ));
                return None;
            }
        };
        let Some(elements) = option.get("elements").and_then(Value::as_str) else {
            return Some(value);
        };
        let Value::List(items) = &value else {
            return Some(value);
        };
        let mut good = Vec::new();
        for item in items.iter() {
            match converted(elements, item) {
                Ok(item) => good.push(item),
                Err(why) => self.problems.push(format!(
                    "Elements value for option '{name}'{} is of type {} and we were unable to convert to {elements}: {why}",
                    found_in.trim_end_matches('.'),
                    class_of(item)
                )),
            }
        }
        Some(Value::list(good))
    }

    fn chosen(&mut self, name: &str, choices: &[Value], value: &Value) {
        let list = |values: &[&Value]| {
            let texts: Vec<String> = values.iter().map(ToString::to_string).collect();
            texts.join(", ")
        };
        let all: Vec<&Value> = choices.iter().collect();
        match value {
            Value::List(items) => {
                let wrong: Vec<&Value> = items
                    .iter()
                    .filter(|item| !choices.contains(item))
                    .collect();
                if !wrong.is_empty() {
                    self.note(format!(
                        "value of {name} must be one or more of: {}. Got no match for: {}",
                        list(&all),
                        list(&wrong)
                    ));
                }
            }
            one if choices.contains(one) => {}
            one => self.note(format!(
                "value of {name} must be one of: {}, got: {one}",
                list(&all)
            )),
        }
    }

    /// The relations between options of a level.
    fn relations(&mut self, given: &Map, rules: &Map) {
        let each =
            |name: &str| -> Vec<Vec<String>> { rules.get(name).map(groups).unwrap_or_default() };
        for group in each("required_together") {
            let count = group.iter().filter(|name| has(given, name)).count();
            if count > 0 && count < group.len() {
                self.note(format!(
                    "parameters are required together: {}",
                    group.join(", ")
                ));
            }
        }
        for group in each("required_one_of") {
            if !group.iter().any(|name| has(given, name)) {
                self.note(format!(
                    "one of the following is required: {}",
                    group.join(", ")
                ));
            }
        }
        for rule in rules
            .get("required_if")
            .and_then(Value::as_list)
            .unwrap_or_default()
        {
            let Some([name, wanted, needed, any @ ..]) = rule.as_list() else {
                continue;
            };
            let name = name.to_string();
            if given.get(name.as_str()) != Some(wanted) {
                continue;
            }
            let any = any.first().and_then(to_bool).unwrap_or(false);
            let needed = words(Some(needed));
            let missing: Vec<&str> = needed
                .iter()
                .map(String::as_str)
                .filter(|name| !has(given, name))
                .collect();
            if missing.is_empty() || any && missing.len() < needed.len() {
                continue;
            }
            self.note(format!(
                "{name} is {wanted} but {} of the following are missing: {}",
                if any { "any" } else { "all" },
                missing.join(", ")
            ));
        }
        let needs = rules.get("required_by").and_then(Value::as_map);
        for (name, needed) in needs.into_iter().flat_map(Map::str_iter) {
            let missing: Vec<String> = words(Some(needed))
                .into_iter()
                .filter(|needed| !has(given, needed))
                .collect();
            if has(given, name) && !missing.is_empty() {
                self.note(format!(
                    "missing parameter(s) required by '{name}': {}",
                    missing.join(", ")
                ));
            }
        }
    }

    /// The options within an option.
    fn inner(&mut self, name: &str, option: &Value, given: &Map) {
        let kind = option.get("type").and_then(Value::as_str);
        let elements = option.get("elements").and_then(Value::as_str);
        let Some(spec) = option.get("options").and_then(Value::as_map) else {
            return;
        };
        if kind != Some("dict") && !(kind == Some("list") && elements == Some("dict")) {
            return;
        }
        let mut value = given.get(name).cloned();
        if value.is_none() && option.get("apply_defaults").and_then(to_bool) == Some(true) {
            value = Some(Value::map(Map::new()));
        }
        let levels = match value {
            None | Some(Value::Null) => return,
            Some(Value::List(items)) => items.to_vec(),
            Some(one) => vec![one],
        };
        self.path.push(name.to_owned());
        for level in levels {
            match level {
                Value::Map(level) => {
                    let rules = option.as_map().cloned().unwrap_or_default();
                    self.level(spec, &mut (*level).clone(), &rules);
                }
                _ => self.problems.push(format!(
                    "value of '{name}' must be of type dict or list of dicts"
                )),
            }
        }
        self.path.pop();
    }
}

fn has(given: &Map, name: &str) -> bool {
    given.get(name).is_some_and(|value| !value.is_null())
}

/// Groups of names: a list of lists, or one list.
fn groups(value: &Value) -> Vec<Vec<String>> {
    let items = value.as_list().unwrap_or_default();
    if items.iter().any(|item| item.as_list().is_some()) {
        items.iter().map(|item| words(Some(item))).collect()
    } else {
        vec![words(Some(value))]
    }
}

#[cfg(test)]
mod tests {
    use super::Check;
    use crate::value::{Map, Value};

    fn problems(spec: Map, mut given: Map) -> Vec<String> {
        let mut check = Check::default();
        check.level(&spec, &mut given, &Map::new());
        check.problems.extend(check.unsupported);
        check.problems
    }

    fn option(kind: &str) -> Map {
        Map::new().with("type", kind)
    }

    #[test]
    fn what_is_missing_is_told_in_one_sentence() {
        let needed = |kind| Value::map(option(kind).with("required", true));
        let spec = Map::new()
            .with("b", needed("int"))
            .with("a", needed("str"))
            .with("c", needed("str"));
        assert_eq!(
            problems(spec, Map::new().with("c", Value::Null)),
            [
                "missing required arguments: a, b",
                "argument 'c' is of type <class 'NoneType'> and we were unable to convert to str: 'None' is not a \
                 string and conversion is not allowed"
            ]
        );
    }

    #[test]
    fn options_within_options_name_where_they_are() {
        let inner = Map::new().with("n", Value::map(option("int")));
        let spec = Map::new().with("d", Value::map(option("dict").with("options", inner)));
        let given = Map::new().with("d", Map::new().with("n", "x").with("m", 1));
        assert_eq!(
            problems(spec, given),
            [
                "argument 'n' is of type <class 'str'> found in 'd'. and we were unable to convert to int: \"'x'\" \
                 cannot be converted to an int",
                "d.m"
            ]
        );
    }

    #[test]
    fn words_are_limited_by_choices() {
        let choices = Value::list(vec!["x".into(), "y".into()]);
        let spec = Map::new().with("c", Value::map(option("str").with("choices", choices)));
        assert_eq!(
            problems(spec.clone(), Map::new().with("c", "z")),
            ["value of c must be one of: x, y, got: z"]
        );
        assert!(problems(spec, Map::new().with("c", "y")).is_empty());
    }
}
