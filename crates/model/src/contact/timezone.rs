//! A contact's time zone, and what a local time means there (SPEC D8).
//!
//! Zone rules come from the tz database compiled in, so that every machine decides alike
//! whatever its own files say.

use std::sync::LazyLock;

use jiff::civil::{Date, DateTime};
use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::Time;

static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// Names of zones by where they come from, strongest first.
#[derive(Clone, Copy, Debug, Default)]
pub struct ZoneSources<'a> {
    /// Set by API or console.
    pub set: Option<&'a str>,
    /// The attribute named in `policies.time_zone.attribute`.
    pub attribute: Option<&'a str>,
    /// What the mapping found in events: the browser's zone, or the network's.
    pub derived: Option<&'a str>,
    /// `policies.time_zone`.
    pub default: Option<&'a str>,
}

/// The first source whose name is a zone, and what to call it in `explain`.
pub fn zone_of(sources: &ZoneSources<'_>) -> (TimeZone, &'static str) {
    let tries = [
        (sources.set, "set"),
        (sources.attribute, "attribute"),
        (sources.derived, "derived"),
        (sources.default, "default"),
    ];
    for (name, source) in tries {
        if let Some(zone) = name.and_then(named) {
            return (zone, source);
        }
    }
    (TimeZone::UTC, "utc")
}

/// A zone by its IANA name, whatever the case, or an offset such as `+02:00`.
pub fn named(name: &str) -> Option<TimeZone> {
    let name = name.trim();
    if name.is_empty() || name.len() > 64 {
        return None;
    }
    if name.eq_ignore_ascii_case("utc") || name == "Z" {
        return Some(TimeZone::UTC);
    }
    ZONES.get(name).ok().or_else(|| offset(name))
}

/// The instant of a local time. One that does not exist (clocks go forward) moves forward
/// by the gap; one that comes twice (clocks go back) is the earlier.
pub fn at_local(date: Date, time: jiff::civil::Time, zone: &TimeZone) -> Time {
    resolve(DateTime::from_parts(date, time), zone)
}

/// As `at_local`, for a date and time in one.
pub fn resolve(local: DateTime, zone: &TimeZone) -> Time {
    let stamp = zone.to_ambiguous_timestamp(local).compatible();
    // Only at the ends of the calendar, some ten thousand years off, there is none.
    stamp.map_or(Time::default(), |stamp| Time::from_millis(stamp.as_millisecond()))
}

fn offset(text: &str) -> Option<TimeZone> {
    let (sign, rest) = match text.strip_prefix('+') {
        Some(rest) => (1, rest),
        None => (-1, text.strip_prefix('-')?),
    };
    let (hours, minutes) = rest.split_once(':')?;
    if hours.len() != 2 || minutes.len() != 2 || !rest.bytes().all(|b| b.is_ascii_digit() || b == b':') {
        return None;
    }
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    if hours > 14 || minutes > 59 {
        return None;
    }
    jiff::tz::Offset::from_seconds(sign * (hours * 3_600 + minutes * 60)).ok().map(TimeZone::fixed)
}

#[cfg(test)]
mod tests;
