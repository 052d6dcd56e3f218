//! The inbox as a PostgreSQL table, partitioned by day.
//!
//! Rows are spread over lanes; each lane has one cursor row, claimed with `SKIP LOCKED` by
//! the transaction that decides, so that nodes work on different lanes at once and nothing
//! is decided twice. A row carries the id of the transaction that wrote it, and only rows
//! older than every running writer of the inbox are read: a slow committer's rows are never
//! skipped.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use hogwire_connectors::Shape;
use hogwire_model::contact::KeyKind;
use hogwire_model::{Span, Time};

use super::{Chunk, Claim, Record, Stored};
use crate::error::{Error, Result};
use crate::store::{Store, Tx, cursors, inbox};

/// Lanes that nodes can work on at once.
pub const LANES: u64 = 8;
const DAY: i64 = 86_400_000;

#[derive(Default)]
pub struct Table {
    /// Days whose partition this process has seen.
    days: Mutex<BTreeSet<i64>>,
    /// The last read found more than it was allowed to take.
    behind: AtomicBool,
}

impl Table {
    pub fn append(&self, store: &Store, records: &[Record<'_>]) -> Result<()> {
        let days: BTreeSet<i64> = records.iter().map(|record| record.arrived.millis().div_euclid(DAY)).collect();
        for day in days {
            self.prepare(store, day)?;
        }
        store.write(|tx| {
            let rows: Vec<inbox::New<'_>> = records
                .iter()
                .map(|record| inbox::New {
                    day: record.arrived.millis().div_euclid(DAY),
                    lane: lane(record),
                    connection: record.connection,
                    shape: record.shape,
                    arrived: record.arrived,
                    body: record.body,
                })
                .collect();
            inbox::add(tx, &rows)
        })
    }

    /// Makes the partitions of a day and of the next one.
    fn prepare(&self, store: &Store, day: i64) -> Result<()> {
        if self.days.lock().unwrap_or_else(PoisonError::into_inner).contains(&day) {
            return Ok(());
        }
        store.write(|tx| {
            inbox::make_day(tx, day)?;
            inbox::make_day(tx, day + 1)
        })?;
        self.days.lock().unwrap_or_else(PoisonError::into_inner).insert(day);
        Ok(())
    }

    /// A lane that no other node holds and that has something to read: the one that is
    /// farthest behind.
    pub fn claim(&self, tx: &mut Tx<'_>) -> Result<Option<Claim>> {
        let waiting = inbox::horizon(tx).and_then(|horizon| inbox::waiting_lanes(tx, horizon))?;
        for lane in waiting {
            let cursor = cursor_name(lane);
            if let Some(position) = cursors::claim(tx, &cursor)? {
                return Ok(Some(Claim { cursor, position }));
            }
        }
        Ok(None)
    }

    pub fn read(&self, tx: &mut Tx<'_>, claim: &Claim, most: usize, most_bytes: usize) -> Result<Chunk> {
        let lane = lane_of(&claim.cursor)?;
        let (after_tx, after_seq) = parse(&claim.position)?;
        let horizon = inbox::horizon(tx)?;
        let rows = inbox::read(tx, lane, (after_tx, after_seq), horizon, most)?;
        let mut chunk = Chunk { next: claim.position.clone(), ..Chunk::default() };
        self.behind.store(rows.len() == most, Ordering::Relaxed);
        let mut bytes = 0;
        for row in rows {
            bytes += row.body.len();
            if bytes > most_bytes && !chunk.records.is_empty() {
                break;
            }
            chunk.next = format!("{}:{}", row.tx, row.seq);
            chunk.records.push(Stored {
                place: format!("{}:{}", row.day, row.seq),
                connection: row.connection,
                shape: row.shape,
                arrived: row.arrived,
                body: row.body,
            });
        }
        Ok(chunk)
    }

    pub fn is_behind(&self) -> bool {
        self.behind.load(Ordering::Relaxed)
    }

    pub fn fetch(&self, store: &Store, place: &str) -> Result<Option<Stored>> {
        let Some((day, seq)) = place.split_once(':') else { return Ok(None) };
        let (Ok(day), Ok(seq)) = (day.parse(), seq.parse()) else { return Ok(None) };
        let row = inbox::find(&mut store.read()?, day, seq)?;
        Ok(row.map(|row| Stored {
            place: place.to_owned(),
            connection: row.connection,
            shape: row.shape,
            arrived: row.arrived,
            body: row.body,
        }))
    }

    pub fn drop_before(&self, tx: &mut Tx<'_>, time: Time) -> Result<()> {
        // A day is dropped when all of it is too old.
        let day = time.minus(Span::days(1)).millis().div_euclid(DAY);
        inbox::drop_days_before(tx, day)
    }
}

/// Puts the cursor of every lane where there is none yet.
pub fn plant_cursors(tx: &mut Tx<'_>) -> Result<()> {
    (0..i64::try_from(LANES).unwrap_or(0)).try_for_each(|lane| cursors::plant(tx, &cursor_name(lane), "0:0"))
}

/// One person's records share a lane, so that they are decided in the order they came.
fn lane(record: &Record<'_>) -> i64 {
    let hint = match record.lane_hint {
        0 => u64::from(crc32fast::hash(whose(record).as_deref().unwrap_or(record.body))),
        hint => hint,
    };
    i64::try_from(hint % LANES).unwrap_or(0)
}

/// The id that the record's actor goes by.
fn whose(record: &Record<'_>) -> Option<Vec<u8>> {
    let event = hogwire_connectors::read(Shape::parse(record.shape)?, record.body, record.arrived).ok()?;
    let own = event.keys.iter().find(|(kind, _)| *kind == KeyKind::Visitor).or(event.keys.first());
    own.map(|(_, value)| value.as_bytes().to_vec())
}

fn cursor_name(lane: i64) -> String {
    format!("inbox:{lane}")
}

fn lane_of(cursor: &str) -> Result<i64> {
    let lane = cursor.strip_prefix("inbox:").and_then(|lane| lane.parse().ok());
    lane.ok_or_else(|| Error::Corrupt { what: "inbox cursor", why: cursor.to_owned() })
}

fn parse(position: &str) -> Result<(i64, i64)> {
    let parsed = position.split_once(':').and_then(|(tx, seq)| Some((tx.parse().ok()?, seq.parse().ok()?)));
    parsed.ok_or_else(|| Error::Corrupt { what: "inbox position", why: position.to_owned() })
}
