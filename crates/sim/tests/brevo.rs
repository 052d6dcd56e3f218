//! A stand-in Brevo is kept as contacts are here: written, changed, imported, refused,
//! blocked, erased; and a second look writes nothing.

use std::sync::{Arc, Mutex};

use hogwire_connectors::brevo::reports;
use hogwire_connectors::http::Request;
use hogwire_engine::contacts::Given;
use hogwire_engine::inbox::{Inbox, Record};
use hogwire_engine::outside::{Http, HttpAnswer, Mail, NoDns, Outside, Parcel, Reach, Wake};
use hogwire_engine::secrets::Keyring;
use hogwire_engine::settings::{Destination, Settings};
use hogwire_engine::store::{Store, sets};
use hogwire_engine::{Engine, Work};
use hogwire_model::{Outcome, Span, Time};
use hogwire_sim::clock::Clock;
use hogwire_sim::disk::MemoryDisk;
use hogwire_sim::seed::{Dice, SeededEntropy};
use hogwire_sim::vendors::brevo::Brevo;
use serde_json::{Value, json};

const KEY: &str = "xkeysib-test";

/// The stand-in at the other end of the wire; `answers` may say something else instead.
struct Wire {
    brevo: Mutex<Brevo>,
    clock: Clock,
    instead: Mutex<Vec<u16>>,
}

impl Http for Wire {
    fn send(&self, _: Reach, requests: Vec<Request>) -> Vec<(Time, HttpAnswer)> {
        let now = self.clock.now();
        let mut brevo = self.brevo.lock().expect("lock");
        let one = |request: &Request| {
            let response = match self.instead.lock().expect("lock").pop() {
                Some(0) => return (now, HttpAnswer::Broken("no answer".to_owned())),
                Some(status) => hogwire_connectors::http::Response { status, ..Default::default() },
                None => brevo.handle(request, now),
            };
            (now, HttpAnswer::Response(response))
        };
        requests.iter().map(one).collect()
    }
}

struct Nobody;

impl Mail for Nobody {
    fn send(&self, parcels: Vec<Parcel>) -> Vec<(Time, Outcome)> {
        parcels.iter().map(|_| (Time::default(), Outcome::Refused("no mail here".to_owned()))).collect()
    }
}

impl Wake for Nobody {
    fn wake(&self) {}
}

struct World {
    engine: Engine,
    wire: Arc<Wire>,
    clock: Clock,
}

impl World {
    fn new(brevo: Brevo) -> Self {
        let clock = Clock::at(Time::parse("2026-11-25T08:00:00Z").expect("a time"));
        let wire = Arc::new(Wire { brevo: Mutex::new(brevo), clock: clock.clone(), instead: Mutex::default() });
        let disk = Arc::new(MemoryDisk::default());
        let outside = Outside {
            http: wire.clone(),
            mail: Arc::new(Nobody),
            dns: Arc::new(NoDns),
            disk: disk.clone(),
            entropy: Arc::new(SeededEntropy::new(Dice::new(7))),
            wake: Arc::new(Nobody),
        };
        let fields = [
            ("email", "email"),
            ("$name", "FIRSTNAME"),
            ("plan", "SUBSCRIPTION_PLAN"),
            ("total_events", "EVENT_COUNT"),
            ("signup_date", "SIGNUP_DATE"),
        ];
        let destination = Destination {
            connector: "brevo".to_owned(),
            host: "https://api.brevo.com".to_owned(),
            key: KEY.to_owned(),
            fields: fields.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect(),
            events: ["$pageview".to_owned()].into(),
        };
        let settings = Settings { destinations: [("brevo".to_owned(), destination)].into(), ..Settings::default() };
        let keyring = Keyring::parse(&"ab".repeat(32)).expect("a key");
        let store = Store::memory().expect("a store");
        let inbox = Inbox::log(disk).expect("an inbox");
        let engine = Engine::open(store, inbox, settings, outside, keyring, clock.now()).expect("an engine");
        Self { engine, wire, clock }
    }

    fn write(&self, body: Value) -> String {
        let given: Given = serde_json::from_value(body).expect("a body");
        self.engine.write_contact(&given, "test", self.clock.now()).expect("written").id
    }

    /// Lives on for a while, second by second, doing all the work there is.
    fn live(&self, seconds: i64) {
        for _ in 0..seconds {
            self.clock.turn(Span::seconds(1));
            for work in Work::ALL {
                for _ in 0..20 {
                    if self.engine.step(work, self.clock.now()).expect("a step").did == 0 {
                        break;
                    }
                }
            }
        }
    }

