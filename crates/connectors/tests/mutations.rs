//! Every parser of outside input over mutated real bodies, from a fixed seed: the same on
//! every machine and in every run.

#[allow(dead_code)]
#[path = "../../../fuzz/src/lib.rs"]
mod entries;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// What a mutation does to a body, at a place given as a fraction of its length.
#[derive(Clone, Debug)]
enum Mutation {
    Flip(f64, u8),
    Insert(f64, Vec<u8>),
    Token(f64, &'static str),
    Remove(f64, f64),
    Repeat(f64, f64),
    Splice(f64, usize, f64),
    Swap(&'static str, &'static str),
}

const BODIES: [&str; 14] = [
    include_str!("../src/posthog/fixtures/webhook_default_body.json"),
    include_str!("../src/posthog/fixtures/webhook_globals_all.json"),
    include_str!("../src/posthog/fixtures/recorded_webhook.json"),
    include_str!("../src/posthog/fixtures/recorded_webhook_personless.json"),
    include_str!("../src/posthog/fixtures/edited_webhook.json"),
    include_str!("../src/posthog/fixtures/capture_single_request.json"),
    include_str!("../src/posthog/fixtures/capture_batch_request.json"),
    include_str!("../src/posthog/fixtures/recorded_python_batch.json"),
    include_str!("../src/posthog/fixtures/error_429.json"),
    include_str!("../src/segment/track.json"),
    include_str!("../src/segment/identify.json"),
    include_str!("../src/segment/group.json"),
    include_str!("fixtures/campaign.yaml"),
    include_str!("fixtures/recovery.html"),
];

/// Small things that have broken parsers before.
const TOKENS: [&str; 22] = [
    "null",
    "{}",
    "[]",
    "\"\"",
    "1e999",
    "-1e308",
    "99999999999999999999999",
    "\\u0000",
    "\\ud800",
    "\"$set\":[1],",
    "\"event\":{},",
    "\"distinct_id\":{\"a\":1},",
    "\"timestamp\":1e300,",
    "\u{feff}",
    "\r\nX: y",
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    "{\"a\":{\"a\":{\"a\":{\"a\":",
    "&a [*a,*a]",
    "{{ a | ",
    "{% for i in (1..9) %}",
    "9999-12-31T23:59:60Z",
    "\u{1F9D9}\u{200D}\u{2642}",
];

const SWAPS: [(&str, &str); 8] = [
    ("\"event\"", "\"event_name\""),
    ("\"properties\"", "\"event\""),
    ("{", "["),
    ("\"user_42\"", "null"),
    ("\"user_42\"", "17"),
    ("person", "groups"),
    ("\"2026", "\"-262026"),
    (":", ":\n\t"),
];

fn mutation() -> impl Strategy<Value = Mutation> {
    let place = || 0.0..1.0_f64;
    prop_oneof![
        (place(), any::<u8>()).prop_map(|(at, byte)| Mutation::Flip(at, byte)),
        (place(), vec(any::<u8>(), 1..8)).prop_map(|(at, bytes)| Mutation::Insert(at, bytes)),
        (place(), prop::sample::select(&TOKENS[..])).prop_map(|(at, token)| Mutation::Token(at, token)),
        (place(), place()).prop_map(|(from, to)| Mutation::Remove(from, to)),
        (place(), place()).prop_map(|(from, to)| Mutation::Repeat(from, to)),
        (place(), 0..BODIES.len(), place()).prop_map(|(at, other, from)| Mutation::Splice(at, other, from)),
        prop::sample::select(&SWAPS[..]).prop_map(|(from, to)| Mutation::Swap(from, to)),
    ]
}

fn apply(body: &mut Vec<u8>, mutation: &Mutation) {
    let length = body.len();
    let at = |fraction: f64| ((length as f64) * fraction) as usize;
    let range = |a: f64, b: f64| at(a.min(b))..at(a.max(b));
    match mutation {
        Mutation::Flip(place, byte) => {
            if let Some(found) = body.get_mut(at(*place)) {
                *found ^= byte;
            }
        }
        Mutation::Insert(place, bytes) => {
            let place = at(*place);
            body.splice(place..place, bytes.iter().copied());
        }
        Mutation::Token(place, token) => {
            let place = at(*place);
            body.splice(place..place, token.bytes());
        }
        Mutation::Remove(from, to) => {
            body.drain(range(*from, *to));
        }
        Mutation::Repeat(from, to) => {
            let again = body[range(*from, *to)].to_vec();
            body.extend(again);
        }
        Mutation::Splice(place, other, from) => {
            let other = BODIES[*other].as_bytes();
            body.truncate(at(*place));
            body.extend_from_slice(&other[(other.len() as f64 * from) as usize..]);
        }
        Mutation::Swap(from, to) => {
            *body = String::from_utf8_lossy(body).replacen(from, to, 2).into_bytes();
        }
    }
}

fn run(entry: fn(&[u8])) {
    // `PROPTEST_CASES` asks for more than the usual number.
    let usual = Config::default();
    let config = Config { cases: usual.cases.max(4_000), failure_persistence: None, ..usual };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mutated = (0..BODIES.len(), vec(mutation(), 0..5));
    TestRunner::new_with_rng(config, rng)
        .run(&mutated, |(start, mutations)| {
            let mut body = BODIES[start].as_bytes().to_vec();
            for mutation in &mutations {
                apply(&mut body, mutation);
            }
            entry(&body);
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn webhook_bodies() {
    run(entries::webhook);
}

#[test]
fn capture_bodies() {
    run(entries::capture);
}

#[test]
fn segment_bodies() {
    run(entries::segment);
}

#[test]
fn batches() {
    run(entries::batch);
}

#[test]
fn signature_headers() {
    run(entries::signature);
}

#[test]
fn answers_of_other_servers() {
    run(entries::answers);
}

#[test]
fn campaign_files() {
    run(entries::campaign);
}

#[test]
fn templates() {
    run(entries::liquid);
}

#[test]
fn templates_that_nest_without_end() {
    for opening in [
        "{% if a %}",
        "{% for a in b %}",
        "{{ a[",
        "{{ a | append: ",
        "{% case a %}{% when 1 %}",
        "{% capture x %}",
        "{% comment %}",
        "{% ifchanged %}",
        "{% raw %}",
        "{",
    ] {
        entries::liquid(opening.repeat(5_000).as_bytes());
    }
    let closed = format!("{}x{}", "{% if contact %}".repeat(5_000), "{% endif %}".repeat(5_000));
    entries::liquid(closed.as_bytes());
}
