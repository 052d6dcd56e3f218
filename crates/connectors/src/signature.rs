//! Standard Webhooks signatures, made and checked, and secrets compared without a clue.
//!
//! The scheme is that of the Standard Webhooks specification 1.0.0: HMAC-SHA256 over
//! `{id}.{timestamp}.{body}` with the decoded key, written as `v1,` and base64. A sender that
//! rotates its secret signs with both, so a header may hold several signatures; a receiver
//! that rotates holds several secrets. The caller remembers ids against replays.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use hogwire_model::{Span, Time};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// How far the sender's clock may be from ours, either way.
pub const TOLERANCE: Span = Span::minutes(5);

/// More entries in one header than any rotation needs are not looked at.
const MOST_SIGNATURES: usize = 16;

/// The three headers of a signed request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// `webhook-id`: the same on every try.
    pub id: String,
    /// `webhook-timestamp`: seconds, of this try.
    pub timestamp: String,
    /// `webhook-signature`.
    pub signature: String,
}

/// Why a signature was not accepted. All of them are answered alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsigned {
    #[error("a header of the signature is missing or malformed")]
    Malformed,
    #[error("the signature is older than five minutes, or the sender's clock is wrong")]
    TooOld,
    #[error("the signature is dated more than five minutes ahead")]
    TooNew,
    #[error("no signature fits a secret that is known here")]
    Mismatch,
}

/// The bytes of a secret written as `whsec_` and base64. A secret that is not written so
/// counts as its own bytes, as long as it is not empty.
pub fn key_of(secret: &str) -> Option<Vec<u8>> {
    let secret = secret.trim();
    let key = match secret.strip_prefix("whsec_") {
        Some(coded) => STANDARD.decode(coded).or_else(|_| STANDARD_NO_PAD.decode(coded)).ok()?,
        None => secret.as_bytes().to_vec(),
    };
    (!key.is_empty()).then_some(key)
}

/// 24 or more random bytes, written the way PostHog and others want to be told.
pub fn secret_from(random: &[u8]) -> String {
    format!("whsec_{}", STANDARD.encode(random))
}

/// Signs with every secret that can be read, the newest first.
pub fn sign(id: &str, at: Time, body: &[u8], secrets: &[&str]) -> Signed {
    let timestamp = at.millis().div_euclid(1_000).to_string();
    let signatures: Vec<String> = secrets
        .iter()
        .filter_map(|secret| key_of(secret))
        .map(|key| format!("v1,{}", STANDARD.encode(digest(&key, id, &timestamp, body))))
        .collect();
    Signed { id: id.to_owned(), timestamp, signature: signatures.join(" ") }
}

/// Does one of the signatures fit one of the secrets, and is it fresh? Every pair is tried,
/// whatever the others came to, so that time says nothing about which one fitted.
pub fn verify(signed: &Signed, body: &[u8], secrets: &[&str], now: Time) -> Result<(), Unsigned> {
    let seconds: i64 = signed.timestamp.parse().map_err(|_| Unsigned::Malformed)?;
    if signed.id.is_empty() || signed.signature.is_empty() {
        return Err(Unsigned::Malformed);
    }
    let age = now.since(Time::from_millis(seconds.saturating_mul(1_000)));
    if age > TOLERANCE {
        return Err(Unsigned::TooOld);
    }
    if age < TOLERANCE.negated() {
        return Err(Unsigned::TooNew);
    }
    let given: Vec<Vec<u8>> = signed
        .signature
        .split_ascii_whitespace()
        .take(MOST_SIGNATURES)
        .filter_map(|entry| STANDARD.decode(entry.strip_prefix("v1,")?).ok())
        .collect();
    let mut fits = subtle::Choice::from(0);
    for key in secrets.iter().filter_map(|secret| key_of(secret)) {
        let expected = digest(&key, &signed.id, &signed.timestamp, body);
        for signature in &given {
            fits |= expected.as_slice().ct_eq(signature);
        }
    }
    if bool::from(fits) { Ok(()) } else { Err(Unsigned::Mismatch) }
}

/// Are the two secrets the same? Compared over digests, so that neither the place of the
/// first difference nor the length shows in the time it takes.
pub fn same_secret(given: &[u8], held: &[u8]) -> bool {
    !held.is_empty() && Sha256::digest(given).ct_eq(&Sha256::digest(held)).into()
}

