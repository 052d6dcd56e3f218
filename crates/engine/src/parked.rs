//! Runs parked at an email step: what the mail job asks before it sends, and tells after.

use hogwire_model::Time;
use hogwire_model::campaign::{Code, Settlement, Status as CampaignStatus, Wake};

use crate::engine::Engine;
use crate::error::Result;
use crate::runs::Runs;
use crate::store::enrollments::Status;
use crate::store::{Tx, contacts, enrollments};

/// Whether a parked run still wants its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    Yes,
    /// The run ended meanwhile: an exit event, a merge, an erasure.
    No(Code),
    /// The campaign is paused: the message waits.
    Paused,
}

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
    pub(crate) fn settled(
        &self,
        tx: &mut Tx<'_>,
        enrollment_id: &str,
        settlement: Settlement,
        now: Time,
    ) -> Result<()> {
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
}
