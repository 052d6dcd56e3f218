//! The log on a disk that tears, fills and rots.

use std::collections::BTreeMap;
use std::io::{Error as IoError, ErrorKind, Result as IoResult};
use std::sync::{Arc, Mutex, MutexGuard};

use hogwire_model::Time;
use proptest::prelude::*;

use super::*;
use crate::error::Error;

/// A disk in memory. Everything written is durable, but for a write that was told to tear.
#[derive(Default)]
pub(crate) struct Platter(Mutex<Contents>);

#[derive(Default)]
struct Contents {
    files: BTreeMap<String, Vec<u8>>,
    /// The next write keeps this many bytes, after which the power is gone.
    tear: Option<usize>,
    is_off: bool,
    /// Bytes all files together may take.
    room: Option<usize>,
}

impl Platter {
    fn held(&self) -> IoResult<MutexGuard<'_, Contents>> {
        let held = self.0.lock().expect("no panic while held");
        if held.is_off { Err(IoError::other("no power")) } else { Ok(held) }
    }

    pub fn tear_next_write(&self, kept: usize) {
        self.0.lock().expect("not poisoned").tear = Some(kept);
    }

    pub fn restart(&self) {
        let mut held = self.0.lock().expect("not poisoned");
        (held.is_off, held.tear) = (false, None);
    }

    pub fn flip(&self, name: &str, at: usize, bit: u8) {
        let mut held = self.0.lock().expect("not poisoned");
        if let Some(byte) = held.files.get_mut(name).and_then(|bytes| bytes.get_mut(at)) {
            *byte ^= 1 << bit;
        }
    }

    fn limit(&self, room: Option<usize>) {
        self.0.lock().expect("not poisoned").room = room;
    }
}

fn missing() -> IoError {
    IoError::from(ErrorKind::NotFound)
}

impl Disk for Platter {
    fn list(&self) -> IoResult<Vec<String>> {
        Ok(self.held()?.files.keys().cloned().collect())
    }

    fn create(&self, name: &str, size: u64) -> IoResult<()> {
        let mut held = self.held()?;
        let taken: usize = held.files.values().map(Vec::len).sum();
        if held.room.is_some_and(|room| taken + size as usize > room) {
            return Err(IoError::from(ErrorKind::StorageFull));
        }
        if held.tear.take().is_some() {
            held.files.insert(name.to_owned(), Vec::new());
            held.is_off = true;
            return Err(IoError::other("no power"));
        }
        held.files.insert(name.to_owned(), vec![0; size as usize]);
        Ok(())
    }

    fn write_sync(&self, name: &str, offset: u64, bytes: &[u8]) -> IoResult<()> {
        let mut held = self.held()?;
        let tear = held.tear.take();
        let file = held.files.get_mut(name).ok_or_else(missing)?;
        let offset = offset as usize;
        let kept = tear.map_or(bytes.len(), |kept| kept.min(bytes.len()));
        file.resize(file.len().max(offset + kept), 0);
        file[offset..offset + kept].copy_from_slice(&bytes[..kept]);
        if tear.is_some() {
            held.is_off = true;
            return Err(IoError::other("no power"));
        }
        Ok(())
    }

    fn read(&self, name: &str, offset: u64, length: usize) -> IoResult<Vec<u8>> {
        let held = self.held()?;
        let file = held.files.get(name).ok_or_else(missing)?;
        let from = file.len().min(offset as usize);
        Ok(file[from..file.len().min(from + length)].to_vec())
    }

    fn size(&self, name: &str) -> IoResult<u64> {
        Ok(self.held()?.files.get(name).ok_or_else(missing)?.len() as u64)
    }

    fn remove(&self, name: &str) -> IoResult<()> {
        self.held()?.files.remove(name).map(|_| ()).ok_or_else(missing)
    }

    fn rename(&self, from: &str, to: &str) -> IoResult<()> {
        let mut held = self.held()?;
        let file = held.files.remove(from).ok_or_else(missing)?;
        held.files.insert(to.to_owned(), file);
        Ok(())
    }

    fn free(&self) -> Option<u64> {
        None
    }
}

const SEGMENT: u64 = 1_024;

struct Bench {
    disk: Arc<Platter>,
    store: Store,
    inbox: Inbox,
}

impl Bench {
    fn new() -> Self {
        let disk = Arc::new(Platter::default());
        let store = Store::memory().expect("a store");
        store.migrate(Time::from_millis(1)).expect("migrated");
        let inbox = Inbox::log_of(disk.clone(), SEGMENT).expect("opened");
        Self { disk, store, inbox }
    }

    fn restart(&mut self) {
        self.disk.restart();
        self.inbox = Inbox::log_of(self.disk.clone(), SEGMENT).expect("opened");
    }

    fn append(&self, bodies: &[String]) -> Result<()> {
        let records: Vec<Record<'_>> = bodies.iter().map(|body| record(body.as_bytes())).collect();
        self.inbox.append(&self.store, &records)
    }

