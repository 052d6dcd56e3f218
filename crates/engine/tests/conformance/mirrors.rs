//! What destinations were told, and the receipts of erasures.

use hogwire_engine::store::erasures::{self, Erasure, Receipt};
use hogwire_engine::store::mirrors::{self, Mirrored};
use hogwire_engine::store::{contacts, deliveries, mirrored_members as members, redirects, sets};

use crate::harness::{NOW, later, on_both, read, write};
use crate::stage::Stage;

fn row(contact: &str, status: &str, due: Option<i64>) -> Mirrored {
    Mirrored {
        destination: "brevo".into(),
        contact_id: contact.into(),
        status: status.into(),
        due_at: due.map(later),
        ..Mirrored::default()
    }
}

#[test]
fn one_at_a_time_works_on_a_destination() {
    on_both("mirror_claims", |store| {
        assert_eq!(read(store, |tx| mirrors::state(tx, "brevo")), None);
        let (state, fence) = write(store, |tx| mirrors::claim(tx, "brevo", NOW)).expect("claimed");
        assert_eq!((state.as_str(), fence), ("{}", 1));
        assert_eq!(write(store, |tx| mirrors::claim(tx, "brevo", later(1))), None);
        assert!(!write(store, |tx| mirrors::keep(tx, "brevo", fence - 1, "x", true, NOW)), "an old fence");
        assert!(write(store, |tx| mirrors::keep(tx, "brevo", fence, "{\"a\":1}", true, later(2))));
        let (state, fence) = write(store, |tx| mirrors::claim(tx, "brevo", later(3))).expect("claimed again");
        assert_eq!((state.as_str(), fence), ("{\"a\":1}", 2));
        assert_eq!(read(store, |tx| mirrors::state(tx, "brevo")), Some(("{\"a\":1}".into(), later(2))));
    });
}

#[test]
fn rows_are_found_by_what_they_wait_for() {
    on_both("mirror_rows", |store| {
        let stage = Stage::new(store);
        stage.contact("a");
        for _ in 0..2 {
            write(store, mirrors::prepare);
        }
        let rows = [row("a", "pending", Some(0)), row("b", "rejected", None), row("c", "importing", Some(60))];
        let rows =
            rows.map(|row| Mirrored { batch: if row.contact_id == "c" { "78".into() } else { String::new() }, ..row });
        write(store, |tx| mirrors::put(tx, &rows.iter().collect::<Vec<_>>()));
        let ids = |rows: Vec<Mirrored>| rows.into_iter().map(|row| row.contact_id).collect::<Vec<_>>();
        assert_eq!(ids(read(store, |tx| mirrors::due(tx, "brevo", NOW, 10))), ["a"]);
        assert_eq!(read(store, |tx| mirrors::count_due(tx, "brevo", later(60), 10)), 1);
        assert_eq!(read(store, |tx| mirrors::next_due(tx, "brevo")), Some(NOW));
        assert_eq!(ids(read(store, |tx| mirrors::of_batch(tx, "78", "", 10))), ["c"]);
        assert!(read(store, |tx| mirrors::of_batch(tx, "", "", 10)).is_empty());
        assert_eq!(ids(read(store, |tx| mirrors::of_status(tx, "brevo", "rejected", "", 10))), ["b"]);
        assert_eq!(read(store, |tx| mirrors::tally(tx, "brevo")).len(), 3);
        assert_eq!(write(store, |tx| mirrors::retry(tx, "brevo", "", later(5))), 1);
        assert_eq!(read(store, |tx| mirrors::orphans(tx, "brevo", "", 10)), ["b", "c"]);
        write(store, |tx| mirrors::forget(tx, "brevo", "b"));
        assert_eq!(ids(read(store, |tx| mirrors::find_many(tx, "brevo", vec!["a", "b", "c"]))), ["a", "c"]);
        assert_eq!(read(store, |tx| mirrors::of_contact(tx, "a"))[0], rows[0]);
        let written = Mirrored { address: "a@b.test".into(), ..row("a", "written", None) };
        write(store, |tx| mirrors::put(tx, &[&written]));
        write(store, |tx| mirrors::stir(tx, "", "a@b.test", later(9)));
        assert_eq!(read(store, |tx| mirrors::of_contact(tx, "a"))[0].due_at, Some(later(9)));
        write(store, |tx| mirrors::put(tx, &[&written]));
        write(store, |tx| mirrors::stir(tx, "a", "", later(8)));
        assert_eq!(read(store, |tx| mirrors::of_contact(tx, "a"))[0].status, "pending");
    });
}

