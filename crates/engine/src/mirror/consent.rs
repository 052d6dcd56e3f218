//! Whether somebody wants no more mail at all, which is the one thing a destination is told
//! about consent (SPEC B12).
//!
//! Whoever left every marketing topic, or is on the list of suppressed addresses for
//! everything, has said no. Never having said yes is no such word.

use std::collections::HashMap;

use hogwire_model::contact::consent::{Consent, DEFAULT_TOPIC, Reason, Suppression, address_hash, may_send};

use crate::error::Result;
use crate::outbox::gate::topic_named;
use crate::settings::Settings;
use crate::store::contacts::Stored;
use crate::store::{Tx, consents, suppressions};

/// Whether these words and suppressions leave nothing that may be sent.
pub fn is_stopped(settings: &Settings, words: &[Consent], listed: &[Suppression]) -> bool {
    let marketing = settings.topics.iter().filter(|(name, topic)| !topic.is_transactional() && *name != "tracking");
    let mut names: Vec<&str> = marketing.map(|(name, _)| name.as_str()).collect();
    if names.is_empty() {
        names.push(DEFAULT_TOPIC);
    }
    names.into_iter().all(|name| {
        let topic = topic_named(settings, name);
        matches!(may_send(&topic, consents::state(words, name), listed), Err(reason) if reason != Reason::NoConsent)
    })
}

/// The words and the stop of each contact, by its id.
pub fn of_many(
    tx: &mut Tx<'_>,
    settings: &Settings,
    key: &[u8],
    contacts: &[Stored],
) -> Result<HashMap<String, (Vec<Consent>, bool)>> {
    let ids: Vec<&str> = contacts.iter().map(|stored| stored.contact.id.as_str()).collect();
    let mut words = consents::of_contacts(tx, ids)?;
    let hashes: Vec<Option<String>> = contacts
        .iter()
        .map(|stored| stored.contact.address.as_ref().map(|address| address_hash(address, key)))
        .collect();
    let listed = suppressions::of_many(tx, hashes.iter().flatten().map(String::as_str).collect())?;
    let none = Vec::new();
    Ok(contacts
        .iter()
        .zip(&hashes)
        .map(|(stored, hash)| {
            let id = stored.contact.id.clone();
            let own = words.remove(&id).unwrap_or_default();
            let listed = hash.as_ref().and_then(|hash| listed.get(hash)).unwrap_or(&none);
            let stopped = is_stopped(settings, &own, listed);
            (id, (own, stopped))
        })
        .collect())
}
