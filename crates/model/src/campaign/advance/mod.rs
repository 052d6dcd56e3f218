//! One turn of one enrollment: from where the run rests to where it rests next.
//!
//! The engine wakes a run for a reason (`Wake`), hands over what is known, and stores
//! what comes back in one transaction: the effects as outbox rows, the decisions, the
//! new rest. Nothing is sent or stored here. A turn is bounded, and a run that goes
//! round too often is ended with `loop_bound`.

pub(in crate::campaign) mod course;
mod drive;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use drive::{MOST_NODES, MOST_ROUNDS, advance, exits};

use super::{Code, Decision, Program, Where};
use crate::Time;
use crate::contact::Contact;
use crate::event::Event;
use crate::filter::Facts;

/// Where a run is. Stored as JSON with the enrollment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The id of the node at which it rests. Nothing before the first turn and after the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<String>,
    /// When the event happened that started it: `entry + 2d` counts from here.
    pub entered_at: Time,
    /// Rounds done per `repeat` step under way.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub loops: BTreeMap<String, u32>,
    /// Rounds of all `repeat` steps together, over the whole run.
    #[serde(default)]
    pub rounds: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
    /// When it wakes by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Time>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Waiting {
    Until,
    /// For an event at or after `since`.
    Event {
        since: Time,
    },
    /// For its message to settle.
    Message,
}

/// Why the run is woken.
#[derive(Clone, Copy, Debug)]
pub enum Wake<'a> {
    Entered,
    Due,
    Event(&'a Event<'a>),
    Settled(Settlement),
}

/// What became of the message that the run waits for. The engine records the decision
/// with the message; a turn adds none of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    Sent,
    /// Not sent, and why. The run goes on, unless the reason is an exit.
    Skipped(Code),
    Unknown,
}

/// What one turn is decided from.
pub struct Turn<'a> {
    pub program: &'a Program,
    pub run: &'a mut Run,
    pub campaign_id: &'a str,
    pub contact: &'a Contact,
    /// For contact, account, campaign and message; `type: event` is answered from `trigger`.
    pub facts: &'a dyn Facts,
    pub past: &'a dyn Past,
    /// Properties of the event that started the run.
    pub trigger: &'a Value,
    /// The contact's time zone.
    pub zone: &'a jiff::tz::TimeZone,
    pub now: Time,
    pub wake: Wake<'a>,
}

/// The stored events of the contact.
pub trait Past {
    /// The first such event at or after `since` whose properties equal `matching`
    /// (as `correlate::same` compares) and for which the conditions hold.
    fn happened(&self, event: &str, since: Time, matching: &[(String, Value)], filter: Option<&Where>) -> Option<Time>;
}

#[derive(Clone, Debug, PartialEq)]
pub struct Advance {
    /// In order. Each becomes one outbox row, keyed by enrollment, step and round.
    pub effects: Vec<Effect>,
    /// In order, the ending included.
    pub decisions: Vec<Decision>,
    pub rest: Rest,
}

/// Until what the run sleeps.
#[derive(Clone, Debug, PartialEq)]
pub enum Rest {
    Until(Time),
    /// For an event, at most until the deadline.
    Event {
        deadline: Time,
    },
    /// For `Wake::Settled`.
    Message,
    Ended(Ending),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    pub code: Code,
    pub reason: String,
}

/// What the engine is to do. `step` is the node's id. Strings of webhooks, captures,
/// attributes and enrollments may hold Liquid, which the engine renders.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    Email {
        step: String,
        template: String,
        sender: Option<String>,
        topic: Option<String>,
        /// Not to be sent after this.
        expires: Option<Time>,
    },
    Webhook {
        step: String,
        method: String,
        url: String,
        headers: Vec<(String, String)>,
        body: Option<Value>,
    },
    Capture {
        step: String,
        event: String,
        properties: Map<String, Value>,
    },
    /// Null removes.
    SetAttributes {
        step: String,
        values: Map<String, Value>,
    },
    Enroll {
        step: String,
        campaign: String,
        properties: Map<String, Value>,
    },
}

impl Run {
    pub fn new(entered_at: Time) -> Self {
        Self { position: None, entered_at, loops: BTreeMap::new(), rounds: 0, waiting: None, due: None }
    }
}

impl Effect {
    pub fn step(&self) -> &str {
        match self {
            Self::Email { step, .. }
            | Self::Webhook { step, .. }
            | Self::Capture { step, .. }
            | Self::SetAttributes { step, .. }
            | Self::Enroll { step, .. } => step,
        }
    }
}

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
