//! The loop in one process: an event becomes a mail, step by step, against scripted ends.

mod by_hand;
mod contacts;
mod credentials;
mod domains;
mod explain;
mod nodes;
mod restore;
mod triggers;
mod world;

use hogwire_engine::Work;
use hogwire_model::campaign::Code;
use serde_json::json;
use world::{on_both, signup};

pub const WELCOME: &str = "name: Welcome
status: active
trigger:
  event: user_signed_up
  where: [ { key: plan, operator: exact, value: pro, type: event } ]
entry: once
exit_on: [ { event: account_deleted } ]
steps:
  - email: { template: welcome }
  - wait: 2d
  - branch:
      - when: [ { key: plan, operator: exact, value: free, type: person } ]
        steps: [ { exit: downgraded } ]
    else: [ { email: { template: welcome } } ]
";

#[test]
fn a_signup_becomes_a_mail_and_the_wait_a_second_one() {
    on_both("signup", |mut world| {
        world.apply("welcome", WELCOME);
        world.receive(&signup("e1", "u1", "ada@example.com", "pro"));
        world.settle();
        let mails = world.mails();
        assert_eq!(mails.len(), 1, "{}", world.explain("welcome", "email:ada@example.com"));
        assert_eq!(mails[0].to, "ada@example.com");
        let text = String::from_utf8_lossy(&mails[0].bytes).into_owned();
        assert!(text.contains("Subject: Welcome, Ada") && text.contains("List-Unsubscribe-Post"), "{text}");
        // Lines that quoted-printable broke are joined again.
        let text = text.replace("=\r\n", "");
        let html = text.split("text/html").nth(1).expect("an HTML part");
        assert!(html.contains("https://hogwire.example/u/") && html.contains("https://hogwire.example/t/c/"), "{html}");

        world.later_days(2);
        world.settle();
        assert_eq!(world.mails().len(), 2, "{}", world.explain("welcome", "email:ada@example.com"));
        let told = world.explain("welcome", "email:ada@example.com");
        assert!(told.contains("completed"), "{told}");
    });
}

#[test]
fn a_duplicate_has_one_effect_and_a_false_condition_is_recorded() {
    on_both("duplicate", |world| {
        world.apply("welcome", WELCOME);
        for _ in 0..3 {
            world.receive(&signup("e1", "u1", "ada@example.com", "pro"));
        }
        world.receive(&signup("e2", "u2", "bob@example.com", "free"));
        world.settle();
        assert_eq!(world.mails().len(), 1);
        let explained = world.engine.explain("welcome", "email:bob@example.com", world.now).expect("explained");
        assert_eq!(explained.lines[0].code, Code::ConditionFalse, "{}", explained.verdict);
    });
}

#[test]
fn an_anonymous_past_is_applied_when_the_person_becomes_known() {
    on_both("past", |world| {
        world.apply("welcome", WELCOME);
        world.receive(&json!({ "event": "user_signed_up", "distinct_id": "anon-1", "uuid": "p1", "properties": { "plan": "pro", "$set": { "colour": "blue" } }, "timestamp": world.now.to_string() }));
        world.settle();
        assert!(world.mails().is_empty());
        world.receive(&json!({ "event": "$identify", "distinct_id": "u9", "uuid": "p2", "properties": { "$anon_distinct_id": "anon-1", "$set": { "email": "eve@example.com", "name": "Eve" } }, "timestamp": world.now.to_string() }));
        world.settle();
        let contact = world.engine.contact("email:eve@example.com").expect("read").expect("known");
        assert!(contact.attributes.iter().any(|known| known.name == "colour" && known.value == json!("blue")));
        assert_eq!(world.mails().len(), 1, "{}", world.explain("welcome", "email:eve@example.com"));
    });
}

#[test]
fn an_exit_event_before_the_second_mail_ends_the_run() {
    on_both("exit", |mut world| {
        world.apply("welcome", WELCOME);
        world.receive(&signup("e1", "u1", "ada@example.com", "pro"));
        world.settle();
        world.later_days(1);
        world.receive(&json!({ "event": "account_deleted", "distinct_id": "u1", "uuid": "e9", "timestamp": world.now.to_string() }));
        world.settle();
        world.later_days(2);
        world.settle();
        assert_eq!(world.mails().len(), 1);
        assert!(world.explain("welcome", "email:ada@example.com").contains("exit_event"));
    });
}

#[test]
fn a_crash_between_claim_and_answer_is_unknown_and_never_sent_twice() {
    on_both("crash", |mut world| {
        world.apply("welcome", WELCOME);
        world.receive(&signup("e1", "u1", "ada@example.com", "pro"));
        world.engine.step(Work::Decide, world.now).expect("decided");
        world.mail.die_next();
        let engine = std::panic::AssertUnwindSafe(&world.engine);
        let died = std::panic::catch_unwind(|| engine.step(Work::Mail, world.now));
        assert!(died.is_err());
        world.reopen();
        world.later_days(1);
        world.settle();
        assert_eq!(world.mails().len(), 1, "the mail that went out before the crash");
        let told = world.explain("welcome", "email:ada@example.com");
        // On PostgreSQL leases run by the database's own clock, which no story moves.
        assert!(told.contains("send_unknown") || !world.engine.store().is_sqlite(), "{told}");
    });
}
