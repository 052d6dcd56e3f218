use proptest::prelude::*;

use super::*;

fn at(text: &str) -> Time {
    Time::parse(text).expect("a time")
}

fn runs(schedule: &str, after: &str, count: usize) -> Vec<String> {
    let schedule = Schedule::parse(schedule).expect("a schedule");
    let mut now = at(after);
    let mut found = Vec::new();
    for _ in 0..count {
        now = schedule.next(now).expect("a next run");
        found.push(now.to_string());
    }
    found
}

#[test]
fn the_next_runs_of_every_form() {
    for (schedule, after, expected) in [
        ("every 15m", "2026-03-02T10:07:00Z", ["2026-03-02T10:15:00.000Z", "2026-03-02T10:30:00.000Z"]),
        ("hourly", "2026-03-02T10:00:00Z", ["2026-03-02T11:00:00.000Z", "2026-03-02T12:00:00.000Z"]),
        ("daily 06:00", "2026-03-02T05:59:59.999Z", ["2026-03-02T06:00:00.000Z", "2026-03-03T06:00:00.000Z"]),
        ("daily 06:00 Europe/Paris", "2026-03-02T05:00:00Z", ["2026-03-03T05:00:00.000Z", "2026-03-04T05:00:00.000Z"]),
        (
            "weekly Mon 06:00 europe/paris",
            "2026-03-02T05:00:00Z",
            ["2026-03-09T05:00:00.000Z", "2026-03-16T05:00:00.000Z"],
        ),
        ("weekly thursday 6:30", "2026-03-02T05:00:00Z", ["2026-03-05T06:30:00.000Z", "2026-03-12T06:30:00.000Z"]),
        ("monthly 1 06:00 UTC", "2026-03-02T00:00:00Z", ["2026-04-01T06:00:00.000Z", "2026-05-01T06:00:00.000Z"]),
        ("monthly last 06:00", "2028-02-02T00:00:00Z", ["2028-02-29T06:00:00.000Z", "2028-03-31T06:00:00.000Z"]),
        ("*/20 8 * * 1-5", "2026-03-06T08:20:00Z", ["2026-03-06T08:40:00.000Z", "2026-03-09T08:00:00.000Z"]),
        ("0 9 * * * Asia/Tokyo", "2026-03-02T00:00:00Z", ["2026-03-03T00:00:00.000Z", "2026-03-04T00:00:00.000Z"]),
        ("0 0 29 2 *", "2026-03-02T00:00:00Z", ["2028-02-29T00:00:00.000Z", "2032-02-29T00:00:00.000Z"]),
        ("@daily", "2026-03-02T00:00:00Z", ["2026-03-03T00:00:00.000Z", "2026-03-04T00:00:00.000Z"]),
    ] {
        assert_eq!(runs(schedule, after, 2), expected, "{schedule}");
    }
}

#[test]
fn a_run_in_the_gap_comes_after_it_and_a_repeated_one_comes_once() {
    // Berlin went forward on 2026-03-29 at 02:00 and goes back on 2026-10-25 at 03:00.
    assert_eq!(
        runs("daily 02:30 Europe/Berlin", "2026-03-28T12:00:00Z", 2),
        ["2026-03-29T01:00:00.000Z", "2026-03-30T00:30:00.000Z"]
    );
    assert_eq!(
        runs("daily 02:30 Europe/Berlin", "2026-10-24T12:00:00Z", 2),
        ["2026-10-25T00:30:00.000Z", "2026-10-26T01:30:00.000Z"]
    );
}

#[test]
fn what_is_wrong_is_said() {
    for (schedule, part) in [
        ("", "empty"),
        ("dayly 06:00", "did you mean `daily`"),
        ("daily", "`daily 06:00 Europe/Paris`"),
        ("daily 25:00", "`25:00` is not a time of day"),
        ("daily 06:00 Europe/Pariss", "`Europe/Pariss` is not a time zone"),
        ("daily 06:00 Europe/Paris now", "`now` is one word too many"),
        ("weekly someday 06:00", "mon, tue"),
        ("monthly 31 06:00", "`last`"),
        ("monthly 0 06:00", "1 to 28"),
        ("every 5s", "between 1m"),
        ("every soon", "not a length of time"),
        ("*/0 * * * *", "not a cron line"),
        ("0 0 31 2 *", "never comes"),
        ("0 0 * *", "five fields"),
        ("0 0 0 * * *", "not a time zone"),
        ("61 * * * *", "not a cron line"),
        ("sometimes", "cron line"),
    ] {
        let error = Schedule::parse(schedule).expect_err(schedule);
        assert!(error.contains(part), "{schedule}: {error}");
    }
}

#[test]
fn the_default_zone_counts_only_where_none_is_named() {
    let paris = named("Europe/Paris").expect("a zone");
    let plain = Schedule::parse("daily 06:00").expect("a schedule").in_zone(&paris);
    let own = Schedule::parse("daily 06:00 UTC").expect("a schedule").in_zone(&paris);
    let noon = at("2026-03-02T12:00:00Z");
    assert_eq!(plain.next(noon), Some(at("2026-03-03T05:00:00Z")));
    assert_eq!(own.next(noon), Some(at("2026-03-03T06:00:00Z")));
}

#[test]
fn a_schedule_is_written_as_it_was_read() {
    let schedule: Schedule = serde_json::from_str(r#""  daily   06:00 Europe/Paris ""#).expect("a schedule");
    assert_eq!(serde_json::to_string(&schedule).expect("text"), r#""daily 06:00 Europe/Paris""#);
}

proptest! {
    #[test]
    fn the_next_run_is_later_and_nothing_lies_between(
        millis in 0_i64..4_000_000_000_000,
        which in 0_usize..6,
    ) {
        let text = ["every 7m", "hourly", "daily 02:30 Europe/Berlin", "weekly sun 02:30 America/New_York",
            "monthly last 23:59 Pacific/Auckland", "*/10 1-3 * * * Europe/Berlin"][which];
        let schedule = Schedule::parse(text).expect("a schedule");
        let after = Time::from_millis(millis);
        let next = schedule.next(after).expect("a next run");
        prop_assert!(next > after);
        // Asked again from any moment before it, the answer is the same run.
        let between = Time::from_millis(next.millis() - 1);
        prop_assert_eq!(schedule.next(between), Some(next));
        if let Rule::Cron(_) = &schedule.rule {
            prop_assert_eq!(next.millis() % 60_000, 0);
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,40}", fields in "[0-9*/,L#WA-Za-z@ -]{0,30}") {
        let _ = Schedule::parse(&text);
        let _ = Schedule::parse(&fields);
    }
}
