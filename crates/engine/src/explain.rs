//! Why did this person get that mail, or not? Answered from what was recorded when it was
//! decided; where nothing was, from the stored events and the campaign's own history.

use hogwire_model::campaign::{Code, Decision, Status};
use hogwire_model::explain::{sentence, verdict};
use hogwire_model::{Span, Time};
use serde::Serialize;
use serde_json::json;

use crate::catalog::Running;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::store::{Tx, campaigns, decisions, enrollments, events, redirects};

/// The whole answer for one contact and one campaign.
#[derive(Debug, Serialize)]
pub struct Explanation {
    pub contact: String,
    pub campaign: String,
    pub campaign_name: String,
    /// One sentence: did they get it, and why.
    pub verdict: String,
    pub lines: Vec<Line>,
    /// Where the contact's live run stands, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standing: Option<Standing>,
}

#[derive(Debug, Serialize)]
pub struct Line {
    pub at: Time,
    pub code: Code,
    pub sentence: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub event: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub enrollment: String,
    pub version: i64,
}

#[derive(Debug, Serialize)]
pub struct Standing {
    pub enrollment: String,
    pub step: String,
    pub since: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
}

/// How far back an explanation reads, and how many decisions at most.
const REACH: Span = Span::days(400);
const LINES: usize = 500;

impl Engine {
    pub fn explain(&self, campaign: &str, contact: &str, now: Time) -> Result<Explanation> {
        let mut tx = self.store.read()?;
        let id = self.find_contact(&mut tx, contact)?.ok_or_else(|| Error::Missing(format!("contact {contact}")))?;
        let catalog = self.catalog(&mut tx)?;
        let entry = catalog.campaigns.get(campaign).ok_or_else(|| Error::Missing(format!("campaign {campaign}")))?;
        let family = redirects::family(&mut tx, &id)?;
        let recorded = decisions::about(&mut tx, &family, Some(campaign), now.minus(REACH), LINES)?;
        let mut told: Vec<(Time, Decision)> = recorded.iter().map(|line| (line.at, line.decision.clone())).collect();
        let name = &entry.campaign.name;
        let mut lines: Vec<Line> = recorded.into_iter().map(|recorded| line(recorded, name)).collect();
        if lines.is_empty() {
            let running = catalog.newest(campaign).map(|running| &**running);
            let decision = not_triggered(&mut tx, &family, campaign, running, now)?;
            lines.push(Line {
                at: now,
                code: decision.code,
                sentence: sentence(&decision, now, name),
                step: None,
                event: String::new(),
                enrollment: String::new(),
                version: entry.campaign.version,
            });
            told.push((now, decision));
        }
        Ok(Explanation {
            verdict: verdict(&told),
            standing: standing(&mut tx, &id, campaign)?,
            contact: id,
            campaign: campaign.to_owned(),
            campaign_name: name.clone(),
            lines,
        })
    }
}

fn line(recorded: decisions::Recorded, name: &str) -> Line {
    Line {
        at: recorded.at,
        code: recorded.decision.code,
        sentence: sentence(&recorded.decision, recorded.at, name),
        step: recorded.decision.step,
        event: recorded.event,
        enrollment: recorded.enrollment_id,
        version: recorded.version,
    }
}

/// Nothing was decided about the contact: either the campaign did not run, or none of the
/// events that it names came.
fn not_triggered(
    tx: &mut Tx<'_>,
    family: &[String],
    campaign: &str,
    running: Option<&Running>,
    now: Time,
) -> Result<Decision> {
    let states = campaigns::states(tx, campaign)?;
    let Some(first) = states.iter().find(|state| state.status == Status::Active) else {
        let status = states.last().map(|state| state.status);
        return Ok(Decision::new(Code::CampaignNotActive, json!({ "status": status })));
    };
    let wanted: Vec<&str> = running
        .map(|running| {
            let program = &running.program;
            program.trigger_events().filter(|name| program.named_by_trigger(name)).collect()
        })
        .unwrap_or_default();
    let mut earlier = Vec::new();
    for name in &wanted {
        for event in events::of_contact_named(tx, family, name, now.minus(REACH), 5)? {
            earlier.push(json!({ "event": event.name, "at": event.at, "while": status_at(&states, event.arrived) }));
        }
    }
    let detail = json!({ "events": wanted, "active_since": first.at, "seen": earlier });
    Ok(Decision::new(Code::NotTriggered, detail))
}

fn status_at(states: &[campaigns::State], at: Time) -> Option<Status> {
    states.iter().rev().find(|state| state.at <= at).map(|state| state.status)
}

fn standing(tx: &mut Tx<'_>, contact: &str, campaign: &str) -> Result<Option<Standing>> {
    let runs = enrollments::of_contact(tx, contact, 200)?;
    let live = runs.into_iter().find(|run| run.campaign_id == campaign && run.status != enrollments::Status::Ended);
    Ok(live.map(|run| Standing { enrollment: run.id, step: run.position, since: run.entered_at, until: run.due_at }))
}
