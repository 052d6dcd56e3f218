//! What makes a message wait or go away before it is sent: ceilings, caps, night, brakes.

use hogwire_engine::outbox::Wanted;
use hogwire_engine::outbox::brakes::{self, Subject};
use hogwire_engine::store::pauses;
use hogwire_model::campaign::{Code, Settlement};
use hogwire_model::policy::frequency_cap::Cap;
use hogwire_model::{Outcome, Span};

use super::harness::on_both;
use super::stage::{Stage, minutes, noon};

#[test]
fn a_sender_keeps_its_ceiling_and_the_others_do_not_wait() {
    on_both("a_sender_keeps_its_ceiling_and_the_others_do_not", |store| {
        let stage = Stage::new(store);
        for contact in ["a", "b", "c", "d", "e"] {
            stage.contact(contact);
            stage.queue(contact, |new| new.sender = "slow");
        }
        stage.contact("free");
        stage.queue("free", |_| {});
        stage.send(noon());
        assert_eq!(stage.recipients().len(), 3, "two of the slow sender and the free one");
        assert_eq!(stage.send(noon()).next_due, Some(minutes(30)), "room for one more comes in half an hour");
        assert_eq!(stage.send(minutes(29)).did, 0);
        stage.send(minutes(30));
        assert_eq!(stage.recipients().len(), 4);
        stage.send(minutes(600));
        stage.send(minutes(1200));
        assert_eq!(stage.recipients().len(), 6, "nothing was lost");
    });
}

#[test]
fn the_more_important_campaign_goes_first_where_a_cap_holds_the_other() {
    on_both("the_more_important_campaign_goes_first_where_a_c", |store| {
        let mut stage = Stage::new(store);
        stage.settings.policies.caps = vec![Cap { max: 1, within: Span::days(1), topic: None }];
        stage.contact("ada");
        let low = stage.queue("ada", |new| new.priority = 10);
        let high = stage.queue("ada", |new| (new.step, new.priority) = ("1", 90));
        let receipt = stage.queue("ada", |new| (new.step, new.topic, new.priority) = ("2", "receipts", 0));
        stage.send(noon());
        assert_eq!((stage.status(&low), stage.status(&high), stage.status(&receipt)), ("held", "sent", "sent"));
        assert_eq!(stage.message(&low).reason, "capped");
        assert_eq!(stage.send(noon()).next_due, Some(noon().plus(Span::days(1))));
        stage.send(noon().plus(Span::days(1)));
        assert_eq!(stage.status(&low), "sent");
        assert_eq!(stage.codes("ada").iter().filter(|code| **code == "capped").count(), 1);
    });
}

#[test]
fn a_held_message_that_expires_is_not_sent() {
    on_both("a_held_message_that_expires_is_not_sent", |store| {
        let mut stage = Stage::new(store);
        stage.settings.vouched_domains.clear();
        stage.contact("ada");
        let held = stage.queue("ada", |_| {});
        let expiring = stage.queue("ada", |new| (new.step, new.expires) = ("1", Some(minutes(10))));
        stage.send(noon());
        assert_eq!((stage.status(&held), stage.message(&held).reason.as_str()), ("held", "unverified"));
        for n in 1..=10 {
            stage.send(minutes(n));
        }
        assert_eq!((stage.status(&expiring), stage.message(&expiring).reason.as_str()), ("skipped", "expired"));
        assert_eq!(stage.codes("ada"), ["unverified", "unverified", "expired"], "each reason is told once");
        stage.settings.vouched_domains.push("acme.test".to_owned());
        stage.send(minutes(20));
        assert_eq!(stage.status(&held), "sent");
    });
}

#[test]
fn nobody_is_written_to_at_night() {
    on_both("nobody_is_written_to_at_night", |store| {
        let mut stage = Stage::new(store);
        stage.settings.policies.quiet_hours =
            Some(serde_json::from_value(serde_json::json!({ "from": "22:00", "to": "08:00" })).expect("hours"));
        stage.contact("ada");
        stage.change("ada", |stored| stored.zone = Some("Asia/Tokyo".to_owned()));
        stage.contact("bob");
        let (far, near) = (stage.queue("ada", |_| {}), stage.queue("bob", |_| {}));
        // 14:00 in London is 23:00 in Tokyo.
        stage.send(minutes(120));
        assert_eq!((stage.status(&far), stage.status(&near)), ("held", "sent"));
        assert_eq!(stage.message(&far).due_at, Some(minutes(11 * 60)));
        stage.send(minutes(11 * 60));
        assert_eq!(stage.status(&far), "sent");
    });
}

