//! Files of other programs: plain values without places.

use super::parse_all;
use crate::diag::Source;
use crate::value::Value;

/// All documents of a text as data that no template expands; `name` is what messages call it. Empty documents are left
/// out. Lines of the text never get into messages: it may hold secrets.
///
/// # Errors
/// What is wrong with it, and where.
pub fn values_of(name: &str, text: &str) -> Result<Vec<Value>, String> {
    let source = Source::hidden(name, text);
    let documents = parse_all(&source).map_err(|problem| problem.to_string())?;
    Ok(documents
        .into_iter()
        .map(|document| document.node.to_value().into_data())
        .filter(|value| !value.is_null())
        .collect())
}

#[cfg(test)]
mod tests {
    use super::values_of;

    #[test]
    fn empty_documents_are_left_out_and_secrets_are_not_shown() {
        let all = values_of("x.yml", "---\n---\na: 1\n---\n# nothing\n---\n[b]\n").expect("YAML");
        assert_eq!(all.len(), 2);
        assert!(all.iter().all(|v| v.as_str().is_none()));
        let problem = values_of("x.yml", "a: [hunter2").expect_err("not closed");
        assert!(
            problem.contains("x.yml") && !problem.contains("hunter2"),
            "{problem}"
        );
    }
}
