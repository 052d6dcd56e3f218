//! What comes round by itself: which attributes there are, whom the destination no longer
//! writes to, and rows of contacts that are no longer here.

use hogwire_connectors::brevo::account::{self, Blocked, Why};
use hogwire_connectors::brevo::limits::{BLOCKED_PAGE, Class};
use hogwire_model::Span;
use hogwire_model::contact::consent::SuppressionReason;

use super::{State, Turn, imports, state};
use crate::error::Result;
use crate::heard::No;
use crate::store::mirrors;

/// Pages of the list of blocked addresses that one turn reads.
const PAGES: usize = 100;
const ORPHANS: usize = 500;
/// Where lists of our making lie.
pub const FOLDER: &str = "Hogwire";

impl Turn<'_> {
    pub(super) fn chores(&mut self) -> Result<()> {
        let now = self.now;
        if self.state.attributes_at.is_none() && self.state.account.is_empty() {
            self.engine.store.write(mirrors::prepare)?;
            self.greet()?;
        }
        if !self.is_paused() && State::is_due(self.state.attributes_at, state::ATTRIBUTES, now) {
            self.read_attributes()?;
        }
        if !self.is_paused() && State::is_due(self.state.blocked_at, state::BLOCKED, now) {
            self.read_blocked()?;
        }
        if !self.is_paused() && State::is_due(self.state.orphans_at, state::ORPHANS, now) {
            self.forget_orphans()?;
            self.state.orphans_at = Some(now);
        }
        Ok(())
    }

    /// Asks whose key it is, once.
    fn greet(&mut self) -> Result<()> {
        if !self.take_one(Class::Rest)? {
            return Ok(());
        }
        let request = account::get(self.access());
        let (at, answer) = self.ask_one(request);
        match answer.and_then(|response| account::read(&response, at)) {
            Ok(found) => {
                self.state.account = if found.company_name.is_empty() { found.email } else { found.company_name };
            }
            Err(outcome) => self.heed(&outcome, at),
        }
        Ok(())
    }

    /// Takes over every no that the destination has heard. Nothing is ever taken back by this.
    fn read_blocked(&mut self) -> Result<()> {
        for page in 0..PAGES {
            if !self.take_one(Class::Mail)? {
                return Ok(());
            }
            let request = account::blocked(self.access(), page * BLOCKED_PAGE);
            let (at, answer) = self.ask_one(request);
            let found = match answer.and_then(|response| account::read_blocked(&response, at)) {
                Ok(found) => found,
                Err(outcome) => {
                    self.heed(&outcome, at);
                    return Ok(());
                }
            };
            let mut fresh = 0;
            for one in &found {
                fresh += usize::from(self.heard_no(one)?);
            }
            self.did += fresh;
            if found.len() < BLOCKED_PAGE {
                break;
            }
        }
        self.state.blocked_at = Some(self.now);
        Ok(())
    }

    fn heard_no(&self, one: &Blocked) -> Result<bool> {
        let reason = match one.why {
            Why::Bounced => SuppressionReason::HardBounce,
            Why::Complained => SuppressionReason::Complaint,
            Why::Unsubscribed => SuppressionReason::Unsubscribed,
            Why::ByHand => SuppressionReason::Manual,
        };
        let at = one.at.unwrap_or(self.now);
        self.engine.hear_no(&No { address: &one.address, reason, source: self.name, at }, self.now)
    }

    /// Rows of contacts that were removed or merged away are let go of; what stands at the
    /// destination stays there, and the survivor is written on its own.
    fn forget_orphans(&mut self) -> Result<()> {
        let (name, mut after) = (self.name, String::new());
        loop {
            let gone = self.engine.store.write(|tx| {
                let gone = mirrors::orphans(tx, name, &after, ORPHANS)?;
                for contact in &gone {
                    mirrors::forget(tx, name, contact)?;
                }
                Ok(gone)
            })?;
            let Some(last) = gone.last() else { return Ok(()) };
            after.clone_from(last);
        }
    }

    /// The list that imports go through; made, in a folder of our own, where it is not there.
    pub(super) fn import_list(&mut self) -> Result<Option<i64>> {
        if let Some(list) = self.state.import_list {
            return Ok(Some(list));
        }
        self.state.import_list = self.list_named(imports::LIST)?;
        if self.state.import_list.is_none() {
            self.state.no_imports_until = Some(self.now.plus(Span::seconds(10)));
        }
        Ok(self.state.import_list)
    }
}
