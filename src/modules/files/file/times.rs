//! `modification_time` and `access_time`.

use super::Args;
use crate::modules::{Failure, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::Sys;
use std::fmt::Write;
use std::path::Path;

/// A time that is wished for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Wish {
    Preserve,
    Now,
    /// Seconds since 1970.
    At(f64),
}

impl Wish {
    fn read(text: Option<&str>, format: &str, default: &str) -> ModuleResult<Self> {
        match text.unwrap_or(default) {
            "preserve" => Ok(Self::Preserve),
            "now" => Ok(Self::Now),
            time => parse(time, format).map(Self::At).ok_or_else(|| {
                Failure::new(format!(
                    "Error while obtaining timestamp for time {time} using format {format}"
                ))
            }),
        }
    }

    /// The time to set, if one is to be set.
    fn differing(self, now: f64) -> Option<Self> {
        match self {
            Self::Preserve => None,
            Self::At(time) if (time - now).abs() < 1e-6 => None,
            other => Some(other),
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "seconds are whole and far below 2^53"
)]
fn parse(text: &str, format: &str) -> Option<f64> {
    let parsed = jiff::fmt::strtime::parse(format, text).ok()?;
    let date = parsed
        .to_datetime()
        .or_else(|_| Ok::<_, jiff::Error>(parsed.to_date()?.at(0, 0, 0, 0)));
    let zoned = date.ok()?.to_zoned(jiff::tz::TimeZone::system()).ok()?;
    Some(zoned.timestamp().as_second() as f64)
}

fn wishes(args: &Args, default: &str) -> ModuleResult<(Wish, Wish)> {
    Ok((
        Wish::read(
            args.modification_time.as_deref(),
            &args.modification_time_format,
            default,
        )?,
        Wish::read(
            args.access_time.as_deref(),
            &args.access_time_format,
            default,
        )?,
    ))
}

/// The times of something that is there.
pub(super) fn plan(
    args: &Args,
    sys: &Sys,
    plan: &mut Plan<'_>,
    path: &Path,
    default: &str,
) -> ModuleResult<()> {
    let (mtime, atime) = wishes(args, default)?;
    let Some(meta) = sys.stat(path, false)? else {
        return Ok(());
    };
    let (mtime, atime) = (mtime.differing(meta.mtime), atime.differing(meta.atime));
    if mtime.is_none() && atime.is_none() {
        return Ok(());
    }
    let mut before = format!("path: {}\n", path.display());
    let mut after = before.clone();
    for (name, now, wish) in [("atime", meta.atime, atime), ("mtime", meta.mtime, mtime)] {
        if let Some(wish) = wish {
            let _ = writeln!(before, "{name}: {now}");
            let _ = match wish {
                Wish::At(time) => writeln!(after, "{name}: {time}"),
                _ => writeln!(after, "{name}: now"),
            };
        }
    }
    let diff = Diff::new(path.to_string_lossy(), Some(before), Some(after));
    let owned = path.to_owned();
    plan.step(diff, move |sys| set(sys, &owned, mtime, atime));
    Ok(())
}

/// The times of something that a step before makes, if they are said.
pub(super) fn plan_new(args: &Args, _: &Sys, plan: &mut Plan<'_>, path: &Path) -> ModuleResult<()> {
    let (mtime, atime) = wishes(args, "preserve")?;
    let fixed = |wish: Wish| matches!(wish, Wish::At(_)).then_some(wish);
    let (mtime, atime) = (fixed(mtime), fixed(atime));
    if mtime.is_some() || atime.is_some() {
        let owned = path.to_owned();
        plan.act(
            format!("set the times of {}", path.display()),
            None,
            move |sys, _| Ok(set(sys, &owned, mtime, atime)?),
        );
    }
    Ok(())
}

fn set(
    sys: &mut Sys,
    path: &Path,
    mtime: Option<Wish>,
    atime: Option<Wish>,
) -> crate::sys::Result<()> {
    if (mtime, atime) == (Some(Wish::Now), Some(Wish::Now)) {
        // whoever may write the file may do this, others than its owner too
        return sys.set_times_now(path);
    }
    let now = sys.now();
    let seconds = |wish: Option<Wish>| match wish? {
        Wish::At(time) => Some(time),
        Wish::Now => Some(now),
        Wish::Preserve => None,
    };
    sys.set_times(path, seconds(atime), seconds(mtime), false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_formats() {
        let read = |text| Wish::read(Some(text), "%Y%m%d%H%M.%S", "now");
        assert_eq!(read("preserve"), Ok(Wish::Preserve));
        assert_eq!(Wish::read(None, "", "now"), Ok(Wish::Now));
        let Ok(Wish::At(later)) = read("202001020304.05") else {
            panic!("a time")
        };
        let Ok(Wish::At(earlier)) = read("202001020304.00") else {
            panic!("a time")
        };
        assert!((later - earlier - 5.0).abs() < f64::EPSILON);
        assert!(read("yesterday").is_err());
    }
}
