//! One entry per parser that meets the outside, with what must hold whatever comes in.
//!
//! The fuzz targets call these with bytes that a coverage-guided fuzzer makes; the test
//! `crates/connectors/tests/mutations.rs` includes this file and calls them with mutated
//! fixtures, so that a stable compiler exercises the same code on every run.

use hogwire_connectors::http::Response;
use hogwire_connectors::machine::{self, Hit};
use hogwire_connectors::posthog::{capture, errors, hosts};
use hogwire_connectors::signature::{self, Signed};
use hogwire_connectors::smtp::mime::{Kind, Mail, Party};
use hogwire_connectors::webhook::outbound::{self, Hook};
use hogwire_connectors::{Shape, check, detect, detect_segment, read_closely, smtp, split_batch, with_key};
use hogwire_model::template::{Escape, Liquid, Scope};
use hogwire_model::{Span, Time};
use serde_json::json;

/// When everything arrives.
const NOW: Time = Time::from_millis(1_772_442_927_123);

/// A body on PostHog's route.
pub fn webhook(bytes: &[u8]) {
    record(detect(bytes), bytes);
    record(Shape::PosthogWebhook, bytes);
}

/// The flat form, and the items of our own API.
pub fn capture(bytes: &[u8]) {
    record(Shape::Capture, bytes);
    record(Shape::Event, bytes);
    let keyed = with_key(Shape::Event, bytes, "key-1");
    assert_eq!(
        check(Shape::Event, bytes).is_ok(),
        check(Shape::Event, &keyed).is_ok(),
        "a key from outside makes no event and spoils none"
    );
}

/// Segment's calls.
pub fn segment(bytes: &[u8]) {
    for shape in [Shape::SegmentTrack, Shape::SegmentIdentify, Shape::SegmentGroup] {
        record(shape, bytes);
    }
    let _ = detect_segment(bytes);
}

/// Bodies with several records.
pub fn batch(bytes: &[u8]) {
    let Ok(records) = split_batch(bytes) else {
        return;
    };
    let total: usize = records.iter().map(|record| record.len()).sum();
    assert!(total <= bytes.len(), "records are slices of the body");
    for each in records.into_iter().take(100) {
        record(Shape::Capture, each);
        let _ = detect_segment(each);
    }
}

/// What passes the door is read, and what is read keeps within its bounds.
fn record(shape: Shape, bytes: &[u8]) {
    let door = check(shape, bytes);
    let read = read_closely(shape, bytes, NOW);
    assert_eq!(door.as_ref().err(), read.as_ref().err());
    let Ok(reading) = read else {
        return;
    };
    let event = reading.event;
    let bounded = |text: &str| {
        let fits = !text.is_empty() && text.chars().count() <= 200 && !text.contains('\0');
        assert!(fits, "{text:?}");
    };
    bounded(&event.name);
    bounded(&event.uuid);
    event.keys.iter().for_each(|(_, key)| bounded(key));
    for (_, key) in &event.accounts {
        bounded(key);
    }
    assert!(event.at <= NOW.plus(Span::minutes(5)) && event.at >= NOW.minus(Span::days(3653)));
    for pairs in [&event.properties, &event.set, &event.set_once, &event.snapshot] {
        let value = pairs.to_value();
        assert!(value.as_object().is_some_and(|all| all.len() <= pairs.0.len()));
    }
}

/// The three headers of a signed request, one a line, and the body after them.
pub fn signature(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.splitn(4, '\n').map(str::to_owned);
    let mut next = || lines.next().unwrap_or_default();
    let signed = Signed { id: next(), timestamp: next(), signature: next() };
    let body = next();
    let ours = signature::secret_from(&[7; 32]);
    let verdict = signature::verify(&signed, body.as_bytes(), &[&ours], NOW);
    assert!(verdict.is_err(), "nobody guesses a signature");
    let _ = signature::verify(&signed, body.as_bytes(), &[&signed.signature], NOW);

    let honest = signature::sign(&signed.id, NOW, bytes, &[&ours]);
    let accepted = signature::verify(&honest, bytes, &[&ours], NOW).is_ok();
    assert_eq!(accepted, !signed.id.is_empty());
}

