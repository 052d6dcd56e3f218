//! Who was it? Each event of a batch is given its contact: found by key, made where an
//! address is present, merged where the event says that two names are one (SPEC A6).
//!
//! An event that names nobody we know is kept under its keys. When a later event reveals
//! who that was, its past is taken from there and goes through the same rules.

use hogwire_model::Time;
use hogwire_model::contact::consent::{SuppressionReason, address_hash};
use hogwire_model::contact::key::{self, KEYS_PER_ADDRESS};
use hogwire_model::contact::merge::{Rules, Why};
use hogwire_model::contact::{Key, KeyKind};
use hogwire_model::event::Identity;
use hogwire_model::mapping::AddressFrom;

use super::batch::{Batch, Item};
use crate::catalog::Catalog;
use crate::contacts::ANYBODY;
use crate::engine::Engine;
use crate::error::Result;
use crate::inbox::Stored;
use crate::people::{Cause, Named, People};
use crate::store::{Tx, contact_keys, events, settings, suppressions, unmatched};

/// How often the past may reveal a further name that has a past of its own.
const ROUNDS: usize = 4;

/// Loads everyone the batch may concern and settles who each event was.
pub fn people<'e>(engine: &'e Engine, tx: &mut Tx<'_>, batch: &mut Batch<'_>, now: Time) -> Result<People<'e>> {
    let keys: Vec<&Key> = batch.items.iter().flat_map(Item::all_keys).collect();
    let mut people = People::load(tx, &keys, &*engine.outside.entropy, now)?;
    forget_erased(engine, tx, batch, &people)?;
    let rules = engine.settings().merge_rules();
    for item in &mut batch.items {
        item.contact = identify(&mut people, tx, item, &rules)?;
    }
    Ok(people)
}

/// Whoever was erased must not be made anew by an event that comes late: their address says
/// nothing here. Addresses are looked up only where somebody ever was erased.
fn forget_erased(engine: &Engine, tx: &mut Tx<'_>, batch: &mut Batch<'_>, people: &People<'_>) -> Result<()> {
    if settings::text(tx, ANYBODY)?.is_none() {
        return Ok(());
    }
    let key = engine.keyring.derive(b"addresses");
    let is_new = |named: &&Key| people.find(named).is_none();
    let hashed = batch.items.iter().map(|item| item.address_key.as_ref().filter(is_new));
    let hashed: Vec<Option<String>> = hashed.map(|named| named.map(|named| address_hash(&named.value, &key))).collect();
    let listed = suppressions::of_many(tx, hashed.iter().flatten().map(String::as_str).collect())?;
    for (item, hash) in batch.items.iter_mut().zip(&hashed) {
        let reasons = hash.as_ref().and_then(|hash| listed.get(hash));
        if reasons.is_some_and(|held| held.iter().any(|one| one.reason == SuppressionReason::Erased)) {
            item.address = None;
            item.address_key = None;
        }
    }
    Ok(())
}

/// Bodies of the events that waited for a name which somebody now answers to.
pub fn past(engine: &Engine, tx: &mut Tx<'_>, catalog: &Catalog, people: &mut People<'_>) -> Result<Vec<Stored>> {
    let rules = engine.settings().merge_rules();
    let mut asked: std::collections::HashSet<Key> = std::collections::HashSet::new();
    let mut bodies = Vec::new();
    for _ in 0..ROUNDS {
        let fresh: Vec<Key> = people.new_keys().filter(|key| !asked.contains(*key)).cloned().collect();
        if fresh.is_empty() {
            break;
        }
        let mut found = Vec::new();
        for (key, uuid) in unmatched::take(tx, &fresh.iter().collect::<Vec<_>>())? {
            if let Some(event) = events::find(tx, &key.connection, &uuid)?
                && let Some(body) = engine.inbox.fetch(&engine.store, &event.place)?
            {
                found.push(body);
            }
        }
        asked.extend(fresh);
        let mut round = Batch::of_past(engine, catalog, &found)?;
        load_more(tx, people, &round)?;
        for item in &mut round.items {
            identify(people, tx, item, &rules)?;
        }
        drop(round);
        bodies.append(&mut found);
    }
    bodies.sort_by(|a, b| (a.arrived, &a.place).cmp(&(b.arrived, &b.place)));
    bodies.dedup_by(|a, b| a.place == b.place);
    Ok(bodies)
}

