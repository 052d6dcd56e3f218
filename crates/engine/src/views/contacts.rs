//! Contacts as people see them: who they are, what is known and from where, what happened.

use hogwire_model::Time;
use hogwire_model::contact::Attribute;
use hogwire_model::explain::sentence;
use serde::Serialize;
use serde_json::Value;

use super::{Page, limit, place};
use crate::engine::Engine;
use crate::error::Result;
use crate::store::{
    Tx, consents, contact_keys, contacts, decisions, engagements, enrollments, events, messages, mirrors, redirects,
};
use crate::suppress::Listed;

#[derive(Clone, Debug, Serialize)]
pub struct Line {
    pub id: String,
    pub address: Option<String>,
    pub name: Option<String>,
    pub identified: bool,
    pub created_at: Time,
    pub seen_at: Time,
}

#[derive(Debug, Serialize)]
pub struct Detail {
    #[serde(flatten)]
    pub line: Line,
    pub zone: Option<String>,
    pub address_from_event: bool,
    pub keys: Vec<NamedKey>,
    pub attributes: Vec<Known>,
    pub consents: Vec<consents::Consent>,
    /// Why the address is not written to, where it is not.
    pub suppressions: Vec<Listed>,
    pub runs: Vec<RunLine>,
    pub merges: Vec<MergeLine>,
    /// What each destination was told.
    pub destinations: Vec<mirrors::Mirrored>,
}

#[derive(Debug, Serialize)]
pub struct NamedKey {
    pub connection: String,
    pub kind: &'static str,
    pub value: String,
}

#[derive(Debug, Serialize)]
pub struct Known {
    pub name: String,
    pub value: Value,
    pub at: Time,
    pub origin: hogwire_model::contact::Origin,
}

#[derive(Debug, Serialize)]
pub struct RunLine {
    pub id: String,
    pub campaign: String,
    pub version: i64,
    pub status: &'static str,
    pub step: String,
    pub entered_at: Time,
    pub due_at: Option<Time>,
    pub ended_at: Option<Time>,
    pub ending: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct MergeLine {
    pub at: Time,
    pub other: String,
    pub why: String,
    pub refused: Option<String>,
    pub event: String,
}

/// One thing that happened to or by a contact.
#[derive(Clone, Debug, Serialize)]
pub struct Happened {
    pub at: Time,
    /// `event`, `decision`, `message` or `engagement`.
    pub kind: &'static str,
    /// Event name, campaign id, template, or engagement kind.
    pub what: String,
    pub sentence: String,
    /// Where to look further: an event's id, a run's id, a message's id.
    pub link: String,
}

impl Engine {
    /// A page of contacts in the order they were made, newest first, or those whose address
    /// begins as asked.
    pub fn contacts(&self, query: Option<&str>, cursor: Option<&str>, asked: Option<usize>) -> Result<Page<Line>> {
        let mut tx = self.store.read()?;
        let limit = limit(asked);
        let rows = match query.map(str::trim).filter(|query| !query.is_empty()) {
            Some(query) => self.matching(&mut tx, query, limit + 1)?,
            None => {
                let before = place(cursor).map(|(at, id)| (Time::from_millis(at), id));
                contacts::newest(&mut tx, before, limit + 1)?
            }
        };
        let lines = rows.into_iter().map(|stored| line(&stored)).collect();
        Ok(Page::cut(lines, limit, |line: &Line| format!("{}:{}", line.created_at.millis(), line.id)))
    }

    fn matching(&self, tx: &mut Tx<'_>, query: &str, limit: usize) -> Result<Vec<contacts::Stored>> {
        let exact = self.meant(tx, query).ok().flatten();
        let mut rows = contacts::by_address_prefix(tx, &query.to_lowercase(), limit)?;
        if let Some(id) = exact.filter(|id| rows.iter().all(|row| row.contact.id != *id)) {
            rows.extend(contacts::find(tx, &id)?);
        }
        Ok(rows)
    }

