//! When something that repeats runs next: `every 15m`, `hourly`,
//! `daily 06:00 Europe/Paris`, `weekly mon 06:00`, `monthly 1 06:00`, or a cron line with
//! an optional zone after it.
//!
//! A schedule is a rule only: whether a missed run is caught up, and that an overrun does
//! not start a second one, is the caller's business. Where clocks go forward over the
//! time, the run comes right after the gap; where they go back, it comes once, unless the
//! rule names every hour or minute.

use std::borrow::Cow;
use std::fmt;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::TimeZone;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::campaign::when::Clock;
use crate::contact::timezone::named;
use crate::problem::nearest;
use crate::{Span, Time};

/// A rule for repeated runs. Always has a next run.
#[derive(Clone)]
pub struct Schedule {
    text: String,
    rule: Rule,
    zone: TimeZone,
    names_zone: bool,
}

#[derive(Clone)]
enum Rule {
    /// Every so many milliseconds, counted from 1970, so that a restart shifts nothing.
    Every(i64),
    Cron(Box<Cron>),
}

const SHORTEST: Span = Span::minutes(1);
const LONGEST: Span = Span::days(366);
const LONGEST_TEXT: usize = 200;
const DAYS: [(&str, &str); 7] = [
    ("mon", "monday"),
    ("tue", "tuesday"),
    ("wed", "wednesday"),
    ("thu", "thursday"),
    ("fri", "friday"),
    ("sat", "saturday"),
    ("sun", "sunday"),
];
const WORDS: [&str; 5] = ["every", "hourly", "daily", "weekly", "monthly"];

impl Schedule {
    /// Reads a schedule; the error is a sentence. Without a zone, times are UTC until
    /// `in_zone` says otherwise.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST_TEXT {
            return Err(format!("a schedule has at most {LONGEST_TEXT} characters"));
        }
        let words: Vec<&str> = text.split_whitespace().collect();
        let (rule, zone) = match words.as_slice() {
            [] => return Err("a schedule is empty".to_owned()),
            ["every", span] => (every(span)?, None),
            ["hourly"] => (Rule::Every(Span::hours(1).as_millis()), None),
            ["daily", clock, zone @ ..] => (daily(clock, "*", "*")?, zone_word(zone)?),
            ["weekly", day, clock, zone @ ..] => (daily(clock, "*", weekday(day)?)?, zone_word(zone)?),
            ["monthly", day, clock, zone @ ..] => (daily(clock, &day_of_month(day)?, "*")?, zone_word(zone)?),
            [word, ..] if word.starts_with(|c: char| c.is_ascii_alphabetic()) => {
                return Err(unknown(word));
            }
            words => cron(words)?,
        };
        let names_zone = zone.is_some();
        Ok(Self { text: words.join(" "), rule, zone: zone.unwrap_or(TimeZone::UTC), names_zone })
    }

    /// Runs by this zone's clock unless the schedule names its own.
    #[must_use]
    pub fn in_zone(mut self, zone: &TimeZone) -> Self {
        if !self.names_zone {
            self.zone = zone.clone();
        }
        self
    }

    /// The first run after a moment; nothing only at the end of the calendar.
    pub fn next(&self, after: Time) -> Option<Time> {
        match &self.rule {
            Rule::Every(millis) => {
                let runs = after.millis().div_euclid(*millis).checked_add(1)?;
                runs.checked_mul(*millis).map(Time::from_millis)
            }
            Rule::Cron(cron) => {
                let local = after.to_jiff().to_zoned(self.zone.clone());
                let next = cron.find_next_occurrence(&local, false).ok()?;
                let next = Time::from_millis(next.timestamp().as_millisecond());
                (next > after).then_some(next)
            }
        }
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }
}

