//! Filters on lists. A single value is a list of one, and nil is the empty list.

use super::{Answer, Given, Run, bounded};
use crate::template::liquid::compare::{equal, rank};
use crate::template::liquid::number::Number;
use crate::template::liquid::value::Value;

pub const FILTERS: &[(&str, Run)] = &[
    ("compact", |g| Ok(keep(g, |item| !item.is_nil()))),
    ("concat", |g| Ok(Value::list(g.value.items().into_iter().chain(g.argument(0).items()).collect()))),
    ("find", |g| Ok(g.value.items().into_iter().find(|item| matches(g, item)).unwrap_or(Value::Nil))),
    ("find_index", |g| Ok(g.value.items().iter().position(|item| matches(g, item)).map_or(Value::Nil, Value::from))),
    ("first", |g| Ok(end(&g.value, false))),
    ("has", |g| Ok(Value::Bool(g.value.items().iter().any(|item| matches(g, item))))),
    ("join", join),
    ("last", |g| Ok(end(&g.value, true))),
    ("map", |g| Ok(Value::list(g.value.items().iter().map(|item| at_path(item, &g.word(0, ""))).collect()))),
    ("push", |g| Ok(Value::list(g.value.items().into_iter().chain([g.argument(0)]).collect()))),
    ("reject", |g| Ok(keep(g, |item| !matches(g, item)))),
    ("reverse", |g| Ok(Value::list(g.value.items().into_iter().rev().collect()))),
    ("size", |g| Ok(Value::from(g.value.size().unwrap_or(0)))),
    ("slice", slice),
    ("sort", |g| Ok(sorted(g, false))),
    ("sort_natural", |g| Ok(sorted(g, true))),
    ("sum", sum),
    ("uniq", uniq),
    ("where", |g| Ok(keep(g, |item| matches(g, item)))),
];

fn keep<'a>(g: &Given<'_, 'a>, wanted: impl Fn(&Value<'a>) -> bool) -> Value<'a> {
    Value::list(g.value.items().into_iter().filter(|item| wanted(item)).collect())
}

/// Whether the field named first has the value named second, or any true one.
fn matches(g: &Given<'_, '_>, item: &Value<'_>) -> bool {
    let found = at_path(item, &g.word(0, ""));
    match g.arguments.get(1) {
        Some(wanted) => equal(&found, wanted),
        None => found.is_true(),
    }
}

/// The field of an item; a name with dots leads deeper.
fn at_path<'a>(item: &Value<'a>, path: &str) -> Value<'a> {
    path.split('.').fold(item.clone(), |value, name| value.field(name))
}

fn end<'a>(value: &Value<'a>, last: bool) -> Value<'a> {
    match value.as_str() {
        Some(text) => {
            let found = if last { text.chars().next_back() } else { text.chars().next() };
            found.map_or(Value::Nil, |c| Value::from(c.to_string()))
        }
        None => value.item(if last { -1 } else { 0 }),
    }
}

fn join<'a>(g: &Given<'_, 'a>) -> Answer<'a> {
    let (items, mark) = (g.value.items(), g.word(0, " "));
    bounded(g.value.weight().saturating_add(items.len().saturating_mul(mark.len())))?;
    Ok(Value::from(items.iter().map(Value::text).collect::<Vec<_>>().join(&mark)))
}

/// A piece of a list or of a text. A start below zero counts from the end.
fn slice<'a>(g: &Given<'_, 'a>) -> Answer<'a> {
    let length = g.value.size().unwrap_or(0);
    let start = g.count(0, 0);
    let start = if start < 0 { start.saturating_add(i64::try_from(length).unwrap_or(i64::MAX)) } else { start };
    let Ok(start) = usize::try_from(start) else { return Ok(Value::from(String::new())) };
    let take = usize::try_from(g.count(1, 1)).unwrap_or(0);
    Ok(match g.value.as_str() {
        Some(text) => Value::from(text.chars().skip(start).take(take).collect::<String>()),
        None => Value::list(g.value.items().into_iter().skip(start).take(take).collect()),
    })
}

fn sorted<'a>(g: &Given<'_, 'a>, fold: bool) -> Value<'a> {
    let mut items = g.value.items();
    match g.arguments.first() {
        Some(name) => {
            let name = name.text().into_owned();
            items.sort_by(|a, b| rank(&at_path(a, &name), &at_path(b, &name), fold));
        }
        None => items.sort_by(|a, b| rank(a, b, fold)),
    }
    Value::list(items)
}

fn sum<'a>(g: &Given<'_, 'a>) -> Answer<'a> {
    let field = g.arguments.first().map(|name| name.text().into_owned());
    let total = g.value.items().iter().fold(Number::ZERO, |total, item| {
        let part = field.as_ref().map_or_else(|| item.clone(), |name| at_path(item, name));
        total.combine(part.number().unwrap_or(Number::ZERO), i64::checked_add, |a, b| a + b)
    });
    Ok(Value::Number(total))
}

/// Compares each with those before: bounded, because a list may be long.
fn uniq<'a>(g: &Given<'_, 'a>) -> Answer<'a> {
    const MOST: usize = 2_000;
    let items = g.value.items();
    if items.len() > MOST {
        return Err("uniq is given more than 2,000 items".to_owned());
    }
    let mut kept: Vec<Value<'a>> = Vec::new();
    for item in items {
        if !kept.iter().any(|known| equal(known, &item)) {
            kept.push(item);
        }
    }
    Ok(Value::list(kept))
}
