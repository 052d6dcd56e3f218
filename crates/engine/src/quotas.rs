//! One budget for each limit that somebody else sets, shared by all nodes and jobs (SPEC B10).
//!
//! Whoever wants to ask takes from it before the first byte and gives back after the last; who
//! finds no room comes back at the time that is named, as a row with that time. A `Retry-After`
//! pauses everybody. Generic over vendors: the caller brings the limit's name and its windows.

use hogwire_model::Time;
use hogwire_model::policy::rate_limit::Limit;

use crate::error::Result;
use crate::store::{Store, Tx, quotas};

/// A limit: its name, its windows, and how many may be under way at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Allowance {
    /// `VENDOR:CONNECTION/CLASS`.
    pub name: String,
    pub limits: Vec<Limit>,
    pub at_once: u32,
}

/// Takes one request within the caller's transaction. The error says when there is room.
pub fn take(tx: &mut Tx<'_>, allowance: &Allowance, holder: &str, now: Time) -> Result<Result<(), Time>> {
    let mut quota = quotas::lock(tx, &allowance.name)?;
    let taken = quota.take(&allowance.limits, allowance.at_once, holder, now);
    if taken.is_ok() {
        quotas::put(tx, &allowance.name, &quota)?;
    }
    Ok(taken)
}

/// The request is over. Where the other side said when to come back, everybody waits.
pub fn give_back(store: &Store, allowance: &Allowance, holder: &str, pause_until: Option<Time>) -> Result<()> {
    store.write(|tx| {
        let mut quota = quotas::lock(tx, &allowance.name)?;
        quota.give_back(holder);
        if let Some(until) = pause_until {
            quota.pause(until);
        }
        quotas::put(tx, &allowance.name, &quota)
    })
}
