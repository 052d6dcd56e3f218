//! What the outbox asks of the rest of the engine. `Engine` implements it; tests script it.

use std::sync::Arc;

use hogwire_connectors::smtp::dkim::Key;
use hogwire_model::Time;
use hogwire_model::campaign::{Code, Settlement};
use serde_json::Value;

use crate::error::Result;
use crate::store::Tx;
use crate::store::contacts::Stored;
use crate::store::deliveries::Delivery;
use crate::store::messages::Message;

/// Whether a parked run still wants its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    Yes,
    /// The run ended meanwhile: an exit event, a merge, an erasure.
    No(Code),
    /// The campaign is paused: the message waits.
    Paused,
}

/// A message to be rendered, with the links that are its own.
pub struct Ask<'a> {
    pub message: &'a Message,
    pub contact: &'a Stored,
    pub topic: &'a str,
    pub unsubscribe_url: &'a str,
    pub preferences_url: &'a str,
    pub now: Time,
}

/// A message as its template says it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    pub subject: String,
    /// Empty for a mail of plain text alone.
    pub html: String,
    pub plain: String,
    /// `Name <address>` of the template's front matter, in place of the sender's own.
    pub from: Option<String>,
}

/// What goes into the journal, which survives the database: no restore may forget it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// The message is about to be handed over and may never be sent again.
    Claimed { message_id: &'a str },
    /// Not to be written to. An empty topic means everything.
    OptedOut { address_hash: &'a str, topic: &'a str, reason: &'a str },
    /// The person took that back.
    OptedIn { address_hash: &'a str, topic: &'a str },
}

/// Something a person did with a message, for runs that wait for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Engaged<'a> {
    pub contact_id: &'a str,
    pub message_id: &'a str,
    /// `opened`, `clicked`, `bounced`, `complained` or `unsubscribed`.
    pub kind: &'static str,
}

pub trait Hooks: Send + Sync {
    /// Asked in the transaction that claims the message, so that an exit event which
    /// committed before it always wins.
    fn wanted(&self, tx: &mut Tx<'_>, enrollment_id: &str, now: Time) -> Result<Wanted>;

    /// Lets the parked run go on. Called once per message, in the settling transaction.
    fn settled(&self, tx: &mut Tx<'_>, enrollment_id: &str, settlement: Settlement, now: Time) -> Result<()>;

    /// The topic that the template names itself.
    fn template_topic(&self, tx: &mut Tx<'_>, template: &str) -> Result<Option<String>>;

    /// Renders the message. The inner error is a sentence about the template, for people.
    fn render(&self, tx: &mut Tx<'_>, ask: &Ask<'_>) -> Result<Result<Rendered, String>>;

    /// Fills the Liquid in every string of `value`, with the delivery's contact and trigger
    /// in scope. A text that is JSON stays JSON.
    fn fill(&self, tx: &mut Tx<'_>, delivery: &Delivery, value: Value, now: Time) -> Result<Result<Value, String>>;

    /// As `fill`, with the operator's secrets in scope as `secrets.NAME`. What it answers is
    /// never stored. A secret that is not there is an inner error, not an empty text.
    fn fill_secret(
        &self,
        tx: &mut Tx<'_>,
        delivery: &Delivery,
        value: Value,
        now: Time,
    ) -> Result<Result<Value, String>>;

    /// Signing secrets of webhooks, the newest first; none leaves them unsigned.
    fn webhook_secrets(&self, tx: &mut Tx<'_>, now: Time) -> Result<Vec<String>>;

    /// Whether the records of a sending domain were found right.
    fn verified(&self, tx: &mut Tx<'_>, domain: &str) -> Result<bool>;

    /// The keys that sign a domain's mail; none where its records are not right.
    fn signers(&self, tx: &mut Tx<'_>, domain: &str) -> Result<Arc<[Key]>>;

    /// Durable before it answers.
    fn journal(&self, lines: &[Line<'_>], now: Time) -> Result<()>;

    /// A person did something with a message.
    fn engaged(&self, tx: &mut Tx<'_>, engaged: &Engaged<'_>, now: Time) -> Result<()>;
}
