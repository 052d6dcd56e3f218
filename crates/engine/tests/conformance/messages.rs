//! Mail: at most once, tried again where that is safe, and settled with a reason.

use hogwire_engine::outbox;
use hogwire_engine::outbox::settle::{self, Word};
use hogwire_engine::store::{deliveries, engagements, messages};
use hogwire_model::campaign::{Code, Settlement};
use hogwire_model::{Outcome, Span};

use super::harness::on_both;
use super::stage::{Stage, minutes, noon};

#[test]
fn a_queued_message_goes_out_once_and_its_run_goes_on() {
    on_both("a_queued_message_goes_out_once_and_its_run_goes", |store| {
        let stage = Stage::new(store);
        let address = stage.contact("ada");
        let id = stage.queue("ada", |_| {});
        assert_eq!(id, stage.queue("ada", |_| {}), "a visit of a step is one message");
        assert_eq!(stage.send(noon()).did, 1);
        assert_eq!(stage.recipients(), [address]);
        assert_eq!(stage.settled(), [("run-ada".to_owned(), Settlement::Sent)]);
        assert_eq!((stage.status(&id), stage.codes("ada")), ("sent", vec!["sent"]));
        let mail = stage.last_mail();
        assert!(mail.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click"), "{mail}");
        assert!(mail.contains("https://go.acme.test/t/c/"), "the link is tracked: {mail}");
        assert_eq!(stage.send(minutes(60)).did, 0);
        assert_eq!(stage.recipients().len(), 1);
        assert_eq!(stage.script.journal.lock().expect("lock").len(), 1, "the claim stands in the journal");
    });
}

#[test]
fn what_was_being_sent_when_we_died_is_never_sent_again() {
    on_both("what_was_being_sent_when_we_died_is_never_sent_a", |store| {
        let stage = Stage::new(store);
        stage.contact("ada");
        stage.contact("bob");
        let marketing = stage.queue("ada", |_| {});
        let receipt = stage.queue("bob", |new| new.topic = "receipts");
        stage.send_and_die(noon());
        assert_eq!(stage.recipients().len(), 2);
        assert_eq!(stage.send(minutes(5)).did, 0, "the lease still runs");
        stage.let_leases_end();
        stage.send(noon().plus(messages::LEASE).plus(Span::minutes(1)));
        stage.send(minutes(600));
        assert_eq!(stage.recipients().len(), 2, "neither was sent again");
        assert_eq!((stage.status(&marketing), stage.status(&receipt)), ("unknown", "unknown"));
        assert_eq!(stage.settled(), [("run-ada".to_owned(), Settlement::Unknown)], "the receipt's run asks");
        assert_eq!(stage.codes("bob"), ["send_unknown"]);

        let parts = stage.parts();
        assert!(settle::by_word(&parts, &receipt, Word::Sent, "ops@acme.test", minutes(601)).expect("settled"));
        assert!(!settle::by_word(&parts, &receipt, Word::NotSent, "ops@acme.test", minutes(602)).expect("settled"));
        assert!(settle::by_word(&parts, &marketing, Word::NotSent, "ops@acme.test", minutes(603)).expect("settled"));
        let runs = stage.settled();
        assert_eq!(runs.len(), 2, "the run that had gone on is not told twice: {runs:?}");
        assert_eq!(runs[1], ("run-bob".to_owned(), Settlement::Sent));
        assert_eq!((stage.status(&marketing), stage.status(&receipt)), ("failed", "sent"));
    });
}

#[test]
fn a_broken_connection_leaves_the_message_unknown() {
    on_both("a_broken_connection_leaves_the_message_unknown", |store| {
        let stage = Stage::new(store);
        stage.contact("ada");
        let id = stage.queue("ada", |_| {});
        stage.mail.says.lock().expect("lock").push_back(Outcome::Unknown("reset by peer".to_owned()));
        stage.send(noon());
        stage.send(minutes(600));
        assert_eq!((stage.status(&id), stage.recipients().len()), ("unknown", 1));
        assert_eq!(stage.settled(), [("run-ada".to_owned(), Settlement::Unknown)]);
    });
}

#[test]
fn a_temporary_refusal_is_tried_again_with_the_same_message_id_until_the_ladder_ends() {
    on_both("a_temporary_refusal_is_tried_again_with_the_same", |store| {
        let stage = Stage::new(store);
        stage.contact("ada");
        let id = stage.queue("ada", |_| {});
        let later = || Outcome::Retry("451 4.7.1 later".to_owned());
        stage.mail.says.lock().expect("lock").extend([later(), later(), later(), later(), later(), later()]);
        let mut now = noon();
        for _ in 0..10 {
            stage.send(now);
            now = now.plus(Span::hours(14));
        }
        assert_eq!(stage.recipients().len(), 5);
        assert_eq!(stage.status(&id), "failed");
        assert_eq!(stage.settled(), [("run-ada".to_owned(), Settlement::Skipped(Code::SendFailed))]);
        let got = stage.mail.got.lock().expect("lock");
        let header = format!("Message-ID: <{id}@acme.test>");
        assert!(got.iter().all(|parcel| String::from_utf8_lossy(&parcel.bytes).contains(&header)));
    });
}

#[test]
fn a_refused_login_costs_no_message() {
    on_both("a_refused_login_costs_no_message", |store| {
        let stage = Stage::new(store);
        stage.contact("ada");
        let id = stage.queue("ada", |_| {});
        let no = || Outcome::Unauthorized("535 5.7.8 bad password".to_owned());
        stage.mail.says.lock().expect("lock").extend((0..30).map(|_| no()));
        stage.mail.says.lock().expect("lock").push_back(Outcome::Retry("451 later".to_owned()));
        for n in 0..32 {
            stage.send(minutes(n * 6));
        }
        assert_eq!(stage.status(&id), "sent");
        assert_eq!(stage.codes("ada"), ["held", "held", "sent"], "each reason is told once");
    });
}

#[test]
fn a_dead_address_is_never_written_to_again() {
    on_both("a_dead_address_is_never_written_to_again", |store| {
        let stage = Stage::new(store);
        stage.contact("ada");
        let first = stage.queue("ada", |_| {});
        let dead = "550 5.1.1 The email account that you tried to reach does not exist";
        stage.mail.says.lock().expect("lock").push_back(Outcome::Refused(dead.to_owned()));
        stage.send(noon());
        let second = stage.queue("ada", |new| (new.step, new.topic) = ("1", "receipts"));
        stage.send(minutes(1));
        assert_eq!((stage.status(&first), stage.status(&second)), ("bounced", "skipped"));
        assert_eq!(stage.message(&second).reason, "suppressed");
        assert_eq!(stage.recipients().len(), 1);
        assert!(stage.read(|tx| engagements::has(tx, &first, "bounced")));
        assert!(stage.script.journal.lock().expect("lock").iter().any(|line| line.contains("hard_bounce")));
    });
}

#[test]
fn a_full_mailbox_is_no_reason_to_give_the_address_up() {
    on_both("a_full_mailbox_is_no_reason_to_give_the_address", |store| {
        let stage = Stage::new(store);
        stage.contact("ada");
        let first = stage.queue("ada", |_| {});
        stage.mail.says.lock().expect("lock").push_back(Outcome::Refused("552 5.2.2 Mailbox full".to_owned()));
        stage.send(noon());
        let second = stage.queue("ada", |new| new.step = "1");
        stage.send(minutes(1));
        assert_eq!((stage.status(&first), stage.status(&second)), ("failed", "sent"));
    });
}

#[test]
fn test_mail_goes_to_the_test_inbox_marked_and_counts_as_nothing() {
    on_both("test_mail_goes_to_the_test_inbox_marked_and_coun", |store| {
        let mut stage = Stage::new(store);
        stage.settings.policies.test_inbox = Some("inbox@test.test".to_owned());
        stage.settings.vouched_domains.clear();
        let address = stage.contact("ada");
        stage.queue("ada", |_| {});
        stage.send(noon());
        assert_eq!(stage.recipients(), ["inbox@test.test"]);
        let mail = stage.last_mail();
        assert!(mail.contains(&format!("X-Hogwire-Intended-For: {address}")), "{mail}");
        assert!(mail.contains("Subject: [Test, for "), "{mail}");
        assert_eq!(stage.read(|tx| messages::tally(tx, "welcome")).sent, 0);
        assert_eq!(stage.read(|tx| deliveries::newest(tx, "", None, 10)).len(), 0, "nobody is told");
        assert_eq!(stage.settled().len(), 1, "the run goes on all the same");

        stage.settings.policies.test_inbox = None;
        let id = stage.queue("ada", |new| (new.step, new.test) = ("1", true));
        stage.send(minutes(1));
        assert_eq!((stage.status(&id), stage.recipients().len()), ("skipped", 1));
    });
}

#[test]
fn a_template_that_cannot_be_rendered_fails_its_message_only() {
    on_both("a_template_that_cannot_be_rendered_fails_its_mes", |store| {
        let stage = Stage::new(store);
        stage.contact("ada");
        stage.contact("bob");
        let bad = stage.queue("ada", |new| new.template = "broken");
        let good = stage.queue("bob", |_| {});
        stage.send(noon());
        assert_eq!((stage.status(&bad), stage.status(&good)), ("failed", "sent"));
        assert!(stage.message(&bad).reason.contains("line 3"));
    });
}

#[test]
fn a_message_sent_again_is_a_new_one_and_wakes_nobody() {
    on_both("a_message_sent_again_is_a_new_one_and_wakes_nobo", |store| {
        let stage = Stage::new(store);
        stage.contact("ada");
        let first = stage.queue("ada", |_| {});
        let early = stage.store.write(|tx| outbox::resend(tx, &first, stage.entropy(), noon()));
        assert!(early.is_err(), "it has not been sent yet");
        stage.send(noon());
        let again = stage.store.write(|tx| outbox::resend(tx, &first, stage.entropy(), minutes(1))).expect("queued");
        stage.send(minutes(1));
        assert_ne!(first, again);
        assert_eq!(stage.message(&again).resend_of, Some(first));
        assert_eq!((stage.recipients().len(), stage.settled().len()), (2, 1));
    });
}

#[test]
fn a_mailbox_that_is_full_for_days_is_given_up() {
    on_both("a_mailbox_that_is_full_for_days_is_given_up", |store| {
        let stage = Stage::new(store);
        stage.contact("ada");
        let full = || Outcome::Refused("552 5.2.2 Mailbox full".to_owned());
        stage.mail.says.lock().expect("lock").extend((0..5).map(|_| full()));
        let steps = ["0", "1", "2", "3", "4", "5"];
        let ids: Vec<String> = steps
            .iter()
            .zip(0..)
            .map(|(step, day)| {
                let id = stage.queue("ada", |new| new.step = step);
                stage.send(noon().plus(Span::days(day)));
                id
            })
            .collect();
        let ends: Vec<_> = ids.iter().map(|id| stage.status(id)).collect();
        assert_eq!(ends, ["failed", "failed", "failed", "failed", "failed", "skipped"]);
    });
}
