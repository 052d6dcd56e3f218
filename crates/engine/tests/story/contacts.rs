//! Contacts written by hand, handed over whole, and erased.

use hogwire_engine::contacts::Given;
use hogwire_engine::store::erasures;
use hogwire_engine::{Error, Work};
use serde_json::{Value, json};

use crate::WELCOME;
use crate::world::{World, event, on_both, on_sqlite, signup};

fn given(value: Value) -> Given {
    serde_json::from_value(value).expect("a body")
}

#[test]
fn a_contact_is_made_changed_and_told_to_its_source() {
    on_both("written", |world| {
        let write = |value| world.engine.write_contact(&given(value), "ann", world.now).expect("written");
        let made = write(json!({ "email": "Ada@Example.com", "external": "crm-7", "attributes": { "plan": "pro" } }));
        assert!(made.made && made.changed);
        let same = write(json!({ "external": "crm-7", "attributes": { "plan": "pro" } }));
        assert_eq!((same.id.as_str(), same.made, same.changed), (made.id.as_str(), false, false));
        write(json!({ "email": "ada@example.com", "name": "Ada", "attributes": { "plan": null, "seats": 3 } }));
        let ada = world.engine.contact("external:crm-7").expect("read").expect("a contact");
        let known: Vec<_> = ada.attributes.iter().map(|one| (one.name.as_str(), &one.value)).collect();
        assert_eq!(known, [("seats", &json!(3))]);
        assert_eq!((ada.line.name.as_deref(), ada.line.address.as_deref()), (Some("Ada"), Some("ada@example.com")));
        world.settle();
        assert!(world.captured("$set").is_empty(), "PostHog does not know her by any id");

        world.receive(&signup("e1", "u1", "ada@example.com", "pro"));
        world.settle();
        let change = given(json!({ "attributes": { "seats": 4 } }));
        world.engine.change_contact("email:ada@example.com", &change, "ann", world.now).expect("changed");
        world.settle();
        let told = world.captured("$set");
        assert_eq!(told.last().expect("told")["properties"]["$set"], json!({ "seats": 4 }));
    });
}

#[test]
fn names_of_two_contacts_make_them_one() {
    on_both("joined", |world| {
        let write = |value| world.engine.write_contact(&given(value), "ann", world.now).expect("written");
        write(json!({ "external": "crm-7", "attributes": { "seats": 3 } }));
        write(json!({ "email": "ada@acme.io", "attributes": { "plan": "pro" } }));
        let one = write(json!({ "external": "crm-7", "email": "ada@acme.io" }));
        let ada = world.engine.contact(&one.id).expect("read").expect("a contact");
        assert_eq!((ada.attributes.len(), ada.merges.len()), (2, 1));
        let bob = write(json!({ "email": "bob@acme.io", "external": "crm-8" }));
        let change = given(json!({ "email": "robert@acme.io" }));
        world.engine.change_contact(&bob.id, &change, "ann", world.now).expect("changed");
        let held = world.engine.contact("email:bob@acme.io").expect("read").expect("by the old address too");
        assert_eq!(held.line.address.as_deref(), Some("robert@acme.io"));
    });
}

#[test]
fn what_cannot_be_is_refused_with_its_place() {
    on_sqlite(|world| {
        for (body, path) in [
            (json!({}), "email"),
            (json!({ "email": "nonsense" }), "email"),
            (json!({ "external": "undefined" }), "external"),
            (json!({ "email": "a@b.test", "time_zone": "Mars/North" }), "time_zone"),
            (json!({ "email": "a@b.test", "attributes": { "x": "y".repeat(20_000) } }), "attributes.x"),
        ] {
            let refused = world.engine.write_contact(&given(body), "ann", world.now);
            let Err(Error::Refused(problems)) = refused else { panic!("refused: {path}") };
            assert_eq!(problems.0[0].path, path);
        }
        let missing = world.engine.change_contact("email:nobody@b.test", &Given::default(), "ann", world.now);
        assert!(matches!(missing, Err(Error::Missing(_))));
    });
}

