//! The named values of a contact, each with its origin and time, so that an older
//! value never replaces a newer one whichever order they arrive in.
//!
//! Most events say nothing new about their contact, so the values stay the JSON text they
//! are stored as: reading a document finds where each value stands, an unchanged value is
//! told by its text, and only what somebody asks for is parsed.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::Time;
use crate::event::value_of_text;

/// Where a value came from. Ties in time go to the later variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Set where nothing was: anything else may replace it.
    Once,
    /// The source's snapshot of its record.
    Snapshot,
    /// An event's own `$set`.
    Event,
    /// A pull (persons, cohorts, queries).
    Sync,
    /// A campaign step.
    Campaign,
    /// The API or the console.
    Human,
}

/// One value as somebody asked for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute<'a> {
    pub name: &'a str,
    pub value: Value,
    pub at: Time,
    pub origin: Origin,
}

/// A removed attribute stays as a null with its time, so that a late older value does
/// not bring it back.
#[derive(Clone, Default)]
pub struct Attributes {
    /// Names and JSON values in no order; `held` says where each stands. A replaced value
    /// stays behind until the document is written.
    text: String,
    /// In the order of names.
    held: Vec<Held>,
}

#[derive(Clone)]
struct Held {
    name: Range<u32>,
    value: Range<u32>,
    /// Milliseconds.
    at: i64,
    origin: Origin,
}

/// How a value is stored: short names, since every contact has many.
#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    #[serde(borrow, rename = "v")]
    value: &'a RawValue,
    #[serde(rename = "t")]
    at: i64,
    #[serde(rename = "o")]
    origin: Origin,
}

impl Attributes {
    /// Reads what `Serialize` wrote.
    pub fn parse(text: String) -> Result<Self, serde_json::Error> {
        let (mut held, further) = places(&text)?;
        let mut attributes = Self { text, held: Vec::new() };
        for (at, name) in further {
            held[at].name = attributes.keep(&name);
        }
        attributes.held = held;
        if !attributes.held.is_sorted_by(|a, b| attributes.piece(&a.name) < attributes.piece(&b.name)) {
            let Self { text, held } = &mut attributes;
            held.sort_by(|a, b| piece(text, &a.name).cmp(piece(text, &b.name)));
        }
        Ok(attributes)
    }

    pub fn get(&self, name: &str) -> Option<Value> {
        let held = &self.held[self.find(name).ok()?];
        self.value(held).filter(|value| !value.is_null())
    }

    /// Applies one change. Answers whether the visible value is another one now.
    pub fn set(&mut self, name: &str, value: &Value, at: Time, origin: Origin) -> bool {
        self.set_text(name, &value.to_string(), at, origin)
    }

    /// As `set`, with the value as JSON text. A text that is no JSON changes nothing.
    pub fn set_text(&mut self, name: &str, json: &str, at: Time, origin: Origin) -> bool {
        let at = at.millis();
        match self.find(name) {
            Err(place) => self.insert(place, name, json, at, origin),
            Ok(place) => {
                let held = &self.held[place];
                let newer =
                    (at, origin) >= (held.at, held.origin) || (held.origin == Origin::Once && origin > Origin::Once);
                newer && self.replace(place, json, at, origin)
            }
        }
    }

    /// Sets only where nothing is known. The earliest of two such values stays.
    pub fn set_once_text(&mut self, name: &str, json: &str, at: Time) -> bool {
        match self.find(name) {
            Err(place) => self.insert(place, name, json, at.millis(), Origin::Once),
            Ok(place) => {
                let held = &self.held[place];
                let earlier = held.origin == Origin::Once && at.millis() < held.at;
                earlier && self.replace(place, json, at.millis(), Origin::Once)
            }
        }
    }

    pub fn unset(&mut self, name: &str, at: Time, origin: Origin) -> bool {
        self.set_text(name, "null", at, origin)
    }

