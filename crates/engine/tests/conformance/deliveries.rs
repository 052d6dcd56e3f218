//! Webhooks and captured events: at least once, under one id, and never forgotten.

use hogwire_engine::outbox::{self, NewDelivery, deliver};
use hogwire_engine::outside::{HttpAnswer, Reach};
use hogwire_engine::store::{attempts, counts, deliveries, pauses};
use hogwire_model::Span;
use serde_json::{Value, json};

use super::harness::on_both;
use super::stage::{Stage, answer, minutes, noon};

fn queue(stage: &Stage<'_>, kind: &str, key: &str, payload: &Value) -> String {
    let destination = if kind == "capture" { "posthog" } else { "webhook" };
    let new = NewDelivery {
        idempotency_key: key,
        destination,
        kind,
        contact_id: "ada",
        campaign_id: "welcome",
        enrollment_id: "run-ada",
        step: "0",
        payload: &payload.to_string(),
    };
    stage.store.write(|tx| outbox::queue_delivery(tx, &new, stage.entropy(), noon())).expect("queued")
}

fn hook(url: &str) -> Value {
    json!({ "method": "post", "url": url, "headers": [["X-Key", "{{ secrets.crm }}"]], "body": { "plan": "{{ plan }}" } })
}

fn found(stage: &Stage<'_>, id: &str) -> deliveries::Delivery {
    stage.read(|tx| deliveries::find(tx, id)).expect("a delivery")
}

fn say(stage: &Stage<'_>, says: impl FnMut(&hogwire_connectors::http::Request) -> HttpAnswer + Send + 'static) {
    *stage.net.says.lock().expect("lock") = Box::new(says);
}

fn value(stage: &Stage<'_>, name: &str, known: &str) {
    stage.script.values.lock().expect("lock").insert(name.to_owned(), known.to_owned());
}