    /// Decides up to `most` records and commits; answers their bodies.
    fn decide(&self, most: usize) -> Result<(Vec<String>, u64)> {
        let mut tx = self.store.begin()?;
        let claim = self.inbox.claim(&mut tx)?.expect("one lane");
        let chunk = self.inbox.read(&mut tx, &claim, most, 1 << 20)?;
        self.inbox.advance(&mut tx, claim, &chunk)?;
        tx.commit()?;
        self.inbox.decided(&chunk);
        Ok((chunk.records.iter().map(body).collect(), chunk.damaged))
    }

    fn decide_all(&self) -> (Vec<String>, u64) {
        let (mut all, mut damaged) = (Vec::new(), 0);
        loop {
            let (some, passed) = self.decide(3).expect("decided");
            damaged += passed;
            if some.is_empty() {
                return (all, damaged);
            }
            all.extend(some);
        }
    }
}

fn record(body: &[u8]) -> Record<'_> {
    Record { connection: "posthog", shape: "flat", arrived: Time::from_millis(5), body, lane_hint: 0 }
}

fn body(stored: &Stored) -> String {
    String::from_utf8(stored.body.clone()).expect("text")
}

fn named(prefix: &str, n: usize) -> Vec<String> {
    (0..n).map(|at| format!("{prefix}-{at}-{}", "x".repeat(at * 37 % 200))).collect()
}

#[test]
fn what_is_appended_is_read_once_in_order_and_stays_fetchable() {
    let mut bench = Bench::new();
    let bodies = named("a", 40);
    for group in bodies.chunks(7) {
        bench.append(group).expect("appended");
    }
    assert!(bench.inbox.backlog(&bench.store).expect("asked").bytes > 4_000);
    let mut tx = bench.store.begin().expect("begun");
    let claim = bench.inbox.claim(&mut tx).expect("claimed").expect("one lane");
    let stored = bench.inbox.read(&mut tx, &claim, 100, 1 << 20).expect("read").records;
    drop(tx);
    let mut places: Vec<&String> = stored.iter().map(|stored| &stored.place).collect();
    places.sort();
    assert_eq!(places, stored.iter().map(|stored| &stored.place).collect::<Vec<_>>());
    assert_eq!(bench.decide_all().0, bodies);
    assert_eq!(bench.inbox.backlog(&bench.store).expect("asked").oldest, None);
    while bench.inbox.tidy().expect("tidied") {}
    assert!(bench.disk.list().expect("listed").iter().any(|name| name.ends_with(".zst")));
    bench.restart();
    for held in &stored {
        assert_eq!(bench.inbox.fetch(&bench.store, &held.place).expect("asked").as_ref(), Some(held));
    }
    for nowhere in ["", "x", "1:3", "99:0", "0000000001:0000000004"] {
        assert_eq!(bench.inbox.fetch(&bench.store, nowhere).expect("asked"), None, "{nowhere}");
    }
    bench.store.write(|tx| bench.inbox.drop_before(tx, Time::from_millis(6))).expect("dropped");
    assert_eq!(bench.inbox.fetch(&bench.store, &stored[0].place).expect("asked"), None);
}

#[test]
fn tidying_after_a_restart_touches_nothing_undecided() {
    let mut bench = Bench::new();
    let bodies = named("a", 40);
    bench.append(&bodies).expect("appended");
    bench.restart();
    while bench.inbox.tidy().expect("tidied") {}
    assert_eq!(bench.decide_all().0, bodies);
}

#[test]
fn a_restored_database_is_given_again_what_is_archived() {
    let bench = Bench::new();
    let bodies = named("a", 40);
    bench.append(&bodies).expect("appended");
    bench.decide_all();
    while bench.inbox.tidy().expect("tidied") {}
    bench.store.write(|tx| crate::store::cursors::set(tx, "inbox", "0000000001:0000000000")).expect("set");
    assert_eq!(bench.decide_all().0, bodies);
}

#[test]
fn payloads_are_blanked_in_the_log_and_in_its_archives() {
    let bench = Bench::new();
    let bodies = named("secret", 40);
    bench.append(&bodies).expect("appended");
    let mut tx = bench.store.begin().expect("a transaction");
    let claim = bench.inbox.claim(&mut tx).expect("asked").expect("claimed");
    let chunk = bench.inbox.read(&mut tx, &claim, 100, 1 << 20).expect("read");
    drop(tx);
    let places: Vec<String> = chunk.records.iter().map(|stored| stored.place.clone()).collect();
    bench.decide_all();
    // Every second one is blanked while the log holds it, the others when it is archived.
    let (now, later): (Vec<_>, Vec<_>) = places.iter().cloned().enumerate().partition(|(n, _)| n % 2 == 0);
    for some in [now, later] {
        let mut left: Vec<String> = some.into_iter().map(|(_, place)| place).collect();
        while !left.is_empty() {
            left = bench.store.write(|tx| bench.inbox.blank(tx, &left)).expect("blanked");
        }
        while bench.inbox.tidy().expect("tidied") {}
    }
    for place in &places {
        let held = bench.inbox.fetch(&bench.store, place).expect("read").expect("its place is kept");
        assert_eq!(String::from_utf8_lossy(&held.body).trim(), "{}", "{place}");
    }
}

