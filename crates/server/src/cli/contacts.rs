//! `hogwire contacts`: show somebody, write to what is known, hand it over, erase.

use clap::Subcommand;
use serde_json::{Map, Value, json};

use super::ask::{Api, part};
use super::{Common, Screen, Stop};

#[derive(Subcommand)]
pub enum Contacts {
    /// Show a contact: an address, our id, `distinct_id:…` or `external:…`.
    Show { key: String },
    /// Set attributes, as NAME=VALUE; an empty value takes one away.
    Set {
        key: String,
        #[arg(required = true, value_name = "NAME=VALUE")]
        attributes: Vec<String>,
    },
    /// Print all that is held about a contact, as JSON.
    Export { key: String },
    /// Erase a person here and at every destination. There is no way back.
    Erase {
        key: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Show what each place answered to an erasure.
    Receipts {
        /// The erasure's id, or the id that the contact had.
        id: String,
    },
}

impl Contacts {
    pub fn run(self, common: &Common, screen: &Screen) -> Result<(), Stop> {
        let api = Api::open(common)?;
        match self {
            Self::Show { key } => {
                let contact = api.get(&path(&key))?;
                screen.show(&contact, || shown(&contact));
            }
            Self::Set { key, attributes } => {
                let contact = api.patch(&path(&key), &json!({ "attributes": pairs(&attributes)? }))?;
                screen.show(&contact, || shown(&contact));
            }
            Self::Export { key } => {
                let export = api.get(&format!("{}/export", path(&key)))?;
                screen.show(&export, || serde_json::to_string_pretty(&export).unwrap_or_default());
            }
            Self::Erase { key, yes } => {
                if !yes {
                    return Err(Stop::misuse(format!("`{key}` would be erased for good; say so with --yes")));
                }
                let erased = api.post(&format!("{}/erase", path(&key)), &json!({}))?;
                screen.show(&erased, || receipts(&erased));
            }
            Self::Receipts { id } => {
                let erased = api.get(&format!("/v1/erasures/{}", part(&id)))?;
                screen.show(&erased, || receipts(&erased));
            }
        }
        Ok(())
    }
}

fn path(key: &str) -> String {
    format!("/v1/contacts/{}", part(key))
}

fn pairs(texts: &[String]) -> Result<Map<String, Value>, Stop> {
    let mut pairs = Map::new();
    for text in texts {
        let (name, value) =
            text.split_once('=').ok_or_else(|| Stop::misuse(format!("`{text}` is not written as NAME=VALUE")))?;
        let value = match value {
            "" => Value::Null,
            // `3` and `true` are what they look like; everything else is text.
            text => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
        };
        pairs.insert(name.to_owned(), value);
    }
    Ok(pairs)
}

fn shown(contact: &Value) -> String {
    let text = |name: &str| contact[name].as_str().unwrap_or_default().to_owned();
    let mut lines = vec![format!("{}  {}  {}", text("id"), text("address"), text("name"))];
    for one in contact["attributes"].as_array().into_iter().flatten() {
        lines.push(format!("  {} = {}", one["name"].as_str().unwrap_or_default(), one["value"]));
    }
    for one in contact["suppressions"].as_array().into_iter().flatten() {
        lines.push(format!("  not written to: {}", one["reason"].as_str().unwrap_or_default()));
    }
    for one in contact["destinations"].as_array().into_iter().flatten() {
        let part = |name: &str| one[name].as_str().unwrap_or_default();
        lines.push(format!("  {}: {} {}", part("destination"), part("status"), part("reason")));
    }
    lines.join("\n")
}

fn receipts(erased: &Value) -> String {
    let mut lines = vec![format!("Erasure {}", erased["id"].as_str().unwrap_or_default())];
    for one in erased["receipts"].as_array().into_iter().flatten() {
        let part = |name: &str| one[name].as_str().unwrap_or_default();
        lines.push(format!("  {:<12} {:<8} {}", part("place"), part("status"), part("answer")));
    }
    lines.join("\n")
}
