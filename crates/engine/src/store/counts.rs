//! Counts per minute, for charts and metrics. They outlive what they counted.

use std::collections::BTreeMap;

use hogwire_model::Time;

use super::{Column, Insert, Tx, params};
use crate::error::Result;

const ADD: Insert = Insert {
    into: "counts",
    columns: &[("name", Column::Text), ("minute", Column::Int), ("n", Column::Int)],
    on_conflict: "ON CONFLICT (name, minute) DO UPDATE SET n = counts.n + excluded.n",
};
const MINUTE: i64 = 60_000;

pub fn add(tx: &mut Tx<'_>, tallies: &[(&str, i64)], now: Time) -> Result<()> {
    let minute = now.millis().div_euclid(MINUTE);
    // Sorted, so that nodes never wait for each other in a circle; each name once, because
    // PostgreSQL changes a row once per statement.
    let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
    for (name, n) in tallies {
        *sums.entry(name).or_default() += n;
    }
    let rows: Vec<_> = sums.iter().map(|(name, n)| params![*name, minute, *n].to_vec()).collect();
    tx.insert_many(&ADD, &rows)?;
    Ok(())
}

/// Counts of these names since a time: (name, minute's beginning, n).
pub fn since(tx: &mut Tx<'_>, names: Vec<&str>, from: Time, until: Time) -> Result<Vec<(String, Time, i64)>> {
    tx.all(
        "SELECT name, minute, n FROM counts WHERE name {any $1} AND minute >= $2 AND minute <= $3
         ORDER BY name, minute LIMIT 200000",
        &params![names, from.millis().div_euclid(MINUTE), until.millis().div_euclid(MINUTE)],
        |row| Ok((row.text(0)?, Time::from_millis(row.int(1)? * MINUTE), row.int(2)?)),
    )
}

/// The sum of each name over all time.
pub fn totals(tx: &mut Tx<'_>) -> Result<Vec<(String, i64)>> {
    tx.all("SELECT name, sum(n){big} FROM counts GROUP BY name ORDER BY name LIMIT 10000", &[], |row| {
        Ok((row.text(0)?, row.int(1)?))
    })
}
