//! The contacts of one batch while it is decided: loaded by key, found or made, merged,
//! changed, and written back once.
//!
//! Everything here happens inside the step's own transaction. The rules of who may become
//! one with whom are `model::contact::merge`; this only carries them out.

use std::collections::{BTreeSet, HashMap, HashSet};

use hogwire_model::Time;
use hogwire_model::contact::merge::{self, Merge, Rules, Side, Why};
use hogwire_model::contact::{Attributes, Contact, Key, KeyKind};

use crate::error::{Error, Result};
use crate::ingest::Item;
use crate::outside::Entropy;
use crate::store::contact_keys::Keyed;
use crate::store::contacts::Stored;
use crate::store::{Tx, consents, contact_keys, contacts, enrollments, hits, redirects, sets};

pub struct People<'e> {
    entropy: &'e dyn Entropy,
    now: Time,
    by_key: Keyed,
    held: HashMap<String, Stored>,
    changed: BTreeSet<String>,
    /// Changed contacts of which nothing changed that they are looked up by.
    same_place: HashSet<String>,
    made: BTreeSet<String>,
    new_keys: HashMap<Key, String>,
    merged: HashMap<String, String>,
}

impl<'e> People<'e> {
    /// Finds and locks the contacts of these keys: keys first, then contacts, each in order.
    pub fn load(tx: &mut Tx<'_>, keys: &[&Key], entropy: &'e dyn Entropy, now: Time) -> Result<Self> {
        let by_key = contact_keys::find_many(tx, keys)?;
        let mut ids: Vec<&str> = by_key.contacts().collect();
        ids.sort_unstable();
        ids.dedup();
        let held = contacts::lock(tx, &ids)?;
        Ok(Self {
            entropy,
            now,
            by_key,
            held,
            changed: BTreeSet::new(),
            same_place: HashSet::new(),
            made: BTreeSet::new(),
            new_keys: HashMap::new(),
            merged: HashMap::new(),
        })
    }

    /// Loads the contacts of further keys beside those already held.
    pub fn load_more(&mut self, tx: &mut Tx<'_>, keys: &[&Key]) -> Result<()> {
        let found = contact_keys::find_many(tx, keys)?;
        let wanted: Vec<&str> = found.contacts().filter(|id| !self.held.contains_key(self.follow(id))).collect();
        let more = contacts::lock(tx, &wanted)?;
        self.held.extend(more);
        for key in keys {
            if let Some(id) = found.get(key).filter(|_| self.by_key.get(key).is_none()) {
                let id = self.follow(id).to_owned();
                self.by_key.insert(key, id);
            }
        }
        Ok(())
    }

    /// Finds and locks a contact by its id, beside those already held.
    pub fn hold(&mut self, tx: &mut Tx<'_>, id: &str) -> Result<()> {
        if !self.held.contains_key(self.follow(id)) {
            let found = contacts::lock(tx, &[id])?;
            self.held.extend(found);
        }
        Ok(())
    }

    pub fn find(&self, key: &Key) -> Option<&str> {
        self.by_key.get(key)
    }

    pub fn get(&self, id: &str) -> Option<&Stored> {
        self.held.get(self.follow(id))
    }

    /// The contact, to be changed; it is written back at the end.
    pub fn change(&mut self, id: &str) -> Option<&mut Stored> {
        let id = self.follow(id).to_owned();
        self.same_place.remove(&id);
        self.changed.insert(id.clone());
        self.held.get_mut(&id)
    }

    /// The contact without marking it changed: the caller says so with `touch`, or with
    /// `change` where the address is another one now.
    pub fn peek_mut(&mut self, id: &str) -> Option<&mut Stored> {
        let id = self.follow(id).to_owned();
        self.held.get_mut(&id)
    }

    pub fn touch(&mut self, id: &str) {
        let id = self.follow(id);
        if !self.changed.contains(id) {
            let id = id.to_owned();
            self.changed.insert(id.clone());
            self.same_place.insert(id);
        }
    }

    pub fn was_made(&self, id: &str) -> bool {
        self.made.contains(id)
    }

    /// Who answers for this id after the merges of this batch.
    pub fn follow<'a>(&'a self, id: &'a str) -> &'a str {
        let mut at = id;
        while let Some(next) = self.merged.get(at) {
            at = next;
        }
        at
    }

    /// Makes a contact that is not known yet.
    pub fn make(&mut self, at: Time) -> String {
        let id = self.entropy.id("con", self.now);
        let contact = Contact {
            id: id.clone(),
            identified: false,
            address: None,
            address_from_event: false,
            attributes: Attributes::default(),
            created_at: at,
            seen_at: at,
        };
        self.held.insert(id.clone(), Stored { contact, name: None, zone: None });
        self.changed.insert(id.clone());
        self.made.insert(id.clone());
        id
    }

    /// Lets a contact answer to a key that nobody answers to yet.
    pub fn add_key(&mut self, key: &Key, id: &str) {
        if self.by_key.get(key).is_some() {
            return;
        }
        let id = self.follow(id).to_owned();
        self.by_key.insert(key, id.clone());
        self.new_keys.insert(key.clone(), id);
    }

    pub fn new_keys(&self) -> impl Iterator<Item = &Key> {
        self.new_keys.keys()
    }

    /// How many keys of a kind a contact answers to, counting those of this batch.
    fn key_count(&self, tx: &mut Tx<'_>, id: &str, kind: KeyKind) -> Result<usize> {
        let stored = contact_keys::count(tx, id, kind)?;
        Ok(stored + self.new_keys.iter().filter(|(key, held)| key.kind == kind && *held == id).count())
    }

