//! A no that was said elsewhere: to a destination, to a source, to whoever sends our mail. It
//! counts here as if it had been said here, and reaches every other place (SPEC B12).

use hogwire_connectors::brevo::reports::{self, What};
use hogwire_connectors::smtp::reply::Bounce;
use hogwire_model::Time;
use hogwire_model::contact::consent::{Consent, ConsentState, Said, SuppressionReason, address_hash};
use hogwire_model::contact::key::normalise_address;
use hogwire_model::contact::{Key, KeyKind};

use crate::engine::Engine;
use crate::error::Result;
use crate::journal::Note;
use crate::store::consents::EVERYTHING;
use crate::store::suppressions::{self, Entry};
use crate::store::{consents, contact_keys, mirrors};
use crate::tracking::{Report, report};

/// Somebody's no, and where it was heard.
#[derive(Clone, Copy, Debug)]
pub struct No<'a> {
    pub address: &'a str,
    pub reason: SuppressionReason,
    pub source: &'a str,
    pub at: Time,
}

impl Engine {
    /// Takes a no over. Answers whether it was news; the same one again changes nothing.
    pub fn hear_no(&self, no: &No<'_>, now: Time) -> Result<bool> {
        let Some(address) = normalise_address(no.address) else { return Ok(false) };
        let hash = address_hash(&address, &self.keyring.derive(b"addresses"));
        let news = self.store.write(|tx| {
            let listed = suppressions::of(tx, &hash)?;
            if listed.iter().any(|held| held.reason == no.reason || held.reason == SuppressionReason::Erased) {
                return Ok(false);
            }
            let opted_out = Note::OptedOut {
                address_hash: hash.clone(),
                topic: String::new(),
                reason: no.reason.as_str().to_owned(),
            };
            self.journal.append(vec![opted_out], now)?;
            let entry = Entry {
                address_hash: hash,
                topic: String::new(),
                reason: no.reason,
                address: Some(address.clone()),
                source: no.source.to_owned(),
                at: no.at,
            };
            suppressions::add(tx, &entry)?;
            let key = Key { connection: String::new(), kind: KeyKind::Email, value: address.clone() };
            let contact = contact_keys::find(tx, &key)?.unwrap_or_default();
            if no.reason.follows_the_contact() && !contact.is_empty() {
                let word = Consent {
                    topic: EVERYTHING.to_owned(),
                    state: ConsentState::Denied,
                    at: no.at,
                    source: no.source.to_owned(),
                    text: String::new(),
                };
                consents::say(tx, &contact, &word, Said::Machine)?;
            }
            mirrors::stir(tx, &contact, &address, now)?;
            Ok(true)
        })?;
        if news {
            self.outside.wake.wake();
        }
        Ok(news)
    }

    /// Takes what a destination's webhook reports. Opens and clicks are not counted: our own
    /// links have done that. Answers how many reports concerned us.
    pub fn hear_reports(&self, source: &str, heard: &[reports::Report], now: Time) -> Result<usize> {
        let mut ours = 0;
        for one in heard {
            let at = one.at.unwrap_or(now).min(now);
            let told = match one.what {
                What::Delivered => Some(Report::Delivered),
                What::BouncedHard => Some(Report::Bounced { bounce: Bounce::Hard, said: &one.said }),
                What::BouncedSoft => Some(Report::Bounced { bounce: Bounce::Soft, said: &one.said }),
                What::Complained => Some(Report::Complained),
                _ => None,
            };
            if let (Some(told), Some(message)) = (told, &one.message) {
                ours += usize::from(self.with_parts(|parts| report(parts, message, told, at, now))?);
            }
            let reason = match one.what {
                What::BouncedHard => Some(SuppressionReason::HardBounce),
                What::Complained => Some(SuppressionReason::Complaint),
                What::Unsubscribed => Some(SuppressionReason::Unsubscribed),
                _ => None,
            };
            if let Some(reason) = reason {
                ours += usize::from(self.hear_no(&No { address: &one.address, reason, source, at }, now)?);
            }
            if one.what == What::Removed {
                let address = normalise_address(&one.address).unwrap_or_default();
                self.store.write(|tx| mirrors::lost(tx, source, &address))?;
            }
        }
        Ok(ours)
    }
}
