//! The package index: how old it is, refreshing it.

use super::Args;
use super::get::{environment, run_patiently};
use crate::modules::streams::set_output;
use crate::modules::{Failure, ModuleResult};
use crate::sys::Sys;
use std::path::Path;
use std::time::Duration;

const STAMP: &str = "/var/lib/apt/periodic/update-success-stamp";
const LISTS: &str = "/var/lib/apt/lists";

/// When the index was refreshed, in seconds since 1970; 0 if never.
pub(super) fn time(sys: &Sys) -> ModuleResult<i64> {
    for path in [STAMP, LISTS] {
        if let Some(meta) = sys.stat(Path::new(path), true)? {
            #[expect(clippy::cast_possible_truncation, reason = "seconds fit")]
            return Ok(meta.mtime as i64);
        }
    }
    Ok(0)
}

/// Whether the task wants it refreshed now.
pub(super) fn is_due(args: &Args, sys: &Sys) -> ModuleResult<bool> {
    if !args.update_cache.unwrap_or_default() && args.cache_valid_time == 0 {
        return Ok(false);
    }
    let valid = i64::try_from(args.cache_valid_time).unwrap_or(i64::MAX);
    Ok(time(sys)?.saturating_add(valid) < sys.timestamp())
}

/// The index files with sizes and times: what a refresh may change.
fn files(sys: &Sys) -> Vec<(String, u64, i64)> {
    let dir = Path::new(LISTS);
    sys.list(dir)
        .unwrap_or_default()
        .into_iter()
        .filter(|name| name != "lock" && name != "partial" && name != "auxfiles")
        .filter_map(|name| {
            let meta = sys.stat(&dir.join(&name), true).ok()??;
            #[expect(clippy::cast_possible_truncation, reason = "seconds fit")]
            let time = meta.mtime as i64;
            Some((name.to_string_lossy().into_owned(), meta.size, time))
        })
        .collect()
}

/// Refreshes it; whether something was new. Failures are tried again, later and later.
pub(super) fn refresh(args: &Args, sys: &mut Sys) -> ModuleResult<bool> {
    let before = files(sys);
    let command = environment(sys.tool([
        "apt-get",
        "-q",
        "-o",
        "APT::Update::Error-Mode=any",
        "update",
    ]));
    let attempts = args.update_cache_retries.max(1);
    let mut last = None;
    for attempt in 0..attempts {
        if attempt > 0 {
            let delay = 2_u64.saturating_pow(u32::try_from(attempt - 1).unwrap_or(u32::MAX));
            sys.sleep(Duration::from_secs(
                delay.min(args.update_cache_retry_max_delay),
            ))?;
        }
        let output = run_patiently(&command, args.lock_timeout, sys)?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        let incomplete = ["Failed to fetch", "Some index files failed to download"]
            .iter()
            .any(|words| complaint.contains(words));
        if output.ok() && !incomplete {
            // where nothing keeps the stamp, the directory's time tells how old the index is
            if !sys.exists(Path::new(STAMP)) && sys.exists(Path::new(LISTS)) {
                #[expect(clippy::cast_precision_loss, reason = "seconds fit")]
                let now = sys.timestamp() as f64;
                sys.set_times(Path::new(LISTS), None, Some(now), true)?;
            }
            return Ok(files(sys) != before);
        }
        last = Some(output);
    }
    let output = last.unwrap_or_default();
    let mut failure = Failure::new(format!(
        "Failed to update apt cache after {attempts} retries: {}",
        output.complaint()
    ));
    set_output(&mut failure.returns, &output, false);
    Err(failure)
}
