//! A turn under way: what the steps read, and what they leave behind.

use serde_json::Value;

use super::{Effect, Ending, Past, Rest, Run};
use crate::campaign::surroundings::TurnFacts;
use crate::campaign::{Code, Decision, Node, Program};
use crate::contact::Contact;
use crate::{Span, Time};

pub(in crate::campaign) struct Course<'a> {
    pub program: &'a Program,
    pub run: &'a mut Run,
    pub campaign_id: &'a str,
    pub contact: &'a Contact,
    pub facts: TurnFacts<'a>,
    pub past: &'a dyn Past,
    pub trigger: &'a Value,
    pub zone: &'a jiff::tz::TimeZone,
    pub now: Time,
    pub effects: Vec<Effect>,
    pub decisions: Vec<Decision>,
    /// The moment that this turn is about: the entry, the time a wait was due, the event.
    /// Earlier than `now` where the engine was behind; what happened meanwhile counts.
    pub about: Time,
    /// Set by a step that waits for an event: from when on one counts.
    pub since: Option<Time>,
}

/// Clocks of clients differ: an event that wakes a run may bear a time this much earlier.
pub(in crate::campaign) const CLOCK_SKEW: Span = Span::minutes(5);

/// What a step decides about the way on.
pub(in crate::campaign) enum Move {
    Go(Option<usize>),
    Rest(Rest),
    End(Ending),
}

impl Course<'_> {
    pub fn note(&mut self, code: Code, node: &Node, detail: Value) {
        self.decisions.push(Decision::at_step(code, &node.id, detail));
    }
}
