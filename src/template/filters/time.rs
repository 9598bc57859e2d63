//! Dates: `to_datetime`, `strftime`, and what `now()` gives.

use super::Filter;
use crate::template::call::fail;
use crate::value::{FromValue, Value};
use jiff::civil;
use minijinja::value::{Object, ObjectRepr, Value as Val};
use minijinja::{Error, State};
use std::fmt;
use std::sync::Arc;

pub(super) const TABLE: &[(&str, Filter)] = &[
    ("to_datetime", |c| {
        let format = c
            .args
            .opt_text("format")?
            .unwrap_or_else(|| "%Y-%m-%d %H:%M:%S".into());
        let text = c.text()?;
        let parsed = jiff::fmt::strtime::parse(&format, &text).and_then(|parts| {
            parts
                .to_datetime()
                .or_else(|_| parts.to_date().map(|date| date.at(0, 0, 0, 0)))
        });
        match parsed {
            Ok(datetime) => Ok(DateTime::value(datetime)),
            Err(error) => fail(format!(
                "time data '{text}' does not match format '{format}': {error}"
            )),
        }
    }),
    ("strftime", |c| {
        let second = c.args.opt("second")?;
        let utc = c.args.flag("utc", false)?;
        let format = c.text()?;
        let zone = if utc {
            jiff::tz::TimeZone::UTC
        } else {
            jiff::tz::TimeZone::system()
        };
        let stamp = match second {
            None | Some(Value::Null) => jiff::Timestamp::now(),
            Some(value) => {
                let Ok(seconds) = f64::from_value(&value) else {
                    return fail(format!("Invalid value for epoch value ({value})"));
                };
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "microseconds are what Python keeps"
                )]
                let micros = (seconds * 1e6) as i64;
                match jiff::Timestamp::from_microsecond(micros) {
                    Ok(stamp) => stamp,
                    Err(error) => {
                        return fail(format!("Invalid value for epoch value ({value}): {error}"));
                    }
                }
            }
        };
        let clock = if utc { Clock::Gmt } else { Clock::Time };
        Ok(Val::from(strftime(&format, &stamp.to_zoned(zone), clock)?))
    }),
];

/// Whose `strftime` it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clock {
    /// `time.strftime`: there are no fractions of seconds.
    Time,
    /// The same of `gmtime`, whose zone has a name of its own.
    Gmt,
    /// `datetime.strftime`; as nobody gives it a zone, it shows none.
    Naive,
}

/// Python's `strftime`: what is no directive stays as it is.
pub(crate) fn strftime(format: &str, when: &jiff::Zoned, clock: Clock) -> Result<String, Error> {
    let mut out = String::new();
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        let (before, tail) = rest.split_at(at);
        out.push_str(before);
        let spec = tail.get(1..).unwrap_or_default();
        let plain = spec
            .trim_start_matches(|c: char| matches!(c, '-' | '_' | '^' | '#') || c.is_ascii_digit());
        // `%Ey` and `%Od` are forms that other languages have
        let main = plain
            .strip_prefix(['E', 'O'])
            .filter(|main| main.starts_with(|c: char| DIRECTIVES.contains(c)))
            .unwrap_or(plain);
        let Some(letter) = main.chars().next() else {
            out.push_str(tail);
            rest = "";
            break;
        };
        let flags = spec.get(..spec.len() - plain.len()).unwrap_or_default();
        rest = main.get(letter.len_utf8()..).unwrap_or_default();
        match letter {
            'Z' if clock == Clock::Gmt => {
                out.push_str(if flags.contains('#') { "gmt" } else { "GMT" });
            }
            'Z' | 'z' if clock == Clock::Naive => {}
            'f' if clock == Clock::Naive => {
                out.push_str(&format!("{:06}", when.subsec_nanosecond() / 1000));
            }
            letter if DIRECTIVES.contains(letter) => {
                let directive = match letter {
                    'c' => "%a %b %e %H:%M:%S %Y".to_owned(),
                    'x' => "%m/%d/%y".to_owned(),
                    'X' => "%H:%M:%S".to_owned(),
                    letter => format!("%{flags}{letter}"),
                };
                out.push_str(
                    &jiff::fmt::strtime::format(&directive, when)
                        .or_else(|error| fail(format!("strftime: {error}")))?,
                );
            }
            _ => out.push_str(tail.get(..tail.len() - rest.len()).unwrap_or_default()),
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// The letters that the C library knows after `%`.
const DIRECTIVES: &str = "%aAbBcCdDeFgGhHIjklmMnpPrRsStTuUVwWxXyYzZ";

/// A point in time, or the difference of two.
pub(crate) struct DateTime(civil::DateTime);

impl DateTime {
    pub(crate) fn value(datetime: civil::DateTime) -> Val {
        Val::from_object(Self(datetime))
    }
}

impl fmt::Debug for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string().replace('T', " ");
        // Python prints microseconds, six digits or none
        match text.split_once('.') {
            Some((whole, fraction)) => {
                let digits: String = fraction
                    .chars()
                    .chain(std::iter::repeat('0'))
                    .take(6)
                    .collect();
                write!(f, "{whole}.{digits}")
            }
            None => f.write_str(&text),
        }
    }
}

