//! Why somebody got a mail or did not, in plain words, for each of the usual reasons.

use hogwire_model::Span;
use hogwire_model::policy::frequency_cap::Cap;
use serde_json::json;

use crate::world::{World, event, on_both, signup};

const OFFER: &str = "name: Offer
status: active
trigger: { event: asked, where: [ { key: n, operator: gt, value: 5, type: event } ] }
entry: { once_per: 7d }
exit_on: [ { event: bought } ]
steps:
  - email: { template: welcome }
  - wait: 3d
";

/// The code and the one-sentence verdict for a contact.
fn verdict(world: &World, contact: &str) -> (Vec<&'static str>, String) {
    let told = world.engine.explain("offer", contact, world.now).expect("explained");
    (told.lines.iter().map(|line| line.code.as_str()).collect(), told.verdict)
}

fn meet(world: &World, id: &str) {
    world.receive(&signup(&format!("signup-{id}"), id, &format!("{id}@shop.test"), "pro"));
    world.settle();
}

fn ask(world: &World, id: &str, uuid: &str, n: i64) {
    world.receive(&event(uuid, id, "asked", &world.now, json!({ "n": n })));
    world.settle();
}

#[test]
fn each_reason_is_told_in_plain_words() {
    on_both("explain", |mut world| {
        world.apply("offer", OFFER);
        for id in ["never", "small", "ada", "left"] {
            meet(&world, id);
        }
        let (codes, words) = verdict(&world, "distinct_id:never");
        assert_eq!(codes, ["not_triggered"], "{words}");

        ask(&world, "small", "a1", 2);
        let (codes, words) = verdict(&world, "distinct_id:small");
        assert_eq!(codes, ["condition_false"]);
        assert!(words.contains("n > 5") && words.contains('2'), "{words}");

        ask(&world, "ada", "a2", 9);
        let (codes, words) = verdict(&world, "distinct_id:ada");
        assert!(codes.contains(&"sent") && codes.contains(&"waiting"), "{codes:?}");
        assert!(words.to_lowercase().contains("sent") || words.contains("Got"), "{words}");

        world.later(Span::days(4));
        world.settle();
        ask(&world, "ada", "a3", 9);
        assert!(verdict(&world, "distinct_id:ada").0.contains(&"entry_rule"));

        ask(&world, "left", "a4", 9);
        world.receive(&event("b1", "left", "bought", &world.now, json!({})));
        world.settle();
        assert!(verdict(&world, "distinct_id:left").0.contains(&"exit_event"));
    });
}

#[test]
fn what_holds_or_stops_a_mail_is_told_as_well() {
    on_both("holding", |mut world| {
        world.apply("offer", OFFER);
        for id in ["ada", "capped", "quiet"] {
            meet(&world, id);
        }
        ask(&world, "ada", "a1", 9);
        world.unsubscribe();
        world.later(Span::days(8));
        world.settle();
        ask(&world, "ada", "a2", 9);
        let (codes, words) = verdict(&world, "distinct_id:ada");
        assert!(codes.iter().any(|code| ["suppressed", "no_consent"].contains(code)), "{codes:?}: {words}");

        world.settings.policies.caps = vec![Cap { max: 0, within: Span::days(1), topic: None }];
        world.reopen();
        ask(&world, "capped", "a3", 9);
        assert!(verdict(&world, "distinct_id:capped").0.contains(&"capped"));

        world.settings.policies.caps.clear();
        world.settings.vouched_domains.clear();
        world.reopen();
        ask(&world, "quiet", "a4", 9);
        let (codes, words) = verdict(&world, "distinct_id:quiet");
        assert!(codes.contains(&"unverified"), "{codes:?}: {words}");
    });
}

#[test]
fn whoever_reads_the_test_inbox_speaks_for_nobody() {
    on_both("inbox", |mut world| {
        world.settings.policies.test_inbox = Some("tests@shop.test".to_owned());
        world.reopen();
        world.apply("offer", OFFER);
        meet(&world, "ada");
        ask(&world, "ada", "a1", 9);
        assert_eq!(world.mails()[0].to, "tests@shop.test");
        world.unsubscribe();
        let contact = world.engine.contact("distinct_id:ada").expect("read").expect("known");
        assert!(contact.consents.is_empty(), "{:?}", contact.consents);
    });
}
