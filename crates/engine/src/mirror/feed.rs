//! Who changed since the last look? Their wanted state is compared with what was written
//! last, and a row waits for whoever differs.
//!
//! Contacts are read in the order of their last change, a little behind now, so that a
//! transaction that is still committing is not overtaken. Once a week the pass begins anew
//! and compares everybody, which finds what no change has announced.

use std::collections::{BTreeMap, HashMap};

use hogwire_model::contact::{Key, KeyKind};
use hogwire_model::{Span, Time};
use serde_json::Value;

use super::document::{self, Document};
use super::{State, Turn, consent, state};
use crate::error::Result;
use crate::settings::Destination;
use crate::store::contacts::{self, Stored};
use crate::store::mirrors::{self, Mirrored};
use crate::store::{Tx, contact_keys};

const PAGE: usize = 500;
/// Pages of one turn.
const PAGES: usize = 10;
/// A change this young may still have company that is not committed yet.
const YOUNG: Span = Span::seconds(5);

/// Somebody's wanted state.
pub struct Wanted {
    pub stored: Stored,
    pub document: Document,
    pub fingerprint: String,
    /// A person's own yes is newer than anything they said before.
    pub words: Vec<hogwire_model::contact::consent::Consent>,
    /// Why nothing about them is written.
    pub kept_back: Option<&'static str>,
}

pub fn next_due(tx: &mut Tx<'_>, state: &State) -> Result<Option<Time>> {
    let after = (Time::from_millis(state.seen.0), state.seen.1.as_str());
    let next = contacts::next_change(tx, after)?;
    Ok(next.map(|at| at.plus(YOUNG)))
}

