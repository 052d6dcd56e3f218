//! Erasing somebody: here, in the log of what arrived, and at every destination, each with
//! a receipt (SPEC B13).
//!
//! The journal is written first, so that no restore brings the person back. What stays is a
//! keyed hash of the address, so that nobody writes to it again and a late event does not
//! make the person anew. Payloads in the log are blanked by a job, a segment at a time.

use std::collections::{BTreeSet, HashSet};

use hogwire_model::Time;
use hogwire_model::contact::consent::{SuppressionReason, address_hash};
use hogwire_model::contact::{Key, KeyKind};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::jobs::queue;
use crate::jobs::tend::After;
use crate::journal::Note;
use crate::store::erasures::{self, Erasure, Receipt};
use crate::store::suppressions::Entry;
use crate::store::{Tx, audit, contact_keys, contacts, jobs, mirrors, redirects, settings as kept, suppressions};

/// Set once somebody was erased: only then are new addresses looked up.
pub const ANYBODY: &str = "erased_anybody";
/// Places of the log that one job blanks.
const PLACES: usize = 5_000;

/// An erasure and what each place answered so far.
#[derive(Clone, Debug, Serialize)]
pub struct Erased {
    #[serde(flatten)]
    pub erasure: Erasure,
    pub receipts: Vec<Receipt>,
}

#[derive(Serialize, Deserialize)]
struct Blank {
    erasure: String,
    places: Vec<String>,
}

impl Engine {
    /// Erases a contact. What other places answer comes later, into the receipts.
    pub fn erase_contact(&self, named: &str, actor: &str, now: Time) -> Result<Erased> {
        let erased = self.store.write(|tx| {
            let id = self.find_contact(tx, named)?.ok_or_else(|| Error::Missing(format!("contact {named}")))?;
            self.erase(tx, &id, actor, now)
        })?;
        self.outside.wake.wake();
        Ok(erased)
    }

    fn erase(&self, tx: &mut Tx<'_>, id: &str, actor: &str, now: Time) -> Result<Erased> {
        let ids = redirects::everyone(tx, id)?;
        let (addresses, visitors) = self.names_of(tx, id)?;
        let key = self.keyring.derive(b"addresses");
        let hashes: Vec<String> = addresses.iter().map(|address| address_hash(address, &key)).collect();
        let notes = hashes.iter().map(|hash| Note::Erased { address_hash: hash.clone() });
        self.journal.append(notes.collect(), now)?;
        let erasure = Erasure {
            id: self.outside.entropy.id("ers", now),
            contact_id: id.to_owned(),
            at: now,
            actor: actor.to_owned(),
        };
        erasures::add(tx, &erasure)?;
        let places = erasures::places(tx, &ids)?;
        let mut receipts = self.receipts_elsewhere(tx, id, &visitors)?;
        let rows = self.blank(tx, &ids, &addresses, &hashes, now)?;
        for (n, some) in places.chunks(PLACES).enumerate() {
            let payload = Blank { erasure: erasure.id.clone(), places: some.to_vec() };
            let payload = json!(payload).to_string();
            queue::put(
                tx,
                &*self.outside.entropy,
                "blank_log",
                &format!("blank_log:{}:{n}", erasure.id),
                &payload,
                now,
                now,
            )?;
        }
        let answer = format!("{rows} rows, {} payloads in the log", places.len());
        receipts.insert(0, receipt("here", "done", &answer, String::new(), Some(now)));
        for receipt in &receipts {
            let due = (receipt.status == "pending").then_some(now);
            erasures::add_receipt(tx, &erasure.id, receipt, due)?;
        }
        let aud = self.outside.entropy.id("aud", now);
        audit::record(tx, &aud, now, actor, "contact.erase", id, &json!({ "erasure": erasure.id }).to_string())?;
        let receipts = erasures::receipts(tx, &erasure.id)?;
        Ok(Erased { erasure, receipts })
    }

