//! Ten thousand bad inputs of any kind (SPEC I3): each gets a clear 4xx, or is taken because
//! it is an event after all. None gets a 5xx, and the server takes good ones afterwards.

use std::io::Write as _;

use axum::body::Body;
use axum::http::StatusCode;

use crate::world::{SECRET, World, post};

const GOOD: &str = r#"{"event":"fine","distinct_id":"u","uuid":"good-1"}"#;

async fn packed(world: &World, encoding: &str, body: Vec<u8>) -> crate::world::Answer {
    let request = post("/v1/webhooks/posthog")
        .header("x-posthog-webhook-secret", SECRET)
        .header("content-encoding", encoding)
        .body(Body::from(body));
    world.ask(request.expect("ok")).await
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// One uncompressed block and an empty last one (RFC 7932 §9.2).
fn brotli(bytes: &[u8]) -> Vec<u8> {
    let header = ((bytes.len() - 1) << 4) | (1 << 20);
    let mut stream = header.to_le_bytes()[..3].to_vec();
    stream.extend_from_slice(bytes);
    stream.push(3);
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_no_events_get_400_with_a_code() {
    let world = World::new().await;
    let deep = format!("{{\"event\":\"x\",\"properties\":{}1{}}}", "[".repeat(5_000), "]".repeat(5_000));
    let cases: [(&[u8], &str); 12] = [
        (b"", "not_json"),
        (b"hello", "not_json"),
        (b"{\"event\":", "not_json"),
        (b"{\"event\":\"x\"} trailing", "not_json"),
        (b"[1,2,3]", "not_an_object"),
        (b"\"text\"", "not_an_object"),
        (b"{}", "no_event_name"),
        (b"{\"event\":null}", "no_event_name"),
        (b"{\"event\":7}", "no_event_name"),
        (b"{\"event\":\"\xff\xfe\"}", "not_json"),
        (b"\x00\x00\x00", "not_json"),
        (deep.as_bytes(), "too_deep"),
    ];
    for (body, code) in cases {
        let answer = world.webhook(body.to_vec()).await;
        let shown = String::from_utf8_lossy(&body[..body.len().min(40)]);
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{shown}");
        assert!(
            answer.code() == code || (code == "no_event_name" && answer.code() == "wrong_type"),
            "{shown}: {}",
            answer.code()
        );
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }
    assert_eq!(world.webhook(GOOD).await.status, StatusCode::ACCEPTED);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_large_is_413_packed_or_not() {
    let world = World::new().await;
    let large = format!("{{\"event\":\"x\",\"properties\":{{\"a\":\"{}\"}}}}", "a".repeat(10 << 20));
    assert_eq!(world.webhook(large.clone()).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(packed(&world, "gzip", gzip(large.as_bytes())).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    let bomb = gzip(&vec![0; 64 << 20]);
    assert!(bomb.len() < 100_000);
    assert_eq!(packed(&world, "gzip", bomb).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    let zstd = zstd::bulk::compress(&vec![b' '; 64 << 20], 3).expect("memory");
    assert_eq!(packed(&world, "zstd", zstd).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    let batch = format!("{{\"batch\":[{{\"event\":\"x\",\"a\":\"{}\"}}]}}", "a".repeat(21 << 20));
    assert_eq!(world.ingest("/v1/events", batch).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    let single = format!("{{\"event\":\"x\",\"a\":\"{}\"}}", "a".repeat(5 << 20));
    assert_eq!(world.ingest("/v1/events", single).await.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test(flavor = "multi_thread")]
async fn packed_bodies_are_unpacked_and_broken_ones_get_400() {
    let world = World::new().await;
    assert_eq!(packed(&world, "gzip", gzip(GOOD.as_bytes())).await.status, StatusCode::ACCEPTED);
    let zstd = zstd::bulk::compress(GOOD.as_bytes(), 3).expect("memory");
    assert_eq!(packed(&world, "zstd", zstd.clone()).await.status, StatusCode::ACCEPTED);
    assert_eq!(packed(&world, "br", brotli(GOOD.as_bytes())).await.status, StatusCode::ACCEPTED);
    let whole = gzip(GOOD.as_bytes());
    let cases: [(&str, Vec<u8>); 8] = [
        ("gzip", GOOD.as_bytes().to_vec()),
        ("gzip", whole[..whole.len() - 6].to_vec()),
        ("gzip", [&whole[..], b"trailing"].concat()),
        ("gzip", Vec::new()),
        ("br", GOOD.as_bytes().to_vec()),
        ("br", brotli(GOOD.as_bytes())[..20].to_vec()),
        ("zstd", zstd[..zstd.len() - 3].to_vec()),
        ("lz4", GOOD.as_bytes().to_vec()),
    ];
    for (place, (encoding, body)) in cases.into_iter().enumerate() {
        let answer = packed(&world, encoding, body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "case {place}: {:?}", answer.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_events_are_taken_and_decided() {
    let world = World::new().await;
    let many: Vec<String> = (0..100_000).map(|n| format!("\"p{n}\":{n}")).collect();
    let bodies = [
        format!("{{\"event\":\"many\",\"distinct_id\":\"u\",\"properties\":{{{}}}}}", many.join(",")),
        r#"{"event":"nul","distinct_id":"a\u0000b","properties":{"k\u0000":"v\u0000"}}"#.to_owned(),
        r#"{"event":"late","distinct_id":"u","timestamp":"99999-99-99T99:99:99Z"}"#.to_owned(),
        r#"{"event":"early","distinct_id":"u","timestamp":-9223372036854775808}"#.to_owned(),
        r#"{"event":"huge","distinct_id":"u","timestamp":1e308,"properties":{"n":1e400}}"#.to_owned(),
        r#"{"event":"shapes","distinct_id":["a"],"properties":7,"$set":"x","uuid":{}}"#.to_owned(),
        r#"{"event":"surrogate \ud800","distinct_id":"u"}"#.to_owned(),
        format!("{{\"event\":\"{}\",\"distinct_id\":\"u\"}}", "n".repeat(100_000)),
        r#"{"event":"twice","event":"again","distinct_id":"u"}"#.to_owned(),
    ];
    let mut taken = 0;
    for body in bodies {
        let shown: String = body.chars().take(40).collect();
        let answer = world.webhook(body).await;
        assert!(!answer.status.is_server_error(), "{shown}: {:?}", answer.body);
        taken += usize::from(answer.status == StatusCode::ACCEPTED);
    }
    assert!(taken >= 6, "{taken}");
    assert_eq!(world.webhook(GOOD).await.status, StatusCode::ACCEPTED);
    let events = world.events(taken + 1).await;
    let aside = world.app.engine.set_aside(50).expect("read");
    assert_eq!(events.len() + aside.len(), taken + 1, "each is decided or listed: {aside:?}");
    assert!(events.iter().any(|event| event.event == "fine"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_event_a_thousand_times_at_once_is_one_event() {
    let world = std::sync::Arc::new(World::new().await);
    let mut flights = tokio::task::JoinSet::new();
    for _ in 0..1_000 {
        let world = world.clone();
        flights.spawn(async move { world.webhook(GOOD).await });
    }
    let mut duplicates = 0;
    while let Some(answer) = flights.join_next().await {
        let answer = answer.expect("no panic");
        assert_eq!(answer.status, StatusCode::ACCEPTED);
        duplicates += answer.json()["duplicates"].as_u64().expect("a number");
    }
    assert_eq!(duplicates, 999);
    world.webhook(r#"{"event":"after","distinct_id":"u","uuid":"good-2"}"#).await;
    let events = world.events(2).await;
    let names: Vec<&str> = events.iter().map(|event| event.event.as_str()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(names.contains(&"after") && names.contains(&"fine"), "{names:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_changed_at_random_never_bring_a_5xx() {
    let world = World::new().await;
    let real = include_bytes!("../../../connectors/src/posthog/fixtures/recorded_webhook.json");
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for _ in 0..400 {
        let mut body = real.to_vec();
        for _ in 0..=next() % 8 {
            let place = usize::try_from(next()).unwrap_or(0) % body.len();
            match next() % 3 {
                0 => body[place] = next().to_le_bytes()[0],
                1 => body.truncate(place.max(1)),
                _ => body.insert(place, next().to_le_bytes()[0]),
            }
        }
        let answer = world.webhook(body).await;
        assert!(matches!(answer.status.as_u16(), 202 | 400), "{}", answer.status);
    }
}
