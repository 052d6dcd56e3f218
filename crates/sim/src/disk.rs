//! A disk in memory that can fail like a real one: a write that is torn by a crash, a disk
//! that is full, a bit that flips.

use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, Result};
use std::sync::{Mutex, MutexGuard, PoisonError};

use hogwire_engine::outside::Disk;

/// Shared with the engine; it outlives the engine that a crash ends.
#[derive(Default)]
pub struct MemoryDisk(Mutex<State>);

#[derive(Default)]
struct State {
    files: BTreeMap<String, Vec<u8>>,
    /// Bytes that may still be written before the process "dies" in the middle of a write.
    tear_after: Option<usize>,
    full: bool,
    torn: u64,
}

impl MemoryDisk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next write stops after this many bytes and fails: what a crash leaves behind.
    pub fn tear_next(&self, after: usize) {
        self.state().tear_after = Some(after);
    }

    /// How many writes were torn so far.
    pub fn torn(&self) -> u64 {
        self.state().torn
    }

    pub fn set_full(&self, full: bool) {
        self.state().full = full;
    }

    /// Flips one bit of a file, as a failing medium does.
    pub fn flip(&self, name: &str, offset: usize, bit: u8) {
        if let Some(byte) = self.state().files.get_mut(name).and_then(|file| file.get_mut(offset)) {
            *byte ^= 1 << (bit & 7);
        }
    }
}

fn missing(name: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("{name} is not there"))
}

impl Disk for MemoryDisk {
    fn list(&self) -> Result<Vec<String>> {
        Ok(self.state().files.keys().cloned().collect())
    }

    fn create(&self, name: &str, size: u64) -> Result<()> {
        let mut state = self.state();
        if state.full {
            return Err(Error::new(ErrorKind::StorageFull, "the disk is full"));
        }
        let size = usize::try_from(size).map_err(Error::other)?;
        state.files.insert(name.to_owned(), vec![0; size]);
        Ok(())
    }

    fn write_sync(&self, name: &str, offset: u64, bytes: &[u8]) -> Result<()> {
        let mut state = self.state();
        if state.full {
            return Err(Error::new(ErrorKind::StorageFull, "the disk is full"));
        }
        let torn = state.tear_after.take();
        state.torn += u64::from(torn.is_some());
        let kept = torn.map_or(bytes.len(), |after| after.min(bytes.len()));
        let file = state.files.get_mut(name).ok_or_else(|| missing(name))?;
        let start = usize::try_from(offset).map_err(Error::other)?;
        if file.len() < start + kept {
            file.resize(start + kept, 0);
        }
        file[start..start + kept].copy_from_slice(&bytes[..kept]);
        match torn {
            Some(_) => Err(Error::new(ErrorKind::Interrupted, "the process died while it wrote")),
            None => Ok(()),
        }
    }

    fn read(&self, name: &str, offset: u64, length: usize) -> Result<Vec<u8>> {
        let state = self.state();
        let file = state.files.get(name).ok_or_else(|| missing(name))?;
        let start = usize::try_from(offset).map_err(Error::other)?.min(file.len());
        Ok(file[start..(start + length).min(file.len())].to_vec())
    }

    fn size(&self, name: &str) -> Result<u64> {
        self.state().files.get(name).map(|file| file.len() as u64).ok_or_else(|| missing(name))
    }

    fn remove(&self, name: &str) -> Result<()> {
        self.state().files.remove(name).map(|_| ()).ok_or_else(|| missing(name))
    }

    fn rename(&self, from: &str, to: &str) -> Result<()> {
        let mut state = self.state();
        let file = state.files.remove(from).ok_or_else(|| missing(from))?;
        state.files.insert(to.to_owned(), file);
        Ok(())
    }

    fn free(&self) -> Option<u64> {
        Some(if self.state().full { 0 } else { 1 << 40 })
    }
}
