//! What the outbox asks of the engine, answered.

use hogwire_model::Time;
use hogwire_model::campaign::Settlement;
use serde_json::Value;

use crate::engine::{Engine, Stepped};
use crate::error::Result;
use crate::journal::Note;
use crate::outbox::hooks::{Ask, Engaged, Hooks, Line, Rendered};
use crate::outbox::{Did, Keys, Parts, Wanted};
use crate::rendering;
use crate::store::deliveries::Delivery;
use crate::store::{Tx, contacts, enrollments, settings as kept};

impl From<Did> for Stepped {
    fn from(did: Did) -> Self {
        Self { did: did.did, next_due: did.next_due }
    }
}

impl Engine {
    /// Lends the outbox everything that sending needs.
    pub fn with_parts<T>(&self, work: impl FnOnce(&Parts<'_>) -> T) -> T {
        let settings = self.settings();
        let keys = Keys { addresses: self.keyring.derive(b"addresses"), links: self.keyring.derive(b"links") };
        work(&Parts { store: &self.store, outside: &self.outside, settings: &settings, keys: &keys, hooks: self })
    }
}

impl Hooks for Engine {
    fn wanted(&self, tx: &mut Tx<'_>, enrollment_id: &str, _: Time) -> Result<Wanted> {
        self.still_wanted(tx, enrollment_id)
    }

    fn settled(&self, tx: &mut Tx<'_>, enrollment_id: &str, settlement: Settlement, now: Time) -> Result<()> {
        self.run_on(tx, enrollment_id, settlement, now)
    }

    fn template_topic(&self, tx: &mut Tx<'_>, template: &str) -> Result<Option<String>> {
        let catalog = self.catalog(tx)?;
        let compiled = catalog.templates.get(template).and_then(|template| template.compiled.as_ref());
        Ok(compiled.and_then(|compiled| compiled.topic().map(str::to_owned)))
    }

    fn render(&self, tx: &mut Tx<'_>, ask: &Ask<'_>) -> Result<Result<Rendered, String>> {
        let catalog = self.catalog(tx)?;
        let Some(template) = catalog.templates.get(&ask.message.template) else {
            return Ok(Err(format!("there is no template `{}`", ask.message.template)));
        };
        let Some(compiled) = &template.compiled else {
            return Ok(Err(format!("the template `{}` does not compile", ask.message.template)));
        };
        let trigger = match enrollments::find(tx, &ask.message.enrollment_id)? {
            Some(run) => run.trigger_properties,
            None => "{}".to_owned(),
        };
        Ok(rendering::mail(compiled, ask, &trigger, &self.settings()))
    }

    fn fill(&self, tx: &mut Tx<'_>, delivery: &Delivery, value: Value, now: Time) -> Result<Result<Value, String>> {
        let Some(stored) = contacts::find(tx, &delivery.contact_id)? else {
            return Ok(Err("the contact is gone".to_owned()));
        };
        let trigger = match enrollments::find(tx, &delivery.enrollment_id)? {
            Some(run) => run.trigger_properties,
            None => "{}".to_owned(),
        };
        Ok(rendering::fill(value, &stored, &trigger, now))
    }

    fn webhook_secrets(&self, tx: &mut Tx<'_>) -> Result<Vec<String>> {
        let held = self.secret(tx, "outgoing_webhooks")?;
        Ok(held.into_iter().map(|secret| secret.to_string()).collect())
    }

    fn verified(&self, tx: &mut Tx<'_>, domain: &str) -> Result<bool> {
        Ok(kept::text(tx, &format!("domain/{domain}"))?.as_deref() == Some("verified"))
    }

    fn journal(&self, lines: &[Line<'_>], now: Time) -> Result<()> {
        self.journal.append(lines.iter().map(note).collect(), now)
    }

    fn engaged(&self, tx: &mut Tx<'_>, engaged: &Engaged<'_>, now: Time) -> Result<()> {
        self.engagement_came(tx, engaged, now)
    }
}

fn note(line: &Line<'_>) -> Note {
    match *line {
        Line::Claimed { message_id } => Note::Claimed { message_id: message_id.to_owned() },
        Line::OptedOut { address_hash, topic, reason } => Note::OptedOut {
            address_hash: address_hash.to_owned(),
            topic: topic.to_owned(),
            reason: reason.to_owned(),
        },
        Line::OptedIn { address_hash, topic } => {
            Note::OptedIn { address_hash: address_hash.to_owned(), topic: topic.to_owned() }
        }
    }
}
