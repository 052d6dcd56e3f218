//! The words for moments: `09:00`, `next weekday 09:00`, `entry + 2d`,
//! `contact.renewal_date - 3d`, a window of weekdays and hours.
//!
//! Local times follow one rule (SPEC D8): a time that does not exist moves forward, one
//! that repeats takes the earlier. Nothing here knows which zone a contact is in.

use std::borrow::Cow;
use std::fmt;

use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZone;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

use crate::contact::timezone::named;
use crate::{Span, Time};

/// Reads and writes a type as the text people use for it.
macro_rules! textual {
    ($type:ty, $name:literal, $description:literal) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Cow::<'de, str>::deserialize(deserializer)?;
                Self::parse(&text).ok_or_else(|| {
                    de::Error::custom(format!("`{text}` is not {}", $description))
                })
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                schemars::json_schema!({
                    "type": "string",
                    "description": concat!("It is ", $description, "."),
                })
            }
        }
    };
}

/// A time of day, `HH:MM`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Clock(jiff::civil::Time);

textual!(Clock, "Clock", "a time of day like 09:00");

impl Clock {
    pub fn parse(text: &str) -> Option<Self> {
        let (hour, minute) = text.trim().split_once(':')?;
        let digits = |part: &str| {
            (matches!(part.len(), 1 | 2) && part.bytes().all(|b| b.is_ascii_digit()))
                .then(|| part.parse::<i8>().ok())
                .flatten()
        };
        if minute.len() != 2 {
            return None;
        }
        jiff::civil::Time::new(digits(hour)?, digits(minute)?, 0, 0).ok().map(Self)
    }

    pub const fn time(self) -> jiff::civil::Time {
        self.0
    }
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0.hour(), self.0.minute())
    }
}

/// Whose clock: the contact's own, or a named zone's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Zone {
    Contact,
    Named(String),
}

textual!(Zone, "Zone", "`contact` or a time zone like Europe/Paris");

impl Zone {
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text == "contact" {
            return Some(Self::Contact);
        }
        named(text).map(|_| Self::Named(text.to_owned()))
    }

    /// The zone to use for a contact whose own is `contact`.
    pub fn resolve(&self, contact: &TimeZone) -> TimeZone {
        match self {
            Self::Contact => contact.clone(),
            Self::Named(name) => named(name).unwrap_or_else(|| contact.clone()),
        }
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Contact => "contact",
            Self::Named(name) => name,
        })
    }
}

/// Which days `next …` may fall on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Day {
    Any,
    Weekday,
    Weekend,
    One(Weekday),
}

textual!(Day, "Day", "a day like mon, weekday or weekend");

const DAYS: [(&str, &str, Weekday); 7] = [
    ("mon", "monday", Weekday::Monday),
    ("tue", "tuesday", Weekday::Tuesday),
    ("wed", "wednesday", Weekday::Wednesday),
    ("thu", "thursday", Weekday::Thursday),
    ("fri", "friday", Weekday::Friday),
    ("sat", "saturday", Weekday::Saturday),
    ("sun", "sunday", Weekday::Sunday),
];

impl Day {
    pub fn parse(text: &str) -> Option<Self> {
        let word = text.trim().to_ascii_lowercase();
        Some(match word.as_str() {
            "day" | "any" => Self::Any,
            "weekday" | "weekdays" => Self::Weekday,
            "weekend" | "weekends" => Self::Weekend,
            _ => Self::One(DAYS.iter().find(|d| d.0 == word || d.1 == word)?.2),
        })
    }

    pub fn allows(self, day: Weekday) -> bool {
        let weekend = matches!(day, Weekday::Saturday | Weekday::Sunday);
        match self {
            Self::Any => true,
            Self::Weekday => !weekend,
            Self::Weekend => weekend,
            Self::One(one) => one == day,
        }
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Any => "day",
            Self::Weekday => "weekday",
            Self::Weekend => "weekend",
            Self::One(one) => DAYS.iter().find(|d| d.2 == *one).map_or("day", |d| d.0),
        })
    }
}

/// What a wait lasts until.
#[derive(Clone, Debug, PartialEq)]
pub enum Until {
    /// `next weekday 09:00`: the first such local time that is still ahead.
    Next(Day, Clock),
    /// `2026-03-01`, with ` 09:00` where wanted: local.
    Local(DateTime),
    /// A time with an offset: the same for everybody.
    Instant(Time),
    /// `entry + 2d`.
    Entry(Span),
    /// `contact.renewal_date - 3d`: a date among the contact's attributes.
    Attribute(String, Span),
    /// `trigger.due_at + 1h`: a date among the trigger's properties.
    Property(String, Span),
}

textual!(
    Until,
    "Until",
    "a moment like `next weekday 09:00`, `2026-03-01 09:00`, `entry + 2d` or `contact.renewal_date - 3d`"
);

