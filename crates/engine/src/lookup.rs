//! How people and programs name a contact: our id, `email:…`, `distinct_id:…`,
//! `external:…`, or a bare address.

use hogwire_model::contact::key::normalise_address;
use hogwire_model::contact::{Key, KeyKind};

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::store::{Tx, contact_keys, redirects};

impl Engine {
    /// The id of the contact that this names. An id that exists on several connections as
    /// different contacts is refused, because a guess could be somebody else.
    pub fn find_contact(&self, tx: &mut Tx<'_>, named: &str) -> Result<Option<String>> {
        let found = match named.split_once(':') {
            Some(("email", address)) => by_address(tx, address)?,
            Some((kind, value)) => match KeyKind::parse(kind) {
                Some(kind) => by_key(tx, kind, value)?,
                None => None,
            },
            None if named.contains('@') => by_address(tx, named)?,
            None => Some(named.to_owned()),
        };
        let Some(id) = found else { return Ok(None) };
        let id = redirects::resolve(tx, &id)?;
        Ok(crate::store::contacts::find(tx, &id)?.map(|stored| stored.contact.id))
    }
}

fn by_address(tx: &mut Tx<'_>, address: &str) -> Result<Option<String>> {
    let Some(value) = normalise_address(address) else { return Ok(None) };
    contact_keys::find(tx, &Key { connection: String::new(), kind: KeyKind::Email, value })
}

fn by_key(tx: &mut Tx<'_>, kind: KeyKind, value: &str) -> Result<Option<String>> {
    let mut found = contact_keys::find_anywhere(tx, kind, value)?;
    if found.len() > 1 {
        return Err(Error::Conflict(format!(
            "`{value}` names {} different contacts on different connections; use a contact's own id",
            found.len()
        )));
    }
    Ok(found.pop())
}
