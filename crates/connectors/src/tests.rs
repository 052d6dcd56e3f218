//! Bad input of every kind at the door and behind it, for all shapes alike.

use hogwire_model::Time;

use crate::{Shape, all, check, detect, detect_segment, read, read_closely, split_batch, with_key};

const NOW: Time = Time::from_millis(1_772_442_927_123);

fn code(shape: Shape, bytes: &[u8]) -> &'static str {
    let at_the_door = check(shape, bytes);
    let behind = read(shape, bytes, NOW).map(|_| ());
    assert_eq!(at_the_door, behind, "what passes the door can be read, and nothing else");
    at_the_door.map_or_else(|refusal| refusal.code, |()| "")
}

#[test]
fn what_is_no_event_is_refused_with_its_reason() {
    let deep_object = format!("{}1{}", r#"{"event":"#.repeat(10_000), "}".repeat(10_000));
    let deep_list = format!(r#"{{"event":"e","properties":{{"a":{}{}}}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    for (bytes, expected) in [
        (&b""[..], "not_json"),
        (b"{", "not_json"),
        (b"{\"event\":\"e\"} trailing", "not_json"),
        (b"{\"event\":\"e\",}", "not_json"),
        (b"{\"event\":\"\xff\xfe\"}", "not_json"),
        (b"{\"event\":\"a\0b\"}", "not_json"),
        (b"\x1f\x8b\x08\x00", "not_json"),
        (b"[]", "not_an_object"),
        (b"null", "not_an_object"),
        (b"\"event\"", "not_an_object"),
        (b"5", "not_an_object"),
        (b"{}", "no_event_name"),
        (b"{\"event\":null}", "no_event_name"),
        (b"{\"event\":\"  \"}", "no_event_name"),
        (b"{\"event\":5}", "wrong_type"),
        (b"{\"event\":[\"e\"]}", "wrong_type"),
        (b"{\"event\":true}", "wrong_type"),
        (deep_object.as_bytes(), "too_deep"),
        (deep_list.as_bytes(), "too_deep"),
    ] {
        for shape in [Shape::PosthogWebhook, Shape::Capture, Shape::Event, Shape::SegmentTrack] {
            let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned();
            assert_eq!(code(shape, bytes), expected, "{shape} {shown}");
        }
    }
    assert_eq!(code(Shape::PosthogWebhook, br#"{"event":{}}"#), "no_event_name");
    assert_eq!(code(Shape::Capture, br#"{"event":"{\"event\":\"e\"}"}"#), "wrong_type");
}

#[test]
fn large_but_plain_bodies_are_read() {
    let many: Vec<String> = (0..100_000).map(|n| format!("\"p{n}\":{n}")).collect();
    let body = format!(r#"{{"event":"e","distinct_id":"u","properties":{{{}}}}}"#, many.join(","));
    let event = read(Shape::Capture, body.as_bytes(), NOW).expect("an event");
    assert_eq!(event.properties.0.len(), 100_000);
    assert_eq!(event.properties.get("p99999").map(|raw| raw.get()), Some("99999"));

    let nested = format!(r#"{{"event":"e","properties":{{"a":{}1{}}}}}"#, "[".repeat(90), "]".repeat(90));
    assert_eq!(code(Shape::Capture, nested.as_bytes()), "");
    let event = read(Shape::Capture, nested.as_bytes(), NOW).expect("an event");
    assert!(event.properties.value("a").is_some(), "what passes can be parsed");
}

#[test]
fn nul_and_half_an_emoji_do_not_travel_on() {
    let body = br#"{"event":"sign\u0000up","distinct_id":"u\u00001","properties":{"mood \ud83d":"ok"}}"#;
    let event = read(Shape::Capture, body, NOW).expect("an event");
    assert_eq!((&*event.name, &*event.keys[0].1), ("signup", "u1"));
    assert!(event.properties.0[0].0.starts_with("mood \u{fffd}"));
    assert_eq!(code(Shape::Capture, br#"{"event":"\u0000"}"#), "no_event_name");
}

#[test]
fn brackets_inside_texts_are_no_depth() {
    let body = format!(r#"{{"event":"e","properties":{{"a":"{}\"{}"}}}}"#, "[".repeat(500), "{".repeat(500));
    assert_eq!(code(Shape::Capture, body.as_bytes()), "");
}

#[test]
fn batches_are_cut_into_their_records() {
    let cut = |body: &'static str| {
        split_batch(body.as_bytes())
            .map(|records| records.iter().map(|r| String::from_utf8_lossy(r).into_owned()).collect::<Vec<_>>())
    };
    let two = cut(r#"{"api_key":"x","batch":[ {"event":"a"} , 5 ]}"#).expect("a batch");
    assert_eq!(two, [r#"{"event":"a"}"#, "5"], "a bad record costs no other");
    assert_eq!(cut(r#" [{"event":"a"}]"#).expect("a list").len(), 1);
    assert_eq!(cut(r#"{"batch":[]}"#).expect("an empty batch").len(), 0);
    let refused = |body| cut(body).map_or_else(|refusal| refusal.code, |_| "");
    assert_eq!(refused(r#"{"event":"a"}"#), "no_batch");
    assert_eq!(refused(r#"{"batch":{"event":"a"}}"#), "wrong_type");
    assert_eq!(refused("[1"), "not_json");
    let many = format!("[{}1]", "1,".repeat(100_000));
    assert_eq!(split_batch(many.as_bytes()).map_err(|refusal| refusal.code), Err("too_many"));
}

#[test]
fn a_key_from_outside_counts_where_the_body_has_none() {
    let uuid = |shape, body: &str| {
        let keyed = with_key(shape, body.as_bytes(), "k \"1\"");
        read(shape, &keyed, NOW).expect("an event").uuid.into_owned()
    };
    assert_eq!(uuid(Shape::Event, r#" {"event":"e"}"#), "k \"1\"");
    assert_eq!(uuid(Shape::Event, r#"{"event":"e","uuid":"mine"}"#), "mine");
    assert_eq!(uuid(Shape::SegmentIdentify, r#"{"userId":"u"}"#), "k \"1\"");
    assert_eq!(uuid(Shape::SegmentTrack, r#"{"event":"e","messageId":"m"}"#), "m");
    for body in ["", "{}", "[1]", "{"] {
        let keyed = with_key(Shape::Event, body.as_bytes(), "k");
        assert!(check(Shape::Event, &keyed).is_err(), "{body}");
    }
}

#[test]
fn an_address_at_the_top_counts_unless_an_attribute_says_otherwise() {
    let email = |body: &str| {
        let event = read(detect(body.as_bytes()), body.as_bytes(), NOW).expect("an event");
        event.set.text("email").map(|text| text.into_owned())
    };
    let ana = Some("ana@example.com".to_owned());
    assert_eq!(email(r#"{"event":"e","email":"ana@example.com"}"#), ana);
    assert_eq!(email(r#"{"event":{"event":"e"},"email":"ana@example.com"}"#), ana);
    assert_eq!(email(r#"{"event":"e","email":"bo@example.com","$set":{"email":"ana@example.com"}}"#), ana);
    assert_eq!(email(r#"{"event":"e","email":null}"#), None);
}

#[test]
fn shapes_keep_their_names() {
    for shape in Shape::ALL {
        assert_eq!(Shape::parse(shape.as_str()), Some(shape));
    }
    assert_eq!(Shape::parse("posthog"), None);
    assert_eq!(detect_segment(br#"{"type":"group"}"#), Ok(Shape::SegmentGroup));
    assert_eq!(detect_segment(br#"{"type":"page"}"#).map_err(|r| r.code), Err("unknown_type"));
    assert_eq!(detect(b"not json"), Shape::Capture);
}

#[test]
fn the_registry_is_sorted() {
    let names: Vec<&str> = all().iter().map(|manifest| manifest.name).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(names, sorted);
    assert!(all().iter().all(|manifest| manifest.source || manifest.destination));
}

#[test]
fn segment_calls() {
    let shown = |shape, body: &str| {
        check(shape, body.as_bytes()).expect("passes the door");
        let reading = read_closely(shape, body.as_bytes(), NOW).expect("an event");
        crate::posthog::shown(&reading)
    };
    insta::assert_snapshot!("segment_track", shown(Shape::SegmentTrack, include_str!("segment/track.json")));
    insta::assert_snapshot!("segment_identify", shown(Shape::SegmentIdentify, include_str!("segment/identify.json")));
    insta::assert_snapshot!("segment_group", shown(Shape::SegmentGroup, include_str!("segment/group.json")));
    let bad =
        read_closely(Shape::SegmentIdentify, br#"{"userId":"u","traits":[1],"context":"x"}"#, NOW).expect("an event");
    assert_eq!(bad.ignored.len(), 2);
}
