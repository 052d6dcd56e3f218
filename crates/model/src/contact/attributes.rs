//! The named values of a contact, each with its origin and time, so that an older
//! value never replaces a newer one whichever order they arrive in.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Time;

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

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attribute {
    #[serde(rename = "v")]
    pub value: Value,
    /// Milliseconds: compact in the stored document.
    #[serde(rename = "t")]
    pub at: i64,
    #[serde(rename = "o")]
    pub origin: Origin,
}

/// A removed attribute stays as a null with its time, so that a late older value does
/// not bring it back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Attributes(pub BTreeMap<String, Attribute>);

impl Attributes {
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).map(|a| &a.value).filter(|value| !value.is_null())
    }

    /// Applies one change. Answers whether the visible value is another one now.
    pub fn set(&mut self, name: &str, value: Value, at: Time, origin: Origin) -> bool {
        let at = at.millis();
        match self.0.get_mut(name) {
            None => {
                let visible = !value.is_null();
                self.0.insert(name.to_owned(), Attribute { value, at, origin });
                visible
            }
            Some(held) => {
                let newer =
                    (at, origin) >= (held.at, held.origin) || (held.origin == Origin::Once && origin > Origin::Once);
                if !newer {
                    return false;
                }
                let changed = held.value != value;
                *held = Attribute { value, at, origin };
                changed
            }
        }
    }

    /// Sets only where nothing is known. The earliest of two such values stays.
    pub fn set_once(&mut self, name: &str, value: Value, at: Time) -> bool {
        match self.0.get(name) {
            None => self.set(name, value, at, Origin::Once),
            Some(held) if held.origin == Origin::Once && at.millis() < held.at => {
                let changed = held.value != value;
                self.0.insert(name.to_owned(), Attribute { value, at: at.millis(), origin: Origin::Once });
                changed
            }
            Some(_) => false,
        }
    }

    pub fn unset(&mut self, name: &str, at: Time, origin: Origin) -> bool {
        self.set(name, Value::Null, at, origin)
    }

    /// Joins the other's values in: per name, the newer one stays.
    pub fn absorb(&mut self, other: Self) {
        for (name, attribute) in other.0 {
            match self.0.get(&name) {
                Some(held) if (held.at, held.origin) >= (attribute.at, attribute.origin) => {}
                _ => {
                    self.0.insert(name, attribute);
                }
            }
        }
    }

    pub fn visible(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().filter(|(_, a)| !a.value.is_null()).map(|(name, a)| (name.as_str(), &a.value))
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
        assert!(attributes.set("plan", json!("pro"), t(10), Origin::Event));
        assert!(!attributes.set("plan", json!("free"), t(9), Origin::Event));
        assert!(attributes.unset("plan", t(11), Origin::Event));
        assert!(!attributes.set("plan", json!("free"), t(10), Origin::Snapshot));
        assert_eq!(attributes.get("plan"), None);
    }

    #[test]
    fn set_once_yields_to_anything_and_keeps_the_earliest() {
        let mut attributes = Attributes::default();
        attributes.set_once("ref", json!("b"), t(20));
        assert!(attributes.set_once("ref", json!("a"), t(10)));
        assert!(!attributes.set_once("ref", json!("c"), t(30)));
        assert!(attributes.set("ref", json!("x"), t(5), Origin::Event));
        assert_eq!(attributes.get("ref"), Some(&json!("x")));
    }
}
