//! What readers do: opens, clicks, leaving, coming back; and what servers report.

use hogwire_connectors::smtp::reply::Bounce;
use hogwire_engine::store::{Store, consents, deliveries, engagements};
use hogwire_engine::tracking::{self, Report, Scope, Seen};
use hogwire_model::contact::consent::{Consent, ConsentState, Said};

use super::harness::on_both;
use super::stage::{Stage, minutes, noon};

const CHROME: Seen<'static> = Seen {
    user_agent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    method: "GET",
    purpose: None,
};

/// A stage on which one mail went to Ada: its message's id and its token.
fn sent(store: &Store) -> (Stage<'_>, String, String) {
    let stage = Stage::new(store);
    stage.contact("ada");
    let id = stage.queue("ada", |_| {});
    stage.send(noon());
    let token = stage.token();
    (stage, id, token)
}

fn link(stage: &Stage<'_>) -> String {
    let mail = stage.last_mail();
    let at = mail.find("/t/c/").expect("a tracked link") + 5;
    mail[at..].split('"').next().expect("its end").to_owned()
}

fn told(stage: &Stage<'_>) -> Vec<String> {
    let all = stage.read(|tx| deliveries::newest(tx, "", None, 100));
    let mut names: Vec<String> = all
        .iter()
        .filter_map(|d| {
            serde_json::from_str::<serde_json::Value>(&d.payload).ok()?["captured"]["event"].as_str().map(str::to_owned)
        })
        .collect();
    names.sort();
    names
}

#[test]
fn people_and_machines_are_told_apart() {
    on_both("people_and_machines_are_told_apart", |store| {
        let (stage, id, token) = sent(store);
        let parts = stage.parts();
        let proxy = Seen { user_agent: "Mozilla/5.0", ..CHROME };
        assert!(tracking::open(&parts, &token, proxy, minutes(1)).expect("seen"));
        assert!(stage.message(&id).opened_at.is_none(), "a program is no reader");
        assert!(stage.script.engaged.lock().expect("lock").is_empty());
        for n in [2, 3] {
            assert!(tracking::open(&parts, &token, CHROME, minutes(n)).expect("seen"));
        }
        let message = stage.message(&id);
        assert_eq!((message.machine_opens, message.human_opens, message.opened_at), (1, 2, Some(minutes(2))));
        assert_eq!(*stage.script.engaged.lock().expect("lock"), ["opened"], "runs wake at the first");
        let scanner = Seen { user_agent: "Barracuda Sentinel (EE)", ..CHROME };
        tracking::click(&parts, &link(&stage), scanner, minutes(4)).expect("followed");
        assert_eq!(stage.message(&id).clicks, 0);
        assert!(!tracking::open(&parts, "aaaaaaaaaaaaaaaaaaaaaaaaaa", CHROME, minutes(5)).expect("seen"));
        assert_eq!(stage.read(|tx| engagements::names(tx, "ada", "opened")), ["hello", "welcome"]);
    });
}

#[test]
fn a_link_leads_to_what_the_mail_said_and_nowhere_else() {
    on_both("a_link_leads_to_what_the_mail_said_and_nowhere_e", |store| {
        let (stage, id, _) = sent(store);
        let parts = stage.parts();
        let link = link(&stage);
        let target = Some("https://shop.test/?a=1&b=2".to_owned());
        let head = Seen { method: "HEAD", ..CHROME };
        assert_eq!(tracking::click(&parts, &link, head, minutes(1)).expect("followed"), target);
        assert_eq!(stage.message(&id).clicks, 0, "a HEAD counts nothing");
        assert_eq!(tracking::click(&parts, &link, CHROME, minutes(1)).expect("followed"), target);
        let message = stage.message(&id);
        assert_eq!((message.clicks, message.opened_at), (1, Some(minutes(1))));
        let forged = format!("{}aaaaaaaaaaaa", &link[..link.len() - 12]);
        assert_eq!(tracking::click(&parts, &forged, CHROME, minutes(2)).expect("followed"), target);
        assert_eq!(stage.message(&id).clicks, 1, "a forged link is not counted");
        for bad in ["", "x", "https://evil.test", &link[..20], &link.replacen("0-", "7-", 1)] {
            assert_eq!(tracking::click(&parts, bad, CHROME, minutes(3)).expect("followed"), None, "{bad}");
        }
        assert_eq!(told(&stage), ["hogwire_email_clicked", "hogwire_email_sent"]);
    });
}

#[test]
fn five_identical_unsubscribes_are_one() {
    on_both("five_identical_unsubscribes_are_one", |store| {
        let (stage, id, token) = sent(store);
        let parts = stage.parts();
        for n in 0..5 {
            assert!(tracking::unsubscribe(&parts, &token, Scope::Message, "one_click", minutes(n)).expect("left"));
        }
        assert_eq!(stage.read(|tx| engagements::of_message(tx, &id, 10)).len(), 2, "sent, and left once");
        assert_eq!(told(&stage), ["hogwire_email_sent", "hogwire_email_unsubscribed"]);
        let words = stage.read(|tx| consents::of_contact(tx, "ada"));
        assert_eq!((words.len(), words[0].at), (1, noon()));
        let journal = stage.script.journal.lock().expect("lock");
        assert_eq!(journal.iter().filter(|line| line.contains("OptedOut")).count(), 1);
        drop(journal);
        let marketing = stage.queue("ada", |new| new.step = "1");
        let news = stage.queue("ada", |new| (new.step, new.topic) = ("2", "news"));
        let receipt = stage.queue("ada", |new| (new.step, new.topic) = ("3", "receipts"));
        stage.send(minutes(10));
        assert_eq!(
            [stage.status(&marketing), stage.status(&news), stage.status(&receipt)],
            ["skipped", "sent", "sent"]
        );
    });
}

