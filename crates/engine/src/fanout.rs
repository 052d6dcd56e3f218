//! One event, seen by every campaign it may concern: it ends or wakes runs that wait for
//! it, disproves absences, counts towards goals, and starts what its trigger names.
//!
//! Runs of the batch's contacts are loaded once, by one statement, and only for events
//! that some campaign names at all.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use hogwire_model::Time;
use hogwire_model::campaign::{Code, Decision, Trigger, Wake, trigger};
use hogwire_model::contact::merge;
use serde_json::json;

use crate::catalog::Running;
use crate::error::Result;
use crate::facts::ContactFacts;
use crate::ingest::Item;
use crate::people::People;
use crate::runs::{Began, Runs};
use crate::store::contacts::Stored;
use crate::store::enrollments::{self, Enrollment, Status};
use crate::store::{Tx, hits};

/// Live and watching runs of the batch's contacts, by contact.
#[derive(Default)]
pub struct Audience {
    live: HashMap<String, Vec<Enrollment>>,
}

impl Audience {
    pub fn load<'i, 'c: 'i>(
        runs: &Runs<'_>,
        tx: &mut Tx<'_>,
        people: &People<'_>,
        items: impl Iterator<Item = &'i Item<'c>>,
    ) -> Result<Self> {
        let concerned: BTreeSet<&str> = items
            .filter(|item| runs.catalog.listens_to(&item.event.name))
            .filter_map(|item| item.contact.as_deref())
            .filter(|contact| !people.was_made(contact))
            .collect();
        let mut audience = Self::default();
        if concerned.is_empty() {
            return Ok(audience);
        }
        for run in enrollments::live_of(tx, concerned.into_iter().collect())? {
            audience.live.entry(run.contact_id.clone()).or_default().push(run);
        }
        Ok(audience)
    }
}

/// Lets every campaign see one event of a known contact.
pub fn event(
    runs: &mut Runs<'_>,
    tx: &mut Tx<'_>,
    people: &mut People<'_>,
    audience: &mut Audience,
    item: &Item<'_>,
) -> Result<()> {
    if !runs.catalog.listens_to(&item.event.name) {
        return Ok(());
    }
    let Some(contact) = item.contact.as_deref().map(|id| people.follow(id).to_owned()) else { return Ok(()) };
    let Some(mut stored) = people.get(&contact).cloned() else { return Ok(()) };
    let mut changed = false;
    let mut live = audience.live.remove(&contact).unwrap_or_default();
    for run in &mut live {
        changed |= wake(runs, tx, run, &mut stored, item)?;
    }
    convert(runs, tx, &contact, item)?;
    let starts: Vec<Arc<Running>> = runs.catalog.started_by(&item.event.name).to_vec();
    for running in &starts {
        if let Some(entered) = start(runs, tx, running, &mut stored, item)? {
            changed |= entered.status == Status::Active;
            live.push(entered);
        }
    }
    let idle: Vec<Arc<Running>> = runs.catalog.idled_by(&item.event.name).cloned().collect();
    for running in &idle {
        if of_connection(running, item) && !live.iter().any(|run| run.campaign_id == running.id) {
            live.extend(watch_idle(runs, tx, running, &mut stored, item)?);
        }
    }
    live.retain(|run| run.status != Status::Ended);
    if !live.is_empty() {
        audience.live.insert(contact.clone(), live);
    }
    if changed && let Some(held) = people.change(&contact) {
        *held = stored;
    }
    Ok(())
}

/// Shows the event to one live run, or to a watch that it may disprove.
fn wake(
    runs: &mut Runs<'_>,
    tx: &mut Tx<'_>,
    run: &mut Enrollment,
    stored: &mut Stored,
    item: &Item<'_>,
) -> Result<bool> {
    let Some(running) = runs.catalog.running(&run.campaign_id, run.version).cloned() else { return Ok(false) };
    if !of_connection(&running, item) {
        return Ok(false);
    }
    if run.status == Status::Watching {
        let began = serde_json::from_str(&run.trigger_properties).unwrap_or_default();
        if trigger::cancels(&running.program, &item.event, &began) {
            let detail = json!({ "event": item.event.name, "event_at": item.event.at });
            runs.end(tx, run, Decision::new(Code::AbsenceDisproved, detail))?;
        }
        return Ok(false);
    }
    if !running.program.trigger_events().any(|name| name == item.event.name) {
        return Ok(false);
    }
    runs.wake(tx, run, stored, Wake::Event(&item.event))
}

/// Counts the event as the success of the contact's newest run, once per run.
fn convert(runs: &mut Runs<'_>, tx: &mut Tx<'_>, contact: &str, item: &Item<'_>) -> Result<()> {
    let goals: Vec<Arc<Running>> = runs.catalog.aiming_at(&item.event.name).cloned().collect();
    for running in goals {
        let Some(goal) = &running.program.campaign.goal else { continue };
        let since = goal.within.map_or(Time::default(), |within| item.event.at.minus(within));
        if let Some((run, _)) = enrollments::convert(tx, contact, &running.id, since, item.event.at)? {
            let detail = json!({ "event": item.event.name, "event_at": item.event.at });
            runs.converted(&running, contact, &run, &item.name(), Decision::new(Code::Converted, detail));
        }
    }
    Ok(())
}

