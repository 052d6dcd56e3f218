//! The end of a message: by the mail server's answer, by a report, by a person, or because
//! nobody will ever know. Every end is recorded with its reason, and the run that waits is
//! told exactly once.

use hogwire_connectors::posthog::engagement::Happening;
use hogwire_connectors::smtp::reply::Bounce;
use hogwire_model::campaign::{Code, Settlement};
use hogwire_model::policy::retry;
use hogwire_model::{Outcome, Span, Time};
use serde_json::{Map, Value, json};

use super::bounce::{bounce, bounced};
use super::gate::topic_named;
use super::hooks::Engaged;
use super::send::{Claimed, decided_about};
use super::{Parts, tell};
use crate::error::{Error, Result};
use crate::settings::Ambiguous;
use crate::store::decisions::{self, Recorded};
use crate::store::messages::{Message, Status};
use crate::store::{Tx, attempts, counts, engagements, messages};

/// How often the settling transaction is tried when the database is busy: what is not
/// settled becomes unknown, so giving up early would lose what the server said.
const TRIES: usize = 5;
const LOST_AT_ONCE: usize = 200;
/// While a sender's login is refused its messages wait this long between tries.
const LOGIN_PAUSE: Span = Span::minutes(5);
/// The reason of an unknown message whose run waits for a person's word.
const ASKED: &str = "asked";

/// What a person knows about a message that we do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    Sent,
    NotSent,
}

/// Settles what the mail server answered.
pub fn answers(parts: &Parts<'_>, claimed: &[Claimed], answers: Vec<(Time, Outcome)>, now: Time) -> Result<()> {
    for left in (0..TRIES).rev() {
        let written = parts.store.write(|tx| {
            let (mut decided, mut sent) = (Vec::new(), 0);
            for (place, one) in claimed.iter().enumerate() {
                // An adapter that answers for fewer than it got has said nothing about the rest.
                let unknown = || (now, Outcome::Unknown("no answer".to_owned()));
                let (at, outcome) = answers.get(place).cloned().unwrap_or_else(unknown);
                let before = decided.len();
                answer(parts, tx, one, outcome, &mut decided, at)?;
                let went = decided[before..].iter().any(|recorded| recorded.decision.code == Code::Sent);
                sent += i64::from(went && !one.message.test);
            }
            if sent > 0 {
                counts::add(tx, &[("sent", sent)], now)?;
            }
            decisions::record(tx, &decided)
        });
        match written {
            Err(Error::Busy(_)) if left > 0 => {}
            other => return other,
        }
    }
    Ok(())
}

fn answer(
    parts: &Parts<'_>,
    tx: &mut Tx<'_>,
    one: &Claimed,
    outcome: Outcome,
    decided: &mut Vec<Recorded>,
    at: Time,
) -> Result<()> {
    let message = &one.message;
    let (word, said) = spoken(&outcome);
    let (status, due) = next(parts, message, &outcome, at);
    let reason = match status {
        Status::Unknown if !goes_on(parts, one.transactional) => ASKED,
        Status::Sent => "",
        _ => said,
    };
    let counts = !matches!(outcome, Outcome::Snooze(..) | Outcome::Unauthorized(_));
    let settled = messages::Settled { status, reason, due, counts };
    if !messages::settle(tx, &message.id, one.fence, &settled, at)? {
        return Ok(());
    }
    attempts::add(tx, &message.id, at, word, said)?;
    match status {
        Status::Sent => sent(parts, tx, message, decided, at),
        Status::Unknown => unknown(parts, tx, message, one.transactional, decided, at),
        Status::Held => {
            // A login that stays refused says the same every few minutes.
            if message.reason != said {
                let mut detail = particulars(message, said);
                detail["until"] = json!(due);
                decided.push(decided_about(message, Code::Held, detail, at));
            }
            Ok(())
        }
        _ => {
            if let Some(bounce) = bounce(said) {
                bounced(parts, tx, message, bounce, said, at)?;
            }
            decided.push(decided_about(message, Code::SendFailed, particulars(message, said), at));
            go_on(parts, tx, message, Settlement::Skipped(Code::SendFailed), at)
        }
    }
}

