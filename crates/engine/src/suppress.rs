//! Addresses that may not be written to, as people put them on the list and take them off.
//!
//! What a reader said themselves, by a link or a complaint, only they take back; by hand
//! goes what was put there by hand, and a bounce whose mailbox was mended.

use hogwire_model::Time;
use hogwire_model::contact::consent::{SuppressionReason, address_hash};
use hogwire_model::contact::key::normalise_address;
use serde_json::json;

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::outbox::Hooks as _;
use crate::outbox::hooks::Line;
use crate::store::suppressions::{self, Entry};
use crate::store::{Tx, audit, mirrors};

impl Engine {
    /// The list before a time, newest first.
    pub fn suppressions(&self, before: Option<Time>, asked: Option<usize>) -> Result<Vec<Entry>> {
        let before = before.unwrap_or(Time::from_millis(i64::MAX));
        suppressions::newest(&mut self.store.read()?, before, crate::views::limit(asked))
    }

    /// Why an address is on the list; empty where it is not.
    pub(crate) fn suppressed(&self, tx: &mut Tx<'_>, address: &str) -> Result<Vec<Listed>> {
        let found = suppressions::of(tx, &self.address_hash(address))?;
        let lines = found.into_iter().map(|found| Listed {
            topic: match found.scope {
                hogwire_model::contact::consent::SuppressionScope::All => String::new(),
                hogwire_model::contact::consent::SuppressionScope::Topic(topic) => topic,
            },
            reason: found.reason,
            at: found.at,
        });
        Ok(lines.collect())
    }

    /// Never writes to an address again. Answers whether that is new.
    pub fn suppress(&self, address: &str, actor: &str, now: Time) -> Result<bool> {
        let address = written(address)?;
        let hash = self.address_hash(&address);
        let reason = SuppressionReason::Manual;
        // In the journal first: no restore may forget it.
        self.journal(&[Line::OptedOut { address_hash: &hash, topic: "", reason: reason.as_str() }], now)?;
        self.store.write(|tx| {
            let entry = Entry {
                address_hash: hash,
                topic: String::new(),
                reason,
                address: Some(address.clone()),
                source: actor.to_owned(),
                at: now,
            };
            let id = self.outside.entropy.id("aud", now);
            audit::record(tx, &id, now, actor, "suppression.add", &address, "{}")?;
            mirrors::stir(tx, "", &address, now)?;
            suppressions::add(tx, &entry)
        })
    }

    /// Takes an address off the list for one reason.
    pub fn unsuppress(&self, address: &str, reason: SuppressionReason, actor: &str, now: Time) -> Result<()> {
        let address = written(address)?;
        if !is_ours(reason) {
            return Err(Error::Conflict(format!("`{}` is taken back by the reader alone", reason.as_str())));
        }
        let hash = self.address_hash(&address);
        self.store.write(|tx| {
            if !suppressions::remove(tx, &hash, "", reason)? {
                return Err(Error::Missing(format!("a suppression of {address}")));
            }
            mirrors::stir(tx, "", &address, now)?;
            let detail = json!({ "reason": reason.as_str() }).to_string();
            let id = self.outside.entropy.id("aud", now);
            audit::record(tx, &id, now, actor, "suppression.remove", &address, &detail)
        })
    }

    fn address_hash(&self, address: &str) -> String {
        address_hash(address, &self.keyring.derive(b"addresses"))
    }
}

/// Why an address is not written to.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Listed {
    /// Empty: every message.
    pub topic: String,
    pub reason: SuppressionReason,
    pub at: Time,
}

impl Listed {
    /// Whether somebody other than the reader may take it back.
    pub const fn is_ours(&self) -> bool {
        is_ours(self.reason)
    }
}

const fn is_ours(reason: SuppressionReason) -> bool {
    matches!(reason, SuppressionReason::Manual | SuppressionReason::HardBounce)
}

fn written(address: &str) -> Result<String> {
    normalise_address(address).ok_or_else(|| Error::Conflict(format!("`{address}` is not an address")))
}
