//! The promises, looked at from outside after every turn of the world.
//!
//! `Ledger` remembers what the outside was told: which events were acknowledged, who opted
//! out, which mails were seen. Each check compares that with what the engine kept or did.
//! A broken promise is a sentence; the world adds the seed.

use std::collections::{BTreeSet, HashMap};

use hogwire_engine::store::{Tx, events, params};
use hogwire_engine::{Engine, Result};
use hogwire_model::{Span, Time};
use serde_json::Value;

use crate::net::Ends;
use crate::readers::{OptOut, list_of};

/// What the outside was promised.
#[derive(Default)]
pub struct Ledger {
    /// Acknowledged, and not yet seen in the index.
    waiting: BTreeSet<String>,
    pub accepted: u64,
    pub own: u64,
    opt_outs: Vec<OptOut>,
    mails_seen: usize,
}

pub type Verdict = Result<Result<(), String>>;

impl Ledger {
    /// The engine said that the event of this webhook is on disk. One that it captured
    /// itself need not be in the index: it comes in again and is dropped.
    pub fn acknowledged(&mut self, webhook: &[u8]) {
        self.accepted += 1;
        let body: Value = serde_json::from_slice(webhook).unwrap_or_default();
        let event = &body["event"];
        if event["properties"]["$lib"] == "hogwire" {
            self.own += 1;
        } else {
            self.waiting.insert(event["uuid"].as_str().unwrap_or_default().to_owned());
        }
    }

    pub fn opted_out(&mut self, word: OptOut) {
        self.opt_outs.push(word);
    }

    pub fn opt_outs(&self) -> usize {
        self.opt_outs.len()
    }

    /// What can be told from the other ends alone.
    pub fn ends(&mut self, ends: &Ends) -> Result<(), String> {
        if let Some(complaint) = ends.complaints.first() {
            return Err(complaint.clone());
        }
        if let Some(twice) = ends.mailbox.doubled().first() {
            return Err(format!("{twice} was delivered twice"));
        }
        let mails = ends.mailbox.all();
        for mail in &mails[self.mails_seen..] {
            let list = list_of(mail);
            let against = self.opt_outs.iter().find(|word| {
                word.address == mail.to && word.at < mail.at && word.list.as_ref().is_none_or(|named| *named == list)
            });
            if let Some(word) = against {
                return Err(format!(
                    "{} left {} at {} and was written to at {} ({})",
                    mail.to,
                    word.list.as_deref().unwrap_or("everything"),
                    word.at,
                    mail.at,
                    mail.message_id
                ));
            }
        }
        self.mails_seen = mails.len();
        Ok(())
    }

    /// Every acknowledged event is in the index or was set aside, once everything received
    /// has been decided.
    pub fn nothing_lost(&mut self, engine: &Engine) -> Verdict {
        if self.waiting.is_empty() {
            return Ok(Ok(()));
        }
        let mut tx = engine.store().read()?;
        let uuids: Vec<&str> = self.waiting.iter().map(String::as_str).collect();
        let seen = events::seen(&mut tx, "posthog", uuids)?;
        self.waiting.retain(|uuid| !seen.contains(uuid));
        for uuid in std::mem::take(&mut self.waiting) {
            if !is_set_aside(&mut tx, &uuid)? {
                return Ok(Err(format!("event {uuid} was acknowledged and is gone")));
            }
        }
        Ok(Ok(()))
    }
}

fn is_set_aside(tx: &mut Tx<'_>, uuid: &str) -> Result<bool> {
    let like = format!("%{uuid}%");
    let n = tx.one("SELECT count(*) FROM set_aside WHERE body LIKE $1", &params![&like], |row| row.int(0))?;
    Ok(n > 0)
}

/// The first of some ids that a question finds.
fn first(tx: &mut Tx<'_>, question: &'static str, what: &str) -> Verdict {
    let found = tx.optional(question, &[], |row| row.text(0))?;
    Ok(found.map_or(Ok(()), |id| Err(format!("{id}: {what}"))))
}

/// A lost send is called unknown soon after its lease is over.
const LEASE_AND_MORE: Span = Span::minutes(15);

