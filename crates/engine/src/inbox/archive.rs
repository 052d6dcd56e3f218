//! Decided segments, compressed: the raw event store.
//!
//! An archive is a row of blocks of 256 KiB, each compressed on its own, behind them an
//! index (file offset of each block), the arrival of the newest record, and the length
//! unpacked. A single payload is read by unpacking one block or two.

use std::io::ErrorKind;

use hogwire_model::Time;

use super::record::Place;
use crate::error::{Error, Result};
use crate::outside::Disk;

const BLOCK: usize = 256 << 10;
const LEVEL: i32 = 3;
/// Entries of the index, newest arrival, length unpacked.
const FOOT: u64 = 24;

fn archive_name(segment: u64) -> String {
    format!("events-{segment:010}.zst")
}

/// The newest archived segment.
pub fn newest(disk: &dyn Disk) -> Result<Option<u64>> {
    Ok(segments(disk)?.into_iter().max())
}

fn segments(disk: &dyn Disk) -> Result<Vec<u64>> {
    let names = disk.list()?;
    Ok(names.iter().filter_map(|name| name.strip_prefix("events-")?.strip_suffix(".zst")?.parse().ok()).collect())
}

/// Writes a segment's bytes as an archive. Once it answers, the segment is not needed.
pub fn write(disk: &dyn Disk, segment: u64, bytes: &[u8], newest: Time) -> Result<()> {
    let mut out = Vec::new();
    let mut index: Vec<u64> = Vec::new();
    for block in bytes.chunks(BLOCK) {
        index.push(out.len() as u64);
        out.extend(zstd::bulk::compress(block, LEVEL)?);
    }
    index.push(out.len() as u64);
    for offset in &index {
        out.extend_from_slice(&offset.to_le_bytes());
    }
    out.extend_from_slice(&(index.len() as u64).to_le_bytes());
    out.extend_from_slice(&newest.millis().to_le_bytes());
    out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
    let name = archive_name(segment);
    let part = format!("{name}.part");
    disk.create(&part, out.len() as u64)?;
    disk.write_sync(&part, 0, &out)?;
    Ok(disk.rename(&part, &name)?)
}

struct Foot {
    index: Vec<u64>,
    newest: Time,
    end: u64,
}

fn foot(disk: &dyn Disk, segment: u64) -> Result<Option<Foot>> {
    let name = archive_name(segment);
    let size = match disk.size(&name) {
        Ok(size) => size,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let damaged = || Error::Corrupt { what: "archive", why: name.clone() };
    let tail = numbers(&disk.read(&name, size.saturating_sub(FOOT), 24)?);
    let [count, newest, end] = tail[..] else { return Err(damaged()) };
    let length = count.checked_mul(8).filter(|length| *length <= size - FOOT).ok_or_else(damaged)?;
    let index = numbers(&disk.read(&name, size - FOOT - length, usize::try_from(length).unwrap_or(0))?);
    Ok(Some(Foot { index, newest: Time::from_millis(newest.cast_signed()), end }))
}

fn numbers(bytes: &[u8]) -> Vec<u64> {
    bytes.chunks_exact(8).filter_map(|bytes| bytes.try_into().ok()).map(u64::from_le_bytes).collect()
}

/// The length of an archived segment; 0 where there is none.
pub fn end(disk: &dyn Disk, segment: u64) -> Result<u64> {
    Ok(foot(disk, segment)?.map_or(0, |foot| foot.end))
}

/// Up to `length` bytes of an archived segment. A block that cannot be unpacked reads as
/// zeros, so that what lies behind it is still found.
pub fn read(disk: &dyn Disk, at: Place, length: usize) -> Result<Vec<u8>> {
    let Some(foot) = foot(disk, at.segment)? else { return Ok(Vec::new()) };
    if at.offset >= foot.end {
        return Ok(Vec::new());
    }
    let length = length.min(usize::try_from(foot.end - at.offset).unwrap_or(usize::MAX));
    let offset = usize::try_from(at.offset).unwrap_or(usize::MAX);
    let (first, skip) = (offset / BLOCK, offset % BLOCK);
    let mut bytes = Vec::new();
    for block in foot.index.windows(2).skip(first) {
        if bytes.len() >= skip + length {
            break;
        }
        let packed_length = usize::try_from(block[1].saturating_sub(block[0])).unwrap_or(0).min(2 * BLOCK);
        let packed = disk.read(&archive_name(at.segment), block[0], packed_length)?;
        bytes.extend(zstd::bulk::decompress(&packed, BLOCK).unwrap_or_else(|_| vec![0; BLOCK]));
    }
    bytes.truncate(skip + length);
    Ok(bytes.split_off(skip.min(bytes.len())))
}

/// Puts other bytes in the place of some, in an archive that is there.
pub fn replace(disk: &dyn Disk, segment: u64, others: &[(Place, Vec<u8>)]) -> Result<()> {
    let Some(foot) = foot(disk, segment)? else { return Ok(()) };
    let length = usize::try_from(foot.end).unwrap_or(usize::MAX);
    let mut bytes = read(disk, Place { segment, offset: 0 }, length)?;
    for (at, other) in others {
        let start = usize::try_from(at.offset).unwrap_or(usize::MAX);
        if let Some(held) = start.checked_add(other.len()).and_then(|end| bytes.get_mut(start..end)) {
            held.copy_from_slice(other);
        }
    }
    write(disk, segment, &bytes, foot.newest)
}

/// Drops archives whose newest record is older than the time.
pub fn drop_before(disk: &dyn Disk, time: Time) -> Result<()> {
    for segment in segments(disk)? {
        // One that cannot be read must not keep the others.
        if matches!(foot(disk, segment), Ok(Some(foot)) if foot.newest < time) {
            disk.remove(&archive_name(segment))?;
        }
    }
    Ok(())
}