fn every(text: &str) -> Result<Rule, String> {
    let span = Span::parse(text).ok_or_else(|| format!("`{text}` is not a length of time like 15m or 6h"))?;
    if span < SHORTEST || span > LONGEST {
        return Err(format!("`every {text}` must be between {SHORTEST} and {LONGEST}"));
    }
    Ok(Rule::Every(span.as_millis()))
}

fn daily(clock: &str, day: &str, weekday: &str) -> Result<Rule, String> {
    let at = Clock::parse(clock).ok_or_else(|| format!("`{clock}` is not a time of day like 06:00"))?.time();
    pattern(&format!("{} {} {day} * {weekday}", at.minute(), at.hour()))
}

fn weekday(text: &str) -> Result<&'static str, String> {
    let is_it = |name: &str| name.eq_ignore_ascii_case(text);
    let known = DAYS.into_iter().find(|(short, long)| is_it(short) || is_it(long));
    known.map(|(short, _)| short).ok_or_else(|| {
        format!("`{text}` is not a day of the week; the days are {}", DAYS.map(|(short, _)| short).join(", "))
    })
}

fn day_of_month(text: &str) -> Result<String, String> {
    if text == "last" {
        return Ok("L".to_owned());
    }
    match text.parse::<u8>() {
        Ok(day @ 1..=28) => Ok(day.to_string()),
        Ok(29..=31) => Err(format!("not every month has a day {text}; use 1 to 28, or `last`")),
        _ => Err(format!("`{text}` is not a day of the month; use 1 to 28, or `last`")),
    }
}

fn zone_word(words: &[&str]) -> Result<Option<TimeZone>, String> {
    match words {
        [] => Ok(None),
        [zone] => named(zone).map(Some).ok_or_else(|| format!("`{zone}` is not a time zone like Europe/Paris")),
        [_, extra, ..] => Err(format!("`{extra}` is one word too many")),
    }
}

/// Five fields or a nickname such as `@daily`, and a zone after it where one is wanted.
fn cron(words: &[&str]) -> Result<(Rule, Option<TimeZone>), String> {
    let fields = if words[0].starts_with('@') { 1 } else { 5 };
    if words.len() < fields {
        return Err("a cron line has five fields: minute, hour, day of the month, month, day of the week".to_owned());
    }
    let zone = zone_word(&words[fields..])?;
    Ok((pattern(&words[..fields].join(" "))?, zone))
}

fn pattern(line: &str) -> Result<Rule, String> {
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    let cron = parser.parse(line).map_err(|error| format!("`{line}` is not a cron line: {error}"))?;
    let start = Time::default().to_jiff().to_zoned(TimeZone::UTC);
    if cron.find_next_occurrence(&start, false).is_err() {
        return Err(format!("`{line}` never comes"));
    }
    Ok(Rule::Cron(Box::new(cron)))
}

fn unknown(word: &str) -> String {
    match nearest(word, WORDS) {
        Some(near) if near != word => format!("`{word}` is not a schedule; did you mean `{near}`?"),
        Some(near) => format!("`{near}` is written like {}", example(near)),
        None => format!("`{word}` is not a schedule; it begins with {}, or is a cron line", WORDS.join(", ")),
    }
}

fn example(word: &str) -> &'static str {
    match word {
        "every" => "`every 15m`",
        "hourly" => "`hourly`",
        "daily" => "`daily 06:00 Europe/Paris`",
        "weekly" => "`weekly mon 06:00 Europe/Paris`",
        _ => "`monthly 1 06:00 Europe/Paris`",
    }
}

impl PartialEq for Schedule {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.zone == other.zone
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schedule({})", self.text)
    }
}

impl Serialize for Schedule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Schedule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

impl JsonSchema for Schedule {
    fn schema_name() -> Cow<'static, str> {
        "Schedule".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "`every 15m`, `hourly`, `daily 06:00 Europe/Paris`, `weekly mon 06:00`, `monthly 1 06:00`, or a cron line with an optional time zone.",
        })
    }
}

#[cfg(test)]
mod tests;
