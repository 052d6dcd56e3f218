//! The outbox: what is to leave the house, from the queue to its end.
//!
//! A turn of a run only queues here, in its own transaction; `send` and `deliver` take it
//! from there. Mail goes out at most once, webhooks and captures at least once with a key
//! that does not change. What is asked of the rest of the engine stands in `Hooks`, so that
//! everything here runs against a store and two scripted ends. Nothing here decides whom a
//! campaign writes to.

pub mod bounce;
pub mod brakes;
pub mod capture;
pub mod deliver;
pub mod gate;
pub mod hooks;
pub mod letter;
pub mod links;
mod purse;
pub mod send;
pub mod settle;
pub mod tell;
pub mod token;
pub mod webhook;

use hogwire_model::Time;

use crate::error::{Error, Result};
use crate::outside::{Entropy, Outside};
use crate::settings::Settings;
use crate::store::messages::{Message, Status};
use crate::store::{Store, Tx, deliveries, messages};

pub use hooks::{Hooks, Wanted};

/// Everything that sending needs, lent by the engine.
#[derive(Clone, Copy)]
pub struct Parts<'e> {
    pub store: &'e Store,
    pub outside: &'e Outside,
    pub settings: &'e Settings,
    pub keys: &'e Keys,
    pub hooks: &'e dyn Hooks,
}

/// Keys derived from the installation's own.
#[derive(Clone)]
pub struct Keys {
    /// For the hashes of suppressed addresses.
    pub addresses: [u8; 32],
    /// For the numbers in tracked links.
    pub links: [u8; 32],
}

/// What one step came to: how many rows it moved, and when there is more to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Did {
    pub did: usize,
    pub next_due: Option<Time>,
}

/// A message to be queued.
#[derive(Clone, Copy, Debug)]
pub struct NewMessage<'a> {
    pub contact_id: &'a str,
    pub campaign_id: &'a str,
    pub version: i64,
    pub enrollment_id: &'a str,
    pub step: &'a str,
    pub template: &'a str,
    /// Empty: the template's, else `marketing`.
    pub topic: &'a str,
    pub sender: &'a str,
    pub address: &'a str,
    pub expires: Option<Time>,
    pub due: Time,
    /// The campaign's, 0 to 100.
    pub priority: u8,
    /// To the test inbox, whatever the policies say.
    pub test: bool,
}

/// Another effect to be queued.
#[derive(Clone, Copy, Debug)]
pub struct NewDelivery<'a> {
    /// The same for the same effect, however often it is queued.
    pub idempotency_key: &'a str,
    pub destination: &'a str,
    /// `webhook` or `capture`.
    pub kind: &'a str,
    pub contact_id: &'a str,
    pub campaign_id: &'a str,
    pub enrollment_id: &'a str,
    pub step: &'a str,
    pub payload: &'a str,
}

/// Queues a message and answers its id. While a step's earlier message is not settled, it
/// is that message: a visit of a step is one message, however often it is queued.
pub fn queue_message(tx: &mut Tx<'_>, new: &NewMessage<'_>, entropy: &dyn Entropy, now: Time) -> Result<String> {
    if let Some(id) = messages::pending(tx, new.enrollment_id, new.step)? {
        return Ok(id);
    }
    let message = fresh(new, entropy, now);
    messages::add(tx, &message)?;
    Ok(message.id)
}

/// Queues a test that no run asks for, and answers its id; each is a message of its own.
pub fn queue_test(tx: &mut Tx<'_>, new: &NewMessage<'_>, entropy: &dyn Entropy, now: Time) -> Result<String> {
    let message = fresh(&NewMessage { enrollment_id: "", test: true, ..*new }, entropy, now);
    messages::add(tx, &message)?;
    Ok(message.id)
}

fn fresh(new: &NewMessage<'_>, entropy: &dyn Entropy, now: Time) -> Message {
    Message {
        id: entropy.id("msg", now),
        contact_id: new.contact_id.to_owned(),
        campaign_id: new.campaign_id.to_owned(),
        version: new.version,
        enrollment_id: new.enrollment_id.to_owned(),
        step: new.step.to_owned(),
        template: new.template.to_owned(),
        topic: new.topic.to_owned(),
        sender: new.sender.to_owned(),
        address: new.address.to_owned(),
        subject: String::new(),
        status: Status::Queued,
        reason: String::new(),
        priority: i64::from(new.priority),
        test: new.test,
        rfc_id: String::new(),
        resend_of: None,
        created_at: now,
        due_at: Some(new.due),
        expires_at: new.expires,
        sending_at: None,
        settled_at: None,
        opened_at: None,
        clicked_at: None,
        machine_opens: 0,
        human_opens: 0,
        clicks: 0,
        attempts: 0,
        fence: 0,
    }
}

/// Queues an effect and answers its id; one with the same key is the same effect.
pub fn queue_delivery(tx: &mut Tx<'_>, new: &NewDelivery<'_>, entropy: &dyn Entropy, now: Time) -> Result<String> {
    let delivery = deliveries::Delivery {
        id: entropy.id("dlv", now),
        idempotency_key: new.idempotency_key.to_owned(),
        destination: new.destination.to_owned(),
        kind: new.kind.to_owned(),
        contact_id: new.contact_id.to_owned(),
        campaign_id: new.campaign_id.to_owned(),
        enrollment_id: new.enrollment_id.to_owned(),
        step: new.step.to_owned(),
        payload: new.payload.to_owned(),
        status: "pending".to_owned(),
        reason: String::new(),
        created_at: now,
        due_at: Some(now),
        settled_at: None,
        attempts: 0,
        fence: 0,
    };
    deliveries::add(tx, &delivery)
}

/// Sends a message once more: a new message, linked to the old one, to the contact's
/// address of now. No run waits for it, and all rules are asked again.
pub fn resend(tx: &mut Tx<'_>, id: &str, entropy: &dyn Entropy, now: Time) -> Result<String> {
    let old = messages::find(tx, id)?.ok_or_else(|| Error::Missing(format!("message {id}")))?;
    if matches!(old.status, Status::Queued | Status::Held | Status::Sending) {
        return Err(Error::Conflict("the message has not been sent yet".to_owned()));
    }
    let message = Message {
        id: entropy.id("msg", now),
        status: Status::Queued,
        reason: String::new(),
        rfc_id: String::new(),
        resend_of: Some(old.id.clone()),
        created_at: now,
        due_at: Some(now),
        expires_at: None,
        sending_at: None,
        settled_at: None,
        opened_at: None,
        clicked_at: None,
        machine_opens: 0,
        human_opens: 0,
        clicks: 0,
        attempts: 0,
        fence: 0,
        ..old
    };
    messages::add(tx, &message)?;
    Ok(message.id)
}