#[test]
fn a_receipt_goes_from_pending_to_its_end() {
    on_both("receipts_rows", |store| {
        let erasure = Erasure { id: "ers_1".into(), contact_id: "a".into(), at: NOW, actor: "ann".into() };
        let receipt = |place: &str, status: &str, subject: &str| Receipt {
            place: place.into(),
            status: status.into(),
            answer: String::new(),
            attempts: 0,
            settled_at: None,
            subject: subject.into(),
        };
        write(store, |tx| {
            erasures::add(tx, &erasure)?;
            erasures::add_receipt(tx, "ers_1", &receipt("brevo", "pending", "{\"address\":1}"), Some(NOW))?;
            erasures::add_receipt(tx, "ers_1", &receipt("posthog", "by_hand", "{}"), None)
        });
        assert_eq!(
            write(store, |tx| erasures::due(tx, "brevo", NOW, 9)),
            [("ers_1".into(), "{\"address\":1}".into(), 0)]
        );
        assert_eq!(read(store, |tx| erasures::next_due(tx, "brevo")), Some(NOW));
        write(store, |tx| erasures::settle(tx, "ers_1", "brevo", "failed", "405", None, later(1)));
        assert_eq!(read(store, erasures::open).len(), 2);
        assert!(write(store, |tx| erasures::retry(tx, "ers_1", "brevo", later(2))));
        write(store, |tx| erasures::settle(tx, "ers_1", "brevo", "done", "204", None, later(3)));
        assert!(!write(store, |tx| erasures::retry(tx, "ers_1", "brevo", later(4))));
        let receipts = read(store, |tx| erasures::receipts(tx, "ers_1"));
        assert_eq!((receipts[0].subject.as_str(), receipts[0].settled_at), ("", Some(later(3))));
        assert_eq!(read(store, |tx| erasures::find(tx, "ers_1")), Some(erasure.clone()));
        assert_eq!(read(store, |tx| erasures::of_contact(tx, "a")), Some(erasure.clone()));
        assert_eq!(read(store, |tx| erasures::newest(tx, later(9), 5)), vec![erasure.clone()]);
    });
}

#[test]
fn removing_takes_the_contact_and_leaves_what_was_sent() {
    on_both("removing_rows", |store| {
        let stage = Stage::new(store);
        stage.contact("ada");
        let message = stage.queue("ada", |_| ());
        assert_eq!(read(store, |tx| redirects::everyone(tx, "ada")), ["ada"]);
        write(store, |tx| erasures::remove(tx, &["ada".to_owned()], NOW));
        assert!(read(store, |tx| contacts::find(tx, "ada")).is_none());
        assert_eq!((stage.status(&message), stage.message(&message).address.as_str()), ("skipped", "ada@example.com"));
        assert!(read(store, |tx| deliveries::of_contact(tx, &["ada".to_owned()], 5)).is_empty());
        assert!(read(store, |tx| erasures::places(tx, &["ada".to_owned()])).is_empty());
        write(store, |tx| {
            erasures::blank_address(tx, "ada@example.com")?;
            erasures::forget_spelling(tx, "hash")?;
            erasures::forget_waiting(tx, "distinct_id", vec!["u1"])?;
            erasures::blank(tx, &["ada".to_owned()], "nobody", NOW)
        });
        assert_eq!(
            (stage.message(&message).address.as_str(), stage.message(&message).contact_id.as_str()),
            ("", "nobody")
        );
    });
}

