//! Ceilings over several windows at once: so many per second, per hour, per day.
//!
//! Each window is a bucket that fills evenly and holds one window's worth, so that
//! nothing is sent in a burst twice as large as allowed for long. The state is a plain
//! value that the engine keeps in a row.

use serde::{Deserialize, Serialize};

use crate::{Span, Time};

/// At most `max` in any long run of `window`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    pub max: u32,
    pub window: Span,
}

/// How full each bucket was, and when. One entry per limit, in the limits' order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Tokens left.
    pub left: Vec<f64>,
    /// Milliseconds.
    pub at: i64,
}

/// Takes `n` from every bucket, or from none and says when they will have them. A wish
/// larger than a bucket is let through when the bucket is full, and leaves it in debt, so
/// that a large batch is slow instead of impossible.
pub fn take(limits: &[Limit], state: &State, n: u32, now: Time) -> Result<State, Time> {
    let filled = refill(limits, state, now);
    let mut until = now;
    for (limit, left) in limits.iter().zip(&filled.left) {
        let wanted = f64::from(n.min(limit.max));
        let missing = wanted - left;
        if limit.max == 0 && n > 0 {
            until = until.max(now.plus(limit.window.max(Span::hours(1))));
        } else if missing > 1e-9 {
            let millis = missing * window_millis(limit) / f64::from(limit.max);
            until = until.max(now.plus(Span::millis(millis.ceil().max(1.0) as i64)));
        }
    }
    if until > now {
        return Err(until);
    }
    let left = filled.left.iter().map(|left| left - f64::from(n)).collect();
    Ok(State { left, at: filled.at })
}

/// How many could be taken at once, now.
pub fn room(limits: &[Limit], state: &State, now: Time) -> u32 {
    let filled = refill(limits, state, now);
    let least = filled.left.iter().copied().fold(f64::from(u32::MAX), f64::min);
    (least + 1e-9).max(0.0) as u32
}

/// The buckets as they stand now. A changed set of limits starts full; a clock that went
/// back adds nothing.
fn refill(limits: &[Limit], state: &State, now: Time) -> State {
    if state.left.len() != limits.len() {
        return State { left: limits.iter().map(|limit| f64::from(limit.max)).collect(), at: now.millis() };
    }
    let passed = now.since(Time::from_millis(state.at)).as_millis().max(0) as f64;
    let left = limits.iter().zip(&state.left).map(|(limit, left)| {
        let gained = passed * f64::from(limit.max) / window_millis(limit);
        let left = if left.is_finite() { *left } else { 0.0 };
        (left + gained).min(f64::from(limit.max))
    });
    State { left: left.collect(), at: state.at.max(now.millis()) }
}

fn window_millis(limit: &Limit) -> f64 {
    limit.window.as_millis().max(1) as f64
}