/// What must hold after every turn.
pub fn always(engine: &Engine, now: Time) -> Verdict {
    let mut tx = engine.store().read()?;
    let stuck = tx.optional(
        "SELECT id FROM messages WHERE status = 'sending' AND sending_at < $1 LIMIT 1",
        &params![now.minus(LEASE_AND_MORE)],
        |row| row.text(0),
    )?;
    if let Some(id) = stuck {
        return Ok(Err(format!("{id} was claimed long ago and is not called unknown")));
    }
    let asleep = "SELECT id FROM enrollments WHERE status <> 'ended' AND due_at IS NULL AND NOT EXISTS
         (SELECT 1 FROM messages WHERE enrollment_id = enrollments.id
          AND status IN ('queued', 'held', 'sending', 'unknown')) LIMIT 1";
    if let Err(why) = first(&mut tx, asleep, "this run waits for nothing and would sleep for ever")? {
        return Ok(Err(why));
    }
    let echo = "SELECT uuid FROM events WHERE name LIKE 'hogwire!_%' ESCAPE '!' LIMIT 1";
    first(&mut tx, echo, "an event of our own came back in and was taken for somebody's")
}

/// What must hold when the faults have stopped and everything has had its time.
pub fn at_rest(engine: &Engine, ends: &Ends) -> Verdict {
    let mut tx = engine.store().read()?;
    let questions: [(&'static str, &str); 4] = [
        (
            "SELECT id || ' ' || kind || ' ' || status || ' ' || reason FROM deliveries
             WHERE status <> 'done' AND (status <> 'dead' OR attempts < 10) LIMIT 1",
            "this delivery neither arrived nor was it tried as often as it should be",
        ),
        (
            "SELECT id || ' of ' || step || ', tried ' || attempts || ' times since ' || created_at || ', due ' || due_at || ', '
             || status || ' ' || reason FROM messages WHERE status IN ('queued', 'held', 'sending')
             LIMIT 1",
            "this message did not settle",
        ),
        (
            "SELECT id FROM enrollments WHERE NOT EXISTS
             (SELECT 1 FROM decisions WHERE enrollment_id = enrollments.id) LIMIT 1",
            "nothing says why this run began",
        ),
        (
            "SELECT id FROM enrollments WHERE status = 'active' AND due_at IS NULL LIMIT 1",
            "this run never ends",
        ),
    ];
    for (question, what) in questions {
        if let Err(why) = first(&mut tx, question, what)? {
            return Ok(Err(why));
        }
    }
    mails_and_messages(&mut tx, ends)
}

/// What the mailbox holds and what the engine believes it sent, whatever is still under way.
pub fn agree(engine: &Engine, ends: &Ends) -> Verdict {
    mails_and_messages(&mut engine.store().read()?, ends)
}

/// What the mailbox holds and what the engine believes it sent are the same.
fn mails_and_messages(tx: &mut Tx<'_>, ends: &Ends) -> Verdict {
    let rows =
        tx.all("SELECT rfc_id, status FROM messages WHERE rfc_id <> ''", &[], |row| Ok((row.text(0)?, row.text(1)?)))?;
    let states: HashMap<String, String> = rows.into_iter().collect();
    let arrived: BTreeSet<&str> = ends.mailbox.all().iter().map(|mail| mail.message_id.as_str()).collect();
    for id in &arrived {
        match states.get(*id).map(String::as_str) {
            Some("sending" | "sent" | "unknown" | "complained" | "bounced") => {}
            other => return Ok(Err(format!("{id} arrived, and the engine says {other:?}"))),
        }
    }
    let missing = states.iter().find(|(id, status)| status.as_str() == "sent" && !arrived.contains(id.as_str()));
    if let Some((id, _)) = missing {
        return Ok(Err(format!("{id} is called sent and never arrived")));
    }
    // Each mail that is known to have gone out is told exactly once where it can be told.
    for event in ends.posthog.events().iter().filter(|event| event.event == "hogwire_email_sent") {
        let id = event.properties.get("message_id").and_then(serde_json::Value::as_str).unwrap_or_default();
        if !arrived.iter().any(|arrived| arrived.starts_with(id)) {
            return Ok(Err(format!("{id} was told as sent and never arrived")));
        }
    }
    Ok(Ok(()))
}
