//! Draft, test, active, paused, archived: who may become what, and what that plants.

use hogwire_model::campaign::{Code, Decision, Status, Trigger, trigger};
use hogwire_model::{Problems, Time};
use serde_json::json;

use super::{Actor, moved, review};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::jobs::queue;
use crate::runs::{Began, Runs};
use crate::store::{Tx, audit, campaigns, contacts};

impl Engine {
    /// Moves a campaign to another status. Answers the warnings of an activation; what
    /// cannot work is refused with its problems.
    pub fn change_status(&self, id: &str, wanted: Status, actor: Actor<'_>, now: Time) -> Result<Problems> {
        let problems = self.store.write(|tx| {
            let campaign = campaigns::find(tx, id)?.ok_or_else(|| Error::Missing(format!("campaign {id}")))?;
            let problems = match wanted {
                Status::Active | Status::Test => self.review_newest(tx, &campaign)?,
                _ => Problems::default(),
            };
            if problems.has_errors() {
                return Err(Error::Refused(problems));
            }
            if campaign.status != wanted {
                self.set_status(tx, campaign, wanted, actor.name, now)?;
                moved(tx, now)?;
            }
            Ok(problems)
        })?;
        self.outside.wake.wake();
        Ok(problems)
    }

    /// What is wrong or doubtful about a campaign as it stands.
    pub fn lint_campaign(&self, id: &str) -> Result<Problems> {
        let mut tx = self.store.read()?;
        let campaign = campaigns::find(&mut tx, id)?.ok_or_else(|| Error::Missing(format!("campaign {id}")))?;
        self.review_newest(&mut tx, &campaign)
    }

    fn review_newest(&self, tx: &mut Tx<'_>, campaign: &campaigns::Campaign) -> Result<Problems> {
        let catalog = self.catalog(tx)?;
        let Some(entry) = catalog.campaigns.get(&campaign.id) else { return Ok(Problems::default()) };
        match catalog.newest(&campaign.id) {
            Some(running) => review(tx, &running.program.campaign, &catalog, &self.settings()),
            None => Ok(entry.problems.clone()),
        }
    }

    pub(super) fn set_status(
        &self,
        tx: &mut Tx<'_>,
        mut campaign: campaigns::Campaign,
        wanted: Status,
        actor: &str,
        now: Time,
    ) -> Result<()> {
        let before = campaign.status;
        campaign.status = wanted;
        campaign.updated_at = now;
        campaigns::save(tx, &campaign)?;
        self.remember_state(tx, &campaign, actor, now)?;
        let detail = json!({ "from": before, "to": wanted, "version": campaign.version }).to_string();
        audit::record(tx, &self.outside.entropy.id("aud", now), now, actor, "campaign.status", &campaign.id, &detail)?;
        if wanted == Status::Active {
            self.survey(tx, &campaign.id, campaign.version, now)?;
        }
        Ok(())
    }

    pub(super) fn remember_state(
        &self,
        tx: &mut Tx<'_>,
        campaign: &campaigns::Campaign,
        actor: &str,
        now: Time,
    ) -> Result<()> {
        let state =
            campaigns::State { at: now, status: campaign.status, version: campaign.version, actor: actor.to_owned() };
        campaigns::add_state(tx, &self.outside.entropy.id("cst", now), &campaign.id, &state)
    }

    /// Plants what an active campaign needs beside events: a look at the contacts there are
    /// (inactivity, dates), or the first turn of its schedule.
    pub(super) fn survey(&self, tx: &mut Tx<'_>, id: &str, version: i64, now: Time) -> Result<()> {
        let Some(row) = campaigns::version(tx, id, version)? else { return Ok(()) };
        let Ok((definition, _)) = hogwire_model::campaign::read(&row.definition) else { return Ok(()) };
        let payload = json!({ "campaign": id, "version": version, "after": [0, ""] }).to_string();
        match &definition.trigger {
            Trigger::Inactive(_) | Trigger::Date(_) => {
                queue::put(tx, &*self.outside.entropy, "survey", &format!("survey:{id}:{version}"), &payload, now, now)
            }
            Trigger::Schedule(_) => {
                let program = hogwire_model::campaign::Program::compile(&definition);
                let Some(due) = trigger::schedule_next(&program, now) else { return Ok(()) };
                queue::put(tx, &*self.outside.entropy, "schedule", &format!("schedule:{id}"), &payload, due, now)
            }
            _ => Ok(()),
        }
    }

    /// Asks a campaign to take a contact: the API's `enroll`. Answers the run's id, or the
    /// decision that kept the contact out.
    pub fn enroll(
        &self,
        campaign: &str,
        contact: &str,
        properties: serde_json::Value,
        request: &str,
        now: Time,
    ) -> Result<Result<String, Decision>> {
        let answer = self.store.write(|tx| {
            let id = self.find_contact(tx, contact)?.ok_or_else(|| Error::Missing(format!("contact {contact}")))?;
            let catalog = self.catalog(tx)?;
            let mut held = contacts::lock(tx, &[&id])?;
            let stored = held.get_mut(&id).ok_or_else(|| Error::Missing(format!("contact {contact}")))?;
            let mut runs = Runs::new(self, catalog, now);
            let began = Began { event: format!("api:{request}"), at: now, properties };
            let entered = runs.ask_to_enter(tx, campaign, stored, &began)?;
            let refusal = runs.last_decision().cloned();
            contacts::save(tx, &mut [&*stored], now)?;
            runs.finish(tx)?;
            Ok(match entered {
                Some(run) => Ok(run.id),
                None => Err(refusal.unwrap_or_else(|| Decision::new(Code::EntryRule, json!({})))),
            })
        })?;
        self.outside.wake.wake();
        Ok(answer)
    }
}
