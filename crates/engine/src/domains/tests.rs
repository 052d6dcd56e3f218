use hogwire_connectors::smtp::dkim::Algorithm;
use hogwire_connectors::smtp::records::Purpose;

use super::*;

const NOW: Time = Time::from_millis(1_800_000_000_000);

fn fresh() -> Domain {
    let key = |algorithm, selector: &str| Published { algorithm, selector: selector.into(), public: "AAAA".into() };
    let keys = vec![key(Algorithm::Rsa, "hw1"), key(Algorithm::Ed25519, "hw1e")];
    Domain {
        name: "shop.example".into(),
        status: Status::Pending,
        records: records::wanted("shop.example", &keys, None),
        keys,
        signing: String::new(),
        misses: 0,
        checks: 0,
        created_at: NOW,
        checked_at: None,
        verified_at: None,
        due_at: NOW,
    }
}

fn seen(domain: &Domain, rsa: State, ed25519: State) -> Vec<Record> {
    let state = |record: &Record| match record.purpose {
        Purpose::Dkim => rsa,
        Purpose::DkimEd25519 => ed25519,
        _ => State::Missing,
    };
    domain.records.iter().map(|record| Record { state: state(record), ..record.clone() }).collect()
}

fn after(domain: Domain, rsa: State, ed25519: State) -> Domain {
    let seen = seen(&domain, rsa, ed25519);
    let now = domain.due_at;
    judged(domain, seen, now)
}

#[test]
fn a_new_domain_is_looked_at_soon_and_then_less_often() {
    let mut domain = fresh();
    let mut pauses = Vec::new();
    for _ in 0..5 {
        let before = domain.due_at;
        domain = after(domain, State::Missing, State::Missing);
        pauses.push((domain.due_at.millis() - before.millis()) / 60_000);
    }
    assert_eq!(pauses, [1, 5, 15, 60, 60]);
    domain.due_at = NOW.plus(Span::days(4));
    let later = after(domain, State::Missing, State::Missing);
    assert_eq!(later.due_at, NOW.plus(Span::days(5)));
    assert_eq!(later.status, Status::Pending);
}

#[test]
fn the_needed_key_verifies_and_the_second_one_signs_only_where_it_is_published() {
    let domain = after(fresh(), State::Right, State::Missing);
    assert_eq!((domain.status, domain.signing.as_str()), (Status::Verified, "hw1"));
    assert_eq!(domain.verified_at, Some(NOW));
    let domain = after(domain, State::Right, State::Right);
    assert_eq!(domain.signing, "hw1 hw1e");
}

#[test]
fn silence_changes_nothing_and_one_bad_look_is_not_believed() {
    let verified = after(fresh(), State::Right, State::Right);
    let domain = after(verified.clone(), State::Unknown, State::Unknown);
    assert_eq!((domain.status, domain.signing.as_str()), (Status::Verified, "hw1 hw1e"));
    assert!(domain.records[0].state == State::Right, "what was seen last stays: {:?}", domain.records[0]);
    let domain = after(verified, State::Missing, State::Right);
    assert_eq!((domain.status, domain.misses), (Status::Verified, 1));
    assert_eq!(domain.due_at, domain.checked_at.expect("checked").plus(SOON));
    let mended = after(domain.clone(), State::Right, State::Right);
    assert_eq!((mended.status, mended.misses), (Status::Verified, 0));
    let domain = after(domain, State::Missing, State::Right);
    assert_eq!((domain.status, domain.signing.as_str()), (Status::Failing, ""));
    let back = after(domain, State::Right, State::Right);
    assert_eq!((back.status, back.signing.as_str()), (Status::Verified, "hw1 hw1e"));
}

#[test]
fn a_domain_has_one_written_form() {
    assert_eq!(written(" Shop.Example. ").ok().as_deref(), Some("shop.example"));
    assert_eq!(written("bücher.example").ok().as_deref(), Some("xn--bcher-kva.example"));
    for bad in ["", "localhost", "a b.example", "hello@shop.example", "https://shop.example"] {
        assert!(written(bad).is_err(), "{bad}");
    }
}