impl Object for DateTime {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Val) -> Option<Val> {
        let when = self.0;
        Some(match key.as_str()? {
            "year" => Val::from(when.year()),
            "month" => Val::from(when.month()),
            "day" => Val::from(when.day()),
            "hour" => Val::from(when.hour()),
            "minute" => Val::from(when.minute()),
            "second" => Val::from(when.second()),
            "microsecond" => Val::from(when.subsec_nanosecond() / 1000),
            _ => return None,
        })
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        args: &[Val],
    ) -> Result<Val, Error> {
        let mut args = crate::template::call::Args::new(args)?;
        let weekday = i64::from(self.0.weekday().to_monday_one_offset());
        match method {
            "strftime" => {
                let format = args.text("format")?;
                let zoned = self
                    .0
                    .to_zoned(jiff::tz::TimeZone::UTC)
                    .or_else(|error| fail(error.to_string()))?;
                strftime(&format, &zoned, Clock::Naive).map(Val::from)
            }
            "isoformat" => {
                let separator = args.opt_text("sep")?.unwrap_or_else(|| "T".into());
                Ok(Val::from(format!("{self:?}").replacen(' ', &separator, 1)))
            }
            "timestamp" => {
                let zoned = self
                    .0
                    .to_zoned(jiff::tz::TimeZone::system())
                    .or_else(|error| fail(error.to_string()))?;
                #[expect(
                    clippy::cast_precision_loss,
                    reason = "Python's timestamp() is a float"
                )]
                let seconds = zoned.timestamp().as_microsecond() as f64 / 1e6;
                Ok(Val::from(seconds))
            }
            "date" => Ok(Self::value(self.0.date().at(0, 0, 0, 0))),
            "weekday" => Ok(Val::from(weekday - 1)),
            "isoweekday" => Ok(Val::from(weekday)),
            _ => fail(format!("'datetime object' has no attribute '{method}'")),
        }
    }

    fn custom_cmp(
        self: &Arc<Self>,
        other: &minijinja::value::DynObject,
    ) -> Option<std::cmp::Ordering> {
        Some(self.0.cmp(&other.downcast_ref::<Self>()?.0))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// The difference of two points in time (Python's `timedelta`), in microseconds.
#[derive(Clone, Copy)]
struct Delta(i64);

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// The engine's `-` of dates.
pub(crate) fn subtract(a: &Val, b: &Val) -> Option<Val> {
    if let (Some(a), Some(b)) = (
        a.downcast_object_ref::<DateTime>(),
        b.downcast_object_ref::<DateTime>(),
    ) {
        let micros = |when: civil::DateTime| {
            when.to_zoned(jiff::tz::TimeZone::UTC)
                .ok()
                .map(|zoned| zoned.timestamp().as_microsecond())
        };
        return Some(Val::from_object(Delta(
            micros(a.0)?.checked_sub(micros(b.0)?)?,
        )));
    }
    let (a, b) = (
        a.downcast_object_ref::<Delta>()?,
        b.downcast_object_ref::<Delta>()?,
    );
    Some(Val::from_object(Delta(a.0.checked_sub(b.0)?)))
}

impl fmt::Debug for Delta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, rest) = (self.0.div_euclid(DAY), self.0.rem_euclid(DAY));
        match days {
            0 => {}
            1 | -1 => write!(f, "{days} day, ")?,
            _ => write!(f, "{days} days, ")?,
        }
        let seconds = rest / SECOND;
        write!(
            f,
            "{}:{:02}:{:02}",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        )?;
        match rest % SECOND {
            0 => Ok(()),
            micros => write!(f, ".{micros:06}"),
        }
    }
}

impl Object for Delta {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Val) -> Option<Val> {
        Some(Val::from(match key.as_str()? {
            "days" => self.0.div_euclid(DAY),
            "seconds" => self.0.rem_euclid(DAY) / SECOND,
            "microseconds" => self.0.rem_euclid(SECOND),
            _ => return None,
        }))
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        _: &[Val],
    ) -> Result<Val, Error> {
        match method {
            "total_seconds" => {
                #[expect(
                    clippy::cast_precision_loss,
                    reason = "Python's total_seconds() is a float"
                )]
                let seconds = self.0 as f64 / 1e6;
                Ok(Val::from(seconds))
            }
            _ => fail(format!("'timedelta object' has no attribute '{method}'")),
        }
    }

    fn custom_cmp(
        self: &Arc<Self>,
        other: &minijinja::value::DynObject,
    ) -> Option<std::cmp::Ordering> {
        Some(self.0.cmp(&other.downcast_ref::<Self>()?.0))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