    /// Joins the other's values in: per name, the newer one stays.
    pub fn absorb(&mut self, other: &Self) {
        for theirs in &other.held {
            let (name, value) = (other.piece(&theirs.name), other.piece(&theirs.value));
            match self.find(name) {
                Err(place) => {
                    self.insert(place, name, value, theirs.at, theirs.origin);
                }
                Ok(place) if (self.held[place].at, self.held[place].origin) < (theirs.at, theirs.origin) => {
                    self.replace(place, value, theirs.at, theirs.origin);
                }
                Ok(_) => {}
            }
        }
    }

    /// Every attribute that has a value, in the order of names.
    pub fn all(&self) -> impl Iterator<Item = Attribute<'_>> {
        self.held.iter().filter_map(|held| {
            let value = self.value(held).filter(|value| !value.is_null())?;
            Some(Attribute { name: self.piece(&held.name), value, at: Time::from_millis(held.at), origin: held.origin })
        })
    }

    pub fn visible(&self) -> impl Iterator<Item = (&str, Value)> {
        self.all().map(|attribute| (attribute.name, attribute.value))
    }

    fn find(&self, name: &str) -> Result<usize, usize> {
        self.held.binary_search_by(|held| self.piece(&held.name).cmp(name))
    }

    fn piece(&self, place: &Range<u32>) -> &str {
        piece(&self.text, place)
    }

    fn value(&self, held: &Held) -> Option<Value> {
        value_of_text(self.piece(&held.value))
    }

    fn keep(&mut self, text: &str) -> Range<u32> {
        let from = self.text.len();
        self.text.push_str(text);
        short(from..self.text.len())
    }

    fn insert(&mut self, place: usize, name: &str, json: &str, at: i64, origin: Origin) -> bool {
        let Some(json) = canonical(json) else { return false };
        let held = Held { name: self.keep(name), value: self.keep(&json), at, origin };
        self.held.insert(place, held);
        json != "null"
    }

    fn replace(&mut self, place: usize, json: &str, at: i64, origin: Origin) -> bool {
        let old = self.piece(&self.held[place].value);
        let mut changed = None;
        if old != json {
            let Some(new) = canonical(json) else { return false };
            if !same(old, &new) {
                changed = Some(self.keep(&new));
            }
        }
        let held = &mut self.held[place];
        (held.at, held.origin) = (at, origin);
        let Some(value) = changed else { return false };
        held.value = value;
        true
    }
}

type Places = (Vec<Held>, Vec<(usize, String)>);

/// The places of a stored document, and the names that it holds only escaped.
fn places(text: &str) -> Result<Places, serde_json::Error> {
    struct Reader<'t>(&'t str);
    impl<'de> Visitor<'de> for Reader<'de> {
        type Value = Places;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object of attributes")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let (mut held, mut further) = (Vec::with_capacity(16), Vec::new());
            while let Some((name, stored)) = map.next_entry::<Name<'de>, Stored<'de>>()? {
                let name = match name.0 {
                    Cow::Borrowed(name) => within(self.0, name),
                    Cow::Owned(name) => {
                        further.push((held.len(), name));
                        0..0
                    }
                };
                let value = within(self.0, stored.value.get());
                held.push(Held { name, value, at: stored.at, origin: stored.origin });
            }
            Ok((held, further))
        }
    }
    serde_json::Deserializer::from_str(text).deserialize_map(Reader(text))
}

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// Where in a text a slice of it stands.
fn within(text: &str, slice: &str) -> Range<u32> {
    let from = slice.as_ptr().addr() - text.as_ptr().addr();
    short(from..from + slice.len())
}

/// A contact's document is far below 4 GiB: requests are limited to megabytes.
fn short(place: Range<usize>) -> Range<u32> {
    let short = |at| u32::try_from(at).unwrap_or(u32::MAX);
    short(place.start)..short(place.end)
}

fn piece<'t>(text: &'t str, place: &Range<u32>) -> &'t str {
    &text[place.start as usize..place.end as usize]
}

/// The value as we write JSON; nothing where it is none that can be read again.
fn canonical(json: &str) -> Option<Cow<'_, str>> {
    let is_plain = matches!(json, "null" | "true" | "false") || (json.starts_with('"') && !json.contains('\\'));
    if is_plain { Some(Cow::Borrowed(json)) } else { value_of_text(json).map(|value| Cow::Owned(value.to_string())) }
}

