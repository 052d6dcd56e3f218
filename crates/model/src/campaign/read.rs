//! Reading a campaign from its file, and the JSON Schema of such files.

use super::Campaign;
use super::document;
use crate::Problems;

/// Reads YAML or JSON. On success also what deserves a look but stops nothing.
pub fn read(text: &str) -> Result<(Campaign, Problems), Problems> {
    let campaign: Campaign = document::read(text)?;
    Ok((campaign, Problems::default()))
}

/// The schema of a campaign file, for editors.
pub fn json_schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(Campaign);
    schema.insert("title".to_owned(), "Hogwire campaign".into());
    schema.to_value()
}
