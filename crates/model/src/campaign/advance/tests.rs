use serde_json::json;

use super::*;
use crate::campaign::stage::{Known, Play, codes, event, program, steps, t};
use crate::campaign::tests::CHECKOUT;

fn ended(advance: &Advance) -> &'static str {
    match &advance.rest {
        Rest::Ended(ending) => ending.code.as_str(),
        other => panic!("still under way: {other:?}"),
    }
}

fn checkout() -> Play {
    let mut play = Play::new(program(CHECKOUT), "2026-03-06T10:00:00Z");
    play.trigger = json!({ "order_id": "7", "cart_value": 80 });
    play
}

#[test]
fn the_documented_example_runs_from_end_to_end() {
    let mut play = checkout();
    play.zone = "Europe/Paris";
    play.facts = Known::of(json!({ "plan": "free" }));
    let first = play.enter();
    assert_eq!(first.rest, Rest::Event { deadline: t("2026-03-07T10:00:00Z") });
    assert_eq!(codes(&first), ["entered", "waiting"]);
    let mail = play.due("2026-03-07T10:00:00Z");
    assert_eq!(codes(&mail), ["timed_out", "queued"]);
    assert_eq!(mail.rest, Rest::Message);
    assert_eq!(
        mail.effects,
        [Effect::Email {
            step: "1".to_owned(),
            template: "recovery".to_owned(),
            sender: Some("default".to_owned()),
            topic: Some("product".to_owned()),
            expires: None,
        }]
    );
    // Saturday: the next weekday is Monday the 9th, 09:00 in Paris.
    let sent = play.wake(Wake::Settled(Settlement::Sent), t("2026-03-07T10:00:05Z"));
    assert_eq!(sent.rest, Rest::Until(t("2026-03-09T08:00:00Z")));
    let monday = play.due("2026-03-09T08:00:00Z");
    assert_eq!(codes(&monday), ["branch_taken", "queued"]);
    assert_eq!(monday.effects[0].step(), "3.when.0.0");
    let last = play.wake(Wake::Settled(Settlement::Unknown), t("2026-03-09T08:00:05Z"));
    assert_eq!(ended(&last), "completed");
    assert_eq!(play.run.position, None);
}

#[test]
fn else_is_taken_where_no_condition_holds() {
    let mut play = checkout();
    play.facts = Known::of(json!({ "plan": "pro" }));
    play.enter();
    play.due("2026-03-07T10:00:00Z");
    play.wake(Wake::Settled(Settlement::Skipped(Code::NoConsent)), t("2026-03-07T10:00:05Z"));
    let end = play.due("2026-03-09T09:00:00Z");
    assert_eq!(codes(&end), ["branch_taken", "attribute_set", "completed"]);
    let values = json!({ "recovered": false }).as_object().cloned().expect("an object");
    assert_eq!(end.effects, [Effect::SetAttributes { step: "3.else.0".to_owned(), values }]);
}

