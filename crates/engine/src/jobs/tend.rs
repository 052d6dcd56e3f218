//! Runs the standing jobs of the `jobs` table, one per step, by kind.
//!
//! A job answers whether it goes on (with a new payload and time) or is done. A failure is
//! recorded on its row and tried again later; it stops no other job.

use hogwire_model::Time;

use super::{schedule, survey};
use crate::contacts;
use crate::engine::{Engine, Stepped};
use crate::error::{Error, Result};
use crate::housekeeping;
use crate::store::{Tx, jobs};

/// What a job came to.
pub enum After {
    Again { payload: String, due: Time },
    Done,
}

type Run = fn(&Engine, &mut Tx<'_>, &jobs::Job, Time) -> Result<After>;

/// Every kind of standing job, sorted.
pub fn all() -> &'static [(&'static str, Run)] {
    &[
        ("blank_log", contacts::blank_log),
        ("heartbeat", housekeeping::heartbeat),
        ("move_history", housekeeping::move_history),
        ("prune", housekeeping::prune),
        ("schedule", schedule::run),
        ("survey", survey::run),
    ]
}

pub fn step(engine: &Engine, now: Time) -> Result<Stepped> {
    let mut tx = engine.store.begin()?;
    let Some(job) = jobs::claim(&mut tx, now)? else {
        let next_due = jobs::next_due(&mut tx)?;
        // Nobody waits for the database while a segment is compressed.
        drop(tx);
        return Ok(Stepped { did: usize::from(engine.inbox.tidy()?), next_due });
    };
    let outcome = match all().iter().find(|(kind, _)| *kind == job.kind) {
        Some((_, run)) => run(engine, &mut tx, &job, now),
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
