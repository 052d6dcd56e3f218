//! What people look at: the event log, contacts, campaigns, messages. Reading only; the
//! API and the console show the same answers.

pub mod campaigns;
pub mod contacts;
pub mod destinations;
pub mod events;
pub mod health;
pub mod messages;
pub mod overview;
pub mod templates;

use serde::Serialize;

use crate::engine::Engine;
use crate::error::Result;
use crate::store::Tx;

/// One page of a list. `next` is handed back to read on; nothing means the end.
#[derive(Clone, Debug, Serialize)]
pub struct Page<T> {
    pub items: Vec<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Lists show 50 rows by default and 500 at most.
pub const DEFAULT_LIMIT: usize = 50;
pub const MOST: usize = 500;

pub fn limit(asked: Option<usize>) -> usize {
    asked.unwrap_or(DEFAULT_LIMIT).clamp(1, MOST)
}

impl<T> Page<T> {
    /// Cuts a list that was read with one row more than asked.
    pub fn cut(mut items: Vec<T>, limit: usize, cursor: impl Fn(&T) -> String) -> Self {
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(cursor);
        Self { items, next }
    }
}

/// Splits a cursor of the form `number:text`.
fn place(cursor: Option<&str>) -> Option<(i64, &str)> {
    let (number, text) = cursor?.split_once(':')?;
    Some((number.parse().ok()?, text))
}

impl Engine {
    /// The contact that somebody means who types into a search field: our id, an address, or
    /// a bare id of any kind.
    pub(crate) fn meant(&self, tx: &mut Tx<'_>, named: &str) -> Result<Option<String>> {
        let named = named.trim();
        if named.is_empty() {
            return Ok(None);
        }
        if let Some(id) = self.find_contact(tx, named)? {
            return Ok(Some(id));
        }
        for kind in ["distinct_id", "external", "person_id"] {
            if let Some(id) = self.find_contact(tx, &format!("{kind}:{named}"))? {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }
}
