//! Campaigns and templates as people change them: from files, the console or the API.
//!
//! Every change is a new version, written with its audit line and a move of the catalog's
//! stamp, so that every node runs the same a moment later.

mod apply;
mod status;

use std::collections::BTreeSet;

use hogwire_model::campaign::{self, Campaign, Known, Program};
use hogwire_model::{Problems, Time};
use sha2::{Digest, Sha256};

pub use apply::{Change, Project, SourceFile, What};

use crate::catalog::Catalog;
use crate::error::Result;
use crate::settings::Settings;
use crate::store::{Tx, contacts, event_names, settings as kept};

/// Who asks for a change, for the audit log and the versions.
#[derive(Clone, Copy, Debug)]
pub struct Actor<'a> {
    pub name: &'a str,
    /// `file`, `console` or `api`.
    pub origin: &'a str,
}

/// Tells every node that what runs has changed.
pub(crate) fn moved(tx: &mut Tx<'_>, now: Time) -> Result<()> {
    let stamp = kept::number(tx, "catalog")?.unwrap_or(1);
    kept::set(tx, "catalog", &(stamp + 1).to_string(), now)
}

pub(crate) fn fingerprint(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Contacts looked at to know which attributes there are.
const SAMPLE: usize = 200;

fn attribute_names(sample: &[contacts::Stored]) -> Vec<&str> {
    // These every contact can have, whatever its source calls them.
    let mut names: BTreeSet<&str> = BTreeSet::from(["email", "id", "name"]);
    names.extend(sample.iter().flat_map(|stored| stored.contact.attributes.visible().map(|(name, _)| name)));
    names.into_iter().collect()
}

/// Everything that is wrong or doubtful about a campaign here and now.
pub(crate) fn review(tx: &mut Tx<'_>, campaign: &Campaign, catalog: &Catalog, settings: &Settings) -> Result<Problems> {
    let events = event_names::all(tx)?;
    let events: Vec<&str> = events.iter().map(|seen| seen.name.as_str()).collect();
    let senders: Vec<&str> = settings.senders.keys().map(String::as_str).collect();
    let topics: Vec<&str> = settings.topics.keys().map(String::as_str).collect();
    let variables: Vec<(&str, Vec<String>)> = catalog
        .templates
        .iter()
        .map(|(name, template)| {
            (name.as_str(), template.compiled.as_ref().map(|compiled| compiled.variables()).unwrap_or_default())
        })
        .collect();
    let templates: Vec<(&str, &[String])> = variables.iter().map(|(name, vars)| (*name, vars.as_slice())).collect();
    let sample = contacts::newest(tx, None, SAMPLE)?;
    let attributes = attribute_names(&sample);
    let known =
        Known { templates: &templates, senders: &senders, topics: &topics, events: &events, attributes: &attributes };
    let mut problems = campaign::validate(campaign, &known);
    for template in Program::compile(campaign).templates() {
        if let Some(held) = catalog.templates.get(template) {
            problems.0.extend(held.problems.0.iter().cloned().map(|mut problem| {
                problem.path = format!("templates/{template}: {}", problem.path);
                problem
            }));
        }
    }
    Ok(problems)
}
