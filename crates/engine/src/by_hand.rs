//! What people do by hand in the API and the console: settle what nobody knows, send once
//! more, stop and go on. Each change stands in the audit log with who made it.

use hogwire_model::Time;
use serde_json::json;

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::outbox;
use crate::outbox::brakes::{self, Subject};
use crate::outbox::settle::{self, Word};
use crate::store::{audit, coverage, deliveries};

impl Engine {
    /// Says what became of an unknown message. A run that waits for it goes on.
    pub fn settle_message(&self, id: &str, word: Word, actor: &str, now: Time) -> Result<()> {
        if !self.with_parts(|parts| settle::by_word(parts, id, word, actor, now))? {
            return Err(Error::Conflict("the message is not unknown, so there is nothing to settle".to_owned()));
        }
        let said = if word == Word::Sent { "sent" } else { "not_sent" };
        self.note(actor, "message.settle", id, &json!({ "as": said }).to_string(), now)?;
        self.outside.wake.wake();
        Ok(())
    }

    /// Sends a message once more, as a new one. Answers its id.
    pub fn resend_message(&self, id: &str, actor: &str, now: Time) -> Result<String> {
        let made = self.store.write(|tx| {
            let made = outbox::resend(tx, id, &*self.outside.entropy, now)?;
            let detail = json!({ "as": made }).to_string();
            audit::record(tx, &self.outside.entropy.id("aud", now), now, actor, "message.resend", id, &detail)?;
            Ok(made)
        })?;
        self.outside.wake.wake();
        Ok(made)
    }

    /// Stops mail. Answers whether it was going before.
    pub fn pause(&self, subject: Subject<'_>, actor: &str, reason: &str, now: Time) -> Result<bool> {
        let changed = self.with_parts(|parts| brakes::pause(parts, subject, actor, reason, now))?;
        if changed {
            self.note(actor, "pause", &named(subject), &json!({ "reason": reason }).to_string(), now)?;
        }
        Ok(changed)
    }

    /// Lets mail go on. Answers whether it was stopped before.
    pub fn resume(&self, subject: Subject<'_>, actor: &str, now: Time) -> Result<bool> {
        let changed = self.with_parts(|parts| brakes::resume(parts, subject))?;
        if changed {
            self.note(actor, "resume", &named(subject), "{}", now)?;
        }
        Ok(changed)
    }

    /// Somebody says that nothing is missing on a connection before a time.
    pub fn close_gaps(&self, connection: &str, until: Time, actor: &str, now: Time) -> Result<()> {
        self.store.write(|tx| {
            coverage::close_gaps(tx, connection, until)?;
            let detail = json!({ "until": until }).to_string();
            audit::record(tx, &self.outside.entropy.id("aud", now), now, actor, "coverage.close", connection, &detail)
        })?;
        self.outside.wake.wake();
        Ok(())
    }

    /// Puts a dead or held delivery back.
    pub fn retry_delivery(&self, id: &str, actor: &str, now: Time) -> Result<()> {
        self.store.write(|tx| {
            if !deliveries::retry(tx, id, now)? {
                return Err(Error::Conflict(format!("delivery {id} is not there, or neither dead nor held")));
            }
            audit::record(tx, &self.outside.entropy.id("aud", now), now, actor, "delivery.retry", id, "{}")
        })?;
        self.outside.wake.wake();
        Ok(())
    }

    fn note(&self, actor: &str, action: &str, subject: &str, detail: &str, now: Time) -> Result<()> {
        let id = self.outside.entropy.id("aud", now);
        self.store.write(|tx| audit::record(tx, &id, now, actor, action, subject, detail))
    }
}

fn named(subject: Subject<'_>) -> String {
    match subject {
        Subject::Everything => "*".to_owned(),
        Subject::Sender(name) => format!("sender:{name}"),
        Subject::Campaign(id) => format!("campaign:{id}"),
    }
}
