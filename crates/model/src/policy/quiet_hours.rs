//! The hours in which nobody is written to, on the contact's own clock.
//!
//! The window may run over midnight. A message that falls into it is held to its end
//! (SPEC D9); transactional messages do not ask.

use jiff::civil;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::Time;
use crate::campaign::when::Clock;
use crate::contact::timezone::at_local;

/// From `from` to `to`, local time; `to` itself is allowed again. Two equal times are no
/// window at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuietHours {
    pub from: Clock,
    pub to: Clock,
}

impl QuietHours {
    fn is_quiet(&self, clock: civil::Time) -> bool {
        let (from, to) = (self.from.time(), self.to.time());
        if from <= to { from <= clock && clock < to } else { clock >= from || clock < to }
    }

    /// Whether a message may go now, or when the quiet hours end.
    pub fn allowed(&self, now: Time, zone: &TimeZone) -> Result<(), Time> {
        let local = now.to_jiff().to_zoned(zone.clone());
        if !self.is_quiet(local.time()) {
            return Ok(());
        }
        let days = if local.time() < self.to.time() { 0 } else { 1 };
        let date = local.date().checked_add(jiff::Span::new().days(days)).unwrap_or(local.date());
        let mut end = at_local(date, self.to.time(), zone);
        // Where clocks go back over the end of the window, its local time comes twice and
        // the first may be behind us.
        if end <= now {
            end = now.plus(crate::Span::minutes(1));
        }
        Err(end)
    }

    /// The first time from `now` on at which a message may go.
    pub fn next_allowed(&self, now: Time, zone: &TimeZone) -> Time {
        self.allowed(now, zone).err().unwrap_or(now)
    }
}