    fn brevo<T>(&self, look: impl FnOnce(&mut Brevo) -> T) -> T {
        look(&mut self.wire.brevo.lock().expect("lock"))
    }

    fn attributes(&self, email: &str) -> Value {
        self.brevo(|brevo| brevo.contact(email).map_or(Value::Null, |held| Value::Object(held.attributes.clone())))
    }

    fn line(&self) -> Value {
        serde_json::to_value(&self.engine.destinations(self.clock.now()).expect("read")[0]).expect("JSON")
    }

    fn rejected(&self) -> Vec<String> {
        let rejected = self.engine.rejected("brevo", "", None).expect("read");
        rejected.into_iter().map(|one| one.reason).collect()
    }
}

#[test]
fn contacts_are_written_with_attributes_of_the_right_kind_and_a_second_look_writes_nothing() {
    let world = World::new(Brevo::new(KEY));
    world.write(json!({ "email": "ada@acme.io", "name": "Ada", "attributes": { "plan": "pro", "total_events": 7, "secret": "x" } }));
    world.write(json!({ "email": "bob@acme.io", "attributes": { "PURCHASE_COUNT_30D": 4 } }));
    world.live(20);
    let ada = json!({ "FIRSTNAME": "Ada", "SUBSCRIPTION_PLAN": "pro", "EVENT_COUNT": 7, "SIGNUP_DATE": "2026-11-25" });
    assert_eq!(world.attributes("ada@acme.io"), ada);
    assert_eq!(world.attributes("bob@acme.io")["PURCHASE_COUNT_30D"], 4);
    world.brevo(|brevo| {
        assert_eq!(brevo.attribute("EVENT_COUNT").expect("made").kind, "float");
        assert_eq!(brevo.attribute("SIGNUP_DATE").expect("made").kind, "date");
        assert!(brevo.contact("ada@acme.io").expect("there").ours.as_deref().expect("our id").starts_with("con_"));
    });
    let before = world.brevo(|brevo| brevo.writes());
    world.live(8 * 24 * 60);
    assert_eq!(world.brevo(|brevo| brevo.writes()), before, "nothing changed, so nothing is written");

    world.write(json!({ "email": "ada@acme.io", "attributes": { "plan": null } }));
    world.live(20);
    assert_eq!(world.brevo(|brevo| brevo.writes()), before + 1);
    assert_eq!(world.attributes("ada@acme.io")["SUBSCRIPTION_PLAN"], Value::Null, "what is gone here is gone there");
    assert_eq!(world.line()["contacts"], json!({ "written": 2 }));
}

#[test]
fn a_new_address_moves_the_contact_and_a_taken_one_is_told() {
    let world = World::new(Brevo::new(KEY));
    let ada = world.write(json!({ "email": "ada@acme.io", "external": "a" }));
    world.live(20);
    let there = world.brevo(|brevo| brevo.contact("ada@acme.io").expect("there").id);
    world.write(json!({ "email": "lovelace@acme.io", "external": "a" }));
    world.live(20);
    assert_eq!(world.brevo(|brevo| brevo.contact("lovelace@acme.io").expect("there").id), there);
    assert_eq!(world.brevo(|brevo| brevo.contacts().count()), 1);

    // Somebody in Brevo has the next address already.
    let other = hogwire_connectors::brevo::contacts::Wanted { address: "taken@acme.io", ..Default::default() };
    let access = hogwire_connectors::brevo::Access { host: "https://api.brevo.com", key: KEY };
    world.brevo(|brevo| brevo.handle(&hogwire_connectors::brevo::contacts::upsert(access, &other), world.clock.now()));
    world.write(json!({ "email": "taken@acme.io", "external": "a" }));
    world.live(30);
    let rejected = world.engine.rejected("brevo", "", None).expect("read");
    assert_eq!(rejected[0].contact, ada);
    assert!(rejected[0].reason.contains("another contact there has its email"), "{}", rejected[0].reason);
}