#[test]
fn a_webhook_says_the_same_on_every_try_and_hides_its_secret() {
    on_both("a_webhook_says_the_same_on_every_try_and_hides_i", |store| {
        let stage = Stage::new(store);
        stage.contact("ada");
        value(&stage, "plan", "pro");
        value(&stage, "secrets.crm", "s3cret");
        let id = queue(&stage, "webhook", "run:0:0", &hook("https://crm.test/in"));
        assert_eq!(id, queue(&stage, "webhook", "run:0:0", &hook("https://crm.test/in")), "one effect, one row");
        say(&stage, |_| answer(503, "down"));
        stage.deliver(noon());
        value(&stage, "plan", "free");
        say(&stage, |_| answer(204, ""));
        stage.deliver(minutes(1));
        let got = stage.net.got.lock().expect("lock");
        assert_eq!(got.len(), 2);
        for (reach, request) in got.iter() {
            assert_eq!(*reach, Reach::Guarded);
            assert_eq!((request.method.as_str(), request.body.as_slice()), ("POST", br#"{"plan":"pro"}"#.as_slice()));
            assert_eq!((request.get("webhook-id"), request.get("x-key")), (Some(id.as_str()), Some("s3cret")));
            assert!(request.get("webhook-signature").is_some_and(|signature| signature.starts_with("v1,")));
        }
        drop(got);
        let delivery = found(&stage, &id);
        assert_eq!((delivery.status.as_str(), delivery.attempts), ("done", 2));
        assert!(!delivery.payload.contains("s3cret"), "{}", delivery.payload);
        assert_eq!(stage.read(|tx| attempts::of(tx, &id)).len(), 2);
    });
}

#[test]
fn a_webhook_that_fails_for_a_day_is_kept_and_can_be_tried_again() {
    on_both("a_webhook_that_fails_for_a_day_is_kept_and_can_b", |store| {
        let stage = Stage::new(store);
        stage.contact("ada");
        let id = queue(&stage, "webhook", "run:0:0", &hook("https://crm.test/in"));
        say(&stage, |_| HttpAnswer::NotSent("connection refused".to_owned()));
        let mut now = noon();
        while let Some(due) = found(&stage, &id).due_at {
            now = due.max(now);
            stage.deliver(now);
            assert!(now.since(noon()) < Span::days(2), "it must end");
        }
        assert!(now.since(noon()) > Span::hours(18), "it was tried for about a day: {}", now.since(noon()));
        assert_eq!((found(&stage, &id).status.as_str(), found(&stage, &id).attempts), ("dead", 10));
        assert_eq!(stage.read(|tx| deliveries::newest(tx, "dead", None, 10)).len(), 1);
        assert_eq!(stage.deliver(now.plus(Span::days(30))).did, 0);

        say(&stage, |_| answer(200, ""));
        let later = now.plus(Span::days(31));
        deliver::retry(&stage.parts(), &id, later).expect("put back");
        stage.deliver(later);
        assert_eq!(found(&stage, &id).status, "done");
        assert!(deliver::retry(&stage.parts(), &id, later).is_err(), "what is done stays done");
    });
}

#[test]
fn the_other_side_says_when_to_come_back() {
    on_both("the_other_side_says_when_to_come_back", |store| {
        let stage = Stage::new(store);
        stage.contact("ada");
        let id = queue(&stage, "webhook", "run:0:0", &hook("https://crm.test/in"));
        say(&stage, |_| {
            HttpAnswer::Response(hogwire_connectors::http::Response {
                status: 429,
                headers: vec![("Retry-After".to_owned(), "7200".to_owned())],
                body: Vec::new(),
            })
        });
        stage.deliver(noon());
        assert_eq!(found(&stage, &id).due_at, Some(minutes(120)));
    });
}

#[test]
fn a_webhook_goes_only_where_the_operator_says() {
    on_both("a_webhook_goes_only_where_the_operator_says", |store| {
        let mut stage = Stage::new(store);
        stage.contact("ada");
        value(&stage, "host", "evil.test");
        let free = queue(&stage, "webhook", "a", &hook("https://{{ host }}/in"));
        let private = queue(&stage, "webhook", "b", &hook("https://inside.test/in"));
        let wrong = queue(&stage, "webhook", "c", &hook("https://crm.test/{{ wrong }}"));
        let leak = queue(&stage, "webhook", "d", &hook("https://crm.test/{{ secrets.crm }}"));
        say(&stage, |_| HttpAnswer::Forbidden("10.0.0.1 is private".to_owned()));
        stage.deliver(noon());
        for (id, said) in [
            (&free, "webhook_hosts"),
            (&private, "may not be called"),
            (&wrong, "wrong is not known"),
            (&leak, "in a header only"),
        ] {
            let delivery = found(&stage, id);
            assert_eq!(delivery.status, "dead");
            assert!(delivery.reason.contains(said), "{}", delivery.reason);
        }
        stage.settings.policies.webhook_hosts.push("evil.test".to_owned());
        say(&stage, |_| answer(200, ""));
        deliver::retry(&stage.parts(), &free, minutes(1)).expect("put back");
        stage.deliver(minutes(1));
        assert_eq!(found(&stage, &free).status, "done");
    });
}

#[test]
fn a_pause_holds_webhooks_too() {
    on_both("a_pause_holds_webhooks_too", |store| {
        let stage = Stage::new(store);
        stage.contact("ada");
        let id = queue(&stage, "webhook", "a", &hook("https://crm.test/"));
        let pause =
            pauses::Pause { subject: "*".to_owned(), at: noon(), actor: "ops".to_owned(), reason: String::new() };
        stage.store.write(|tx| pauses::add(tx, &pause)).expect("paused");
        stage.deliver(noon());
        assert_eq!(found(&stage, &id).status, "pending");
        stage.store.write(|tx| pauses::remove(tx, "*")).expect("resumed");
        stage.deliver(minutes(1));
        assert_eq!(found(&stage, &id).status, "done");
    });
}

#[test]
fn what_was_being_sent_when_we_died_is_sent_again_under_its_id() {
    on_both("what_was_being_sent_when_we_died_is_sent_again_u", |store| {
        let stage = Stage::new(store);
        stage.contact("ada");
        let id = queue(&stage, "webhook", "a", &hook("https://crm.test/"));
        say(&stage, |_| panic!("died here, as the script says"));
        let died = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| stage.deliver(noon())));
        assert!(died.is_err());
        stage.net.says.clear_poison();
        say(&stage, |_| answer(200, ""));
        assert_eq!(found(&stage, &id).status, "sending");
        assert_eq!(stage.deliver(minutes(1)).did, 0, "the lease still runs");
        stage.let_leases_end();
        stage.deliver(noon().plus(deliveries::LEASE));
        let delivery = found(&stage, &id);
        assert_eq!((delivery.status.as_str(), delivery.attempts), ("done", 2));
    });
}

fn names(request: &hogwire_connectors::http::Request) -> Vec<Value> {
    let body: Value = serde_json::from_slice(&request.body).expect("json");
    body["batch"].as_array().expect("a batch").clone()
}