#[test]
fn an_export_holds_everything() {
    on_both("exported", |world| {
        world.apply("welcome", WELCOME);
        let known = given(json!({ "email": "ada@example.com", "external": "crm-7" }));
        world.engine.write_contact(&known, "ann", world.now).expect("written");
        world.receive(&signup("e1", "u1", "ada@example.com", "pro"));
        world.settle();
        let export = world.engine.export_contact("email:ada@example.com", world.now).expect("read").expect("a contact");
        let told = serde_json::to_value(&export).expect("JSON");
        assert_eq!(told["events"][0]["payload"]["person"]["properties"]["name"], "Ada");
        assert_eq!(told["messages"][0]["address"], "ada@example.com");
        assert!(told["messages"][0]["html"].as_str().expect("a body").contains("Hello Ada"));
        assert!(!told["decisions"].as_array().expect("decisions").is_empty());
        assert_eq!(told["deliveries"][0]["payload"]["captured"]["event"], "hogwire_email_sent");
    });
}

fn erase_ada(world: &World) -> String {
    world.apply("welcome", WELCOME);
    world.receive(&signup("e1", "u1", "ada@shop.test", "pro"));
    world.receive(&signup("e2", "u2", "bob@shop.test", "pro"));
    world.settle();
    let erased = world.engine.erase_contact("email:ada@shop.test", "ann", world.now).expect("erased");
    let places: Vec<_> = erased.receipts.iter().map(|one| (one.place.as_str(), one.status.as_str())).collect();
    assert_eq!(places, [("here", "done"), ("posthog", "by_hand")]);
    world.settle();
    erased.erasure.id
}

#[test]
fn whoever_is_erased_is_nowhere_and_does_not_come_back() {
    on_both("erased", |mut world| {
        let sent_before = world.mails().len();
        erase_ada(&world);
        assert!(world.engine.contact("email:ada@shop.test").expect("read").is_none());
        assert!(world.engine.contact("email:bob@shop.test").expect("read").is_some());
        assert!(!world.log_holds("ada@shop.test"), "the log and the journal forget the address");
        assert!(world.log_holds("bob@shop.test"));
        assert!(!world.database_holds("ada@shop.test"), "and so does every table");
        let kept = world.engine.messages(&Default::default()).expect("read");
        assert_eq!(kept.items.len(), 2, "the campaign's numbers stay");

        world.later_days(3);
        world.receive(&signup("e1", "u1", "ada@shop.test", "pro"));
        let mut again = signup("e9", "u9", "ada@shop.test", "pro");
        again["event"]["timestamp"] = json!(world.now.to_string());
        world.receive(&again);
        world.settle();
        assert!(world.engine.contact("email:ada@shop.test").expect("read").is_none(), "a late event makes nobody");
        let to_ada = world.mails().into_iter().filter(|mail| mail.to == "ada@shop.test").count();
        assert_eq!((to_ada, sent_before), (1, 0), "what was on its way has ended");
    });
}

#[test]
fn a_receipt_is_closed_by_hand() {
    on_both("receipts", |world| {
        let id = erase_ada(&world);
        let settled = world.engine.settle_receipt(&id, "posthog", true, "ann", world.now).expect("settled");
        assert_eq!(settled.receipts[1].answer, "done by hand, says ann");
        assert!(matches!(world.engine.settle_receipt(&id, "posthog", true, "ann", world.now), Err(Error::Conflict(_))));
        let open = erasures::open(&mut world.engine.store().read().expect("a snapshot")).expect("read");
        assert!(open.is_empty());
    });
}

#[test]
fn a_restore_erases_again_whom_the_backup_brought_back() {
    on_sqlite(|mut world| {
        world.receive(&signup("e1", "u1", "ada@shop.test", "pro"));
        world.settle();
        let folder = tempfile::tempdir().expect("a folder");
        let copy = folder.path().join("copy.db");
        world.engine.backup(&copy, world.now).expect("backed up");
        world.engine.erase_contact("email:ada@shop.test", "ann", world.now).expect("erased");
        world.put_back(&copy);
        let report = world.engine.restored("test", world.now).expect("restored");
        assert_eq!(report.erased, 1);
        assert!(world.engine.contact("email:ada@shop.test").expect("read").is_none());
    });
}

#[test]
fn a_contact_that_is_only_removed_may_come_again() {
    on_both("removed", |world| {
        world.receive(&signup("e1", "u1", "ada@shop.test", "pro"));
        world.settle();
        world.engine.remove_contact("email:ada@shop.test", "ann", world.now).expect("removed");
        assert!(world.engine.contact("email:ada@shop.test").expect("read").is_none());
        world.receive(&event("e2", "u1", "came_back", &world.now, json!({ "$set": { "email": "ada@shop.test" } })));
        world.engine.step(Work::Decide, world.now).expect("a step");
        assert!(world.engine.contact("email:ada@shop.test").expect("read").is_some());
    });
}
