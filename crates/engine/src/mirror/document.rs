//! What a destination should hold about a contact: pure, from the contact, the mapping of
//! fields and the destination's own attributes.
//!
//! A field that the mapping names goes under the name it gives. An attribute that is already
//! written as destinations write them, in capitals, and that a query, a campaign or a person
//! has set, goes under its own name. Nothing else leaves the house.

use std::collections::BTreeMap;

use hogwire_connectors::brevo::attributes::{self, Attribute};
use hogwire_model::Time;
use hogwire_model::contact::Origin;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::settings::Destination;
use crate::store::contacts::Stored;

/// What should hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    pub attributes: Map<String, Value>,
    /// Values that do not suit their attribute, and why.
    pub unfit: BTreeMap<String, String>,
    /// Wants no mail.
    pub stopped: bool,
}

/// The values that go out, by the destination's names, before they are fitted.
pub fn values(stored: &Stored, destination: &Destination) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    for attribute in stored.contact.attributes.all() {
        let set_here = matches!(attribute.origin, Origin::Sync | Origin::Campaign | Origin::Human);
        if set_here && attributes::is_name(attribute.name) {
            found.insert(attribute.name.to_owned(), attribute.value);
        }
    }
    for (field, target) in &destination.fields {
        if !target.eq_ignore_ascii_case("email")
            && let Some(value) = field_of(stored, field)
        {
            found.insert(target.clone(), value);
        }
    }
    found
}

/// A field by the name that the source gives it, with or without the `$` of its own fields;
/// then what we know ourselves.
fn field_of(stored: &Stored, field: &str) -> Option<Value> {
    let bare = field.trim_start_matches('$');
    let held = |name: &str| stored.contact.attributes.get(name);
    held(field).or_else(|| held(bare)).or_else(|| match bare {
        "name" => stored.name.clone().map(Value::from),
        "last_seen" => Some(json!(stored.contact.seen_at)),
        "signup_date" => Some(json!(stored.contact.created_at)),
        _ => None,
    })
}

/// Fits the values to the attributes that there are.
pub fn fitted(values: BTreeMap<String, Value>, known: &[Attribute], stopped: bool) -> Document {
    let mut document = Document { stopped, ..Document::default() };
    for (name, value) in values {
        let Some(attribute) = known.iter().find(|attribute| attribute.name == name) else { continue };
        match attributes::fit(attribute, &value) {
            Ok(value) => drop(document.attributes.insert(name, value)),
            Err(why) => drop(document.unfit.insert(name, why)),
        }
    }
    document
}

/// A short text that differs wherever anything that is written differs.
pub fn fingerprint(address: &str, document: &Document) -> String {
    let text = json!([address, document.attributes, document.stopped]).to_string();
    Sha256::digest(text.as_bytes()).iter().take(12).map(|byte| format!("{byte:02x}")).collect()
}

/// The attributes of a write: what should hold, and an empty text for each that was written
/// before and holds no longer.
pub fn with_removals(document: &Document, written: &str) -> Map<String, Value> {
    let mut attributes = document.attributes.clone();
    for name in written.split(',').filter(|name| !name.is_empty()) {
        if !document.unfit.contains_key(name) {
            attributes.entry(name).or_insert_with(|| "".into());
        }
    }
    attributes
}

/// Names of what was written, to be remembered.
pub fn names(document: &Document) -> String {
    document.attributes.keys().map(String::as_str).collect::<Vec<_>>().join(",")
}

/// Whether a person's own yes is newer than the no that the destination was told.
pub fn came_back(told_at: Option<Time>, words: &[hogwire_model::contact::consent::Consent]) -> bool {
    use hogwire_model::contact::consent::ConsentState;
    let granted = words.iter().filter(|word| word.state == ConsentState::Granted).map(|word| word.at).max();
    matches!((granted, told_at), (Some(granted), Some(told)) if granted > told)
}
