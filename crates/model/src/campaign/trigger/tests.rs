use serde_json::json;

use super::*;
use crate::campaign::stage::{Known, campaign, event, program, t};
use crate::campaign::{Entry, EntryRule, Program};

fn triggered(trigger: &str, more: &str) -> Program {
    program(&format!("name: c\ntrigger: {trigger}\n{more}\nsteps: [ {{ exit: x }} ]"))
}

fn word(matched: &Matched) -> &'static str {
    match matched {
        Matched::NotNamed => "not named",
        Matched::Refused(decision) => decision.code.as_str(),
        Matched::Hit => "hit",
        Matched::Cancels => "cancels",
    }
}

fn refused(admission: &Admission) -> &'static str {
    match admission {
        Admission::Refuse(decision) => decision.code.as_str(),
        Admission::Enter => "enter",
        Admission::Watch { .. } => "watch",
    }
}

const NOW: &str = "2026-03-06T10:00:00Z";

#[test]
fn an_event_is_a_hit_a_miss_or_no_concern() {
    let plain = "{ event: paid, where: [ { key: amount, operator: gt, value: 50, type: event }, { key: plan, value: pro, type: contact } ] }";
    let nth = "{ nth: { event: paid, where: [ { key: amount, operator: gt, value: 50, type: event } ], count: 3, within: 7d } }";
    let without = "{ without: { event: began, then_not: paid, within: 1h } }";
    let facts = Known::of(json!({ "plan": "pro" }));
    let free = Known::of(json!({ "plan": "free" }));
    for (trigger, name, properties, facts, expected) in [
        (plain, "paid", r#"{"amount":51}"#, &facts, "hit"),
        (plain, "paid", r#"{"amount":"51"}"#, &facts, "hit"),
        (plain, "paid", r#"{"amount":12}"#, &facts, "condition_false"),
        (plain, "paid", "{}", &facts, "condition_false"),
        (plain, "paid", r#"{"amount":51}"#, &free, "condition_false"),
        (plain, "Paid", r#"{"amount":51}"#, &facts, "not named"),
        (nth, "paid", r#"{"amount":51}"#, &facts, "hit"),
        (nth, "paid", r#"{"amount":1}"#, &facts, "condition_false"),
        (without, "began", "{}", &facts, "hit"),
        (without, "paid", "{}", &facts, "cancels"),
        (without, "other", "{}", &facts, "not named"),
        ("{ inactive: { for: 3d } }", "paid", "{}", &facts, "not named"),
        ("{ api: true }", "paid", "{}", &facts, "not named"),
    ] {
        let program = triggered(trigger, "");
        let came = event(name, NOW, properties);
        let matched = matches(&program, &came, facts, t(NOW));
        assert_eq!(word(&matched), expected, "{trigger} {name} {properties}");
        assert_eq!(program.named_by_trigger(name), expected != "not named");
    }
}

#[test]
fn a_refusal_says_which_condition_failed_and_on_what() {
    let program = triggered("{ event: paid, where: [ { key: amount, operator: gt, value: 50, type: event } ] }", "");
    let came = event("paid", NOW, r#"{"amount":12}"#);
    let Matched::Refused(decision) = matches(&program, &came, &Known::default(), t(NOW)) else {
        panic!("it is refused");
    };
    assert_eq!(
        crate::explain::sentence(&decision, t(NOW), "c"),
        "Did not start: the condition amount > 50 was false (it was 12)."
    );
    assert_eq!(decision.detail["event"], json!("paid"));
}

#[test]
fn entry_rules_are_explicit() {
    let ago = |text: &str| vec![t(text)];
    let never = Vec::new;
    for (entry, entries, live, expected) in [
        ("", never(), false, "enter"),
        ("", ago("2020-01-01T00:00:00Z"), false, "entry_rule"),
        ("entry: once", ago("2020-01-01T00:00:00Z"), false, "entry_rule"),
        ("entry: once", never(), true, "already_in"),
        ("entry: { once_per: 7d }", ago("2026-02-27T10:00:00.001Z"), false, "entry_rule"),
        ("entry: { once_per: 7d }", ago("2026-02-27T10:00:00Z"), false, "enter"),
        ("entry: { once_per: 7d }", ago("2026-02-01T00:00:00Z"), true, "already_in"),
        ("entry: every", ago(NOW), false, "enter"),
        ("entry: every", ago(NOW), true, "already_in"),
        ("entry: { every: true }", ago(NOW), true, "already_in"),
        ("entry: { every: true, concurrent: true }", ago(NOW), true, "enter"),
    ] {
        let program = triggered("{ event: paid }", entry);
        let history = History { entries, live, hits: vec![] };
        assert_eq!(refused(&admit(&program, t(NOW), t(NOW), &history)), expected, "{entry}");
    }
}

#[test]
fn an_old_event_starts_nothing() {
    for (entry, at, expected) in [
        ("", "2026-03-05T10:00:00Z", "enter"),
        ("", "2026-03-05T09:59:59Z", "too_old"),
        ("entry: { every: true, max_age: 1h }", "2026-03-06T08:59:00Z", "too_old"),
        ("entry: { every: true, max_age: 30d }", "2026-02-20T00:00:00Z", "enter"),
        // A client's clock is ahead.
        ("", "2026-03-06T10:04:00Z", "enter"),
    ] {
        let program = triggered("{ event: paid }", entry);
        assert_eq!(refused(&admit(&program, t(at), t(NOW), &History::default())), expected, "{entry} {at}");
    }
}

#[test]
fn the_nth_fires_when_the_count_is_reached_and_once_for_it() {
    let program = triggered("{ nth: { event: paid, count: 3, within: 7d } }", "entry: every");
    assert_eq!(hit_window(&program), Some(Span::days(7)));
    let all = ["2026-03-01T00:00:00Z", "2026-03-03T00:00:00Z", "2026-03-05T00:00:00Z", "2026-03-06T00:00:00Z"];
    let hits: Vec<_> = all.map(t).into();
    for (n, expected) in ["count_not_reached", "count_not_reached", "enter", "count_not_reached"].iter().enumerate() {
        let history = History { hits: hits[..=n].to_vec(), ..History::default() };
        assert_eq!(refused(&admit(&program, hits[n], hits[n], &history)), *expected, "hit {n}");
    }
    // The window slides: the 1st, 3rd and 5th have gone by the 12th.
    let later = t("2026-03-12T12:00:00Z");
    let mut sliding = hits.clone();
    sliding.extend([t("2026-03-12T00:00:00Z"), later]);
    let history = History { hits: sliding, ..History::default() };
    assert_eq!(refused(&admit(&program, later, later, &history)), "enter");
    // An older one that arrives late counts at its own time.
    let late = t("2026-03-04T00:00:00Z");
    let history = History { hits: vec![hits[0], hits[1], late, hits[2]], ..History::default() };
    assert_eq!(refused(&admit(&program, late, late, &history)), "enter");
}

#[test]
fn without_watches_and_then_confirms() {
    let program =
        triggered("{ without: { event: began, then_not: paid, match: { order: trigger.order }, within: 2h } }", "");
    let admission = admit(&program, t(NOW), t(NOW), &History::default());
    let until = t("2026-03-06T12:00:00Z");
    assert_eq!(admission, Admission::Watch { until });
    assert_eq!(watch_span(&program), Some(Span::hours(2)));
    assert_eq!(match_keys(&program).len(), 1);
    let trigger = json!({ "order": 7 });
    assert!(cancels(&program, &event("paid", NOW, r#"{"order":"7"}"#), &trigger));
    assert!(!cancels(&program, &event("paid", NOW, r#"{"order":8}"#), &trigger));
    assert!(!cancels(&program, &event("began", NOW, r#"{"order":7}"#), &trigger));
    assert_eq!(refused(&confirm(&program, until, until, &History::default())), "enter");
    let entered = History { entries: vec![t(NOW)], ..History::default() };
    assert_eq!(refused(&confirm(&program, until, until, &entered)), "entry_rule");
    let down = t("2026-03-07T12:00:01Z");
    assert_eq!(refused(&confirm(&program, until, down, &History::default())), "late");
}

#[test]
fn dates_are_due_before_at_and_every_year() {
    let paris = crate::contact::timezone::named("Europe/Paris").expect("a zone");
    for (trigger, value, now, expected) in [
        ("{ attribute: d, offset: -3d, at: \"09:00\" }", json!("2026-03-20"), NOW, Some("2026-03-17T08:00:00Z")),
        // Three days before the clocks change: still 09:00 by the wall.
        ("{ attribute: d, offset: 3d, at: \"09:00\" }", json!("2026-03-28"), NOW, Some("2026-03-31T07:00:00Z")),
        ("{ attribute: d }", json!("2026-03-20"), NOW, Some("2026-03-20T08:00:00Z")),
        ("{ attribute: d }", json!("2026-03-20T15:30:00Z"), NOW, Some("2026-03-20T15:30:00Z")),
        ("{ attribute: d, at: \"09:00\", zone: Asia/Tokyo }", json!("2026-03-20"), NOW, Some("2026-03-20T00:00:00Z")),
        ("{ attribute: d }", json!("2026-03-01"), NOW, None),
        ("{ attribute: d }", json!("soon"), NOW, None),
        ("{ attribute: d, yearly: true }", json!("1990-03-20"), NOW, Some("2026-03-20T08:00:00Z")),
        ("{ attribute: d, yearly: true }", json!("1990-01-05"), NOW, Some("2027-01-05T08:00:00Z")),
        (
            "{ attribute: d, yearly: true, offset: -7d }",
            json!("1990-01-05"),
            "2026-12-20T00:00:00Z",
            Some("2026-12-29T08:00:00Z"),
        ),
        ("{ attribute: d, yearly: true }", json!("2000-02-29"), "2026-02-01T00:00:00Z", Some("2026-02-28T08:00:00Z")),
        ("{ attribute: d, yearly: true }", json!("2000-02-29"), "2028-02-28T12:00:00Z", Some("2028-02-29T08:00:00Z")),
    ] {
        let program = triggered(&format!("{{ date: {trigger} }}"), "");
        assert_eq!(date_due(&program, &value, &paris, t(now)), expected.map(t), "{trigger} {value}");
    }
    assert_eq!(date_due(&triggered("{ api: true }", ""), &json!("2026-03-20"), &paris, t(NOW)), None);
}

#[test]
fn inactivity_and_schedules_are_due() {
    let inactive = triggered("{ inactive: { event: any, for: 14d } }", "");
    assert_eq!(inactive_due(&inactive, t(NOW)), Some(t("2026-03-20T10:00:00Z")));
    assert_eq!(inactive_due(&triggered("{ api: true }", ""), t(NOW)), None);
    let weekly = triggered(
        "{ schedule: { cron: \"0 9 * * mon\", zone: Europe/Paris, audience: [ { key: plan, value: free, type: contact } ] } }",
        "",
    );
    assert_eq!(schedule_next(&weekly, t(NOW)), Some(t("2026-03-09T08:00:00Z")));
    assert_eq!(schedule_next(&weekly, t("2026-03-23T08:00:00Z")), Some(t("2026-03-30T07:00:00Z")), "summer time");
}

#[test]
fn what_is_not_said_depends_on_the_trigger() {
    for (trigger, rule) in [
        ("{ event: paid }", EntryRule::Once),
        ("{ date: { attribute: d } }", EntryRule::Once),
        ("{ date: { attribute: d, yearly: true } }", EntryRule::Every),
        ("{ api: true }", EntryRule::Every),
        ("{ schedule: { cron: \"0 9 * * *\", audience: [] } }", EntryRule::Every),
    ] {
        assert_eq!(triggered(trigger, "").entry, Entry::new(rule), "{trigger}");
    }
}

#[test]
fn triggers_and_entries_that_say_nothing_or_too_much_are_refused() {
    for (text, message) in [
        ("trigger: {}", "a trigger is one of event"),
        ("trigger: { event: a, api: true }", "one trigger, and here are `event` and `api`"),
        ("trigger: { where: [] }", "`where` needs an `event`"),
        ("trigger: { entered: { segment: a, list: b } }", "`entered` names one of"),
        ("trigger: { left: {} }", "`left` names one of"),
        ("trigger: { api: false }", "`api` is `true`"),
        ("trigger: { event: a }\nentry: sometimes", "“sometimes”"),
        ("trigger: { event: a }\nentry: { once: true, every: true }", "not several"),
        ("trigger: { event: a }\nentry: { once_per: 7d, concurrent: true }", "`concurrent` goes with"),
        ("trigger: { date: { attribute: d, at: noon } }", "`noon` is not a time of day"),
        ("trigger: { date: { attribute: d, zone: Mars/Base } }", "`Mars/Base` is not"),
    ] {
        let problems = crate::campaign::read(&format!("name: c\n{text}\nsteps: []")).expect_err(text).0;
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].message.contains(message), "{text}: {}", problems[0].message);
        assert!(problems[0].place.is_some_and(|place| place.line >= 2), "{text}");
    }
}

#[test]
fn every_trigger_is_written_back_as_it_was() {
    for trigger in [
        "{ event: paid, where: [ { key: a, value: 1 } ] }",
        "{ nth: { event: paid, count: 3, within: 30d } }",
        "{ without: { event: a, then_not: b, match: { x: trigger.x }, within: 1d } }",
        "{ inactive: { event: any, for: 14d } }",
        "{ entered: { cohort: Trials, include_existing: true } }",
        "{ left: { flag: beta } }",
        "{ date: { attribute: d, offset: -3d, at: \"09:00\", zone: contact, yearly: true, audience: vips } }",
        "{ schedule: { cron: \"0 9 * * *\", audience: [ { key: plan, value: free, type: contact } ] } }",
        "{ api: true }",
    ] {
        let text = format!("name: c\ntrigger: {trigger}\nsteps: []");
        let first = campaign(&text);
        let again = campaign(&serde_json::to_string(&first).expect("it can be written"));
        assert_eq!(again, first, "{trigger}");
    }
}
