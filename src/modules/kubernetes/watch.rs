//! Looking again until something holds.

use crate::modules::{Failure, ModuleResult};
use crate::sys::Sys;
use std::time::{Duration, Instant};

/// Calls `look` until it gives a value, or time is over: then the last reason is the failure.
///
/// # Errors
/// What `look` complains about, the end of the time, or that the task is stopped.
pub(super) fn until<T>(
    sys: &Sys,
    (timeout, pause): (i64, i64),
    what: &str,
    mut look: impl FnMut(&Sys) -> ModuleResult<Result<T, String>>,
) -> ModuleResult<T> {
    let begun = Instant::now();
    let limit = Duration::from_secs(u64::try_from(timeout).unwrap_or(0));
    let pause = Duration::from_secs(u64::try_from(pause).unwrap_or(1).max(1));
    loop {
        match look(sys)? {
            Ok(value) => return Ok(value),
            Err(reason) if begun.elapsed() >= limit => {
                return Err(Failure::new(format!(
                    "{what} in {timeout} seconds: {reason}"
                )));
            }
            Err(_) => sys.sleep(
                pause.min(
                    limit
                        .saturating_sub(begun.elapsed())
                        .max(Duration::from_millis(100)),
                ),
            )?,
        }
    }
}
