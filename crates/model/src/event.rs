//! One event as the engine sees it, whatever sent it.
//!
//! A connector translates a vendor's payload into this; nothing here knows a vendor's
//! words. Values stay as the raw JSON slices they arrived as: most of them are never
//! looked at, so parsing them all would be work for nothing.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::Time;
use crate::contact::KeyKind;

/// One thing that somebody did, once.
#[derive(Clone, Debug)]
pub struct Event<'a> {
    /// Unique per connection. Made by the sender; where it sent none, made from the content.
    pub uuid: Cow<'a, str>,
    pub name: Cow<'a, str>,
    /// When it happened, clamped to the arrival (SPEC A3).
    pub at: Time,
    pub arrived: Time,
    /// Every way the payload names the contact, strongest first. Never an address:
    /// which address counts is the mapping's decision.
    pub keys: Vec<(KeyKind, Cow<'a, str>)>,
    /// What the event says about who is who.
    pub identity: Option<Identity<'a>>,
    /// The event's own properties, in the order they came.
    pub properties: Pairs<'a>,
    /// Attributes to set, from the event itself (ordered by `at`).
    pub set: Pairs<'a>,
    /// Attributes to set only where the contact has none.
    pub set_once: Pairs<'a>,
    /// Attributes to remove.
    pub unset: Vec<Cow<'a, str>>,
    /// The source's own picture of the contact, ordered by `snapshot_at`.
    pub snapshot: Pairs<'a>,
    pub snapshot_at: Time,
    /// Accounts the event belongs to: type → key.
    pub accounts: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// The source says the contact is a known user, not an anonymous visitor.
    pub identified: bool,
    /// Sent from a server: its location and clock say nothing about the person.
    pub server_side: bool,
    /// Captured by Hogwire itself; dropped at the door so that nothing echoes.
    pub own: bool,
    /// A client in test mode sent it (`testing` marks, "Start testing").
    pub test: bool,
}

impl<'a> Event<'a> {
    /// An event that says nothing but its name and time; the rest is filled in by whoever
    /// knows more.
    pub fn named(uuid: &'a str, name: &'a str, at: Time) -> Self {
        Self {
            uuid: uuid.into(),
            name: name.into(),
            at,
            arrived: at,
            keys: Vec::new(),
            identity: None,
            properties: Pairs::default(),
            set: Pairs::default(),
            set_once: Pairs::default(),
            unset: Vec::new(),
            snapshot: Pairs::default(),
            snapshot_at: at,
            accounts: Vec::new(),
            identified: false,
            server_side: false,
            own: false,
            test: false,
        }
    }
}

/// What an event says about two names being one contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity<'a> {
    /// `other` was an anonymous name of this contact. Refused when `other` is identified.
    Absorb { other: Cow<'a, str> },
    /// Both are one, whatever they were. Cannot be undone by the source.
    Force { other: Cow<'a, str> },
}

/// Names and raw JSON values of one object, in the order they came. A name that occurs
/// twice keeps its last value, as JSON readers do.
#[derive(Clone, Debug, Default)]
pub struct Pairs<'a>(pub Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Pairs<'a> {
    pub fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().rev().find(|(key, _)| key == name).map(|(_, raw)| *raw)
    }

    /// The parsed value, or nothing where the name is absent.
    pub fn value(&self, name: &str) -> Option<Value> {
        value_of(self.get(name)?)
    }

    /// The value when it is a string that is not blank.
    pub fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        text_of(self.get(name)?).filter(|text| !text.trim().is_empty())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The whole object as a parsed value, for templates and for storing with an enrollment.
    pub fn to_value(&self) -> Value {
        let pairs = self.0.iter().filter_map(|(name, raw)| Some((name.clone().into_owned(), value_of(raw)?)));
        Value::Object(pairs.collect())
    }
}

/// The text of a JSON string; nothing for any other value.
pub fn text_of(raw: &RawValue) -> Option<Cow<'_, str>> {
    serde_json::from_str::<Text<'_>>(raw.get()).ok().map(|text| text.0)
}

