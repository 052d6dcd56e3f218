//! The journal: opt-outs, erasures and claimed messages, in a file beside the database that
//! no restore may forget (invariant 9 of ARCHITECTURE.md).
//!
//! A line is one JSON object with a checksum before it. It is durable before the database
//! commits what it stands for; a line without its commit does no harm: what it says, a
//! person or the mail job did want. Addresses stand in it as keyed hashes. A torn or damaged
//! line is passed over. `restore` replays it; nothing else reads it.

use std::sync::{Arc, Mutex, PoisonError};

use hogwire_model::Time;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::outside::Disk;

const NAME: &str = "journal.log";
/// The file is made with this much reserved; what is not written yet is zeros.
const RESERVED: u64 = 1 << 20;
/// Bytes read at a time.
const WINDOW: usize = 1 << 20;
/// No line is as long; what seems to be one is damage.
const MOST_LINE: usize = 64 << 10;

/// What must survive the database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Note {
    /// Not to be written to. An empty topic means everything.
    OptedOut { address_hash: String, topic: String, reason: String },
    /// The person took that back.
    OptedIn { address_hash: String, topic: String },
    /// The contact was erased.
    Erased { address_hash: String },
    /// The message may have gone out and must never go out again.
    Claimed { message_id: String },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub at: Time,
    #[serde(flatten)]
    pub note: Note,
}

pub struct Journal {
    disk: Arc<dyn Disk>,
    end: Mutex<u64>,
}

impl Journal {
    /// Opens the journal, or makes it. A torn last line is cut off by the next one.
    pub fn open(disk: Arc<dyn Disk>) -> Result<Self> {
        if !disk.list()?.iter().any(|name| name == NAME) {
            disk.create(NAME, RESERVED)?;
        }
        let end = scan(&*disk, |_| Ok(()))?;
        Ok(Self { disk, end: Mutex::new(end) })
    }

    /// Appends notes; durable when it returns.
    pub fn append(&self, notes: Vec<Note>, at: Time) -> Result<()> {
        if notes.is_empty() {
            return Ok(());
        }
        let mut bytes = Vec::new();
        for note in notes {
            let json = serde_json::to_vec(&Line { at, note })
                .map_err(|error| Error::Corrupt { what: "journal line", why: error.to_string() })?;
            bytes.extend_from_slice(format!("{:08x} ", crc32fast::hash(&json)).as_bytes());
            bytes.extend_from_slice(&json);
            bytes.push(b'\n');
        }
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        self.disk.write_sync(NAME, *end, &bytes)?;
        *end += bytes.len() as u64;
        Ok(())
    }

    /// Hands over every line, oldest first, without holding them all.
    pub fn replay(&self, each: impl FnMut(Line) -> Result<()>) -> Result<()> {
        scan(&*self.disk, each).map(|_| ())
    }
}

/// Hands over valid lines and answers where the last one ends.
fn scan(disk: &dyn Disk, mut each: impl FnMut(Line) -> Result<()>) -> Result<u64> {
    let (mut at, mut end) = (0_u64, 0_u64);
    let mut bytes: Vec<u8> = Vec::new();
    loop {
        let more = disk.read(NAME, at + bytes.len() as u64, WINDOW)?;
        let is_last = more.is_empty();
        bytes.extend(more);
        let mut begin = 0;
        while let Some(length) = bytes[begin..].iter().position(|byte| *byte == b'\n') {
            if let Some(line) = read(&bytes[begin..begin + length]) {
                each(line)?;
                end = at + (begin + length + 1) as u64;
            }
            begin += length + 1;
        }
        if is_last {
            return Ok(end);
        }
        // A line may go on in the next window; zeros and damage need not be carried along.
        let keep = (bytes.len() - begin).min(MOST_LINE);
        at += (bytes.len() - keep) as u64;
        bytes.drain(..bytes.len() - keep);
    }
}

/// A line without its end; zeros before it are what a torn write left.
fn read(bytes: &[u8]) -> Option<Line> {
    let text = std::str::from_utf8(bytes).ok()?.trim_start_matches('\0');
    let (sum, json) = text.split_once(' ')?;
    (u32::from_str_radix(sum, 16).ok()? == crc32fast::hash(json.as_bytes())).then_some(())?;
    serde_json::from_str(json).ok()
}

#[cfg(test)]
mod tests;
