//! When a failed try is made again. The ladders are fixed; the jitter is an argument.

use crate::{Span, Time};

/// What was tried. Each kind has its ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A mail relay or mail API: five tries within a day.
    Email,
    /// An address that a campaign calls: ten tries within a day.
    Webhook,
    /// Events that go back to their source: for three days, as an outage there is no loss here.
    Capture,
    /// Everything inside: a database that is busy, a pull that failed.
    Internal,
}

const SECOND: i64 = 1;
const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;

impl Kind {
    /// Pauses after the first, second, … try, in seconds.
    const fn ladder(self) -> &'static [i64] {
        match self {
            Self::Email => &[MINUTE, 15 * MINUTE, 2 * HOUR, 12 * HOUR],
            Self::Webhook => {
                &[5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 10 * HOUR]
            }
            Self::Capture => &[
                5 * SECOND,
                30 * SECOND,
                2 * MINUTE,
                10 * MINUTE,
                30 * MINUTE,
                HOUR,
                3 * HOUR,
                6 * HOUR,
                12 * HOUR,
                24 * HOUR,
                24 * HOUR,
            ],
            Self::Internal => {
                &[SECOND, 5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, HOUR, HOUR, HOUR]
            }
        }
    }

    /// How many tries there are in all.
    pub const fn tries(self) -> u32 {
        self.ladder().len() as u32 + 1
    }
}

/// When to try again after try number `attempt` (the first is 1) failed at `now`, or
/// nothing when that was the last. `jitter` in [0, 1) spreads the pause over 90% to 110%.
pub fn next(attempt: u32, now: Time, jitter: f64, kind: Kind) -> Option<Time> {
    let place = usize::try_from(attempt.max(1) - 1).ok()?;
    let seconds = *kind.ladder().get(place)?;
    let jitter = if jitter.is_finite() { jitter.clamp(0.0, 1.0) } else { 0.5 };
    let millis = (seconds * 1_000) as f64 * (0.9 + 0.2 * jitter);
    Some(now.plus(Span::millis(millis as i64)))
}
