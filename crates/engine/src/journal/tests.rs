use std::sync::Arc;

use super::*;
use crate::inbox::tests::Platter;

fn claimed(id: &str) -> Note {
    Note::Claimed { message_id: id.to_owned() }
}

fn ids(journal: &Journal) -> Vec<String> {
    let mut ids = Vec::new();
    let replayed = journal.replay(|line| {
        if let Note::Claimed { message_id } = line.note {
            ids.push(message_id);
        }
        Ok(())
    });
    replayed.expect("replayed");
    ids
}

#[test]
fn what_was_noted_is_replayed_in_order_after_a_restart() {
    let disk = Arc::new(Platter::default());
    let at = Time::from_millis(7);
    let journal = Journal::open(disk.clone()).expect("opened");
    journal.append(vec![claimed("a"), claimed("b")], at).expect("noted");
    drop(journal);
    let journal = Journal::open(disk.clone()).expect("opened");
    let out = Note::OptedOut { address_hash: "h\n".to_owned(), topic: String::new(), reason: "x".to_owned() };
    journal.append(vec![out.clone()], at).expect("noted");
    let mut lines = Vec::new();
    journal
        .replay(|line| {
            lines.push(line);
            Ok(())
        })
        .expect("replayed");
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[2], Line { at, note: out });
}

#[test]
fn a_torn_tail_loses_nothing_that_was_acknowledged() {
    for cut in 0..120 {
        let disk = Arc::new(Platter::default());
        let at = Time::from_millis(7);
        let journal = Journal::open(disk.clone()).expect("opened");
        journal.append(vec![claimed("first")], at).expect("noted");
        disk.tear_next_write(cut);
        assert!(journal.append(vec![claimed("torn-1"), claimed("torn-2")], at).is_err());
        disk.restart();
        let journal = Journal::open(disk.clone()).expect("opened");
        journal.append(vec![claimed("z")], at).expect("noted");
        disk.restart();
        let journal = Journal::open(disk).expect("opened");
        journal.append(vec![claimed("last")], at).expect("noted");
        let replayed: Vec<String> = ids(&journal).into_iter().filter(|id| !id.starts_with("torn")).collect();
        assert_eq!(replayed, ["first", "z", "last"], "cut at {cut}");
    }
}

#[test]
fn a_flipped_bit_costs_its_line_only() {
    let disk = Arc::new(Platter::default());
    let journal = Journal::open(disk.clone()).expect("opened");
    for id in ["a", "b", "c"] {
        journal.append(vec![claimed(id)], Time::from_millis(7)).expect("noted");
    }
    disk.flip(NAME, 80, 4);
    assert_eq!(ids(&Journal::open(disk).expect("opened")), ["a", "c"]);
}

#[test]
fn a_long_journal_is_read_in_windows() {
    let disk = Arc::new(Platter::default());
    let journal = Journal::open(disk.clone()).expect("opened");
    let notes: Vec<String> = (0..40_000).map(|n| format!("message-{n:06}")).collect();
    for group in notes.chunks(1_000) {
        journal.append(group.iter().map(|id| claimed(id)).collect(), Time::from_millis(7)).expect("noted");
    }
    assert!(disk.size(NAME).expect("a size") > 2 << 20);
    assert_eq!(ids(&Journal::open(disk).expect("opened")), notes);
}
