//! What somebody else allows us: so many requests in any minute and any hour, so many at once,
//! and a pause where they said so.
//!
//! Unlike a ceiling of our own (`rate_limit`), which may fill evenly, the other side counts
//! requests in a window that slides, and an hour that follows a full one must still fit. Each
//! window is therefore counted in twelve parts, and a request goes only where the last
//! thirteen parts have room: never more than allowed in any window, at the price of a twelfth.
//! The state is a plain value that the engine keeps in a row shared by all nodes and jobs.

use serde::{Deserialize, Serialize};

use super::rate_limit::Limit;
use crate::{Span, Time};

const PARTS: i64 = 12;
/// A request that nobody reported back about counts as under way for so long.
const LONGEST: Span = Span::minutes(3);

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Quota {
    /// Per limit: (number of the part, requests in it), the newest last.
    #[serde(default)]
    counts: Vec<Vec<(i64, u32)>>,
    /// Under way: which, and when it counts as over.
    #[serde(default)]
    held: Vec<(String, i64)>,
    /// The other side said to come back then.
    #[serde(default)]
    paused_until: Option<i64>,
}

impl Quota {
    /// Takes one request, or says when there will be room. `holder` names it until `give_back`.
    pub fn take(&mut self, limits: &[Limit], at_once: u32, holder: &str, now: Time) -> Result<(), Time> {
        self.forget(limits, now);
        let mut until = self.paused_until.map(Time::from_millis).filter(|until| *until > now);
        for (limit, counts) in limits.iter().zip(&self.counts) {
            until = until.max(full_until(limit, counts, now));
        }
        if self.held.len() >= at_once as usize {
            // Whoever is under way will be back in a moment, or at the latest when it lapses.
            let first = self.held.iter().map(|(_, lapses)| *lapses).min().unwrap_or(now.millis());
            until = until.max(Some(now.plus(Span::seconds(1)).min(Time::from_millis(first))));
        }
        if let Some(until) = until {
            return Err(until.max(now.plus(Span::millis(1))));
        }
        for (limit, counts) in limits.iter().zip(&mut self.counts) {
            let part = part_of(limit, now);
            match counts.last_mut() {
                Some((last, n)) if *last >= part => *n += 1,
                _ => counts.push((part, 1)),
            }
        }
        self.held.push((holder.to_owned(), now.plus(LONGEST).millis()));
        Ok(())
    }

    pub fn give_back(&mut self, holder: &str) {
        if let Some(at) = self.held.iter().position(|(held, _)| held == holder) {
            self.held.remove(at);
        }
    }

    /// Nothing is asked before this time. A pause is never shortened.
    pub fn pause(&mut self, until: Time) {
        self.paused_until = Some(self.paused_until.unwrap_or(i64::MIN).max(until.millis()));
    }

    /// How many requests were taken in each limit's window, for people to look at.
    pub fn used(&self) -> Vec<u32> {
        self.counts.iter().map(|counts| counts.iter().map(|(_, n)| n).sum()).collect()
    }

    pub fn paused_until(&self, now: Time) -> Option<Time> {
        self.paused_until.map(Time::from_millis).filter(|until| *until > now)
    }

    fn forget(&mut self, limits: &[Limit], now: Time) {
        self.counts.resize(limits.len(), Vec::new());
        for (limit, counts) in limits.iter().zip(&mut self.counts) {
            let oldest = part_of(limit, now) - PARTS;
            counts.retain(|(part, _)| *part >= oldest);
        }
        self.held.retain(|(_, lapses)| *lapses > now.millis());
    }
}

fn part_length(limit: &Limit) -> i64 {
    (limit.window.as_millis() / PARTS).max(1)
}

fn part_of(limit: &Limit, now: Time) -> i64 {
    now.millis().div_euclid(part_length(limit))
}

/// When enough of the oldest parts have left the window; nothing where there is room now.
fn full_until(limit: &Limit, counts: &[(i64, u32)], now: Time) -> Option<Time> {
    let mut sum: u32 = counts.iter().map(|(_, n)| n).sum();
    if sum < limit.max {
        return None;
    }
    for (part, n) in counts {
        sum -= n;
        if sum < limit.max {
            return Some(Time::from_millis((part + PARTS + 1) * part_length(limit)));
        }
    }
    Some(now.plus(limit.window))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: [Limit; 2] =
        [Limit { max: 24, window: Span::minutes(1) }, Limit { max: 100, window: Span::hours(1) }];

    /// Takes as fast as allowed for two hours, and answers every time of taking.
    fn greedy() -> Vec<Time> {
        let (mut quota, mut now, mut taken) = (Quota::default(), Time::from_millis(1_234_567), Vec::new());
        let end = now.plus(Span::hours(2));
        while now < end {
            match quota.take(&LIMITS, 3, "a", now) {
                Ok(()) => {
                    quota.give_back("a");
                    taken.push(now);
                    now = now.plus(Span::millis(20));
                }
                Err(until) => {
                    assert!(until > now);
                    now = until;
                }
            }
        }
        taken
    }

    #[test]
    fn no_window_wherever_it_begins_holds_more_than_allowed() {
        let taken = greedy();
        assert!(taken.len() > 170, "{}", taken.len());
        for limit in LIMITS {
            for (n, began) in taken.iter().enumerate() {
                let within = taken[n..].iter().take_while(|at| at.since(*began) < limit.window).count();
                assert!(within <= limit.max as usize, "{within} in {:?}", limit.window);
            }
        }
    }

    #[test]
    fn only_so_many_are_under_way_and_a_lost_one_lapses() {
        let mut quota = Quota::default();
        let now = Time::from_millis(0);
        for holder in ["a", "b", "c"] {
            assert_eq!(quota.take(&LIMITS, 3, holder, now), Ok(()));
        }
        assert!(quota.take(&LIMITS, 3, "d", now).is_err());
        quota.give_back("b");
        assert_eq!(quota.take(&LIMITS, 3, "d", now), Ok(()));
        assert!(quota.take(&LIMITS, 3, "e", now.plus(Span::minutes(2))).is_err());
        assert_eq!(quota.take(&LIMITS, 3, "e", now.plus(Span::minutes(4))), Ok(()));
    }

    #[test]
    fn a_pause_holds_everybody_and_is_never_shortened() {
        let mut quota = Quota::default();
        let now = Time::from_millis(0);
        quota.pause(now.plus(Span::seconds(90)));
        quota.pause(now.plus(Span::seconds(10)));
        assert_eq!(quota.take(&LIMITS, 3, "a", now), Err(now.plus(Span::seconds(90))));
        assert_eq!(quota.take(&LIMITS, 3, "a", now.plus(Span::seconds(90))), Ok(()));
    }
}
