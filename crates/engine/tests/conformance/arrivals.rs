//! Coverage, counts, refusals and what was set aside: what the door and the step note.

use hogwire_connectors::Refusal as Unreadable;
use hogwire_engine::inbox::Stored;
use hogwire_engine::store::coverage::Gap;
use hogwire_engine::store::refusals::{Refusal, excerpt};
use hogwire_engine::store::{counts, coverage, refusals, set_aside};
use hogwire_model::Span;

use crate::harness::{NOW, later, on_both, read, write};

#[test]
fn downtime_is_a_hole_until_it_is_closed_and_a_short_pause_is_none() {
    on_both("coverage", |store| {
        let mark = || read(store, coverage::marks).get("posthog").copied();
        assert_eq!(mark(), None);
        write(store, |tx| coverage::heard(tx, "posthog", NOW, NOW));
        write(store, |tx| coverage::beat(tx, Span::seconds(30), later(10)));
        write(store, |tx| coverage::beat(tx, Span::seconds(30), later(35)));
        assert_eq!(mark(), Some(later(35)));
        write(store, |tx| coverage::beat(tx, Span::seconds(30), later(600)));
        write(store, |tx| coverage::heard(tx, "posthog", later(605), later(606)));
        write(store, |tx| coverage::heard(tx, "posthog", later(1), later(607)));
        let held = read(store, coverage::all).remove(0);
        assert_eq!(held.gaps, [Gap { from: later(35), to: later(600) }]);
        assert_eq!((held.complete_until, held.last_event_at), (later(600), later(605)));
        assert_eq!(mark(), Some(later(35)), "absence before the hole's end proves nothing");
        write(store, |tx| coverage::close_gaps(tx, "posthog", later(599)));
        assert_eq!(mark(), Some(later(35)));
        write(store, |tx| coverage::close_gaps(tx, "posthog", later(600)));
        assert_eq!(mark(), Some(later(600)));
        write(store, |tx| coverage::beat(tx, Span::seconds(30), later(500)));
        assert_eq!(mark(), Some(later(600)), "a clock that goes back takes nothing back");
        write(store, |tx| coverage::close_gaps(tx, "unknown", NOW));
    });
}

#[test]
fn counts_of_a_minute_add_up() {
    on_both("counts", |store| {
        write(store, |tx| counts::add(tx, &[("in", 2), ("out", 1), ("in", 3)], NOW));
        write(store, |tx| counts::add(tx, &[("in", 5)], NOW));
        write(store, |tx| counts::add(tx, &[("in", 7)], later(60)));
        write(store, |tx| counts::add(tx, &[], later(60)));
        let minutes = read(store, |tx| counts::since(tx, vec!["in"], NOW, later(60)));
        assert_eq!(minutes.iter().map(|(_, _, n)| *n).collect::<Vec<_>>(), [10, 7]);
        assert_eq!(minutes[1].1.since(minutes[0].1).as_millis(), 60_000);
        assert_eq!(read(store, |tx| counts::since(tx, vec!["in"], later(60), later(60))).len(), 1);
        assert_eq!(read(store, counts::totals), [("in".to_owned(), 17), ("out".to_owned(), 1)]);
    });
}

#[test]
fn the_last_hundred_refusals_are_kept_with_their_beginning() {
    on_both("refusals", |store| {
        let long = [b"\0\xff".as_slice(), "ä".repeat(3_000).as_bytes()].concat();
        write(store, |tx| {
            (0..105_i32).try_for_each(|n| {
                let refusal = Refusal {
                    id: format!("ref_{n:03}"),
                    at: later(i64::from(n)),
                    route: "/in/posthog".to_owned(),
                    status: 401,
                    code: "wrong_secret".to_owned(),
                    message: "the secret does not match".to_owned(),
                    remote: "192.0.2.1".to_owned(),
                    excerpt: excerpt(&long),
                };
                refusals::add(tx, &refusal)
            })
        });
        let newest = read(store, |tx| refusals::newest(tx, 500));
        assert_eq!(newest.len(), 100);
        assert_eq!((newest[0].id.as_str(), newest[99].id.as_str()), ("ref_104", "ref_005"));
        assert!(newest[0].excerpt.starts_with("\u{fffd}\u{fffd}ä") && newest[0].excerpt.len() < 2_100);
    });
}

#[test]
fn what_could_not_be_decided_is_kept_with_its_reason_whatever_its_bytes() {
    on_both("set_aside", |store| {
        let stored = Stored {
            place: "1:8".to_owned(),
            connection: "posthog".to_owned(),
            shape: "flat".to_owned(),
            arrived: NOW,
            body: b"{\"a\":\"\0\xff\"}".to_vec(),
        };
        let why = Unreadable { code: "not_json", message: "it ends too early".to_owned() };
        write(store, |tx| set_aside::add(tx, "sas_1", &stored, &why));
        let rows = read(store, |tx| set_aside::newest(tx, 10));
        assert_eq!(rows.len(), 1);
        assert_eq!((rows[0].code.as_str(), rows[0].arrived_at), ("not_json", NOW));
        assert_eq!(rows[0].body, "{\"a\":\"\u{fffd}\u{fffd}\"}");
    });
}