/// What the message becomes, and when it is tried again where it is.
fn next(parts: &Parts<'_>, message: &Message, outcome: &Outcome, at: Time) -> (Status, Option<Time>) {
    match outcome {
        Outcome::Done(_) => (Status::Sent, None),
        Outcome::Unknown(_) => (Status::Unknown, None),
        Outcome::Snooze(until, _) => (Status::Held, Some(*until)),
        Outcome::Unauthorized(_) => (Status::Held, Some(at.plus(LOGIN_PAUSE))),
        Outcome::Retry(_) => {
            let attempt = u32::try_from(message.attempts).unwrap_or(u32::MAX);
            match retry::next(attempt, at, parts.outside.entropy.fraction(), retry::Kind::Email) {
                Some(due) => (Status::Held, Some(due)),
                None => (Status::Failed, None),
            }
        }
        Outcome::Refused(said) if bounce(said) == Some(Bounce::Hard) => (Status::Bounced, None),
        Outcome::Refused(_) => (Status::Failed, None),
    }
}

fn spoken(outcome: &Outcome) -> (&'static str, &str) {
    match outcome {
        Outcome::Done(said) => ("done", said),
        Outcome::Retry(said) => ("retry", said),
        Outcome::Snooze(_, said) => ("snooze", said),
        Outcome::Refused(said) => ("refused", said),
        Outcome::Unauthorized(said) => ("unauthorized", said),
        Outcome::Unknown(said) => ("unknown", said),
    }
}

fn sent(parts: &Parts<'_>, tx: &mut Tx<'_>, message: &Message, decided: &mut Vec<Recorded>, at: Time) -> Result<()> {
    let mut detail = particulars(message, "");
    detail["address"] = message.address.as_str().into();
    if message.test
        && let Some(inbox) = &parts.settings.policies.test_inbox
    {
        detail["address"] = format!("{inbox} instead of {}", message.address).into();
    }
    decided.push(decided_about(message, Code::Sent, detail, at));
    if !message.test {
        engagements::add(tx, &engagement(message, "sent", &format!("{}:sent", message.id), Value::Null, at))?;
        tell::happening(parts, tx, Happening::EmailSent, message, &message.id, Map::new(), at)?;
    }
    go_on(parts, tx, message, Settlement::Sent, at)
}

fn unknown(
    parts: &Parts<'_>,
    tx: &mut Tx<'_>,
    message: &Message,
    transactional: bool,
    decided: &mut Vec<Recorded>,
    at: Time,
) -> Result<()> {
    decided.push(decided_about(message, Code::SendUnknown, particulars(message, ""), at));
    if goes_on(parts, transactional) {
        return go_on(parts, tx, message, Settlement::Unknown, at);
    }
    Ok(())
}

/// `policies.ambiguous`: whether the run goes on although nobody knows.
fn goes_on(parts: &Parts<'_>, transactional: bool) -> bool {
    match parts.settings.policies.ambiguous {
        Ambiguous::ByKind => !transactional,
        Ambiguous::Skip => true,
        Ambiguous::Ask => false,
    }
}

pub fn engagement(message: &Message, kind: &str, id: &str, detail: Value, at: Time) -> engagements::Engagement {
    engagements::Engagement {
        id: id.to_owned(),
        message_id: message.id.clone(),
        contact_id: message.contact_id.clone(),
        kind: kind.to_owned(),
        machine: false,
        at,
        detail,
    }
}

pub fn engaged(parts: &Parts<'_>, tx: &mut Tx<'_>, message: &Message, kind: &'static str, at: Time) -> Result<()> {
    let engaged = Engaged { contact_id: &message.contact_id, message_id: &message.id, kind };
    parts.hooks.engaged(tx, &engaged, at)
}