/// What other servers answer, and what goes into requests to them.
pub fn answers(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
    let status = bytes.iter().fold(0_u16, |sum, byte| sum.wrapping_mul(31).wrapping_add(u16::from(*byte))) % 1_000;
    let response = Response {
        status,
        headers: vec![("retry-after".to_owned(), first.to_owned())],
        body: rest.as_bytes().to_vec(),
    };
    let _ = errors::outcome(&response, NOW);
    let _ = capture::read_response(&response, NOW);
    let _ = outbound::read_response(&response, NOW);
    let at = response.retry_after(NOW);
    assert!(at.is_none_or(|at| at >= NOW && at <= NOW.plus(Span::days(1))));
    let _ = hosts::derive(first, Some(rest));
    let _ = smtp::classify(status, Some(first), rest);
    let _ = machine::click(&Hit { method: "GET", user_agent: first, purpose: Some(rest), at: NOW, sent_at: Some(NOW) });
    hook(first, rest);
    mail(first, rest);
}

fn hook(first: &str, rest: &str) {
    let headers = [(first.to_owned(), rest.to_owned())];
    for url in [first, "https://example.com/"] {
        let made = outbound::request(
            Hook {
                id: "dlv_1",
                method: "POST",
                url,
                headers: &headers,
                body: rest.as_bytes(),
                secrets: &["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
            },
            NOW,
        );
        for header in made.iter().flat_map(|request| &request.headers) {
            assert!(!header.name.contains(['\r', '\n']) && !header.value.contains(['\r', '\n']));
        }
    }
}

/// Whatever stands in names, subject and body, a mail has the headers that we gave it.
fn mail(first: &str, rest: &str) {
    let party = |name, address| Party { name, address };
    for to in [party(first, "ana@example.com"), party("", first)] {
        let made = smtp::mime::build(&Mail {
            from: party("Shop", "hello@shop.example"),
            to,
            reply_to: None,
            subject: first,
            text: rest,
            html: rest,
            message_id: "1@shop.example",
            date: NOW,
            kind: Kind::Transactional,
            feedback_id: None,
            more: &[("X-Note", first)],
        });
        let Ok(bytes) = made else { continue };
        let text = String::from_utf8(bytes).expect("mail is ASCII");
        let head = text.split("\r\n\r\n").next().unwrap_or_default();
        let named: Vec<&str> = head
            .split("\r\n")
            .filter(|line| !line.starts_with([' ', '\t']))
            .filter_map(|line| line.split(':').next())
            .filter(|name| *name != "Content-Transfer-Encoding")
            .collect();
        let expected =
            ["Date", "From", "To", "Message-ID", "Subject", "Auto-Submitted", "X-Note", "MIME-Version", "Content-Type"];
        assert_eq!(named, expected, "{head}");
        assert!(text.split("\r\n").all(|line| line.len() <= 998));
    }
}

/// A campaign file.
pub fn campaign(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok((campaign, _)) = hogwire_model::campaign::read(&text) {
        let _ = hogwire_model::campaign::Program::compile(&campaign);
    }
}

/// A template, rendered with values that would like to be code.
pub fn liquid(bytes: &[u8]) {
    let source = String::from_utf8_lossy(bytes);
    let contact = json!({ "email": "{{ 1 | plus: 1 }}", "name": "</p>\"\r\nBcc: x", "tags": [1, null, {}] });
    let event = json!({ "total": "72.5", "items": [{ "sku": "a" }], "at": "2026-03-02T09:15:27Z" });
    for escape in [Escape::Html, Escape::None, Escape::Header, Escape::JsonString] {
        let Ok(template) = Liquid::parse(&source, escape) else {
            continue;
        };
        if let Ok(rendered) = template.render(&Scope::new(&contact, &event, NOW)) {
            assert!(rendered.text.len() <= 1 << 20);
        }
    }
}
