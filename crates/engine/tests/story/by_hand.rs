//! A test of a template that somebody sends to themselves.

use hogwire_engine::views::overview::Window;
use hogwire_engine::{Error, tracking};

use crate::WELCOME;
use crate::world::{on_both, signup};

#[test]
fn a_test_by_hand_reaches_its_address_and_touches_no_contact() {
    on_both("by_hand", |world| {
        world.apply("welcome", WELCOME);
        world.receive(&signup("e1", "u1", "ada@example.com", "free"));
        world.settle();
        assert!(world.mails().is_empty());
        let test = |to: &str, contact| world.engine.send_test("welcome", to, contact, "grace", world.now);
        let (first, to) = test("Grace@Shop.example", Some("email:ada@example.com")).expect("queued");
        assert_eq!(to, "grace@shop.example");
        let (second, _) = test("grace@shop.example", Some("email:ada@example.com")).expect("queued");
        assert_ne!(first, second, "each is a message of its own");
        world.settle();
        let mails = world.mails();
        assert_eq!(mails.iter().map(|mail| mail.to.as_str()).collect::<Vec<_>>(), ["grace@shop.example"; 2]);
        let text = String::from_utf8_lossy(&mails[0].bytes).replace("=\r\n", "");
        assert!(text.contains("Subject: [Test] Welcome, Ada"), "{text}");
        assert!(!text.contains("/t/c/") && !text.contains("/t/o/"), "nobody is followed: {text}");
        let place = text.find("/u/").expect("a link to leave") + 3;
        let token = &text[place..place + 26];
        let left = world.engine.with_parts(|parts| {
            let scope = tracking::Scope::Everything;
            tracking::unsubscribe(parts, token, scope, "one_click", world.now)
        });
        assert!(!left.expect("asked"), "the reader of a test cannot leave for Ada");
        let stats = world.engine.stats(Window::Hour, world.now).expect("figures");
        let sent = stats.series.iter().find(|series| series.name == "sent").expect("a series");
        assert_eq!(sent.total, 0, "it never counts as sent");
    });
}

#[test]
fn a_test_by_hand_needs_a_template_a_contact_and_an_address() {
    on_both("by_hand_refused", |world| {
        world.apply("welcome", WELCOME);
        let test =
            |template: &str, to: &str, contact| world.engine.send_test(template, to, contact, "grace", world.now);
        assert!(matches!(test("nothing", "a@b.test", None), Err(Error::Missing(_))));
        assert!(matches!(test("welcome", "a@b.test", None), Err(Error::Missing(_))));
        assert!(matches!(test("welcome", "a@b.test", Some("nobody")), Err(Error::Missing(_))));
        assert!(matches!(test("welcome", "nonsense", None), Err(Error::Conflict(_))));
    });
}
