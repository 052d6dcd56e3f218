//! What people do by hand in the API and the console: settle what nobody knows, send once
//! more, stop and go on. Each change stands in the audit log with who made it.

use hogwire_model::Time;
use hogwire_model::contact::key::normalise_address;
use serde_json::json;

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::outbox::brakes::{self, Subject};
use crate::outbox::settle::{self, Word};
use crate::outbox::{self, NewMessage};
use crate::store::{audit, coverage, deliveries, templates};

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

    /// Queues one test of a template to an address, written as to a contact: the one that is
    /// named, else whoever has the address. Where there is a test inbox it goes there. It
    /// never counts as sent, and no event stands behind it. Answers the message's id and where
    /// it goes.
    pub fn send_test(
        &self,
        template: &str,
        to: &str,
        contact: Option<&str>,
        actor: &str,
        now: Time,
    ) -> Result<(String, String)> {
        let address = normalise_address(to).ok_or_else(|| Error::Conflict(format!("`{to}` is no address")))?;
        let settings = self.settings();
        let sender = settings.senders.get_key_value("default").or_else(|| settings.senders.iter().next());
        let (sender, _) = sender.ok_or_else(|| Error::Conflict("there is no sender".to_owned()))?;
        let id = self.store.write(|tx| {
            if templates::newest(tx, template)?.is_none() {
                return Err(Error::Missing(format!("template {template}")));
            }
            let named = contact.unwrap_or(&address);
            let whom = self.meant(tx, named)?.ok_or_else(|| Error::Missing(format!("contact {named}")))?;
            let new = NewMessage {
                contact_id: &whom,
                campaign_id: "",
                version: 0,
                enrollment_id: "",
                step: "",
                template,
                topic: "",
                sender,
                address: &address,
                expires: None,
                due: now,
                priority: 100,
                test: true,
            };
            let id = outbox::queue_test(tx, &new, &*self.outside.entropy, now)?;
            let detail = json!({ "message": id, "to": address }).to_string();
            audit::record(tx, &self.outside.entropy.id("aud", now), now, actor, "template.test", template, &detail)?;
            Ok(id)
        })?;
        self.outside.wake.wake();
        Ok((id, settings.policies.test_inbox.clone().unwrap_or(address)))
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
