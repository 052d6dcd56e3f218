//! How often a contact may enter: `once`, `once_per: 7d` or `every`, and how old an
//! event may be to start anything. Counted per campaign, over all of its versions.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

use super::Trigger;
use crate::Span;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub rule: EntryRule,
    /// With `every`: enter although an earlier run is still under way.
    pub concurrent: bool,
    /// An event that is older when it is decided never starts a run.
    pub max_age: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryRule {
    Once,
    OncePer(Span),
    Every,
}

impl Entry {
    pub const fn new(rule: EntryRule) -> Self {
        Self { rule, concurrent: false, max_age: Span::hours(24) }
    }

    /// Once, unless the trigger recurs by its nature: a schedule, a yearly date, an API call.
    pub fn default_for(trigger: &Trigger) -> Self {
        let recurs = match trigger {
            Trigger::Schedule(_) | Trigger::Api => true,
            Trigger::Date(date) => date.yearly,
            _ => false,
        };
        Self::new(if recurs { EntryRule::Every } else { EntryRule::Once })
    }
}

#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EntryForm {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    once: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    once_per: Option<Span>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    every: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    concurrent: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_age: Option<Span>,
}

impl EntryForm {
    fn read<E: de::Error>(self) -> Result<Entry, E> {
        let every = self.every == Some(true);
        let once = self.once == Some(true);
        let rule = match (once, self.once_per, every) {
            (false, None, true) => EntryRule::Every,
            (false, Some(span), false) => EntryRule::OncePer(span),
            (_, None, false) => EntryRule::Once,
            _ => {
                return Err(E::custom("say one of `once`, `once_per` and `every`, not several"));
            }
        };
        let concurrent = self.concurrent.unwrap_or(false);
        if concurrent && rule != EntryRule::Every {
            return Err(E::custom("`concurrent` goes with `every: true` only"));
        }
        Ok(Entry { concurrent, max_age: self.max_age.unwrap_or(Span::hours(24)), ..Entry::new(rule) })
    }
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Entry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`once`, `every` or { once_per: 7d, max_age: 1h }")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<Entry, E> {
                match word {
                    "once" => Ok(Entry::new(EntryRule::Once)),
                    "every" => Ok(Entry::new(EntryRule::Every)),
                    _ => Err(E::invalid_value(de::Unexpected::Str(word), &self)),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Entry, A::Error> {
                EntryForm::deserialize(de::value::MapAccessDeserializer::new(map))?.read()
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self.rule {
            EntryRule::Once => map.serialize_entry("once", &true)?,
            EntryRule::OncePer(span) => map.serialize_entry("once_per", &span)?,
            EntryRule::Every => map.serialize_entry("every", &true)?,
        }
        if self.concurrent {
            map.serialize_entry("concurrent", &true)?;
        }
        if self.max_age != Span::hours(24) {
            map.serialize_entry("max_age", &self.max_age)?;
        }
        map.end()
    }
}

impl JsonSchema for Entry {
    fn schema_name() -> Cow<'static, str> {
        "Entry".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let form = EntryForm::json_schema(generator);
        schemars::json_schema!({
            "anyOf": [{ "enum": ["once", "every"] }, form]
        })
    }
}
