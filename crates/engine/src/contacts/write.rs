//! A contact made or changed by the API or the console.
//!
//! The rules of who may become one with whom are those of events: an address and an id of
//! the operator's own that name two contacts make them one, or are refused with the reason.
//! What changed is told to the sources that take events back (SPEC G2), and to destinations
//! as any change is. Nothing here makes a no into a yes.

use hogwire_model::contact::key::{self, normalise_address};
use hogwire_model::contact::merge::Why;
use hogwire_model::contact::{Key, KeyKind, Origin, timezone};
use hogwire_model::{Problem, Problems, Time};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::fanout;
use crate::outbox::{self, NewDelivery};
use crate::people::{Cause, Named, People};
use crate::runs::Runs;
use crate::store::contacts::Stored;
use crate::store::{Tx, audit};

/// The connection that ids of the operator's own belong to.
const OWN: &str = "api";
const MOST_ATTRIBUTES: usize = 200;
const LONGEST_VALUE: usize = 16 << 10;

/// What is said about a contact. What is not named stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Given {
    #[serde(alias = "address")]
    pub email: Option<String>,
    /// An id of the operator's own system.
    pub external: Option<String>,
    /// Empty takes it away.
    pub name: Option<String>,
    /// An IANA name; empty takes it away.
    pub time_zone: Option<String>,
    /// `null` takes a value away.
    pub attributes: Map<String, Value>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Wrote {
    pub id: String,
    pub made: bool,
    pub changed: bool,
}

/// What is given, checked and in its one spelling.
struct Checked {
    address: Option<String>,
    external: Option<Key>,
}

impl Engine {
    /// Makes a contact, or changes the one that has the address or the id.
    pub fn write_contact(&self, given: &Given, actor: &str, now: Time) -> Result<Wrote> {
        let wrote = self.store.write(|tx| self.write_contact_in(tx, given, actor, now))?;
        self.outside.wake.wake();
        Ok(wrote)
    }

    pub(crate) fn write_contact_in(&self, tx: &mut Tx<'_>, given: &Given, actor: &str, now: Time) -> Result<Wrote> {
        let checked = check(given)?;
        let keys: Vec<Key> = checked.keys().collect();
        if keys.is_empty() {
            let problem = Problem::error(
                "nobody_named",
                "email",
                "neither `email` nor `external` is given",
                "name the contact by one of them",
            );
            return Err(Error::Refused(Problems(vec![problem])));
        }
        let mut people = People::load(tx, &keys.iter().collect::<Vec<_>>(), &*self.outside.entropy, now)?;
        let mut found: Vec<String> = keys.iter().filter_map(|key| people.find(key)).map(str::to_owned).collect();
        found.dedup();
        let id = match found.as_slice() {
            [] => people.make(now),
            [one] => one.clone(),
            [first, second, ..] => self.join(tx, &mut people, first, second, checked.address.as_deref(), actor)?,
        };
        self.put(tx, people, id, given, &checked, actor, now)
    }

    /// Changes a contact that is there, by any of its names.
    pub fn change_contact(&self, named: &str, given: &Given, actor: &str, now: Time) -> Result<Wrote> {
        let checked = check(given)?;
        let wrote = self.store.write(|tx| {
            let id = self.find_contact(tx, named)?.ok_or_else(|| Error::Missing(format!("contact {named}")))?;
            let keys: Vec<Key> = checked.keys().collect();
            let mut people = People::load(tx, &keys.iter().collect::<Vec<_>>(), &*self.outside.entropy, now)?;
            people.hold(tx, &id)?;
            let mut survivor = id;
            for key in &keys {
                let holder = people.find(key).map(str::to_owned);
                if let Some(holder) = holder.filter(|holder| people.follow(holder) != people.follow(&survivor)) {
                    survivor = self.join(tx, &mut people, &survivor, &holder, checked.address.as_deref(), actor)?;
                }
            }
            self.put(tx, people, survivor, given, &checked, actor, now)
        })?;
        self.outside.wake.wake();
        Ok(wrote)
    }

    /// Two contacts that what was given says are one.
    fn join(
        &self,
        tx: &mut Tx<'_>,
        people: &mut People<'_>,
        a: &str,
        b: &str,
        address: Option<&str>,
        actor: &str,
    ) -> Result<String> {
        let rules = self.settings().merge_rules();
        let event = format!("api:{actor}");
        let cause = Cause { event: Named::Otherwise(&event), rules: &rules, address };
        let survivor = people.merge(tx, a, b, Why::SameAddress, &cause)?;
        if people.follow(a) == people.follow(b) {
            return Ok(survivor);
        }
        Err(Error::Conflict(format!(
            "the names belong to two contacts, {a} and {b}, and the rules of merging keep them apart"
        )))
    }

