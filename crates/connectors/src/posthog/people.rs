//! Persons as contacts: the pages of a pull, by HogQL and, where that is refused, by the list.
//!
//! A HogQL page is keyed by the record's uuid as text, because ClickHouse sorts uuids unlike
//! their text; the list's pages may be short while `next` is set, so only `next` ends them. The
//! uuid is not for ever: merges make it disappear, so a contact also gets the id that was seen
//! last. Properties that no source writes (`total_events`, `last_seen`, `signup_date`) are
//! derived where no property of that name is mapped to.

use std::borrow::Cow;

use hogwire_model::Time;
use hogwire_model::contact::KeyKind;
use hogwire_model::event::Event;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::access::{Access, Call, Trouble, json as read_json};
use super::hogql::{self, Query, Rows};
use super::limits::Class;
use crate::http::Response;
use crate::reading::Reading;

/// Which persons, and what of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wanted<'a> {
    /// Names of properties; none means all of them.
    pub properties: &'a [String],
    /// The uuid behind which the page begins; empty for the first.
    pub after: &'a str,
    /// Only who is new or did something that came since; nothing means everybody.
    pub since: Option<Time>,
    pub limit: usize,
    /// Count events and find the last one, which reads the event table.
    pub activity: bool,
}

/// Columns before the properties.
const FIXED: usize = 6;

pub fn query(wanted: &Wanted<'_>) -> Query {
    let mut sql =
        String::from("SELECT toString(p.id) AS key, p.created_at AS created_at, p.is_identified AS identified, ");
    if wanted.activity {
        sql.push_str("e.total_events AS total_events, e.last_seen AS last_seen, e.visitor AS visitor");
    } else {
        sql.push_str("null AS total_events, null AS last_seen, null AS visitor");
    }
    if wanted.properties.is_empty() {
        sql.push_str(", p.properties AS properties");
    }
    for (n, name) in wanted.properties.iter().enumerate() {
        sql.push_str(&format!(", {} AS p{n}", hogql::property("p.", name)));
    }
    sql.push_str(" FROM persons AS p");
    if wanted.activity {
        sql.push_str(
            " LEFT JOIN (SELECT person_id, count() AS total_events, max(timestamp) AS last_seen, \
             argMax(distinct_id, timestamp) AS visitor FROM events GROUP BY person_id) AS e ON e.person_id = p.id",
        );
    }
    sql.push_str(" WHERE toString(p.id) > {after}");
    if wanted.since.is_some() {
        sql.push_str(
            " AND (p.created_at >= {since} OR p.id IN (SELECT person_id FROM events WHERE created_at >= {since}))",
        );
    }
    sql.push_str(&format!(" ORDER BY key ASC LIMIT {}", wanted.limit));
    let query = Query::new("contacts", sql).with("after", wanted.after);
    match wanted.since {
        Some(since) => query.with("since", clickhouse_time(since)),
        None => query,
    }
}

/// A time as a HogQL text literal in UTC.
pub fn clickhouse_time(at: Time) -> String {
    at.to_string().replace('T', " ").trim_end_matches('Z').to_owned()
}

/// One record of a pull: its key, when it was made, and itself as an event without a name
/// that carries the record's picture, taken at the time of the asking.
#[derive(Debug)]
pub struct Record<'a> {
    pub key: String,
    pub reading: Reading<'a>,
}

/// HogQL hands all properties over as a text that holds an object. It is decoded ahead, so
/// that the record can borrow from it.
pub fn whole(row: &RawValue) -> Option<String> {
    hogql::text(Rows::cells(row).get(FIXED)?)
}

