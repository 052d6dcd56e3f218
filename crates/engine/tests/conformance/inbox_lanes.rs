//! The inbox table under several nodes: nothing is skipped, nothing is decided twice.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use hogwire_engine::inbox::{Inbox, Record, plant_cursors};
use hogwire_engine::store::inbox::{self, New};
use hogwire_engine::store::{Store, Tx, settings};
use hogwire_model::{Span, Time};

use crate::harness::{NOW, on_postgres, write};

const DAY: i64 = 86_400_000;

fn record(body: &[u8], lane_hint: u64) -> Record<'_> {
    Record { connection: "posthog", shape: "flat", arrived: NOW, body, lane_hint }
}

/// Decides one chunk and commits; answers its bodies in order.
fn decide(store: &Store, inbox: &Inbox, most: usize) -> Vec<String> {
    let mut tx = store.begin().expect("begun");
    let Some(claim) = inbox.claim(&mut tx).expect("claimed") else { return Vec::new() };
    let chunk = inbox.read(&mut tx, &claim, most, 1 << 20).expect("read");
    inbox.advance(&mut tx, claim, &chunk).expect("advanced");
    tx.commit().expect("committed");
    chunk.records.into_iter().map(|stored| String::from_utf8(stored.body).expect("text")).collect()
}

fn decide_all(store: &Store, inbox: &Inbox) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        let some = decide(store, inbox, 5);
        if some.is_empty() {
            return all;
        }
        all.extend(some);
    }
}

#[test]
fn rows_are_read_in_order_fetched_by_place_and_dropped_by_day() {
    on_postgres("lane_order", |open| {
        let (store, inbox) = (open(), Inbox::table());
        write(&store, plant_cursors);
        let bodies: Vec<String> = (0..20).map(|n| format!("body-{n:02}")).collect();
        for pair in bodies.chunks(2) {
            let records: Vec<Record<'_>> = pair.iter().map(|body| record(body.as_bytes(), 3)).collect();
            inbox.append(&store, &records).expect("appended");
        }
        let waiting = inbox.backlog(&store).expect("asked");
        assert_eq!((waiting.bytes, waiting.oldest), (140, Some(NOW)));
        let mut tx = store.begin().expect("begun");
        let claim = inbox.claim(&mut tx).expect("claimed").expect("a lane");
        let first = inbox.read(&mut tx, &claim, 1, 1).expect("read").records.remove(0);
        drop(tx);
        assert_eq!(decide_all(&store, &inbox), bodies);
        assert_eq!(inbox.backlog(&store).expect("asked"), Default::default());
        assert_eq!(inbox.fetch(&store, &first.place).expect("asked"), Some(first.clone()));
        for nowhere in ["", "1", "x:y", "1:999999"] {
            assert_eq!(inbox.fetch(&store, nowhere).expect("asked"), None);
        }
        write(&store, |tx| inbox.drop_before(tx, NOW));
        assert!(inbox.fetch(&store, &first.place).expect("asked").is_some(), "the day is not over");
        write(&store, |tx| inbox.drop_before(tx, NOW.plus(Span::days(3))));
        assert_eq!(inbox.fetch(&store, &first.place).expect("asked"), None);
        Inbox::table().append(&store, &[record(b"again", 3)]).expect("the day is made again");
        assert_eq!(decide_all(&store, &inbox), ["again"]);
    });
}

#[test]
fn a_claimed_lane_is_left_to_its_claimer_and_given_back_undecided() {
    on_postgres("lane_claim", |open| {
        let (one, two, inbox) = (open(), open(), Inbox::table());
        write(&one, plant_cursors);
        inbox.append(&one, &[record(b"a", 1), record(b"b", 2)]).expect("appended");
        let mut first = one.begin().expect("begun");
        let held = inbox.claim(&mut first).expect("claimed").expect("a lane");
        let mut second = two.begin().expect("begun");
        let other = inbox.claim(&mut second).expect("claimed").expect("the other lane");
        assert_ne!(held.cursor, other.cursor);
        let three = open();
        assert_eq!(inbox.claim(&mut three.begin().expect("begun")).expect("asked"), None);
        drop((first, second));
        let mut decided = decide_all(&three, &inbox);
        decided.sort();
        assert_eq!(decided, ["a", "b"]);
    });
}

