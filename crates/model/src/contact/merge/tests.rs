use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::contact::{Attributes, Origin};

fn side(id: &str) -> Side {
    Side {
        id: id.to_owned(),
        identified: true,
        created_at: Time::from_millis(100),
        address: Some("ada@acme.com".to_owned()),
        address_from_event: false,
        visitor_keys: 2,
    }
}

fn older(id: &str) -> Side {
    Side { created_at: Time::from_millis(50), ..side(id) }
}

fn anonymous(id: &str) -> Side {
    Side { identified: false, address: None, ..side(id) }
}

fn joined(survivor: &str, loser: &str) -> Merge {
    Merge::Join { survivor: survivor.to_owned(), loser: loser.to_owned() }
}

fn named(id: &str, address: &str) -> Side {
    Side { address: Some(address.to_owned()), ..side(id) }
}

fn check(a: Side, b: Side, why: Why, expected: &Merge) {
    let found = decide(&a, &b, why, &Rules::default());
    assert_eq!(&found, expected, "{a:?} {b:?} {why:?}");
}

#[test]
fn the_identified_one_survives_else_the_older() {
    let first = Side { created_at: Time::from_millis(1), ..anonymous("b") };
    check(side("a"), anonymous("b"), Why::Absorb, &joined("a", "b"));
    check(anonymous("a"), first, Why::Absorb, &joined("b", "a"));
    check(side("a"), older("b"), Why::Force, &joined("b", "a"));
    let unknown = Side { identified: false, ..older("b") };
    check(side("a"), unknown, Why::Force, &joined("a", "b"));
    check(side("a"), older("b"), Why::SameRecord, &joined("b", "a"));
    check(side("a"), older("b"), Why::SameAddress, &joined("b", "a"));
    let without = Side { address: None, ..older("b") };
    check(side("a"), without, Why::SameAddress, &joined("b", "a"));
}

#[test]
fn what_is_refused_says_why() {
    let refuse = |a: Side, b: Side, why: Why, reason| check(a, b, why, &Merge::Refused(reason));
    refuse(side("a"), older("b"), Why::Absorb, Reason::AlreadyIdentified);
    refuse(anonymous("a"), side("b"), Why::Absorb, Reason::AlreadyIdentified);
    refuse(side("a"), side("a"), Why::Force, Reason::SameContact);
    let by_event = Side { address_from_event: true, ..side("b") };
    refuse(side("a"), by_event, Why::SameAddress, Reason::AddressFromEvent);
    let bob = named("b", "bob@acme.com");
    refuse(side("a"), bob, Why::SameAddress, Reason::AddressDiffers);
    refuse(anonymous("a"), anonymous("b"), Why::SameAddress, Reason::AddressDiffers);
    let crowd = Side { visitor_keys: 9, ..side("b") };
    refuse(side("a"), crowd, Why::SameAddress, Reason::TooManyIds);
    let test = |id: &str| named(id, "test@example.com");
    refuse(test("a"), test("b"), Why::SameAddress, Reason::PlaceholderAddress);
    let off = Rules { merge_by_email: false, ..Rules::default() };
    assert_eq!(decide(&side("a"), &older("b"), Why::SameAddress, &off), Merge::Refused(Reason::MergeByEmailOff));
    assert_eq!(refuse_ids("user-1", "undefined"), Some(Reason::IllegalId));
    assert_eq!(refuse_ids("user-1", "user-2"), None);
}

fn contact(id: &str, address: Option<&str>, from_event: bool) -> Contact {
    Contact {
        id: id.to_owned(),
        identified: false,
        address: address.map(str::to_owned),
        address_from_event: from_event,
        attributes: Attributes::default(),
        created_at: Time::from_millis(100),
        seen_at: Time::from_millis(100),
    }
}

#[test]
fn folding_keeps_the_newer_values_and_the_better_address() {
    let mut survivor = contact("a", Some("guess@acme.com"), true);
    survivor.attributes.set("plan", &json!("free"), Time::from_millis(10), Origin::Event);
    let mut loser = contact("b", Some("ada@acme.com"), false);
    loser.identified = true;
    loser.created_at = Time::from_millis(5);
    loser.seen_at = Time::from_millis(500);
    loser.attributes.set("plan", &json!("pro"), Time::from_millis(20), Origin::Event);
    fold(&mut survivor, loser);
    assert_eq!(survivor.id, "a");
    assert_eq!(survivor.address.as_deref(), Some("ada@acme.com"));
    assert!(!survivor.address_from_event && survivor.identified);
    assert_eq!(survivor.attributes.get("plan"), Some(json!("pro")));
    assert_eq!((survivor.created_at.millis(), survivor.seen_at.millis()), (5, 500));

    let mut survivor = contact("a", Some("ada@acme.com"), false);
    fold(&mut survivor, contact("b", Some("other@acme.com"), false));
    assert_eq!(survivor.address.as_deref(), Some("ada@acme.com"));
}

#[test]
fn the_further_run_goes_on() {
    let run = |started, step, at| Progress { started, step, entered_at: Time::from_millis(at) };
    assert!(further(&run(true, 3, 50), &run(true, 2, 10)).is_gt());
    assert!(further(&run(true, 0, 50), &run(false, 2, 10)).is_gt());
    assert!(further(&run(true, 2, 10), &run(true, 2, 50)).is_gt());
    assert!(further(&run(true, 2, 10), &run(true, 2, 10)).is_eq());
}

fn sides() -> impl Strategy<Value = Side> {
    (any::<bool>(), 0_i64..3, prop::option::of("(ada|bob)@acme.com"), any::<bool>(), 0_usize..12).prop_map(
        |(identified, created, address, address_from_event, visitor_keys)| Side {
            id: String::new(),
            identified,
            created_at: Time::from_millis(created),
            address,
            address_from_event,
            visitor_keys,
        },
    )
}

proptest! {
    #[test]
    fn the_order_of_the_two_does_not_matter(a in sides(), b in sides(), which in 0_usize..3) {
        let why = [Why::Force, Why::SameRecord, Why::SameAddress][which];
        let (a, b) = (Side { id: "a".to_owned(), ..a }, Side { id: "b".to_owned(), ..b });
        let rules = Rules::default();
        prop_assert_eq!(decide(&a, &b, why, &rules), decide(&b, &a, why, &rules));
    }

    #[test]
    fn a_known_user_never_ends_up_in_an_anonymous_visitor(a in sides(), b in sides(), which in 0_usize..4) {
        let why = [Why::Absorb, Why::Force, Why::SameRecord, Why::SameAddress][which];
        let (a, b) = (Side { id: "a".to_owned(), ..a }, Side { id: "b".to_owned(), ..b });
        if let Merge::Join { survivor, loser } = decide(&a, &b, why, &Rules::default()) {
            prop_assert_ne!(&survivor, &loser);
            let of = |id: &str| if id == "a" { &a } else { &b };
            prop_assert!(of(&survivor).identified >= of(&loser).identified);
        }
    }
}
