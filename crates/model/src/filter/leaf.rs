//! One condition: what it was written as, and its test made ready once.

use std::cmp::Ordering;
use std::fmt;

use regex::Regex;
use serde_json::Value;

use super::compare::{compare, contains, equal};
use super::moment::{Moment, moment_of};
use super::version::{Range, Version};
use super::{Facts, Mismatch, Operator, Scope};
use crate::Time;
use crate::value::as_text;

/// One condition on one property. Made by reading it; always valid.
#[derive(Clone)]
pub struct Filter {
    pub(super) key: String,
    pub(super) scope: Scope,
    pub(super) operator: Operator,
    /// As it was written; null where the operator wants none.
    pub(super) value: Value,
    pub(super) test: Box<Test>,
}

/// What is asked of a value that is there. Negated operators turn the answer round.
#[derive(Clone)]
pub(super) enum Test {
    Known,
    /// One of the values.
    Equal(Vec<Value>),
    /// One of the texts, in lower case, occurs.
    Contains(Vec<String>),
    Pattern(Vec<Regex>),
    /// The comparison comes out as one of two.
    Order(Order, Value),
    /// Both ends included.
    Between(Value, Value),
    Date(Order, Moment),
    Version(Range),
}

/// How the found value must stand to the wanted one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Less,
    LessOrEqual,
    Equal,
    GreaterOrEqual,
    Greater,
}

impl Order {
    pub(super) fn allows(self, found: Ordering) -> bool {
        match self {
            Self::Less => found.is_lt(),
            Self::LessOrEqual => found.is_le(),
            Self::Equal => found.is_eq(),
            Self::GreaterOrEqual => found.is_ge(),
            Self::Greater => found.is_gt(),
        }
    }
}

impl Filter {
    pub fn key(&self) -> &str {
        &self.key
    }

    pub fn scope(&self) -> Scope {
        self.scope
    }

    pub fn operator(&self) -> Operator {
        self.operator
    }

    pub fn value(&self) -> &Value {
        &self.value
    }

    pub fn matches(&self, facts: &dyn Facts, now: Time) -> bool {
        self.holds(facts.property(self.scope, &self.key).as_ref(), now)
    }

    pub fn why_not(&self, facts: &dyn Facts, now: Time) -> Option<Mismatch> {
        let found = facts.property(self.scope, &self.key);
        (!self.holds(found.as_ref(), now)).then(|| Mismatch {
            scope: self.scope,
            key: self.key.clone(),
            operator: self.operator,
            wanted: self.value.clone(),
            found,
        })
    }

    /// Whether a value meets the condition. Null is the same as absent.
    pub fn holds(&self, found: Option<&Value>, now: Time) -> bool {
        match found.filter(|value| !value.is_null()) {
            None => self.operator.holds_when_absent(),
            Some(found) => self.test.passes(found, now) != self.operator.is_negated(),
        }
    }
}

impl Test {
    fn passes(&self, found: &Value, now: Time) -> bool {
        match self {
            Self::Known => true,
            Self::Equal(wanted) => any_element(found, |one| wanted.iter().any(|wanted| equal(one, wanted))),
            Self::Contains(wanted) => any_element(found, |one| contains(one, wanted)),
            Self::Pattern(patterns) => any_element(found, |one| {
                let text = as_text(one);
                patterns.iter().any(|pattern| pattern.is_match(&text))
            }),
            Self::Order(order, wanted) => compare(found, wanted).is_some_and(|found| order.allows(found)),
            Self::Between(low, high) => {
                compare(found, low).is_some_and(Ordering::is_ge) && compare(found, high).is_some_and(Ordering::is_le)
            }
            Self::Date(order, wanted) => moment_of(found)
                .is_some_and(|at| wanted.compare(at, now, *order == Order::Equal).is_some_and(|o| order.allows(o))),
            Self::Version(range) => Version::read(&as_text(found)).is_some_and(|found| range.holds(found)),
        }
    }
}

/// A property that is a list passes when the whole or one of its elements does.
fn any_element(found: &Value, passes: impl Fn(&Value) -> bool) -> bool {
    passes(found) || found.as_array().is_some_and(|list| list.iter().any(&passes))
}

impl PartialEq for Filter {
    /// The test follows from the rest.
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
            && self.scope == other.scope
            && self.operator == other.operator
            && self.value == other.value
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}.{} {} {}", self.scope, self.key, self.operator, self.value)
    }
}
