use super::*;
use serde_json::json;

fn at(text: &str) -> Time {
    Time::parse(text).expect("a time")
}

fn say(code: Code, detail: Value) -> String {
    sentence(&Decision::new(code, detail), at("2026-03-02T09:15:00Z"), "Checkout recovery")
}

#[test]
fn reasons_not_to_start_name_the_particulars() {
    let cases = [
        (
            Code::ConditionFalse,
            json!({ "failed": { "key": "cart_value", "operator": "gt", "value": 50, "was": 12 } }),
            "Did not start: the condition cart_value > 50 was false (it was 12).",
        ),
        (
            Code::ConditionFalse,
            json!({ "failed": { "key": "plan", "operator": "exact", "value": ["free", "trial"], "was": null } }),
            "Did not start: the condition plan = free or trial was false (it was not set).",
        ),
        (
            Code::TooOld,
            json!({ "age": "2d", "max_age": "1h" }),
            "Did not start: the event was too old (2d), and at most 1h is allowed.",
        ),
        (
            Code::CountNotReached,
            json!({ "count": 2, "needed": 3, "within": "30d" }),
            "Did not start: the event had come 2 times within 30d, and exactly 3 are needed.",
        ),
        (
            Code::EntryRule,
            json!({ "rule": "once_per", "per": "7d", "last_entry": "2026-03-01T08:00:00Z", "again_after": "2026-03-08T08:00:00Z" }),
            "Did not start: the contact enters Checkout recovery at most once per 7d and has entered already (on 1 Mar 2026 08:00 UTC), again from 8 Mar 2026 08:00 UTC.",
        ),
        (Code::AlreadyIn, json!({ "since": null }), "Did not start: already in Checkout recovery."),
    ];
    for (code, detail, expected) in cases {
        assert_eq!(say(code, detail), expected);
    }
}

#[test]
fn every_code_has_a_sentence_with_and_without_particulars() {
    for code in Code::ALL {
        let bare = say(*code, Value::Null);
        assert!(bare.ends_with('.'), "{bare}");
        assert!(!bare.contains("  ") && !bare.contains('_'), "{bare}");
        assert!(bare.chars().next().is_some_and(char::is_uppercase), "{bare}");
        let odd = say(*code, json!({ "reason": 7, "event": ["x"], "until": "soon", "failed": 3 }));
        assert!(!odd.is_empty());
    }
}

#[test]
fn the_verdict_answers_whether_a_message_was_got() {
    let t = at("2026-03-02T09:15:00Z");
    let d = |code| (t, Decision::new(code, Value::Null));
    assert_eq!(
        verdict(&[d(Code::Entered), d(Code::Queued), d(Code::Sent), d(Code::Completed)]),
        "Got one message, on 2 Mar 2026 09:15 UTC."
    );
    assert_eq!(
        verdict(&[d(Code::Entered), d(Code::Queued), d(Code::NoConsent), d(Code::Completed)]),
        "No message so far. Did not send the email: the contact has not agreed to emails."
    );
    assert_eq!(verdict(&[d(Code::Entered)]), "No message so far. Entered the campaign.");
    assert!(verdict(&[]).starts_with("Nothing was decided"));
}
