//! What time it is. The demonstration may let it run faster than the wall's.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hogwire_model::{Span, Time};

/// The wall clock, or one that runs `pace` times as fast from the moment it was made.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    pace: u32,
    /// How long it runs apart from the wall's; after that it shows the same.
    lasts: Option<Duration>,
    began: Time,
    since: Instant,
}

impl Clock {
    pub fn real() -> Self {
        Self { pace: 1, lasts: None, began: wall(), since: Instant::now() }
    }

    /// A clock that starts at a time and runs `pace` times as fast as the wall's.
    pub fn paced(began: Time, pace: u32) -> Self {
        Self { pace: pace.max(1), lasts: None, began, since: Instant::now() }
    }

    /// A clock that is behind the wall's by a span and catches up within a while.
    pub fn catching_up(span: Span, within: Duration) -> Self {
        let span = u64::try_from(span.as_millis()).unwrap_or(0);
        let within_millis = u64::try_from(within.as_millis()).unwrap_or(u64::MAX).max(1);
        let pace = u32::try_from(span / within_millis).unwrap_or(u32::MAX).saturating_add(1);
        // At the end it shows what the wall's does.
        let ahead = within_millis.saturating_mul(u64::from(pace) - 1);
        let began = wall().minus(Span::millis(i64::try_from(ahead).unwrap_or(0)));
        Self { pace, lasts: Some(within), began, since: Instant::now() }
    }

    pub fn now(&self) -> Time {
        if self.is_walls() {
            return wall();
        }
        let passed = self.since.elapsed().as_millis().saturating_mul(u128::from(self.pace));
        self.began.plus(Span::millis(i64::try_from(passed).unwrap_or(i64::MAX)))
    }

    /// Whether it shows what the wall's does.
    fn is_walls(&self) -> bool {
        self.pace == 1 || self.lasts.is_some_and(|lasts| self.since.elapsed() >= lasts)
    }

    /// How long to wait, on the wall's clock, until a time has come.
    pub fn until(&self, time: Time) -> Duration {
        let left = time.since(self.now()).as_millis().max(0);
        let left = u64::try_from(left).unwrap_or(0).div_ceil(if self.is_walls() { 1 } else { u64::from(self.pace) });
        Duration::from_millis(left)
    }
}

fn wall() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
