//! The steps, each with its place in the file.

use std::collections::{BTreeMap, BTreeSet};

use super::reach::{paths, rounds, takes_time, unreachable};
use super::{MOST_STEPS, Review};
use crate::campaign::advance::MOST_ROUNDS;
use crate::campaign::steps::repeat::MOST_TIMES;
use crate::campaign::steps::{Arm, EmailStep, RepeatStep, SplitStep, WaitForStep, WaitStep, WebhookStep};
use crate::campaign::when::Until;
use crate::campaign::{Action, Program, Step};
use crate::problem::nearest;

/// Names that every template knows without an attribute.
const ALWAYS_KNOWN: [&str; 6] = ["email", "id", "address", "first_seen", "last_seen", "time_zone"];

impl Review<'_> {
    pub(super) fn steps(&mut self) {
        let steps = &self.campaign.steps;
        if steps.is_empty() {
            let message = "the campaign has no steps".to_owned();
            self.error("steps_missing", "steps", message, "add one");
        }
        let paths = paths(self.campaign);
        if paths.len() > MOST_STEPS {
            let message = format!("the campaign has {} steps", paths.len());
            let remedy = format!("at most {MOST_STEPS}: split it, and join with `enroll`");
            self.error("too_many_steps", "steps", message, &remedy);
        }
        self.list(steps, "steps");
        self.ids(&paths);
        if rounds(steps) > u64::from(MOST_ROUNDS) {
            let message = "the nested loops go round too often".to_owned();
            let remedy = format!("keep all rounds together below {MOST_ROUNDS}");
            self.error("loop_unbounded", "steps", message, &remedy);
        }
        let program = Program::compile(self.campaign);
        for n in unreachable(&program) {
            let path = paths.get(n).map_or("steps", String::as_str);
            let message =
                format!("no run comes to this step ({}): everything before it ends", program.nodes()[n].label);
            let remedy = "remove it, or the exit before it";
            self.error("unreachable_step", path, message, remedy);
        }
    }

    fn ids(&mut self, paths: &[String]) {
        let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
        let mut given = Vec::new();
        flatten(&self.campaign.steps, &mut given);
        for (step, path) in given.iter().zip(paths) {
            let Some(id) = step.id.as_deref() else {
                continue;
            };
            let mut letters = id.chars();
            let sound = letters.next().is_some_and(|c| c.is_ascii_alphabetic())
                && letters.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
            if !sound {
                let message = format!("`{id}` cannot be a step's id");
                let remedy = "a letter, then letters, digits, `_` and `-`";
                self.error("step_id_invalid", path, message, remedy);
            }
            if let Some(first) = seen.insert(id, path) {
                let message = format!("the id `{id}` is also that of {first}");
                self.error("step_id_taken", path, message, "give each its own");
            }
        }
    }

    fn list(&mut self, steps: &[Step], prefix: &str) {
        for (n, step) in steps.iter().enumerate() {
            let path = format!("{prefix}[{n}]");
            self.one(&step.action, &format!("{path}.{}", step.action.kind()));
            for (place, inner) in step.action.places() {
                self.list(inner, &format!("{path}.{place}"));
            }
        }
    }

    fn one(&mut self, action: &Action, path: &str) {
        match action {
            Action::Email(email) => self.email(email, path),
            Action::Webhook(webhook) => self.webhook(webhook, path),
            Action::Capture(step) if step.event.trim().is_empty() => {
                let message = "the event's name is empty".to_owned();
                self.error("event_missing", path, message, "name the event");
            }
            Action::SetAttribute(values) if values.is_empty() || values.keys().any(|k| k.trim().is_empty()) => {
                let message = "this sets no attribute".to_owned();
                self.error("attribute_missing", path, message, "write `name: value`");
            }
            Action::Wait(wait) => self.wait(wait, path),
            Action::WaitFor { wait, .. } => self.wait_for(wait, path),
            Action::Branch { arms, .. } => self.branch(arms, path),
            Action::Split(split) => self.split(split, path),
            Action::Repeat(repeat) => self.repeat(repeat, path),
            Action::Enroll(step) if step.campaign.trim().is_empty() => {
                let message = "the campaign's name is empty".to_owned();
                self.error("campaign_missing", path, message, "name the campaign");
            }
            Action::NotYet { kind, .. } => self.not_yet(path, &format!("the step `{kind}`")),
            Action::Exit(_) | Action::Capture(_) | Action::SetAttribute(_) | Action::Enroll(_) => {}
        }
    }

    fn email(&mut self, email: &EmailStep, path: &str) {
        let known = self.known;
        let template = known.templates.iter().find(|(n, _)| *n == email.template);
        match template {
            Some((_, variables)) => self.variables(&email.template, variables, path),
            None => {
                let names = known.templates.iter().map(|(name, _)| *name);
                let remedy = match nearest(&email.template, names) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("add templates/{}.md", email.template),
                };
                let message = format!("there is no template `{}`", email.template);
                let path = format!("{path}.template");
                self.error("template_missing", &path, message, &remedy);
            }
        }
        let sender = email.sender.as_deref();
        let found = match sender {
            Some(name) => known.senders.contains(&name),
            None => known.senders.contains(&"default") || known.senders.len() == 1,
        };
        if !found {
            let message = match sender {
                Some(name) => format!("there is no sender `{name}`"),
                None => "the step names no sender, and there is no `default`".to_owned(),
            };
            let remedy = "add it under `senders` in hogwire.yaml, or set SMTP_URL";
            self.error("sender_missing", &format!("{path}.sender"), message, remedy);
        }
        if let Some(topic) = &email.topic {
            self.topic(topic, &format!("{path}.topic"));
        }
        if let Some(expires) = email.expires {
            self.positive(expires, &format!("{path}.expires"));
        }
    }

    /// A variable without a default that no contact is known to have. Properties of
    /// events are not told apart here: which an event carries is not known beforehand.
    fn variables(&mut self, template: &str, variables: &[String], path: &str) {
        for variable in variables {
            let parts = variable.split_once('.');
            let name = match parts {
                Some(("contact" | "Profile" | "profile", rest)) => rest,
                None if !self.trigger_has_properties() => variable.as_str(),
                _ => continue,
            };
            let known = self.known.attributes.iter();
            let known = known.chain(ALWAYS_KNOWN.iter());
            if known.into_iter().any(|k| k.eq_ignore_ascii_case(name)) {
                continue;
            }
            let message = format!("the template `{template}` uses `{variable}`, which no contact has");
            let remedy = "check the name, or give it a default";
            let path = format!("{path}.template");
            if self.campaign.strict {
                self.error("variable_unknown", &path, message, remedy);
            } else {
                self.warning("variable_unknown", &path, message, remedy);
            }
        }
    }

    fn webhook(&mut self, webhook: &WebhookStep, path: &str) {
        let method = webhook.method.to_ascii_uppercase();
        if !["GET", "POST", "PUT", "PATCH", "DELETE"].contains(&method.as_str()) {
            let message = format!("`{}` is no method of a webhook", webhook.method);
            let remedy = "GET, POST, PUT, PATCH or DELETE";
            self.error("method_invalid", &format!("{path}.method"), message, remedy);
        }
        let url = webhook.url.trim();
        let whole = ["https://", "http://", "{{"];
        if !whole.iter().any(|start| url.starts_with(start)) {
            let message = format!("`{url}` is no address of a webhook");
            let remedy = "begin with https://";
            self.error("url_invalid", &format!("{path}.url"), message, remedy);
        }
    }

    fn wait(&mut self, wait: &WaitStep, path: &str) {
        if let Some(length) = wait.length {
            self.positive(length, path);
        }
        match &wait.until {
            Some(Until::Attribute(name, _)) => self.attribute(name, &format!("{path}.until")),
            Some(Until::Property(name, _)) if !self.trigger_has_properties() => {
                let message = format!("`trigger.{name}` is never known here");
                let remedy = "use an attribute of the contact";
                self.error("date_unknown", &format!("{path}.until"), message, remedy);
            }
            _ => {}
        }
        if let Some(window) = &wait.window
            && let (Some(from), Some(to)) = (window.from, window.to)
            && from >= to
        {
            let message = format!("the window {from} to {to} is empty");
            let remedy = "let `from` be before `to`";
            self.error("window_empty", &format!("{path}.window"), message, remedy);
        }
    }

    fn wait_for(&mut self, wait: &WaitForStep, path: &str) {
        self.event(&wait.event, &format!("{path}.event"));
        self.conditions(wait.filter.as_ref(), &format!("{path}.where"));
        self.matching(&wait.matching, &format!("{path}.match"));
        self.positive(wait.timeout, &format!("{path}.timeout"));
        if let Some(span) = wait.look_back {
            self.positive(span, &format!("{path}.look_back"));
        }
    }

    fn branch(&mut self, arms: &[Arm], path: &str) {
        if arms.is_empty() {
            let message = "the branch has no `when`".to_owned();
            self.error("branch_empty", path, message, "add one");
        }
        for (n, arm) in arms.iter().enumerate() {
            self.conditions(Some(&arm.when), &format!("{path}[{n}].when"));
        }
    }

    fn split(&mut self, split: &SplitStep, path: &str) {
        if split.variants.is_empty() {
            let message = "the split has no variants".to_owned();
            self.error("split_invalid", path, message, "add two or more");
        }
        let mut names = BTreeSet::new();
        for variant in &split.variants {
            if !names.insert(variant.name.as_str()) {
                let message = format!("two variants are called `{}`", variant.name);
                self.error("split_invalid", path, message, "give each its own name");
            }
        }
        let weights = split.variants.iter().map(|v| v.weight);
        let sound = weights.clone().all(|w| w.is_finite() && w >= 0.0) && weights.sum::<f64>() > 0.0;
        if !sound && !split.variants.is_empty() {
            let message = "the weights are not numbers above nothing".to_owned();
            self.error("split_invalid", path, message, "e.g. `weight: 50`");
        }
        if !(0.0..100.0).contains(&split.holdout) {
            let message = format!("a holdout of {} percent", split.holdout);
            let path = format!("{path}.holdout");
            self.error("split_invalid", &path, message, "0 to below 100");
        }
    }

    fn repeat(&mut self, repeat: &RepeatStep, path: &str) {
        if !(1..=MOST_TIMES).contains(&repeat.times) {
            let message = format!("{} times", repeat.times);
            let remedy = format!("1 to {MOST_TIMES}");
            self.error("loop_unbounded", &format!("{path}.times"), message, &remedy);
        }
        if repeat.steps.is_empty() {
            let message = "there is nothing to repeat".to_owned();
            self.error("loop_empty", path, message, "add steps");
        } else if !takes_time(&repeat.steps) {
            let message = "nothing in the loop waits: all rounds happen at once".to_owned();
            self.warning("loop_without_wait", path, message, "add a `wait`");
        }
    }
}

fn flatten<'a>(steps: &'a [Step], into: &mut Vec<&'a Step>) {
    for step in steps {
        into.push(step);
        for (_, inner) in step.action.inner() {
            flatten(inner, into);
        }
    }
}
