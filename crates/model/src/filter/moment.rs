//! The moments that date operators compare with: a date, an instant, or a while ago.
//!
//! PostHog writes a while ago as `-7d` or `7d`; the units are `h`, `d`, `w`, `m` (months),
//! `q`, `y`, and `M` for minutes. `+7d` means from now on.

use std::cmp::Ordering;

use serde_json::Value;

use crate::{Span, Time};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    Instant(Time),
    /// A whole day in UTC: its first instant.
    Day(Time),
    Relative {
        ahead: bool,
        count: i64,
        unit: Unit,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Millis(i64),
    Months(i64),
}

/// As in PostHog, which refuses larger counts.
const MAX_COUNT: i64 = 10_000;

impl Moment {
    /// Reads what stands in a condition.
    pub(super) fn read(value: &Value) -> Option<Self> {
        let Value::String(text) = value else {
            return moment_of(value).map(Self::Instant);
        };
        let text = text.trim();
        if let Some(day) = day(text) {
            return Some(Self::Day(day));
        }
        relative(text).or_else(|| Time::parse(text).map(Self::Instant))
    }

    /// How a found time stands to this. A day equals every instant within it; asked for
    /// equality, so does the day of a relative moment.
    pub(super) fn compare(self, found: Time, now: Time, by_day: bool) -> Option<Ordering> {
        let (start, whole_day) = match self {
            Self::Instant(at) => {
                return Some((found.millis().div_euclid(1_000)).cmp(&at.millis().div_euclid(1_000)));
            }
            Self::Day(start) => (start, true),
            Self::Relative { ahead, count, unit } => {
                let at = shifted(now, ahead, count, unit)?;
                if by_day { (day_start(at), true) } else { (at, false) }
            }
        };
        if !whole_day || found < start {
            return Some(found.cmp(&start));
        }
        Some(if found < start.plus(Span::days(1)) { Ordering::Equal } else { Ordering::Greater })
    }
}

/// The time in a property: text in ISO form, or a number of seconds or milliseconds.
pub(super) fn moment_of(found: &Value) -> Option<Time> {
    match found {
        Value::String(text) => Time::parse(text).or_else(|| of_number(text.trim().parse().ok()?)),
        Value::Number(number) => of_number(number.as_f64()?),
        _ => None,
    }
}

/// Seconds reach far beyond our days below this many; milliseconds do not.
const LARGEST_SECONDS: f64 = 1e11;

fn of_number(number: f64) -> Option<Time> {
    if !number.is_finite() || number.abs() > 1e14 {
        return None;
    }
    let millis = if number.abs() < LARGEST_SECONDS { number * 1_000.0 } else { number };
    Some(Time::from_millis(millis as i64))
}

fn day(text: &str) -> Option<Time> {
    if text.len() != 10 {
        return None;
    }
    let date: jiff::civil::Date = text.parse().ok()?;
    let zoned = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(Time::from_millis(zoned.timestamp().as_millisecond()))
}

fn day_start(at: Time) -> Time {
    Time::from_millis(at.millis().saturating_sub(at.millis().rem_euclid(86_400_000)))
}

fn relative(text: &str) -> Option<Moment> {
    let (ahead, rest) = match (text.strip_prefix('+'), text.strip_prefix('-')) {
        (Some(rest), _) => (true, rest),
        (_, Some(rest)) => (false, rest),
        _ => (false, text),
    };
    let unit = rest.chars().last()?;
    let count = &rest[..rest.len() - unit.len_utf8()];
    if count.is_empty() || count.len() > 5 || !count.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let unit = match unit {
        's' => Unit::Millis(1_000),
        'M' => Unit::Millis(60_000),
        'h' => Unit::Millis(3_600_000),
        'd' => Unit::Millis(86_400_000),
        'w' => Unit::Millis(604_800_000),
        'm' => Unit::Months(1),
        'q' => Unit::Months(3),
        'y' => Unit::Months(12),
        _ => return None,
    };
    let count = count.parse().ok().filter(|count| *count <= MAX_COUNT)?;
    Some(Moment::Relative { ahead, count, unit })
}

fn shifted(now: Time, ahead: bool, count: i64, unit: Unit) -> Option<Time> {
    let count = if ahead { count } else { -count };
    match unit {
        Unit::Millis(millis) => Some(now.plus(Span::millis(count.checked_mul(millis)?))),
        Unit::Months(months) => {
            let zoned = now.to_jiff().to_zoned(jiff::tz::TimeZone::UTC);
            let span = jiff::Span::new().try_months(count.checked_mul(months)?).ok()?;
            let shifted = zoned.checked_add(span).ok()?;
            Some(Time::from_millis(shifted.timestamp().as_millisecond()))
        }
    }
}
