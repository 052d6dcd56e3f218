//! Every decision about a contact, with its reason; append only. `explain` reads this and
//! never guesses.

use std::sync::atomic::{AtomicI64, Ordering};

use hogwire_model::Time;
use hogwire_model::campaign::{Code, Decision};

use super::{Column, Insert, Row, Tx, params};
use crate::error::{Error, Result};

/// A decision with everything that places it.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    pub contact_id: String,
    pub at: Time,
    pub campaign_id: String,
    pub version: i64,
    /// Empty where the contact did not enter.
    pub enrollment_id: String,
    /// `connection:uuid` of the event it was about; empty where none was.
    pub event: String,
    pub decision: Decision,
}

/// Orders the decisions of one millisecond as they were taken.
static SEQ: AtomicI64 = AtomicI64::new(0);

const ADD: Insert = Insert {
    into: "decisions",
    columns: &[
        ("contact_id", Column::Text),
        ("at", Column::Int),
        ("seq", Column::Int),
        ("campaign_id", Column::Text),
        ("version", Column::Int),
        ("enrollment_id", Column::Text),
        ("code", Column::Text),
        ("step", Column::Text),
        ("event", Column::Text),
        ("detail", Column::Text),
    ],
    on_conflict: "",
};

pub fn record(tx: &mut Tx<'_>, decisions: &[Recorded]) -> Result<()> {
    let rows: Vec<_> = decisions
        .iter()
        .map(|d| {
            params![
                &d.contact_id,
                d.at,
                SEQ.fetch_add(1, Ordering::Relaxed),
                &d.campaign_id,
                d.version,
                &d.enrollment_id,
                d.decision.code.as_str(),
                d.decision.step.as_deref().unwrap_or(""),
                &d.event,
                d.decision.detail.to_string()
            ]
            .to_vec()
        })
        .collect();
    tx.insert_many(&ADD, &rows)?;
    Ok(())
}

/// What was decided about a contact in one campaign (or in all, where none is named), in
/// the order it was decided.
pub fn about(
    tx: &mut Tx<'_>,
    ids: &[String],
    campaign_id: Option<&str>,
    since: Time,
    limit: usize,
) -> Result<Vec<Recorded>> {
    let sql = if campaign_id.is_some() {
        "SELECT contact_id, at, campaign_id, version, enrollment_id, code, step, event, detail FROM decisions
         WHERE contact_id {any $1} AND at >= $2 AND campaign_id = $3 ORDER BY at DESC, seq DESC LIMIT $4"
    } else {
        "SELECT contact_id, at, campaign_id, version, enrollment_id, code, step, event, detail FROM decisions
         WHERE contact_id {any $1} AND at >= $2 AND $3 = '' ORDER BY at DESC, seq DESC LIMIT $4"
    };
    let mut found = tx.all(sql, &params![ids.to_vec(), since, campaign_id.unwrap_or(""), limit], read)?;
    found.reverse();
    Ok(found)
}

/// A contact's newest decisions before a time, newest first.
pub fn before(tx: &mut Tx<'_>, ids: &[String], time: Time, limit: usize) -> Result<Vec<Recorded>> {
    tx.all(
        "SELECT contact_id, at, campaign_id, version, enrollment_id, code, step, event, detail FROM decisions
         WHERE contact_id {any $1} AND at < $2 ORDER BY at DESC, seq DESC LIMIT $3",
        &params![ids.to_vec(), time, limit],
        read,
    )
}

/// Decisions that one event led to.
pub fn of_event(tx: &mut Tx<'_>, contact_id: &str, event: &str, since: Time) -> Result<Vec<Recorded>> {
    tx.all(
        "SELECT contact_id, at, campaign_id, version, enrollment_id, code, step, event, detail FROM decisions
         WHERE contact_id = $1 AND at >= $2 AND event = $3 ORDER BY at, seq LIMIT 200",
        &params![contact_id, since, event],
        read,
    )
}

fn read(row: &Row<'_>) -> Result<Recorded> {
    let code = row.str(5)?;
    let step = row.str(6)?;
    Ok(Recorded {
        contact_id: row.text(0)?,
        at: row.time(1)?,
        campaign_id: row.text(2)?,
        version: row.int(3)?,
        enrollment_id: row.text(4)?,
        event: row.text(7)?,
        decision: Decision {
            code: Code::parse(code).ok_or_else(|| Error::Corrupt { what: "decision", why: code.to_owned() })?,
            step: (!step.is_empty()).then(|| step.to_owned()),
            detail: row.json(8, "decision")?,
        },
    })
}
