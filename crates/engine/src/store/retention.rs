//! What is too old, by class. Counters and dedup keys outlive it (SPEC I7).

use hogwire_model::Time;

use super::{Tx, params};
use crate::error::{Error, Result};

/// (class, how many are older, remove them)
const CLASSES: &[(&str, &str, &str)] = &[
    ("attempts", "SELECT count(*){big} FROM attempts WHERE at < $1", "DELETE FROM attempts WHERE at < $1"),
    ("audit", "SELECT count(*){big} FROM audit WHERE at < $1", "DELETE FROM audit WHERE at < $1"),
    ("decisions", "SELECT count(*){big} FROM decisions WHERE at < $1", "DELETE FROM decisions WHERE at < $1"),
    (
        "message_bodies",
        "SELECT count(*){big} FROM message_bodies WHERE created_at < $1 AND html <> ''",
        "UPDATE message_bodies SET html = '', plain = '' WHERE created_at < $1 AND html <> ''",
    ),
    (
        "set_aside",
        "SELECT count(*){big} FROM set_aside WHERE arrived_at < $1",
        "DELETE FROM set_aside WHERE arrived_at < $1",
    ),
];

pub fn count_before(tx: &mut Tx<'_>, class: &str, time: Time) -> Result<i64> {
    tx.one(find(class)?.1, &params![time], |row| row.int(0))
}

/// Removes a class's old rows. Of message bodies the text goes and the links stay, so that
/// a click in an old mail still leads somewhere.
pub fn drop_before(tx: &mut Tx<'_>, class: &str, time: Time) -> Result<i64> {
    Ok(i64::try_from(tx.execute(find(class)?.2, &params![time])?).unwrap_or(i64::MAX))
}

fn find(class: &str) -> Result<&'static (&'static str, &'static str, &'static str)> {
    CLASSES.iter().find(|(name, _, _)| *name == class).ok_or_else(|| Error::Missing(format!("class {class}")))
}
