//! What holds for every transcript.

/// Nothing of the program's inside shows, and no secret.
pub fn nothing_internal(name: &str, text: &str) {
    let never = [
        "panicked",
        "a bug in runbook",
        "RUST_BACKTRACE",
        "_runbook_",
        "Os {",
        "Error {",
        "Some(",
        "ErrorKind",
        "(os error",
        ".rs:",
        "Caused by",
        "hunter2",
        "[killed]",
    ];
    for word in never {
        assert!(!text.contains(word), "{name}: `{word}` in\n{text}");
    }
}
