//! How many messages a contact gets within a sliding window, over all topics or one.
//!
//! A message that a cap stops is held until the window has room, never dropped (SPEC D9).
//! Who counts as sent, and that transactional messages are exempt, is the caller's business.

use serde::{Deserialize, Serialize};

use crate::{Span, Time};

/// At most `max` messages within any stretch of `within`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cap {
    pub max: u32,
    pub within: Span,
    /// Counts only messages of this topic; none: all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
}

/// One message that the contact got, or that is on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent<'a> {
    pub at: Time,
    pub topic: &'a str,
}

impl Cap {
    fn counts(&self, topic: &str) -> bool {
        self.topic.as_deref().is_none_or(|own| own == topic)
    }
}

/// Whether one more message of a topic may go now, or the first time at which it may.
/// With a cap of zero there is no such time; the answer is then a year away, so that it
/// is asked again.
pub fn allowed(caps: &[Cap], topic: &str, sent: &[Sent<'_>], now: Time) -> Result<(), Time> {
    let until = caps.iter().filter(|cap| cap.counts(topic)).filter_map(|cap| held_until(cap, sent, now)).max();
    until.map_or(Ok(()), Err)
}

/// How far back the caps look: older messages need not be loaded.
pub fn look_back(caps: &[Cap]) -> Span {
    caps.iter().map(|cap| cap.within).max().unwrap_or(Span::ZERO)
}

fn held_until(cap: &Cap, sent: &[Sent<'_>], now: Time) -> Option<Time> {
    if cap.max == 0 {
        return Some(now.plus(Span::days(365)));
    }
    let begins = now.minus(cap.within);
    let mut times: Vec<Time> =
        sent.iter().filter(|sent| sent.at > begins && cap.counts(sent.topic)).map(|sent| sent.at).collect();
    let max = usize::try_from(cap.max).unwrap_or(usize::MAX);
    if times.len() < max {
        return None;
    }
    // Room comes when the oldest of the newest `max` has left the window.
    times.sort_unstable();
    times.get(times.len() - max).map(|oldest| oldest.plus(cap.within))
}
