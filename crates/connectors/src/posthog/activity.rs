//! Events as they stand at PostHog: counted per hour and name, fetched by uuid or page by
//! page, and turned into the bodies that the webhook would have brought.
//!
//! New events are found by when PostHog stored them (`created_at`), since their own times may
//! lie far back; the pair (created_at, uuid) is the key, because many share one moment.

use hogwire_model::{Span, Time};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::hogql::{self, Query, Rows};
use super::people::clickhouse_time;

/// Counts per hour of storing and event name, our own events left out.
pub fn counts(from: Time, until: Time, names: &[String], limit: usize) -> Query {
    let sql = format!(
        "SELECT toStartOfHour(created_at) AS hour, event AS name, count(DISTINCT uuid) AS n FROM events \
         WHERE created_at >= {{from}} AND created_at < {{until}} AND timestamp >= {{oldest}}{} \
         AND NOT startsWith(event, 'hogwire_') GROUP BY hour, name ORDER BY hour ASC, name ASC LIMIT {limit}",
        only(names)
    );
    bounded(Query::new("coverage", sql), from, until, names)
}

/// One row of `counts`.
pub fn count(row: &RawValue) -> Option<(Time, String, i64)> {
    let cells = Rows::cells(row);
    Some((hogql::time(cells.first()?)?, hogql::text(cells.get(1)?)?, hogql::text(cells.get(2)?)?.parse().ok()?))
}

/// Where a page of events begins: behind this moment of storing and this uuid.
#[derive(Clone, Debug, PartialEq)]
pub struct After {
    pub at: Time,
    pub uuid: String,
}

/// The uuids of one stretch, to be compared with what arrived.
pub fn uuids(from: Time, until: Time, names: &[String], after: &str, limit: usize) -> Query {
    let sql = format!(
        "SELECT DISTINCT toString(uuid) AS key FROM events WHERE created_at >= {{from}} AND created_at < {{until}} \
         AND timestamp >= {{oldest}}{} AND NOT startsWith(event, 'hogwire_') AND toString(uuid) > {{after}} \
         ORDER BY key ASC LIMIT {limit}",
        only(names)
    );
    bounded(Query::new("coverage uuids", sql), from, until, names).with("after", after)
}

const COLUMNS: &str = "toString(uuid) AS uuid, event AS event, distinct_id AS distinct_id, properties AS properties, \
                       timestamp AS timestamp, created_at AS created_at, toString(person_id) AS person";

/// Whole events by uuid, within a stretch.
pub fn by_uuid(from: Time, until: Time, uuids: &[&str]) -> Query {
    let sql = format!(
        "SELECT {COLUMNS} FROM events WHERE created_at >= {{from}} AND created_at < {{until}} \
         AND timestamp >= {{oldest}} AND toString(uuid) IN {{uuids}} ORDER BY created_at ASC, uuid ASC LIMIT {}",
        uuids.len()
    );
    bounded(Query::new("events", sql), from, until, &[]).with("uuids", json!(uuids))
}

/// A page of whole events of some names, in the order they were stored.
pub fn page(after: &After, until: Time, names: &[String], limit: usize) -> Query {
    let sql = format!(
        "SELECT {COLUMNS} FROM events WHERE created_at >= {{from}} AND created_at < {{until}} \
         AND timestamp >= {{oldest}}{} AND NOT startsWith(event, 'hogwire_') \
         AND (created_at > {{from}} OR toString(uuid) > {{after}}) \
         ORDER BY created_at ASC, uuid ASC LIMIT {limit}",
        only(names)
    );
    bounded(Query::new("events", sql), after.at, until, names).with("after", after.uuid.clone())
}

fn only(names: &[String]) -> &'static str {
    if names.is_empty() { "" } else { " AND event IN {names}" }
}

/// A stretch of storing, and how far back its events' own times may lie: what the event table
/// is sorted by, so that not all of it is read.
fn bounded(query: Query, from: Time, until: Time, names: &[String]) -> Query {
    let query = query
        .with("from", clickhouse_time(from))
        .with("until", clickhouse_time(until))
        .with("oldest", clickhouse_time(from.minus(Span::days(30))));
    if names.is_empty() { query } else { query.with("names", json!(names)) }
}

/// One whole event.
#[derive(Clone, Debug)]
pub struct Fetched {
    pub uuid: String,
    pub name: String,
    pub stored: Time,
    /// As the webhook would have brought it.
    pub body: Vec<u8>,
}

pub fn fetched(row: &RawValue) -> Option<Fetched> {
    let cells = Rows::cells(row);
    let uuid = hogql::text(cells.first()?)?;
    let name = hogql::text(cells.get(1)?)?;
    let properties: Map<String, Value> =
        cells.get(3).and_then(|cell| hogql::text(cell)).and_then(|text| serde_json::from_str(&text).ok())?;
    let stored = hogql::time(cells.get(5)?)?;
    let body = json!({
        "uuid": uuid,
        "event": name,
        "distinct_id": hogql::text(cells.get(2)?)?,
        "properties": properties,
        "timestamp": hogql::time(cells.get(4)?)?.to_string(),
        "captured_at": stored.to_string(),
        "person": { "id": cells.get(6).and_then(|cell| hogql::text(cell)) },
    });
    Some(Fetched { uuid, name, stored, body: body.to_string().into_bytes() })
}

/// Who did any of some events since a time on at least so many days: one column, the uuid.
pub fn active_contacts(names: &[String], since: Time, days: u32, after: &str, limit: usize) -> Query {
    let having = if days > 1 { " HAVING uniq(toDate(timestamp)) >= {days}" } else { "" };
    let sql = format!(
        "SELECT toString(person_id) AS key FROM events WHERE timestamp >= {{since}}{} \
         AND toString(person_id) > {{after}} GROUP BY key{having} ORDER BY key ASC LIMIT {limit}",
        only(names)
    );
    let query = Query::new("active contacts", sql).with("since", clickhouse_time(since)).with("after", after);
    let query = if days > 1 { query.with("days", days) } else { query };
    if names.is_empty() { query } else { query.with("names", json!(names)) }
}