/// Whether two canonical texts are one value: the names of an object may stand in another order.
fn same(a: &str, b: &str) -> bool {
    a == b || (a.starts_with(['{', '[']) && b.starts_with(['{', '[']) && value_of_text(a) == value_of_text(b))
}

impl Serialize for Attributes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.held.len()))?;
        for held in &self.held {
            let value: &RawValue = serde_json::from_str(self.piece(&held.value)).map_err(serde::ser::Error::custom)?;
            let stored = Stored { value, at: held.at, origin: held.origin };
            map.serialize_entry(self.piece(&held.name), &stored)?;
        }
        map.end()
    }
}

impl PartialEq for Attributes {
    fn eq(&self, other: &Self) -> bool {
        let row = |of: &Self, held: &Held| (of.piece(&held.name).to_owned(), of.value(held), held.at, held.origin);
        self.held.len() == other.held.len()
            && self.held.iter().zip(&other.held).all(|(a, b)| row(self, a) == row(other, b))
    }
}

impl fmt::Debug for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(
                self.held.iter().map(|held| (self.piece(&held.name), (self.piece(&held.value), held.at, held.origin))),
            )
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn t(n: i64) -> Time {
        Time::from_millis(n)
    }

    #[test]
    fn an_older_value_never_replaces_a_newer_one() {
        let mut attributes = Attributes::default();
        assert!(attributes.set("plan", &json!("pro"), t(10), Origin::Event));
        assert!(!attributes.set("plan", &json!("free"), t(9), Origin::Event));
        assert!(attributes.unset("plan", t(11), Origin::Event));
        assert!(!attributes.set("plan", &json!("free"), t(10), Origin::Snapshot));
        assert_eq!(attributes.get("plan"), None);
    }

    #[test]
    fn set_once_yields_to_anything_and_keeps_the_earliest() {
        let mut attributes = Attributes::default();
        attributes.set_once_text("ref", "\"b\"", t(20));
        assert!(attributes.set_once_text("ref", "\"a\"", t(10)));
        assert!(!attributes.set_once_text("ref", "\"c\"", t(30)));
        assert!(attributes.set("ref", &json!("x"), t(5), Origin::Event));
        assert_eq!(attributes.get("ref"), Some(json!("x")));
    }

    #[test]
    fn what_is_written_reads_back_and_the_same_value_in_other_words_is_no_change() {
        let mut attributes = Attributes::default();
        attributes.set("zeta", &json!({ "b": [1, null], "a": "é" }), t(1), Origin::Sync);
        attributes.set("quo\"te", &json!(1.5), t(2), Origin::Event);
        attributes.unset("gone", t(3), Origin::Human);
        let text = serde_json::to_string(&attributes).expect("JSON");
        let mut read = Attributes::parse(text.clone()).expect("our own document");
        assert_eq!(read, attributes);
        assert_eq!(serde_json::to_string(&read).expect("JSON"), text);
        assert_eq!(read.visible().map(|(name, _)| name).collect::<Vec<_>>(), ["quo\"te", "zeta"]);

        assert!(!read.set_text("zeta", r#"{ "a": "\u00e9", "b": [1, null] }"#, t(4), Origin::Sync));
        assert!(!read.set_text("quo\"te", "1.50", t(4), Origin::Event));
        assert!(!read.set_text("quo\"te", "1e999", t(5), Origin::Event), "a number that no reader takes");
        assert!(read.set_text("quo\"te", "2", t(6), Origin::Event));
        assert_eq!(read.get("quo\"te"), Some(json!(2)));
        assert_eq!(read.get("gone"), None);
    }

    #[test]
    fn absorbing_keeps_the_newer_of_two() {
        let (mut a, mut b) = (Attributes::default(), Attributes::default());
        a.set("plan", &json!("old"), t(1), Origin::Event);
        b.set("plan", &json!("new"), t(2), Origin::Event);
        b.set("city", &json!("Bern"), t(1), Origin::Event);
        a.absorb(&b);
        assert_eq!(a.visible().collect::<Vec<_>>(), [("city", json!("Bern")), ("plan", json!("new"))]);
    }
}
