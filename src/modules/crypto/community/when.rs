//! Moments as arguments: a span from now (`+365d`, `-1h`), or `YYYYMMDDHHMMSSZ`.

use crate::modules::crypto::lifetime::Seconds;
use crate::value::{FromValue, Value};

/// Seconds since 1970.
///
/// # Errors
/// When it is neither.
pub(super) fn moment(text: &str, now: i64, argument: &str) -> Result<i64, String> {
    let wrong = || {
        format!(
            "The time spec \"{text}\" for {argument} is invalid: neither a span such as +365d nor YYYYMMDDHHMMSSZ"
        )
    };
    let text = text.trim();
    if text.starts_with(['+', '-']) {
        let span = Seconds::from_value(&Value::data(text.trim_start_matches('-')))
            .map_err(|_| wrong())?
            .0;
        return Ok(if text.starts_with('-') {
            now - span
        } else {
            now + span
        });
    }
    for (format, text) in [
        ("%Y%m%d%H%M%S", text.trim_end_matches('Z').to_owned()),
        ("%Y%m%d%H%M%S", format!("{}00", text.trim_end_matches('Z'))),
    ] {
        if let Ok(time) = jiff::civil::DateTime::strptime(format, text)
            && let Ok(time) = time.to_zoned(jiff::tz::TimeZone::UTC)
        {
            return Ok(time.timestamp().as_second());
        }
    }
    Err(wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_moments() {
        assert_eq!(moment("+1d", 100, "x"), Ok(86_500));
        assert_eq!(moment("-1m", 100, "x"), Ok(40));
        assert_eq!(moment("19700102000000Z", 100, "x"), Ok(86_400));
        assert_eq!(moment("197001020001Z", 100, "x"), Ok(86_460));
        assert!(moment("tomorrow", 0, "x").is_err());
    }
}
