//! What commands printed, as results hold it.

use crate::sys::{Command, Output};
use crate::value::{Map, Value};

/// The lines of a text, without their ends, as Python's `splitlines` sees them.
pub(crate) fn lines(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    let ends = [
        '\n', '\r', '\x0b', '\x0c', '\x1c', '\x1d', '\x1e', '\u{85}', '\u{2028}', '\u{2029}',
    ];
    while let Some(at) = rest.find(ends) {
        let (line, tail) = rest.split_at(at);
        found.push(line);
        rest = tail.strip_prefix("\r\n").unwrap_or_else(|| {
            let mut chars = tail.chars();
            chars.next();
            chars.as_str()
        });
    }
    if !rest.is_empty() {
        found.push(rest);
    }
    found
}

/// Sets `stdout` or `stderr` and its `_lines`.
pub(crate) fn set_stream(data: &mut Map, name: &str, text: &str) {
    data.set(name, Value::data(text));
    let items = lines(text).into_iter().map(Value::data).collect();
    data.set(&format!("{name}_lines"), Value::list(items));
}

/// Sets the `_lines` of streams that have none.
pub(crate) fn split(data: &mut Map) {
    for name in ["stdout", "stderr"] {
        let by_lines = format!("{name}_lines");
        if let (Some(Value::Str(text)), None) = (data.get(name), data.get(by_lines.as_str())) {
            let items = lines(text).into_iter().map(Value::data).collect();
            data.set(&by_lines, Value::list(items));
        }
    }
}

/// Sets `rc`, `stdout`, `stderr` and their lines. With `strip`, line ends at the end are dropped.
pub(crate) fn set_output(data: &mut Map, output: &Output, strip: bool) {
    data.set("rc", output.rc);
    for (name, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
        let text = String::from_utf8_lossy(bytes);
        let text: &str = &text;
        set_stream(
            data,
            name,
            if strip {
                text.trim_end_matches(['\r', '\n'])
            } else {
                text
            },
        );
    }
}

/// A failure of a command that a module needed: what was to be done, the command's complaint, `rc` and streams.
pub(crate) fn command_failed(what: &str, command: &Command, output: &Output) -> super::Failure {
    let complaint = output.complaint();
    let mut failure = super::Failure::new(if complaint.is_empty() {
        format!(
            "{what}: {} ended with code {}",
            command.words().join(" "),
            output.rc
        )
    } else {
        format!("{what}: {complaint}")
    });
    failure.returns.set(
        "cmd",
        Value::list(command.words().into_iter().map(Value::data).collect()),
    );
    set_output(&mut failure.returns, output, false);
    failure
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn lines_as_python_sees_them() {
        assert_eq!(lines("a\r\nb\n\nc"), ["a", "b", "", "c"]);
        assert_eq!(lines("a\rb\u{2028}"), ["a", "b"]);
        assert!(lines("").is_empty());
    }
}
