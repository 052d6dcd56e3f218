//! Runs the standing jobs of the `jobs` table, one per step, by kind.
//!
//! A job answers whether it goes on (with a new payload and time) or is done. A failure is
//! recorded on its row and tried again later; it stops no other job. A job that asks the
//! outside holds no transaction meanwhile: it is leased, and settled where it is still ours.

use hogwire_model::{Span, Time};

use super::{refresh_credential, schedule, survey};
use crate::contacts;
use crate::engine::{Engine, Stepped};
use crate::error::{Error, Result};
use crate::store::{Tx, domains as stored, jobs};
use crate::{domains, housekeeping};

/// What a job came to.
pub enum After {
    Again { payload: String, due: Time },
    Done,
}

/// How a kind of job runs.
#[derive(Clone, Copy)]
enum Run {
    /// Within the transaction that claims it.
    Inside(fn(&Engine, &mut Tx<'_>, &jobs::Job, Time) -> Result<After>),
    /// Without any, because it waits for others.
    Outside(fn(&Engine, &jobs::Job, Time) -> Result<After>),
}

/// Longer than any request of one run takes.
const LEASE: Span = Span::seconds(90);

/// Every kind of standing job, sorted.
fn all() -> &'static [(&'static str, Run)] {
    &[
        ("blank_log", Run::Inside(contacts::blank_log)),
        ("heartbeat", Run::Inside(housekeeping::heartbeat)),
        ("move_history", Run::Inside(housekeeping::move_history)),
        ("prune", Run::Inside(housekeeping::prune)),
        ("refresh_credential", Run::Outside(refresh_credential::run)),
        ("schedule", Run::Inside(schedule::run)),
        ("survey", Run::Inside(survey::run)),
    ]
}

pub fn step(engine: &Engine, now: Time) -> Result<Stepped> {
    let looked = domains::step(engine, now)?;
    if looked > 0 {
        return Ok(Stepped { did: looked, next_due: None });
    }
    let mut tx = engine.store.begin()?;
    let Some(mut job) = jobs::claim(&mut tx, now)? else {
        let next_due = jobs::next_due(&mut tx)?.into_iter().chain(stored::next_due(&mut tx)?).min();
        // Nobody waits for the database while a segment is compressed.
        drop(tx);
        return Ok(Stepped { did: usize::from(engine.inbox.tidy()?), next_due });
    };
    let outcome = match all().iter().find(|(kind, _)| *kind == job.kind) {
        Some((_, Run::Inside(run))) => run(engine, &mut tx, &job, now),
        Some((_, Run::Outside(run))) => {
            jobs::lease(&mut tx, &mut job, now.plus(LEASE))?;
            tx.commit()?;
            let outcome = run(engine, &job, now);
            tx = engine.store.begin()?;
            if !jobs::is_held(&mut tx, &job)? {
                return Ok(Stepped { did: 1, next_due: None });
            }
            outcome
        }
        None => Err(Error::Missing(format!("a job of kind {}", job.kind))),
    };
    match outcome {
        Ok(After::Again { payload, due }) => jobs::again(&mut tx, &job.id, &payload, due, now)?,
        Ok(After::Done) => jobs::done(&mut tx, &job.id, now)?,
        Err(Error::Busy(why)) => return Err(Error::Busy(why)),
        Err(error) => {
            // What the job wrote before it failed must not stay.
            drop(tx);
            let mut tx = engine.store.begin()?;
            jobs::failed(&mut tx, &job, &error.to_string(), now)?;
            tx.commit()?;
            return Ok(Stepped { did: 1, next_due: None });
        }
    }
    tx.commit()?;
    engine.outside.wake.wake();
    Ok(Stepped { did: 1, next_due: None })
}