#[test]
fn a_row_that_commits_late_is_not_skipped() {
    on_postgres("late_commit", |open| {
        let (slow, fast, inbox) = (open(), open(), Inbox::table());
        write(&fast, plant_cursors);
        inbox.append(&fast, &[record(b"first", 1)]).expect("appended");
        let mut open_tx = slow.begin().expect("begun");
        inbox::add(&mut open_tx, &[row(b"late")]).expect("added");
        inbox.append(&fast, &[record(b"quick", 1)]).expect("appended");
        assert_eq!(decide_all(&fast, &inbox), ["first"], "nothing behind an open transaction is read");
        open_tx.commit().expect("committed");
        assert_eq!(decide_all(&fast, &inbox), ["late", "quick"]);
    });
}

fn row(body: &[u8]) -> New<'_> {
    New { day: NOW.millis().div_euclid(DAY), lane: 1, connection: "posthog", shape: "flat", arrived: NOW, body }
}

#[test]
fn long_work_on_other_tables_delays_nothing() {
    on_postgres("long_work", |open| {
        let (busy, store, inbox) = (open(), open(), Inbox::table());
        write(&store, plant_cursors);
        let mut long = busy.begin().expect("begun");
        settings::set(&mut long, "a", "1", NOW).expect("set");
        inbox.append(&store, &[record(b"a", 1)]).expect("appended");
        assert_eq!(decide_all(&store, &inbox), ["a"]);
        long.commit().expect("committed");
    });
}

#[test]
fn two_nodes_and_slow_committers_decide_everything_once() {
    const WRITERS: usize = 4;
    const EACH: usize = 150;
    on_postgres("two_nodes", |open| {
        let setup = open();
        write(&setup, plant_cursors);
        let nodes: Vec<(Store, Inbox)> = (0..2).map(|_| (open(), Inbox::table())).collect();
        let writers: Vec<Store> = (0..WRITERS).map(|_| open()).collect();
        nodes[0].1.append(&setup, &[record(b"w9-000", 9)]).expect("the day is made");
        let (working, seen) = (AtomicUsize::new(WRITERS), Mutex::new(Vec::new()));
        thread::scope(|scope| {
            for (n, store) in writers.iter().enumerate() {
                let working = &working;
                scope.spawn(move || {
                    write_slowly(store, n, EACH);
                    working.fetch_sub(1, Ordering::SeqCst);
                });
            }
            for (store, inbox) in &nodes {
                let (working, seen) = (&working, &seen);
                scope.spawn(move || {
                    loop {
                        let is_over = working.load(Ordering::SeqCst) == 0;
                        let some = decide(store, inbox, 7);
                        if is_over && some.is_empty() {
                            return;
                        }
                        seen.lock().expect("not poisoned").extend(some);
                    }
                });
            }
        });
        let mut seen = seen.into_inner().expect("not poisoned");
        seen.extend(decide_all(&setup, &nodes[0].1));
        let mut expected: Vec<String> =
            (0..WRITERS).flat_map(|n| (0..EACH).map(move |at| format!("w{n}-{at:03}"))).collect();
        expected.push("w9-000".to_owned());
        seen.sort();
        assert_eq!(seen, expected);
    });
}

/// Writes rows so that each transaction commits only after a later one of the same writer
/// has begun and written: sequence numbers and commits never come in the same order.
fn write_slowly(store: &Store, writer: usize, rows: usize) {
    let mut older: Option<Tx<'_>> = None;
    for at in 0..rows {
        let body = format!("w{writer}-{at:03}");
        let mut newer = store.begin().expect("begun");
        let lane = i64::try_from((writer + at) % 8).expect("small");
        inbox::add(&mut newer, &[New { lane, ..row(body.as_bytes()) }]).expect("added");
        older = match older.take() {
            None => Some(newer),
            Some(held) => {
                newer.commit().expect("committed");
                held.commit().expect("committed");
                None
            }
        };
    }
    if let Some(last) = older {
        last.commit().expect("committed");
    }
}

#[test]
fn the_cursor_and_what_was_decided_come_and_go_together() {
    on_postgres("lane_atomic", |open| {
        let (store, inbox) = (open(), Inbox::table());
        write(&store, plant_cursors);
        inbox.append(&store, &[record(b"a", 0)]).expect("appended");
        let mut tx = store.begin().expect("begun");
        let claim = inbox.claim(&mut tx).expect("claimed").expect("a lane");
        let chunk = inbox.read(&mut tx, &claim, 5, 1 << 20).expect("read");
        settings::set(&mut tx, "decided", "a", Time::from_millis(1)).expect("set");
        inbox.advance(&mut tx, claim, &chunk).expect("advanced");
        drop(tx);
        assert_eq!(settings::text(&mut store.read().expect("a snapshot"), "decided").expect("read"), None);
        assert_eq!(decide_all(&store, &inbox), ["a"]);
    });
}
