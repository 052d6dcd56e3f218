//! How many requests a destination may be asked now, over all nodes: buckets in the database
//! that refill evenly, one for each class of requests, with several windows at once.

use hogwire_connectors::brevo::limits::Class;
use hogwire_model::Time;
use hogwire_model::policy::rate_limit::{self, Limit};

use super::Turn;
use crate::error::Result;
use crate::store::budgets;

impl Turn<'_> {
    /// Takes up to `wanted` requests out of a class's budget. Answers how many there were,
    /// and when there will be more where that was not enough.
    pub fn take(&mut self, class: Class, wanted: usize) -> Result<(usize, Option<Time>)> {
        let limits: Vec<Limit> = class.budget().into_iter().map(|(window, max)| Limit { max, window }).collect();
        let purse = format!("{}/{}", self.name, class.as_str());
        let now = self.now;
        self.engine.store.write(|tx| {
            let state = budgets::find(tx, &purse)?;
            let room = rate_limit::room(&limits, &state, now);
            let taken = room.min(u32::try_from(wanted).unwrap_or(u32::MAX));
            let state = match rate_limit::take(&limits, &state, taken, now) {
                Ok(state) => state,
                Err(until) => return Ok((0, Some(until))),
            };
            if taken > 0 {
                budgets::put(tx, &purse, &state)?;
            }
            let more = (usize::try_from(taken).unwrap_or(0) < wanted)
                .then(|| rate_limit::take(&limits, &state, 1, now).err().unwrap_or(now));
            Ok((usize::try_from(taken).unwrap_or(0), more))
        })
    }

    /// One request, now or not at all.
    pub fn take_one(&mut self, class: Class) -> Result<bool> {
        Ok(self.take(class, 1)?.0 == 1)
    }
}
