//! The steps as written: one map, in which one key says the kind and `id` may name it.
//!
//! Every kind has its own file with its form and what it does when a run arrives. A new
//! kind needs its file, a key in `StepForm`, and an arm in `program` and `advance`.

pub mod branch;
pub mod email;
pub mod enroll;
pub mod exit;
mod form;
pub mod posthog_event;
pub mod repeat;
pub mod set_attribute;
pub mod split;
pub mod wait;
pub mod wait_for;
pub mod webhook;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use branch::Arm;
pub use email::EmailStep;
pub use enroll::EnrollStep;
pub use posthog_event::EventStep;
pub use repeat::RepeatStep;
pub use split::{SplitStep, Variant};
pub use wait::WaitStep;
pub use wait_for::WaitForStep;
pub use webhook::WebhookStep;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "form::StepForm", into = "form::StepForm")]
pub struct Step {
    /// Unique in the campaign. Without one, the step is known by its place.
    pub id: Option<String>,
    pub action: Action,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    Email(EmailStep),
    Webhook(WebhookStep),
    Capture(EventStep),
    SetAttribute(Map<String, Value>),
    Wait(WaitStep),
    WaitFor {
        wait: WaitForStep,
        then: Vec<Step>,
        otherwise: Vec<Step>,
    },
    Branch {
        arms: Vec<Arm>,
        otherwise: Vec<Step>,
    },
    Split(SplitStep),
    Repeat(RepeatStep),
    Enroll(EnrollStep),
    Exit(String),
    /// Known, but a later release's: validation says so.
    NotYet {
        kind: &'static str,
        given: Value,
    },
}

impl Action {
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Email(_) => "email",
            Self::Webhook(_) => "webhook",
            Self::Capture(_) => "posthog_event",
            Self::SetAttribute(_) => "set_attribute",
            Self::Wait(_) => "wait",
            Self::WaitFor { .. } => "wait_for",
            Self::Branch { .. } => "branch",
            Self::Split(_) => "split",
            Self::Repeat(_) => "repeat",
            Self::Enroll(_) => "enroll",
            Self::Exit(_) => "exit",
            Self::NotYet { kind, .. } => kind,
        }
    }

    /// The lists of steps inside, each with its part of the path.
    pub fn inner(&self) -> Vec<(String, &[Step])> {
        match self {
            Self::WaitFor { then, otherwise, .. } => {
                vec![("then".to_owned(), then.as_slice()), ("else".to_owned(), otherwise.as_slice())]
            }
            Self::Branch { arms, otherwise } => arms
                .iter()
                .enumerate()
                .map(|(n, arm)| (format!("when.{n}"), arm.steps.as_slice()))
                .chain([("else".to_owned(), otherwise.as_slice())])
                .collect(),
            Self::Split(split) => split
                .variants
                .iter()
                .map(|variant| (format!("split.{}", variant.name), variant.steps.as_slice()))
                .collect(),
            Self::Repeat(repeat) => vec![("repeat".to_owned(), repeat.steps.as_slice())],
            _ => Vec::new(),
        }
    }
}