    /// Addresses, and ids by connection, that the contact answers to.
    fn names_of(&self, tx: &mut Tx<'_>, id: &str) -> Result<(BTreeSet<String>, Vec<Key>)> {
        let stored = contacts::find(tx, id)?.ok_or_else(|| Error::Missing(format!("contact {id}")))?;
        let mut addresses: BTreeSet<String> = stored.contact.address.into_iter().collect();
        let mut others = Vec::new();
        for key in contact_keys::of_contact(tx, id)? {
            match key.kind {
                KeyKind::Email => drop(addresses.insert(key.value)),
                _ => others.push(key),
            }
        }
        Ok((addresses, others))
    }

    fn receipts_elsewhere(&self, tx: &mut Tx<'_>, id: &str, names: &[Key]) -> Result<Vec<Receipt>> {
        let settings = self.settings();
        let mut receipts = Vec::new();
        let told = mirrors::of_contact(tx, id)?;
        for name in settings.destinations.keys() {
            let known = told.iter().find(|row| row.destination == *name);
            receipts.push(match known {
                Some(known) if !known.address.is_empty() => {
                    let subject = json!({ "address": known.address, "id": known.by_id.then_some(id) }).to_string();
                    receipt(name, "pending", "", subject, None)
                }
                _ => receipt(name, "done", "was never told about this contact", String::new(), None),
            });
        }
        for (name, connection) in settings.connections.iter().filter(|(_, held)| !held.app_host.is_empty()) {
            let own = names.iter().filter(|key| key.connection == *name && key.kind == KeyKind::Visitor);
            let ids: Vec<&str> = own.map(|key| key.value.as_str()).collect();
            if ids.is_empty() {
                receipts.push(receipt(name, "done", "does not know this contact", String::new(), None));
                continue;
            }
            let answer = format!("remove the person at {} by one of its ids: {}", connection.app_host, ids.join(", "));
            let subject = json!({ "ids": ids }).to_string();
            receipts.push(receipt(name, "by_hand", &answer, subject, None));
        }
        Ok(receipts)
    }

    /// Everything in the database but the receipts.
    fn blank(
        &self,
        tx: &mut Tx<'_>,
        ids: &[String],
        addresses: &BTreeSet<String>,
        hashes: &[String],
        now: Time,
    ) -> Result<u64> {
        let keys = contact_keys::of_contact(tx, &ids[0])?;
        for kind in KeyKind::ALL {
            let values: Vec<&str> = keys.iter().filter(|key| key.kind == kind).map(|key| key.value.as_str()).collect();
            erasures::forget_waiting(tx, kind.as_str(), values)?;
        }
        let nobody = self.outside.entropy.id("erased", now);
        let rows = erasures::blank(tx, ids, &nobody, now)?;
        for (address, hash) in addresses.iter().zip(hashes) {
            erasures::blank_address(tx, address)?;
            let entry = Entry {
                address_hash: hash.clone(),
                topic: String::new(),
                reason: SuppressionReason::Erased,
                address: None,
                source: "erasure".to_owned(),
                at: now,
            };
            suppressions::add(tx, &entry)?;
            erasures::forget_spelling(tx, hash)?;
        }
        kept::set(tx, ANYBODY, "1", now)?;
        Ok(rows)
    }

    /// An erasure by its own id, or the newest of a contact's id.
    pub fn erasure(&self, named: &str) -> Result<Option<Erased>> {
        let mut tx = self.store.read()?;
        let found = match erasures::find(&mut tx, named)? {
            Some(found) => Some(found),
            None => erasures::of_contact(&mut tx, named)?,
        };
        let Some(erasure) = found else { return Ok(None) };
        let receipts = erasures::receipts(&mut tx, &erasure.id)?;
        Ok(Some(Erased { erasure, receipts }))
    }