#[test]
fn many_go_as_an_import_and_who_changed_meanwhile_goes_after_it() {
    let world = World::new(Brevo::new(KEY));
    for n in 0..700 {
        world.write(json!({ "email": format!("user{n}@acme.io"), "attributes": { "plan": "free" } }));
    }
    world.live(30);
    assert!(world.line()["imports"][0]["contacts"].as_u64().expect("a number") > 500, "{}", world.line());
    world.write(json!({ "email": "user699@acme.io", "attributes": { "plan": "pro" } }));
    world.live(400);
    let list = world.brevo(|brevo| brevo.list_named("Hogwire: everybody imported")).expect("a list of our own");
    assert!(world.brevo(|brevo| brevo.members(list).len()) > 500);
    assert_eq!(world.brevo(|brevo| brevo.contacts().count()), 700);
    assert_eq!(world.attributes("user699@acme.io")["SUBSCRIPTION_PLAN"], "pro");
    assert_eq!(world.line()["contacts"], json!({ "written": 700 }));
    let before = world.brevo(|brevo| brevo.writes());
    world.live(600);
    assert_eq!(world.brevo(|brevo| brevo.writes()), before);
}

#[test]
fn a_no_goes_both_ways_and_only_the_person_takes_it_back() {
    let world = World::new(Brevo::new(KEY));
    world.write(json!({ "email": "ada@acme.io" }));
    world.write(json!({ "email": "bob@acme.io" }));
    world.live(20);
    world.engine.suppress("ada@acme.io", "ann", world.clock.now()).expect("suppressed");
    world.live(20);
    assert!(world.brevo(|brevo| brevo.contact("ada@acme.io").expect("there").blocked), "ours goes there");
    world
        .engine
        .unsuppress("ada@acme.io", hogwire_model::contact::consent::SuppressionReason::Manual, "ann", world.clock.now())
        .expect("off");
    world.live(20);
    assert!(world.brevo(|brevo| brevo.contact("ada@acme.io").expect("there").blocked), "an operator subscribes nobody");

    world.brevo(|brevo| brevo.unsubscribe("bob@acme.io", world.clock.now()));
    let body = json!({ "event": "unsubscribed", "email": "bob@acme.io" }).to_string();
    for _ in 0..2 {
        let heard = reports::read(body.as_bytes()).expect("a report");
        world.engine.hear_reports("brevo", &heard, world.clock.now()).expect("heard");
    }
    let bob = world.engine.contact("email:bob@acme.io").expect("read").expect("there");
    assert_eq!((bob.suppressions.len(), bob.consents.len()), (1, 1), "theirs comes here, once");
    world.write(json!({ "email": "bob@acme.io", "attributes": { "plan": "pro" } }));
    world.live(20);
    assert!(world.brevo(|brevo| brevo.contact("bob@acme.io").expect("there").blocked), "no write takes it back");
}

#[test]
fn whom_brevo_blocked_before_is_not_written_to() {
    let mut brevo = Brevo::new(KEY);
    brevo.unsubscribe("eve@acme.io", Time::parse("2026-01-01T00:00:00Z").expect("a time"));
    let world = World::new(brevo);
    world.write(json!({ "email": "eve@acme.io" }));
    world.live(20);
    let eve = world.engine.contact("email:eve@acme.io").expect("read").expect("there");
    assert_eq!(eve.suppressions[0].reason.as_str(), "unsubscribed");
}

#[test]
fn an_erased_contact_is_erased_there_with_a_receipt() {
    let world = World::new(Brevo::new(KEY));
    let ada = world.write(json!({ "email": "ada@acme.io" }));
    world.live(20);
    world.engine.erase_contact("email:ada@acme.io", "ann", world.clock.now()).expect("erased");
    world.live(20);
    assert!(world.brevo(|brevo| brevo.contact("ada@acme.io").is_none()));
    let erased = world.engine.erasure(&ada).expect("read").expect("there");
    let receipt = erased.receipts.iter().find(|one| one.place == "brevo").expect("a receipt");
    assert_eq!((receipt.status.as_str(), receipt.answer.as_str()), ("done", "204"));
}

#[test]
fn filtered_events_go_there_once_under_a_name_it_takes() {
    let world = World::new(Brevo::new(KEY));
    for (uuid, name) in [("e1", "$pageview"), ("e1", "$pageview"), ("e2", "other")] {
        let body = json!({ "uuid": uuid, "event": name, "distinct_id": "u1", "timestamp": "2026-11-25T08:00:00Z",
            "properties": { "$current_url": "https://acme.io/", "$set": { "email": "ada@acme.io" } } })
        .to_string();
        let record = Record {
            connection: "posthog",
            shape: "capture",
            arrived: world.clock.now(),
            body: body.as_bytes(),
            lane_hint: 0,
        };
        world.engine.receive(&[record]).expect("received");
    }
    world.live(90);
    world.brevo(|brevo| {
        let events = brevo.events();
        assert_eq!(events.len(), 1, "{events:?}");
        assert_eq!(
            (&events[0]["event_name"], &events[0]["identifiers"]["email_id"]),
            (&json!("pageview"), &json!("ada@acme.io"))
        );
        assert_eq!(events[0]["event_properties"]["current_url"], "https://acme.io/");
    });
}

