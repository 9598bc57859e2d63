//! `script`: the file goes to the machine and runs there.

use super::content::file_to_send;
use super::template::set_source;
use super::{Input, RemoteCall, Result, Step};
use crate::value::{Map, Value};

pub(super) fn script(input: &Input<'_>) -> Result<Step> {
    let line = ["cmd", "_raw_params"]
        .iter()
        .find_map(|name| input.args.get(*name).filter(|v| !v.is_null()))
        .map(ToString::to_string)
        .ok_or("one of the following is required: _raw_params, cmd".to_owned())?;
    let line = line.trim();
    let (name, rest) = first_word(line);
    let (path, sha256, content) = file_to_send(input, &name, "")?;
    let mut args: Map = input
        .args
        .iter()
        .filter(|(key, _)| !matches!(key.as_str(), Some("cmd" | "_raw_params")))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    let file = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    set_source(&mut args, &sha256, &content, &file);
    args.set("_arguments", Value::data(rest));
    let mut call = RemoteCall::new("script", args);
    call.contents.push((sha256, content));
    Ok(Step::Call(call))
}

/// The first shell word, unquoted, and the rest as written.
fn first_word(line: &str) -> (String, &str) {
    let mut chars = line.char_indices();
    match chars.next() {
        Some((_, quote @ ('"' | '\''))) => {
            let body = line.get(1..).unwrap_or_default();
            match body.find(quote) {
                Some(end) => (
                    body.get(..end).unwrap_or_default().to_owned(),
                    body.get(end + 1..).unwrap_or_default().trim_start(),
                ),
                None => (line.to_owned(), ""),
            }
        }
        _ => match line.split_once(char::is_whitespace) {
            Some((word, rest)) => (word.to_owned(), rest.trim_start()),
            None => (line.to_owned(), ""),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::first_word;

    #[test]
    fn takes_the_script_off_its_arguments() {
        assert_eq!(first_word("a.sh -x 'b c'"), ("a.sh".into(), "-x 'b c'"));
        assert_eq!(first_word("'my script.sh' 1"), ("my script.sh".into(), "1"));
        assert_eq!(first_word("a.sh"), ("a.sh".into(), ""));
    }
}
