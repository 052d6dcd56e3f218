//! A connection's field mapping as people see and change it (SPEC A5): the one in force, its
//! versions, and what another would make of the newest events before it is saved.

use std::borrow::Cow;

use hogwire_model::Time;
use hogwire_model::mapping::Mapping;
use serde::Serialize;

use crate::campaigns::moved;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::store::{Tx, audit, events, mappings};

/// Events that a preview looks at.
const NEWEST: usize = 50;

#[derive(Debug, Serialize)]
pub struct InForce {
    pub connection: String,
    /// 0 where it is that of the settings.
    pub version: i64,
    pub mapping: Mapping,
    pub versions: Vec<VersionLine>,
}

#[derive(Debug, Serialize)]
pub struct VersionLine {
    pub version: i64,
    pub created_at: Time,
    pub created_by: String,
}

/// One event, mapped as it is now and as it would be.
#[derive(Debug, Serialize)]
pub struct Tried {
    /// `connection:uuid`.
    pub id: String,
    pub event: String,
    pub at: Time,
    pub now: Read,
    pub then: Read,
}

/// What a mapping reads out of an event.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Read {
    pub address: Option<String>,
    /// `contact` or `event`.
    pub address_from: Option<&'static str>,
    pub name: Option<String>,
    pub zone: Option<String>,
}

impl Engine {
    pub fn mapping(&self, connection: &str) -> Result<InForce> {
        let mut tx = self.store.read()?;
        self.known_connection(connection)?;
        let mapping = self.mapping_in_force(&mut tx, connection)?;
        let held = mappings::versions(&mut tx, connection)?;
        Ok(InForce {
            connection: connection.to_owned(),
            version: held.first().map_or(0, |newest| newest.version),
            mapping,
            versions: held
                .into_iter()
                .map(|v| VersionLine { version: v.version, created_at: v.created_at, created_by: v.created_by })
                .collect(),
        })
    }

    /// Makes a new version, in force for every event decided from now on.
    pub fn save_mapping(&self, connection: &str, mapping: &Mapping, actor: &str, now: Time) -> Result<i64> {
        self.known_connection(connection)?;
        let definition = serde_json::to_string(mapping)
            .map_err(|error| Error::Corrupt { what: "mapping", why: error.to_string() })?;
        self.store.write(|tx| {
            let version = mappings::add(tx, connection, &definition, actor, now)?;
            let id = self.outside.entropy.id("aud", now);
            audit::record(tx, &id, now, actor, "connection.mapping", connection, &version.to_string())?;
            moved(tx, now)?;
            Ok(version)
        })
    }

    /// What a mapping would read out of the connection's newest events.
    pub fn try_mapping(&self, connection: &str, wanted: &Mapping) -> Result<Vec<Tried>> {
        self.known_connection(connection)?;
        let mut tx = self.store.read()?;
        let held = self.mapping_in_force(&mut tx, connection)?;
        let search = events::Wanted { connection: Some(connection), ..events::Wanted::default() };
        let mut tried = Vec::new();
        for row in events::search(&mut tx, &search, NEWEST)? {
            let Some(stored) = self.inbox.fetch(&self.store, &row.place)? else { continue };
            let Ok(event) = crate::ingest::read_stored(&stored) else { continue };
            tried.push(Tried {
                id: format!("{connection}:{}", row.uuid),
                event: row.name,
                at: row.at,
                now: read(&held, &event),
                then: read(wanted, &event),
            });
        }
        Ok(tried)
    }

    fn mapping_in_force(&self, tx: &mut Tx<'_>, connection: &str) -> Result<Mapping> {
        let catalog = self.catalog(tx)?;
        Ok(catalog.mapping(&self.settings(), connection).clone())
    }

    fn known_connection(&self, name: &str) -> Result<()> {
        if self.settings().connections.contains_key(name) {
            return Ok(());
        }
        Err(Error::Missing(format!("connection {name}")))
    }
}

fn read(mapping: &Mapping, event: &hogwire_model::event::Event<'_>) -> Read {
    let address = mapping.address(event);
    Read {
        address_from: address.as_ref().map(|address| address.from.as_str()),
        address: address.map(|address| address.address),
        name: mapping.name(event).map(Cow::into_owned),
        zone: mapping.zone(event, None).map(Cow::into_owned),
    }
}
