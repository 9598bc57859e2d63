//! Signatures of commits and tags.

use super::Args;
use super::tool::Tool;
use crate::modules::ModuleResult;
use crate::modules::streams::set_output;
use crate::sys::Sys;

/// Fails unless the version is signed, and by a key of the list if there is one.
pub(super) fn verify(args: &Args, tool: &Tool, sys: &Sys) -> ModuleResult<()> {
    let version = args.version.as_str();
    let tag = format!("refs/tags/{version}");
    let kind = tool.ask(&["cat-file", "-t", &tag], sys)?;
    let verb = if kind.ok() && kind.text().trim() == "tag" {
        "verify-tag"
    } else {
        "verify-commit"
    };
    let output = tool.ask(&[verb, "--raw", version], sys)?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned() + &output.text();
    let fingerprints: Vec<&str> = said
        .lines()
        .filter_map(|line| line.strip_prefix("[GNUPG:] VALIDSIG "))
        .flat_map(|rest| {
            // the key that signed, and at the end the key that it belongs to
            let words: Vec<&str> = rest.split_whitespace().collect();
            words
                .first()
                .copied()
                .into_iter()
                .chain(words.last().copied())
        })
        .collect();
    let trusted = args.gpg_allowlist.is_empty()
        || args.gpg_allowlist.iter().any(|key| {
            let key = key.replace(' ', "").to_uppercase();
            fingerprints.contains(&key.as_str())
        });
    if output.ok() && trusted {
        return Ok(());
    }
    let why = if output.ok() {
        format!(
            "The gpg_allowlist does not include the public key \"{}\" for this commit",
            fingerprints.first().unwrap_or(&"?")
        )
    } else {
        format!("Failed to verify GPG signature of commit/tag \"{version}\"")
    };
    let mut failure = crate::modules::Failure::new(why);
    set_output(&mut failure.returns, &output, false);
    Err(failure)
}
