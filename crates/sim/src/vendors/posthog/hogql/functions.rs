//! What SQLite lacks: properties by PostHog's rules, times in a zone, the value at a maximum.

use std::cmp::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::tz::TimeZone;
use jiff::{RoundMode, Timestamp, ToSpan, Unit, Zoned, ZonedRound};
use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::Value;
use rusqlite::{Connection, Result};

/// Set before each query: what time it is, and the zone in which texts are read.
#[derive(Clone)]
pub struct Setting {
    pub now: i64,
    pub zone: TimeZone,
}

pub type Shared = Arc<Mutex<Setting>>;

pub fn add(connection: &Connection, setting: &Shared) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("hq_property", 2, flags, |context| {
        Ok(property(&text(context, 0).unwrap_or_default(), &text(context, 1).unwrap_or_default()))
    })?;
    let shared = setting.clone();
    connection.create_scalar_function("hq_now", 0, FunctionFlags::SQLITE_UTF8, move |_| Ok(get(&shared).now))?;
    let shared = setting.clone();
    connection.create_scalar_function("hq_time", 1, FunctionFlags::SQLITE_UTF8, move |context| {
        Ok(text(context, 0).and_then(|text| read_time(&text, &get(&shared).zone)))
    })?;
    let shared = setting.clone();
    connection.create_scalar_function("hq_day", 1, FunctionFlags::SQLITE_UTF8, move |context| {
        Ok(context.get::<Option<i64>>(0)?.and_then(|at| zoned(at, &get(&shared).zone)).map(|at| at.date().to_string()))
    })?;
    let shared = setting.clone();
    connection.create_scalar_function("hq_start", 2, FunctionFlags::SQLITE_UTF8, move |context| {
        let unit = text(context, 0).unwrap_or_default();
        Ok(context.get::<Option<i64>>(1)?.and_then(|at| start(&unit, zoned(at, &get(&shared).zone)?)))
    })?;
    let shared = setting.clone();
    connection.create_scalar_function("hq_print", 1, FunctionFlags::SQLITE_UTF8, move |context| {
        let zone = get(&shared).zone;
        let printed = |at: i64| zoned(at, &zone).map(|at| at.strftime("%Y-%m-%d %H:%M:%S.%6f").to_string());
        Ok(context.get::<Option<i64>>(0)?.and_then(printed))
    })?;
    connection.create_scalar_function("hq_length", 2, flags, |context| {
        let unit = text(context, 0).unwrap_or_default();
        Ok(context.get::<Option<i64>>(1)?.map(|micros| micros / unit_micros(&unit)))
    })?;
    connection.create_scalar_function("hq_like", 3, flags, |context| {
        let (what, pattern) = (text(context, 0), text(context, 1));
        let fold = context.get::<i64>(2)? == 1;
        Ok(what.zip(pattern).map(|(what, pattern)| match fold {
            true => like(&what.to_lowercase(), &pattern.to_lowercase()),
            false => like(&what, &pattern),
        }))
    })?;
    connection.create_aggregate_function("hq_argmax", 2, flags, ArgMax)
}

fn get(shared: &Shared) -> Setting {
    shared.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn text(context: &Context<'_>, at: usize) -> Option<String> {
    match context.get::<Value>(at).ok()? {
        Value::Text(text) => Some(text),
        Value::Integer(number) => Some(number.to_string()),
        Value::Real(number) => Some(number.to_string()),
        Value::Null | Value::Blob(_) => None,
    }
}

/// A property as HogQL hands it over: numbers as numbers, since PostHog learns a definition
/// from them; anything else as text; absent and empty as null.
fn property(properties: &str, name: &str) -> Value {
    let properties: serde_json::Value = serde_json::from_str(properties).unwrap_or_default();
    match properties.get(name) {
        None | Some(serde_json::Value::Null) => Value::Null,
        Some(serde_json::Value::Number(number)) => match number.as_i64() {
            Some(whole) => Value::Integer(whole),
            None => Value::Real(number.as_f64().unwrap_or(0.0)),
        },
        Some(serde_json::Value::String(text)) => Value::Text(text.clone()),
        Some(other) => Value::Text(other.to_string()),
    }
}

pub fn zoned(micros: i64, zone: &TimeZone) -> Option<Zoned> {
    Timestamp::from_microsecond(micros).ok().map(|at| at.to_zoned(zone.clone()))
}

pub fn read_time(text: &str, zone: &TimeZone) -> Option<i64> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at.as_microsecond());
    }
    let civil: jiff::civil::DateTime = text.parse().ok()?;
    Some(civil.to_zoned(zone.clone()).ok()?.timestamp().as_microsecond())
}

fn start(unit: &str, at: Zoned) -> Option<i64> {
    let down = |unit| at.round(ZonedRound::new().smallest(unit).mode(RoundMode::Trunc));
    let start = match unit {
        "minute" => down(Unit::Minute).ok()?,
        "hour" => down(Unit::Hour).ok()?,
        "week" => {
            let back = i64::from(at.weekday().to_sunday_zero_offset());
            at.checked_sub(back.days()).ok()?.start_of_day().ok()?
        }
        "month" => at.first_of_month().ok()?.start_of_day().ok()?,
        "year" => at.first_of_year().ok()?.start_of_day().ok()?,
        _ => at.start_of_day().ok()?,
    };
    Some(start.timestamp().as_microsecond())
}

fn unit_micros(unit: &str) -> i64 {
    match unit.trim_end_matches('s') {
        "second" => 1_000_000,
        "minute" => 60_000_000,
        "hour" => 3_600_000_000,
        "week" => 604_800_000_000,
        _ => 86_400_000_000,
    }
}

/// `%` any run, `_` any character.
fn like(text: &str, pattern: &str) -> bool {
    let (text, pattern): (Vec<char>, Vec<char>) = (text.chars().collect(), pattern.chars().collect());
    let mut reach = vec![false; text.len() + 1];
    reach[0] = true;
    for wanted in pattern {
        let mut next = vec![false; text.len() + 1];
        for at in 0..=text.len() {
            next[at] = match wanted {
                '%' => reach[at] || (at > 0 && next[at - 1]),
                _ => at > 0 && reach[at - 1] && (wanted == '_' || text[at - 1] == wanted),
            };
        }
        reach = next;
    }
    reach[text.len()]
}

struct ArgMax;

impl Aggregate<Option<(Value, Value)>, Value> for ArgMax {
    fn init(&self, _: &mut Context<'_>) -> Result<Option<(Value, Value)>> {
        Ok(None)
    }

    fn step(&self, context: &mut Context<'_>, best: &mut Option<(Value, Value)>) -> Result<()> {
        let (value, by): (Value, Value) = (context.get(0)?, context.get(1)?);
        let better = best.as_ref().is_none_or(|(_, held)| compare(&by, held) == Ordering::Greater);
        if better && by != Value::Null {
            *best = Some((value, by));
        }
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, best: Option<Option<(Value, Value)>>) -> Result<Value> {
        Ok(best.flatten().map_or(Value::Null, |(value, _)| value))
    }
}

fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Integer(a), Value::Integer(b)) => a.cmp(b),
        (Value::Real(a), Value::Real(b)) => a.total_cmp(b),
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        _ => Ordering::Equal,
    }
}
