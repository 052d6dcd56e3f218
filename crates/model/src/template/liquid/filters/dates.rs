//! `date`: moments written as `strftime` writes them, in the reader's own time zone.

use jiff::civil::{Date, DateTime};
use jiff::fmt::{rfc2822, strtime};
use jiff::{Timestamp, Zoned};

use super::{Answer, Given, Run};
use crate::contact::timezone;
use crate::template::liquid::value::Value;

pub const FILTERS: &[(&str, Run)] = &[("date", date)];

/// What `date` writes where it is given no format.
const PLAIN: &str = "%A, %B %-e, %Y at %-l:%M %P %z";
/// Ways of writing a day that people's tools have.
const DAYS: [&str; 6] = ["%B %d, %Y", "%b %d, %Y", "%d %B %Y", "%d %b %Y", "%m/%d/%Y", "%Y/%m/%d"];

/// `date: "%B %d, %Y"`, with a zone's name as the second argument where the reader's is not
/// meant. A number is seconds since 1970, `now` and `today` are the moment of rendering. A
/// time without an offset is the reader's own clock; what is no date is printed as it is.
fn date<'a>(g: &Given<'_, 'a>) -> Answer<'a> {
    let zone = match g.arguments.get(1) {
        Some(name) => timezone::named(&name.text()).ok_or_else(|| format!("date knows no zone `{}`", name.text()))?,
        None => g.zone.clone(),
    };
    let format = g.word(0, PLAIN);
    Ok(match moment(g, &zone) {
        Some(moment) => Value::from(write(&format, &moment)),
        None => g.value.clone(),
    })
}

fn moment(g: &Given<'_, '_>, zone: &jiff::tz::TimeZone) -> Option<Zoned> {
    if let Value::Number(seconds) = g.value {
        return at_seconds(seconds.real(), zone);
    }
    let text = g.value.as_str()?.trim();
    match text {
        "" => None,
        "now" | "today" => Some(g.now.to_jiff().to_zoned(zone.clone())),
        _ if text.bytes().all(|byte| byte.is_ascii_digit()) => at_seconds(text.parse().ok()?, zone),
        _ => read(text, zone),
    }
}

fn at_seconds(seconds: f64, zone: &jiff::tz::TimeZone) -> Option<Zoned> {
    if !seconds.is_finite() || seconds.abs() > 1e13 {
        return None;
    }
    // Milliseconds, which JavaScript clients send, are told by their size.
    let millis = if seconds.abs() > 1e11 { seconds } else { seconds * 1e3 };
    Timestamp::from_millisecond(millis as i64).ok().map(|at| at.to_zoned(zone.clone()))
}

fn read(text: &str, zone: &jiff::tz::TimeZone) -> Option<Zoned> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at.to_zoned(zone.clone()));
    }
    if let Ok(local) = text.parse::<DateTime>() {
        return local.to_zoned(zone.clone()).ok();
    }
    if let Ok(at) = rfc2822::parse(text) {
        return Some(at.with_time_zone(zone.clone()));
    }
    let day = DAYS.iter().find_map(|format| Date::strptime(format, text).ok())?;
    day.to_zoned(zone.clone()).ok()
}

/// Directive by directive, so that one which is not known is printed and spoils nothing.
fn write(format: &str, moment: &Zoned) -> String {
    let mut out = String::new();
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let flags =
            rest[1..].find(|c: char| !matches!(c, '-' | '_' | '^' | '#' | '0'..='9')).map_or(rest.len(), |n| n + 1);
        let Some(letter) = rest[flags.min(rest.len())..].chars().next() else { break };
        let end = flags + letter.len_utf8();
        directive(&rest[..end], letter, moment, &mut out);
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

fn directive(written: &str, letter: char, moment: &Zoned, out: &mut String) {
    // A width as long as the text would be filled with spaces.
    if written.len() > 6 {
        out.push_str(written);
        return;
    }
    match letter {
        'q' => out.push_str(ordinal(moment.day())),
        'L' => out.push_str(&format!("{:03}", moment.millisecond())),
        's' => out.push_str(&moment.timestamp().as_second().to_string()),
        '%' => out.push('%'),
        _ => match strtime::format(written, moment) {
            Ok(text) => out.push_str(&text),
            Err(_) => out.push_str(written),
        },
    }
}

fn ordinal(day: i8) -> &'static str {
    match (day % 10, day) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    }
}
