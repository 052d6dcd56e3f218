//! The first phase: does this event concern the campaign, and do its conditions hold?

use serde_json::{Value, json};

use super::Trigger;
use crate::Time;
use crate::campaign::correlate::corresponds;
use crate::campaign::surroundings::{EventFacts, failure, holds};
use crate::campaign::{Code, Decision, Match, Program, Where};
use crate::event::Event;
use crate::filter::Facts;

#[derive(Clone, Debug, PartialEq)]
pub enum Matched {
    /// The trigger does not name the event. Nothing is recorded.
    NotNamed,
    /// Named, but the conditions are false.
    Refused(Decision),
    Hit,
    /// The `then_not` event of a `without` trigger: ask `cancels` for each watch of the contact.
    Cancels,
}

/// Looks at one event. `facts` answers for contact, account, campaign and message; the
/// event's own properties come from the event.
pub fn matches(program: &Program, event: &Event<'_>, facts: &dyn Facts, now: Time) -> Matched {
    let (name, filter) = match &program.campaign.trigger {
        Trigger::Event(t) => (&t.event, t.filter.as_ref()),
        Trigger::Nth(t) => (&t.event, t.filter.as_ref()),
        Trigger::Without(t) if t.then_not == event.name && t.event != t.then_not => {
            return Matched::Cancels;
        }
        Trigger::Without(t) => (&t.event, t.filter.as_ref()),
        _ => return Matched::NotNamed,
    };
    if *name != event.name {
        return Matched::NotNamed;
    }
    condition(filter, event, facts, now)
}

fn condition(filter: Option<&Where>, event: &Event<'_>, facts: &dyn Facts, now: Time) -> Matched {
    let facts = EventFacts { base: facts, event };
    match filter {
        Some(filter) if !holds(Some(filter), &facts, now) => {
            let mut detail = failure(filter, &facts, now);
            if let Some(object) = detail.as_object_mut() {
                object.insert("event".to_owned(), json!(event.name));
                object.insert("event_at".to_owned(), json!(event.at));
            }
            Matched::Refused(Decision::new(Code::ConditionFalse, detail))
        }
        _ => Matched::Hit,
    }
}

/// Whether a `then_not` event ends the watch that an earlier event with the properties
/// `trigger` began.
pub fn cancels(program: &Program, event: &Event<'_>, trigger: &Value) -> bool {
    match &program.campaign.trigger {
        Trigger::Without(t) => t.then_not == event.name && corresponds(&t.matching, event, trigger),
        _ => false,
    }
}

/// The correlation of a `without` trigger; empty for the others.
pub fn match_keys(program: &Program) -> &Match {
    static NONE: Match = Match::new();
    match &program.campaign.trigger {
        Trigger::Without(t) => &t.matching,
        _ => &NONE,
    }
}
