//! Campaigns as people see them: what runs, where its contacts stand, what came of it.

use std::collections::BTreeMap;

use hogwire_model::campaign::{Status, Trigger};
use hogwire_model::{Problems, Time};
use serde::Serialize;

use crate::catalog::Running;
use crate::engine::Engine;
use crate::error::Result;
use crate::store::enrollments::{self, Standing, Status as RunStatus};
use crate::store::{campaigns, contacts, messages};

#[derive(Clone, Debug, Serialize)]
pub struct Line {
    pub id: String,
    pub name: String,
    pub status: Status,
    pub version: i64,
    pub updated_at: Time,
    pub entered: i64,
    pub live: i64,
    pub watching: i64,
    pub converted: i64,
    pub sent: i64,
}

#[derive(Debug, Serialize)]
pub struct Detail {
    #[serde(flatten)]
    pub line: Line,
    /// The newest version as it was written.
    pub definition: String,
    pub problems: Problems,
    pub graph: Graph,
    pub mail: messages::Tally,
    pub endings: BTreeMap<String, i64>,
    pub versions: Vec<VersionLine>,
}

/// The program drawn: steps in reading order and the ways between them.
#[derive(Debug, Default, Serialize)]
pub struct Graph {
    /// What starts a run, in words.
    pub trigger: String,
    pub nodes: Vec<Node>,
    pub edges: Vec<Edge>,
}

#[derive(Debug, Serialize)]
pub struct Node {
    pub id: String,
    pub label: String,
    pub kind: &'static str,
    /// Runs that rest here now, over all versions.
    pub standing: i64,
}

#[derive(Debug, Serialize)]
pub struct Edge {
    pub from: String,
    /// Empty where the run ends.
    pub to: String,
    pub label: String,
}

#[derive(Debug, Serialize)]
pub struct VersionLine {
    pub version: i64,
    pub origin: String,
    pub created_at: Time,
    pub created_by: String,
    /// Runs that still go through this version.
    pub live: i64,
}

/// One version as it was written.
#[derive(Debug, Serialize)]
pub struct Written {
    pub version: i64,
    pub definition: String,
    /// `file`, `console` or `api`.
    pub origin: String,
    pub created_at: Time,
    pub created_by: String,
}

/// One contact that stands at a step.
#[derive(Debug, Serialize)]
pub struct Resting {
    pub enrollment: String,
    pub contact: String,
    pub address: Option<String>,
    pub version: i64,
    pub step: String,
    pub status: &'static str,
    pub entered_at: Time,
    pub due_at: Option<Time>,
}

impl Engine {
    /// Live runs of a campaign, at one step or at any, those that move on first at the top.
    pub fn campaign_runs(&self, id: &str, step: Option<&str>, asked: Option<usize>) -> Result<Vec<Resting>> {
        let mut tx = self.store.read()?;
        let runs = enrollments::resting(&mut tx, id, step.unwrap_or(""), super::limit(asked))?;
        let mut lines = Vec::with_capacity(runs.len());
        for run in runs {
            let stored = contacts::find(&mut tx, &run.contact_id)?;
            lines.push(Resting {
                enrollment: run.id,
                address: stored.as_ref().and_then(|stored| stored.contact.address.clone()),
                contact: stored.map_or(run.contact_id, |stored| stored.contact.id),
                version: run.version,
                step: run.position,
                status: run.status.as_str(),
                entered_at: run.entered_at,
                due_at: run.due_at,
            });
        }
        Ok(lines)
    }

    /// Every version as it was written, newest first.
    pub fn campaign_versions(&self, id: &str) -> Result<Option<Vec<Written>>> {
        let mut tx = self.store.read()?;
        if campaigns::find(&mut tx, id)?.is_none() {
            return Ok(None);
        }
        let rows = campaigns::versions(&mut tx, id)?.into_iter().map(|row| Written {
            version: row.version,
            definition: row.definition,
            origin: row.origin,
            created_at: row.created_at,
            created_by: row.created_by,
        });
        Ok(Some(rows.collect()))
    }