    /// Makes two contacts one where the rules allow it, and answers who survives (the first
    /// one where they stay two). Refusals are recorded as well.
    pub fn merge(&mut self, tx: &mut Tx<'_>, a: &str, b: &str, why: Why, cause: &Cause<'_, '_>) -> Result<String> {
        let (a, b) = (self.follow(a).to_owned(), self.follow(b).to_owned());
        if a == b {
            return Ok(a);
        }
        let mut sides = (self.side(tx, &a)?, self.side(tx, &b)?);
        if let Some(address) = cause.address {
            sides.0.address = Some(address.to_owned());
            sides.0.address_from_event = false;
        }
        match merge::decide(&sides.0, &sides.1, why, cause.rules) {
            Merge::Refused(reason) => {
                self.record(tx, &a, &b, why, Some(reason.as_str()), cause)?;
                Ok(a)
            }
            Merge::Join { survivor, loser } => {
                self.record(tx, &survivor, &loser, why, None, cause)?;
                self.join(tx, &survivor, &loser)?;
                Ok(survivor)
            }
        }
    }

    fn side(&self, tx: &mut Tx<'_>, id: &str) -> Result<Side> {
        let stored = self.held.get(id).ok_or_else(|| Error::Missing(format!("contact {id}")))?;
        Ok(Side {
            id: id.to_owned(),
            identified: stored.contact.identified,
            created_at: stored.contact.created_at,
            address: stored.contact.address.clone(),
            address_from_event: stored.contact.address_from_event,
            visitor_keys: self.key_count(tx, id, KeyKind::Visitor)?,
        })
    }

    fn join(&mut self, tx: &mut Tx<'_>, survivor: &str, loser: &str) -> Result<()> {
        let Some(gone) = self.held.remove(loser) else { return Ok(()) };
        let Some(kept) = self.held.get_mut(survivor) else {
            return Err(Error::Missing(format!("contact {survivor}")));
        };
        merge::fold(&mut kept.contact, gone.contact);
        kept.name = kept.name.take().or(gone.name);
        kept.zone = kept.zone.take().or(gone.zone);
        self.changed.remove(loser);
        self.made.remove(loser);
        self.changed.insert(survivor.to_owned());
        self.same_place.remove(survivor);
        for held in self.by_key.contacts_mut().chain(self.new_keys.values_mut()) {
            if held == loser {
                survivor.clone_into(held);
            }
        }
        self.merged.insert(loser.to_owned(), survivor.to_owned());
        contact_keys::move_all(tx, loser, survivor)?;
        enrollments::move_all(tx, loser, survivor)?;
        hits::move_all(tx, loser, survivor)?;
        sets::move_all(tx, loser, survivor)?;
        consents::fold(tx, loser, survivor)?;
        redirects::add(tx, loser, survivor, self.now)?;
        contacts::remove(tx, loser)
    }

    fn record(
        &self,
        tx: &mut Tx<'_>,
        survivor: &str,
        loser: &str,
        why: Why,
        refused: Option<&str>,
        cause: &Cause<'_, '_>,
    ) -> Result<()> {
        let picture = |id: &str| {
            self.held.get(id).map(|stored| {
                serde_json::json!({ "id": id, "address": stored.contact.address, "identified": stored.contact.identified,
                    "name": stored.name, "attributes": stored.contact.attributes })
            })
        };
        let keys: Vec<[String; 3]> = contact_keys::of_contact(tx, loser)?
            .into_iter()
            .map(|key| [key.connection, key.kind.as_str().to_owned(), key.value])
            .collect();
        let before = serde_json::json!({ "survivor": picture(survivor), "loser": picture(loser), "loser_keys": keys })
            .to_string();
        let id = self.entropy.id("mrg", self.now);
        let merge = redirects::Merge {
            id: &id,
            survivor,
            loser,
            at: self.now,
            why: why.as_str(),
            refused,
            event: &cause.event.text(),
            before: &before,
        };
        redirects::record(tx, &merge)
    }

    /// Contacts that became someone else in this batch: (loser, survivor).
    pub fn merges(&self) -> impl Iterator<Item = (&str, &str)> {
        self.merged.iter().map(|(loser, survivor)| (loser.as_str(), survivor.as_str()))
    }

    /// Writes changed contacts and new keys.
    pub fn save(&self, tx: &mut Tx<'_>) -> Result<()> {
        let changed = self.changed.iter().filter_map(|id| self.held.get(id));
        let (mut same, mut moved): (Vec<&Stored>, Vec<&Stored>) =
            changed.partition(|stored| self.same_place.contains(&stored.contact.id));
        contacts::save_values(tx, &mut same, self.now)?;
        contacts::save(tx, &mut moved, self.now)?;
        let keys: Vec<(&Key, &str)> = self.new_keys.iter().map(|(key, id)| (key, id.as_str())).collect();
        contact_keys::add(tx, &keys, self.now)
    }
}

/// An event, whose name is made only where it is wanted, or what else did it.
#[derive(Clone, Copy)]
pub enum Named<'a, 'c> {
    Event(&'a Item<'c>),
    Otherwise(&'a str),
}

impl Named<'_, '_> {
    fn text(self) -> String {
        match self {
            Self::Event(item) => item.name(),
            Self::Otherwise(text) => text.to_owned(),
        }
    }
}

/// What brought a merge about, for its record.
pub struct Cause<'a, 'c> {
    pub event: Named<'a, 'c>,
    pub rules: &'a Rules,
    /// The address that the event just gave the first of the two, as their own.
    pub address: Option<&'a str>,
}
