//! The second phase: the event is a hit; may this contact enter now?

use serde_json::json;

use super::Trigger;
use crate::campaign::{Code, Decision, EntryRule, Program};
use crate::{Span, Time};

/// What the engine knows of a contact's past with the campaign.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// Entries over all versions, newest first.
    pub entries: Vec<Time>,
    /// A run is under way.
    pub live: bool,
    /// Trigger hits including this one, in any order. For `nth` only.
    pub hits: Vec<Time>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Admission {
    Enter,
    /// Enter at that time unless the other event comes first; then ask `confirm`.
    Watch {
        until: Time,
    },
    Refuse(Decision),
}

/// Weighs a hit. `event_at` is when it happened, `now` when it is decided.
pub fn admit(program: &Program, event_at: Time, now: Time, history: &History) -> Admission {
    let max_age = program.entry.max_age;
    let age = now.since(event_at);
    if age > max_age {
        let detail = json!({ "event_at": event_at, "age": age, "max_age": max_age });
        return Admission::Refuse(Decision::new(Code::TooOld, detail));
    }
    if let Trigger::Nth(nth) = &program.campaign.trigger {
        let opens = event_at.minus(nth.within);
        let hits = &history.hits;
        let reached = hits.iter().filter(|at| **at > opens && **at <= event_at);
        let reached = reached.count();
        if reached != nth.count as usize {
            let detail = json!({ "count": reached, "needed": nth.count, "within": nth.within });
            return Admission::Refuse(Decision::new(Code::CountNotReached, detail));
        }
    }
    if let Some(refusal) = entry_refusal(program, now, history) {
        return Admission::Refuse(refusal);
    }
    match watch_span(program) {
        Some(span) => Admission::Watch { until: event_at.plus(span) },
        None => Admission::Enter,
    }
}

/// The end of a watch, when the other event has not come: the entry rule is asked again,
/// and a watch that ended too long ago (downtime) starts nothing.
pub fn confirm(program: &Program, until: Time, now: Time, history: &History) -> Admission {
    let late = now.since(until);
    if late > program.campaign.max_late {
        let detail = json!({ "due": until, "late_by": late, "max_late": program.campaign.max_late });
        return Admission::Refuse(Decision::new(Code::Late, detail));
    }
    match entry_refusal(program, now, history) {
        Some(refusal) => Admission::Refuse(refusal),
        None => Admission::Enter,
    }
}

fn entry_refusal(program: &Program, now: Time, history: &History) -> Option<Decision> {
    let entry = program.entry;
    if history.live && !entry.concurrent {
        let since = history.entries.first();
        return Some(Decision::new(Code::AlreadyIn, json!({ "since": since })));
    }
    let last = history.entries.iter().max()?;
    match entry.rule {
        EntryRule::Every => None,
        EntryRule::Once => Some(Decision::new(Code::EntryRule, json!({ "rule": "once", "last_entry": last }))),
        EntryRule::OncePer(span) => {
            let again = last.plus(span);
            (now < again).then(|| {
                let detail = json!({ "rule": "once_per", "per": span, "last_entry": last, "again_after": again });
                Decision::new(Code::EntryRule, detail)
            })
        }
    }
}

/// How far back the engine must count earlier hits; only for `nth`.
pub fn hit_window(program: &Program) -> Option<Span> {
    match &program.campaign.trigger {
        Trigger::Nth(nth) => Some(nth.within),
        _ => None,
    }
}

/// How long to watch for the other event; only for `without`.
pub fn watch_span(program: &Program) -> Option<Span> {
    match &program.campaign.trigger {
        Trigger::Without(without) => Some(without.within),
        _ => None,
    }
}