#[test]
fn one_bad_event_costs_no_other() {
    on_both("one_bad_event_costs_no_other", |store| {
        let stage = Stage::new(store);
        stage.contact("ada");
        let ids: Vec<String> = (0..9)
            .map(|n| {
                let payload = json!({ "event": format!("step_{n}"), "properties": { "n": n } });
                queue(&stage, "capture", &format!("run:{n}"), &payload)
            })
            .collect();
        say(&stage, |request| match names(request).iter().any(|event| event["event"] == "step_5") {
            true => answer(400, "cannot read"),
            false => answer(200, r#"{"status":1}"#),
        });
        stage.deliver(noon());
        for (n, id) in ids.iter().enumerate() {
            assert_eq!(found(&stage, id).status, if n == 5 { "dead" } else { "done" }, "{n}");
        }
        let got = stage.net.got.lock().expect("lock");
        assert!(got.iter().all(|(reach, _)| *reach == Reach::Configured));
        let event = &names(&got[0].1)[0];
        assert_eq!((&event["distinct_id"], &event["properties"]["$lib"]), (&json!("user-ada"), &json!("hogwire")));
        assert_eq!(event["timestamp"], json!(noon()));
    });
}

#[test]
fn an_event_keeps_its_uuid_and_time_on_every_try() {
    on_both("an_event_keeps_its_uuid_and_time_on_every_try", |store| {
        let stage = Stage::new(store);
        stage.contact("ada");
        value(&stage, "plan", "pro");
        queue(&stage, "capture", "run:0", &json!({ "event": "upgraded", "properties": { "plan": "{{ plan }}" } }));
        say(&stage, |_| answer(503, ""));
        stage.deliver(noon());
        value(&stage, "plan", "free");
        say(&stage, |_| answer(200, "{}"));
        stage.deliver(minutes(10));
        let got = stage.net.got.lock().expect("lock");
        assert_eq!(got.len(), 2);
        assert_eq!(names(&got[0].1), names(&got[1].1));
        assert_eq!(names(&got[0].1)[0]["properties"]["plan"], "pro");
    });
}

#[test]
fn a_refused_credential_is_one_trouble_and_loses_nothing() {
    on_both("a_refused_credential_is_one_trouble_and_loses_no", |store| {
        let stage = Stage::new(store);
        stage.contact("ada");
        let ids: Vec<String> = (0..3)
            .map(|n| queue(&stage, "capture", &format!("run:{n}"), &json!({ "event": "x", "properties": {} })))
            .collect();
        say(&stage, |_| answer(401, "bad token"));
        for n in 0..100 {
            stage.deliver(minutes(n * 16));
        }
        let troubles = stage.read(deliveries::troubles);
        assert_eq!(troubles.len(), 1, "{troubles:?}");
        assert_eq!((troubles[0].0.as_str(), troubles[0].2), ("posthog", 3));
        say(&stage, |_| answer(200, "{}"));
        stage.deliver(minutes(100 * 16));
        assert!(ids.iter().all(|id| found(&stage, id).status == "done"));
        assert!(stage.read(deliveries::troubles).is_empty());
    });
}

#[test]
fn who_is_not_known_on_a_connection_is_counted_and_not_told_about() {
    on_both("who_is_not_known_on_a_connection_is_counted_and", |store| {
        let stage = Stage::new(store);
        stage.contact("ada");
        stage.change("ada", |stored| stored.contact.identified = false);
        let id = queue(&stage, "capture", "run:0", &json!({ "event": "x", "properties": {} }));
        stage.queue("ada", |_| {});
        stage.send(noon());
        stage.deliver(noon());
        assert_eq!(found(&stage, &id).status, "done");
        assert!(stage.net.got.lock().expect("lock").is_empty());
        let untold = stage.read(counts::totals).into_iter().find(|(name, _)| name == "capture_without_identity");
        assert_eq!(untold.map(|(_, n)| n), Some(2));
    });
}

#[test]
fn one_destination_is_asked_for_alone_and_may_be_waited_for() {
    on_both("deliveries_for", |store| {
        let stage = Stage::new(store);
        let id = queue(&stage, "capture", "k1", &json!({}));
        queue(&stage, "webhook", "k2", &hook("https://a.test"));
        let due = |at| stage.store.write(|tx| deliveries::due_for(tx, "capture", "posthog", at, 10)).expect("due");
        assert_eq!(due(noon()).iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), [id.as_str()]);
        stage.store.write(|tx| deliveries::postpone(tx, &id, minutes(5))).expect("postponed");
        assert!(due(noon()).is_empty());
        assert_eq!(stage.read(|tx| deliveries::next_due_for(tx, "capture", "posthog")), Some(minutes(5)));
    });
}
