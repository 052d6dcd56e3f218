//! Runs parked at an email step: what the mail job asks before it sends, and tells after.

use hogwire_model::Time;
use hogwire_model::campaign::{Code, Settlement, Status as CampaignStatus, Wake};
use hogwire_model::event::{Event, Pairs};

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::outbox::Wanted;
use crate::outbox::hooks::Engaged;
use crate::runs::Runs;
use crate::store::enrollments::Status;
use crate::store::{Tx, contacts, enrollments};

impl Engine {
    /// Asked in the transaction that claims the message, so that an exit event which
    /// committed before it always wins.
    pub(crate) fn still_wanted(&self, tx: &mut Tx<'_>, enrollment_id: &str) -> Result<Wanted> {
        let Some(run) = enrollments::find(tx, enrollment_id)? else { return Ok(Wanted::No(Code::Exited)) };
        if run.status == Status::Ended {
            let code = run.ending.as_deref().and_then(Code::parse).unwrap_or(Code::Exited);
            return Ok(Wanted::No(code));
        }
        let catalog = self.catalog(tx)?;
        let status = catalog.campaigns.get(&run.campaign_id).map(|entry| entry.campaign.status);
        Ok(match status {
            Some(CampaignStatus::Paused) => Wanted::Paused,
            Some(CampaignStatus::Archived) | None => Wanted::No(Code::CampaignNotActive),
            Some(_) => Wanted::Yes,
        })
    }

    /// Lets a parked run go on now that its message has settled. A run that ended meanwhile
    /// is left alone.
    pub(crate) fn run_on(&self, tx: &mut Tx<'_>, enrollment_id: &str, settlement: Settlement, now: Time) -> Result<()> {
        let Some(mut run) = enrollments::find(tx, enrollment_id)? else { return Ok(()) };
        if run.status != Status::Active {
            return Ok(());
        }
        let mut held = contacts::lock(tx, &[&run.contact_id])?;
        let Some(stored) = held.get_mut(&run.contact_id) else { return Ok(()) };
        let catalog = self.catalog(tx)?;
        let mut runs = Runs::new(self, catalog, now);
        if runs.wake(tx, &mut run, stored, Wake::Settled(settlement))? {
            contacts::save(tx, &mut [&*stored], now)?;
        }
        runs.finish(tx)
    }

    /// A person opened, clicked or unsubscribed: the engagement is an event of our own for
    /// the contact's live runs, so that `exit_on` and `wait_for` can name it.
    pub(crate) fn engagement_came(&self, tx: &mut Tx<'_>, engaged: &Engaged<'_>, now: Time) -> Result<()> {
        let name = format!("hogwire_email_{}", engaged.kind);
        let catalog = self.catalog(tx)?;
        if !catalog.listens_to(&name) {
            return Ok(());
        }
        let mut held = contacts::lock(tx, &[engaged.contact_id])?;
        let Some(stored) = held.get_mut(engaged.contact_id) else { return Ok(()) };
        let message = serde_json::value::to_raw_value(engaged.message_id)
            .map_err(|error| Error::Corrupt { what: "message id", why: error.to_string() })?;
        let event = Event {
            properties: Pairs(vec![("message_id".into(), &message)]),
            ..Event::named(engaged.message_id, &name, now)
        };
        let mut runs = Runs::new(self, catalog, now);
        let mut changed = false;
        for mut run in enrollments::live_of(tx, vec![engaged.contact_id])? {
            if run.status == Status::Active {
                changed |= runs.wake(tx, &mut run, stored, Wake::Event(&event))?;
            }
        }
        if changed {
            contacts::save(tx, &mut [&*stored], now)?;
        }
        runs.finish(tx)
    }
}
