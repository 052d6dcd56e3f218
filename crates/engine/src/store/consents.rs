//! What contacts have said about topics. The topic `*` stands for everything at once.
//!
//! Writing goes through `say` alone, which never lets a sync, an import or an older word
//! turn a no into a yes.

use std::collections::HashMap;

use hogwire_model::contact::consent::{self, ConsentState, Said};

pub use hogwire_model::contact::consent::Consent;

use super::{Row, Tx, params};
use crate::error::{Error, Result};

/// A word on this topic is one on every topic.
pub const EVERYTHING: &str = "*";

pub fn of_contact(tx: &mut Tx<'_>, contact_id: &str) -> Result<Vec<Consent>> {
    tx.all(
        "SELECT topic, state, at, source, wording FROM consents WHERE contact_id = $1 ORDER BY topic LIMIT 1000",
        &params![contact_id],
        |row| read(row, 0),
    )
}

pub fn of_contacts(tx: &mut Tx<'_>, contacts: Vec<&str>) -> Result<HashMap<String, Vec<Consent>>> {
    let rows = tx.all(
        "SELECT contact_id, topic, state, at, source, wording FROM consents WHERE contact_id {any $1}
         ORDER BY contact_id, topic",
        &params![contacts],
        |row| Ok((row.text(0)?, read(row, 1)?)),
    )?;
    let mut found: HashMap<String, Vec<Consent>> = HashMap::new();
    for (contact, consent) in rows {
        found.entry(contact).or_default().push(consent);
    }
    Ok(found)
}

/// What holds for one topic: the newer of the word on it and the word on everything. Of
/// two equally old ones the no holds.
pub fn state(words: &[Consent], topic: &str) -> ConsentState {
    let on = |name: &str| words.iter().find(|word| word.topic == name);
    match (on(topic), on(EVERYTHING)) {
        (Some(own), Some(all)) => consent::stronger(own, all).state,
        (Some(word), None) | (None, Some(word)) => word.state,
        (None, None) => ConsentState::Unknown,
    }
}

/// Takes over a contact's word where the rules let it. Answers whether anything changed.
pub fn say(tx: &mut Tx<'_>, contact_id: &str, word: &Consent, said: Said) -> Result<bool> {
    if word.state == ConsentState::Unknown {
        return Ok(false);
    }
    let held = of_contact(tx, contact_id)?;
    if let Some(own) = held.iter().find(|held| held.topic == word.topic) {
        // An older word never stands against a newer one; of two as old the no holds.
        let newer = consent::stronger(own, word) == word && own != word;
        if own.state == word.state || !newer {
            return Ok(false);
        }
    }
    if !consent::may_replace(state(&held, &word.topic), word.state, said) {
        return Ok(false);
    }
    put(tx, contact_id, word)?;
    Ok(true)
}

/// A merge: of two words on one topic the one that `stronger` names stays with the survivor.
pub fn fold(tx: &mut Tx<'_>, loser: &str, survivor: &str) -> Result<()> {
    let kept = of_contact(tx, survivor)?;
    for word in of_contact(tx, loser)? {
        let own = kept.iter().find(|held| held.topic == word.topic);
        if own.is_none_or(|own| consent::stronger(own, &word) == &word) {
            put(tx, survivor, &word)?;
        }
    }
    remove_of(tx, loser)
}

pub fn remove_of(tx: &mut Tx<'_>, contact_id: &str) -> Result<()> {
    tx.execute("DELETE FROM consents WHERE contact_id = $1", &params![contact_id])?;
    Ok(())
}

fn put(tx: &mut Tx<'_>, contact_id: &str, word: &Consent) -> Result<()> {
    tx.execute(
        "INSERT INTO consents (contact_id, topic, state, source, at, wording) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (contact_id, topic) DO UPDATE SET state = excluded.state, source = excluded.source,
             at = excluded.at, wording = excluded.wording",
        &params![contact_id, &word.topic, word.state.as_str(), &word.source, word.at, &word.text],
    )?;
    Ok(())
}

fn read(row: &Row<'_>, from: usize) -> Result<Consent> {
    let state = row.str(from + 1)?;
    Ok(Consent {
        topic: row.text(from)?,
        state: ConsentState::parse(state).ok_or_else(|| Error::Corrupt { what: "consent", why: state.to_owned() })?,
        at: row.time(from + 2)?,
        source: row.text(from + 3)?,
        text: row.text(from + 4)?,
    })
}
