//! PostHog's webhook destination and its flat capture form, read into an event.
//!
//! The destination's default body holds `event` and `person` as objects; the body that
//! Hogwire provisions adds `groups`, `project` and `source`; the capture form is flat, with
//! `event` as the name. People edit the destination's body by hand, so one reader takes all
//! of them and looks for each part wherever it may stand. A part of the wrong type is noted
//! and passed over; only a record without a name is refused.

use std::borrow::Cow;

use hogwire_model::Time;
use hogwire_model::contact::KeyKind;
use hogwire_model::event::{Pairs, text_of};
use serde_json::value::RawValue;

use super::special;
use crate::reading::{AccountPicture, Reading};
use crate::shape::{Refusal, Shape};
use crate::wire;

/// The parts of a record that every form has somewhere.
struct Parts<'a> {
    name: Cow<'a, str>,
    /// The object that holds `distinct_id`, `properties`, `timestamp`, where that is not the
    /// whole.
    body: Option<Pairs<'a>>,
    /// What an id is made from when the record brings none.
    content: &'a [u8],
}

/// Which of PostHog's forms a body has. A body that is neither counts as the capture form.
pub fn detect(top: &Pairs<'_>) -> Shape {
    match top.get("event").map(|raw| raw.get().as_bytes()[0]) {
        Some(b'{') => Shape::PosthogWebhook,
        _ => Shape::Capture,
    }
}

/// Is there a name, in any of the forms?
pub(crate) fn check(top: &Pairs<'_>) -> Result<(), Refusal> {
    parts(top, b"").map(|_| ())
}

pub(crate) fn read<'a>(top: &Pairs<'a>, content: &'a [u8], arrived: Time) -> Result<Reading<'a>, Refusal> {
    let Parts { name, body, content } = parts(top, content)?;
    let body = body.as_ref().unwrap_or(top);
    let own_time = wire::time(wire::first(body, &["timestamp", "captured_at", "time"]))
        .or_else(|| wire::time(wire::first(top, &["timestamp"])));
    let mut reading = Reading::new(name, own_time.unwrap_or(arrived), arrived);
    let given = wire::id(wire::first(body, &["uuid", "id"])).or_else(|| wire::id(wire::first(top, &["uuid"])));
    reading.identify_by(given, content, own_time.is_some());

    let properties = wire::first(body, &["properties"]).or_else(|| top.get("properties"));
    reading.event.properties = reading.object("properties", properties);
    if let Some(at) = wire::time(wire::first(body, &["captured_at"])) {
        reading.event.snapshot_at = at.clamp_to_arrival(arrived);
    }
    changes(&mut reading, body, top);
    let person = person(&mut reading, body, top);
    keys(&mut reading, body, top, &person);
    accounts(&mut reading, top);
    special::apply(&mut reading, top);
    Ok(reading)
}

fn parts<'a>(top: &Pairs<'a>, whole: &'a [u8]) -> Result<Parts<'a>, Refusal> {
    let named = wire::first(top, &["event", "event_name", "eventName"])
        .ok_or_else(|| Refusal::new("no_event_name", "The body has no `event`."))?;
    if let Some(body) = wire::pairs(named) {
        let inner = wire::first(&body, &["event", "name"])
            .ok_or_else(|| Refusal::new("no_event_name", "The object `event` has no `event`, its name."))?;
        return Ok(Parts { name: name(inner)?, body: Some(body), content: named.get().as_bytes() });
    }
    Ok(Parts { name: name(named)?, body: None, content: whole })
}

fn name(raw: &RawValue) -> Result<Cow<'_, str>, Refusal> {
    let text = text_of(raw).ok_or_else(|| Refusal::new("wrong_type", "The name of the event is not a text."))?;
    if text.trim().is_empty() {
        return Err(Refusal::new("no_event_name", "The name of the event is empty."));
    }
    if text.starts_with('{') {
        return Err(Refusal::new("wrong_type", "`event` is a text that holds an object; let it be the object itself."));
    }
    Ok(wire::cut(text, wire::LONGEST_ID))
}

