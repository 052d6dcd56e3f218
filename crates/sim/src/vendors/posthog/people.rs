//! People as PostHog keeps them: distinct ids that point at a person, properties by `$set`,
//! merges that make one person's uuid disappear.

use std::collections::{BTreeMap, HashMap};

use hogwire_model::Time;
use serde_json::{Map, Value, json};

use super::Captured;

#[derive(Default)]
pub struct People {
    by_id: HashMap<String, String>,
    people: BTreeMap<String, Person>,
    /// How often anything changed.
    changes: u64,
    now: Time,
}

#[derive(Clone, Debug)]
pub struct Person {
    pub uuid: String,
    pub properties: Map<String, Value>,
    pub identified: bool,
    pub created_at: Time,
}

/// Ids that PostHog never merges by.
const ILLEGAL: &[&str] =
    &["anonymous", "guest", "distinctid", "distinct_id", "id", "email", "undefined", "null", "none"];

impl People {
    /// Lets an event change its person. Events without a profile change nobody.
    pub fn see(&mut self, event: &Captured) {
        if event.properties.get("$process_person_profile") == Some(&Value::Bool(false)) {
            return;
        }
        self.changes += 1;
        self.now = event.captured_at;
        let uuid = self.person_of(&event.distinct_id);
        match event.event.as_str() {
            "$identify" => {
                if let Some(Value::String(anonymous)) = event.properties.get("$anon_distinct_id") {
                    self.merge(&event.distinct_id, anonymous, false);
                }
                self.mark_identified(&event.distinct_id);
            }
            "$create_alias" => self.alias(event, false),
            "$merge_dangerously" => self.alias(event, true),
            _ => {}
        }
        let uuid = self.by_id.get(&event.distinct_id).cloned().unwrap_or(uuid);
        if let Some(person) = self.people.get_mut(&uuid) {
            change(&mut person.properties, &event.properties);
        }
    }

    pub fn changes(&self) -> u64 {
        self.changes
    }

    pub fn all(&self) -> impl Iterator<Item = &Person> {
        self.people.values()
    }

    /// Every distinct id with its person's uuid.
    pub fn ids(&self) -> impl Iterator<Item = (&str, &str)> {
        self.by_id.iter().map(|(id, uuid)| (id.as_str(), uuid.as_str()))
    }

    /// Deletes a person. Their ids and events stay behind.
    pub fn remove(&mut self, distinct_id: &str) {
        if let Some(uuid) = self.by_id.get(distinct_id) {
            self.people.remove(uuid);
            self.changes += 1;
        }
    }

    pub fn of(&self, distinct_id: &str) -> Option<&Person> {
        self.people.get(self.by_id.get(distinct_id)?)
    }

    fn person_of(&mut self, distinct_id: &str) -> String {
        if let Some(uuid) = self.by_id.get(distinct_id) {
            return uuid.clone();
        }
        let uuid = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, distinct_id.as_bytes()).to_string();
        self.by_id.insert(distinct_id.to_owned(), uuid.clone());
        let person = Person { uuid: uuid.clone(), properties: Map::new(), identified: false, created_at: self.now };
        self.people.insert(uuid.clone(), person);
        uuid
    }

    fn mark_identified(&mut self, distinct_id: &str) {
        let uuid = self.person_of(distinct_id);
        if let Some(person) = self.people.get_mut(&uuid) {
            person.identified = true;
        }
    }

    fn alias(&mut self, event: &Captured, force: bool) {
        if let Some(Value::String(alias)) = event.properties.get("alias") {
            self.merge(&event.distinct_id, alias, force);
        }
    }

    fn merge(&mut self, kept: &str, lost: &str, force: bool) {
        if ILLEGAL.contains(&lost.to_lowercase().as_str()) || ILLEGAL.contains(&kept.to_lowercase().as_str()) {
            return;
        }
        let (into, from) = (self.person_of(kept), self.person_of(lost));
        let refused = self.people.get(&from).is_some_and(|person| person.identified) && !force;
        if into == from || refused {
            return;
        }
        let Some(gone) = self.people.remove(&from) else { return };
        if let Some(person) = self.people.get_mut(&into) {
            for (name, value) in gone.properties {
                person.properties.entry(name).or_insert(value);
            }
        }
        for uuid in self.by_id.values_mut() {
            if *uuid == from {
                into.clone_into(uuid);
            }
        }
    }
}

fn change(held: &mut Map<String, Value>, event: &Map<String, Value>) {
    let object = |name: &str| event.get(name).and_then(Value::as_object);
    for (name, value) in object("$set_once").into_iter().flatten() {
        held.entry(name.clone()).or_insert_with(|| value.clone());
    }
    for (name, value) in object("$set").into_iter().flatten() {
        held.insert(name.clone(), value.clone());
    }
    for name in event.get("$unset").and_then(Value::as_array).into_iter().flatten() {
        if let Some(name) = name.as_str() {
            held.remove(name);
        }
    }
}

impl Person {
    pub fn picture(&self, app: &str, project: u64, distinct_id: &str) -> Value {
        let name = self.properties.get("email").and_then(Value::as_str).unwrap_or(distinct_id);
        json!({
            "id": self.uuid,
            "properties": self.properties,
            "name": name,
            "url": format!("{app}/project/{project}/person/{distinct_id}"),
        })
    }
}