    pub fn campaigns(&self) -> Result<Vec<Line>> {
        let mut tx = self.store.read()?;
        let mut lines = Vec::new();
        for campaign in campaigns::all(&mut tx)? {
            let standing = enrollments::standing(&mut tx, &campaign.id)?;
            let converted = enrollments::converted(&mut tx, &campaign.id)?;
            let tally = messages::tally(&mut tx, &campaign.id)?;
            lines.push(line(campaign, &standing, converted, tally.sent));
        }
        Ok(lines)
    }

    pub fn campaign(&self, id: &str) -> Result<Option<Detail>> {
        let mut tx = self.store.read()?;
        let Some(campaign) = campaigns::find(&mut tx, id)? else { return Ok(None) };
        let standing = enrollments::standing(&mut tx, id)?;
        let catalog = self.catalog(&mut tx)?;
        let versions = campaigns::versions(&mut tx, id)?;
        let converted = enrollments::converted(&mut tx, id)?;
        let mail = messages::tally(&mut tx, id)?;
        let mut endings = BTreeMap::new();
        for row in standing.iter().filter(|row| row.status == RunStatus::Ended) {
            *endings.entry(row.ending.clone().unwrap_or_default()).or_insert(0) += row.n;
        }
        let graph = catalog.newest(id).map(|running| graph(running, &standing)).unwrap_or_default();
        let definition = versions.first().map(|version| version.definition.clone()).unwrap_or_default();
        let versions = versions
            .into_iter()
            .map(|version| VersionLine {
                live: live(&standing, |row| row.version == version.version && row.status != RunStatus::Ended),
                version: version.version,
                origin: version.origin,
                created_at: version.created_at,
                created_by: version.created_by,
            })
            .collect();
        drop(tx);
        Ok(Some(Detail {
            problems: self.lint_campaign(id)?,
            line: line(campaign, &standing, converted, mail.sent),
            definition,
            graph,
            mail,
            endings,
            versions,
        }))
    }
}

fn line(campaign: campaigns::Campaign, standing: &[Standing], converted: i64, sent: i64) -> Line {
    Line {
        id: campaign.id,
        name: campaign.name,
        status: campaign.status,
        version: campaign.version,
        updated_at: campaign.updated_at,
        entered: live(standing, |row| row.status != RunStatus::Watching),
        live: live(standing, |row| row.status == RunStatus::Active),
        watching: live(standing, |row| row.status == RunStatus::Watching),
        converted,
        sent,
    }
}

fn live(standing: &[Standing], which: impl Fn(&Standing) -> bool) -> i64 {
    standing.iter().filter(|row| which(row)).map(|row| row.n).sum()
}

fn graph(running: &Running, standing: &[Standing]) -> Graph {
    let program = &running.program;
    let nodes: Vec<Node> = program
        .nodes()
        .iter()
        .map(|node| Node {
            standing: live(standing, |row| row.status == RunStatus::Active && row.position == node.id),
            id: node.id.clone(),
            label: node.label.clone(),
            kind: node.step.kind(),
        })
        .collect();
    let edges = program
        .edges()
        .into_iter()
        .map(|edge| Edge {
            from: program.nodes()[edge.from].id.clone(),
            to: edge.to.map(|to| program.nodes()[to].id.clone()).unwrap_or_default(),
            label: edge.label,
        })
        .collect();
    Graph { trigger: trigger(&program.campaign.trigger), nodes, edges }
}

fn trigger(trigger: &Trigger) -> String {
    match trigger {
        Trigger::Event(on) => on.event.clone(),
        Trigger::Nth(on) => format!("{} × {} within {}", on.count, on.event, on.within),
        Trigger::Without(on) => format!("{}, no {} within {}", on.event, on.then_not, on.within),
        Trigger::Inactive(on) => match on.named() {
            Some(event) => format!("No {event} for {}", on.span),
            None => format!("Nothing done for {}", on.span),
        },
        Trigger::Membership { .. } => "Enters or leaves a set".to_owned(),
        Trigger::Date(on) => format!("The date in {}", on.attribute),
        Trigger::Schedule(on) => format!("Schedule {}", on.cron),
        Trigger::Api => "By the API".to_owned(),
    }
}
