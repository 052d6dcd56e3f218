//! Users, sessions, API keys and the record of who did what.

use hogwire_engine::store::users::{Session, User};
use hogwire_engine::store::{api_keys, audit, users};

use crate::harness::{NOW, later, on_both, read, write};

fn user(email: &str) -> User {
    User {
        id: format!("usr_{email}"),
        email: email.to_owned(),
        role: "editor".to_owned(),
        password_hash: "$argon2id$".to_owned(),
        created_at: NOW,
        signed_in_at: None,
    }
}

fn session_of(store: &hogwire_engine::store::Store, token: &str, seconds: i64) -> Option<Session> {
    read(store, |tx| users::session(tx, token, later(seconds)))
}

#[test]
fn a_session_lasts_until_it_ends_expires_or_the_password_changes() {
    on_both("sessions", |store| {
        let ann = user("ann@example.com");
        write(store, |tx| users::add(tx, &ann));
        for token in ["one", "two"] {
            write(store, |tx| users::begin_session(tx, token, &ann.id, "csrf", NOW, later(60)));
        }
        let session = session_of(store, "one", 59).expect("a session");
        assert_eq!((session.user.email.as_str(), session.csrf.as_str()), ("ann@example.com", "csrf"));
        assert_eq!(session.user.signed_in_at, Some(NOW));
        assert_eq!(session_of(store, "one", 60), None);
        assert_eq!(session_of(store, "three", 0), None);
        write(store, |tx| users::end_session(tx, "one"));
        assert_eq!(session_of(store, "one", 0), None);
        assert!(session_of(store, "two", 0).is_some());
        assert!(write(store, |tx| users::set_password(tx, "ann@example.com", "new")));
        assert_eq!(session_of(store, "two", 0), None);
        assert!(!write(store, |tx| users::set_password(tx, "bob@example.com", "new")));
    });
}

#[test]
fn users_are_listed_by_address_and_an_address_is_one_user() {
    on_both("users", |store| {
        for email in ["b@example.com", "a@example.com"] {
            write(store, |tx| users::add(tx, &user(email)));
        }
        assert!(store.write(|tx| users::add(tx, &User { id: "other".to_owned(), ..user("a@example.com") })).is_err());
        let emails: Vec<String> = read(store, users::all).into_iter().map(|user| user.email).collect();
        assert_eq!(emails, ["a@example.com", "b@example.com"]);
        assert_eq!(read(store, |tx| users::by_email(tx, "b@example.com")), Some(user("b@example.com")));
        write(store, |tx| users::begin_session(tx, "t", "usr_b@example.com", "c", NOW, later(60)));
        assert!(write(store, |tx| users::remove(tx, "b@example.com")));
        assert!(!write(store, |tx| users::remove(tx, "b@example.com")));
        assert_eq!(session_of(store, "t", 0), None);
    });
}

#[test]
fn a_revoked_key_opens_nothing_and_stays_listed() {
    on_both("api_keys", |store| {
        let key = api_keys::ApiKey {
            id: "key_1".to_owned(),
            name: "importer".to_owned(),
            key_hash: "hash".to_owned(),
            hint: "abcd".to_owned(),
            scopes: "read ingest".to_owned(),
            created_at: NOW,
            used_at: None,
            revoked_at: None,
        };
        write(store, |tx| api_keys::add(tx, &key));
        assert_eq!(read(store, |tx| api_keys::by_hash(tx, "hash")), Some(key.clone()));
        assert_eq!(read(store, |tx| api_keys::by_hash(tx, "other")), None);
        assert!(write(store, |tx| api_keys::revoke(tx, "key_1", later(5))));
        assert!(!write(store, |tx| api_keys::revoke(tx, "key_1", later(6))));
        assert_eq!(read(store, |tx| api_keys::by_hash(tx, "hash")), None);
        let listed = read(store, api_keys::all);
        assert_eq!(listed, [api_keys::ApiKey { revoked_at: Some(later(5)), ..key }]);
    });
}

#[test]
fn the_newest_deed_is_listed_first() {
    on_both("audit", |store| {
        for (id, second) in [("a", 1), ("b", 2), ("c", 2)] {
            write(store, |tx| audit::record(tx, id, later(second), "ann", "campaign.pause", "cam_1", "{}"));
        }
        let newest = read(store, |tx| audit::newest(tx, 2));
        assert_eq!(newest.iter().map(|entry| entry.id.as_str()).collect::<Vec<_>>(), ["c", "b"]);
        assert_eq!((newest[0].actor.as_str(), newest[0].at), ("ann", later(2)));
    });
}
