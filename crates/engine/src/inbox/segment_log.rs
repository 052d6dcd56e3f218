//! The append log: preallocated segments, one write and one sync per group of records.
//!
//! A segment that has been decided is compressed (`archive`) and its space serves again.
//! After a start, and after a write that failed, appending goes on in a new segment: what
//! the old one holds behind its last record is not known, and a cursor may point there.
//! Damage with valid records behind it is passed over and counted.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hogwire_model::Time;

use super::archive;
use super::record::{self, Decoded, HEAD, MOST_RECORD, Place, padded};
use super::{Chunk, Claim, Record, Stored};
use crate::error::{Error, Result};
use crate::outside::Disk;
use crate::store::{Tx, cursors};

pub const SEGMENT_BYTES: u64 = 64 << 20;
const CURSOR: &str = "inbox";
/// A segment's space that waits for its next use.
const SPARE: &str = "spare.log";
/// Free space below which no new segment is begun: room for the database to go on.
const RESERVE: u64 = 256 << 20;
/// Undecided bytes beyond which nothing more is accepted.
const MOST_BACKLOG: u64 = 8 << 30;
/// Bytes read at a time.
const WINDOW: usize = 4 << 20;

pub struct SegmentLog {
    disk: Arc<dyn Disk>,
    size: u64,
    tail: Mutex<Tail>,
    /// Where segments end that are no longer written.
    ends: Mutex<HashMap<u64, u64>>,
    /// Everything before this is decided, and the transaction that did so has committed.
    decided: Mutex<Place>,
}

/// The durable end.
#[derive(Clone, Copy, Debug)]
struct Tail {
    place: Place,
    /// What lies behind the end is not known: the next append begins a new segment.
    suspect: bool,
}

/// Why `take` stopped.
enum Stop {
    /// All bytes are taken, or as many records as were wanted.
    Done,
    Cut,
    Damaged,
}

pub(super) fn segment_name(segment: u64) -> String {
    format!("inbox-{segment:010}.log")
}

impl SegmentLog {
    /// Recovers what a crash left. `size` is that of a segment in bytes.
    pub fn open(disk: Arc<dyn Disk>, size: u64) -> Result<Self> {
        let segments = segments(&*disk)?;
        let tail = match segments.last() {
            Some(segment) => {
                let bytes = whole(&*disk, *segment)?;
                let place = Place { segment: *segment, offset: scan(*segment, &bytes).0 };
                Tail { place, suspect: bytes.iter().any(|byte| *byte != 0) }
            }
            // Behind any archive, so that places stay unique.
            None => {
                let segment = archive::newest(&*disk)?.unwrap_or(0);
                Tail { place: Place { segment, offset: archive::end(&*disk, segment)? }, suspect: true }
            }
        };
        let oldest = segments.first().copied().unwrap_or(tail.place.segment);
        Ok(Self { disk, size, tail: Mutex::new(tail), ends: Mutex::default(), decided: Mutex::new(start_of(oldest)) })
    }

