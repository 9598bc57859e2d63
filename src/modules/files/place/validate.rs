//! The argument `validate`: a command looks at the new file before it is put in place.

use crate::modules::{Failure, ModuleResult};
use crate::sys::{Command, Sys};
use crate::value::{Value, shell_words};
use std::io::Read;
use std::path::Path;

/// Checks that the command has a place for the file.
///
/// # Errors
/// When it has none, or its quotes are not closed.
pub fn check_validate(command: &str) -> ModuleResult<()> {
    if !command.contains("%s") {
        return Err(Failure::new(format!("validate must contain %s: {command}")));
    }
    match shell_words(command) {
        Ok(_) => Ok(()),
        Err(why) => Err(Failure::new(format!("validate: {why} in `{command}`"))),
    }
}

/// Runs the command on a private copy of the content, which has the name of the file it is for.
pub(super) fn validate(
    sys: &mut Sys,
    command: &str,
    dest: &Path,
    content: &mut dyn Read,
) -> ModuleResult<()> {
    let name = dest.file_name().unwrap_or_default().to_string_lossy();
    let file = sys.scratch_file(&name, content)?;
    let path = file.path().to_string_lossy();
    let argv = shell_words(command)
        .unwrap_or_default()
        .into_iter()
        .map(|word| word.replace("%s", &path).replace("%%", "%"));
    let output = sys.run(&Command::new(argv))?;
    if output.ok() {
        return Ok(());
    }
    let text = |bytes: &[u8]| Value::data(String::from_utf8_lossy(bytes).into_owned());
    Err(Failure::new(format!(
        "failed to validate: {}",
        first_line(&output.complaint())
    ))
    .with("exit_status", output.rc)
    .with("stdout", text(&output.stdout))
    .with("stderr", text(&output.stderr)))
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or("the command gave no reason")
}
