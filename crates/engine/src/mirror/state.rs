//! How a destination stands: what was read, what it has, what runs there. Kept as one
//! document in its row, written at the end of each turn.

use std::collections::BTreeMap;

use hogwire_connectors::brevo::attributes::Attribute;
use hogwire_model::{Span, Time};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// Whose account it is, as it says itself.
    pub account: String,
    /// The last contact that was looked at: (changed at, id).
    pub seen: (i64, String),
    /// Since when the present pass over all contacts runs.
    pub pass_began: Option<Time>,
    pub attributes: Vec<Attribute>,
    pub attributes_at: Option<Time>,
    /// Attributes that cannot be made or written, and why.
    pub refused: BTreeMap<String, String>,
    /// Attributes of which a value that was sent was not found when it was read back.
    pub dropped: BTreeMap<String, String>,
    pub imports: Vec<Running>,
    /// The list that imports go through, because each must name one.
    pub import_list: Option<i64>,
    pub no_imports_until: Option<Time>,
    /// There is no room in the budget before this time.
    pub no_room_until: Option<Time>,
    pub no_events_until: Option<Time>,
    pub paused_until: Option<Time>,
    /// Why it is paused, or was last.
    pub problem: String,
    pub blocked_at: Option<Time>,
    pub orphans_at: Option<Time>,
    /// Lists that were made for a set, by its name.
    pub made_lists: BTreeMap<String, i64>,
    pub lists_at: Option<Time>,
    /// What the last comparison of lists stood on.
    pub lists_mark: String,
    /// Somebody was written since, who may belong into a list.
    pub lists_stale: bool,
    pub sampled_at: Option<Time>,
    /// Somebody was written since the last sample.
    pub wrote: bool,
}

/// An import under way.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Running {
    pub process: i64,
    pub rows: usize,
    pub began: Time,
    pub poll_at: Time,
    pub polls: u32,
}

/// How often each chore comes round.
pub const ATTRIBUTES: Span = Span::hours(6);
pub const BLOCKED: Span = Span::hours(6);
pub const ORPHANS: Span = Span::hours(1);
/// After this long all contacts are compared anew.
pub const PASS: Span = Span::days(7);

impl State {
    pub fn read(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|error| Error::Corrupt { what: "mirror", why: error.to_string() })
    }

    pub fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| "{}".to_owned())
    }

    pub fn is_due(at: Option<Time>, every: Span, now: Time) -> bool {
        at.is_none_or(|at| now.since(at) >= every)
    }

    /// When the next chore is due.
    pub fn next_chore(&self, now: Time) -> Option<Time> {
        let chores = [
            (self.attributes_at, ATTRIBUTES),
            (self.blocked_at, BLOCKED),
            (self.orphans_at, ORPHANS),
            (self.pass_began, PASS),
        ];
        chores.into_iter().map(|(at, every)| at.map_or(now, |at| at.plus(every))).min()
    }
}
