//! Conditions in PostHog's own property-filter vocabulary: `key`, `value`, `operator`,
//! `type`, with and/or groups (SPEC D3).
//!
//! Everything that can be wrong with a condition is refused when it is read, with a
//! sentence; asking never fails and never panics, whatever the values are. Campaigns and
//! segments hold `Filters`; the engine answers what they ask through `Facts`. Times are
//! read in UTC and text is compared as PostHog's queries compare it: `exact` minds the
//! case, `icontains` does not, `regex` does unless the pattern says `(?i)`.

mod compare;
mod form;
mod leaf;
mod moment;
mod operator;
mod read;
mod version;
mod wanted;

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

pub use leaf::Filter;
pub use operator::Operator;
pub use read::{MAX_CONDITIONS, MAX_DEPTH};
pub use wanted::MAX_VALUES;

use crate::Time;

/// Where a filter looks a property up. The names are the ones users write as `type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    Event,
    Contact,
    Account,
    /// Campaign history: `key` is a campaign's id, the value is `entered`, `exited`, `converted` or `none`.
    Campaign,
    /// Message engagement: `key` is `opened`, `clicked`, `delivered`, `bounced`, the value names a campaign or template. Machine opens never count.
    Message,
}

/// What a filter can ask about the moment of decision. A property with several values
/// (campaigns entered, templates opened) is answered as a list.
pub trait Facts {
    fn property(&self, scope: Scope, key: &str) -> Option<Value>;
}

/// Whether all parts must hold or one is enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    All,
    Any,
}

/// Conditions joined by and, or by or. A plain list means and.
#[derive(Clone, Debug, PartialEq)]
pub struct Filters {
    join: Join,
    parts: Vec<Part>,
}

/// One condition, or a group of them.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    Filter(Filter),
    Group(Filters),
}

/// The first condition that failed, for the record and for `explain`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mismatch {
    #[serde(rename = "type")]
    pub scope: Scope,
    pub key: String,
    pub operator: Operator,
    #[serde(skip_serializing_if = "Value::is_null")]
    pub wanted: Value,
    /// Nothing where the property is not known.
    pub found: Option<Value>,
}

impl Default for Filters {
    /// No conditions: everything matches.
    fn default() -> Self {
        Self::all(Vec::new())
    }
}

impl Filters {
    /// Holds when every part does; without parts it holds.
    pub fn all(parts: Vec<Part>) -> Self {
        Self { join: Join::All, parts }
    }

    /// Holds when one part does; without parts it does not hold.
    pub fn any(parts: Vec<Part>) -> Self {
        Self { join: Join::Any, parts }
    }

    pub fn join(&self) -> Join {
        self.join
    }

    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// No condition at all.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty() && self.join == Join::All
    }

    pub fn matches(&self, facts: &dyn Facts, now: Time) -> bool {
        match self.join {
            Join::All => self.parts.iter().all(|part| part.matches(facts, now)),
            Join::Any => self.parts.iter().any(|part| part.matches(facts, now)),
        }
    }

    /// The first condition that fails. Nothing exactly when `matches` holds, but for an
    /// or-group without parts, where no condition can be named.
    pub fn why_not(&self, facts: &dyn Facts, now: Time) -> Option<Mismatch> {
        match self.join {
            Join::All => self.parts.iter().find_map(|part| part.why_not(facts, now)),
            Join::Any if self.matches(facts, now) => None,
            Join::Any => self.parts.iter().find_map(|part| part.why_not(facts, now)),
        }
    }

    /// The names that the conditions look up in one scope, so that only these are loaded.
    pub fn keys(&self, scope: Scope) -> BTreeSet<&str> {
        let leaves = self.leaves().into_iter();
        leaves.filter(|leaf| leaf.scope() == scope).map(Filter::key).collect()
    }

    /// Every condition, in the order written.
    pub fn leaves(&self) -> Vec<&Filter> {
        let mut found = Vec::new();
        self.collect(&mut found);
        found
    }

    fn collect<'a>(&'a self, found: &mut Vec<&'a Filter>) {
        for part in &self.parts {
            match part {
                Part::Filter(filter) => found.push(filter),
                Part::Group(group) => group.collect(found),
            }
        }
    }
}

impl Part {
    pub fn matches(&self, facts: &dyn Facts, now: Time) -> bool {
        match self {
            Self::Filter(filter) => filter.matches(facts, now),
            Self::Group(group) => group.matches(facts, now),
        }
    }

    fn why_not(&self, facts: &dyn Facts, now: Time) -> Option<Mismatch> {
        match self {
            Self::Filter(filter) => filter.why_not(facts, now),
            Self::Group(group) => group.why_not(facts, now),
        }
    }
}

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
