//! Tables and laws of all policies.

use proptest::prelude::*;

use super::frequency_cap::{Cap, Sent, allowed, look_back};
use super::quiet_hours::QuietHours;
use super::rate_limit::{Limit, State, room, take};
use super::retry::{Kind, next};
use crate::contact::timezone::named;
use crate::{Span, Time};

fn at(text: &str) -> Time {
    Time::parse(text).expect("a time")
}

fn days(n: i64) -> Time {
    Time::from_millis(0).plus(Span::days(n))
}

fn sent(day: i64, topic: &str) -> Sent<'_> {
    Sent { at: days(day), topic }
}

fn cap(max: u32, days: i64, topic: Option<&str>) -> Cap {
    Cap { max, within: Span::days(days), topic: topic.map(str::to_owned) }
}

#[test]
fn every_ladder_ends() {
    let start = Time::from_millis(0);
    for (kind, tries, longest) in
        [(Kind::Email, 5, 24), (Kind::Webhook, 10, 24), (Kind::Capture, 12, 80), (Kind::Internal, 11, 8)]
    {
        assert_eq!(kind.tries(), tries);
        let (mut now, mut attempt) = (start, 1);
        while let Some(again) = next(attempt, now, 0.999, kind) {
            assert!(again > now);
            (now, attempt) = (again, attempt + 1);
        }
        assert_eq!(attempt, tries, "{kind:?}");
        assert!(now.since(start) <= Span::hours(longest), "{kind:?} takes {}", now.since(start));
    }
    assert_eq!(next(1, start, 0.5, Kind::Email), Some(start.plus(Span::minutes(1))));
    assert!(next(1, start, f64::NAN, Kind::Email).is_some());
    assert_eq!(next(u32::MAX, start, 0.5, Kind::Webhook), None);
}

