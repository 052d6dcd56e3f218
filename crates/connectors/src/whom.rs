//! Whom a record is about, found cheaply, so that one person's records can be kept in order.
//! Two answers may name one person; deciding who is who is not done here.

use std::borrow::Cow;

use hogwire_model::event::Pairs;

use crate::wire;

const NAMES: [&str; 7] = ["distinct_id", "distinctId", "external_id", "externalId", "user_id", "userId", "anonymousId"];

/// The id under which the sender knows the person; nothing where the record names none.
pub fn whom(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let top = wire::object(bytes).ok()?;
    if let Some(id) = id(&top) {
        return Some(id);
    }
    ["event", "properties"].iter().find_map(|inside| id(&wire::pairs(top.get(inside)?)?))
}

fn id<'a>(pairs: &Pairs<'a>) -> Option<Cow<'a, str>> {
    wire::id(wire::first(pairs, &NAMES))
}

#[cfg(test)]
mod tests {
    use super::whom;

    #[test]
    fn the_person_is_found_in_every_form() {
        let real = include_bytes!("posthog/fixtures/recorded_webhook.json");
        assert!(whom(real).is_some());
        for body in [
            r#"{"event":"x","distinct_id":"u1"}"#,
            r#"{"event":"x","properties":{"distinct_id":"u1"}}"#,
            r#"{"event":{"event":"x","distinct_id":"u1"}}"#,
            r#"{"type":"track","event":"x","userId":"u1"}"#,
        ] {
            assert_eq!(whom(body.as_bytes()).as_deref(), Some("u1"), "{body}");
        }
        for body in ["", "[]", "{}", r#"{"event":"x"}"#, r#"{"distinct_id":null}"#] {
            assert_eq!(whom(body.as_bytes()), None, "{body}");
        }
    }
}
