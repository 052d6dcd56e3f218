//! The inbox: what was received and is durable, in the order it will be decided.
//!
//! On SQLite installations it is an append log of its own files (`segment_log`), on
//! PostgreSQL a table partitioned by day (`table`), so that any node can decide what another
//! acknowledged. Positions are cursors committed by the step's own transaction; nothing is
//! deleted per event, and the raw payloads stay readable for as long as retention says.

mod archive;
mod record;
mod segment_log;
mod table;
#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;

use hogwire_model::Time;

pub use segment_log::SegmentLog;
pub use table::{Table, plant_cursors};

use crate::error::Result;
use crate::outside::Disk;
use crate::store::{Store, Tx};

/// One record on its way in, borrowed from the request.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    pub connection: &'a str,
    /// `hogwire_connectors::Shape`, by name.
    pub shape: &'a str,
    pub arrived: Time,
    pub body: &'a [u8],
    /// A hash of whom it is about: such records share a lane and keep their order. 0 where
    /// that is not known; then the body decides.
    pub lane_hint: u64,
}

/// One record as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Where it lies; sorts in the order of arrival within one log.
    pub place: String,
    pub connection: String,
    pub shape: String,
    pub arrived: Time,
    pub body: Vec<u8>,
}

/// The right to decide what comes next, held until the transaction ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Name of the cursor.
    pub cursor: String,
    pub position: String,
}

/// A run of records, and where the next one begins.
#[derive(Clone, Debug, Default)]
pub struct Chunk {
    pub records: Vec<Stored>,
    pub next: String,
    /// Bytes that could not be read as records and were passed over.
    pub damaged: u64,
}

/// How far deciding is behind receiving.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    pub bytes: u64,
    /// When the oldest record that is not decided yet arrived.
    pub oldest: Option<Time>,
}

pub enum Inbox {
    Log(SegmentLog),
    Table(Table),
}

/// From this backlog on, batches grow.
const BEHIND: u64 = 4 << 20;

impl Inbox {
    /// Opens the log in a folder's `Disk`, recovering what a crash left.
    pub fn log(disk: Arc<dyn Disk>) -> Result<Self> {
        Ok(Self::Log(SegmentLog::open(disk, segment_log::SEGMENT_BYTES)?))
    }

    /// As `log`, with segments of another size, for tests and the simulator.
    pub fn log_of(disk: Arc<dyn Disk>, segment_bytes: u64) -> Result<Self> {
        Ok(Self::Log(SegmentLog::open(disk, segment_bytes)?))
    }

    pub fn table() -> Self {
        Self::Table(Table::default())
    }

    /// Makes records durable: when this answers, they are on disk. The caller groups what
    /// waits, so that many records share one write and one sync.
    pub fn append(&self, store: &Store, records: &[Record<'_>]) -> Result<()> {
        match self {
            Self::Log(log) => log.append(records),
            Self::Table(table) => table.append(store, records),
        }
    }

    /// Claims the next stretch to decide; nothing where other nodes hold all of it.
    pub fn claim(&self, tx: &mut Tx<'_>) -> Result<Option<Claim>> {
        match self {
            Self::Log(log) => log.claim(tx).map(Some),
            Self::Table(table) => table.claim(tx),
        }
    }

    pub fn read(&self, tx: &mut Tx<'_>, claim: &Claim, most: usize, bytes: usize) -> Result<Chunk> {
        match self {
            Self::Log(log) => log.read(&claim.position, most, bytes),
            Self::Table(table) => table.read(tx, claim, most, bytes),
        }
    }

    /// Moves the cursor behind a chunk, in the transaction that decided it.
    pub fn advance(&self, tx: &mut Tx<'_>, claim: Claim, chunk: &Chunk) -> Result<()> {
        crate::store::cursors::set(tx, &claim.cursor, &chunk.next)
    }

    /// Tells the log that a chunk's transaction has committed.
    pub fn decided(&self, chunk: &Chunk) {
        if let Self::Log(log) = self {
            log.decided(&chunk.next);
        }
    }

    /// The record at a place, for as long as it is kept.
    pub fn fetch(&self, store: &Store, place: &str) -> Result<Option<Stored>> {
        match self {
            Self::Log(log) => log.fetch(place),
            Self::Table(table) => table.fetch(store, place),
        }
    }

    /// What waits to be decided. Asks the disk or the database.
    pub fn backlog(&self, store: &Store) -> Result<Backlog> {
        match self {
            Self::Log(log) => Ok(Backlog { bytes: log.backlog(), oldest: log.oldest()? }),
            Self::Table(_) => crate::store::inbox::backlog(&mut store.read()?),
        }
    }

    /// Whether larger batches are worth their while. Costs nothing to ask.
    pub fn is_behind(&self) -> bool {
        match self {
            Self::Log(log) => log.backlog() > BEHIND,
            Self::Table(table) => table.is_behind(),
        }
    }

    /// Does one piece of tidying outside any transaction: compresses a decided segment, or
    /// makes space for the next. Answers whether there was any; the caller asks again.
    pub fn tidy(&self) -> Result<bool> {
        match self {
            Self::Log(log) => log.tidy(),
            Self::Table(_) => Ok(false),
        }
    }

    /// Takes the payloads at some of these places away, and leaves their places as they are.
    /// Answers the places that are left to do.
    pub fn blank(&self, tx: &mut Tx<'_>, places: &[String]) -> Result<Vec<String>> {
        match self {
            Self::Log(log) => log.blank(places),
            Self::Table(_) => crate::store::inbox::blank(tx, places).map(|()| Vec::new()),
        }
    }

    /// Drops what arrived before a time, whole segments or days at once.
    pub fn drop_before(&self, tx: &mut Tx<'_>, time: Time) -> Result<()> {
        match self {
            Self::Log(log) => log.drop_before(time),
            Self::Table(table) => table.drop_before(tx, time),
        }
    }
}