    pub fn append(&self, records: &[Record<'_>]) -> Result<()> {
        if records.is_empty() {
            return Ok(());
        }
        if self.backlog() > MOST_BACKLOG {
            return Err(Error::Busy("more has arrived than could be decided yet".to_owned()));
        }
        let lengths = records.iter().map(record::length_of).collect::<Result<Vec<usize>>>()?;
        let mut tail = held(&self.tail);
        let mut group = Vec::with_capacity(lengths.iter().map(|length| padded(*length)).sum());
        for (record, length) in records.iter().zip(lengths) {
            let offset = tail.place.offset + group.len() as u64;
            if tail.suspect || offset + padded(length) as u64 > self.size {
                self.flush(&mut tail, &mut group)?;
                self.roll(&mut tail, padded(length) as u64)?;
            }
            let place = Place { offset: tail.place.offset + group.len() as u64, ..tail.place };
            record::encode(&mut group, place, record, length);
        }
        self.flush(&mut tail, &mut group)
    }

    fn flush(&self, tail: &mut Tail, group: &mut Vec<u8>) -> Result<()> {
        if group.is_empty() {
            return Ok(());
        }
        if let Err(error) = self.disk.write_sync(&segment_name(tail.place.segment), tail.place.offset, group) {
            tail.suspect = true;
            return Err(busy(error));
        }
        tail.place.offset += group.len() as u64;
        group.clear();
        Ok(())
    }

    fn roll(&self, tail: &mut Tail, needed: u64) -> Result<()> {
        if self.disk.free().is_some_and(|free| free < RESERVE) {
            return Err(Error::Busy("the disk is almost full".to_owned()));
        }
        let next = start_of(tail.place.segment + 1);
        let name = segment_name(next.segment);
        if needed <= self.size && self.disk.size(SPARE).is_ok_and(|size| size == self.size) {
            self.disk.rename(SPARE, &name).map_err(busy)?;
        } else {
            self.disk.create(&name, self.size.max(needed)).map_err(busy)?;
        }
        held(&self.ends).insert(tail.place.segment, tail.place.offset);
        *tail = Tail { place: next, suspect: false };
        Ok(())
    }

    pub fn claim(&self, tx: &mut Tx<'_>) -> Result<Claim> {
        let first = start_of(segments(&*self.disk)?.first().copied().unwrap_or(1));
        let tail = *held(&self.tail);
        let at = match cursors::get(tx, CURSOR)? {
            Some(position) => parse(&position)?,
            None => first,
        };
        // A cursor behind the end belongs to a log that was lost; this one is a new one.
        let lost = at > tail.place && (at.segment > tail.place.segment || !tail.suspect);
        let at = if lost { first } else { at };
        *held(&self.decided) = at;
        Ok(Claim { cursor: CURSOR.to_owned(), position: at.text() })
    }

    /// Reads records from a position on, up to the durable end.
    pub fn read(&self, position: &str, most: usize, most_bytes: usize) -> Result<Chunk> {
        let mut at = parse(position)?;
        let tail = held(&self.tail).place;
        let mut chunk = Chunk::default();
        let mut room = most_bytes;
        let mut window = WINDOW;
        while chunk.records.len() < most && room > 0 {
            let end = if at.segment == tail.segment { tail.offset } else { self.end_of(at.segment)? };
            if at.offset >= end {
                if at.segment >= tail.segment {
                    break;
                }
                at = start_of(at.segment + 1);
                continue;
            }
            let left = usize::try_from(end - at.offset).unwrap_or(usize::MAX);
            let bytes = self.bytes(at, left.min(window))?;
            let before = at;
            match take(&mut chunk, &mut at, &bytes, most, &mut room) {
                Stop::Done => window = WINDOW,
                Stop::Cut if bytes.len() < left && at != before => window = WINDOW,
                // Only a record longer than the window can stop it at its beginning.
                Stop::Cut if bytes.len() < left && window < MOST_RECORD => window = MOST_RECORD,
                Stop::Cut | Stop::Damaged => self.pass_damage(&mut chunk, &mut at, end)?,
            }
        }
        chunk.next = at.text();
        Ok(chunk)
    }

    /// Moves a place behind damage, to the next whole record or the end of the segment.
    fn pass_damage(&self, chunk: &mut Chunk, at: &mut Place, end: u64) -> Result<()> {
        let rest = self.bytes(*at, usize::try_from(end - at.offset).unwrap_or(usize::MAX))?;
        let next = record::next_valid(*at, &rest, 8).map_or(end, |found| at.offset + found.at as u64);
        chunk.damaged += next - at.offset;
        at.offset = next;
        Ok(())
    }

    /// Bytes of a segment, from its file or its archive; none where both are gone.
    fn bytes(&self, at: Place, length: usize) -> Result<Vec<u8>> {
        match self.disk.read(&segment_name(at.segment), at.offset, length) {
            Ok(bytes) => Ok(bytes),
            Err(error) if error.kind() == ErrorKind::NotFound => archive::read(&*self.disk, at, length),
            Err(error) => Err(error.into()),
        }
    }

    /// The end of a segment that is no longer written.
    fn end_of(&self, segment: u64) -> Result<u64> {
        if let Some(end) = held(&self.ends).get(&segment) {
            return Ok(*end);
        }
        let end = match whole(&*self.disk, segment) {
            Ok(bytes) => scan(segment, &bytes).0,
            Err(error) if error.kind() == ErrorKind::NotFound => archive::end(&*self.disk, segment)?,
            Err(error) => return Err(error.into()),
        };
        held(&self.ends).insert(segment, end);
        Ok(end)
    }

    pub fn fetch(&self, place: &str) -> Result<Option<Stored>> {
        let Some(at) = Place::parse(place) else { return Ok(None) };
        let head = self.bytes(at, HEAD)?;
        let Some(length) = record::length_at(&head, 0) else { return Ok(None) };
        Ok(record::record_at(at, &self.bytes(at, length)?))
    }

    /// Takes away the payloads at those places that lie in the first one's segment, and answers
    /// the rest. They were decided long ago, so a torn write harms nothing.
    pub fn blank(&self, places: &[String]) -> Result<Vec<String>> {
        let Some(segment) = places.iter().find_map(|place| Place::parse(place)).map(|place| place.segment) else {
            return Ok(Vec::new());
        };
        let (own, rest): (Vec<&String>, Vec<&String>) =
            places.iter().partition(|place| Place::parse(place).is_none_or(|place| place.segment == segment));
        let mut blanked: Vec<(Place, Vec<u8>)> = Vec::new();
        for place in own {
            if let (Some(at), Some(stored)) = (Place::parse(place), self.fetch(place)?) {
                blanked.push((at, record::blanked(at, &stored)?));
            }
        }
        let name = segment_name(segment);
        if self.disk.size(&name).is_ok() {
            for (at, bytes) in &blanked {
                self.disk.write_sync(&name, at.offset, bytes)?;
            }
        } else {
            archive::replace(&*self.disk, segment, &blanked)?;
        }
        Ok(rest.into_iter().cloned().collect())
    }

    /// Tells that everything before a position is decided and committed.
    pub fn decided(&self, next: &str) {
        if let Some(at) = Place::parse(next) {
            let mut decided = held(&self.decided);
            *decided = at.max(*decided);
        }
    }

    /// Undecided bytes, as far as is known without reading.
    pub fn backlog(&self) -> u64 {
        let tail = held(&self.tail).place;
        let decided = *held(&self.decided);
        let position = |place: Place| place.segment * self.size + place.offset;
        position(tail).saturating_sub(position(decided))
    }

    /// When the oldest undecided record arrived.
    pub fn oldest(&self) -> Result<Option<Time>> {
        let decided = *held(&self.decided);
        Ok(self.read(&decided.text(), 1, 1)?.records.first().map(|stored| stored.arrived))
    }

    /// Compresses the oldest segment that is wholly decided, or makes ready the space that
    /// the next one needs. Answers whether there was anything to do.
    pub fn tidy(&self) -> Result<bool> {
        let decided = held(&self.decided).segment;
        let tail = held(&self.tail).place;
        let spare = self.disk.size(SPARE).is_ok();
        if let Some(oldest) = segments(&*self.disk)?.into_iter().find(|segment| *segment < decided.min(tail.segment)) {
            let name = segment_name(oldest);
            let bytes = whole(&*self.disk, oldest)?;
            let (end, newest) = scan(oldest, &bytes);
            archive::write(
                &*self.disk,
                oldest,
                bytes.get(..usize::try_from(end).unwrap_or(0)).unwrap_or(&bytes),
                newest,
            )?;
            if spare || bytes.len() as u64 != self.size {
                self.disk.remove(&name)?;
            } else {
                self.disk.rename(&name, SPARE)?;
            }
            return Ok(true);
        }
        if spare || tail.offset < self.size / 2 || self.disk.free().is_some_and(|free| free < RESERVE + self.size) {
            return Ok(false);
        }
        let part = format!("{SPARE}.part");
        self.disk.create(&part, self.size)?;
        self.disk.rename(&part, SPARE)?;
        Ok(true)
    }

    /// Drops archives whose newest record is older than the time.
    pub fn drop_before(&self, time: Time) -> Result<()> {
        archive::drop_before(&*self.disk, time)
    }
}

/// Takes records out of bytes that begin at a place, and moves the place behind them.
fn take(chunk: &mut Chunk, at: &mut Place, bytes: &[u8], most: usize, room: &mut usize) -> Stop {
    let base = *at;
    let mut cursor = 0;
    while chunk.records.len() < most && *room > 0 && cursor < bytes.len() {
        match record::decode(base, bytes, cursor) {
            Decoded::Record(stored, length) => {
                *room = room.saturating_sub(length);
                cursor += padded(length);
                chunk.records.push(stored);
                at.offset = base.offset + cursor as u64;
            }
            Decoded::Cut => return Stop::Cut,
            Decoded::Damaged => return Stop::Damaged,
        }
    }
    if bytes.is_empty() { Stop::Damaged } else { Stop::Done }
}

/// Where the last whole record of a segment ends, and when its newest arrived.
fn scan(segment: u64, bytes: &[u8]) -> (u64, Time) {
    let (mut end, mut newest) = (0, Time::from_millis(i64::MIN));
    while let Some(found) = record::next_valid(start_of(segment), bytes, end) {
        end = found.end;
        newest = newest.max(found.arrived);
    }
    (end as u64, newest)
}

fn whole(disk: &dyn Disk, segment: u64) -> std::io::Result<Vec<u8>> {
    let name = segment_name(segment);
    let size = disk.size(&name)?;
    disk.read(&name, 0, usize::try_from(size).unwrap_or(usize::MAX))
}

fn segments(disk: &dyn Disk) -> Result<Vec<u64>> {
    let names = disk.list()?;
    let mut found: Vec<u64> =
        names.iter().filter_map(|name| name.strip_prefix("inbox-")?.strip_suffix(".log")?.parse().ok()).collect();
    found.sort_unstable();
    Ok(found)
}

const fn start_of(segment: u64) -> Place {
    Place { segment, offset: 0 }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn busy(error: std::io::Error) -> Error {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Error::Busy("the disk is full".to_owned()),
        _ => error.into(),
    }
}

fn parse(position: &str) -> Result<Place> {
    Place::parse(position).ok_or_else(|| Error::Corrupt { what: "inbox position", why: position.to_owned() })
}
