//! Every way a campaign starts, told from outside.

use hogwire_model::Span;
use serde_json::json;

use crate::world::{World, event, on_both, signup};

fn mailed(world: &World) -> usize {
    world.settle();
    world.mails().len()
}

fn campaign(trigger: &str) -> String {
    format!("name: C\nstatus: active\ntrigger: {trigger}\nsteps: [ {{ email: {{ template: welcome }} }} ]\n")
}

#[test]
fn the_third_visit_within_a_window_starts_once() {
    on_both("nth", |mut world| {
        world.apply("c", &campaign("{ nth: { event: pricing, count: 3, within: 30d } }"));
        world.receive(&signup("s", "u1", "ada@shop.test", "pro"));
        for n in 0..4 {
            world.later(Span::hours(1));
            world.receive(&event(&format!("p{n}"), "u1", "pricing", &world.now, json!({})));
            assert_eq!(mailed(&world), usize::from(n >= 2), "visit {}", n + 1);
        }
        let told = world.explain("c", "email:ada@shop.test");
        assert!(told.contains("count_not_reached"), "{told}");
    });
}

#[test]
fn a_checkout_without_a_purchase_starts_after_the_span_and_one_with_does_not() {
    on_both("without", |mut world| {
        let trigger =
            "{ without: { event: checkout, then_not: purchase, match: { order: trigger.order }, within: 24h } }";
        world.apply("c", &campaign(trigger));
        for (n, id) in ["u1", "u2"].iter().enumerate() {
            world.receive(&signup(&format!("s{n}"), id, &format!("{id}@shop.test"), "pro"));
            world.receive(&event(&format!("c{n}"), id, "checkout", &world.now, json!({ "order": n })));
        }
        world.settle();
        world.later(Span::hours(2));
        world.receive(&event("other", "u1", "purchase", &world.now, json!({ "order": 77 })));
        world.receive(&event("same", "u2", "purchase", &world.now, json!({ "order": "1" })));
        assert_eq!(mailed(&world), 0);
        world.later(Span::hours(23));
        assert_eq!(mailed(&world), 0, "nobody was listening all the time, so nothing is known");
        let told = world.explain("c", "email:u1@shop.test");
        assert!(told.contains("coverage_unknown"), "{told}");
        world.nothing_is_missing();
        world.later(Span::minutes(5));
        assert_eq!(mailed(&world), 1, "{}", world.explain("c", "email:u1@shop.test"));
        assert_eq!(world.mails()[0].to, "u1@shop.test");
        assert!(world.explain("c", "email:u2@shop.test").contains("absence_disproved"));
    });
}

#[test]
fn two_weeks_of_silence_start_once_per_spell() {
    on_both("inactive", |mut world| {
        world.receive(&signup("s", "u1", "ada@shop.test", "pro"));
        world.settle();
        world.apply("c", &campaign("{ inactive: { event: any, for: 14d } }"));
        assert_eq!(mailed(&world), 0, "activation is a baseline");
        world.later(Span::days(10));
        world.receive(&event("v1", "u1", "visit", &world.now, json!({})));
        world.settle();
        world.later(Span::days(13));
        world.nothing_is_missing();
        assert_eq!(mailed(&world), 0, "seen thirteen days ago");
        world.later(Span::days(1));
        world.nothing_is_missing();
        world.later(Span::minutes(5));
        assert_eq!(mailed(&world), 1, "{}", world.explain("c", "email:ada@shop.test"));
        world.later(Span::days(30));
        world.nothing_is_missing();
        assert_eq!(mailed(&world), 1, "the same spell");
    });
}

#[test]
fn a_date_on_the_contact_starts_at_its_hour() {
    on_both("date", |mut world| {
        world.apply("c", &campaign("{ date: { attribute: renews_on, offset: -3d, at: \"09:00\" } }"));
        let mut body = signup("s", "u1", "ada@shop.test", "pro");
        body["person"]["properties"]["renews_on"] = json!("2026-03-10");
        world.receive(&body);
        world.settle();
        world.later(Span::days(4));
        assert_eq!(mailed(&world), 0, "{}", world.explain("c", "email:ada@shop.test"));
        world.later(Span::days(1));
        assert_eq!(mailed(&world), 1, "{}", world.explain("c", "email:ada@shop.test"));
    });
}