#[test]
fn brakes_stop_everything_at_once_and_lose_nothing() {
    on_both("brakes_stop_everything_at_once_and_lose_nothing", |store| {
        let stage = Stage::new(store);
        stage.contact("ada");
        stage.contact("bob");
        let one = stage.queue("ada", |_| {});
        let two = stage.queue("bob", |new| (new.sender, new.campaign_id) = ("slow", "other"));
        for (subject, waits) in
            [(Subject::Everything, 2), (Subject::Sender("slow"), 1), (Subject::Campaign("other"), 1)]
        {
            assert!(brakes::pause(&stage.parts(), subject, "ops", "a typo in the offer", noon()).expect("paused"));
            stage.send(noon());
            let waiting = [&one, &two].into_iter().filter(|id| stage.status(id) == "queued").count();
            assert_eq!(waiting, waits, "{subject:?}");
            assert!(brakes::resume(&stage.parts(), subject).expect("resumed"));
        }
        assert!(brakes::pause(&stage.parts(), Subject::Sender("nobody"), "ops", "", noon()).is_err());
        stage.send(minutes(1));
        assert_eq!((stage.status(&one), stage.status(&two)), ("sent", "sent"));
    });
}

#[test]
fn a_run_that_ended_gets_no_mail_and_a_paused_campaign_waits() {
    on_both("a_run_that_ended_gets_no_mail_and_a_paused_campa", |store| {
        let stage = Stage::new(store);
        stage.contact("ada");
        stage.contact("bob");
        let (gone, waits) = (stage.queue("ada", |_| {}), stage.queue("bob", |_| {}));
        {
            let mut wanted = stage.script.wanted.lock().expect("lock");
            wanted.insert("run-ada".to_owned(), Wanted::No(Code::ExitEvent));
            wanted.insert("run-bob".to_owned(), Wanted::Paused);
        }
        stage.send(noon());
        assert_eq!((stage.status(&gone), stage.status(&waits)), ("skipped", "held"));
        stage.script.wanted.lock().expect("lock").clear();
        stage.send(minutes(2));
        assert_eq!(stage.status(&waits), "sent");
        assert_eq!(stage.settled()[0], ("run-ada".to_owned(), Settlement::Skipped(Code::ExitEvent)));
    });
}

#[test]
fn an_address_known_from_events_alone_gets_five_a_day() {
    on_both("an_address_known_from_events_alone_gets_five_a_d", |store| {
        let stage = Stage::new(store);
        stage.contact("ada");
        stage.change("ada", |stored| stored.contact.address_from_event = true);
        let steps = ["0", "1", "2", "3", "4", "5"];
        let ids: Vec<String> = steps.iter().map(|step| stage.queue("ada", |new| new.step = step)).collect();
        stage.send(noon());
        assert_eq!(stage.recipients().len(), 5);
        let skipped: Vec<_> = ids.iter().filter(|id| stage.message(id).reason == "too_many_messages").collect();
        assert_eq!(skipped.len(), 1);
    });
}

#[test]
fn a_sender_that_bounces_too_much_pauses_itself() {
    on_both("a_sender_that_bounces_too_much_pauses_itself", |store| {
        let stage = Stage::new(store);
        for n in 0..60 {
            let contact = format!("c{n}");
            stage.contact(&contact);
            stage.queue(&contact, |_| {});
        }
        let no = || Outcome::Refused("550 5.1.1 No such user here".to_owned());
        let fine = || Outcome::Done("250 ok".to_owned());
        stage.mail.says.lock().expect("lock").extend((0..60).map(|n| if n < 50 { fine() } else { no() }));
        stage.send(noon());
        let brakes = stage.read(pauses::all);
        assert_eq!(brakes.len(), 1);
        assert_eq!((brakes[0].subject.as_str(), brakes[0].actor.as_str()), ("sender:default", "hogwire"));
    });
}