#[test]
fn a_log_that_was_lost_begins_anew() {
    let mut bench = Bench::new();
    bench.append(&named("a", 40)).expect("appended");
    bench.decide_all();
    bench.disk = Arc::new(Platter::default());
    bench.restart();
    assert_eq!(bench.decide_all().0, Vec::<String>::new());
    bench.append(&named("b", 3)).expect("appended");
    assert_eq!(bench.decide_all().0, named("b", 3));
}

#[test]
fn a_full_disk_asks_senders_to_wait_and_recovers() {
    let bench = Bench::new();
    bench.disk.limit(Some(2 * SEGMENT as usize));
    let mut acknowledged = Vec::new();
    let mut refused = 0;
    for body in named("a", 40) {
        match bench.append(std::slice::from_ref(&body)) {
            Ok(()) => acknowledged.push(body),
            Err(Error::Busy(_)) => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(refused > 0 && !acknowledged.is_empty());
    bench.disk.limit(None);
    bench.append(&named("b", 1)).expect("appended");
    acknowledged.extend(named("b", 1));
    assert_eq!(bench.decide_all().0, acknowledged);
}

#[test]
fn a_record_longer_than_a_segment_is_kept() {
    let mut bench = Bench::new();
    let bodies = vec!["a".to_owned(), "b".repeat(5_000_000), "c".to_owned()];
    bench.append(&bodies).expect("appended");
    bench.restart();
    bench.append(&named("d", 1)).expect("appended");
    let expected: Vec<String> = bodies.into_iter().chain(named("d", 1)).collect();
    assert_eq!(bench.decide_all().0, expected);
    assert!(bench.append(&["x".repeat(40 << 20)]).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// One flipped bit costs one record at most, and everything else is read in order.
    #[test]
    fn a_flipped_bit_costs_one_record(segment in 1_u64..4, at in 0_usize..1_024, bit in 0_u8..8, restart: bool) {
        let mut bench = Bench::new();
        let bodies = named("a", 40);
        bench.append(&bodies).expect("appended");
        bench.disk.flip(&segment_log::segment_name(segment), at, bit);
        if restart {
            bench.restart();
        }
        let (read, damaged) = bench.decide_all();
        let lost = bodies.iter().filter(|body| !read.contains(body)).count();
        prop_assert!(lost <= 1);
        if !restart {
            prop_assert_eq!(lost == 1, damaged > 0);
        }
        let kept: Vec<_> = bodies.into_iter().filter(|body| read.contains(body)).collect();
        prop_assert_eq!(read, kept);
    }

    /// Whatever is written over a log, reading it ends, and appending goes on.
    #[test]
    fn rubbish_stops_nothing(rubbish in prop::collection::vec(any::<u8>(), 0..900), at in 0_u64..1_100) {
        let mut bench = Bench::new();
        bench.append(&named("a", 20)).expect("appended");
        bench.disk.write_sync(&segment_log::segment_name(1), at, &rubbish).expect("written");
        bench.restart();
        bench.append(&named("b", 20)).expect("appended");
        let read = bench.decide_all().0;
        prop_assert!(read.ends_with(&named("b", 20)));
    }

    /// Every acknowledged record is decided exactly once, in order, wherever the power goes.
    #[test]
    fn acknowledged_records_survive_every_crash(steps in prop::collection::vec(step(), 1..60)) {
        let mut bench = Bench::new();
        let (mut acknowledged, mut decided) = (Vec::new(), Vec::new());
        for (n, step) in steps.into_iter().enumerate() {
            match step {
                Step::Append(size) => {
                    let bodies = named(&format!("g{n}"), size);
                    if bench.append(&bodies).is_ok() {
                        acknowledged.extend(bodies);
                    }
                }
                Step::Decide(most) => decided.extend(bench.decide(most).map(|(some, _)| some).unwrap_or_default()),
                Step::Tidy => drop(bench.inbox.tidy()),
                Step::Tear(kept) => bench.disk.tear_next_write(kept),
                Step::Recover => bench.disk.restart(),
                Step::Restart => bench.restart(),
            }
        }
        bench.restart();
        decided.extend(bench.decide_all().0);
        let mut once = decided.clone();
        once.sort();
        once.dedup();
        prop_assert_eq!(once.len(), decided.len());
        decided.retain(|body| acknowledged.contains(body));
        prop_assert_eq!(decided, acknowledged);
    }
}

#[derive(Clone, Debug)]
enum Step {
    Append(usize),
    Decide(usize),
    Tidy,
    Tear(usize),
    /// The disk works again; the process never stopped.
    Recover,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1_usize..12).prop_map(Step::Append),
        3 => (1_usize..10).prop_map(Step::Decide),
        2 => Just(Step::Tidy),
        1 => (0_usize..900).prop_map(Step::Tear),
        1 => Just(Step::Recover),
        2 => Just(Step::Restart),
    ]
}
