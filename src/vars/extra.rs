//! `-e` / `--extra-vars`.

use super::load_vars_file;
use crate::diag::{Diagnostic, Source};
use crate::value::{Map, Value, split_free_form};
use crate::vault::Vault;
use std::path::Path;

/// Reads one argument of `-e`: `@file` (YAML or JSON), a text that begins with `{` or `[` (YAML or JSON), or
/// `name=value` pairs, whose values are always strings. An empty argument sets nothing.
///
/// # Errors
/// If a file cannot be read, or the text is not variables.
pub fn parse_extra_vars(argument: &str, cwd: &Path, vault: &Vault) -> Result<Map, Diagnostic> {
    match argument.chars().next() {
        None => Ok(Map::new()),
        Some('@') => {
            let path = cwd.join(argument.trim_start_matches('@'));
            load_vars_file(&path, vault).map(|(vars, _)| vars)
        }
        Some('/' | '.') => Err(Diagnostic::error(
            "vars::extra-vars",
            format!("`{argument}` looks like a file"),
        )
        .hint(format!("write -e @{argument}"))),
        Some('{' | '[') => {
            let document = crate::yaml::parse(&Source::new("<extra vars>", argument))?;
            match document.node.to_value() {
                Value::Map(map) => Ok((*map).clone()),
                _ => Err(Diagnostic::error(
                    "vars::extra-vars",
                    format!(
                        "extra variables must be a mapping, this is {}",
                        document.node.describe()
                    ),
                )
                .at(&document.node.span)),
            }
        }
        Some(_) => pairs(argument),
    }
}

fn pairs(argument: &str) -> Result<Map, Diagnostic> {
    let error = |message: String| Diagnostic::error("vars::extra-vars", message);
    let (rest, vars) = split_free_form(argument, None).map_err(error)?;
    if rest.is_empty() {
        return Ok(vars);
    }
    Err(error(format!("expected name=value, got `{rest}`"))
        .hint("quote values with spaces: -e 'name=\"two words\"'; a file is @file"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(argument: &str) -> String {
        match parse_extra_vars(argument, Path::new("."), &Vault::default()) {
            Ok(vars) => format!("{:?}", Value::map(vars)),
            Err(error) => format!("error: {error}"),
        }
    }

    #[test]
    fn pairs_are_strings() {
        assert_eq!(read("a=1 b=true"), "{'a': '1', 'b': 'true'}");
        assert_eq!(read("a='x y' b=\"p q\""), "{'a': 'x y', 'b': 'p q'}");
        assert_eq!(
            read("a={{ b | default('c d') }} e=f"),
            "{'a': \"{{ b | default('c d') }}\", 'e': 'f'}"
        );
        assert_eq!(read("a=x=y"), "{'a': 'x=y'}");
        assert_eq!(read(r"a=x\ty"), "{'a': 'x\\ty'}");
        assert_eq!(read(""), "{}");
    }

    #[test]
    fn json_keeps_types() {
        assert_eq!(read(r#"{"a": 1, "b": [true]}"#), "{'a': 1, 'b': [True]}");
    }

    #[test]
    fn errors_say_what_to_do() {
        assert!(read("a").contains("expected name=value"));
        assert!(read("a='x").contains("not balanced"));
        assert!(read("/etc/x").contains("-e @/etc/x"));
        assert!(read("[1]").contains("must be a mapping"));
        assert!(read("@/nonexistent/x").contains("cannot read"));
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC*") {
            let _ = pairs(&text);
        }
    }
}