    pub fn erasures(&self, before: Option<Time>, asked: Option<usize>) -> Result<Vec<Erased>> {
        let mut tx = self.store.read()?;
        let before = before.unwrap_or(Time::from_millis(i64::MAX));
        let found = erasures::newest(&mut tx, before, crate::views::limit(asked))?;
        found
            .into_iter()
            .map(|erasure| {
                let receipts = erasures::receipts(&mut tx, &erasure.id)?;
                Ok(Erased { erasure, receipts })
            })
            .collect()
    }

    /// A person has done by hand what a receipt asked for, or wants another try.
    pub fn settle_receipt(&self, erasure: &str, place: &str, is_done: bool, actor: &str, now: Time) -> Result<Erased> {
        self.store.write(|tx| {
            let receipts = erasures::receipts(tx, erasure)?;
            let held = receipts.iter().find(|receipt| receipt.place == place);
            let open = held.ok_or_else(|| Error::Missing(format!("receipt of {place}")))?.status != "done";
            match (open, is_done) {
                (false, _) => return Err(Error::Conflict(format!("{place} has answered already"))),
                (true, true) => {
                    erasures::settle(tx, erasure, place, "done", &format!("done by hand, says {actor}"), None, now)?
                }
                (true, false) if !erasures::retry(tx, erasure, place, now)? => {
                    return Err(Error::Conflict(format!("{place} cannot be asked again")));
                }
                (true, false) => {}
            }
            let aud = self.outside.entropy.id("aud", now);
            let detail = json!({ "place": place, "done": is_done }).to_string();
            audit::record(tx, &aud, now, actor, "erasure.settle", erasure, &detail)
        })?;
        self.outside.wake.wake();
        self.erasure(erasure)?.ok_or_else(|| Error::Missing(format!("erasure {erasure}")))
    }

    /// Removes a contact here alone: what is known, its names, its runs. Nothing is said to
    /// anybody else, and a later event may make it again.
    pub fn remove_contact(&self, named: &str, actor: &str, now: Time) -> Result<()> {
        self.store.write(|tx| {
            let id = self.find_contact(tx, named)?.ok_or_else(|| Error::Missing(format!("contact {named}")))?;
            let ids = redirects::everyone(tx, &id)?;
            erasures::remove(tx, &ids, now)?;
            let aud = self.outside.entropy.id("aud", now);
            audit::record(tx, &aud, now, actor, "contact.remove", &id, "{}")
        })
    }
}

fn receipt(place: &str, status: &str, answer: &str, subject: String, settled_at: Option<Time>) -> Receipt {
    Receipt {
        place: place.to_owned(),
        status: status.to_owned(),
        answer: answer.to_owned(),
        attempts: 0,
        settled_at,
        subject,
    }
}

/// The job that blanks payloads in the log, one segment of it each time.
pub fn blank_log(engine: &Engine, tx: &mut Tx<'_>, job: &jobs::Job, now: Time) -> Result<After> {
    let mut blank: Blank =
        serde_json::from_str(&job.payload).map_err(|error| Error::Corrupt { what: "job", why: error.to_string() })?;
    blank.places = engine.inbox.blank(tx, &blank.places)?;
    if blank.places.is_empty() {
        return Ok(After::Done);
    }
    Ok(After::Again { payload: json!(blank).to_string(), due: now })
}

/// Erases once more whom a restored database has brought back.
pub fn again_after_restore(engine: &Engine, tx: &mut Tx<'_>, erased: &HashSet<&str>, now: Time) -> Result<usize> {
    if erased.is_empty() {
        return Ok(0);
    }
    let key = engine.keyring.derive(b"addresses");
    let (mut after, mut count) = ((Time::from_millis(i64::MIN), String::new()), 0);
    loop {
        let page = contacts::page(tx, (after.0, &after.1), 1_000)?;
        let Some(last) = page.last() else { return Ok(count) };
        after = (last.contact.created_at, last.contact.id.clone());
        for stored in &page {
            let is_erased = |address: &String| erased.contains(address_hash(address, &key).as_str());
            if stored.contact.address.as_ref().is_some_and(is_erased) {
                engine.erase(tx, &stored.contact.id, "restore", now)?;
                count += 1;
            }
        }
    }
}
