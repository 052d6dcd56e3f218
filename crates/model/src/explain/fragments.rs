//! Parts of sentences: dates, conditions, and particulars that may be absent.

use std::borrow::Cow;

use serde_json::Value;

use crate::Time;
use crate::value::as_text;

/// A time as people read it, in UTC: `2 Mar 2026 09:15 UTC`.
pub fn stamp(at: Time) -> String {
    let local = at.to_jiff().to_zoned(jiff::tz::TimeZone::UTC);
    local.strftime("%-d %b %Y %H:%M UTC").to_string()
}

/// The detail of a decision. Every question may have no answer.
pub(super) struct Particulars<'a>(pub &'a Value);

impl Particulars<'_> {
    pub fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        match self.0.get(name)? {
            Value::Null => None,
            Value::String(text) => Some(Cow::Borrowed(text)),
            other => Some(Cow::Owned(as_text(other))),
        }
    }

    /// The value between two pieces of text, or nothing at all.
    pub fn phrase(&self, name: &str, before: &str, after: &str) -> String {
        match self.text(name) {
            Some(text) => format!("{before}{text}{after}"),
            None => String::new(),
        }
    }

    /// The same for a time.
    pub fn moment(&self, name: &str, before: &str, after: &str) -> String {
        match self.text(name) {
            Some(text) => {
                let words = Time::parse(&text).map_or_else(|| text.to_string(), stamp);
                format!("{before}{words}{after}")
            }
            None => String::new(),
        }
    }

    /// The condition that was false, and what the value was.
    pub fn failed(&self) -> Option<String> {
        let failed = self.0.get("failed")?;
        let words = condition(failed)?;
        Some(match failed.get("was") {
            None => format!("the condition {words} was false"),
            Some(Value::Null) => format!("the condition {words} was false (it was not set)"),
            Some(was) => format!("the condition {words} was false (it was {})", as_text(was)),
        })
    }
}

pub(super) fn because(detail: &Particulars<'_>) -> String {
    detail.phrase("reason", ": ", "")
}

/// A condition in words: `cart_value > 50`. Several are joined with `and`.
pub fn condition(filter: &Value) -> Option<String> {
    if let Value::Array(all) = filter {
        let words: Vec<_> = all.iter().filter_map(condition).collect();
        return (!words.is_empty()).then(|| words.join(" and "));
    }
    let key = filter.get("key")?.as_str()?;
    let operator = filter.get("operator").and_then(Value::as_str).unwrap_or("exact");
    let value = match filter.get("value") {
        None | Some(Value::Null) => String::new(),
        Some(Value::Array(any)) => {
            let words: Vec<_> = any.iter().map(as_text).collect();
            words.join(" or ")
        }
        Some(value) => as_text(value),
    };
    let sign = match operator {
        "exact" => "=",
        "is_not" => "≠",
        "gt" => ">",
        "gte" => "≥",
        "lt" => "<",
        "lte" => "≤",
        "icontains" => "contains",
        "not_icontains" => "does not contain",
        "regex" => "matches",
        "not_regex" => "does not match",
        "is_set" => return Some(format!("{key} is set")),
        "is_not_set" => return Some(format!("{key} is not set")),
        "is_date_before" => "is before",
        "is_date_after" => "is after",
        "is_date_exact" => "is on",
        "between" => "is between",
        "not_between" => "is not between",
        other => return Some(format!("{key} {} {value}", other.replace('_', " "))),
    };
    Some(format!("{key} {sign} {value}"))
}
