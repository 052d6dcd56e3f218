use hogwire_model::{Outcome, Span, Time};

use super::outbound::{Hook, read_response, request};
use crate::http::{Request, Response};
use crate::signature::{Signed, verify};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NOW: Time = Time::from_millis(1_772_442_927_123);

fn hook<'a>(url: &'a str, headers: &'a [(String, String)]) -> Hook<'a> {
    Hook { id: "dlv_1", method: "post", url, headers, body: br#"{"ok":true}"#, secrets: &[SECRET] }
}

fn header(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

fn signed(request: &Request) -> Signed {
    let get = |name| request.get(name).expect("a header").to_owned();
    Signed { id: get("webhook-id"), timestamp: get("webhook-timestamp"), signature: get("webhook-signature") }
}

#[test]
fn a_request_is_signed_anew_on_every_try_and_keeps_its_id() {
    let first = request(hook("https://example.com/in?x=1", &[]), NOW).expect("a request");
    assert_eq!((first.method.as_str(), first.get("content-type")), ("POST", Some("application/json")));
    assert_eq!(verify(&signed(&first), &first.body, &[SECRET], NOW), Ok(()));
    let later = NOW.plus(Span::hours(5));
    let second = request(hook("https://example.com/in?x=1", &[]), later).expect("a request");
    assert_eq!(first.get("webhook-id"), second.get("webhook-id"));
    assert_eq!(verify(&signed(&second), &second.body, &[SECRET], later), Ok(()));
}

#[test]
fn the_senders_headers_go_along_and_are_not_printed() {
    let headers = [
        header("Authorization", "Bearer tok_1"),
        header("content-type", "application/x-ndjson"),
        header("Host", "elsewhere.example"),
        header("Webhook-Signature", "v1,forged"),
        header("Transfer-Encoding", "chunked"),
    ];
    let made = request(hook("https://example.com/in", &headers), NOW).expect("a request");
    assert_eq!(made.get("authorization"), Some("Bearer tok_1"));
    assert_eq!(made.get("content-type"), Some("application/x-ndjson"));
    assert_eq!((made.get("host"), made.get("transfer-encoding")), (None, None));
    assert!(made.get("webhook-signature").is_some_and(|value| !value.contains("forged")));
    assert!(!format!("{made:?}").contains("tok_1"));
}

#[test]
fn what_cannot_be_sent_is_refused_before_it_is_tried() {
    let code = |hook: Hook<'_>| request(hook, NOW).map_or_else(|refusal| refusal.code, |_| "");
    for url in [
        "",
        "example.com",
        "ftp://example.com",
        "file:///etc/passwd",
        "https://user:pw@example.com",
        "javascript:alert(1)",
    ] {
        assert_eq!(code(hook(url, &[])), "bad_url", "{url}");
    }
    let url = "https://example.com";
    for (name, value) in [("X-A", "a\r\nX-B: b"), ("X A", "a"), ("", "a"), ("X-A\n", "a\0"), ("Ä", "a"), ("X-A", "ä")]
    {
        assert_eq!(code(hook(url, &[header(name, value)])), "bad_header", "{name:?}");
    }
    assert_eq!(code(Hook { method: "CONNECT", ..hook(url, &[]) }), "bad_method");
}

#[test]
fn what_the_endpoint_answers() {
    let said = |status, retry_after: Option<&str>| {
        let headers = retry_after.map(|value| header("Retry-After", value)).into_iter().collect();
        read_response(&Response { status, headers, body: b"said".to_vec() }, NOW)
    };
    assert!(matches!(said(202, None), Outcome::Done(_)));
    assert!(matches!(said(301, None), Outcome::Refused(_)));
    assert!(matches!(said(410, None), Outcome::Refused(_)));
    assert!(matches!(said(404, None), Outcome::Refused(_)));
    assert!(matches!(said(500, None), Outcome::Retry(_)));
    assert!(matches!(said(429, None), Outcome::Retry(_)));
    assert!(matches!(said(503, Some("60")), Outcome::Snooze(until, _) if until == NOW.plus(Span::minutes(1))));
}
