//! Waits that are over: sleeping runs wake, absences are confirmed, inactivity is decided.
//!
//! The rows stay locked in one transaction from claim to commit; nothing outside is called,
//! so nothing needs a lease. A contact's row is locked like in `ingest`, so that an event
//! and a timer never decide about one contact at once.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use hogwire_model::campaign::trigger::Admission;
use hogwire_model::campaign::{Code, Decision, Trigger, Wake, trigger};
use hogwire_model::{Span, Time};
use serde_json::json;

use crate::catalog::Running;
use crate::engine::{Engine, Stepped};
use crate::error::Result;
use crate::runs::{self, Runs};
use crate::store::contacts::{self, Stored};
use crate::store::enrollments::{self, Enrollment, Status};
use crate::store::{Tx, coverage, events, redirects};

const BATCH: usize = 1_000;
/// Absence is decided up to the coverage mark plus this much (SPEC D1).
const GRACE: Span = Span::minutes(2);
/// How long an absence that cannot be decided sleeps before it is asked again.
const ASK_AGAIN: Span = Span::minutes(1);

pub fn step(engine: &Engine, now: Time) -> Result<Stepped> {
    let mut tx = engine.store.begin()?;
    let mut due = enrollments::due(&mut tx, now, BATCH)?;
    if due.is_empty() {
        return Ok(Stepped { did: 0, next_due: enrollments::next_due(&mut tx)? });
    }
    let catalog = engine.catalog(&mut tx)?;
    let mut ids: Vec<&str> = due.iter().map(|run| run.contact_id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut held = contacts::lock(&mut tx, &ids)?;
    let mut runs = Runs::new(engine, catalog, now);
    let mut changed: BTreeMap<String, ()> = BTreeMap::new();
    let marks = coverage::marks(&mut tx)?;
    for run in &mut due {
        let Some(stored) = held.get_mut(&run.contact_id) else {
            gone(&mut runs, &mut tx, run)?;
            continue;
        };
        if one(&mut runs, &mut tx, run, stored, &marks)? {
            changed.insert(run.contact_id.clone(), ());
        }
    }
    let mut rows: Vec<&Stored> = changed.keys().filter_map(|id| held.get(id)).collect();
    contacts::save(&mut tx, &mut rows, now)?;
    runs.finish(&mut tx)?;
    tx.commit()?;
    Ok(Stepped { did: due.len(), next_due: None })
}

/// The contact of a run was erased, or merged by another node a moment ago.
fn gone(runs: &mut Runs<'_>, tx: &mut Tx<'_>, run: &mut Enrollment) -> Result<()> {
    let survivor = redirects::resolve(tx, &run.contact_id)?;
    if survivor == run.contact_id {
        return runs.end(tx, run, Decision::new(Code::Exited, json!({ "reason": "the contact is gone" })));
    }
    run.contact_id = survivor;
    enrollments::update(tx, run)
}

fn one(
    runs: &mut Runs<'_>,
    tx: &mut Tx<'_>,
    run: &mut Enrollment,
    stored: &mut Stored,
    marks: &HashMap<String, Time>,
) -> Result<bool> {
    if run.status != Status::Watching {
        return runs.wake(tx, run, stored, Wake::Due);
    }
    let Some(running) = runs.catalog.running(&run.campaign_id, run.version).cloned() else {
        let detail = json!({ "reason": "its version cannot be read" });
        runs.end(tx, run, Decision::new(Code::CampaignNotActive, detail))?;
        return Ok(false);
    };
    let until = runs::watched_until(run)?;
    if let Trigger::Inactive(inactive) = &running.program.campaign.trigger {
        let name = inactive.named().map(str::to_owned);
        if let Some(later) = still_active(runs, tx, &running, run, name.as_deref())? {
            runs::watch_until(run, later)?;
            enrollments::update(tx, run)?;
            return Ok(false);
        }
    }
    if needs_absence(&running.program.campaign.trigger) && !covered(runs, &running, run, marks, until) {
        hold(runs, tx, &running, run, until)?;
        return Ok(false);
    }
    confirm(runs, tx, &running, run, stored, until)
}

fn needs_absence(trigger: &Trigger) -> bool {
    matches!(trigger, Trigger::Without(_) | Trigger::Inactive(_))
}

/// Whether everything that could have arrived up to `until` is known to have arrived.
fn covered(runs: &Runs<'_>, running: &Running, run: &Enrollment, marks: &HashMap<String, Time>, until: Time) -> bool {
    let named = running.program.campaign.connection.as_deref();
    let began = run.trigger_event.split_once(':').map(|(connection, _)| connection);
    // A watch that no event began waits for what any connection may still bring.
    let mark = match named.or(began).and_then(|connection| marks.get(connection)) {
        Some(mark) => Some(*mark),
        None => marks.values().min().copied(),
    };
    runs.now >= until.plus(GRACE) && mark.is_some_and(|mark| mark >= until)
}

fn hold(runs: &mut Runs<'_>, tx: &mut Tx<'_>, running: &Running, run: &mut Enrollment, until: Time) -> Result<()> {
    // Within the grace nothing is wrong yet; after it the hold is worth telling, once. A
    // watch has not ended, so its `ending` is free to remember that it was told.
    if runs.now >= until.plus(GRACE) && run.ending.is_none() {
        let detail = json!({ "until": until });
        runs.refuse(running, &run.contact_id, &run.trigger_event, Decision::new(Code::CoverageUnknown, detail));
        run.ending = Some(Code::CoverageUnknown.as_str().to_owned());
    }
    run.due_at = Some(until.plus(GRACE).max(runs.now.plus(ASK_AGAIN)).min(runs.now.plus(GRACE)));
    enrollments::update(tx, run)
}

/// When to ask again, where the contact was seen since the spell began.
fn still_active(
    runs: &Runs<'_>,
    tx: &mut Tx<'_>,
    running: &Running,
    run: &Enrollment,
    name: Option<&str>,
) -> Result<Option<Time>> {
    let family = redirects::family(tx, &run.contact_id)?;
    let Some(seen) = events::last_seen(tx, &family, name)? else { return Ok(None) };
    let due = trigger::inactive_due(&running.program, seen);
    Ok(due.filter(|due| *due > runs.now))
}

fn confirm(
    runs: &mut Runs<'_>,
    tx: &mut Tx<'_>,
    running: &Arc<Running>,
    run: &mut Enrollment,
    stored: &mut Stored,
    until: Time,
) -> Result<bool> {
    let history = runs.history(tx, running, &stored.contact.id, runs.now)?;
    match trigger::confirm(&running.program, until, runs.now, &history) {
        Admission::Refuse(decision) => {
            runs.end(tx, run, decision)?;
            Ok(false)
        }
        _ => {
            run.ending = None;
            runs.confirm(tx, run, stored)
        }
    }
}
