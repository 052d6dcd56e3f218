//! What people said, and that nothing but they themselves takes a no back.

use hogwire_engine::store::{Store, consents};
use hogwire_model::Time;
use hogwire_model::contact::consent::{Consent, ConsentState, Said};

use super::harness::on_both;
use super::stage::{Stage, minutes};

fn word(topic: &str, state: ConsentState, at: Time) -> Consent {
    Consent { topic: topic.to_owned(), state, at, source: "test".to_owned(), text: "Yes, write to me".to_owned() }
}

fn say(store: &Store, contact: &str, word: &Consent, said: Said) -> bool {
    store.write(|tx| consents::say(tx, contact, word, said)).expect("said")
}

fn state(stage: &Stage<'_>, contact: &str, topic: &str) -> ConsentState {
    consents::state(&stage.read(|tx| consents::of_contact(tx, contact)), topic)
}

#[test]
fn an_older_yes_never_stands_against_a_newer_no() {
    on_both("an_older_yes_never_stands_against_a_newer_no", |store| {
        let stage = Stage::new(store);
        let store = stage.store;
        assert!(say(store, "ada", &word("product", ConsentState::Granted, minutes(1)), Said::Human));
        assert!(say(store, "ada", &word("product", ConsentState::Denied, minutes(5)), Said::Human));
        for said in [Said::Human, Said::Machine] {
            assert!(!say(store, "ada", &word("product", ConsentState::Granted, minutes(4)), said));
            assert!(!say(store, "ada", &word("product", ConsentState::Granted, minutes(5)), said));
        }
        assert_eq!(state(&stage, "ada", "product"), ConsentState::Denied);
        assert!(say(store, "ada", &word("product", ConsentState::Granted, minutes(6)), Said::Human));
        assert_eq!(state(&stage, "ada", "product"), ConsentState::Granted);
        assert_eq!(state(&stage, "ada", "news"), ConsentState::Unknown);
    });
}

#[test]
fn a_sync_never_subscribes_anybody_again() {
    on_both("a_sync_never_subscribes_anybody_again", |store| {
        let stage = Stage::new(store);
        let store = stage.store;
        say(store, "ada", &word("product", ConsentState::Denied, minutes(1)), Said::Human);
        assert!(!say(store, "ada", &word("product", ConsentState::Granted, minutes(9)), Said::Machine));
        say(store, "bob", &word(consents::EVERYTHING, ConsentState::Denied, minutes(1)), Said::Human);
        assert!(!say(store, "bob", &word("product", ConsentState::Granted, minutes(9)), Said::Machine));
        assert_eq!(state(&stage, "bob", "product"), ConsentState::Denied, "a no to everything covers each topic");
        assert!(say(store, "bob", &word("product", ConsentState::Granted, minutes(9)), Said::Human));
        assert_eq!(state(&stage, "bob", "product"), ConsentState::Granted);
        assert_eq!(state(&stage, "bob", "news"), ConsentState::Denied);
        assert!(
            say(store, "cy", &word("product", ConsentState::Granted, minutes(1)), Said::Machine),
            "a gap is filled"
        );
    });
}

#[test]
fn a_no_survives_a_merge_whichever_side_said_it() {
    on_both("a_no_survives_a_merge_whichever_side_said_it", |store| {
        let stage = Stage::new(store);
        let store = stage.store;
        say(store, "a", &word("product", ConsentState::Granted, minutes(1)), Said::Human);
        say(store, "b", &word("product", ConsentState::Denied, minutes(2)), Said::Human);
        say(store, "b", &word("news", ConsentState::Granted, minutes(2)), Said::Human);
        say(store, "a", &word("news", ConsentState::Denied, minutes(3)), Said::Human);
        store.write(|tx| consents::fold(tx, "b", "a")).expect("joined");
        assert_eq!(state(&stage, "a", "product"), ConsentState::Denied);
        assert_eq!(state(&stage, "a", "news"), ConsentState::Denied);
        assert!(stage.read(|tx| consents::of_contact(tx, "b")).is_empty());
        let kept = stage.read(|tx| consents::of_contact(tx, "a"));
        assert!(kept.iter().all(|word| word.text == "Yes, write to me"), "the proof stays");
    });
}