impl Until {
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(rest) = text.strip_prefix("next ") {
            let (day, clock) = rest.trim().split_once(char::is_whitespace)?;
            return Some(Self::Next(Day::parse(day)?, Clock::parse(clock)?));
        }
        if let Some(clock) = Clock::parse(text) {
            return Some(Self::Next(Day::Any, clock));
        }
        if text.starts_with(|c: char| c.is_ascii_digit()) {
            return Self::date(text);
        }
        let (name, shift) = shifted(text)?;
        if name == "entry" {
            return Some(Self::Entry(shift));
        }
        match name.split_once('.')? {
            ("contact", rest) if !rest.is_empty() => Some(Self::Attribute(rest.to_owned(), shift)),
            ("trigger", rest) if !rest.is_empty() => Some(Self::Property(rest.to_owned(), shift)),
            _ => None,
        }
    }

    fn date(text: &str) -> Option<Self> {
        if let Ok(stamp) = text.parse::<jiff::Timestamp>() {
            return Some(Self::Instant(Time::from_millis(stamp.as_millisecond())));
        }
        if let Ok(moment) = text.parse::<DateTime>() {
            return Some(Self::Local(moment));
        }
        let (day, clock) = text.split_once(char::is_whitespace)?;
        let day: Date = day.parse().ok()?;
        Some(Self::Local(day.to_datetime(Clock::parse(clock)?.time())))
    }

    /// A wall-clock wait that was missed is planned anew; the others are late.
    pub const fn recurs(&self) -> bool {
        matches!(self, Self::Next(..))
    }
}

impl fmt::Display for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, shift) = match self {
            Self::Next(day, clock) => return write!(f, "next {day} {clock}"),
            Self::Local(moment) => return write!(f, "{} {}", moment.date(), moment.time()),
            Self::Instant(time) => return write!(f, "{time}"),
            Self::Entry(shift) => ("entry".to_owned(), *shift),
            Self::Attribute(name, shift) => (format!("contact.{name}"), *shift),
            Self::Property(name, shift) => (format!("trigger.{name}"), *shift),
        };
        match shift.as_millis() {
            0 => f.write_str(&name),
            n if n < 0 => write!(f, "{name} - {}", shift.negated()),
            _ => write!(f, "{name} + {shift}"),
        }
    }
}

/// `NAME`, `NAME + 2d`, `NAME - 3d`.
fn shifted(text: &str) -> Option<(&str, Span)> {
    for (sign, negative) in [(" + ", false), (" - ", true)] {
        if let Some((name, span)) = text.split_once(sign) {
            let span = Span::parse(span).filter(|span| span.as_millis() >= 0)?;
            return Some((name.trim(), if negative { span.negated() } else { span }));
        }
    }
    (!text.contains(char::is_whitespace)).then_some((text, Span::ZERO))
}

/// Days and hours in which a wait may end. `to` is exclusive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// `[mon, tue]`, `[weekday]`. Empty: every day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<Day>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Clock>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Clock>,
}

impl Window {
    /// The first moment at or after `at` that lies inside.
    pub fn admit(&self, at: Time, zone: &TimeZone) -> Time {
        let local = at.to_jiff().to_zoned(zone.clone()).datetime();
        let from = self.from.map_or(jiff::civil::Time::MIN, Clock::time);
        let to = self.to.map_or(jiff::civil::Time::MAX, Clock::time);
        for ahead in 0..8 {
            let Some(day) = plus_days(local.date(), ahead) else {
                break;
            };
            if !self.days.is_empty() && !self.days.iter().any(|d| d.allows(day.weekday())) {
                continue;
            }
            let inside = local.time() >= from && (local.time() < to || self.to.is_none());
            if ahead == 0 && inside {
                return at;
            }
            if ahead > 0 || local.time() < from {
                return instant(day.to_datetime(from), zone);
            }
        }
        at
    }
}

/// The instant of a local time: moves forward where it does not exist, the earlier
/// where it repeats.
pub fn instant(local: DateTime, zone: &TimeZone) -> Time {
    let stamp = zone.to_ambiguous_timestamp(local).compatible().unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    Time::from_millis(stamp.as_millisecond())
}

/// The first local `clock` on an allowed day that is strictly after `now`.
pub fn next(day: Day, clock: Clock, now: Time, zone: &TimeZone) -> Time {
    let today = now.to_jiff().to_zoned(zone.clone()).date();
    (0..9)
        .filter_map(|ahead| plus_days(today, ahead))
        .filter(|date| day.allows(date.weekday()))
        .map(|date| instant(date.to_datetime(clock.time()), zone))
        .find(|at| *at > now)
        .unwrap_or(now)
}

/// A date among attributes or properties: a date, a time, or seconds or milliseconds
/// since 1970. Answers the local moment and whether a time of day was given.
pub fn read_date(value: &Value, zone: &TimeZone) -> Option<(DateTime, bool)> {
    if let Value::Number(number) = value {
        let number = number.as_f64()?;
        // Seconds until the year 5138, milliseconds from 1973 on.
        let millis = if number.abs() < 1e11 { number * 1e3 } else { number };
        let stamp = jiff::Timestamp::from_millisecond(millis as i64).ok()?;
        return Some((stamp.to_zoned(zone.clone()).datetime(), true));
    }
    let text = value.as_str()?.trim();
    if let Ok(stamp) = text.parse::<jiff::Timestamp>() {
        return Some((stamp.to_zoned(zone.clone()).datetime(), true));
    }
    let timed = text.len() > 10;
    let moment: DateTime = text.parse().ok()?;
    Some((moment, timed))
}

/// Moves a local moment by a span: whole days by the calendar, the rest by the clock.
pub fn shift(local: DateTime, span: Span, zone: &TimeZone) -> Time {
    let day = Span::days(1).as_millis();
    let days = span.as_millis() / day;
    let rest = Span::millis(span.as_millis() % day);
    let moved = jiff::Span::new().try_days(days).ok().and_then(|days| local.checked_add(days).ok()).unwrap_or(local);
    instant(moved, zone).plus(rest)
}

fn plus_days(date: Date, days: i64) -> Option<Date> {
    date.checked_add(jiff::Span::new().try_days(days).ok()?).ok()
}

#[cfg(test)]
mod tests;
