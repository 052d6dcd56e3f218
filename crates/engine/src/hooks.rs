//! What the outbox asks of the engine, answered.

use std::sync::Arc;

use hogwire_connectors::smtp::dkim::Key;
use hogwire_model::Time;
use hogwire_model::campaign::Settlement;
use serde_json::Value;

use crate::engine::{Engine, Stepped};
use crate::error::{Error, Result};
use crate::journal::Note;
use crate::outbox::hooks::{Ask, Engaged, Hooks, Line, Rendered};
use crate::outbox::{Did, Keys, Parts, Wanted};
use crate::rendering;
use crate::store::deliveries::Delivery;
use crate::store::{Tx, contacts, domains, enrollments, secrets};

/// The sealed value that signs outgoing webhooks.
const SIGNING: &str = "outgoing_webhooks";
/// Before the names of secrets that webhook headers may ask for.
const NAMED: &str = "webhook/";

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

impl Engine {
    /// Keeps a secret that headers of webhook steps ask for as `{{ secrets.NAME }}`. Names
    /// are letters, digits and underscores.
    pub fn set_webhook_secret(&self, name: &str, secret: &str, now: Time) -> Result<()> {
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(Error::Conflict(format!("`{name}` cannot be the name of a secret")));
        }
        self.store.write(|tx| self.keep_secret(tx, &format!("{NAMED}{name}"), secret, now))
    }

    pub fn remove_webhook_secret(&self, name: &str) -> Result<()> {
        self.store.write(|tx| secrets::remove(tx, &format!("{NAMED}{name}")))
    }

    /// Names only; values are never shown.
    pub fn webhook_secret_names(&self, tx: &mut Tx<'_>) -> Result<Vec<String>> {
        let all = secrets::all(tx)?;
        Ok(all.into_iter().filter_map(|(name, _)| name.strip_prefix(NAMED).map(str::to_owned)).collect())
    }

    /// The secret by which receivers check our signatures, for the page that shows it once
    /// a webhook has gone out.
    pub fn webhook_signing_secret(&self) -> Result<Option<String>> {
        let mut tx = self.store.read()?;
        Ok(self.secret(&mut tx, SIGNING)?.map(|secret| secret.to_string()))
    }
}

/// A secret that the text asks for and that is not there.
fn missing(text: &str, known: &serde_json::Map<String, Value>) -> Option<String> {
    text.split("secrets.").skip(1).find_map(|rest| {
        let name: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        (!name.is_empty() && !known.contains_key(&name)).then_some(name)
    })
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

    fn fill_secret(
        &self,
        tx: &mut Tx<'_>,
        delivery: &Delivery,
        value: Value,
        now: Time,
    ) -> Result<Result<Value, String>> {
        let text = value.to_string();
        let mut secrets = serde_json::Map::new();
        for name in self.webhook_secret_names(tx)? {
            if text.contains(&name)
                && let Some(secret) = self.secret(tx, &format!("{NAMED}{name}"))?
            {
                secrets.insert(name, Value::from(secret.as_str()));
            }
        }
        if let Some(name) = missing(&text, &secrets) {
            return Ok(Err(format!("there is no secret called {name}")));
        }
        let Some(stored) = contacts::find(tx, &delivery.contact_id)? else {
            return Ok(Err("the contact is gone".to_owned()));
        };
        let trigger = match enrollments::find(tx, &delivery.enrollment_id)? {
            Some(run) => run.trigger_properties,
            None => "{}".to_owned(),
        };
        Ok(rendering::fill_secret(value, &stored, &trigger, Value::Object(secrets), now))
    }

    /// The first webhook makes the secret that signs it and all that follow.
    fn webhook_secrets(&self, tx: &mut Tx<'_>, now: Time) -> Result<Vec<String>> {
        if let Some(held) = self.secret(tx, SIGNING)? {
            return Ok(vec![held.to_string()]);
        }
        let mut random = [0; 32];
        self.outside.entropy.fill(&mut random);
        let fresh = hogwire_connectors::signature::secret_from(&random);
        self.keep_secret(tx, SIGNING, &fresh, now)?;
        Ok(vec![fresh])
    }

    fn verified(&self, tx: &mut Tx<'_>, domain: &str) -> Result<bool> {
        let standing = domains::standing(tx, domain)?;
        Ok(standing.is_some_and(|(status, _)| status == domains::Status::Verified))
    }

    fn signers(&self, tx: &mut Tx<'_>, domain: &str) -> Result<Arc<[Key]>> {
        self.signers(tx, domain)
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
        Line::OptedOut { address_hash, topic, reason } => {
            Note::OptedOut { address_hash: address_hash.to_owned(), topic: topic.to_owned(), reason: reason.to_owned() }
        }
        Line::OptedIn { address_hash, topic } => {
            Note::OptedIn { address_hash: address_hash.to_owned(), topic: topic.to_owned() }
        }
    }
}
