//! Funnels: who converted and who dropped at a step, by a saved insight or an inline one.
//!
//! PostHog counts whoever is still inside the conversion window as dropped. The asking here
//! ends the range one window before now, so that they have not dropped yet.

use hogwire_model::{Span, Time};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::access::{Access, Call, Trouble, json as read_json};
use super::limits::Class;
use crate::http::Response;

/// The saved insight with this short id.
pub fn insight(access: &Access, short_id: &str) -> Call {
    let id: String = url::form_urlencoded::byte_serialize(short_id.as_bytes()).collect();
    access.get(Class::Analytics, &format!("insights/?short_id={id}&limit=1&basic=true"))
}

#[derive(Deserialize)]
struct Insights {
    results: Vec<Insight>,
}

#[derive(Deserialize)]
struct Insight {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    derived_name: Option<String>,
    #[serde(default)]
    query: Option<Value>,
}

/// A funnel's name and its node. Insights of other kinds, and old ones without a query, are
/// refused with a sentence.
pub fn found(response: &Response, now: Time) -> Result<(String, Value), Trouble> {
    let page: Insights = read_json(response, now)?;
    let odd = |why: &str| Trouble::Odd(why.to_owned());
    let insight = page.results.into_iter().next().ok_or_else(|| odd("There is no insight with this short id."))?;
    let name = insight.name.filter(|name| !name.is_empty()).or(insight.derived_name).unwrap_or_default();
    let mut node = insight.query.ok_or_else(|| odd("The insight is an old one without a query; save it again."))?;
    while let Some(inner) = node.get("source").cloned() {
        node = inner;
    }
    match node.get("kind").and_then(Value::as_str) {
        Some("FunnelsQuery") => Ok((name, node)),
        _ => Err(odd("The insight is not a funnel.")),
    }
}

/// How long somebody has to go through the funnel.
pub fn window(node: &Value) -> Span {
    let filter = &node["funnelsFilter"];
    let n = filter["funnelWindowInterval"].as_i64().unwrap_or(14).max(1);
    match filter["funnelWindowIntervalUnit"].as_str().unwrap_or("day") {
        "second" => Span::seconds(n),
        "minute" => Span::minutes(n),
        "hour" => Span::hours(n),
        "week" => Span::days(7 * n),
        "month" => Span::days(30 * n),
        _ => Span::days(n),
    }
}

/// A page of those who reached step `step` (positive) or reached the one before it and not it
/// (negative, from −2 on).
pub fn contacts(access: &Access, node: &Value, step: i32, now: Time, offset: usize, limit: usize) -> Call {
    let mut source = node.clone();
    if step < 0 {
        let until = now.minus(window(node));
        let from = source["dateRange"]["date_from"].clone();
        source["dateRange"] = json!({ "date_from": from, "date_to": until.to_string(), "explicitDate": true });
    }
    let query = json!({
        "kind": "ActorsQuery",
        "source": { "kind": "FunnelsActorsQuery", "source": source, "funnelStep": step },
        "select": ["id"],
        "orderBy": ["id"],
        "limit": limit,
        "offset": offset,
    });
    access.post(Class::Query, "query/", &json!({ "query": query, "refresh": "force_blocking" }))
}

#[derive(Deserialize)]
struct Actors<'a> {
    #[serde(borrow)]
    results: Vec<Vec<&'a RawValue>>,
    #[serde(default, rename = "hasMore")]
    has_more: Option<bool>,
}

/// Uuids of a page, and whether there is another.
pub fn listed(response: &Response, limit: usize, now: Time) -> Result<(Vec<String>, bool), Trouble> {
    let page: Actors<'_> = read_json(response, now)?;
    let full = page.results.len() >= limit;
    let keys = page.results.iter().filter_map(|row| key(row.first()?)).collect();
    Ok((keys, page.has_more.unwrap_or(full)))
}

/// A bare uuid, or an object with one.
fn key(cell: &RawValue) -> Option<String> {
    match serde_json::from_str(cell.get()).ok()? {
        Value::String(key) => Some(key),
        Value::Object(object) => object.get("id").and_then(Value::as_str).map(str::to_owned),
        _ => None,
    }
}