/// The parsed value. Half of a surrogate pair in one of its texts becomes U+FFFD rather than
/// costing the whole value.
pub fn value_of(raw: &RawValue) -> Option<Value> {
    value_of_text(raw.get())
}

/// As `value_of`, from JSON text.
pub(crate) fn value_of_text(json: &str) -> Option<Value> {
    serde_json::from_str(json).or_else(|_| serde_json::from_str(&without_halves(json))).ok()
}

/// JSON text with every escaped half of a surrogate pair replaced.
fn without_halves(json: &str) -> String {
    let unit = |at: usize| {
        let digits = json.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    let mut mended = String::with_capacity(json.len());
    let mut rest = 0;
    while let Some(found) = json[rest..].find('\\') {
        let at = rest + found;
        mended.push_str(&json[rest..at]);
        let length = match (unit(at), unit(at + 6)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(0xd800..=0xdfff), _) => 0,
            (Some(_), _) => 6,
            // Any other escape; the escaped character may be a backslash itself.
            (None, _) => 1 + json[at + 1..].chars().next().map_or(0, char::len_utf8),
        };
        if length == 0 {
            mended.push('\u{fffd}');
            rest = at + 6;
        } else {
            mended.push_str(&json[at..at + length]);
            rest = at + length;
        }
    }
    mended.push_str(&json[rest..]);
    mended
}

/// Borrows where the JSON string has no escapes, owns where it has. Half of a surrogate
/// pair, which browsers send when they cut a text inside an emoji, becomes U+FFFD, and NUL,
/// which PostgreSQL cannot keep, is left out.
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_bytes<E>(self, bytes: &'de [u8]) -> Result<Text<'de>, E> {
                Ok(Text(String::from_utf8_lossy(bytes)))
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Text<'de>, E> {
                let text = String::from_utf8_lossy(bytes);
                Ok(Text(Cow::Owned(text.replace('\0', ""))))
            }
        }
        // Asked for bytes, the JSON reader hands over what it cannot decode as text.
        deserializer.deserialize_bytes(Reader)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Pairs<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<'de>, A::Error> {
                let mut pairs = Vec::with_capacity(map.size_hint().unwrap_or(16));
                while let Some((name, raw)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
                    pairs.push((name.0, raw));
                }
                Ok(Pairs(pairs))
            }

            fn visit_unit<E>(self) -> Result<Pairs<'de>, E> {
                Ok(Pairs::default())
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_borrow_and_the_last_of_a_name_wins() {
        let json = r#"{"a":1,"pl\u0061n":"pro","a":{"deep":[true]},"none":null}"#;
        let pairs: Pairs<'_> = serde_json::from_str(json).expect("an object");
        assert_eq!(pairs.get("a").map(RawValue::get), Some(r#"{"deep":[true]}"#));
        assert_eq!(pairs.text("plan").as_deref(), Some("pro"));
        assert_eq!(pairs.text("none"), None);
        assert_eq!(pairs.value("none"), Some(Value::Null));
    }

    #[test]
    fn text_that_cannot_be_kept_as_it_is_is_mended() {
        let json = r#"{"cut\ud83d":"half \ud83d","nul":"a\u0000b","number":5}"#;
        let pairs: Pairs<'_> = serde_json::from_str(json).expect("an object");
        assert!(pairs.0[0].0.starts_with("cut\u{fffd}"), "{:?}", pairs.0[0].0);
        let half = pairs.text(&pairs.0[0].0).expect("a text");
        assert!(half.starts_with("half \u{fffd}"), "{half}");
        assert_eq!(pairs.text("nul").as_deref(), Some("ab"));
        assert_eq!(pairs.text("number"), None);

        let json = r#"{"deep":["\\ud83d \ud83d\ude00 \udc00x","é\n\ud83d"]}"#;
        let pairs: Pairs<'_> = serde_json::from_str(json).expect("an object");
        let expected = serde_json::json!(["\\ud83d 😀 \u{fffd}x", "é\n\u{fffd}"]);
        assert_eq!(pairs.value("deep"), Some(expected.clone()));
        assert_eq!(pairs.to_value()["deep"], expected);
    }
}