/// Reads one row. Nothing where it has not the columns that were asked for.
pub fn record<'a>(row: &'a RawValue, whole: Option<&'a str>, wanted: &Wanted<'_>, taken: Time) -> Option<Record<'a>> {
    let cells: Vec<&'a RawValue> = serde_json::from_str(row.get()).ok()?;
    let key = hogql::text(cells.first()?)?;
    let mut reading = empty(&key, taken);
    reading.event.identified = matches!(cells.get(2)?.get(), "true" | "1");
    if let Some(visitor) = cells.get(5).and_then(|cell| hogql::text(cell)).filter(|id| !id.is_empty()) {
        reading.event.keys.push((KeyKind::Visitor, Cow::Owned(visitor)));
    }
    if wanted.properties.is_empty() {
        reading.event.snapshot = whole.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    } else {
        let named = wanted.properties.iter().zip(cells.get(FIXED..)?);
        let held = named.filter(|(_, cell)| cell.get() != "null");
        reading.event.snapshot.0.extend(held.map(|(name, cell)| (Cow::Owned(name.clone()), *cell)));
    }
    derive(&mut reading.event, "signup_date", cells.get(1));
    derive(&mut reading.event, "total_events", cells.get(3));
    derive(&mut reading.event, "last_seen", cells.get(4));
    Some(Record { key, reading })
}

/// A name that the record has no property of is filled with what is known otherwise.
fn derive<'a>(event: &mut Event<'a>, name: &'static str, cell: Option<&&'a RawValue>) {
    if let Some(cell) = cell.filter(|cell| cell.get() != "null")
        && event.snapshot.get(name).is_none()
    {
        event.snapshot.0.push((Cow::Borrowed(name), *cell));
    }
}

fn empty(key: &str, taken: Time) -> Reading<'static> {
    let mut reading = Reading::new(Cow::Borrowed(""), taken, taken);
    reading.event.uuid = Cow::Owned(key.to_owned());
    reading.event.keys.push((KeyKind::Record, Cow::Owned(key.to_owned())));
    reading
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    results: Vec<&'a RawValue>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Listed<'a> {
    #[serde(default, borrow)]
    uuid: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    id: Option<&'a RawValue>,
    #[serde(default, borrow)]
    created_at: Option<&'a RawValue>,
    #[serde(default)]
    is_identified: Option<bool>,
    #[serde(default)]
    distinct_ids: Vec<String>,
    #[serde(default, borrow)]
    properties: Option<&'a RawValue>,
}

/// How many ids of one record are taken over; the rest is asked for when it is needed.
const MOST_IDS: usize = 10;

/// The first page of the list; later ones are `Access::follow`.
pub fn list(access: &Access, limit: usize) -> Call {
    access.get(Class::Analytics, &format!("persons/?limit={limit}"))
}

/// A page of the list as readings, and the link to the next.
pub fn listed(response: &Response, now: Time) -> Result<(Vec<Record<'_>>, Option<String>), Trouble> {
    let page: Page<'_> = read_json(response, now)?;
    Ok((page.results.iter().filter_map(|row| one_listed(row, now)).collect(), page.next))
}

fn one_listed(row: &RawValue, taken: Time) -> Option<Record<'_>> {
    let listed: Listed<'_> = serde_json::from_str(row.get()).ok()?;
    // `id` is the uuid in lists and a number in details; only a text can be the key.
    let uuid = listed.uuid.map(Cow::into_owned).or_else(|| serde_json::from_str(listed.id?.get()).ok())?;
    let mut reading = empty(&uuid, taken);
    reading.event.identified = listed.is_identified.unwrap_or(false);
    for id in listed.distinct_ids.into_iter().take(MOST_IDS) {
        reading.event.keys.push((KeyKind::Visitor, Cow::Owned(id)));
    }
    reading.event.snapshot = listed.properties.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
    derive(&mut reading.event, "signup_date", listed.created_at.as_ref());
    Some(Record { key: uuid, reading })
}

/// Where the next page begins: the key of the last row.
pub fn last_key(rows: &Rows<'_>) -> Option<String> {
    rows.rows.last().and_then(|row| hogql::text(Rows::cells(row).first()?))
}