#[test]
fn a_schedule_mails_its_audience_each_time() {
    on_both("schedule", |mut world| {
        for (n, plan) in ["pro", "free"].iter().enumerate() {
            world.receive(&signup(&format!("s{n}"), &format!("u{n}"), &format!("{plan}@shop.test"), plan));
        }
        world.settle();
        let audience = "audience: [ { key: plan, operator: exact, value: pro, type: person } ]";
        world.apply("c", &campaign(&format!("{{ schedule: {{ cron: \"daily 10:00\", {audience} }} }}")));
        assert_eq!(mailed(&world), 0);
        world.later(Span::hours(2));
        assert_eq!(mailed(&world), 1);
        assert_eq!(world.mails()[0].to, "pro@shop.test");
        world.later(Span::hours(24));
        assert_eq!(mailed(&world), 2);
    });
}

#[test]
fn the_api_enrolls_by_the_campaigns_own_rules() {
    on_both("api", |world| {
        world.receive(&signup("s", "u1", "ada@shop.test", "pro"));
        world.settle();
        world.apply("c", &campaign("{ api: true }\nentry: once"));
        let ask = |n: &str| world.engine.enroll("c", "distinct_id:u1", json!({ "n": n }), n, world.now).expect("asked");
        assert!(ask("1").is_ok());
        let refusal = ask("2").expect_err("once");
        assert!(["already_in", "entry_rule"].contains(&refusal.code.as_str()), "{refusal:?}");
        assert_eq!(mailed(&world), 1);
    });
}

#[test]
fn an_old_event_starts_nothing_and_says_why() {
    on_both("old", |world| {
        world.apply("c", &campaign("{ event: user_signed_up }"));
        let mut body = signup("s", "u1", "ada@shop.test", "pro");
        body["event"]["timestamp"] = json!("2026-02-20T09:00:00Z");
        world.receive(&body);
        assert_eq!(mailed(&world), 0);
        assert!(world.explain("c", "email:ada@shop.test").contains("too_old"));
    });
}

#[test]
fn two_contacts_that_are_one_go_on_with_the_further_run() {
    on_both("merge", |mut world| {
        let text = "name: C\nstatus: active\ntrigger: { event: user_signed_up }\nentry: { every: true }\nsteps:\n  - wait: 1d\n  - email: { template: welcome }\n";
        world.apply("c", text);
        world.receive(&signup("s1", "u1", "ada@shop.test", "pro"));
        world.settle();
        world.later(Span::hours(1));
        world.receive(&signup("s2", "u2", "eve@shop.test", "pro"));
        world.settle();
        world.receive(&event("m", "u1", "$merge_dangerously", &world.now, json!({ "alias": "u2" })));
        world.settle();
        world.later(Span::hours(30));
        assert_eq!(mailed(&world), 1, "{}", world.explain("c", "distinct_id:u1"));
        let contact = world.engine.contact("distinct_id:u2").expect("read").expect("known");
        assert_eq!(contact.line.id, world.engine.contact("distinct_id:u1").expect("read").expect("known").line.id);
        assert!(contact.runs.iter().any(|run| run.ending.as_deref() == Some("merged")), "{:?}", contact.runs);
    });
}

#[test]
fn what_a_campaign_sets_is_told_to_the_source_once_and_never_read_as_liquid() {
    on_both("set", |world| {
        let text = "name: C\nstatus: active\ntrigger: { event: user_signed_up }\nsteps:\n  - set_attribute: { tier: gold, note: \"{{ event.note }}\" }\n  - set_attribute: { tier: gold }\n";
        world.apply("c", text);
        let mut body = signup("s", "u1", "ada@shop.test", "pro");
        body["event"]["properties"]["note"] = json!("{{ contact.email }}");
        world.receive(&body);
        world.receive(&json!({ "event": "$identify", "distinct_id": "u1", "uuid": "i", "timestamp": world.now.to_string(), "properties": {} }));
        world.settle();
        let told = world.captured("$set");
        assert_eq!(told.len(), 1, "the second step changes nothing: {told:?}");
        assert_eq!(told[0]["properties"]["$set"], json!({ "tier": "gold", "note": "{{ contact.email }}" }));
        assert_eq!(told[0]["properties"]["$lib"], json!("hogwire"));
        assert_eq!(told[0]["distinct_id"], json!("u1"));
    });
}
