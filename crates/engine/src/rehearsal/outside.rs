//! The world of a rehearsal: mail that always arrives, a network that always says yes, files
//! in memory and dice that fall the same way every time. Nothing leaves the process.

use std::collections::BTreeMap;
use std::io::{Error, ErrorKind};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hogwire_connectors::http::{Request, Response};
use hogwire_model::{Outcome, Time};

use crate::outside::{Disk, Entropy, Http, HttpAnswer, Mail, NoDns, Outside, Parcel, Reach, Wake};

/// What one file takes at most; a rehearsal receives little.
const MOST_BYTES: u64 = 1 << 20;

/// The time of the rehearsal, moved by whoever plays it.
#[derive(Default)]
pub struct Hands(AtomicI64);

impl Hands {
    pub fn move_to(&self, at: Time) {
        self.0.store(at.millis(), Ordering::Relaxed);
    }

    fn now(&self) -> Time {
        Time::from_millis(self.0.load(Ordering::Relaxed))
    }
}

pub fn outside(hands: &Arc<Hands>) -> Outside {
    Outside {
        http: Arc::new(Net(hands.clone())),
        mail: Arc::new(Post(hands.clone())),
        dns: Arc::new(NoDns),
        disk: Arc::new(Files::default()),
        entropy: Arc::new(Dice::default()),
        wake: Arc::new(Nobody),
    }
}

struct Post(Arc<Hands>);

impl Mail for Post {
    fn send(&self, parcels: Vec<Parcel>) -> Vec<(Time, Outcome)> {
        parcels.iter().map(|_| (self.0.now(), Outcome::Done("250 rehearsed".to_owned()))).collect()
    }
}

struct Net(Arc<Hands>);

impl Http for Net {
    fn send(&self, _: Reach, requests: Vec<Request>) -> Vec<(Time, HttpAnswer)> {
        let yes = || HttpAnswer::Response(Response { status: 200, ..Response::default() });
        requests.iter().map(|_| (self.0.now(), yes())).collect()
    }
}

#[derive(Default)]
struct Dice(AtomicU64);

impl Entropy for Dice {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            let mut mixed = self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            *byte = (mixed ^ (mixed >> 27)).to_le_bytes()[0];
        }
    }
}

struct Nobody;

impl Wake for Nobody {
    fn wake(&self) {}
}

#[derive(Default)]
struct Files(Mutex<BTreeMap<String, Vec<u8>>>);

impl Files {
    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Disk for Files {
    fn list(&self) -> std::io::Result<Vec<String>> {
        Ok(self.all().keys().cloned().collect())
    }

    fn create(&self, name: &str, size: u64) -> std::io::Result<()> {
        let size = usize::try_from(size.min(MOST_BYTES)).map_err(Error::other)?;
        self.all().insert(name.to_owned(), vec![0; size]);
        Ok(())
    }

    fn write_sync(&self, name: &str, offset: u64, bytes: &[u8]) -> std::io::Result<()> {
        let mut files = self.all();
        let file = files.get_mut(name).ok_or_else(|| Error::from(ErrorKind::NotFound))?;
        let start = usize::try_from(offset).map_err(Error::other)?;
        file.resize(file.len().max(start + bytes.len()), 0);
        file[start..start + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    fn read(&self, name: &str, offset: u64, length: usize) -> std::io::Result<Vec<u8>> {
        let files = self.all();
        let file = files.get(name).ok_or_else(|| Error::from(ErrorKind::NotFound))?;
        let start = usize::try_from(offset).map_err(Error::other)?.min(file.len());
        Ok(file[start..start.saturating_add(length).min(file.len())].to_vec())
    }

    fn size(&self, name: &str) -> std::io::Result<u64> {
        let files = self.all();
        files.get(name).map(|file| file.len() as u64).ok_or_else(|| Error::from(ErrorKind::NotFound))
    }

    fn remove(&self, name: &str) -> std::io::Result<()> {
        self.all().remove(name);
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> std::io::Result<()> {
        let mut files = self.all();
        let file = files.remove(from).ok_or_else(|| Error::from(ErrorKind::NotFound))?;
        files.insert(to.to_owned(), file);
        Ok(())
    }

    fn free(&self) -> Option<u64> {
        None
    }
}