#[test]
fn bad_days_are_waited_out_and_bad_contacts_are_listed() {
    let world = World::new(Brevo::new(KEY).with_attribute("EVENT_COUNT", "date"));
    world.write(json!({ "email": "ada@acme.io", "attributes": { "total_events": 7 } }));
    world.write(json!({ "email": "bob@acme.io" }));
    *world.wire.instead.lock().expect("lock") = vec![0, 500, 429, 401];
    world.live(10);
    assert_eq!(world.line()["state"], "paused", "a refused key stops everything, and says so");
    assert!(world.line()["problem"].as_str().expect("text").contains("401"));
    world.live(2_000);
    assert_eq!(world.line()["contacts"], json!({ "written": 2 }), "{:?}", world.rejected());
    assert_eq!(world.attributes("ada@acme.io").get("EVENT_COUNT"), None);
    let ada = world.engine.contact("email:ada@acme.io").expect("read").expect("there");
    assert!(ada.destinations[0].reason.contains("EVENT_COUNT holds dates"), "{}", ada.destinations[0].reason);
}

#[test]
fn lists_are_kept_in_exact_step_with_the_sets_they_mirror() {
    let world = World::new(Brevo::new(KEY).with_list(26, "Power users").with_list(27, "Nobody's"));
    let ids: Vec<String> = (0..200).map(|n| world.write(json!({ "email": format!("u{n}@acme.io") }))).collect();
    let stranger = hogwire_connectors::brevo::contacts::Wanted { address: "stranger@acme.io", ..Default::default() };
    let access = hogwire_connectors::brevo::Access { host: "https://api.brevo.com", key: KEY };
    world.brevo(|brevo| {
        brevo.handle(&hogwire_connectors::brevo::contacts::upsert(access, &stranger), world.clock.now());
        let put = hogwire_connectors::brevo::lists::members(
            access,
            26,
            hogwire_connectors::brevo::lists::Way::In,
            &["stranger@acme.io"],
        );
        brevo.handle(&put, world.clock.now());
    });
    let (power, trial) = (sets::Name::new("posthog", "cohort", "7"), sets::Name::new("posthog", "cohort", "8"));
    let unread = sets::Name::new("posthog", "cohort", "9");
    let write = |work: &dyn Fn(&mut hogwire_engine::store::Tx<'_>, Time) -> hogwire_engine::Result<()>| {
        world.engine.store().write(|tx| work(tx, world.clock.now())).expect("written");
    };
    write(&|tx, now| {
        sets::describe(tx, &power, "Power users", "", Some("26"), now)?;
        sets::describe(tx, &trial, "On trial", "", Some("create"), now)?;
        sets::describe(tx, &unread, "Never read", "", Some("27"), now)?;
        sets::enter(tx, &power, &ids[..180], now)?;
        sets::enter(tx, &trial, &ids[190..], now)?;
        sets::enter(tx, &unread, &ids[..5], now)?;
        sets::known(tx, &power, 180, now)?;
        sets::known(tx, &trial, 10, now)
    });
    world.live(120);
    let made = world.brevo(|brevo| brevo.list_named("On trial")).expect("made");
    world.brevo(|brevo| {
        assert_eq!((brevo.members(26).len(), brevo.members(made).len()), (181, 10), "and the stranger is left alone");
        assert!(brevo.members(27).is_empty(), "a set that was never read says nothing");
        let adds = brevo.calls().iter().filter(|(_, path)| path == "/contacts/lists/26/contacts/add").count();
        assert!(adds <= 30, "{adds} calls");
    });
    let before = world.brevo(|brevo| brevo.writes());
    world.live(2 * 60 * 60);
    assert_eq!(world.brevo(|brevo| brevo.writes()), before, "nobody entered or left");

    write(&|tx, now| {
        sets::leave(tx, &power, &ids[3..4])?;
        sets::known(tx, &power, 179, now)
    });
    world.live(60);
    world.brevo(|brevo| {
        assert_eq!(brevo.writes(), before + 1, "exactly one removal");
        assert!(!brevo.members(26).contains(&"u3@acme.io"));
        assert!(
            brevo
                .calls()
                .iter()
                .rev()
                .find(|(method, _)| method == "POST")
                .expect("a call")
                .1
                .ends_with("/26/contacts/remove")
        );
    });
}
