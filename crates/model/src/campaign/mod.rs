//! Campaigns: a program of steps that a contact goes through, and when it starts.
//!
//! `Campaign` is what people write, in a file or the console; `Program` is the same
//! flattened for running. `trigger` decides whether an event starts it, `advance`
//! takes one turn of one enrollment. All of it is pure: what was decided comes back as
//! values, and the engine stores them. Templates are rendered and messages sent elsewhere.

pub mod advance;
pub mod code;
pub mod correlate;
pub mod document;
pub mod entry;
pub mod program;
pub mod read;
pub mod rehearsal;
pub mod steps;
pub mod surroundings;
pub mod trigger;
pub mod validate;
pub mod when;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use advance::{Advance, Effect, Ending, Past, Rest, Run, Settlement, Turn, Waiting, Wake, advance, exits};
pub use code::{Code, Decision};
pub use correlate::Match;
pub use entry::{Entry, EntryRule};
pub use program::{Edge, Node, NodeStep, Program};
pub use read::{json_schema, read};
pub use steps::{Action, Step};
pub use trigger::Trigger;
pub use validate::{Known, KnownTemplate, validate};

use crate::Span;

/// The conditions of a `where`, `when` or `audience`.
pub type Where = crate::filter::Filters;

/// A campaign as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Campaign {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Set only where a file or a person says so; absent leaves what runs alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// 0 to 100. Where a cap or quiet hours hold messages, the higher one goes first.
    #[serde(default = "fifty", skip_serializing_if = "is_fifty")]
    #[schemars(range(min = 0, max = 100))]
    pub priority: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal: Option<Goal>,
    /// The topic of every email step that names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// Whose events count, where there are several sources.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// Refuse activation where a variable may be unknown.
    #[serde(default, skip_serializing_if = "is_false")]
    pub strict: bool,
    pub trigger: Trigger,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<Entry>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exit_on: Vec<ExitRule>,
    /// A wait that comes due longer ago than this (downtime) is planned anew or ends the run.
    #[serde(default = "one_day", skip_serializing_if = "is_one_day")]
    pub max_late: Span,
    pub steps: Vec<Step>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Draft,
    Test,
    Active,
    Paused,
    Archived,
}

impl Status {
    pub const ALL: [Self; 5] = [Self::Draft, Self::Test, Self::Active, Self::Paused, Self::Archived];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Test => "test",
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Archived => "archived",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

/// What counts as success. It does not end a run; `exit_on` does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Goal {
    pub event: String,
    /// Counted from the entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Span>,
    #[serde(rename = "where", default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Where>,
}

/// An event that ends a waiting run at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExitRule {
    pub event: String,
    #[serde(rename = "where", default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Where>,
    /// Properties that must be equal, e.g. `order_id: trigger.order_id`.
    #[serde(rename = "match", default, skip_serializing_if = "Match::is_empty")]
    pub matching: Match,
}

impl Campaign {
    /// The entry rule in force: what is written, or the default of the trigger.
    pub fn entry(&self) -> Entry {
        self.entry.unwrap_or_else(|| Entry::default_for(&self.trigger))
    }
}

const fn fifty() -> u8 {
    50
}

fn is_fifty(priority: &u8) -> bool {
    *priority == 50
}

const fn one_day() -> Span {
    Span::hours(24)
}

fn is_one_day(span: &Span) -> bool {
    *span == one_day()
}

fn is_false(flag: &bool) -> bool {
    !*flag
}

#[cfg(test)]
mod stage;
#[cfg(test)]
mod tests;
