//! Whatever the steps are and however a run is woken, it comes to an end and can be stored.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::Span;
use crate::campaign::stage::{Play, event, t};
use crate::campaign::{Campaign, Program};

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!({ "email": { "template": "t" } })),
        Just(json!({ "set_attribute": { "plan": "gold" } })),
        Just(json!({ "posthog_event": { "event": "seen" } })),
        Just(json!({ "wait": "1h" })),
        Just(json!({ "wait": "entry + 1d" })),
        Just(json!({ "wait": { "until": "next weekday 09:00" } })),
        Just(json!({ "wait": "contact.renewal" })),
        Just(json!({ "exit": "done" })),
    ]
}

fn step() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(3, 24, 3, |inner| {
        let list = || prop::collection::vec(inner.clone(), 0..3);
        prop_oneof![
            (list(), list()).prop_map(|(then, otherwise)| json!({
                "wait_for": { "event": "came", "timeout": "2h" }, "then": then, "else": otherwise
            })),
            (list(), list()).prop_map(|(steps, otherwise)| json!({
                "branch": [{ "when": [{ "key": "plan", "value": "gold", "type": "contact" }], "steps": steps }],
                "else": otherwise
            })),
            (list(), list()).prop_map(|(a, b)| json!({
                "split": { "holdout": 10, "variants": [{ "name": "a", "steps": a }, { "name": "b", "steps": b }] }
            })),
            (1u32..200, list()).prop_map(|(times, steps)| json!({ "repeat": { "times": times, "steps": steps } })),
        ]
    })
}

fn campaigns() -> impl Strategy<Value = Campaign> {
    prop::collection::vec(step(), 0..5).prop_map(|steps| {
        let text = json!({ "name": "c", "trigger": { "event": "began" }, "steps": steps }).to_string();
        crate::campaign::read(&text).expect("a campaign").0
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_run_ends_and_survives_being_stored(campaign in campaigns(), events in any::<u64>(), contact in 0u8..20) {
        let mut play = Play::new(Program::compile(&campaign), "2026-03-06T10:00:00Z");
        play.contact.id = format!("con_{contact}");
        let mut now = t("2026-03-06T10:00:00Z");
        let mut advance = play.enter();
        for turn in 0..20_000u32 {
            let stored = serde_json::to_string(&play.run).expect("it can be stored");
            play.run = serde_json::from_str(&stored).expect("it can be read");
            let came = events >> (turn % 64) & 1 == 1;
            advance = match &advance.rest {
                Rest::Ended(_) => break,
                Rest::Message => play.wake(Wake::Settled(Settlement::Sent), now),
                Rest::Event { .. } if came => {
                    let at = now.to_string();
                    now = now.plus(Span::seconds(1));
                    play.wake(Wake::Event(&event("came", &at, "{}")), now)
                }
                Rest::Until(at) | Rest::Event { deadline: at } => {
                    prop_assert!(*at > now, "it rests until a time that has passed");
                    now = *at;
                    play.wake(Wake::Due, now)
                }
            };
            prop_assert!(advance.effects.len() <= MOST_NODES);
        }
        prop_assert!(matches!(advance.rest, Rest::Ended(_)), "it goes on for ever");
        prop_assert_eq!(&play.run.position, &None);
        let last = advance.decisions.last().map(|d| d.code);
        prop_assert!(last.is_none_or(|code| matches!(
            code,
            Code::Completed | Code::Exited | Code::Holdout | Code::Skipped | Code::LoopBound | Code::Late
        )));
    }

    #[test]
    fn what_is_written_back_reads_the_same(campaign in campaigns()) {
        let text = serde_json::to_string(&campaign).expect("it can be written");
        let (again, _) = crate::campaign::read(&text).expect("it can be read");
        prop_assert_eq!(&again, &campaign);
        let yaml = serde_saphyr::to_string(&campaign).expect("as YAML");
        let (again, _) = crate::campaign::read(&yaml).expect("it can be read");
        prop_assert_eq!(again, campaign);
    }
}