/// Asks one campaign whether the event starts it for the contact.
fn start(
    runs: &mut Runs<'_>,
    tx: &mut Tx<'_>,
    running: &Arc<Running>,
    stored: &mut Stored,
    item: &Item<'_>,
) -> Result<Option<Enrollment>> {
    if !of_connection(running, item) {
        return Ok(None);
    }
    let now = runs.now;
    let facts =
        ContactFacts::new(tx, (&runs.engine.store, &runs.engine.inbox), &stored.contact, stored.name.as_deref(), now);
    let matched = trigger::matches(&running.program, &item.event, &facts, now);
    facts.finish()?;
    match matched {
        trigger::Matched::NotNamed | trigger::Matched::Cancels => Ok(None),
        trigger::Matched::Refused(decision) => {
            runs.refuse(running, &stored.contact.id, &item.name(), decision);
            Ok(None)
        }
        trigger::Matched::Hit => admit(runs, tx, running, stored, item),
    }
}

fn admit(
    runs: &mut Runs<'_>,
    tx: &mut Tx<'_>,
    running: &Arc<Running>,
    stored: &mut Stored,
    item: &Item<'_>,
) -> Result<Option<Enrollment>> {
    let (contact, name, at) = (stored.contact.id.clone(), item.name(), item.event.at);
    if matches!(running.program.campaign.trigger, Trigger::Nth(_)) {
        hits::add(tx, &running.id, &contact, at, &name)?;
    }
    if running.status == hogwire_model::campaign::Status::Paused {
        let decision = Decision::new(Code::Paused, json!({ "event": item.event.name, "event_at": at }));
        runs.refuse(running, &contact, &name, decision);
        return Ok(None);
    }
    let history = runs.history(tx, running, &contact, at)?;
    let watch = match trigger::admit(&running.program, at, runs.now, &history) {
        trigger::Admission::Refuse(decision) => {
            runs.refuse(running, &contact, &name, decision);
            return Ok(None);
        }
        trigger::Admission::Enter => None,
        trigger::Admission::Watch { until } => Some(until),
    };
    let began = Began { event: name, at, properties: item.event.properties.to_value() };
    runs.enter(tx, running, stored, &began, watch).map(Some)
}

/// Begins to watch for the contact's next spell of inactivity. One watch per contact is
/// enough: when it is due it looks up when the contact was last seen.
fn watch_idle(
    runs: &mut Runs<'_>,
    tx: &mut Tx<'_>,
    running: &Arc<Running>,
    stored: &mut Stored,
    item: &Item<'_>,
) -> Result<Option<Enrollment>> {
    let due = trigger::inactive_due(&running.program, item.event.at).filter(|due| *due > runs.now);
    let Some(due) = due else { return Ok(None) };
    let began = Began { event: item.name(), at: item.event.at, properties: json!({}) };
    runs.enter(tx, running, stored, &began, Some(due)).map(Some)
}

/// Where a campaign names a connection, only its events count.
fn of_connection(running: &Running, item: &Item<'_>) -> bool {
    running.program.campaign.connection.as_deref().is_none_or(|connection| connection == item.connection)
}

/// After merges, a contact may stand twice in one campaign: the run that is further goes
/// on, the other ends as `merged` (SPEC A6).
pub fn settle_merges(runs: &mut Runs<'_>, tx: &mut Tx<'_>, people: &mut People<'_>) -> Result<()> {
    let survivors: BTreeSet<String> = people.merges().map(|(_, to)| people.follow(to).to_owned()).collect();
    if survivors.is_empty() {
        return Ok(());
    }
    let mut by_campaign: HashMap<(String, String), Vec<Enrollment>> = HashMap::new();
    for run in enrollments::live_of(tx, survivors.iter().map(String::as_str).collect())? {
        by_campaign.entry((run.contact_id.clone(), run.campaign_id.clone())).or_default().push(run);
    }
    for mut same in by_campaign.into_values().filter(|same| same.len() > 1) {
        same.sort_by(|a, b| merge::further(&progress(runs, b), &progress(runs, a)));
        for run in same.iter_mut().skip(1) {
            runs.end(tx, run, Decision::new(Code::Merged, json!({ "reason": "the same person stood here twice" })))?;
        }
    }
    Ok(())
}

fn progress(runs: &Runs<'_>, run: &Enrollment) -> merge::Progress {
    let step = runs
        .catalog
        .running(&run.campaign_id, run.version)
        .and_then(|running| running.program.index_of(&run.position))
        .map_or(0, |at| at + 1);
    merge::Progress { started: run.status == Status::Active, step, entered_at: run.entered_at }
}