impl Turn<'_> {
    pub(super) fn feed(&mut self) -> Result<()> {
        // Nothing is fitted to attributes that are not known.
        if self.state.attributes_at.is_none() {
            return Ok(());
        }
        if State::is_due(self.state.pass_began, state::PASS, self.now) {
            self.state.pass_began = Some(self.now);
            self.state.seen = (i64::MIN, String::new());
        }
        for _ in 0..PAGES {
            let page = self.next_page()?;
            if page.is_empty() {
                break;
            }
            self.make_missing_attributes(&page)?;
            let waiting = self.compare(&page)?;
            self.did += waiting;
            if page.len() < PAGE {
                break;
            }
        }
        Ok(())
    }

    fn next_page(&mut self) -> Result<Vec<Stored>> {
        let after = (Time::from_millis(self.state.seen.0), self.state.seen.1.clone());
        let mut tx = self.engine.store.read()?;
        let page = contacts::changed(&mut tx, (after.0, &after.1), self.now.minus(YOUNG), PAGE)?;
        if let Some((at, last)) = page.last() {
            self.state.seen = (at.millis(), last.contact.id.clone());
        }
        Ok(page.into_iter().map(|(_, stored)| stored).collect())
    }

    /// Lets a row wait for everybody on the page whose wanted state is not what was written.
    fn compare(&mut self, page: &[Stored]) -> Result<usize> {
        let now = self.now;
        self.engine.store.write(|tx| {
            let wanted = self.wanted(tx, page.to_vec())?;
            let ids: Vec<&str> = page.iter().map(|stored| stored.contact.id.as_str()).collect();
            let mut held: HashMap<String, Mirrored> =
                mirrors::find_many(tx, self.name, ids)?.into_iter().map(|row| (row.contact_id.clone(), row)).collect();
            let mut rows = Vec::new();
            for one in &wanted {
                let row = held.remove(&one.stored.contact.id);
                rows.extend(self.row_of(one, row, now));
            }
            mirrors::put(tx, &rows.iter().collect::<Vec<_>>())?;
            Ok(rows.len())
        })
    }

    /// The row that must be written, where anything about it changes.
    fn row_of(&self, wanted: &Wanted, held: Option<Mirrored>, now: Time) -> Option<Mirrored> {
        if let Some(why) = wanted.kept_back {
            // Somebody who was never written and must not be is nobody's business.
            let held = held.filter(|held| held.reason != why && held.status != "importing")?;
            return Some(Mirrored { status: "rejected".to_owned(), reason: why.to_owned(), due_at: None, ..held });
        }
        match held {
            Some(held) if held.status == "importing" => {
                let differs = held.fingerprint != wanted.fingerprint;
                (differs && held.due_at.is_none()).then_some(Mirrored { due_at: Some(now), ..held })
            }
            Some(held) if held.fingerprint == wanted.fingerprint && held.status == "written" => None,
            Some(held) if matches!(held.status.as_str(), "pending" | "sending") && held.due_at.is_some() => None,
            Some(held) => Some(Mirrored { status: "pending".to_owned(), due_at: Some(now), attempts: 0, ..held }),
            None => Some(Mirrored {
                destination: self.name.to_owned(),
                contact_id: wanted.stored.contact.id.clone(),
                status: "pending".to_owned(),
                due_at: Some(now),
                ..Mirrored::default()
            }),
        }
    }

    /// The wanted state of contacts, in their order.
    pub(super) fn wanted(&self, tx: &mut Tx<'_>, contacts: Vec<Stored>) -> Result<Vec<Wanted>> {
        let key = self.engine.keyring.derive(b"addresses");
        let mut consents = consent::of_many(tx, self.settings, &key, &contacts)?;
        let holders = holders(tx, &contacts)?;
        let only_testing = self.only_testing(tx, &contacts)?;
        Ok(contacts
            .into_iter()
            .map(|stored| {
                let id = stored.contact.id.clone();
                let (words, stopped) = consents.remove(&id).unwrap_or_default();
                let values = document::values(&stored, self.destination);
                let document = document::fitted(values, &self.state.attributes, stopped);
                let address = stored.contact.address.as_deref().unwrap_or_default();
                let fingerprint = document::fingerprint(address, &document);
                let kept_back = match &stored.contact.address {
                    None => Some("has no address"),
                    Some(_) if stored.contact.address_from_event => Some("the address is known from an event alone"),
                    Some(address) if holders.get(address).is_some_and(|holder| *holder != id) => {
                        Some("another contact here has the same address")
                    }
                    Some(_) if only_testing.contains(&id) => Some("is known from connections in test mode alone"),
                    Some(_) => None,
                };
                Wanted { stored, document, fingerprint, words, kept_back }
            })
            .collect())
    }

    /// Contacts that nothing but connections in test mode know (SPEC A7).
    fn only_testing(&self, tx: &mut Tx<'_>, contacts: &[Stored]) -> Result<Vec<String>> {
        let testing = |name: &str| self.settings.connections.get(name).is_some_and(|held| held.test_mode);
        if !self.settings.connections.values().any(|held| held.test_mode) {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        for stored in contacts {
            let keys = contact_keys::of_contact(tx, &stored.contact.id)?;
            let mut named = keys.iter().filter(|key| !key.connection.is_empty()).peekable();
            if named.peek().is_some() && named.all(|key| testing(&key.connection)) {
                found.push(stored.contact.id.clone());
            }
        }
        Ok(found)
    }
}

/// Who holds each address as a key: of two contacts with one address only that one goes out.
fn holders(tx: &mut Tx<'_>, contacts: &[Stored]) -> Result<HashMap<String, String>> {
    let keys: Vec<Key> = contacts
        .iter()
        .filter_map(|stored| stored.contact.address.clone())
        .map(|value| Key { connection: String::new(), kind: KeyKind::Email, value })
        .collect();
    let found = contact_keys::find_many(tx, &keys.iter().collect::<Vec<_>>())?;
    Ok(keys
        .into_iter()
        .filter_map(|key| found.get(&key).map(str::to_owned).map(|holder| (key.value, holder)))
        .collect())
}

/// The values of a page by the destination's names, for attributes that are to be made.
pub fn values_by_name(page: &[Stored], destination: &Destination) -> BTreeMap<String, Vec<Value>> {
    let mut found: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for stored in page {
        for (name, value) in document::values(stored, destination) {
            found.entry(name).or_default().push(value);
        }
    }
    found
}
