//! Templates as people see them: the list, a source, and how it looks for somebody.

use hogwire_model::template::{Scope, links};
use hogwire_model::{Problems, Time};
use serde::Serialize;
use serde_json::{Value, json};

use crate::catalog::compile_template;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::rendering::contact_value;
use crate::store::{contacts, templates};

#[derive(Debug, Serialize)]
pub struct Line {
    pub name: String,
    pub version: i64,
    /// `mjml`, `html`, `md` or `txt`.
    pub kind: String,
    /// `file`, `console` or `api`.
    pub origin: String,
    pub created_at: Time,
    pub created_by: String,
    /// Whether it compiles; the detail says why not.
    pub fine: bool,
}

#[derive(Debug, Serialize)]
pub struct Detail {
    #[serde(flatten)]
    pub line: Line,
    pub source: String,
    pub topic: Option<String>,
    /// Paths used without a default.
    pub variables: Vec<String>,
    pub problems: Problems,
}

/// A template filled, and what is to be known about it.
#[derive(Debug, Default, Serialize)]
pub struct Preview {
    pub subject: String,
    pub html: String,
    pub text: String,
    /// Paths that led to nothing and have no default.
    pub missing: Vec<String>,
    /// Link targets taken out, because their host is none that is allowed.
    pub taken_links: Vec<String>,
    /// So long that Gmail cuts it off.
    pub clipped: bool,
}

/// For whom a preview is made.
#[derive(Clone, Debug, Default)]
pub struct For {
    /// A contact by id, address or any key; somebody made up where none is named.
    pub contact: Option<String>,
    /// Properties of the event that would have begun the run.
    pub properties: Value,
}

/// What every mail has, without the contact or the event.
const OWN: [&str; 2] = ["unsubscribe_url", "preferences_url"];

impl Engine {
    pub fn templates(&self) -> Result<Vec<Line>> {
        let mut tx = self.store.read()?;
        let catalog = self.catalog(&mut tx)?;
        let rows = templates::all(&mut tx)?;
        let fine = |name: &str| catalog.templates.get(name).is_some_and(|held| held.compiled.is_some());
        Ok(rows.into_iter().map(|row| line(fine(&row.name), &row)).collect())
    }

    pub fn template(&self, name: &str) -> Result<Option<Detail>> {
        let Some(row) = templates::newest(&mut self.store.read()?, name)? else { return Ok(None) };
        let compiled = compile_template(&row.name, &row.kind, &row.source);
        let line = line(compiled.is_ok(), &row);
        Ok(Some(match compiled {
            Ok(compiled) => Detail {
                line,
                topic: compiled.topic().map(str::to_owned),
                variables: compiled.variables().into_iter().filter(|name| !OWN.contains(&name.as_str())).collect(),
                problems: Problems::default(),
                source: row.source,
            },
            Err(problems) => Detail { line, source: row.source, topic: None, variables: Vec::new(), problems },
        }))
    }

    /// How a template looks for one contact. Sends nothing.
    pub fn preview_template(&self, name: &str, whom: &For, now: Time) -> Result<Preview> {
        let row = templates::newest(&mut self.store.read()?, name)?;
        let row = row.ok_or_else(|| Error::Missing(format!("template {name}")))?;
        self.preview(name, &row.kind, &row.source, whom, now)
    }

    /// The same for a source that is not stored.
    pub fn preview(&self, name: &str, kind: &str, source: &str, whom: &For, now: Time) -> Result<Preview> {
        let compiled = compile_template(name, kind, source).map_err(Error::Refused)?;
        let mut tx = self.store.read()?;
        let (contact, zone) = match &whom.contact {
            Some(named) => {
                let id = self.meant(&mut tx, named)?;
                let stored = match &id {
                    Some(id) => contacts::find(&mut tx, id)?,
                    None => None,
                };
                let stored = stored.ok_or_else(|| Error::Missing(format!("contact {named}")))?;
                (contact_value(&stored), stored.zone)
            }
            None => (json!({ "id": "con_preview", "email": "reader@example.com" }), None),
        };
        drop(tx);
        let settings = self.settings();
        let trigger = if whom.properties.is_object() { whom.properties.clone() } else { json!({}) };
        let own = |path: &str| Value::from(format!("{}/{path}/preview", settings.public_url));
        let scope = Scope::new(&contact, &trigger, now)
            .with_zone(zone.as_deref().or(settings.policies.time_zone.as_deref()))
            .with([("unsubscribe_url", own("u")), ("preferences_url", own("p"))]);
        let hosts = settings.policies.link_hosts.iter().cloned().chain(links::host_of(&settings.public_url));
        let allowed: Vec<String> = hosts.collect();
        let mail = compiled.render(&scope, &allowed).map_err(|error| Error::Conflict(error.to_string()))?;
        Ok(Preview {
            subject: mail.subject,
            html: mail.html,
            text: mail.text,
            missing: mail.missing,
            taken_links: mail.taken_links,
            clipped: mail.clipped,
        })
    }
}

fn line(fine: bool, row: &templates::Template) -> Line {
    Line {
        name: row.name.clone(),
        version: row.version,
        kind: row.kind.clone(),
        origin: row.origin.clone(),
        created_at: row.created_at,
        created_by: row.created_by.clone(),
        fine,
    }
}
