//! What webhooks and captures have in common: one step takes due deliveries of both kinds,
//! and a try's outcome becomes the next time or the end.

use hogwire_model::policy::retry;
use hogwire_model::{Outcome, Span, Time};

use super::{Did, Parts, capture, webhook};
use crate::error::{Error, Result};
use crate::outside::HttpAnswer;
use crate::store::deliveries::Delivery;
use crate::store::{Tx, attempts, deliveries};

/// While a credential is refused everything for its destination waits this long.
const LOGIN_PAUSE: Span = Span::minutes(15);
/// A destination that asks for more time gets it for this long; then its tries count.
const PATIENCE: Span = Span::days(7);

pub fn step(parts: &Parts<'_>, now: Time) -> Result<Did> {
    let webhooks = webhook::step(parts, now)?;
    let captures = capture::step(parts, now)?;
    Ok(Did { did: webhooks.did + captures.did, next_due: webhooks.next_due.into_iter().chain(captures.next_due).min() })
}

/// A person wants another try at something dead or held back.
pub fn retry(parts: &Parts<'_>, id: &str, now: Time) -> Result<()> {
    let again = parts.store.write(|tx| {
        let found = deliveries::find(tx, id)?.ok_or_else(|| Error::Missing(format!("delivery {id}")))?;
        if found.status == "sending" || found.status == "done" {
            return Err(Error::Conflict(format!("the delivery is {}", found.status)));
        }
        deliveries::retry(tx, id, now)
    })?;
    if again {
        parts.outside.wake.wake();
    }
    Ok(())
}

/// What the network's part of an answer comes to; the response is for the connector to read.
pub fn outcome(answer: HttpAnswer, read: impl FnOnce(&hogwire_connectors::http::Response) -> Outcome) -> Outcome {
    match answer {
        HttpAnswer::Response(response) => read(&response),
        HttpAnswer::NotSent(why) => Outcome::Retry(format!("could not be reached: {why}")),
        // It may have arrived; its id lets the receiver tell.
        HttpAnswer::Broken(why) => Outcome::Retry(format!("no answer came: {why}")),
        HttpAnswer::Forbidden(why) => Outcome::Refused(format!("this address may not be called: {why}")),
    }
}

/// Writes what a try came to.
pub fn settle(
    parts: &Parts<'_>,
    tx: &mut Tx<'_>,
    delivery: &Delivery,
    outcome: &Outcome,
    kind: retry::Kind,
    at: Time,
) -> Result<()> {
    let attempt = u32::try_from(delivery.attempts).unwrap_or(u32::MAX);
    let jitter = parts.outside.entropy.fraction();
    let patient = at.since(delivery.created_at) < PATIENCE;
    let (word, said, status, due) = match outcome {
        Outcome::Done(said) => ("done", said, "done", None),
        Outcome::Snooze(until, said) if patient => ("snooze", said, "pending", Some(*until)),
        Outcome::Unauthorized(said) => ("unauthorized", said, "held", Some(at.plus(LOGIN_PAUSE))),
        Outcome::Retry(said) | Outcome::Unknown(said) | Outcome::Snooze(_, said) => {
            match retry::next(attempt, at, jitter, kind) {
                Some(due) => ("retry", said, "pending", Some(due)),
                None => ("retry", said, "dead", None),
            }
        }
        Outcome::Refused(said) => ("refused", said, "dead", None),
    };
    let reason = if status == "done" { "" } else { said };
    let settled = deliveries::Settled { status, reason, due, counts: !matches!(word, "snooze" | "unauthorized") };
    // Whoever took it over after our lease settles it, and counts that try.
    if deliveries::settle(tx, &delivery.id, delivery.fence, &settled, at)? {
        attempts::add(tx, &delivery.id, at, word, said)?;
    }
    Ok(())
}

/// What is wrong with one delivery's rows ends that one and stops no other.
pub fn alone<T, E>(made: Result<Result<T, E>>, end: impl FnOnce(String) -> E) -> Result<Result<T, E>> {
    match made {
        Err(error @ (Error::Corrupt { .. } | Error::Missing(_) | Error::Sealed(_))) => Ok(Err(end(error.to_string()))),
        other => other,
    }
}

/// Marks claimed deliveries in the store and in hand.
pub fn claim(tx: &mut Tx<'_>, claimed: &mut [Delivery], now: Time) -> Result<()> {
    deliveries::claim(tx, claimed.iter().map(|delivery| delivery.id.as_str()).collect(), now)?;
    for delivery in claimed {
        delivery.fence += 1;
        delivery.attempts += 1;
    }
    Ok(())
}