#[test]
fn an_exit_event_ends_the_run_whatever_it_waits_for_but_only_the_matching_one() {
    let other = event("checkout_completed", "2026-03-06T11:00:00Z", r#"{"order_id":8}"#);
    let this = event("checkout_completed", "2026-03-06T11:00:00Z", r#"{"order_id":7}"#);
    let mut play = checkout();
    let rest = play.enter().rest;
    let unmoved = play.wake(Wake::Event(&other), t("2026-03-06T11:00:01Z"));
    assert_eq!((unmoved.rest, unmoved.decisions), (rest, vec![]));
    let gone = play.wake(Wake::Event(&this), t("2026-03-06T11:00:01Z"));
    assert_eq!(ended(&gone), "exit_event");
    for stop in ["2026-03-07T10:00:00Z", "2026-03-07T10:01:00Z"] {
        let mut play = checkout();
        play.enter();
        play.due("2026-03-07T10:00:00Z");
        if stop > "2026-03-07T10:00:00Z" {
            play.wake(Wake::Settled(Settlement::Sent), t("2026-03-07T10:00:05Z"));
        }
        assert_eq!(ended(&play.wake(Wake::Event(&this), t(stop))), "exit_event");
    }
}

#[test]
fn exit_events_from_before_the_entry_do_not_count_and_overtaken_ones_do() {
    let mut play = Play::new(
        program("name: c\ntrigger: { event: began }\nexit_on: [ { event: bought } ]\nsteps: [ { wait: 3d } ]"),
        "2026-03-06T10:00:00Z",
    );
    let early = event("bought", "2026-03-06T09:00:00Z", "{}");
    play.enter();
    let rest = play.wake(Wake::Event(&early), t("2026-03-06T10:30:00Z")).rest;
    assert!(matches!(rest, Rest::Until(_)), "a purchase of an hour before, delivered late");
    let mut play = Play::new(play.program.clone(), "2026-03-06T10:00:00Z");
    play.past.0.push(("bought", t("2026-03-06T10:00:00Z"), json!({})));
    assert!(matches!(play.enter().rest, Rest::Until(_)), "what happened with the entry is not after it");
    let mut play = Play::new(play.program.clone(), "2026-03-06T10:00:00Z");
    play.past.0.push(("bought", t("2026-03-06T10:01:00Z"), json!({})));
    assert_eq!(ended(&play.wake(Wake::Entered, t("2026-03-06T10:02:00Z"))), "exit_event");
}

#[test]
fn waiting_for_an_event_goes_either_way() {
    let text = "[ { wait_for: { event: paid, where: [ { key: amount, operator: gt, value: 5, type: event } ], timeout: 1h }, then: [ { set_attribute: { paid: true } } ], else: [ { set_attribute: { paid: false } } ] }, { exit: done } ]";
    let small = event("paid", "2026-03-06T10:10:00Z", r#"{"amount":1}"#);
    let large = event("paid", "2026-03-06T10:20:00Z", r#"{"amount":9}"#);
    let mut play = Play::new(steps(text), "2026-03-06T10:00:00Z");
    play.enter();
    assert!(matches!(play.wake(Wake::Event(&small), t("2026-03-06T10:10:01Z")).rest, Rest::Event { .. }));
    let came = play.wake(Wake::Event(&large), t("2026-03-06T10:20:01Z"));
    assert_eq!(codes(&came), ["event_came", "attribute_set", "exited"]);
    assert_eq!(came.effects[0].step(), "0.then.0");
    let mut play = Play::new(steps(text), "2026-03-06T10:00:00Z");
    play.enter();
    let early = play.due("2026-03-06T10:59:59Z");
    assert_eq!(early.rest, Rest::Event { deadline: t("2026-03-06T11:00:00Z") }, "woken too early");
    let out = play.due("2026-03-06T11:00:00Z");
    assert_eq!(codes(&out), ["timed_out", "attribute_set", "exited"]);
    assert_eq!(out.effects[0].step(), "0.else.0");
}

#[test]
fn the_past_counts_as_far_as_it_is_asked() {
    let plain = "[ { wait_for: { event: paid, timeout: 1h } }, { exit: done } ]";
    let back = "[ { wait_for: { event: paid, timeout: 1h, look_back: 2d } }, { exit: done } ]";
    for (text, paid, now, expected) in [
        (plain, "2026-03-06T09:00:00Z", "2026-03-06T10:00:00Z", false),
        (back, "2026-03-06T09:00:00Z", "2026-03-06T10:00:00Z", true),
        (back, "2026-03-04T09:00:00Z", "2026-03-06T10:00:00Z", false),
        // The engine is ten minutes behind: what happened meanwhile is not lost.
        (plain, "2026-03-06T10:05:00Z", "2026-03-06T10:10:00Z", true),
    ] {
        let mut play = Play::new(steps(text), "2026-03-06T10:00:00Z");
        play.past.0.push(("paid", t(paid), json!({})));
        let advance = play.wake(Wake::Entered, t(now));
        assert_eq!(codes(&advance).contains(&"event_came"), expected, "{text} {paid}");
    }
    let mut play = Play::new(steps(plain), "2026-03-06T10:00:00Z");
    play.enter();
    play.past.0.push(("paid", t("2026-03-06T10:30:00Z"), json!({})));
    assert_eq!(codes(&play.due("2026-03-06T11:00:00Z")), ["event_came", "exited"], "stored, but never woke the run");
}

#[test]
fn waits_end_when_they_say() {
    let now = "2026-03-06T10:00:00Z";
    for (wait, expected) in [
        ("3d", Some("2026-03-09T10:00:00Z")),
        ("{ for: 90m }", Some("2026-03-06T11:30:00Z")),
        ("entry + 2d", Some("2026-03-08T10:00:00Z")),
        ("entry - 2d", None),
        ("{ until: 2026-03-10 09:00, zone: America/New_York }", Some("2026-03-10T13:00:00Z")),
        ("{ until: contact.renewal - 3d }", Some("2026-03-17T23:00:00Z")),
        ("{ until: trigger.due + 1h }", Some("2026-03-07T01:00:00Z")),
        ("{ until: next day 10:30 }", Some("2026-03-07T09:30:00Z")),
        ("{ for: 1h, window: { days: [mon], from: \"09:00\" } }", Some("2026-03-09T08:00:00Z")),
        ("{ window: { from: \"08:00\", to: \"20:00\" } }", None),
        ("2026-03-06", None),
    ] {
        let mut play = Play::new(steps(&format!("[ {{ wait: {wait} }} ]")), now);
        play.zone = "Europe/Paris";
        play.facts = Known::of(json!({ "renewal": "2026-03-21" }));
        play.trigger = json!({ "due": "2026-03-07T00:00:00Z" });
        let rest = play.enter().rest;
        match expected {
            Some(at) => assert_eq!(rest, Rest::Until(t(at)), "{wait}"),
            None => assert!(matches!(rest, Rest::Ended(_)), "{wait}: {rest:?}"),
        }
    }
}

#[test]
fn a_date_that_is_missing_unreadable_or_long_gone_sends_nothing() {
    for (renewal, code) in [
        (json!({}), "skipped"),
        (json!({ "renewal": "soon" }), "skipped"),
        (json!({ "renewal": "2026-03-01" }), "late"),
    ] {
        let mut play =
            Play::new(steps("[ { wait: contact.renewal }, { email: { template: t } } ]"), "2026-03-06T10:00:00Z");
        play.facts = Known::of(renewal.clone());
        let advance = play.enter();
        assert_eq!(ended(&advance), code, "{renewal}");
        assert!(advance.effects.is_empty());
    }
}

#[test]
fn what_comes_due_too_late_is_planned_anew_or_ends() {
    for (wait, now, expected) in [
        ("1h", "2026-03-07T10:59:00Z", "completed"),
        ("1h", "2026-03-07T11:01:00Z", "late"),
        ("{ for: 1h, window: { from: \"09:00\", to: \"17:00\" } }", "2026-03-09T12:00:00Z", "completed"),
    ] {
        let mut play = Play::new(steps(&format!("[ {{ wait: {wait} }} ]")), "2026-03-06T10:00:00Z");
        play.enter();
        assert_eq!(ended(&play.due(now)), expected, "{wait} {now}");
    }
    let mut play = Play::new(steps("[ { wait: { until: next weekday 09:00 } } ]"), "2026-03-06T10:00:00Z");
    play.enter();
    let again = play.due("2026-03-10T20:00:00Z");
    assert_eq!(again.rest, Rest::Until(t("2026-03-11T09:00:00Z")));
    let mut play =
        Play::new(steps("[ { wait_for: { event: paid, timeout: 1h } }, { exit: no } ]"), "2026-03-06T10:00:00Z");
    play.enter();
    assert_eq!(ended(&play.due("2026-03-08T11:00:00Z")), "late");
}

#[test]
fn a_split_is_stable_weighted_and_holds_out() {
    let program = steps(
        "[ { split: { holdout: 20, variants: [ { name: a, weight: 3, steps: [ { exit: a } ] }, { name: b, weight: 1, steps: [ { exit: b } ] } ] } } ]",
    );
    let mut counts = BTreeMap::new();
    for n in 0..4_000 {
        let mut ends = Vec::new();
        for _ in 0..2 {
            let mut play = Play::new(program.clone(), "2026-03-06T10:00:00Z");
            play.contact.id = format!("con_{n}");
            match play.enter().rest {
                Rest::Ended(ending) => ends.push(ending.reason),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(ends[0], ends[1]);
        *counts.entry(ends.remove(0)).or_insert(0) += 1;
    }
    let share = |name: &str| counts[name] as f64 / 4_000.0;
    assert!((share("a") - 0.6).abs() < 0.03, "{counts:?}");
    assert!((share("b") - 0.2).abs() < 0.03, "{counts:?}");
}

#[test]
fn effects_carry_their_particulars_and_do_not_park() {
    let mut play = Play::new(
        steps(
            "[ { webhook: { url: \"https://x/{{ contact.id }}\", headers: { a: b }, body: { n: 1 } } }, { posthog_event: { event: seen, properties: { n: 1 } } }, { enroll: { campaign: other, properties: { p: 2 } } }, { id: bye, email: { template: t, expires: 2h } } ]",
        ),
        "2026-03-06T10:00:00Z",
    );
    let advance = play.enter();
    assert_eq!(codes(&advance), ["entered", "webhook_queued", "event_queued", "enrolled_elsewhere", "queued"]);
    let object = |value: Value| value.as_object().cloned().expect("an object");
    assert_eq!(
        advance.effects[..3],
        [
            Effect::Webhook {
                step: "0".to_owned(),
                method: "POST".to_owned(),
                url: "https://x/{{ contact.id }}".to_owned(),
                headers: vec![("a".to_owned(), "b".to_owned())],
                body: Some(json!({ "n": 1 })),
            },
            Effect::Capture { step: "1".to_owned(), event: "seen".to_owned(), properties: object(json!({ "n": 1 })) },
            Effect::Enroll {
                step: "2".to_owned(),
                campaign: "other".to_owned(),
                properties: object(json!({ "p": 2 })),
            },
        ]
    );
    assert!(matches!(&advance.effects[3], Effect::Email { step, expires, .. }
        if step == "bye" && *expires == Some(t("2026-03-06T12:00:00Z"))));
}

#[test]
fn a_turn_sees_what_it_has_set_and_the_trigger_as_event() {
    let text = "[ { set_attribute: { plan: gold, old: null } }, { branch: [ { when: [ { key: plan, value: gold, type: contact }, { key: old, operator: is_not_set, type: contact }, { key: cart, operator: gt, value: 5, type: event } ], steps: [ { exit: seen } ] } ], else: [ { exit: unseen } ] } ]";
    let mut play = Play::new(steps(text), "2026-03-06T10:00:00Z");
    play.facts = Known::of(json!({ "plan": "free", "old": 1 }));
    play.trigger = json!({ "cart": 6 });
    let Rest::Ended(ending) = play.enter().rest else { panic!("it ends") };
    assert_eq!(ending.reason, "seen");
}

#[test]
fn loops_go_round_as_often_as_they_say() {
    let text = "[ { repeat: { times: 3, steps: [ { email: { template: t } }, { repeat: { times: 2, steps: [ { wait: 1h } ] } } ] } }, { exit: done } ]";
    let mut play = Play::new(steps(text), "2026-03-06T10:00:00Z");
    let (mut mails, mut waits) = (0, 0);
    let mut now = t("2026-03-06T10:00:00Z");
    let mut advance = play.enter();
    loop {
        mails += advance.effects.len();
        advance = match advance.rest {
            Rest::Message => play.wake(Wake::Settled(Settlement::Sent), now),
            Rest::Until(at) => {
                waits += 1;
                now = at;
                play.wake(Wake::Due, now)
            }
            _ => break,
        };
    }
    assert_eq!((mails, waits, ended(&advance)), (3, 6, "exited"));
}

#[test]
fn a_loop_that_never_waits_is_bounded() {
    let inner = "{ set_attribute: { n: 1 } }";
    let text =
        format!("[ {{ repeat: {{ times: 100, steps: [ {{ repeat: {{ times: 100, steps: [ {inner} ] }} }} ] }} }} ]");
    let mut play = Play::new(steps(&text), "2026-03-06T10:00:00Z");
    let advance = play.enter();
    assert_eq!(ended(&advance), "loop_bound");
    assert!(advance.effects.len() <= MOST_NODES);
}

#[test]
fn a_wake_that_does_not_fit_changes_nothing() {
    let mut play = checkout();
    let rest = play.enter().rest;
    let before = play.run.clone();
    for wake in [Wake::Entered, Wake::Settled(Settlement::Sent)] {
        let advance = play.wake(wake, t("2026-03-06T10:00:01Z"));
        assert_eq!((advance.rest, advance.decisions.len(), advance.effects.len()), (rest.clone(), 0, 0));
    }
    assert_eq!(play.run, before);
    play.run.position = Some("gone".to_owned());
    assert_eq!(ended(&play.due("2026-03-07T10:00:00Z")), "exited", "its step is no longer there");
    let after = play.due("2026-03-07T10:00:00Z");
    assert!(after.decisions.is_empty(), "it has ended already");
}

#[test]
fn a_message_stopped_by_an_exit_ends_the_run() {
    let mut play = Play::new(steps("[ { email: { template: t } }, { wait: 1d } ]"), "2026-03-06T10:00:00Z");
    play.enter();
    let end = play.wake(Wake::Settled(Settlement::Skipped(Code::ExitEvent)), t("2026-03-06T10:00:05Z"));
    assert_eq!(ended(&end), "exit_event");
}
