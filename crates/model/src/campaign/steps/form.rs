//! The written form of a step, and its reading into an `Action`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    Action, Arm, EmailStep, EnrollStep, EventStep, RepeatStep, SplitStep, Step, WaitForStep, WaitStep, WebhookStep,
};

/// Exactly one kind; `then` and `else` stand beside `wait_for` and `branch`.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Step")]
pub struct StepForm {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    email: Option<EmailStep>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    webhook: Option<WebhookStep>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    posthog_event: Option<EventStep>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    set_attribute: Option<Map<String, Value>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    wait: Option<WaitStep>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    wait_for: Option<WaitForStep>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    then: Option<Vec<Step>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    branch: Option<Vec<Arm>>,
    #[serde(rename = "else", default, skip_serializing_if = "Option::is_none")]
    otherwise: Option<Vec<Step>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    split: Option<SplitStep>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    repeat: Option<RepeatStep>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    enroll: Option<EnrollStep>,
    /// Ends the run, with the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exit: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    add_to_list: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    remove_from_list: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    digest: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    throttle: Option<Value>,
}

const KINDS: &str = "email, webhook, posthog_event, set_attribute, wait, wait_for, branch, split, repeat, enroll, exit";

impl TryFrom<StepForm> for Step {
    type Error = String;

    fn try_from(mut form: StepForm) -> Result<Self, String> {
        let id = form.id.take();
        let then = form.then.take();
        let otherwise = form.otherwise.take();
        let mut actions = form.simple();
        if then.is_some() && form.wait_for.is_none() {
            return Err("`then` belongs to a `wait_for` step".to_owned());
        }
        if otherwise.is_some() && form.wait_for.is_none() && form.branch.is_none() {
            return Err("`else` belongs to a `wait_for` or `branch` step".to_owned());
        }
        let otherwise = otherwise.unwrap_or_default();
        if let Some(arms) = form.branch {
            let otherwise = otherwise.clone();
            actions.push(Action::Branch { arms, otherwise });
        }
        if let Some(wait) = form.wait_for {
            let then = then.unwrap_or_default();
            actions.push(Action::WaitFor { wait, then, otherwise });
        }
        if actions.len() > 1 {
            let kinds: Vec<_> = actions.iter().map(|a| format!("`{}`", a.kind())).collect();
            return Err(format!(
                "a step does one thing, and here are {}: make them steps of their own",
                kinds.join(" and ")
            ));
        }
        let action = actions.pop().ok_or_else(|| format!("a step is one of {KINDS}"))?;
        Ok(Self { id, action })
    }
}

impl StepForm {
    /// Everything but the steps that `then` and `else` belong to.
    fn simple(&mut self) -> Vec<Action> {
        let mut actions = Vec::new();
        actions.extend(self.email.take().map(Action::Email));
        actions.extend(self.webhook.take().map(Action::Webhook));
        actions.extend(self.posthog_event.take().map(Action::Capture));
        actions.extend(self.set_attribute.take().map(Action::SetAttribute));
        actions.extend(self.wait.take().map(Action::Wait));
        actions.extend(self.split.take().map(Action::Split));
        actions.extend(self.repeat.take().map(Action::Repeat));
        actions.extend(self.enroll.take().map(Action::Enroll));
        actions.extend(self.exit.take().map(Action::Exit));
        for (kind, given) in [
            ("add_to_list", self.add_to_list.take()),
            ("remove_from_list", self.remove_from_list.take()),
            ("digest", self.digest.take()),
            ("throttle", self.throttle.take()),
        ] {
            actions.extend(given.map(|given| Action::NotYet { kind, given }));
        }
        actions
    }
}

impl From<Step> for StepForm {
    fn from(step: Step) -> Self {
        let mut form = Self { id: step.id, ..Self::default() };
        let some = |steps: Vec<Step>| (!steps.is_empty()).then_some(steps);
        match step.action {
            Action::Email(step) => form.email = Some(step),
            Action::Webhook(step) => form.webhook = Some(step),
            Action::Capture(step) => form.posthog_event = Some(step),
            Action::SetAttribute(values) => form.set_attribute = Some(values),
            Action::Wait(step) => form.wait = Some(step),
            Action::WaitFor { wait, then, otherwise } => {
                form.wait_for = Some(wait);
                form.then = some(then);
                form.otherwise = some(otherwise);
            }
            Action::Branch { arms, otherwise } => {
                form.branch = Some(arms);
                form.otherwise = some(otherwise);
            }
            Action::Split(step) => form.split = Some(step),
            Action::Repeat(step) => form.repeat = Some(step),
            Action::Enroll(step) => form.enroll = Some(step),
            Action::Exit(reason) => form.exit = Some(reason),
            Action::NotYet { kind, given } => {
                let place = match kind {
                    "add_to_list" => &mut form.add_to_list,
                    "remove_from_list" => &mut form.remove_from_list,
                    "digest" => &mut form.digest,
                    _ => &mut form.throttle,
                };
                *place = Some(given);
            }
        }
        form
    }
}
