//! Events on their way back to where events come from (SPEC G1), in batches.
//!
//! Each has a uuid and a time that stay the same on every try. One event that the other
//! side cannot read fails its whole batch, so a refused batch is halved until the event
//! stands alone, and only that one is set aside.

use std::collections::BTreeMap;

use hogwire_connectors::http::Request;
use hogwire_connectors::posthog::capture::{Captured, Project, batches, read_response};
use hogwire_model::policy::retry::Kind;
use hogwire_model::{Outcome, Time};
use serde_json::{Map, Value, json};

use super::{Did, Parts, deliver, tell};
use crate::error::Result;
use crate::outside::Reach;
use crate::store::deliveries::{self, Delivery};
use crate::store::{Tx, counts};

const BATCH: usize = 1_000;

/// A delivery and the event it carries.
struct Carried {
    delivery: Delivery,
    event: Captured,
}

pub fn step(parts: &Parts<'_>, now: Time) -> Result<Did> {
    let (carried, mut did) = claim(parts, now)?;
    did.did += carried.values().map(Vec::len).sum::<usize>();
    let mut settled: Vec<(&Delivery, Outcome, Time)> = Vec::new();
    for (connection, events) in &carried {
        let outcomes = send(parts, connection, events, now);
        settled.extend(events.iter().zip(outcomes).map(|(one, (at, outcome))| (&one.delivery, outcome, at)));
    }
    if !settled.is_empty() {
        parts.store.write(|tx| {
            for (delivery, outcome, at) in &settled {
                deliver::settle(parts, tx, delivery, outcome, Kind::Capture, *at)?;
            }
            Ok(())
        })?;
    }
    Ok(did)
}

fn claim(parts: &Parts<'_>, now: Time) -> Result<(BTreeMap<String, Vec<Carried>>, Did)> {
    let mut tx = parts.store.begin()?;
    let due = deliveries::due(&mut tx, "capture", now, &[], BATCH)?;
    let (mut claimed, mut events, mut ended) = (Vec::new(), Vec::new(), 0);
    for delivery in due {
        match deliver::alone(read(parts, &mut tx, &delivery, now), |why| ("dead", why))? {
            Ok(event) => {
                claimed.push(delivery);
                events.push(event);
            }
            Err((status, why)) => {
                deliveries::end(&mut tx, &delivery.id, status, &why, now)?;
                ended += 1;
            }
        }
    }
    deliver::claim(&mut tx, &mut claimed, now)?;
    let next_due = deliveries::next_due(&mut tx, "capture", now)?;
    tx.commit()?;
    let mut carried: BTreeMap<String, Vec<Carried>> = BTreeMap::new();
    for (delivery, event) in claimed.into_iter().zip(events) {
        carried.entry(delivery.destination.clone()).or_default().push(Carried { delivery, event });
    }
    Ok((carried, Did { did: ended, next_due }))
}

/// The event of a delivery, or how the delivery ends without one.
fn read(
    parts: &Parts<'_>,
    tx: &mut Tx<'_>,
    delivery: &Delivery,
    now: Time,
) -> Result<Result<Captured, (&'static str, String)>> {
    let known = parts.settings.connections.get(&delivery.destination);
    if known.is_none_or(|known| known.project_token.is_none()) {
        let why = format!("the connection {} has no project token", delivery.destination);
        return Ok(Err(("dead", why)));
    }
    let payload: Value = serde_json::from_str(&delivery.payload).unwrap_or(Value::Null);
    if let Some(event) = payload.get("captured") {
        return Ok(stored(event).ok_or(("dead", "what was queued cannot be read".to_owned())));
    }
    let Some(name) = payload["event"].as_str() else {
        return Ok(Err(("dead", "what was queued cannot be read".to_owned())));
    };
    let Some(visitor) = tell::visitor(tx, &delivery.contact_id, &delivery.destination)? else {
        counts::add(tx, &[(tell::UNTOLD, 1)], now)?;
        let why = "the contact has no identified id on this connection".to_owned();
        return Ok(Err(("done", why)));
    };
    let properties = payload["properties"].clone();
    // What is a value already must not be read as Liquid: somebody else may have written it.
    let filled = match payload["filled"] == json!(true) {
        true => Ok(properties),
        false => parts.hooks.fill(tx, delivery, properties, now)?,
    };
    let properties = match filled {
        Ok(filled) => filled.as_object().cloned().unwrap_or_default(),
        Err(why) => return Ok(Err(("dead", why))),
    };
    let event = Captured::new(
        &delivery.idempotency_key,
        name,
        &visitor,
        delivery.created_at,
        of_campaign(delivery, properties),
    );
    // Kept as it is now: a further try must not say something else under the same uuid.
    deliveries::render(tx, &delivery.id, &json!({ "captured": event }).to_string())?;
    Ok(Ok(event))
}

fn of_campaign(delivery: &Delivery, mut properties: Map<String, Value>) -> Map<String, Value> {
    if delivery.campaign_id.is_empty() {
        return properties;
    }
    properties.entry("campaign").or_insert_with(|| delivery.campaign_id.as_str().into());
    properties.entry("step").or_insert_with(|| delivery.step.as_str().into());
    properties
}

fn stored(event: &Value) -> Option<Captured> {
    Some(Captured {
        uuid: event["uuid"].as_str()?.to_owned(),
        name: event["event"].as_str()?.to_owned(),
        visitor: event["distinct_id"].as_str()?.to_owned(),
        at: Time::parse(event["timestamp"].as_str()?)?,
        properties: event["properties"].as_object()?.clone(),
    })
}

/// Sends the events of one connection and answers for each what it came to.
fn send(parts: &Parts<'_>, connection: &str, carried: &[Carried], now: Time) -> Vec<(Time, Outcome)> {
    let lost = || (now, Outcome::Retry("no answer".to_owned()));
    let mut outcomes: Vec<(Time, Outcome)> = carried.iter().map(|_| lost()).collect();
    let Some(known) = parts.settings.connections.get(connection) else { return outcomes };
    let token = known.project_token.as_deref().unwrap_or_default();
    let project = Project { ingestion: &known.ingestion_host, token };
    let mut groups: Vec<Vec<usize>> = vec![(0..carried.len()).collect()];
    // Each round at least halves what is left, so there are few.
    while !groups.is_empty() {
        let (mut requests, mut members): (Vec<Request>, Vec<Vec<usize>>) = (Vec::new(), Vec::new());
        for group in &groups {
            let events: Vec<Captured> = group.iter().map(|place| carried[*place].event.clone()).collect();
            for batch in batches(project, &events) {
                members.push(group[batch.events].to_vec());
                requests.push(batch.request);
            }
        }
        groups.clear();
        let answers = parts.outside.http.send(Reach::Configured, requests);
        for (members, (at, answer)) in members.into_iter().zip(answers) {
            match deliver::outcome(answer, |response| read_response(response, at)) {
                Outcome::Refused(_) if members.len() > 1 => {
                    let (first, second) = members.split_at(members.len() / 2);
                    groups.extend([first.to_vec(), second.to_vec()]);
                }
                outcome => {
                    for place in members {
                        outcomes[place] = (at, outcome.clone());
                    }
                }
            }
        }
    }
    outcomes
}
