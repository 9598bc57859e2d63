//! `pause` and `wait_for_connection`.

use super::args::decode;
use super::{Input, Result, Step};
use crate::module_args;
use crate::value::{ArgKind, FromValue, TypeProblem, Value, repr};
use std::time::Duration;

/// A number as Python's `int()` reads it: what a float has behind the point is dropped, a text has no point.
#[derive(Clone, Copy, Debug)]
pub struct Whole(i64);

impl FromValue for Whole {
    const KIND: ArgKind = ArgKind::Int;
    fn from_value(value: &Value) -> std::result::Result<Self, TypeProblem> {
        match value {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "as wanted; what is too large is the largest"
            )]
            Value::Float(number) => Ok(Self(*number as i64)),
            Value::Str(text) => (text.trim().parse().map(Self)).map_err(|_| {
                let text = repr(value);
                TypeProblem(format!("invalid literal for int() with base 10: {text}"))
            }),
            other => i64::from_value(other).map(Self),
        }
    }
}

module_args! {
    /// Arguments of `pause`.
    pub struct PauseArgs {
        /// How many minutes.
        minutes: Option<Whole> => optional;
        /// How many seconds.
        seconds: Option<Whole> => optional;
        /// What to show the user; without a time, the run goes on when he answers.
        prompt: Option<String> => optional;
        /// Whether what he types is shown.
        echo: bool => default(true);
    }
}

module_args! {
    /// Arguments of `wait_for_connection`.
    pub struct WaitArgs {
        /// Seconds before the first try.
        delay: f64 => default(0);
        /// Seconds in all.
        timeout: f64 => default(600);
        /// Seconds between tries.
        sleep: f64 => default(1);
        /// Seconds for one try.
        connect_timeout: f64 => default(5);
    }
}

fn seconds(value: f64) -> Duration {
    Duration::try_from_secs_f64(value.clamp(0.0, 1e9)).unwrap_or_default()
}

pub(super) fn pause(input: &Input<'_>) -> Result<Step> {
    let args: PauseArgs = decode("pause", &input.args)?;
    let in_seconds = args.seconds.is_some();
    let seconds = match (args.minutes, args.seconds) {
        (Some(_), Some(_)) => {
            return Err("parameters are mutually exclusive: minutes|seconds"
                .to_owned()
                .into());
        }
        (Some(Whole(minutes)), None) => Some(minutes.saturating_mul(60)),
        (None, Some(Whole(seconds))) => Some(seconds),
        (None, None) => None,
    };
    Ok(Step::Pause {
        seconds: seconds.map(|seconds| u64::try_from(seconds).unwrap_or(0).max(1)),
        in_seconds,
        prompt: args.prompt.filter(|prompt| !prompt.is_empty()),
        echo: args.echo,
    })
}

pub(super) fn wait_for_connection(input: &Input<'_>) -> Result<Step> {
    let args: WaitArgs = decode("wait_for_connection", &input.args)?;
    Ok(Step::WaitForConnection {
        delay: seconds(args.delay),
        timeout: seconds(args.timeout),
        sleep: seconds(args.sleep.max(0.1)),
        connect_timeout: seconds(args.connect_timeout.max(1.0)),
    })
}
