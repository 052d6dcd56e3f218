//! Sending domains.

use hogwire_connectors::smtp::dkim::Algorithm;
use hogwire_connectors::smtp::records::{self, Published};
use hogwire_engine::store::domains::{self, Domain, Status};

use crate::harness::{NOW, later, on_both, read, write};

fn domain(name: &str) -> Domain {
    let keys = vec![Published { algorithm: Algorithm::Rsa, selector: "hw1".into(), public: "AAAA".into() }];
    Domain {
        name: name.to_owned(),
        status: Status::Pending,
        records: records::wanted(name, &keys, Some("mail.example.com")),
        keys,
        signing: String::new(),
        misses: 0,
        checks: 0,
        created_at: NOW,
        checked_at: None,
        verified_at: None,
        due_at: later(1),
    }
}

#[test]
fn a_domain_is_found_as_it_was_last_seen() {
    on_both("domains", |store| {
        assert_eq!(read(store, domains::next_due), None);
        assert!(write(store, |tx| domains::add(tx, &domain("b.example"))));
        assert!(!write(store, |tx| domains::add(tx, &domain("b.example"))));
        assert!(write(store, |tx| domains::add(tx, &Domain { due_at: later(9), ..domain("a.example") })));
        assert_eq!(read(store, |tx| domains::due(tx, NOW, 10)), Vec::<String>::new());
        assert_eq!(read(store, |tx| domains::due(tx, later(1), 10)), ["b.example"]);
        assert_eq!(read(store, |tx| domains::due(tx, later(9), 1)), ["b.example"]);
        assert_eq!(read(store, domains::next_due), Some(later(1)));

        let seen = Domain {
            status: Status::Verified,
            signing: "hw1".into(),
            misses: 1,
            checks: 2,
            checked_at: Some(later(2)),
            verified_at: Some(later(2)),
            due_at: later(20),
            ..domain("b.example")
        };
        write(store, |tx| domains::checked(tx, &seen));
        assert_eq!(read(store, |tx| domains::find(tx, "b.example")), Some(seen));
        let standing = read(store, |tx| domains::standing(tx, "b.example"));
        assert_eq!(standing, Some((Status::Verified, "hw1".to_owned())));
        let names: Vec<String> = read(store, domains::all).into_iter().map(|domain| domain.name).collect();
        assert_eq!(names, ["a.example", "b.example"]);
        assert!(write(store, |tx| domains::remove(tx, "b.example")));
        assert!(!write(store, |tx| domains::remove(tx, "b.example")));
        assert_eq!(read(store, |tx| domains::standing(tx, "b.example")), None);
    });
}
