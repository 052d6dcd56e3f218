//! How conditions look in files, in the API and in the JSON schema.
//!
//! Reading goes through `Filters::read`, so that serde and the validating reader agree;
//! writing gives the shortest form: a list for and, a group for or.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::ser::{SerializeMap, SerializeStruct};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::{Filter, Filters, Join, Operator, Part, Scope};
use crate::problem::Problems;

impl Scope {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Contact => "contact",
            Self::Account => "account",
            Self::Campaign => "campaign",
            Self::Message => "message",
        }
    }
}

impl<'de> Deserialize<'de> for Filters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::read(&value, "").map_err(|problems| D::Error::custom(sentence(&problems)))
    }
}

impl<'de> Deserialize<'de> for Filter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::read(&value, "").map_err(|problems| D::Error::custom(sentence(&problems)))
    }
}

fn sentence(problems: &Problems) -> String {
    let sentences = problems.0.iter().map(|problem| match problem.path.as_str() {
        "" => problem.message.clone(),
        path => format!("{path}: {}", problem.message),
    });
    sentences.collect::<Vec<_>>().join("; ")
}

impl Serialize for Filters {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.join == Join::All {
            return serializer.collect_seq(&self.parts);
        }
        let mut group = serializer.serialize_struct("Filters", 2)?;
        group.serialize_field("type", "OR")?;
        group.serialize_field("values", &self.parts)?;
        group.end()
    }
}

impl Serialize for Part {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Filter(filter) => filter.serialize(serializer),
            Self::Group(group) => group.serialize(serializer),
        }
    }
}

impl Serialize for Filter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("key", &self.key)?;
        if !self.operator.wants_no_value() {
            map.serialize_entry("value", &self.value)?;
        }
        map.serialize_entry("operator", &self.operator)?;
        map.serialize_entry("type", &self.scope)?;
        map.end()
    }
}

impl JsonSchema for Filters {
    fn schema_name() -> Cow<'static, str> {
        "Filters".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let group = generator.subschema_for::<Self>();
        let condition = generator.subschema_for::<Filter>();
        json_schema!({
            "description": "Conditions. A list means and; { type: OR, values: [...] } means or.",
            "anyOf": [
                { "type": "array", "items": { "anyOf": [condition, group] } },
                {
                    "type": "object",
                    "properties": {
                        "type": { "enum": ["AND", "OR"] },
                        "values": { "type": "array", "items": { "anyOf": [condition, group] } }
                    },
                    "required": ["type", "values"],
                    "additionalProperties": false
                },
                condition
            ]
        })
    }
}

impl JsonSchema for Filter {
    fn schema_name() -> Cow<'static, str> {
        "Filter".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "One condition on one property, in PostHog's vocabulary.",
            "type": "object",
            "properties": {
                "key": { "type": "string", "minLength": 1 },
                "value": { "description": "Text, number, true or false, or a list of them: any of it." },
                "operator": { "enum": Operator::ALL.map(|(_, name)| name), "default": "exact" },
                "type": {
                    "enum": ["event", "contact", "person", "account", "group", "campaign", "message"],
                    "default": "event"
                },
                "label": { "type": ["string", "null"] },
                "negation": { "const": false }
            },
            "required": ["key"],
            "additionalProperties": false
        })
    }
}
