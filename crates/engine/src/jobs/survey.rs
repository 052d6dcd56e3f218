//! After an activation: a look at every contact there is, page by page, to plant what the
//! campaign waits for. Nobody enters by it (SPEC D1: activation is a baseline); a spell of
//! inactivity that is over already, or a date that has passed, starts nothing.

use hogwire_model::Time;
use hogwire_model::campaign::{Trigger, trigger};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::tend::After;
use crate::catalog::Running;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::runs::{Began, Runs};
use crate::store::contacts::{self, Stored};
use crate::store::enrollments::{self, Status};
use crate::store::{Tx, events, jobs, redirects};

const PAGE: usize = 1_000;

#[derive(Serialize, Deserialize)]
struct Payload {
    campaign: String,
    version: i64,
    /// Where the next page begins: (made at, id) of the last contact seen.
    after: (i64, String),
}

pub fn run(engine: &Engine, tx: &mut Tx<'_>, job: &jobs::Job, now: Time) -> Result<After> {
    let mut payload: Payload =
        serde_json::from_str(&job.payload).map_err(|error| Error::Corrupt { what: "job", why: error.to_string() })?;
    let catalog = engine.catalog(tx)?;
    let Some(running) = catalog.newest(&payload.campaign).filter(|running| running.version == payload.version).cloned()
    else {
        return Ok(After::Done);
    };
    let page = contacts::page(tx, (Time::from_millis(payload.after.0), &payload.after.1), PAGE)?;
    let mut runs = Runs::new(engine, catalog, now);
    for stored in &page {
        let mut stored = stored.clone();
        plant(&mut runs, tx, &running, &mut stored)?;
    }
    runs.finish(tx)?;
    let Some(last) = page.last().filter(|_| page.len() == PAGE) else { return Ok(After::Done) };
    payload.after = (last.contact.created_at.millis(), last.contact.id.clone());
    let payload =
        serde_json::to_string(&payload).map_err(|error| Error::Corrupt { what: "job", why: error.to_string() })?;
    Ok(After::Again { payload, due: now })
}

/// Begins to watch one contact for one campaign, unless it is watched already.
pub fn plant(
    runs: &mut Runs<'_>,
    tx: &mut Tx<'_>,
    running: &std::sync::Arc<Running>,
    stored: &mut Stored,
) -> Result<()> {
    let due = match &running.program.campaign.trigger {
        Trigger::Inactive(inactive) => {
            let family = redirects::family(tx, &stored.contact.id)?;
            let seen = events::last_seen(tx, &family, inactive.named())?;
            seen.and_then(|seen| trigger::inactive_due(&running.program, seen))
        }
        Trigger::Date(date) => {
            let zone = runs.zone(stored);
            let value = stored.contact.attributes.get(&date.attribute);
            value.and_then(|value| trigger::date_due(&running.program, &value, &zone, runs.now))
        }
        _ => None,
    };
    let watched = enrollments::watching(tx, &stored.contact.id, &running.id)?;
    match (due.filter(|due| *due > runs.now), watched) {
        (Some(due), Some(mut held)) if held.version != running.version || held.due_at != Some(due) => {
            held.version = running.version;
            crate::runs::watch_until(&mut held, due)?;
            enrollments::update(tx, &held)
        }
        (Some(due), None) => {
            let began = Began { event: format!("watch:{}", running.id), at: runs.now, properties: json!({}) };
            runs.enter(tx, running, stored, &began, Some(due)).map(|_| ())
        }
        (None, Some(mut held)) => {
            // The date was taken away or has moved into the past.
            held.status = Status::Ended;
            held.due_at = None;
            held.ended_at = Some(runs.now);
            enrollments::update(tx, &held)
        }
        _ => Ok(()),
    }
}
