//! How a record lies in a segment: `length, checksum, arrival, shape, connection, body`,
//! padded to eight bytes.
//!
//! The checksum covers the segment's number and the offset, so that what an earlier use of
//! the space left behind can never be taken for a record. Reading is safe on any bytes.

use hogwire_model::Time;

use super::{Record, Stored};
use crate::error::{Error, Result};

/// Length and checksum.
pub const HEAD: usize = 8;
/// Arrival, length of the shape, length of the connection.
const FIXED: usize = 8 + 1 + 2;
/// A record can be no longer than this; a length beyond it is damage.
pub const MOST_RECORD: usize = 32 << 20;

/// A place in the log. Written as `segment:offset` in fixed width, so that text sorts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub segment: u64,
    pub offset: u64,
}

impl Place {
    pub fn parse(text: &str) -> Option<Self> {
        let (segment, offset) = text.split_once(':')?;
        Some(Self { segment: segment.parse().ok()?, offset: offset.parse().ok()? })
    }

    pub fn text(self) -> String {
        format!("{:010}:{:010}", self.segment, self.offset)
    }
}

pub const fn padded(length: usize) -> usize {
    (length + 7) & !7
}

/// The bytes a record will take, before padding.
pub fn length_of(record: &Record<'_>) -> Result<usize> {
    let length = HEAD + FIXED + record.shape.len() + record.connection.len() + record.body.len();
    if length > MOST_RECORD || record.shape.len() > 255 || record.connection.len() > 65_535 {
        return Err(Error::Conflict("a record of this size cannot be kept".to_owned()));
    }
    Ok(length)
}

/// Appends a record that will lie at a place. Its size was checked by `length_of`.
pub fn encode(group: &mut Vec<u8>, place: Place, record: &Record<'_>, length: usize) {
    let start = group.len();
    group.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
    group.extend_from_slice(&[0; 4]);
    group.extend_from_slice(&record.arrived.millis().to_le_bytes());
    group.push(u8::try_from(record.shape.len()).unwrap_or(u8::MAX));
    group.extend_from_slice(&u16::try_from(record.connection.len()).unwrap_or(u16::MAX).to_le_bytes());
    group.extend_from_slice(record.shape.as_bytes());
    group.extend_from_slice(record.connection.as_bytes());
    group.extend_from_slice(record.body);
    let sum = checksum(place, &group[start + HEAD..]);
    group[start + 4..start + HEAD].copy_from_slice(&sum.to_le_bytes());
    group.resize(start + padded(length), 0);
}

/// The record as it lies at its place, with nothing in its body.
pub fn blanked(place: Place, stored: &Stored) -> Result<Vec<u8>> {
    let mut body = vec![b' '; stored.body.len()];
    if let [first, second, ..] = body.as_mut_slice() {
        (*first, *second) = (b'{', b'}');
    }
    let record = Record {
        connection: &stored.connection,
        shape: &stored.shape,
        arrived: stored.arrived,
        body: &body,
        lane_hint: 0,
    };
    let mut bytes = Vec::new();
    encode(&mut bytes, place, &record, length_of(&record)?);
    Ok(bytes)
}

pub enum Decoded {
    /// The record, and its length before padding.
    Record(Stored, usize),
    /// The bytes end before the record does, if there is one.
    Cut,
    Damaged,
}

/// Reads what stands at `at` in bytes whose first one lies at `base`.
pub fn decode(base: Place, bytes: &[u8], at: usize) -> Decoded {
    if at + HEAD > bytes.len() {
        return Decoded::Cut;
    }
    let Some(length) = length_at(bytes, at) else { return Decoded::Damaged };
    let Some(record) = bytes.get(at..at + length) else { return Decoded::Cut };
    match record_at(behind(base, at), record) {
        Some(stored) => Decoded::Record(stored, length),
        None => Decoded::Damaged,
    }
}

/// Reads the record at the beginning of these bytes; nothing where the checksum says no.
pub fn record_at(place: Place, bytes: &[u8]) -> Option<Stored> {
    let payload = payload_at(place, bytes)?;
    let shape_end = FIXED + usize::from(*payload.get(8)?);
    let connection_end = shape_end + usize::from(u16::from_le_bytes(payload.get(9..11)?.try_into().ok()?));
    Some(Stored {
        place: place.text(),
        shape: std::str::from_utf8(payload.get(FIXED..shape_end)?).ok()?.to_owned(),
        connection: std::str::from_utf8(payload.get(shape_end..connection_end)?).ok()?.to_owned(),
        arrived: arrival(payload)?,
        body: payload.get(connection_end..)?.to_vec(),
    })
}

/// The length a head states, where a record can have it.
pub fn length_at(bytes: &[u8], at: usize) -> Option<usize> {
    let head = bytes.get(at..at.checked_add(4)?)?;
    let length = u32::from_le_bytes(head.try_into().ok()?) as usize;
    (HEAD + FIXED..=MOST_RECORD).contains(&length).then_some(length)
}

/// One whole record found by `next_valid`: where it stands, where the next one would, and
/// when it arrived.
pub struct Found {
    pub at: usize,
    pub end: usize,
    pub arrived: Time,
}

/// The first whole record at or behind `from`. Records begin on eight bytes.
pub fn next_valid(base: Place, bytes: &[u8], from: usize) -> Option<Found> {
    (from..bytes.len()).step_by(8).find_map(|at| {
        let payload = payload_at(behind(base, at), &bytes[at..])?;
        Some(Found { at, end: at + padded(HEAD + payload.len()), arrived: arrival(payload)? })
    })
}

fn payload_at(place: Place, bytes: &[u8]) -> Option<&[u8]> {
    let payload = bytes.get(HEAD..length_at(bytes, 0)?)?;
    let sum = u32::from_le_bytes(bytes.get(4..HEAD)?.try_into().ok()?);
    (checksum(place, payload) == sum).then_some(payload)
}

fn arrival(payload: &[u8]) -> Option<Time> {
    Some(Time::from_millis(i64::from_le_bytes(payload.get(..8)?.try_into().ok()?)))
}

const fn behind(base: Place, at: usize) -> Place {
    Place { segment: base.segment, offset: base.offset + at as u64 }
}

fn checksum(place: Place, payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&place.segment.to_le_bytes());
    hasher.update(&place.offset.to_le_bytes());
    hasher.update(payload);
    hasher.finalize()
}
