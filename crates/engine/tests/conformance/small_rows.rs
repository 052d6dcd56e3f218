//! Connections, mappings, secrets, settings, cursors and brakes.

use hogwire_engine::store::connections::{self, Status};
use hogwire_engine::store::pauses::{self, Pause};
use hogwire_engine::store::{cursors, mappings, secrets, settings};

use crate::harness::{NOW, later, on_both, read, write};

#[test]
fn a_connection_keeps_what_it_has_become() {
    on_both("connections", |store| {
        write(store, |tx| connections::plant(tx, "posthog", "posthog", Status::Testing, false, NOW));
        write(store, |tx| connections::set_token(tx, "posthog", "hash", NOW));
        assert!(write(store, |tx| connections::set_status(tx, "posthog", Status::Active, NOW)));
        assert!(!write(store, |tx| connections::set_status(tx, "other", Status::Active, NOW)));
        write(store, |tx| connections::plant(tx, "posthog", "posthog", Status::Testing, true, later(1)));
        let held = read(store, connections::all);
        assert_eq!(held.len(), 1);
        assert_eq!((held[0].status, held[0].test_mode), (Status::Active, true));
        assert_eq!(held[0].token_hash.as_deref(), Some("hash"));
    });
}

#[test]
fn every_version_of_a_mapping_is_kept_per_connection() {
    on_both("mappings", |store| {
        assert_eq!(read(store, |tx| mappings::newest(tx, "posthog")), None);
        assert_eq!(write(store, |tx| mappings::add(tx, "posthog", "{\"a\":1}", "ann", NOW)), 1);
        assert_eq!(write(store, |tx| mappings::add(tx, "posthog", "{\"a\":2}", "ann", later(1))), 2);
        assert_eq!(write(store, |tx| mappings::add(tx, "segment", "{}", "ann", later(1))), 1);
        let newest = read(store, |tx| mappings::newest(tx, "posthog")).expect("a mapping");
        assert_eq!((newest.version, newest.definition.as_str(), newest.created_at), (2, "{\"a\":2}", later(1)));
        assert_eq!(read(store, |tx| mappings::versions(tx, "posthog")).len(), 2);
    });
}

#[test]
fn sealed_values_and_settings_are_replaced_by_name() {
    on_both("named_values", |store| {
        for value in ["one", "two"] {
            write(store, |tx| secrets::set(tx, "b", value, NOW));
            write(store, |tx| settings::set(tx, "n", value, NOW));
        }
        write(store, |tx| secrets::set(tx, "a", "x", NOW));
        let all = read(store, secrets::all);
        assert_eq!(all, [("a".to_owned(), "x".to_owned()), ("b".to_owned(), "two".to_owned())]);
        write(store, |tx| secrets::remove(tx, "b"));
        assert_eq!(read(store, |tx| secrets::get(tx, "b")), None);
        assert_eq!(read(store, |tx| settings::text(tx, "n")).as_deref(), Some("two"));
        assert_eq!(read(store, |tx| settings::number(tx, "n")), None);
        write(store, |tx| settings::set(tx, "n", "-7", NOW));
        assert_eq!(read(store, |tx| settings::number(tx, "n")), Some(-7));
    });
}

#[test]
fn a_cursor_moves_with_its_transaction_only() {
    on_both("cursors", |store| {
        write(store, |tx| cursors::plant(tx, "c", "0"));
        write(store, |tx| cursors::set(tx, "c", "5"));
        write(store, |tx| cursors::plant(tx, "c", "0"));
        let mut tx = store.begin().expect("begun");
        assert_eq!(cursors::claim(&mut tx, "c").expect("claimed").as_deref(), Some("5"));
        cursors::set(&mut tx, "c", "9").expect("set");
        drop(tx);
        assert_eq!(read(store, |tx| cursors::get(tx, "c")).as_deref(), Some("5"));
        assert_eq!(write(store, |tx| cursors::claim(tx, "none")), None);
    });
}

#[test]
fn a_brake_that_is_pulled_stays_as_it_was() {
    on_both("pauses", |store| {
        let pause = |subject: &str, reason: &str| Pause {
            subject: subject.to_owned(),
            at: NOW,
            actor: "ann".to_owned(),
            reason: reason.to_owned(),
        };
        assert!(write(store, |tx| pauses::add(tx, &pause("sender:news", "bounces"))));
        assert!(!write(store, |tx| pauses::add(tx, &pause("sender:news", "other"))));
        assert!(write(store, |tx| pauses::add(tx, &pause("campaign:cam_1", "x"))));
        let brakes = read(store, pauses::brakes);
        assert!(!brakes.everything);
        assert_eq!((brakes.senders, brakes.campaigns), (vec!["news".to_owned()], vec!["cam_1".to_owned()]));
        write(store, |tx| pauses::add(tx, &pause("*", "stop")));
        assert!(read(store, pauses::brakes).everything);
        assert!(write(store, |tx| pauses::remove(tx, "*")));
        assert!(!write(store, |tx| pauses::remove(tx, "*")));
        assert_eq!(read(store, pauses::all)[1], pause("sender:news", "bounces"));
    });
}