/// Says who each event of the past was, now that everything it reveals is known.
pub fn resolve_past(tx: &mut Tx<'_>, people: &mut People<'_>, past: &mut Batch<'_>) -> Result<()> {
    for item in &mut past.items {
        item.contact = item.keys.iter().find_map(|key| people.find(key)).map(str::to_owned);
        if let Some(contact) = &item.contact {
            events::assign(tx, item.connection, vec![&item.event.uuid], contact)?;
        }
    }
    past.items.sort_by_key(|item| item.event.at);
    Ok(())
}

/// An event of the past may name contacts that the batch did not.
fn load_more(tx: &mut Tx<'_>, people: &mut People<'_>, past: &Batch<'_>) -> Result<()> {
    let keys: Vec<&Key> = past.items.iter().flat_map(Item::all_keys).filter(|key| people.find(key).is_none()).collect();
    people.load_more(tx, &keys)
}

fn identify(people: &mut People<'_>, tx: &mut Tx<'_>, item: &Item<'_>, rules: &Rules) -> Result<Option<String>> {
    let cause = Cause { event: Named::Event(item), rules, address: None };
    let mut contact = by_keys(people, tx, item, &cause)?;
    contact = by_address(people, tx, item, contact, &cause)?;
    let Some(mut contact) = contact else { return Ok(None) };
    if let Some(other) = &item.other_key {
        contact = join(people, tx, item, contact, other, &cause)?;
    }
    for key in &item.keys {
        people.add_key(key, &contact);
    }
    let is_news = item.event.identified && people.get(&contact).is_some_and(|held| !held.contact.identified);
    if is_news && let Some(held) = people.change(&contact) {
        held.contact.identified = true;
    }
    Ok(Some(people.follow(&contact).to_owned()))
}

/// The contact that the event's own keys name. Two that differ are one record at the source.
fn by_keys(people: &mut People<'_>, tx: &mut Tx<'_>, item: &Item<'_>, cause: &Cause<'_, '_>) -> Result<Option<String>> {
    let mut found: Option<String> = None;
    for key in &item.keys {
        let Some(next) = people.find(key).map(str::to_owned) else { continue };
        found = Some(match found {
            Some(first) if first != next => people.merge(tx, &first, &next, Why::SameRecord, cause)?,
            _ => next,
        });
    }
    Ok(found)
}

/// What the address adds: another contact that has it, or a contact at all.
fn by_address(
    people: &mut People<'_>,
    tx: &mut Tx<'_>,
    item: &Item<'_>,
    contact: Option<String>,
    cause: &Cause<'_, '_>,
) -> Result<Option<String>> {
    let (Some(address), Some(key)) = (&item.address, &item.address_key) else { return Ok(contact) };
    let own = address.from == AddressFrom::Contact;
    let holder = people.find(key).map(str::to_owned);
    match (contact, holder) {
        (Some(contact), Some(holder)) if contact != holder && own => {
            let cause = Cause { address: Some(&address.address), ..*cause };
            people.merge(tx, &contact, &holder, Why::SameAddress, &cause).map(Some)
        }
        (Some(contact), Some(_)) => Ok(Some(contact)),
        (Some(contact), None) => {
            let has_one = people.get(&contact).is_some_and(|held| held.contact.address.is_some());
            if own || !has_one {
                people.add_key(key, &contact);
            }
            Ok(Some(contact))
        }
        (None, Some(holder)) => {
            let full = contact_keys::count(tx, &holder, KeyKind::Visitor)? >= KEYS_PER_ADDRESS;
            Ok((!full).then_some(holder))
        }
        (None, None) => {
            let contact = people.make(item.event.at);
            people.add_key(key, &contact);
            Ok(Some(contact))
        }
    }
}

fn join(
    people: &mut People<'_>,
    tx: &mut Tx<'_>,
    item: &Item<'_>,
    contact: String,
    other: &Key,
    cause: &Cause<'_, '_>,
) -> Result<String> {
    if key::is_illegal_id(&other.value) {
        return Ok(contact);
    }
    let why = match item.event.identity {
        Some(Identity::Force { .. }) => Why::Force,
        _ => Why::Absorb,
    };
    match people.find(other).map(str::to_owned) {
        Some(held) => people.merge(tx, &contact, &held, why, cause),
        None => {
            people.add_key(other, &contact);
            Ok(contact)
        }
    }
}
