//! Filters: the language's own as the reference implementation has them, and those that
//! people bring along from other tools. All take what they are given: a filter for text gets
//! the text of a number, and arithmetic on nothing counts from zero.

mod dates;
mod encodings;
mod lists;
mod numbers;
mod texts;

use std::fmt;

use super::value::Value;
use super::{Escape, MOST_OUTPUT};
use crate::Time;

pub use encodings::{escape_html, escape_json};
pub use texts::strip_html;

/// What a filter works on.
pub struct Given<'r, 'a> {
    pub value: Value<'a>,
    pub arguments: &'r [Value<'a>],
    pub named: &'r [(&'r str, Value<'a>)],
    pub escape: Escape,
    pub now: Time,
    pub zone: &'r jiff::tz::TimeZone,
}

type Answer<'a> = Result<Value<'a>, String>;
type Run = for<'a> fn(&Given<'_, 'a>) -> Answer<'a>;

#[derive(Clone, Copy)]
pub struct Filter {
    pub name: &'static str,
    pub run: Run,
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

pub fn find(name: &str) -> Option<Filter> {
    all().find(|filter| filter.name == name)
}

pub fn nearest(name: &str) -> Option<&'static str> {
    crate::problem::nearest(name, all().map(|filter| filter.name))
}

/// Every filter that a template may name.
pub fn all() -> impl Iterator<Item = Filter> {
    let tables = [texts::FILTERS, lists::FILTERS, numbers::FILTERS, encodings::FILTERS, dates::FILTERS];
    tables.into_iter().flatten().map(|&(name, run)| Filter { name, run })
}

impl<'a> Given<'_, 'a> {
    fn text(&self) -> String {
        self.value.text().into_owned()
    }

    fn argument(&self, at: usize) -> Value<'a> {
        self.arguments.get(at).cloned().unwrap_or(Value::Nil)
    }

    /// The argument's text, or `otherwise` where it is not given.
    fn word(&self, at: usize, otherwise: &str) -> String {
        match self.arguments.get(at) {
            None | Some(Value::Nil) => otherwise.to_owned(),
            Some(value) => value.text().into_owned(),
        }
    }

    fn count(&self, at: usize, otherwise: i64) -> i64 {
        self.arguments.get(at).and_then(Value::number).map_or(otherwise, super::number::Number::whole)
    }

    fn flag(&self, name: &str) -> bool {
        self.named.iter().any(|(known, value)| *known == name && value.is_true())
    }
}

/// Refuses before the memory is taken.
fn bounded(length: usize) -> Result<(), String> {
    match length > MOST_OUTPUT {
        true => Err("a filter makes more than 1 MB".to_owned()),
        false => Ok(()),
    }
}
