//! What starts a campaign, as written, and whether it does.
//!
//! Two phases, both pure: `matches` looks at one event and answers whether it is a hit,
//! `admit` weighs the hit against the contact's history with the campaign. Triggers
//! without an event (inactivity, a date, a schedule) have functions that say when they
//! are due; the engine then asks `admit` with that moment as the event's.

mod admit;
mod due;
mod form;
mod matches;

pub use admit::{Admission, History, admit, confirm, hit_window, watch_span};
pub use due::{date_due, inactive_due, schedule_next};
pub use form::{Audience, Direction, MemberSet};
pub use matches::{Matched, cancels, match_keys, matches};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use jiff::tz::TimeZone;

use super::surroundings::holds;
use super::when::{Clock, Zone};
use super::{Match, Where};
use crate::Span;
use crate::Time;
use crate::filter::Facts;
use crate::schedule::Schedule;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "form::TriggerForm", into = "form::TriggerForm")]
pub enum Trigger {
    Event(EventTrigger),
    Nth(NthTrigger),
    Without(WithoutTrigger),
    Inactive(InactiveTrigger),
    Membership { direction: Direction, set: MemberSet },
    Date(DateTrigger),
    Schedule(ScheduleTrigger),
    Api,
}

#[derive(Clone, Debug, PartialEq)]
pub struct EventTrigger {
    pub event: String,
    pub filter: Option<Where>,
}

/// The count of such events reaches N within a window; earlier ones count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NthTrigger {
    pub event: String,
    #[serde(rename = "where", default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Where>,
    #[schemars(range(min = 1, max = 1000))]
    pub count: u32,
    pub within: Span,
}

/// One event, and another one does not follow in time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WithoutTrigger {
    pub event: String,
    #[serde(rename = "where", default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Where>,
    pub then_not: String,
    /// Properties that make the other event the right one.
    #[serde(rename = "match", default, skip_serializing_if = "Match::is_empty")]
    pub matching: Match,
    pub within: Span,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InactiveTrigger {
    /// An event's name, or `any`.
    #[serde(default = "any_event")]
    pub event: String,
    #[serde(rename = "where", default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Where>,
    #[serde(rename = "for")]
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DateTrigger {
    /// The contact's attribute that holds the date.
    pub attribute: String,
    /// Before (negative) or after the date.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub offset: Span,
    /// Local time of day. Absent: the time in the value, or 09:00 where it is a bare date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Clock>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Zone>,
    /// Every year on that day, as for birthdays.
    #[serde(default, skip_serializing_if = "super::is_false")]
    pub yearly: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<Audience>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleTrigger {
    /// A cron line, or a phrase like `daily 06:00`.
    pub cron: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Zone>,
    pub audience: Audience,
}

impl ScheduleTrigger {
    /// When it runs. A campaign runs for everybody at once, so the zone of a contact is
    /// nobody's, and UTC is meant. The error is a sentence.
    pub fn rhythm(&self) -> Result<Schedule, String> {
        let zone = self.zone.as_ref().map_or(TimeZone::UTC, |zone| zone.resolve(&TimeZone::UTC));
        Schedule::parse(&self.cron).map(|schedule| schedule.in_zone(&zone))
    }

    /// Whether a contact belongs to the audience. Segments come in a later order, and
    /// nobody is in one yet.
    pub fn addresses(&self, facts: &dyn Facts, now: Time) -> bool {
        match &self.audience {
            Audience::Filters(filters) => holds(Some(filters), facts, now),
            Audience::Segment(_) => false,
        }
    }
}

impl InactiveTrigger {
    /// The event that counts as activity; nothing means any.
    pub fn named(&self) -> Option<&str> {
        (self.event != "any").then_some(self.event.as_str())
    }
}

fn any_event() -> String {
    "any".to_owned()
}

fn is_zero(span: &Span) -> bool {
    *span == Span::ZERO
}

#[cfg(test)]
mod tests;