/// `$set`, `$set_once` and `$unset` may stand beside the properties or among them; what
/// stands among them wins.
fn changes<'a>(reading: &mut Reading<'a>, body: &Pairs<'a>, top: &Pairs<'a>) {
    let beside = |name: &str| body.get(name).or_else(|| top.get(name));
    let within = |reading: &Reading<'a>, name: &str| reading.event.properties.get(name);

    let inner = within(reading, "$set");
    let mut set = reading.object("$set", beside("$set"));
    set.0.extend(reading.object("properties.$set", inner).0);
    reading.event.set = set;

    let inner = within(reading, "$set_once");
    let mut once = reading.object("$set_once", beside("$set_once"));
    once.0.extend(reading.object("properties.$set_once", inner).0);
    reading.event.set_once = once;

    let inner = within(reading, "$unset");
    unset(reading, "$unset", beside("$unset"));
    unset(reading, "properties.$unset", inner);
}

/// PostHog takes a list of names or an object whose names count; one bare name is plain too.
fn unset<'a>(reading: &mut Reading<'a>, path: &'static str, raw: Option<&'a RawValue>) {
    let Some(raw) = raw.filter(|raw| !wire::is_null(raw)) else {
        return;
    };
    if let Some(named) = wire::pairs(raw) {
        let names = named.0.into_iter().map(|(name, _)| name);
        reading.event.unset.extend(names);
    } else if let Some(items) = wire::items(raw) {
        let names = items.into_iter().filter_map(text_of);
        reading.event.unset.extend(names);
    } else if let Some(name) = text_of(raw) {
        reading.event.unset.push(name);
    } else {
        reading.ignore(path, "a list of names", raw);
    }
}

/// The source's record of the contact: its id, and its attributes as the snapshot.
fn person<'a>(reading: &mut Reading<'a>, body: &Pairs<'a>, top: &Pairs<'a>) -> Pairs<'a> {
    let raw = wire::first(top, &["person"]).or_else(|| wire::first(body, &["person"]));
    let person = reading.object("person", raw);
    let properties = wire::first(&person, &["properties"])
        .or_else(|| wire::first(top, &["person_properties"]))
        .or_else(|| wire::first(body, &["person_properties"]));
    reading.event.snapshot = reading.object("person.properties", properties);
    person
}

fn keys<'a>(reading: &mut Reading<'a>, body: &Pairs<'a>, top: &Pairs<'a>, person: &Pairs<'a>) {
    const NAMES: [&str; 3] = ["distinct_id", "$distinct_id", "distinctId"];
    let visitor = wire::id(wire::first(body, &NAMES))
        .or_else(|| wire::id(wire::first(&reading.event.properties, &NAMES[..2])))
        .or_else(|| wire::id(wire::first(top, &NAMES)))
        .or_else(|| wire::id(wire::first(person, &NAMES)));
    let record = wire::id(wire::first(person, &["id", "uuid"]))
        .or_else(|| wire::id(wire::first(body, &["person_id"])))
        .or_else(|| wire::id(wire::first(top, &["person_id"])));
    let keys = &mut reading.event.keys;
    keys.extend(visitor.map(|value| (KeyKind::Visitor, value)));
    keys.extend(record.map(|value| (KeyKind::Record, value)));
}

/// `groups` beside the event describes each account; `$groups` among the properties only
/// names them.
fn accounts<'a>(reading: &mut Reading<'a>, top: &Pairs<'a>) {
    let described = reading.object("groups", wire::first(top, &["groups"]));
    for (kind, raw) in described.0 {
        match wire::pairs(raw) {
            Some(group) if !wire::is_null(raw) => described_account(reading, kind, &group),
            _ => {
                if let Some(key) = wire::id(Some(raw)) {
                    reading.belongs_to(kind, key);
                }
            }
        }
    }
    let named = reading.event.properties.get("$groups");
    let named = reading.object("properties.$groups", named);
    for (kind, raw) in named.0 {
        if let Some(key) = wire::id(Some(raw)) {
            reading.belongs_to(kind, key);
        }
    }
}

fn described_account<'a>(reading: &mut Reading<'a>, kind: Cow<'a, str>, group: &Pairs<'a>) {
    let Some(key) = wire::id(wire::first(group, &["id", "key"])) else {
        return;
    };
    let attributes = reading.object("groups.properties", wire::first(group, &["properties"]));
    if !attributes.is_empty() {
        reading.accounts.push(AccountPicture {
            kind: wire::cut(kind.clone(), wire::LONGEST_ID),
            key: key.clone(),
            attributes,
            at: reading.event.snapshot_at,
        });
    }
    reading.belongs_to(kind, key);
}
