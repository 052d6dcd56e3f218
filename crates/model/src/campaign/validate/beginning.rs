//! The head of a campaign: its name, entry rule, trigger, goal and exits.

use super::Review;
use crate::Span;
use crate::campaign::trigger::{Audience, DateTrigger, ScheduleTrigger, WithoutTrigger};
use crate::campaign::{EntryRule, Trigger};

impl Review<'_> {
    pub(super) fn header(&mut self) {
        let campaign = self.campaign;
        if campaign.name.trim().is_empty() {
            let message = "the campaign has no name".to_owned();
            self.error("name_missing", "name", message, "give it one");
        }
        if campaign.priority > 100 {
            let message = format!("the priority is {}", campaign.priority);
            self.error("priority_out_of_range", "priority", message, "0 to 100");
        }
        if campaign.max_late < Span::ZERO {
            self.positive(campaign.max_late, "max_late");
        }
        if let Some(topic) = &campaign.topic {
            self.topic(topic, "topic");
        }
        if let Some(goal) = &campaign.goal {
            self.event(&goal.event, "goal.event");
            self.conditions(goal.filter.as_ref(), "goal.where");
            if let Some(within) = goal.within {
                self.positive(within, "goal.within");
            }
        }
        if let Some(entry) = campaign.entry {
            self.positive(entry.max_age, "entry.max_age");
            if let EntryRule::OncePer(span) = entry.rule {
                self.positive(span, "entry.once_per");
            }
        }
    }

    pub(super) fn topic(&mut self, topic: &str, path: &str) {
        if !self.known.topics.contains(&topic) {
            let message = format!("there is no topic `{topic}`");
            let remedy = "add it under `topics`, so that people can choose";
            self.warning("topic_unknown", path, message, remedy);
        }
    }

    pub(super) fn exits(&mut self) {
        for (n, rule) in self.campaign.exit_on.iter().enumerate() {
            self.event(&rule.event, &format!("exit_on[{n}].event"));
            self.conditions(rule.filter.as_ref(), &format!("exit_on[{n}].where"));
            self.matching(&rule.matching, &format!("exit_on[{n}].match"));
        }
    }

    pub(super) fn trigger(&mut self) {
        match &self.campaign.trigger {
            Trigger::Event(t) => {
                self.event(&t.event, "trigger.event");
                self.conditions(t.filter.as_ref(), "trigger.where");
            }
            Trigger::Nth(t) => {
                self.event(&t.event, "trigger.nth.event");
                self.conditions(t.filter.as_ref(), "trigger.nth.where");
                self.positive(t.within, "trigger.nth.within");
                if !(1..=1_000).contains(&t.count) {
                    let message = format!("the count is {}", t.count);
                    let remedy = "1 to 1000";
                    self.error("count_out_of_range", "trigger.nth.count", message, remedy);
                }
            }
            Trigger::Without(t) => self.without(t),
            Trigger::Inactive(t) => {
                if let Some(event) = t.named() {
                    self.event(event, "trigger.inactive.event");
                }
                self.conditions(t.filter.as_ref(), "trigger.inactive.where");
                self.positive(t.span, "trigger.inactive.for");
            }
            Trigger::Membership { .. } => self.not_yet("trigger", "`entered` or `left`"),
            Trigger::Date(t) => self.date(t),
            Trigger::Schedule(t) => self.schedule(t),
            Trigger::Api => {}
        }
    }

    fn without(&mut self, t: &WithoutTrigger) {
        self.event(&t.event, "trigger.without.event");
        self.event(&t.then_not, "trigger.without.then_not");
        self.conditions(t.filter.as_ref(), "trigger.without.where");
        self.matching(&t.matching, "trigger.without.match");
        self.positive(t.within, "trigger.without.within");
        if t.event == t.then_not {
            let message = format!("`{}` cannot come without itself", t.event);
            let remedy = "name another event";
            self.error("never_fires", "trigger.without.then_not", message, remedy);
        }
    }

    fn date(&mut self, t: &DateTrigger) {
        if t.attribute.trim().is_empty() {
            let message = "the attribute's name is empty".to_owned();
            let path = "trigger.date.attribute";
            self.error("attribute_missing", path, message, "name the attribute");
        } else {
            self.attribute(&t.attribute, "trigger.date.attribute");
        }
        if let Some(audience) = &t.audience {
            self.audience(audience, "trigger.date.audience");
        }
    }

    fn schedule(&mut self, t: &ScheduleTrigger) {
        if let Err(error) = t.rhythm() {
            let message = format!("`{}` is no schedule: {error}", t.cron);
            let remedy = "write `daily 09:00`, `weekly mon 09:00`, or five fields like `0 9 * * mon`";
            self.error("schedule_invalid", "trigger.schedule.cron", message, remedy);
        }
        self.audience(&t.audience, "trigger.schedule.audience");
    }

    fn audience(&mut self, audience: &Audience, path: &str) {
        match audience {
            Audience::Filters(filters) => self.conditions(Some(filters), path),
            Audience::Segment(_) => self.not_yet(path, "a segment as audience"),
        }
    }
}
