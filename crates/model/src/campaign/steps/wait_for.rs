//! `wait_for`: until the contact does something, or a timeout passes.
//!
//! `match` says which of these events is meant, by properties of the trigger. When the
//! timeout comes due, the past is asked once more, so that an event which was stored but
//! never woke the run still counts. Deciding absence before the source's events have all
//! arrived is the engine's care: it wakes the run only past the coverage mark.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::wait::late_ending;
use crate::campaign::advance::course::{CLOCK_SKEW, Course, Move};
use crate::campaign::correlate::{corresponds, resolve};
use crate::campaign::surroundings::{EventFacts, holds};
use crate::campaign::{Code, Match, Node, Rest, Where};
use crate::event::Event;
use crate::{Span, Time};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaitForStep {
    pub event: String,
    #[serde(rename = "where", default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Where>,
    /// Properties that must be equal, e.g. `order_id: trigger.order_id`.
    #[serde(rename = "match", default, skip_serializing_if = "Match::is_empty")]
    pub matching: Match,
    pub timeout: Span,
    /// An event up to this long before the arrival counts too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look_back: Option<Span>,
}

/// Where a wait for an event leads.
#[derive(Clone, Copy)]
pub(in crate::campaign) struct Ways {
    pub then: Option<usize>,
    pub otherwise: Option<usize>,
}

impl WaitForStep {
    pub(in crate::campaign) fn arrive(&self, ways: Ways, course: &mut Course<'_>, node: &Node) -> Move {
        let since = self.since(course);
        if since < course.now
            && let Some(at) = self.happened(course, since)
        {
            return self.came(at, ways, course, node);
        }
        let deadline = course.now.plus(self.timeout);
        let detail = json!({ "event": self.event, "until": deadline });
        course.note(Code::Waiting, node, detail);
        course.since = Some(since);
        Move::Rest(Rest::Event { deadline })
    }

    /// From when on an event counts. Where the engine is behind, not from `now` but from
    /// the moment that the turn is about.
    fn since(&self, course: &Course<'_>) -> Time {
        course.about.minus(self.look_back.unwrap_or(Span::ZERO))
    }

    fn happened(&self, course: &Course<'_>, since: Time) -> Option<Time> {
        let matching = resolve(&self.matching, course.trigger)?;
        let filter = self.filter.as_ref();
        course.past.happened(&self.event, since, &matching, filter)
    }

    /// An event came while the run waits here.
    pub(in crate::campaign) fn event(
        &self,
        event: &Event<'_>,
        since: Time,
        ways: Ways,
        course: &mut Course<'_>,
        node: &Node,
    ) -> Option<Move> {
        let meant = self.event == event.name
            && event.at >= since.minus(CLOCK_SKEW)
            && corresponds(&self.matching, event, course.trigger);
        let facts = EventFacts { base: course.facts.base, event };
        (meant && holds(self.filter.as_ref(), &facts, course.now)).then(|| self.came(event.at, ways, course, node))
    }

    pub(in crate::campaign) fn due(
        &self,
        due: Time,
        since: Time,
        ways: Ways,
        course: &mut Course<'_>,
        node: &Node,
    ) -> Move {
        if let Some(at) = self.happened(course, since) {
            return self.came(at, ways, course, node);
        }
        let late = course.now.since(due);
        if late > course.program.campaign.max_late {
            return Move::End(late_ending(due, late));
        }
        let detail = json!({ "event": self.event, "timeout": self.timeout });
        course.note(Code::TimedOut, node, detail);
        Move::Go(ways.otherwise.or(node.next))
    }

    fn came(&self, at: Time, ways: Ways, course: &mut Course<'_>, node: &Node) -> Move {
        let detail = json!({ "event": self.event, "event_at": at });
        course.note(Code::EventCame, node, detail);
        Move::Go(ways.then.or(node.next))
    }
}
