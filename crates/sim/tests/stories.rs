//! The loop told from outside, first in a clean world and then in rough ones: PostHog's
//! events go in, mails and events come out.

use hogwire_model::Span;
use hogwire_sim::faults::Faults;
use hogwire_sim::readers::Act;
use hogwire_sim::vendors::mailbox::Mail;
use hogwire_sim::{World, checks};
use serde_json::json;

/// Everything that goes wrong and must not show in the end.
const ROUGH: Faults = Faults {
    answer_lost: 0.3,
    doubled: 0.5,
    mail_busy: 0.3,
    http_busy: 0.3,
    http_failed: 0.3,
    http_broken: 0.2,
    torn: 0.1,
    ..Faults::NONE
};

fn told(story: impl Fn(World)) {
    story(World::clean(1).without_readers());
    for seed in 1..=6 {
        story(World::with(seed, ROUGH).without_readers());
    }
}

fn sign_up(world: &mut World) {
    world.does("anon-1", "$pageview", json!({ "$set_once": { "$initial_referrer": "search" } }));
    let set = json!({ "email": "ada@people.sim", "name": "Ada", "plan": "free" });
    world.does("ada", "$identify", json!({ "$anon_distinct_id": "anon-1", "$set": set }));
    world.does("ada", "signed_up", json!({ "plan": "free" }));
    world.pass(Span::hours(8));
}

fn to_ada(world: &World) -> Vec<Mail> {
    world.mails().into_iter().filter(|mail| mail.to == "ada@people.sim").collect()
}

fn captured(world: &World, name: &str) -> usize {
    let ends = world.net.ends();
    let uuids: std::collections::BTreeSet<String> =
        ends.posthog.events().iter().filter(|event| event.event == name).map(|event| event.uuid.clone()).collect();
    uuids.len()
}

fn behind(link: &str, path: &str) -> String {
    link.split_once(path).expect("the path").1.to_owned()
}

#[test]
fn a_signup_becomes_a_mail_and_its_click_comes_back() {
    told(|mut world| {
        sign_up(&mut world);
        let mails = to_ada(&world);
        assert_eq!(mails.len(), 1, "seed {}", world.seed);
        assert!(mails[0].subject.contains("Welcome, Ada") && mails[0].one_click, "{:?}", mails[0].subject);
        assert_eq!(captured(&world, "hogwire_email_sent"), 1);
        let link = mails[0].links().into_iter().find(|link| link.contains("/t/c/")).expect("a tracked link");
        world.act(&Act::Click { link: behind(&link, "/t/c/") });
        world.pass(Span::hours(8));
        assert_eq!(captured(&world, "hogwire_email_clicked"), 1, "seed {}", world.seed);
        world.rest();
    });
}

#[test]
fn what_an_anonymous_visitor_did_belongs_to_the_person_they_become() {
    told(|mut world| {
        world.does("anon-1", "pricing_viewed", json!({ "$set": { "colour": "blue" } }));
        world.does("anon-1", "pricing_viewed", json!({}));
        world.pass(Span::hours(1));
        let set = json!({ "email": "ada@people.sim", "name": "Ada" });
        world.does("ada", "$identify", json!({ "$anon_distinct_id": "anon-1", "$set": set }));
        world.pass(Span::hours(1));
        let ada = world.engine().contact("email:ada@people.sim").expect("read").expect("known");
        assert!(ada.attributes.iter().any(|known| known.name == "colour" && known.value == json!("blue")));
        assert!(to_ada(&world).is_empty(), "two looks are not three");
        world.does("ada", "pricing_viewed", json!({}));
        world.pass(Span::hours(8));
        assert_eq!(to_ada(&world).len(), 1, "seed {}: the looks before count", world.seed);
        world.rest();
    });
}

#[test]
fn who_buys_in_time_is_not_reminded_and_who_does_not_is() {
    told(|mut world| {
        sign_up(&mut world);
        let before = to_ada(&world).len();
        world.does("ada", "checkout_started", json!({ "order_id": "o1", "cart_value": 120 }));
        world.pass(Span::hours(1));
        world.does("ada", "checkout_completed", json!({ "order_id": "o1" }));
        world.pass(Span::hours(8));
        assert_eq!(to_ada(&world).len(), before, "seed {}", world.seed);
        world.pass(Span::days(8));
        let before = to_ada(&world).len();
        world.does("ada", "checkout_started", json!({ "order_id": "o2", "cart_value": 120 }));
        world.does("ada", "checkout_completed", json!({ "order_id": "another" }));
        world.pass(Span::hours(12));
        assert_eq!(to_ada(&world).len(), before + 1, "seed {}", world.seed);
        assert!(to_ada(&world).iter().any(|mail| mail.subject == "Your order o2"));
        world.rest();
    });
}

#[test]
fn who_leaves_hears_nothing_more_even_from_what_was_under_way() {
    told(|mut world| {
        sign_up(&mut world);
        let mail = to_ada(&world).remove(0);
        let token = behind(mail.unsubscribe.as_deref().expect("a way out"), "/u/");
        let leave = Act::Leave { token, everything: true, address: mail.to.clone(), list: String::new() };
        world.act(&leave);
        world.does("ada", "checkout_started", json!({ "order_id": "o1", "cart_value": 120 }));
        world.pass(Span::days(4));
        assert_eq!(world.ledger.opt_outs(), 1);
        assert_eq!(to_ada(&world).len(), 1, "seed {}", world.seed);
        assert_eq!(captured(&world, "hogwire_email_unsubscribed"), 1);
        let why = world.engine().explain("recovery", "email:ada@people.sim", world.now()).expect("explained");
        let why = serde_json::to_string(&why).expect("JSON");
        assert!(why.contains("no_consent") || why.contains("suppressed"), "{why}");
        world.rest();
    });
}

#[test]
fn a_crash_between_claim_and_answer_is_unknown_and_no_second_mail() {
    for seed in 1..=8 {
        let mut world = World::with(seed, Faults { crash: 1.0, ..Faults::NONE }).without_readers();
        let set = json!({ "email": "ada@people.sim", "name": "Ada" });
        world.does("ada", "signed_up", json!({ "$set": set }));
        world.settle();
        world.net.ends().faults = Faults::NONE;
        world.pass(Span::hours(2));
        assert!(to_ada(&world).len() <= 1, "it went out, or it did not");
        let told = world.engine().explain("welcome", "email:ada@people.sim", world.now()).expect("explained");
        let told = serde_json::to_string(&told).expect("JSON");
        assert!(told.contains("send_unknown"), "seed {seed}: {told}");
        assert_eq!(checks::always(world.engine(), world.now()).expect("checked"), Ok(()));
        world.rest();
    }
}
