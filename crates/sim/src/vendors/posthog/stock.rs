//! The stand-in's data as queries see it: what was captured since the last look is written
//! into the warehouse's tables, and persons are shown as the REST lists show them.

use std::collections::BTreeSet;

use hogwire_model::Time;
use rusqlite::params;
use serde_json::{Value, json};

use super::PostHog;
use super::hogql::Warehouse;

impl PostHog {
    /// The tables that queries run over, brought up to date.
    pub fn warehouse(&mut self, now: Time) -> &Warehouse {
        self.sync_warehouse(now);
        match &self.private.warehouse {
            Some(warehouse) => warehouse,
            None => unreachable!("it was made a line above"),
        }
    }

    pub(super) fn sync_warehouse(&mut self, _: Time) {
        let warehouse = match self.private.warehouse.take() {
            Some(held) => held,
            None => match Warehouse::new() {
                Ok(fresh) => fresh,
                Err(error) => panic!("the stand-in's database does not open: {error}"),
            },
        };
        let (events, people, stamp) = self.private.synced;
        let mut written = self.write_events(&warehouse, events);
        if people != self.people.changes() {
            written = written.and_then(|()| self.write_people(&warehouse));
        }
        if stamp != self.private.stamp {
            written = written.and_then(|()| self.write_cohorts(&warehouse));
        }
        if let Err(error) = written {
            panic!("the stand-in's data cannot be written: {error}");
        }
        self.private.synced = (self.events.len(), self.people.changes(), self.private.stamp);
        self.private.warehouse = Some(warehouse);
    }

    fn write_events(&self, warehouse: &Warehouse, from: usize) -> rusqlite::Result<()> {
        let tx = warehouse.connection.unchecked_transaction()?;
        let mut insert = tx.prepare_cached("INSERT OR IGNORE INTO events VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
        for event in &self.events[from..] {
            let properties = Value::Object(event.properties.clone()).to_string();
            let (at, stored) = (event.timestamp.millis() * 1_000, event.captured_at.millis() * 1_000);
            insert.execute(params![event.uuid, event.event, event.distinct_id, properties, at, stored])?;
        }
        drop(insert);
        tx.commit()
    }

    fn write_people(&self, warehouse: &Warehouse) -> rusqlite::Result<()> {
        let tx = warehouse.connection.unchecked_transaction()?;
        tx.execute_batch("DELETE FROM persons; DELETE FROM ids;")?;
        let mut insert = tx.prepare_cached("INSERT INTO persons VALUES (?1, ?2, ?3, ?4)")?;
        for held in self.people.all() {
            let properties = Value::Object(held.properties.clone()).to_string();
            insert.execute(params![held.uuid, held.created_at.millis() * 1_000, properties, held.identified])?;
        }
        drop(insert);
        let mut insert = tx.prepare_cached("INSERT INTO ids VALUES (?1, ?2)")?;
        for (id, uuid) in self.people.ids() {
            insert.execute(params![id, uuid])?;
        }
        drop(insert);
        tx.commit()
    }

    fn write_cohorts(&self, warehouse: &Warehouse) -> rusqlite::Result<()> {
        let tx = warehouse.connection.unchecked_transaction()?;
        tx.execute_batch("DELETE FROM members;")?;
        let mut insert = tx.prepare_cached("INSERT INTO members VALUES (?1, ?2, ?3)")?;
        for cohort in self.private.cohorts.values() {
            for member in &cohort.members {
                insert.execute(params![cohort.id, member, cohort.is_static])?;
            }
        }
        drop(insert);
        tx.commit()
    }

    /// Persons as the lists have them. A null stands for a row that is dropped after paging.
    pub(super) fn people_json(&self, only: Option<&BTreeSet<String>>) -> Vec<Value> {
        let mut ids: std::collections::HashMap<&str, Vec<&str>> = std::collections::HashMap::new();
        for (id, uuid) in self.people.ids() {
            ids.entry(uuid).or_default().push(id);
        }
        let wanted = self.people.all().filter(|held| only.is_none_or(|only| only.contains(&held.uuid)));
        let mut rows = Vec::new();
        for (n, held) in wanted.enumerate() {
            if n % 7 == 6 {
                rows.push(Value::Null);
            }
            let most = if only.is_some() { 10 } else { usize::MAX };
            let ids: Vec<&&str> = ids.get(held.uuid.as_str()).into_iter().flatten().take(most).collect();
            rows.push(json!({
                "type": "person", "id": held.uuid, "uuid": held.uuid, "created_at": held.created_at.to_string(),
                "properties": held.properties, "is_identified": held.identified, "name": "", "distinct_ids": ids,
                "matched_recordings": [], "value_at_data_point": null,
            }));
        }
        rows
    }
}