    #[allow(clippy::too_many_arguments, reason = "one contact's parts, given once")]
    fn put(
        &self,
        tx: &mut Tx<'_>,
        mut people: People<'_>,
        id: String,
        given: &Given,
        checked: &Checked,
        actor: &str,
        now: Time,
    ) -> Result<Wrote> {
        let mut runs = Runs::new(self, self.catalog(tx)?, now);
        fanout::settle_merges(&mut runs, tx, &mut people)?;
        for key in checked.keys() {
            people.add_key(&key, &id);
        }
        let made = people.was_made(&id);
        let stored = people.peek_mut(&id).ok_or_else(|| Error::Missing(format!("contact {id}")))?;
        let id = stored.contact.id.clone();
        let (changed, told) = apply(stored, given, checked, now);
        if changed || made {
            people.change(&id);
        }
        people.save(tx)?;
        runs.finish(tx)?;
        if changed || made {
            let aud = self.outside.entropy.id("aud", now);
            let names: Vec<&String> = given.attributes.keys().collect();
            let detail = json!({ "made": made, "attributes": names }).to_string();
            audit::record(tx, &aud, now, actor, "contact.write", &id, &detail)?;
            self.tell_sources(tx, &id, &aud, &told, now)?;
        }
        Ok(Wrote { id, made, changed: changed || made })
    }

    /// Attributes that changed here go to every source that takes events back.
    fn tell_sources(&self, tx: &mut Tx<'_>, id: &str, change: &str, told: &Told, now: Time) -> Result<()> {
        if told.set.is_empty() && told.unset.is_empty() {
            return Ok(());
        }
        let properties = json!({ "$set": told.set, "$unset": told.unset });
        let payload = json!({ "event": "$set", "properties": properties, "filled": true }).to_string();
        for (name, _) in self.settings().connections.iter().filter(|(_, connection)| connection.capture) {
            let delivery = NewDelivery {
                idempotency_key: &format!("{change}:{name}"),
                destination: name,
                kind: "capture",
                contact_id: id,
                campaign_id: "",
                enrollment_id: "",
                step: "",
                payload: &payload,
            };
            outbox::queue_delivery(tx, &delivery, &*self.outside.entropy, now)?;
        }
        Ok(())
    }
}

/// What changed of the attributes.
#[derive(Default)]
struct Told {
    set: Map<String, Value>,
    unset: Vec<String>,
}

fn apply(stored: &mut Stored, given: &Given, checked: &Checked, now: Time) -> (bool, Told) {
    let (mut changed, mut told) = (false, Told::default());
    if let Some(address) = &checked.address {
        changed |= stored.contact.address.as_ref() != Some(address) || stored.contact.address_from_event;
        stored.contact.address = Some(address.clone());
        stored.contact.address_from_event = false;
    }
    if checked.external.is_some() && !stored.contact.identified {
        stored.contact.identified = true;
        changed = true;
    }
    for (given, held) in [(&given.name, &mut stored.name), (&given.time_zone, &mut stored.zone)] {
        let Some(given) = given else { continue };
        let wanted = Some(key::cut(given.trim(), 200).to_owned()).filter(|text| !text.is_empty());
        changed |= *held != wanted;
        *held = wanted;
    }
    for (name, value) in &given.attributes {
        if stored.contact.attributes.set(name, value, now, Origin::Human) {
            changed = true;
            match value {
                Value::Null => told.unset.push(name.clone()),
                value => drop(told.set.insert(name.clone(), value.clone())),
            }
        }
    }
    (changed, told)
}

impl Checked {
    fn keys(&self) -> impl Iterator<Item = Key> {
        let by_address =
            self.address.clone().map(|value| Key { connection: String::new(), kind: KeyKind::Email, value });
        by_address.into_iter().chain(self.external.clone())
    }
}

fn check(given: &Given) -> Result<Checked> {
    let mut problems = Vec::new();
    let mut fault = |code: &str, path: &str, message: String, remedy: &str| {
        problems.push(Problem::error(code, path, message, remedy));
    };
    let address = given.email.as_deref().and_then(normalise_address);
    if let (Some(text), None) = (&given.email, &address) {
        fault("bad_address", "email", format!("`{text}` is not an address"), "write it like ada@example.com");
    }
    if let Some(id) = given.external.as_deref().filter(|id| key::is_illegal_id(id) || id.len() > key::MAX_VALUE) {
        fault("bad_id", "external", format!("`{id}` cannot be anybody's id"), "use the id of your own system");
    }
    if let Some(zone) = given.time_zone.as_deref().filter(|zone| !zone.is_empty() && timezone::named(zone).is_none()) {
        fault("bad_time_zone", "time_zone", format!("`{zone}` is not a time zone"), "write it like Europe/Berlin");
    }
    if given.attributes.len() > MOST_ATTRIBUTES {
        let message =
            format!("there are {} attributes; at most {MOST_ATTRIBUTES} are taken at once", given.attributes.len());
        fault("too_many", "attributes", message, "send them in several requests");
    }
    for (name, value) in &given.attributes {
        let path = format!("attributes.{name}");
        if name.trim().is_empty() || name.len() > key::MAX_VALUE {
            fault("bad_name", &path, "the name is empty or longer than 200 bytes".to_owned(), "use a shorter name");
        } else if value.to_string().len() > LONGEST_VALUE {
            fault("too_large", &path, "the value is larger than 16 KiB".to_owned(), "keep large values elsewhere");
        }
    }
    if !problems.is_empty() {
        return Err(Error::Refused(Problems(problems)));
    }
    let external = given.external.as_ref().filter(|id| !id.is_empty());
    let external =
        external.map(|value| Key { connection: OWN.to_owned(), kind: KeyKind::External, value: value.clone() });
    Ok(Checked { address, external })
}
