//! Sets and who is in them, and what of others' limits is used.

use hogwire_engine::quotas::{self as budgets, Allowance};
use hogwire_engine::store::sets::{self, Change, Name};
use hogwire_engine::store::{Store, quotas};
use hogwire_model::Span;
use hogwire_model::policy::rate_limit::Limit;

use crate::harness::{NOW, later, on_both, read, write};

fn set() -> Name {
    Name::new("posthog", "cohort", "12")
}

fn ids(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn planted(store: &Store) {
    write(store, |tx| sets::describe(tx, &set(), "Trial users", "cohort 12", Some("create"), NOW));
    assert_eq!(write(store, |tx| sets::enter(tx, &set(), &ids(&["b", "a", "a", "c"]), NOW)), 3);
}

#[test]
fn a_set_is_described_marked_and_known() {
    on_both("sets", |store| {
        planted(store);
        let other = Name::new("posthog", "list", "all_users");
        write(store, |tx| sets::describe(tx, &other, "All users", "has an address", None, NOW));
        assert_eq!(read(store, |tx| sets::find(tx, &other)).expect("a set").status, "new");
        write(store, |tx| sets::mark(tx, &set(), "unready", "it is being calculated", later(1)));
        let held = read(store, |tx| sets::find(tx, &set())).expect("a set");
        assert_eq!((held.status.as_str(), held.baseline_at, held.mirror.as_str()), ("unready", None, "create"));
        write(store, |tx| sets::known(tx, &set(), 3, later(2)));
        write(store, |tx| sets::known(tx, &set(), 4, later(3)));
        let held = read(store, |tx| sets::find(tx, &set())).expect("a set");
        assert_eq!((held.members, held.baseline_at, held.read_at), (4, Some(later(2)), Some(later(3))));
        assert_eq!((held.status.as_str(), held.reason.as_str()), ("current", ""));
        write(store, |tx| sets::forget_baseline(tx, &set()));
        assert_eq!(read(store, |tx| sets::find(tx, &set())).expect("a set").baseline_at, None);
        assert_eq!(read(store, sets::all).len(), 2);
        let mirrored = read(store, sets::mirrored);
        assert_eq!(mirrored.iter().map(|set| set.name.id.as_str()).collect::<Vec<_>>(), ["12"]);
    });
}

#[test]
fn a_reading_is_compared_with_who_was_in_by_pages() {
    on_both("sightings", |store| {
        planted(store);
        assert_eq!(write(store, |tx| sets::see(tx, &set(), &ids(&["b", "c", "d", "d", "e"]))), 4);
        assert_eq!(read(store, |tx| sets::seen(tx, &set())), 4);
        assert_eq!(read(store, |tx| sets::difference(tx, &set())), (2, 1));
        assert_eq!(read(store, |tx| sets::entering(tx, &set(), 1)), ids(&["d"]));
        assert_eq!(read(store, |tx| sets::entering(tx, &set(), 9)), ids(&["d", "e"]));
        assert_eq!(read(store, |tx| sets::leaving(tx, &set(), 9)), ids(&["a"]));
        assert_eq!(write(store, |tx| sets::leave(tx, &set(), &ids(&["a", "z"]))), 1);
        assert_eq!(read(store, |tx| sets::members(tx, &set(), "", 9)), ids(&["b", "c"]));
        assert_eq!(read(store, |tx| sets::members(tx, &set(), "b", 9)), ids(&["c"]));
        assert_eq!(read(store, |tx| sets::among(tx, &set(), &ids(&["a", "c"]))), ids(&["c"]));
        assert_eq!(read(store, |tx| sets::count(tx, &set())), 2);
        write(store, |tx| sets::unsee(tx, &set()));
        assert_eq!(read(store, |tx| sets::seen(tx, &set())), 0);
    });
}

#[test]
fn memberships_follow_a_merge() {
    on_both("membership_moves", |store| {
        planted(store);
        let other = Name::new("posthog", "flag", "beta");
        write(store, |tx| sets::enter(tx, &other, &ids(&["a"]), later(5)));
        let changes = [Change { id: "mch_1", contact_id: "a", entered: true }];
        write(store, |tx| sets::record(tx, &other, &changes, later(5)));
        write(store, |tx| sets::move_all(tx, "a", "b"));
        assert!(read(store, |tx| sets::of_contact(tx, "a")).is_empty());
        let of_b = read(store, |tx| sets::of_contact(tx, "b"));
        assert_eq!(of_b, [(set(), NOW), (other.clone(), later(5))]);
        let moved = read(store, |tx| sets::changes_of(tx, "b", 10));
        assert_eq!(moved, [(other, "entered".to_owned(), later(5))]);
    });
}

#[test]
fn a_limit_is_one_for_all_who_ask() {
    on_both("quotas", |store| {
        let limits = vec![Limit { max: 3, window: Span::minutes(1) }];
        let allowance = Allowance { name: "posthog:a/query".to_owned(), limits, at_once: 2 };
        for holder in ["x", "y"] {
            assert_eq!(write(store, |tx| budgets::take(tx, &allowance, holder, NOW)), Ok(()));
        }
        assert!(write(store, |tx| budgets::take(tx, &allowance, "z", NOW)).is_err());
        budgets::give_back(store, &allowance, "x", None).expect("given back");
        assert_eq!(write(store, |tx| budgets::take(tx, &allowance, "z", NOW)), Ok(()));
        budgets::give_back(store, &allowance, "y", Some(later(500))).expect("given back");
        assert_eq!(write(store, |tx| budgets::take(tx, &allowance, "y", later(100))), Err(later(500)));
        assert_eq!(write(store, |tx| budgets::take(tx, &allowance, "y", later(500))), Ok(()));
        let all = read(store, quotas::all);
        assert_eq!((all.len(), all[0].0.as_str()), (1, "posthog:a/query"));
        let held = write(store, |tx| quotas::lock(tx, "another"));
        write(store, |tx| quotas::put(tx, "another", &held));
    });
}
