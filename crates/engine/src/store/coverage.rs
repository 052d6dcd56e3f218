//! Up to when each connection's arrivals are known complete, and the holes before that
//! (SPEC A9). Live arrival knows one kind of hole: the time in which nobody was listening.

use std::collections::HashMap;

use hogwire_model::{Span, Time};
use serde::{Deserialize, Serialize};

use super::{Tx, params};
use crate::error::{Error, Result};

/// Holes remembered per connection.
const KEPT: usize = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    pub from: Time,
    pub to: Time,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Coverage {
    pub connection: String,
    pub complete_until: Time,
    pub last_event_at: Time,
    pub gaps: Vec<Gap>,
}

pub fn all(tx: &mut Tx<'_>) -> Result<Vec<Coverage>> {
    tx.all(
        "SELECT connection, complete_until, last_event_at, gaps FROM coverage ORDER BY connection LIMIT 500",
        &[],
        |row| {
            Ok(Coverage {
                connection: row.text(0)?,
                complete_until: row.time(1)?,
                last_event_at: row.time(2)?,
                gaps: row.json(3, "coverage")?,
            })
        },
    )
}

/// The mark of every connection. A connection with an open hole is complete up to the
/// hole's beginning only.
pub fn marks(tx: &mut Tx<'_>) -> Result<HashMap<String, Time>> {
    let marks = all(tx)?.into_iter().map(|coverage| {
        let hole = coverage.gaps.iter().map(|gap| gap.from).min();
        (coverage.connection, hole.unwrap_or(coverage.complete_until))
    });
    Ok(marks.collect())
}

/// An event of a connection came.
pub fn heard(tx: &mut Tx<'_>, connection: &str, at: Time, now: Time) -> Result<()> {
    tx.execute(
        "INSERT INTO coverage (connection, complete_until, last_event_at, gaps) VALUES ($1, $2, $3, '[]')
         ON CONFLICT (connection) DO UPDATE SET last_event_at =
             CASE WHEN excluded.last_event_at > coverage.last_event_at THEN excluded.last_event_at
                  ELSE coverage.last_event_at END",
        &params![connection, now, at],
    )?;
    Ok(())
}

/// We are listening: every connection is complete up to now, less the holes. A silence since
/// the last beat that is longer than `bridged` is a hole of its own.
pub fn beat(tx: &mut Tx<'_>, bridged: Span, now: Time) -> Result<()> {
    for mut coverage in all(tx)? {
        if now.since(coverage.complete_until) > bridged {
            coverage.gaps.push(Gap { from: coverage.complete_until, to: now });
            let excess = coverage.gaps.len().saturating_sub(KEPT);
            coverage.gaps.drain(..excess);
        }
        let gaps = serde_json::to_string(&coverage.gaps)
            .map_err(|error| Error::Corrupt { what: "coverage", why: error.to_string() })?;
        tx.execute(
            "UPDATE coverage SET complete_until = $2, gaps = $3 WHERE connection = $1 AND complete_until < $2",
            &params![&coverage.connection, now, gaps],
        )?;
    }
    Ok(())
}

/// A person, or a comparison with the source, says that nothing is missing up to a time.
pub fn close_gaps(tx: &mut Tx<'_>, connection: &str, until: Time) -> Result<()> {
    let Some(coverage) = all(tx)?.into_iter().find(|coverage| coverage.connection == connection) else {
        return Ok(());
    };
    let open: Vec<Gap> = coverage.gaps.into_iter().filter(|gap| gap.to > until).collect();
    let gaps =
        serde_json::to_string(&open).map_err(|error| Error::Corrupt { what: "coverage", why: error.to_string() })?;
    tx.execute("UPDATE coverage SET gaps = $2 WHERE connection = $1", &params![connection, gaps])?;
    Ok(())
}