#[test]
fn quiet_hours_end_on_the_contacts_clock() {
    let night: QuietHours = serde_json::from_str(r#"{ "from": "22:00", "to": "08:00" }"#).expect("quiet hours");
    let lunch: QuietHours = serde_json::from_str(r#"{ "from": "12:00", "to": "13:00" }"#).expect("quiet hours");
    let none: QuietHours = serde_json::from_str(r#"{ "from": "08:00", "to": "08:00" }"#).expect("quiet hours");
    for (hours, zone, now, expected) in [
        (night, "UTC", "2026-03-02T21:59:59Z", "2026-03-02T21:59:59Z"),
        (night, "UTC", "2026-03-02T22:00:00Z", "2026-03-03T08:00:00Z"),
        (night, "UTC", "2026-03-03T07:59:59Z", "2026-03-03T08:00:00Z"),
        (night, "UTC", "2026-03-03T08:00:00Z", "2026-03-03T08:00:00Z"),
        (night, "America/New_York", "2026-03-03T04:00:00Z", "2026-03-03T13:00:00Z"),
        (night, "Europe/Berlin", "2026-03-28T22:00:00Z", "2026-03-29T06:00:00Z"),
        (lunch, "UTC", "2026-03-02T12:30:00Z", "2026-03-02T13:00:00Z"),
        (lunch, "UTC", "2026-03-02T13:30:00Z", "2026-03-02T13:30:00Z"),
        (none, "UTC", "2026-03-02T08:00:00Z", "2026-03-02T08:00:00Z"),
    ] {
        let zone = named(zone).expect("a zone");
        assert_eq!(hours.next_allowed(at(now), &zone), at(expected), "{hours:?} {now}");
    }
    assert!(serde_json::from_str::<QuietHours>(r#"{ "from": "25:00", "to": "08:00" }"#).is_err());
}

#[test]
fn caps_hold_until_the_window_has_room() {
    let caps = [cap(2, 7, None), cap(1, 2, Some("news"))];
    assert_eq!(look_back(&caps), Span::days(7));
    for (topic, history, now, expected) in [
        ("news", vec![], 10, Ok(())),
        ("news", vec![sent(9, "news")], 10, Err(days(11))),
        ("product", vec![sent(9, "news")], 10, Ok(())),
        ("product", vec![sent(9, "news"), sent(8, "product")], 10, Err(days(15))),
        ("news", vec![sent(9, "news"), sent(8, "product")], 10, Err(days(15))),
        ("product", vec![sent(5, "a"), sent(9, "a"), sent(8, "a")], 10, Err(days(15))),
        ("product", vec![sent(3, "a"), sent(9, "a")], 10, Ok(())),
    ] {
        assert_eq!(allowed(&caps, topic, &history, days(now)), expected, "{topic} {history:?}");
    }
    assert!(allowed(&[cap(0, 1, None)], "news", &[], days(0)).is_err());
    assert_eq!(allowed(&[], "news", &[sent(0, "news")], days(0)), Ok(()));
}

#[test]
fn a_bucket_gives_what_it_holds_and_names_the_time() {
    let limits = [Limit { max: 2, window: Span::seconds(1) }, Limit { max: 3, window: Span::minutes(1) }];
    let start = days(1);
    let state = take(&limits, &State::default(), 2, start).expect("full at first");
    assert_eq!(take(&limits, &state, 1, start), Err(start.plus(Span::millis(500))));
    let later = start.plus(Span::seconds(1));
    let state = take(&limits, &state, 1, later).expect("one more in this minute");
    assert_eq!(room(&limits, &state, later), 0);
    let until = take(&limits, &state, 1, later).expect_err("the minute is full");
    assert!(until > later.plus(Span::seconds(15)) && until < later.plus(Span::seconds(21)));
    assert!(take(&limits, &state, 1, until).is_ok());
    assert!(take(&[Limit { max: 0, window: Span::seconds(1) }], &State::default(), 1, start).is_err());
    assert!(take(&limits, &State::default(), 50, start).is_ok(), "a wish beyond the bucket is not impossible");
}

proptest! {
    #[test]
    fn a_cap_is_never_exceeded_in_any_window(max in 1_u32..5, wishes in prop::collection::vec(0_i64..100, 1..60)) {
        let caps = [Cap { max, within: Span::hours(24), topic: None }];
        let mut now = Time::from_millis(0);
        let mut history: Vec<Sent<'_>> = Vec::new();
        for pause in wishes {
            now = now.plus(Span::minutes(pause * 10));
            match allowed(&caps, "news", &history, now) {
                Ok(()) => history.push(Sent { at: now, topic: "news" }),
                Err(until) => {
                    prop_assert!(until > now);
                    prop_assert_eq!(allowed(&caps, "news", &history, until), Ok(()));
                    prop_assert!(allowed(&caps, "news", &history, until.minus(Span::millis(1))).is_err());
                }
            }
        }
        for window in history.windows(max as usize + 1) {
            prop_assert!(window[max as usize].at.since(window[0].at) >= Span::hours(24));
        }
    }

    #[test]
    fn a_limit_holds_over_time(max in 1_u32..50, wishes in prop::collection::vec((0_i64..3_000, 1_u32..5), 1..200)) {
        let limits = [Limit { max, window: Span::seconds(1) }];
        let (mut now, mut state, mut taken) = (Time::from_millis(0), State::default(), 0_u32);
        for (pause, n) in wishes {
            now = now.plus(Span::millis(pause));
            let n = n.min(max);
            match take(&limits, &state, n, now) {
                Ok(next) => (state, taken) = (next, taken + n),
                Err(until) => {
                    prop_assert!(until > now);
                    prop_assert!(take(&limits, &state, n, until).is_ok());
                }
            }
        }
        let most = f64::from(max) * (1.0 + now.millis() as f64 / 1_000.0);
        prop_assert!(f64::from(taken) <= most + 1e-6);
    }

    #[test]
    fn quiet_hours_always_end_within_a_day(from in 0_u8..24, to in 0_u8..24, millis in 0_i64..4_000_000_000_000, which in 0_usize..4) {
        let written = format!(r#"{{ "from": "{from:02}:00", "to": "{to:02}:30" }}"#);
        let hours: QuietHours = serde_json::from_str(&written).expect("quiet hours");
        let zone = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"][which];
        let zone = named(zone).expect("a zone");
        let now = Time::from_millis(millis);
        let next = hours.next_allowed(now, &zone);
        prop_assert!(next >= now && next.since(now) <= Span::hours(25));
    }
}
