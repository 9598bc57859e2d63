//! `pause` and `wait_for_connection`.

use super::args::decode;
use super::{Input, Result, Step};
use crate::module_args;
use std::time::Duration;

module_args! {
    /// Arguments of `pause`.
    pub struct PauseArgs {
        /// How many minutes.
        minutes: Option<f64> => optional;
        /// How many seconds.
        seconds: Option<f64> => optional;
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
    let duration = match (args.minutes, args.seconds) {
        (Some(_), Some(_)) => {
            return Err("parameters are mutually exclusive: minutes|seconds"
                .to_owned()
                .into());
        }
        (Some(minutes), None) => Some(seconds(minutes * 60.0)),
        (None, Some(value)) => Some(seconds(value.max(1.0))),
        (None, None) => None,
    };
    Ok(Step::Pause {
        duration,
        in_seconds: args.seconds.is_some(),
        prompt: args.prompt,
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