    pub fn contact(&self, named: &str) -> Result<Option<Detail>> {
        let mut tx = self.store.read()?;
        let Some(id) = self.find_contact(&mut tx, named)? else { return Ok(None) };
        let Some(stored) = contacts::find(&mut tx, &id)? else { return Ok(None) };
        let keys = contact_keys::of_contact(&mut tx, &id)?;
        let keys = keys.into_iter().map(|key| NamedKey {
            connection: key.connection,
            kind: key.kind.as_str(),
            value: key.value,
        });
        let runs = enrollments::of_contact(&mut tx, &id, 100)?.into_iter().map(run_line).collect();
        let merges = redirects::of_contact(&mut tx, &id, 50)?;
        let suppressions = match &stored.contact.address {
            Some(address) => self.suppressed(&mut tx, address)?,
            None => Vec::new(),
        };
        Ok(Some(Detail {
            suppressions,
            line: line(&stored),
            zone: stored.zone.clone(),
            address_from_event: stored.contact.address_from_event,
            keys: keys.collect(),
            attributes: known(&stored),
            consents: consents::of_contact(&mut tx, &id)?,
            runs,
            destinations: mirrors::of_contact(&mut tx, &id)?,
            merges: merges
                .into_iter()
                .map(|m| MergeLine { at: m.at, other: m.loser, why: m.why, refused: m.refused, event: m.event })
                .collect(),
        }))
    }

    /// What happened, newest first, before a time.
    pub fn timeline(&self, named: &str, before: Option<Time>, asked: Option<usize>) -> Result<Option<Vec<Happened>>> {
        let mut tx = self.store.read()?;
        let Some(id) = self.find_contact(&mut tx, named)? else { return Ok(None) };
        let family = redirects::family(&mut tx, &id)?;
        let limit = limit(asked);
        let before = before.unwrap_or(Time::from_millis(i64::MAX));
        let mut all = Vec::new();
        for event in events::of_contact(&mut tx, &family, before, limit)? {
            all.push(Happened {
                at: event.at,
                kind: "event",
                sentence: format!("Did {}", event.name),
                link: format!("{}:{}", event.connection, event.uuid),
                what: event.name,
            });
        }
        let catalog = self.catalog(&mut tx)?;
        for found in decisions::before(&mut tx, &family, before, limit)? {
            let name = catalog.campaigns.get(&found.campaign_id).map_or("", |entry| &entry.campaign.name);
            all.push(Happened {
                at: found.at,
                kind: "decision",
                sentence: sentence(&found.decision, found.at, name),
                link: found.enrollment_id,
                what: found.campaign_id,
            });
        }
        for message in messages::of_contact(&mut tx, &family, before, limit)? {
            all.push(Happened {
                at: message.created_at,
                kind: "message",
                sentence: format!("Message “{}”: {}", message.subject, message.status),
                link: message.id,
                what: message.template,
            });
        }
        for engagement in engagements::of_contact(&mut tx, &family, before, limit)? {
            let by = if engagement.machine { " (by a machine)" } else { "" };
            all.push(Happened {
                at: engagement.at,
                kind: "engagement",
                sentence: format!("{}{by}", engagement.kind),
                link: engagement.message_id,
                what: engagement.kind,
            });
        }
        all.sort_by_key(|happened| std::cmp::Reverse(happened.at));
        all.truncate(limit);
        Ok(Some(all))
    }
}

fn line(stored: &contacts::Stored) -> Line {
    let contact = &stored.contact;
    Line {
        id: contact.id.clone(),
        address: contact.address.clone(),
        name: stored.name.clone(),
        identified: contact.identified,
        created_at: contact.created_at,
        seen_at: contact.seen_at,
    }
}

fn known(stored: &contacts::Stored) -> Vec<Known> {
    let all = stored.contact.attributes.all();
    all.map(|Attribute { name, value, at, origin }| Known { name: name.to_owned(), value, at, origin }).collect()
}

fn run_line(run: enrollments::Enrollment) -> RunLine {
    RunLine {
        id: run.id,
        campaign: run.campaign_id,
        version: run.version,
        status: run.status.as_str(),
        step: run.position,
        entered_at: run.entered_at,
        due_at: run.due_at,
        ended_at: run.ended_at,
        ending: run.ending,
    }
}