#[test]
fn changes_are_read_in_their_order_and_a_lost_contact_is_not_made_anew() {
    on_both("mirror_changes", |store| {
        let stage = Stage::new(store);
        for name in ["b", "a"] {
            stage.contact(name);
        }
        let start = hogwire_model::Time::from_millis(i64::MIN);
        let at = read(store, |tx| contacts::next_change(tx, (start, ""))).expect("a change");
        let changed = read(store, |tx| contacts::changed(tx, (start, ""), at, 10));
        let ids: Vec<&str> = changed.iter().map(|(_, stored)| stored.contact.id.as_str()).collect();
        assert_eq!(ids, ["a", "b"]);
        assert_eq!(read(store, |tx| contacts::changed(tx, (at, "a"), at, 10)).len(), 1);
        assert_eq!(read(store, |tx| contacts::next_change(tx, (at, "b"))), None);
        let written = Mirrored { address: "a@b.test".into(), written_at: Some(NOW), ..row("a", "written", None) };
        write(store, |tx| mirrors::put(tx, &[&written]));
        assert_eq!(read(store, |tx| mirrors::newest_written(tx, "brevo", 5)), [written]);
        write(store, |tx| mirrors::lost(tx, "brevo", "a@b.test"));
        let lost = read(store, |tx| mirrors::of_contact(tx, "a")).remove(0);
        assert_eq!((lost.status.as_str(), lost.address.as_str()), ("rejected", ""));
    });
}

#[test]
fn members_follow_the_sets_that_a_list_mirrors() {
    on_both("mirror_members", |store| {
        let stage = Stage::new(store);
        let set = sets::Name::new("posthog", "cohort", "7");
        let list = members::List { key: "26".into(), mirror: "26".into(), sets: vec![set.clone()] };
        for name in ["a", "b", "c"] {
            stage.contact(name);
        }
        let there = |contact: &str| Mirrored { address: format!("{contact}@b.test"), ..row(contact, "written", None) };
        write(store, |tx| {
            mirrors::put(tx, &[&there("a"), &there("b")])?;
            sets::describe(tx, &set, "Power users", "", Some("26"), NOW)?;
            sets::enter(tx, &set, &["a".to_owned(), "b".to_owned(), "c".to_owned()], NOW).map(|_| ())
        });
        let entering = read(store, |tx| members::entering(tx, "brevo", "26", &set, 10));
        assert_eq!(entering, [("a".into(), "a@b.test".into()), ("b".into(), "b@b.test".into())], "c is not there yet");
        let member = |contact: &str, status: &str, due| members::Member {
            contact_id: contact.into(),
            address: format!("{contact}@b.test"),
            status: status.into(),
            due_at: due,
            ..members::Member::default()
        };
        let rows = [member("a", "in", None), member("b", "adding", Some(later(5)))];
        write(store, |tx| members::put(tx, "brevo", "26", &rows, NOW));
        assert!(read(store, |tx| members::entering(tx, "brevo", "26", &set, 10)).is_empty());
        assert!(read(store, |tx| members::leaving(tx, "brevo", &list, 10)).is_empty());
        assert_eq!(read(store, |tx| members::next_due(tx, "brevo")), Some(later(5)));
        assert_eq!(read(store, |tx| members::due(tx, "brevo", "26", "adding", later(5), 10)), [rows[1].clone()]);
        write(store, |tx| sets::leave(tx, &set, &["a".to_owned()]).map(|_| ()));
        assert_eq!(read(store, |tx| members::leaving(tx, "brevo", &list, 10)), [rows[0].clone()]);
        let made = members::List { mirror: "create".into(), ..list.clone() };
        assert_eq!(read(store, |tx| members::leaving(tx, "brevo", &made, 10)).len(), 2, "mirrored by another way");
        assert_eq!(read(store, |tx| members::tally(tx, "brevo")).len(), 2);
        write(store, |tx| members::forget(tx, "brevo", "26", &["a".to_owned()]));
        assert_eq!(read(store, |tx| members::tally(tx, "brevo")), [("26".into(), "adding".into(), 1)]);
        assert_eq!(read(store, members::last_change).0, Some(NOW));
    });
}
