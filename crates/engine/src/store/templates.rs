//! Template sources. Every version is kept; messages name the version they were made from
//! by the time they were made.

use hogwire_model::Time;

use super::{Row, Tx, params};
use crate::error::Result;

#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    pub name: String,
    pub version: i64,
    /// `mjml`, `html`, `md` or `txt`.
    pub kind: String,
    pub source: String,
    pub fingerprint: String,
    pub origin: String,
    pub created_at: Time,
    pub created_by: String,
}

pub fn add(tx: &mut Tx<'_>, template: &Template) -> Result<()> {
    tx.execute(
        "INSERT INTO templates (name, version, kind, source, fingerprint, origin, created_at, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        &params![
            &template.name,
            template.version,
            &template.kind,
            &template.source,
            &template.fingerprint,
            &template.origin,
            template.created_at,
            &template.created_by
        ],
    )?;
    Ok(())
}

/// The version in force.
pub fn newest(tx: &mut Tx<'_>, name: &str) -> Result<Option<Template>> {
    tx.optional(
        "SELECT name, version, kind, source, fingerprint, origin, created_at, created_by FROM templates
         WHERE name = $1 ORDER BY version DESC LIMIT 1",
        &params![name],
        read,
    )
}

/// Every template in force.
pub fn all(tx: &mut Tx<'_>) -> Result<Vec<Template>> {
    tx.all(
        "SELECT name, version, kind, source, fingerprint, origin, created_at, created_by FROM templates t
         WHERE version = (SELECT max(version) FROM templates n WHERE n.name = t.name) ORDER BY name LIMIT 5000",
        &[],
        read,
    )
}

/// The fingerprint of the file that was last applied.
pub fn last_from_file(tx: &mut Tx<'_>, name: &str) -> Result<Option<(i64, String)>> {
    tx.optional(
        "SELECT version, fingerprint FROM templates WHERE name = $1 AND origin = 'file' ORDER BY version DESC LIMIT 1",
        &params![name],
        |row| Ok((row.int(0)?, row.text(1)?)),
    )
}

fn read(row: &Row<'_>) -> Result<Template> {
    Ok(Template {
        name: row.text(0)?,
        version: row.int(1)?,
        kind: row.text(2)?,
        source: row.text(3)?,
        fingerprint: row.text(4)?,
        origin: row.text(5)?,
        created_at: row.time(6)?,
        created_by: row.text(7)?,
    })
}
