//! What time it is. The demonstration may let it run faster than the wall's.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hogwire_model::{Span, Time};

/// The wall clock, or one that runs `pace` times as fast from the moment it was made.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    pace: u32,
    began: Time,
    since: Instant,
}

impl Clock {
    pub fn real() -> Self {
        Self { pace: 1, began: wall(), since: Instant::now() }
    }

    /// A clock that starts at a time and runs `pace` times as fast as the wall's.
    pub fn paced(began: Time, pace: u32) -> Self {
        Self { pace: pace.max(1), began, since: Instant::now() }
    }

    pub fn now(&self) -> Time {
        if self.pace == 1 {
            return wall();
        }
        let passed = self.since.elapsed().as_millis().saturating_mul(u128::from(self.pace));
        self.began.plus(Span::millis(i64::try_from(passed).unwrap_or(i64::MAX)))
    }

    /// How long to wait, on the wall's clock, until a time has come.
    pub fn until(&self, time: Time) -> Duration {
        let left = time.since(self.now()).as_millis().max(0);
        let left = u64::try_from(left).unwrap_or(0).div_ceil(u64::from(self.pace));
        Duration::from_millis(left)
    }
}

fn wall() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
