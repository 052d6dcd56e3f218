use jiff::civil::{date, time};

use super::*;

fn at(text: &str) -> Time {
    Time::parse(text).expect("a time")
}

#[test]
fn the_strongest_source_with_a_zone_counts() {
    let full = ZoneSources {
        set: Some("Asia/Tokyo"),
        attribute: Some("Europe/Paris"),
        derived: Some("America/New_York"),
        default: Some("Europe/Berlin"),
    };
    for (sources, zone, source) in [
        (full, "Asia/Tokyo", "set"),
        (ZoneSources { set: Some("Mars/Olympus"), ..full }, "Europe/Paris", "attribute"),
        (ZoneSources { set: None, attribute: Some(" "), ..full }, "America/New_York", "derived"),
        (ZoneSources { set: None, attribute: None, derived: Some("GMT+25"), ..full }, "Europe/Berlin", "default"),
    ] {
        let (found, from) = zone_of(&sources);
        assert_eq!((found.iana_name(), from), (Some(zone), source));
    }
    assert_eq!(zone_of(&ZoneSources::default()), (TimeZone::UTC, "utc"));
}

#[test]
fn zones_are_known_by_name_in_any_case_and_by_offset() {
    assert_eq!(named("europe/paris").as_ref().and_then(TimeZone::iana_name), Some("Europe/Paris"));
    assert_eq!(named(" utc "), Some(TimeZone::UTC));
    let noon = at_local(date(2026, 1, 1), time(12, 0, 0, 0), &named("+05:30").expect("an offset"));
    assert_eq!(noon, at("2026-01-01T06:30:00Z"));
    for bad in ["", "Nowhere", "+25:00", "-1:00", "+05:99", "+aa:bb", "../../etc/passwd"] {
        assert_eq!(named(bad), None, "{bad}");
    }
}

#[test]
fn local_times_at_the_edges() {
    let berlin = named("Europe/Berlin").expect("a zone");
    for (day, clock, expected) in [
        (date(2026, 3, 2), time(9, 0, 0, 0), "2026-03-02T08:00:00Z"),
        // 02:30 does not exist on this day; it moves forward to 03:30.
        (date(2026, 3, 29), time(2, 30, 0, 0), "2026-03-29T01:30:00Z"),
        // 02:30 comes twice on this day; the earlier counts.
        (date(2026, 10, 25), time(2, 30, 0, 0), "2026-10-25T00:30:00Z"),
    ] {
        assert_eq!(at_local(day, clock, &berlin), at(expected));
    }
}