#[test]
fn looking_at_the_page_changes_nothing() {
    on_both("looking_at_the_page_changes_nothing", |store| {
        let (stage, _, token) = sent(store);
        let page = tracking::subscription(&stage.parts(), &token).expect("a page").expect("of ours");
        assert_eq!(page.address, "a…@example.com");
        assert_eq!((page.topic.as_str(), page.everything_off), ("product", false));
        let shown: Vec<_> = page.topics.iter().map(|choice| (choice.name.as_str(), choice.fixed, choice.on)).collect();
        assert_eq!(shown, [("news", false, true), ("product", false, true), ("receipts", true, true)]);
        assert!(stage.read(|tx| consents::of_contact(tx, "ada")).is_empty());
        assert_eq!(tracking::subscription(&stage.parts(), "nonsense").expect("a page"), None);
    });
}

#[test]
fn who_left_everything_comes_back_to_one_topic_alone() {
    on_both("who_left_everything_comes_back_to_one_topic_alon", |store| {
        let (stage, _, token) = sent(store);
        let parts = stage.parts();
        tracking::unsubscribe(&parts, &token, Scope::Everything, "page", minutes(1)).expect("left");
        assert!(tracking::subscription(&parts, &token).expect("a page").expect("ours").everything_off);
        tracking::prefer(&parts, &token, &[("product", true), ("receipts", false)], minutes(2)).expect("chosen");
        let page = tracking::subscription(&parts, &token).expect("a page").expect("ours");
        let on: Vec<_> = page.topics.iter().filter(|choice| choice.on).map(|choice| choice.name.as_str()).collect();
        assert_eq!(on, ["product", "receipts"]);
        let (product, news) =
            (stage.queue("ada", |new| new.step = "1"), stage.queue("ada", |new| (new.step, new.topic) = ("2", "news")));
        stage.send(minutes(3));
        assert_eq!((stage.status(&product), stage.status(&news)), ("sent", "skipped"));
    });
}

#[test]
fn a_no_follows_a_change_of_address() {
    on_both("a_no_follows_a_change_of_address", |store| {
        let (stage, _, token) = sent(store);
        tracking::unsubscribe(&stage.parts(), &token, Scope::Message, "one_click", minutes(1)).expect("left");
        stage.change("ada", |stored| stored.contact.address = Some("new@example.com".to_owned()));
        let moved = stage.queue("ada", |new| new.step = "1");
        // Somebody else who gets the old address does not get the mail either.
        stage.contact("eve");
        stage.change("eve", |stored| stored.contact.address = Some("ada@example.com".to_owned()));
        let heir = stage.queue("eve", |_| {});
        stage.send(minutes(2));
        assert_eq!(
            (stage.message(&moved).reason.as_str(), stage.message(&heir).reason.as_str()),
            ("no_consent", "suppressed")
        );
    });
}

#[test]
fn who_does_not_want_to_be_tracked_is_not() {
    on_both("who_does_not_want_to_be_tracked_is_not", |store| {
        let stage = Stage::new(store);
        stage.contact("ada");
        let word = Consent {
            topic: "tracking".to_owned(),
            state: ConsentState::Denied,
            at: noon(),
            source: "api".to_owned(),
            text: String::new(),
        };
        stage.store.write(|tx| consents::say(tx, "ada", &word, Said::Human)).expect("said");
        stage.queue("ada", |_| {});
        stage.send(noon());
        let mail = stage.last_mail();
        assert!(!mail.contains("/t/c/") && !mail.contains("/t/o/"), "{mail}");
        assert!(mail.contains("https://shop.test/?a=1"), "{mail}");
    });
}

#[test]
fn reports_come_twice_and_late_and_settle_what_was_unknown() {
    on_both("reports_come_twice_and_late_and_settle_what_was", |store| {
        let stage = Stage::new(store);
        stage.contact("ada");
        let id = stage.queue("ada", |new| new.topic = "receipts");
        stage.send_and_die(noon());
        stage.let_leases_end();
        stage.send(minutes(30));
        assert_eq!(stage.status(&id), "unknown");
        let parts = stage.parts();
        let rfc = format!("<{id}@acme.test>");
        for _ in 0..2 {
            assert!(tracking::report(&parts, &rfc, Report::Delivered, minutes(31), minutes(32)).expect("taken"));
        }
        assert_eq!((stage.status(&id), stage.settled().len()), ("sent", 1));
        assert_eq!(told(&stage), ["hogwire_email_delivered", "hogwire_email_sent"]);
        let bounce = Report::Bounced { bounce: Bounce::Hard, said: "550 5.1.1 gone" };
        tracking::report(&parts, &rfc, bounce, minutes(40), minutes(40)).expect("taken");
        assert_eq!(stage.status(&id), "bounced");
        assert!(!tracking::report(&parts, "<other@acme.test>", Report::Complained, noon(), noon()).expect("taken"));
    });
}

#[test]
fn who_complains_gets_nothing_more_under_any_address() {
    on_both("who_complains_gets_nothing_more_under_any_addres", |store| {
        let (stage, id, _) = sent(store);
        for _ in 0..2 {
            tracking::report(&stage.parts(), &id, Report::Complained, minutes(1), minutes(1)).expect("taken");
        }
        assert_eq!(stage.status(&id), "complained");
        assert_eq!(*stage.script.engaged.lock().expect("lock"), ["complained"]);
        stage.change("ada", |stored| stored.contact.address = Some("new@example.com".to_owned()));
        let next = stage.queue("ada", |new| (new.step, new.topic) = ("1", "news"));
        stage.send(minutes(2));
        assert_eq!(stage.message(&next).reason, "no_consent");
    });
}
