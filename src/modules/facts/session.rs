//! Who the task runs as, in which environment, and when.

use super::look::Look;
use crate::value::{Map, Value};
use jiff::Zoned;

/// Facts of the user.
pub(super) fn user(look: Look<'_>) -> Map {
    let mut facts = Map::new();
    if let Ok(me) = look.0.me() {
        facts = facts
            .with("user_id", me.name.as_str())
            .with("user_uid", me.uid)
            .with("user_gid", me.gid)
            .with("user_gecos", me.comment.as_str())
            .with("user_dir", me.home.to_string_lossy().into_owned())
            .with("user_shell", me.shell.as_str());
    }
    facts
        .with("real_user_id", nix::unistd::getuid().as_raw())
        .with("effective_user_id", nix::unistd::geteuid().as_raw())
        .with("real_group_id", nix::unistd::getgid().as_raw())
        .with("effective_group_id", nix::unistd::getegid().as_raw())
}

/// Fact `env`.
pub(super) fn env(look: Look<'_>) -> Map {
    let all = look.0.env_all();
    all.into_iter()
        .map(|(k, v)| (Value::data(k), Value::data(v)))
        .collect()
}

/// Fact `date_time`, all of it text.
pub(super) fn date_time(now: &Zoned) -> Map {
    let utc = now.with_time_zone(jiff::tz::TimeZone::UTC);
    let local = |format: &str| now.strftime(format).to_string();
    let in_utc = |format: &str| utc.strftime(format).to_string();
    let micros = format!("{:06}", utc.subsec_nanosecond() / 1000);
    let epoch = now.timestamp().as_second().to_string();
    Map::new()
        .with("year", local("%Y"))
        .with("month", local("%m"))
        .with("weekday", local("%A"))
        .with("weekday_number", local("%w"))
        .with("weeknumber", local("%W"))
        .with("day", local("%d"))
        .with("hour", local("%H"))
        .with("minute", local("%M"))
        .with("second", local("%S"))
        .with("epoch", epoch.as_str())
        .with("epoch_int", epoch.as_str())
        .with("date", local("%Y-%m-%d"))
        .with("time", local("%H:%M:%S"))
        .with(
            "iso8601_micro",
            format!("{}.{micros}Z", in_utc("%Y-%m-%dT%H:%M:%S")),
        )
        .with("iso8601", in_utc("%Y-%m-%dT%H:%M:%SZ"))
        .with(
            "iso8601_basic",
            format!("{}{micros}", local("%Y%m%dT%H%M%S")),
        )
        .with("iso8601_basic_short", local("%Y%m%dT%H%M%S"))
        .with("tz", local("%Z"))
        .with("tz_dst", summer_time(now))
        .with("tz_offset", local("%z"))
}

/// The name of the zone's summer time, or its only name.
fn summer_time(now: &Zoned) -> String {
    let zone = now.time_zone();
    for month in [1, 7] {
        let Ok(moment) = jiff::civil::date(now.year(), month, 1).to_zoned(zone.clone()) else {
            continue;
        };
        let info = zone.to_offset_info(moment.timestamp());
        if info.dst().is_dst() {
            return info.abbreviation().to_owned();
        }
    }
    now.strftime("%Z").to_string()
}
