//! The stand-in itself: the awkward answers that the real one is known for.

use hogwire_connectors::brevo::contacts::{Named, Wanted, Written, read_written, remove, update, upsert};
use hogwire_connectors::brevo::lists::{Moved, Way, members, read_moved};
use hogwire_connectors::brevo::{Access, import};
use hogwire_connectors::http::Request;
use hogwire_model::{Span, Time};
use serde_json::{Value, json};

use super::Brevo;

const ACCESS: Access<'_> = Access { host: "https://api.brevo.com", key: "key" };

fn now() -> Time {
    Time::parse("2026-11-25T08:00:00Z").expect("a time")
}

fn account() -> Brevo {
    Brevo::new("key").with_list(25, "All").with_attribute("VISITS", "float")
}

fn wanted<'a>(address: &'a str, ours: Option<&'a str>, attributes: Value) -> Wanted<'a> {
    Wanted { address, ours, attributes: attributes.as_object().cloned().unwrap_or_default(), blocked: None }
}

fn ask(brevo: &mut Brevo, request: &Request) -> Written {
    read_written(&brevo.handle(request, now()), now())
}

#[test]
fn a_value_of_the_wrong_type_and_an_unknown_attribute_are_dropped_with_a_success() {
    let mut brevo = account();
    let attributes = json!({ "FIRSTNAME": "Ada", "VISITS": "many", "NOWHERE": 1 });
    assert_eq!(ask(&mut brevo, &upsert(ACCESS, &wanted("ada@example.com", Some("c1"), attributes))), Written::Done);
    let held = brevo.contact("ada@example.com").expect("a contact");
    assert_eq!(Value::Object(held.attributes.clone()), json!({ "FIRSTNAME": "Ada" }));
}

#[test]
fn identifiers_belong_to_one_contact() {
    let mut brevo = account();
    for (address, ours) in [("ada@example.com", "c1"), ("bob@example.com", "c2")] {
        ask(&mut brevo, &upsert(ACCESS, &wanted(address, Some(ours), Value::Null)));
    }
    let stolen = ask(&mut brevo, &update(ACCESS, Named::Ours("c1"), &wanted("bob@example.com", None, Value::Null)));
    assert!(matches!(stolen, Written::Taken(which, _) if which == ["email"]));
    let moved = ask(&mut brevo, &upsert(ACCESS, &wanted("new@example.com", Some("c1"), Value::Null)));
    assert!(matches!(moved, Written::Taken(which, _) if which == ["ext_id"]));
    let changed = ask(&mut brevo, &update(ACCESS, Named::Ours("c1"), &wanted("new@example.com", None, Value::Null)));
    assert_eq!((changed, brevo.contact("ada@example.com")), (Written::Done, None));
    assert_eq!(brevo.handle(&remove(ACCESS, Named::Ours("c9")), now()).status, 404);
}

#[test]
fn an_import_runs_for_a_while_and_its_contacts_are_busy() {
    let mut brevo = account();
    let row = |email: &str| import::Row { email: email.into(), attributes: serde_json::Map::new() };
    let started = brevo.handle(&import::start(ACCESS, &[row("ada@example.com"), row("nonsense")], 25), now());
    let process = import::read_started(&started, now()).expect("a process");
    let early = brevo.handle(&upsert(ACCESS, &wanted("ada@example.com", None, Value::Null)), now());
    assert_eq!(early.status, 425);
    let asked = |brevo: &mut Brevo, at| import::read_process(&brevo.handle(&import::process(ACCESS, process), at), at);
    assert_eq!(asked(&mut brevo, now()), Ok(import::Progress::Running));
    let later = now().plus(Span::minutes(2));
    let Ok(import::Progress::Completed(reports)) = asked(&mut brevo, later) else { panic!("it is over") };
    let report = brevo.handle(&Request::new("GET", &reports[0].1).secret_header("api-key", "key"), later);
    assert_eq!(import::read_report(&report.body), Vec::<String>::new(), "nonsense is no address");
    assert_eq!(brevo.members(25), ["ada@example.com"]);
}

#[test]
fn who_is_in_the_list_already_fails_like_a_stranger() {
    let mut brevo = account();
    ask(&mut brevo, &upsert(ACCESS, &wanted("ada@example.com", None, Value::Null)));
    let add = members(ACCESS, 25, Way::In, &["ada@example.com", "nobody@example.com"]);
    assert_eq!(read_moved(&brevo.handle(&add, now()), now()), Moved::Some(vec!["ada@example.com".into()]));
    let again = brevo.handle(&add, now());
    assert_eq!((again.status, read_moved(&again, now())), (400, Moved::Some(Vec::new())));
    let crowd = vec!["a@b.example"; 151];
    let crowd = Request::new("POST", "https://api.brevo.com/v3/contacts/lists/25/contacts/add")
        .secret_header("api-key", "key")
        .json(json!({ "emails": crowd }).to_string().into_bytes());
    assert_eq!(brevo.handle(&crowd, now()).status, 400);
}

#[test]
fn the_eleventh_call_of_a_second_is_refused_with_brevos_header_alone() {
    let mut brevo = account();
    let find = hogwire_connectors::brevo::contacts::find(ACCESS, Named::Address("a@b.example"));
    let answers: Vec<u16> = (0..11).map(|_| brevo.handle(&find, now()).status).collect();
    assert_eq!(answers[9..], [404, 429]);
    let refused = brevo.handle(&find, now());
    assert_eq!((refused.get("retry-after"), refused.get("x-sib-ratelimit-reset")), (None, Some("1")));
    assert_eq!(brevo.handle(&find, now().plus(Span::seconds(1))).status, 404);
}

#[test]
fn reports_come_twice_and_late() {
    let mut brevo = account();
    for kind in ["transactional", "marketing"] {
        let hook = json!({ "url": "https://hw.example/x", "type": kind, "events": [] });
        let request = Request::new("POST", "https://api.brevo.com/v3/webhooks").secret_header("api-key", "key");
        brevo.handle(&request.json(hook.to_string().into_bytes()), now());
    }
    for n in 0..15 {
        brevo.unsubscribe(&format!("u{n}@example.com"), now());
    }
    let soon = brevo.due(now().plus(Span::minutes(1))).len();
    let late = brevo.due(now().plus(Span::minutes(30))).len();
    assert!(soon + late == 20 && late >= 3, "{soon} and {late}");
}
