//! What each sender may still send, under its ceilings per second, hour and day (SPEC E9).
//!
//! A sender without room costs nothing: the claim passes over its messages, which stay due
//! and are taken by priority when there is room again.

use std::collections::BTreeMap;

use hogwire_model::policy::rate_limit::{self, Limit, State};
use hogwire_model::{Span, Time};

use super::Parts;
use crate::error::Result;
use crate::settings::Sender;
use crate::store::{Tx, budgets, messages};

/// What the senders with something due may still send.
pub struct Purse {
    open: BTreeMap<String, Pocket>,
    /// Senders without room; their messages are not even looked at.
    pub empty: Vec<String>,
    room_at: Option<Time>,
}

struct Pocket {
    limits: Vec<Limit>,
    state: State,
    room: u32,
    spent: u32,
}

impl Purse {
    pub fn open(parts: &Parts<'_>, tx: &mut Tx<'_>, now: Time) -> Result<Self> {
        let mut purse = Self { open: BTreeMap::new(), empty: Vec::new(), room_at: None };
        for name in messages::due_senders(tx, now)? {
            let limits = parts.settings.senders.get(&name).map(limits).unwrap_or_default();
            if limits.is_empty() {
                continue;
            }
            let state = budgets::find(tx, &name)?;
            let room = rate_limit::room(&limits, &state, now);
            if room == 0 {
                purse.wait(rate_limit::take(&limits, &state, 1, now).err());
                purse.empty.push(name);
            } else {
                purse.open.insert(name, Pocket { limits, state, room, spent: 0 });
            }
        }
        Ok(purse)
    }

    fn wait(&mut self, until: Option<Time>) {
        self.room_at = self.room_at.into_iter().chain(until).min();
    }

    pub fn has(&self, sender: &str) -> bool {
        self.open.get(sender).is_none_or(|pocket| pocket.spent < pocket.room)
    }

    pub fn spend(&mut self, sender: &str) {
        if let Some(pocket) = self.open.get_mut(sender) {
            pocket.spent += 1;
        }
    }

    /// Writes what was spent, and answers when a sender that is out of room has some again.
    pub fn close(mut self, tx: &mut Tx<'_>, now: Time) -> Result<Option<Time>> {
        for (name, pocket) in std::mem::take(&mut self.open) {
            if let (1.., Ok(state)) = (pocket.spent, rate_limit::take(&pocket.limits, &pocket.state, pocket.spent, now))
            {
                self.wait(rate_limit::take(&pocket.limits, &state, 1, now).err());
                budgets::put(tx, &name, &state)?;
            }
        }
        Ok(self.room_at)
    }
}

fn limits(sender: &Sender) -> Vec<Limit> {
    let windows =
        [(sender.per_second, Span::seconds(1)), (sender.per_hour, Span::hours(1)), (sender.per_day, Span::days(1))];
    windows.into_iter().filter_map(|(max, window)| Some(Limit { max: max?, window })).collect()
}