/// Messages that were being sent when their node died. They may have gone out.
pub fn lost(parts: &Parts<'_>, now: Time) -> Result<usize> {
    let mut tx = parts.store.begin()?;
    let lost = messages::lost(&mut tx, now, LOST_AT_ONCE)?;
    if lost.is_empty() {
        return Ok(0);
    }
    let mut decided = Vec::new();
    for message in &lost {
        let transactional = topic_named(parts.settings, &message.topic).is_transactional();
        let why = if goes_on(parts, transactional) { "interrupted while it was sent" } else { ASKED };
        messages::end(&mut tx, &message.id, Status::Unknown, why, now)?;
        attempts::add(&mut tx, &message.id, now, "unknown", "interrupted while it was sent")?;
        unknown(parts, &mut tx, message, transactional, &mut decided, now)?;
    }
    decisions::record(&mut tx, &decided)?;
    tx.commit()?;
    Ok(lost.len())
}

/// A person, or a report, says what became of an unknown message. Answers whether it was one.
pub fn by_word(parts: &Parts<'_>, id: &str, word: Word, by: &str, now: Time) -> Result<bool> {
    parts.store.write(|tx| {
        let message = messages::find(tx, id)?.ok_or_else(|| Error::Missing(format!("message {id}")))?;
        told(parts, tx, &message, word, by, now)
    })
}

pub fn told(parts: &Parts<'_>, tx: &mut Tx<'_>, message: &Message, word: Word, by: &str, now: Time) -> Result<bool> {
    if message.status != Status::Unknown {
        return Ok(false);
    }
    let (status, code, settlement) = match word {
        Word::Sent => (Status::Sent, Code::Sent, Settlement::Sent),
        Word::NotSent => (Status::Failed, Code::SendFailed, Settlement::Skipped(Code::SendFailed)),
    };
    messages::end(tx, &message.id, status, &format!("settled by {by}"), now)?;
    let mut detail = particulars(message, &format!("settled by {by}"));
    detail["address"] = message.address.as_str().into();
    decisions::record(tx, &[decided_about(message, code, detail, now)])?;
    if word == Word::Sent && !message.test {
        tell::happening(parts, tx, Happening::EmailSent, message, &message.id, Map::new(), now)?;
    }
    // A run that went on by policy has long left the step.
    if message.reason == ASKED {
        go_on(parts, tx, message, settlement, now)?;
    }
    Ok(true)
}

/// Ends a message that may not go.
pub fn skip(
    parts: &Parts<'_>,
    tx: &mut Tx<'_>,
    message: &Message,
    code: Code,
    mut detail: Value,
    decided: &mut Vec<Recorded>,
    now: Time,
) -> Result<()> {
    messages::end(tx, &message.id, Status::Skipped, code.as_str(), now)?;
    detail["template"] = message.template.as_str().into();
    decided.push(decided_about(message, code, detail, now));
    go_on(parts, tx, message, Settlement::Skipped(code), now)
}

/// Ends a message that cannot be made.
pub fn fail(
    parts: &Parts<'_>,
    tx: &mut Tx<'_>,
    message: &Message,
    why: &str,
    decided: &mut Vec<Recorded>,
    now: Time,
) -> Result<()> {
    messages::end(tx, &message.id, Status::Failed, why, now)?;
    decided.push(decided_about(message, Code::SendFailed, particulars(message, why), now));
    go_on(parts, tx, message, Settlement::Skipped(Code::SendFailed), now)
}

fn particulars(message: &Message, reason: &str) -> Value {
    let mut detail = json!({ "template": message.template, "message": message.id });
    if !reason.is_empty() {
        detail["reason"] = reason.into();
    }
    detail
}

fn go_on(parts: &Parts<'_>, tx: &mut Tx<'_>, message: &Message, settlement: Settlement, now: Time) -> Result<()> {
    if message.resend_of.is_some() || message.enrollment_id.is_empty() {
        return Ok(());
    }
    parts.hooks.settled(tx, &message.enrollment_id, settlement, now)
}
