//! A few contacts that were just written are read back: a value of the wrong type is dropped
//! over there without a word, and so is an attribute that somebody removed. What was not
//! found is kept by the attribute's name and shown; a block that somebody set there is heard.

use hogwire_connectors::brevo::contacts::{self as wire, Found, Named};
use hogwire_connectors::brevo::limits::Class;
use hogwire_connectors::http::Request;
use hogwire_model::Span;
use hogwire_model::contact::consent::SuppressionReason;

use super::{State, Turn};
use crate::error::Result;
use crate::heard::No;
use crate::store::contacts;
use crate::store::mirrors::{self, Mirrored};

const EVERY: Span = Span::minutes(10);
const CONTACTS: usize = 5;

impl Turn<'_> {
    pub(super) fn sample(&mut self) -> Result<()> {
        if !self.state.wrote || !State::is_due(self.state.sampled_at, EVERY, self.now) {
            return Ok(());
        }
        let rows = mirrors::newest_written(&mut self.engine.store.read()?, self.name, CONTACTS)?;
        if self.take(Class::Contacts, rows.len())?.0 < rows.len() {
            return Ok(());
        }
        self.state.sampled_at = Some(self.now);
        self.state.wrote = false;
        let requests: Vec<Request> =
            rows.iter().map(|row| wire::find(self.access(), Named::Address(&row.address))).collect();
        for (row, (at, answer)) in rows.iter().zip(self.ask(requests)) {
            match answer.and_then(|response| wire::read_found(&response, at)) {
                Ok(Some(found)) => self.compare_with(row, &found)?,
                Ok(None) => {}
                Err(outcome) => self.heed(&outcome, at),
            }
        }
        Ok(())
    }

    fn compare_with(&mut self, row: &Mirrored, found: &Found) -> Result<()> {
        let wanted = self.engine.store.write(|tx| {
            let held = contacts::lock(tx, &[&row.contact_id])?.into_values().collect();
            self.wanted(tx, held)
        })?;
        let Some(wanted) = wanted.first().filter(|wanted| wanted.fingerprint == row.fingerprint) else { return Ok(()) };
        for (name, value) in &wanted.document.attributes {
            match found.attributes.get(name) {
                Some(_) => drop(self.state.dropped.remove(name)),
                None => {
                    let why = format!("{value} was sent and is not there; look at the attribute's type in Brevo");
                    self.state.dropped.insert(name.clone(), why);
                }
            }
        }
        if found.blocked && row.stopped_at.is_none() {
            let reason = SuppressionReason::Unsubscribed;
            let no = No { address: &row.address, reason, source: self.name, at: self.now };
            self.engine.hear_no(&no, self.now)?;
        }
        Ok(())
    }
}
