//! A place in an event's payload, written as people know it: `person.properties.email`.

use std::borrow::Cow;
use std::fmt;

use crate::event::{Event, text_of, value_of};
use crate::value::as_text;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The source's picture of the contact.
    Snapshot,
    /// What the event sets on the contact.
    Set,
    /// What the event sets where nothing is known.
    SetOnce,
    /// The event's own properties.
    Event,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    pub place: Place,
    pub name: String,
}

const PREFIXES: [(&str, Place); 4] = [
    ("person.properties.", Place::Snapshot),
    ("$set.", Place::Set),
    ("$set_once.", Place::SetOnce),
    ("properties.", Place::Event),
];

impl Path {
    pub fn new(place: Place, name: &str) -> Self {
        Self { place, name: name.to_owned() }
    }

    pub fn parse(text: &str) -> Option<Self> {
        let (place, name) =
            PREFIXES.iter().find_map(|(prefix, place)| Some((*place, text.trim().strip_prefix(prefix)?)))?;
        (!name.is_empty()).then(|| Self::new(place, name))
    }

    /// What the network's address suggests, rather than what a device or a person says.
    pub fn is_guess(&self) -> bool {
        self.name.contains("geoip")
    }

    /// The text or number there, trimmed; nothing where it is blank or anything else.
    pub fn text<'e>(&self, event: &Event<'e>) -> Option<Cow<'e, str>> {
        let pairs = match self.place {
            Place::Snapshot => &event.snapshot,
            Place::Set => &event.set,
            Place::SetOnce => &event.set_once,
            Place::Event => &event.properties,
        };
        let raw = pairs.get(&self.name)?;
        let text = match raw.get().as_bytes().first() {
            Some(b'"') => text_of(raw)?,
            Some(b'-' | b'0'..=b'9') => Cow::Owned(as_text(&value_of(raw)?)),
            _ => return None,
        };
        let text = match text {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
            Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
        };
        (!text.is_empty()).then_some(text)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = PREFIXES.iter().find(|(_, place)| *place == self.place).map_or("", |(prefix, _)| prefix);
        write!(f, "{prefix}{}", self.name)
    }
}

impl Serialize for Path {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Path {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            de::Error::custom(format!(
                "`{text}` is not a path: it begins with person.properties., $set., $set_once. or properties."
            ))
        })
    }
}

impl JsonSchema for Path {
    fn schema_name() -> Cow<'static, str> {
        "Path".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "Where in an event a value is found, e.g. person.properties.email or properties.email.",
            "pattern": r"^(person\.properties|\$set|\$set_once|properties)\..+$"
        })
    }
}
