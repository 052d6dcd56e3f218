//! Funnels walked event by event, and flags decided, as PostHog's own services do it: written
//! apart from the connector, so that each can find the other's mistakes.

use std::collections::BTreeMap;

use hogwire_model::{Span, Time};
use serde_json::{Value, json};

use super::PostHog;
use super::hogql::Refusal;
use super::people::Person;

/// `ActorsQuery` over `FunnelsActorsQuery`: ordered steps of plain events.
pub fn actors(posthog: &PostHog, node: &Value, now: Time) -> Result<Value, Refusal> {
    let refuse = |detail: &str| Refusal { code: "invalid_input", detail: detail.to_owned() };
    let source = &node["source"];
    if source["kind"] != "FunnelsActorsQuery" {
        return Err(refuse("Unsupported source of actors"));
    }
    let step = source["funnelStep"].as_i64().ok_or_else(|| refuse("funnelStep is required"))?;
    if step == 0 || step == -1 {
        return Err(refuse("Funnel steps are 1-indexed, so step 0 doesn't exist"));
    }
    let funnel = &source["source"];
    let names: Vec<&str> =
        funnel["series"].as_array().into_iter().flatten().filter_map(|s| s["event"].as_str()).collect();
    let filter = &funnel["funnelsFilter"];
    let n = filter["funnelWindowInterval"].as_i64().unwrap_or(14);
    let window = match filter["funnelWindowIntervalUnit"].as_str().unwrap_or("day") {
        "minute" => Span::minutes(n),
        "hour" => Span::hours(n),
        _ => Span::days(n),
    };
    let range = &funnel["dateRange"];
    let until = range["date_to"].as_str().and_then(Time::parse).unwrap_or(now);
    let from = match range["date_from"].as_str() {
        Some(text) => Time::parse(text).or_else(|| Some(now.minus(Span::parse(text.strip_prefix('-')?)?))),
        None => None,
    }
    .unwrap_or(now.minus(Span::days(7)));
    let mut by_person: BTreeMap<&str, Vec<(Time, &str)>> = BTreeMap::new();
    for event in posthog.events.iter().filter(|event| event.timestamp >= from && event.timestamp <= now) {
        if let Some(person) = posthog.people.of(&event.distinct_id) {
            by_person.entry(&person.uuid).or_default().push((event.timestamp, &event.event));
        }
    }
    let reached = |events: &mut Vec<(Time, &str)>| {
        events.sort_unstable();
        let starts = events.iter().enumerate().filter(|(_, (at, name))| Some(name) == names.first() && *at <= until);
        starts.map(|(place, (began, _))| walk(&events[place..], *began, window, &names)).max().unwrap_or(0)
    };
    let wanted = usize::try_from(step.abs()).unwrap_or(1);
    let chosen: Vec<&str> = by_person
        .into_iter()
        .filter_map(|(uuid, mut events)| {
            let reached = reached(&mut events);
            let is_in = if step > 0 { reached >= wanted } else { reached + 1 == wanted };
            is_in.then_some(uuid)
        })
        .collect();
    let number =
        |name: &str, default: usize| node[name].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(default);
    let (limit, offset) = (number("limit", 100).min(50_000), number("offset", 0));
    let page: Vec<Value> = chosen.iter().skip(offset).take(limit).map(|uuid| json!([uuid])).collect();
    Ok(json!({
        "columns": ["id"], "results": page, "hasMore": chosen.len() > offset + limit, "limit": limit, "offset": offset,
        "missing_actors_count": 0 }))
}

/// How many steps were taken within the window.
fn walk(events: &[(Time, &str)], began: Time, window: Span, names: &[&str]) -> usize {
    let mut reached = 0;
    for (at, name) in events {
        if at.since(began) > window || reached == names.len() {
            break;
        }
        reached += usize::from(*name == names[reached]);
    }
    reached
}

/// Whether a flag is on for somebody, its variant, and why.
pub fn flag(flag: &Value, id: &str, person: Option<&Person>) -> (bool, Option<String>, &'static str) {
    let filters = &flag["filters"];
    let key = flag["key"].as_str().unwrap_or_default();
    let mut reason = "no_condition_match";
    for group in filters["groups"].as_array().into_iter().flatten() {
        let holds = |condition: &Value| {
            let held = person.and_then(|person| person.properties.get(condition["key"].as_str().unwrap_or_default()));
            match (&condition["value"], held) {
                (Value::Array(values), Some(held)) => values.contains(held),
                (value, Some(held)) => value == held,
                (_, None) => false,
            }
        };
        if !group["properties"].as_array().into_iter().flatten().all(holds) {
            continue;
        }
        let rollout = group["rollout_percentage"].as_f64().unwrap_or(100.0);
        if lot(key, id, "") > rollout / 100.0 {
            reason = "out_of_rollout_bound";
            continue;
        }
        let (mut until, at) = (0.0, lot(key, id, "variant"));
        for variant in filters["multivariate"]["variants"].as_array().into_iter().flatten() {
            until += variant["rollout_percentage"].as_f64().unwrap_or(0.0) / 100.0;
            if at < until {
                return (true, variant["key"].as_str().map(str::to_owned), "condition_match");
            }
        }
        return (true, None, "condition_match");
    }
    (false, None, reason)
}

/// The first fifteen hex digits of the hash as a fraction of the largest such number.
fn lot(key: &str, id: &str, salt: &str) -> f64 {
    let hex = sha1_smol::Sha1::from(format!("{key}.{id}{salt}")).digest().to_string();
    u64::from_str_radix(&hex[..15], 16).map_or(0.0, |n| n as f64 / 0xFFF_FFFF_FFFF_FFFF_u64 as f64)
}
