use serde_json::json;

use super::*;
use crate::campaign::stage::t;

fn zone(name: &str) -> TimeZone {
    named(name).expect("a zone")
}

fn clock(text: &str) -> Clock {
    Clock::parse(text).expect("a clock")
}

#[test]
fn words_for_moments_are_read_and_written_back() {
    let same = [
        "next weekday 09:00",
        "next day 17:30",
        "next mon 08:00",
        "next weekend 10:00",
        "entry",
        "entry + 2d",
        "contact.renewal_date - 3d",
        "trigger.due_at + 1h",
        "contact.address.since",
    ];
    for text in same {
        assert_eq!(Until::parse(text).expect(text).to_string(), text);
    }
    for (text, plain) in [
        ("9:00", "next day 09:00"),
        ("next Monday 9:00", "next mon 09:00"),
        ("2026-03-01", "2026-03-01 00:00:00"),
        ("2026-03-01 09:00", "2026-03-01 09:00:00"),
        ("2026-03-01T09:00:00+02:00", "2026-03-01T07:00:00.000Z"),
    ] {
        let until = Until::parse(text).expect(text);
        assert_eq!(until.to_string(), plain);
        assert_eq!(Until::parse(plain), Some(until), "{plain}");
    }
    for bad in [
        "",
        "next",
        "next week",
        "next weekday",
        "25:00",
        "9",
        "tomorrow-ish",
        "contact.",
        "entry + x",
        "entry + -2d",
        "someone.else",
        "2026-13-01",
    ] {
        assert_eq!(Until::parse(bad), None, "{bad}");
    }
}

#[test]
fn the_next_local_time_is_strictly_ahead() {
    let cases = [
        // 2 March 2026 is a Monday.
        ("2026-03-02T07:59:00Z", "weekday", "09:00", "Europe/Paris", "2026-03-02T08:00:00Z"),
        ("2026-03-02T08:00:00Z", "weekday", "09:00", "Europe/Paris", "2026-03-03T08:00:00Z"),
        ("2026-03-06T12:00:00Z", "weekday", "09:00", "Europe/Paris", "2026-03-09T08:00:00Z"),
        ("2026-03-02T12:00:00Z", "mon", "09:00", "Europe/Paris", "2026-03-09T08:00:00Z"),
        ("2026-03-02T12:00:00Z", "weekend", "09:00", "Asia/Tokyo", "2026-03-07T00:00:00Z"),
        // It is Tuesday already in Tokyo.
        ("2026-03-02T16:00:00Z", "day", "09:00", "Asia/Tokyo", "2026-03-03T00:00:00Z"),
    ];
    for (now, day, at, name, expected) in cases {
        let found = next(Day::parse(day).expect("a day"), clock(at), t(now), &zone(name));
        assert_eq!(found, t(expected), "{now} {day} {at} {name}");
    }
}

#[test]
fn a_local_time_that_does_not_exist_moves_forward_and_one_that_repeats_is_the_earlier() {
    let paris = zone("Europe/Paris");
    // The clocks go from 02:00 to 03:00 on 29 March, and from 03:00 to 02:00 on 25 October.
    let gap = next(Day::Any, clock("02:30"), t("2026-03-29T00:00:00Z"), &paris);
    assert_eq!(gap, t("2026-03-29T01:30:00Z"), "03:30 summer time");
    let fold = next(Day::Any, clock("02:30"), t("2026-10-24T22:00:00Z"), &paris);
    assert_eq!(fold, t("2026-10-25T00:30:00Z"), "the first 02:30");
    let after = next(Day::Any, clock("02:30"), fold, &paris);
    assert_eq!(after, t("2026-10-26T01:30:00Z"), "the second 02:30 is not another one");
}

#[test]
fn a_window_lets_in_now_or_its_next_opening() {
    let window = Window { days: vec![Day::Weekday], from: Some(clock("09:00")), to: Some(clock("17:00")) };
    let utc = TimeZone::UTC;
    for (at, expected) in [
        ("2026-03-02T10:15:30Z", "2026-03-02T10:15:30Z"),
        ("2026-03-02T08:00:00Z", "2026-03-02T09:00:00Z"),
        ("2026-03-02T17:00:00Z", "2026-03-03T09:00:00Z"),
        ("2026-03-06T18:00:00Z", "2026-03-09T09:00:00Z"),
        ("2026-03-08T10:00:00Z", "2026-03-09T09:00:00Z"),
    ] {
        assert_eq!(window.admit(t(at), &utc), t(expected), "{at}");
    }
    let only_monday = Window { days: vec![Day::One(Weekday::Monday)], from: None, to: Some(clock("08:00")) };
    assert_eq!(only_monday.admit(t("2026-03-02T08:00:00Z"), &utc), t("2026-03-09T00:00:00Z"));
}

#[test]
fn dates_come_as_text_or_numbers() {
    let utc = TimeZone::UTC;
    for (value, expected, timed) in [
        (json!("2026-03-01"), "2026-03-01T00:00:00", false),
        (json!("2026-03-01 09:30"), "2026-03-01T09:30:00", true),
        (json!("2026-03-01T09:30:00+01:00"), "2026-03-01T08:30:00", true),
        (json!(1_772_323_200), "2026-03-01T00:00:00", true),
        (json!(1_772_323_200_000_i64), "2026-03-01T00:00:00", true),
    ] {
        let expected: DateTime = expected.parse().expect("a moment");
        assert_eq!(read_date(&value, &utc), Some((expected, timed)), "{value}");
    }
    for bad in [json!("soon"), json!(null), json!(true), json!([]), json!(1e300), json!("")] {
        assert_eq!(read_date(&bad, &utc), None, "{bad}");
    }
}

#[test]
fn days_are_moved_by_the_calendar() {
    let paris = zone("Europe/Paris");
    let local: DateTime = "2026-03-30T09:00:00".parse().expect("a moment");
    assert_eq!(shift(local, Span::days(-3), &paris), t("2026-03-27T08:00:00Z"), "09:00 before the change too");
    assert_eq!(shift(local, Span::hours(-2), &paris), t("2026-03-30T05:00:00Z"));
    assert!(shift(local, Span::millis(i64::MAX), &paris).millis() > 0, "a span beyond the calendar is safe");
}

#[test]
fn zones_are_checked_when_read() {
    assert_eq!(Zone::parse("contact"), Some(Zone::Contact));
    assert!(Zone::parse("Europe/Paris").is_some());
    assert_eq!(Zone::parse("Europe/Atlantis"), None);
}