fn digest(key: &[u8], id: &str, timestamp: &str, body: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length (RFC 2104)");
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const SPEC_BODY: &[u8] = br#"{"test": 2432232314}"#;

    fn spec_vector() -> Signed {
        Signed {
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek".into(),
            timestamp: "1614265330".into(),
            signature: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=".into(),
        }
    }

    fn seconds(n: i64) -> Time {
        Time::from_millis(n * 1_000)
    }

    #[test]
    fn the_specifications_vector_both_ways() {
        let at = seconds(1_614_265_330);
        let made = sign("msg_p5jXN8AQM9LWM0D4loKWxJek", at, SPEC_BODY, &[SPEC_SECRET]);
        assert_eq!(made, spec_vector());
        assert_eq!(verify(&made, SPEC_BODY, &[SPEC_SECRET], at), Ok(()));
    }

    #[test]
    fn what_posthog_signs_is_accepted_over_the_raw_bytes() {
        let vector: serde_json::Value =
            serde_json::from_str(include_str!("posthog/fixtures/webhook_signed_vector.json")).expect("JSON");
        let header = |name: &str| vector["headers"][name].as_str().expect("a header").to_owned();
        let signed = Signed {
            id: header("webhook-id"),
            timestamp: header("webhook-timestamp"),
            signature: header("webhook-signature"),
        };
        let secret = vector["secret"].as_str().expect("a secret");
        let body = vector["body_raw"].as_str().expect("a body");
        let now = seconds(signed.timestamp.parse().expect("seconds"));
        assert_eq!(verify(&signed, body.as_bytes(), &[secret], now), Ok(()));
        let touched = body.replacen("72.5", "72.6", 1);
        assert_eq!(verify(&signed, touched.as_bytes(), &[secret], now), Err(Unsigned::Mismatch));
    }

    #[test]
    fn five_minutes_either_way_and_no_more() {
        let sent = 1_614_265_330;
        let at = |n| verify(&spec_vector(), SPEC_BODY, &[SPEC_SECRET], seconds(n));
        assert_eq!(at(sent + 300), Ok(()));
        assert_eq!(at(sent - 300), Ok(()));
        assert_eq!(at(sent + 301), Err(Unsigned::TooOld));
        assert_eq!(at(sent - 301), Err(Unsigned::TooNew));
    }

    #[test]
    fn either_side_may_rotate() {
        let now = seconds(1_614_265_330);
        let newer = secret_from(&[7; 24]);
        let both = sign("msg_1", now, b"x", &[&newer, SPEC_SECRET]);
        assert_eq!(both.signature.split(' ').count(), 2);
        for held in [&[SPEC_SECRET][..], &[&newer], &["whsec_AAAA", &newer]] {
            assert_eq!(verify(&both, b"x", held, now), Ok(()));
        }
        let stranger = secret_from(&[8; 24]);
        assert_eq!(verify(&both, b"x", &[&stranger], now), Err(Unsigned::Mismatch));
        assert_eq!(verify(&both, b"x", &[], now), Err(Unsigned::Mismatch));
    }

    #[test]
    fn headers_that_make_no_sense_open_nothing() {
        let now = seconds(1_614_265_330);
        let with = |change: fn(&mut Signed)| {
            let mut signed = spec_vector();
            change(&mut signed);
            verify(&signed, SPEC_BODY, &[SPEC_SECRET], now)
        };
        assert_eq!(with(|s| s.timestamp = "soon".into()), Err(Unsigned::Malformed));
        assert_eq!(with(|s| s.timestamp = "99999999999999999999".into()), Err(Unsigned::Malformed));
        assert_eq!(with(|s| s.timestamp = i64::MAX.to_string()), Err(Unsigned::TooNew));
        assert_eq!(with(|s| s.signature = String::new()), Err(Unsigned::Malformed));
        assert_eq!(with(|s| s.signature = "v1,".into()), Err(Unsigned::Mismatch));
        assert_eq!(with(|s| s.signature = "v1,!!!! v2,abc garbage".into()), Err(Unsigned::Mismatch));
        assert_eq!(with(|s| s.signature = s.signature.replace("v1,", "v1a,")), Err(Unsigned::Mismatch));
        assert_eq!(with(|s| s.id = "msg_other".into()), Err(Unsigned::Mismatch));
        assert_eq!(key_of("whsec_"), None, "an empty key would let everybody in");
        assert_eq!(key_of("whsec_not base64!"), None);
    }

    #[test]
    fn secrets_are_the_same_or_not() {
        assert!(same_secret(b"s3cr3t", b"s3cr3t"));
        assert!(!same_secret(b"s3cr3", b"s3cr3t"));
        assert!(!same_secret(b"", b""), "no secret set lets nobody in");
    }
}
