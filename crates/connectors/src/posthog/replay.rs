//! What session replays say about a contact, without the replays: how many, how long, how
//! much was clicked, what went wrong, and when the last one was.
//!
//! One HogQL query per page sums the recordings per person. Rage clicks are events of their
//! own and are joined in.

use hogwire_model::Time;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::hogql::{self, Query, Rows};
use super::people::clickhouse_time;

/// The names under which the sums become attributes.
pub const NAMES: [&str; 6] =
    ["replay_sessions", "replay_seconds", "replay_clicks", "replay_rage_clicks", "replay_errors", "replay_last_seen"];

pub fn query(since: Time, after: &str, limit: usize) -> Query {
    let sql = format!(
        "SELECT toString(r.person_id) AS key, count() AS sessions, \
         sum(dateDiff('second', r.start_time, r.end_time)) AS seconds, sum(r.click_count) AS clicks, \
         max(g.n) AS rage_clicks, sum(r.console_error_count) AS errors, max(r.end_time) AS last_seen \
         FROM session_replay_events AS r LEFT JOIN (SELECT person_id, count() AS n FROM events \
         WHERE event = '$rageclick' AND timestamp >= {{since}} GROUP BY person_id) AS g ON g.person_id = r.person_id \
         WHERE r.start_time >= {{since}} AND toString(r.person_id) > {{after}} \
         GROUP BY key ORDER BY key ASC LIMIT {limit}"
    );
    Query::new("replay", sql).with("since", clickhouse_time(since)).with("after", after)
}

/// One row: the record's key and its attributes. What is absent counts as none.
pub fn read(row: &RawValue) -> Option<(String, Map<String, Value>)> {
    let cells = Rows::cells(row);
    let key = hogql::text(cells.first()?)?;
    let mut values = Map::new();
    for (name, cell) in NAMES.iter().zip(cells.get(1..)?) {
        let value: Value = serde_json::from_str(cell.get()).ok()?;
        values.insert((*name).to_owned(), if value.is_null() { json!(0) } else { value });
    }
    Some((key, values))
}
