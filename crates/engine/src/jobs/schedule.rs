//! A campaign on a schedule: when its time comes, everybody in its audience is asked to
//! enter, page by page; then the next time is planned. A run missed while we were down is
//! caught up once.

use hogwire_model::Time;
use hogwire_model::campaign::{Status, Trigger, trigger};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::tend::After;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::facts::ContactFacts;
use crate::runs::{Began, Runs};
use crate::store::{Tx, contacts, jobs};

const PAGE: usize = 500;

#[derive(Serialize, Deserialize)]
struct Payload {
    campaign: String,
    version: i64,
    after: (i64, String),
    /// When this turn of the schedule was due; set while its pages are walked.
    #[serde(default)]
    turn: Option<i64>,
}

pub fn run(engine: &Engine, tx: &mut Tx<'_>, job: &jobs::Job, now: Time) -> Result<After> {
    let mut payload: Payload =
        serde_json::from_str(&job.payload).map_err(|error| Error::Corrupt { what: "job", why: error.to_string() })?;
    let catalog = engine.catalog(tx)?;
    let Some(running) = catalog.newest(&payload.campaign).cloned() else { return Ok(After::Done) };
    let Trigger::Schedule(schedule) = &running.program.campaign.trigger else { return Ok(After::Done) };
    if matches!(running.status, Status::Archived | Status::Draft) {
        return Ok(After::Done);
    }
    let turn = payload.turn.unwrap_or_else(|| job.due_at.unwrap_or(now).millis());
    let page = if running.status == Status::Paused {
        Vec::new()
    } else {
        contacts::page(tx, (Time::from_millis(payload.after.0), &payload.after.1), PAGE)?
    };
    let mut runs = Runs::new(engine, catalog, now);
    let began = Began { event: format!("schedule:{turn}"), at: Time::from_millis(turn), properties: json!({}) };
    for stored in &page {
        let mut stored = stored.clone();
        let facts = ContactFacts::new(tx, (&engine.store, &engine.inbox), &stored.contact, stored.name.as_deref(), now);
        let belongs = schedule.addresses(&facts, now);
        facts.finish()?;
        if belongs {
            runs.ask_to_enter(tx, &running.id, &mut stored, &began)?;
        }
    }
    runs.finish(tx)?;
    let due = match page.last().filter(|_| page.len() == PAGE) {
        Some(last) => {
            payload.after = (last.contact.created_at.millis(), last.contact.id.clone());
            payload.turn = Some(turn);
            now
        }
        None => {
            let Some(next) = trigger::schedule_next(&running.program, now) else { return Ok(After::Done) };
            payload.after = (0, String::new());
            payload.turn = None;
            next
        }
    };
    let payload =
        serde_json::to_string(&payload).map_err(|error| Error::Corrupt { what: "job", why: error.to_string() })?;
    Ok(After::Again { payload, due })
}
