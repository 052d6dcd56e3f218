//! What needs a folder or a resolver and no server.

use hogwire_engine::outside::{Disk as _, Entropy};
use hogwire_model::{Span, Time};

use super::clock::Clock;
use super::disk::{Folder, free_bytes};
use super::entropy::Dice;
use super::lock::{self, Lock, Owner, Taken};

#[test]
fn a_folder_keeps_what_is_written_where_it_is_written() {
    let temp = tempfile::tempdir().expect("a folder");
    let folder = Folder::open(&temp.path().join("log")).expect("a folder");
    folder.create("b", 3 << 20).expect("created");
    folder.create("a", 10).expect("created");
    assert_eq!(folder.list().expect("names"), ["a", "b"]);
    assert_eq!(folder.size("b").expect("a size"), 3 << 20);
    folder.write_sync("b", 5, b"hello").expect("written");
    assert_eq!(folder.read("b", 4, 7).expect("read"), b"\0hello\0");
    assert_eq!(folder.read("a", 8, 100).expect("read").len(), 2, "fewer at the end");
    assert!(folder.read("a", 100, 4).expect("read").is_empty());
    folder.write_sync("a", 10, b"grown").expect("written");
    assert_eq!(folder.size("a").expect("a size"), 15);
    folder.rename("b", "a").expect("renamed");
    assert_eq!(folder.read("a", 5, 5).expect("read"), b"hello", "what was open is not read again");
    folder.remove("a").expect("removed");
    assert!(folder.read("a", 0, 1).is_err());
    assert!(folder.list().expect("names").is_empty());
    assert!(free_bytes(temp.path()).is_some_and(|free| free > 0));
}

#[test]
fn a_folder_has_one_owner_who_can_be_found() {
    let temp = tempfile::tempdir().expect("a folder");
    assert_eq!(lock::owner(temp.path()), None);
    let Ok(Taken::Ours(mut lock)) = Lock::take(temp.path()) else { panic!("the folder is free") };
    let note = Owner { pid: std::process::id(), url: "http://127.0.0.1:1".to_owned(), key: "k".to_owned() };
    lock.note(&note).expect("noted");
    let Ok(Taken::Theirs(Some(owner))) = Lock::take(temp.path()) else { panic!("it is taken") };
    assert_eq!(owner, note);
    assert_eq!(lock::owner(temp.path()), Some(note));
    drop(lock);
    assert_eq!(lock::owner(temp.path()), None);
    assert!(matches!(Lock::take(temp.path()), Ok(Taken::Ours(_))));
}

#[test]
fn a_paced_clock_runs_faster_and_waits_shorter() {
    let began = Time::from_millis(1_000_000);
    let clock = Clock::paced(began, 1_000);
    assert!(clock.now() >= began);
    let until = clock.until(clock.now().plus(Span::hours(1)));
    assert!(until.as_millis() <= 3_600, "{until:?}");
    assert_eq!(clock.until(began.minus(Span::hours(1))).as_millis(), 0);
}

#[test]
fn tokens_differ_and_are_safe_in_urls() {
    let dice: &dyn Entropy = &Dice;
    let (one, other) = (dice.token(), dice.token());
    assert_ne!(one, other);
    assert!(one.len() == 26 && one.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()));
}
