//! Erasing at a destination, with its answer in the receipt (SPEC B13). While an import runs
//! that may hold the person, the receipt waits: it would bring them back.

use hogwire_connectors::brevo::contacts::{self as wire, Named};
use hogwire_connectors::brevo::limits::Class;
use hogwire_model::policy::retry::{self, Kind};
use hogwire_model::{Outcome, Time};
use serde::Deserialize;

use super::{State, Turn};
use crate::error::Result;
use crate::store::{Tx, erasures};

const AT_ONCE: usize = 8;

/// Whom to erase, as the receipt names them.
#[derive(Deserialize)]
struct Subject {
    address: String,
    id: Option<String>,
}

pub fn next_due(tx: &mut Tx<'_>, destination: &str, state: &State) -> Result<Option<Time>> {
    let due = erasures::next_due(tx, destination)?;
    Ok(due.filter(|_| state.imports.is_empty()))
}

impl Turn<'_> {
    pub(super) fn erase(&mut self) -> Result<()> {
        if !self.state.imports.is_empty() {
            return Ok(());
        }
        let (name, now) = (self.name, self.now);
        let due = self.engine.store.write(|tx| erasures::due(tx, name, now, AT_ONCE))?;
        for (erasure, subject, attempts) in due {
            // At most two requests: by our id, and where that is not known by the address.
            if self.take(Class::Contacts, 2)?.0 < 2 {
                break;
            }
            self.did += 1;
            let (at, outcome) = self.erase_one(&subject);
            self.heed(&outcome, at);
            let jitter = self.engine.outside.entropy.fraction();
            let attempt = u32::try_from(attempts + 1).unwrap_or(u32::MAX);
            let (status, said, due) = match outcome {
                Outcome::Done(said) => ("done", said, None),
                Outcome::Refused(said) => ("failed", said, None),
                Outcome::Snooze(until, said) => ("pending", said, Some(until)),
                Outcome::Unauthorized(said) => ("pending", said, Some(at.plus(super::LOGIN_PAUSE))),
                Outcome::Retry(said) | Outcome::Unknown(said) => {
                    match retry::next(attempt, at, jitter, Kind::Capture) {
                        Some(due) => ("pending", said, Some(due)),
                        None => ("failed", said, None),
                    }
                }
            };
            self.engine.store.write(|tx| erasures::settle(tx, &erasure, name, status, &said, due, at))?;
        }
        Ok(())
    }

    fn erase_one(&mut self, subject: &str) -> (Time, Outcome) {
        let Ok(subject) = serde_json::from_str::<Subject>(subject) else {
            return (self.now, Outcome::Refused("what was to be erased cannot be read".to_owned()));
        };
        let names = [subject.id.as_deref().map(Named::Ours), Some(Named::Address(&subject.address))];
        let mut last = (self.now, Outcome::Done("had no name there".to_owned()));
        for named in names.into_iter().flatten() {
            let request = wire::remove(self.access(), named);
            let (at, answer) = self.ask_one(request);
            last = (at, answer.map_or_else(|outcome| outcome, |response| wire::read_removed(&response, at)));
            // Gone by this name; one that was not there may be there by the other.
            if !matches!(&last.1, Outcome::Done(said) if said.starts_with("404")) {
                break;
            }
        }
        last
    }
}
