//! Whether a campaign can work: errors refuse its activation, warnings do not.
//!
//! It looks at the definition and at the names of what exists around it, and reads no
//! store. What one campaign means for another is `lint`'s question.

mod beginning;
mod reach;
mod step;

pub use reach::{paths, unreachable};

use super::{Campaign, Match, Trigger, Where};
use crate::filter::Scope;
use crate::problem::nearest;
use crate::{Problem, Problems, Span};

/// What exists around the campaign.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'a> {
    pub templates: &'a [KnownTemplate<'a>],
    pub senders: &'a [&'a str],
    pub topics: &'a [&'a str],
    /// Events that were seen.
    pub events: &'a [&'a str],
    /// Attributes that some contact has.
    pub attributes: &'a [&'a str],
}

/// A template and the variables it uses without a default: `contact.first_name`, `cart_value`.
pub type KnownTemplate<'a> = (&'a str, &'a [String]);

/// The most steps of one campaign, those inside others counted.
pub const MOST_STEPS: usize = 500;

/// Everything that is wrong or doubtful, in the order of the file.
pub fn validate(campaign: &Campaign, known: &Known<'_>) -> Problems {
    let mut review = Review { campaign, known, problems: Vec::new() };
    review.header();
    review.trigger();
    review.exits();
    review.steps();
    Problems(review.problems)
}

/// The examination under way.
struct Review<'a> {
    campaign: &'a Campaign,
    known: &'a Known<'a>,
    problems: Vec<Problem>,
}

impl Review<'_> {
    fn error(&mut self, code: &str, path: &str, message: String, remedy: &str) {
        self.problems.push(Problem::error(code, path, message, remedy));
    }

    fn warning(&mut self, code: &str, path: &str, message: String, remedy: &str) {
        self.problems.push(Problem::warning(code, path, message, remedy));
    }

    fn not_yet(&mut self, path: &str, what: &str) {
        self.error(
            "not_available_yet",
            path,
            format!("{what} is not available yet"),
            "leave it out until a later release",
        );
    }

    /// A length of time that must be above nothing.
    fn positive(&mut self, span: Span, path: &str) {
        if span <= Span::ZERO {
            let message = format!("`{span}` is no length of time that can pass");
            self.error("span_not_positive", path, message, "write one like 24h");
        }
    }

    /// An event's name: not blank, and seen before or doubtful.
    fn event(&mut self, name: &str, path: &str) {
        if name.trim().is_empty() {
            let message = "the event's name is empty".to_owned();
            self.error("event_missing", path, message, "name the event");
            return;
        }
        if self.known.events.contains(&name) {
            return;
        }
        let remedy = match nearest(name, self.known.events.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "check the name, or send it once".to_owned(),
        };
        let message = format!("no event `{name}` has been seen yet");
        self.warning("event_not_seen", path, message, &remedy);
    }

    fn attribute(&mut self, name: &str, path: &str) {
        let known = self.known.attributes;
        if known.is_empty() || known.iter().any(|k| k.eq_ignore_ascii_case(name)) {
            return;
        }
        let remedy = match nearest(name, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "check the name, or set it for a contact".to_owned(),
        };
        let message = format!("no contact has an attribute `{name}` yet");
        self.warning("attribute_unknown", path, message, &remedy);
    }

    /// `match` must name properties that can be known.
    fn matching(&mut self, matching: &Match, path: &str) {
        for (name, expected) in matching {
            let path = format!("{path}.{name}");
            if name.trim().is_empty() || crate::value::is_blank(expected) {
                let message = "this match names nothing".to_owned();
                let remedy = "write `property: trigger.property`";
                self.error("match_names_nothing", &path, message, remedy);
                continue;
            }
            let Some(property) = super::correlate::trigger_property(expected) else {
                continue;
            };
            if property.trim().is_empty() {
                let message = "`trigger.` names no property".to_owned();
                let remedy = "write `trigger.property`";
                self.error("match_names_nothing", &path, message, remedy);
            } else if !self.trigger_has_properties() {
                let message =
                    format!("`trigger.{property}` is never known: no event with properties starts this campaign");
                let remedy = "use a trigger with an event, or leave the match out";
                self.error("match_names_nothing", &path, message, remedy);
            }
        }
    }

    /// Conditions about accounts can be written, but no account is known yet: they would be
    /// false for everybody, in silence.
    fn conditions(&mut self, filter: Option<&Where>, path: &str) {
        let asks = |filter: &Where| filter.leaves().iter().any(|leaf| leaf.scope() == Scope::Account);
        if filter.is_some_and(asks) {
            let message = "conditions about accounts are not available yet".to_owned();
            self.error("not_available_yet", path, message, "ask about the event or the contact");
        }
    }

    fn trigger_has_properties(&self) -> bool {
        matches!(self.campaign.trigger, Trigger::Event(_) | Trigger::Nth(_) | Trigger::Without(_) | Trigger::Api)
    }
}

#[cfg(test)]
mod tests;
