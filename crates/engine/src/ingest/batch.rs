//! The records of one batch as events: read, with echoes and duplicates taken out.

use std::collections::{BTreeMap, HashMap, HashSet};

use hogwire_connectors::Refusal;
use hogwire_model::Time;
use hogwire_model::contact::key::{self, MAX_VALUE};
use hogwire_model::contact::{Key, KeyKind};
use hogwire_model::event::{Event, Identity};
use hogwire_model::mapping::{Address, Mapping};

use crate::catalog::Catalog;
use crate::engine::Engine;
use crate::error::Result;
use crate::inbox::{Chunk, Stored};
use crate::store::{Tx, connections, events, set_aside};

pub struct Batch<'c> {
    pub items: Vec<Item<'c>>,
    /// Connections that only look: events are logged and mapped, nothing starts.
    testing: HashSet<String>,
    /// What arrived up to then is history: it changes what is known and starts nothing.
    history_until: Time,
    pub duplicates: usize,
    pub echoes: usize,
}

/// One event on its way through the step.
pub struct Item<'c> {
    pub connection: &'c str,
    pub place: &'c str,
    pub event: Event<'c>,
    /// Every legal key the event names its contact by, strongest first.
    pub keys: Vec<Key>,
    pub address: Option<Address>,
    /// The address as a key.
    pub address_key: Option<Key>,
    /// The other name that the event says is the same contact.
    pub other_key: Option<Key>,
    /// Who it was; set by `identify`.
    pub contact: Option<String>,
    /// It was indexed when it arrived, and only now becomes known.
    pub is_past: bool,
}

impl Item<'_> {
    /// `connection:uuid`: how decisions and enrollments name the event.
    pub fn name(&self) -> String {
        format!("{}:{}", self.connection, self.event.uuid)
    }

    /// Every key that may name somebody whom the event concerns.
    pub fn all_keys(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter().chain(&self.address_key).chain(&self.other_key)
    }
}

impl<'c> Batch<'c> {
    /// Reads a chunk. What cannot be read is set aside with its reason.
    pub fn read(engine: &Engine, tx: &mut Tx<'_>, catalog: &Catalog, chunk: &'c Chunk) -> Result<Self> {
        let settings = engine.settings();
        let mut batch = Self {
            items: Vec::with_capacity(chunk.records.len()),
            testing: testing(tx)?,
            history_until: crate::backup::history_until(tx)?,
            duplicates: 0,
            echoes: 0,
        };
        for stored in &chunk.records {
            match super::read_stored(stored) {
                Ok(event) if event.own => batch.echoes += 1,
                Ok(event) => {
                    batch.items.push(item(catalog.mapping(&settings, &stored.connection), stored, event, false))
                }
                Err(refusal) => set_one_aside(engine, tx, stored, &refusal)?,
            }
        }
        batch.refuse_duplicates(tx)?;
        Ok(batch)
    }

    /// Reads events that arrived earlier and are known only now.
    pub fn of_past(engine: &Engine, catalog: &Catalog, bodies: &'c [Stored]) -> Result<Self> {
        let settings = engine.settings();
        let read = bodies.iter().filter_map(|stored| Some((stored, super::read_stored(stored).ok()?)));
        let items = read
            .map(|(stored, event)| item(catalog.mapping(&settings, &stored.connection), stored, event, true))
            .collect();
        Ok(Self {
            items,
            testing: HashSet::new(),
            history_until: Time::from_millis(i64::MIN),
            duplicates: 0,
            echoes: 0,
        })
    }

    /// Whether the item may start or wake anything.
    pub fn may_start(&self, item: &Item<'_>) -> bool {
        let is_history = item.event.arrived <= self.history_until;
        !is_history && !self.testing.contains(item.connection) && !item.event.test
    }

    fn refuse_duplicates(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        let mut by_connection: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for item in &self.items {
            by_connection.entry(item.connection).or_default().push(&item.event.uuid);
        }
        let mut seen: HashMap<String, HashSet<String>> = HashMap::new();
        for (connection, mut uuids) in by_connection {
            uuids.sort_unstable();
            seen.insert(connection.to_owned(), events::seen(tx, connection, uuids)?);
        }
        let before = self.items.len();
        self.items.retain(|item| {
            let seen = seen.entry(item.connection.to_owned()).or_default();
            seen.insert(item.event.uuid.clone().into_owned())
        });
        self.duplicates = before - self.items.len();
        Ok(())
    }
}

fn testing(tx: &mut Tx<'_>) -> Result<HashSet<String>> {
    Ok(connections::all(tx)?.into_iter().filter(|c| c.status == connections::Status::Testing).map(|c| c.name).collect())
}

fn item<'c>(mapping: &Mapping, stored: &'c Stored, event: Event<'c>, is_past: bool) -> Item<'c> {
    let keys = event
        .keys
        .iter()
        .filter(|(_, value)| !key::is_illegal_id(value))
        .map(|(kind, value)| Key {
            connection: stored.connection.clone(),
            kind: *kind,
            value: key::cut(value, MAX_VALUE).to_owned(),
        })
        .collect();
    let address = mapping.address(&event);
    Item {
        connection: &stored.connection,
        place: &stored.place,
        keys,
        address_key: address.as_ref().map(address_key),
        address,
        other_key: other_key(&stored.connection, &event),
        event,
        contact: None,
        is_past,
    }
}

/// Addresses join people across connections: their keys name none.
fn address_key(address: &Address) -> Key {
    Key { connection: String::new(), kind: KeyKind::Email, value: address.address.clone() }
}

fn other_key(connection: &str, event: &Event<'_>) -> Option<Key> {
    let (Identity::Absorb { other } | Identity::Force { other }) = event.identity.as_ref()?;
    Some(Key { connection: connection.to_owned(), kind: KeyKind::Visitor, value: other.clone().into_owned() })
}

fn set_one_aside(engine: &Engine, tx: &mut Tx<'_>, stored: &Stored, refusal: &Refusal) -> Result<()> {
    set_aside::add(tx, &engine.outside.entropy.id("sas", stored.arrived), stored, refusal)
}
