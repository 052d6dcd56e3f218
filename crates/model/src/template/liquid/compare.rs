//! How values compare. Text and numbers are different things to `==`, as in the reference
//! implementation; the order of text that reads as a number is that of numbers where the
//! other side is one.

use std::cmp::Ordering;

use super::value::Value;

pub fn equal(left: &Value<'_>, right: &Value<'_>) -> bool {
    match (left, right) {
        (Value::Empty, other) | (other, Value::Empty) => other.is_empty(),
        (Value::Blank, other) | (other, Value::Blank) => other.is_blank(),
        (Value::Nil, Value::Nil) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Number(a), Value::Number(b)) => a.real() == b.real(),
        (Value::Range(a, b), Value::Range(c, d)) => (a, b) == (c, d),
        (Value::Fields(a) | Value::AnyCase(a), Value::Fields(b) | Value::AnyCase(b)) => a == b,
        (Value::Items(_) | Value::List(_), Value::Items(_) | Value::List(_)) => {
            left.size() == right.size() && left.items().iter().zip(right.items()).all(|(a, b)| equal(a, &b))
        }
        _ => match (left.as_str(), right.as_str()) {
            (Some(a), Some(b)) => a == b,
            _ => false,
        },
    }
}

/// Nothing where the two have no order.
pub fn order(left: &Value<'_>, right: &Value<'_>) -> Option<Ordering> {
    if let (Some(a), Some(b)) = (left.as_str(), right.as_str()) {
        return Some(a.cmp(b));
    }
    let (a, b) = (left.number()?, right.number()?);
    a.real().partial_cmp(&b.real())
}

pub fn contains(whole: &Value<'_>, part: &Value<'_>) -> bool {
    match whole {
        Value::Text(text) | Value::Markup(text) => !part.is_nil() && text.contains(part.text().as_ref()),
        Value::Items(items) => items.iter().any(|item| equal(&Value::from(item), part)),
        Value::List(items) => items.iter().any(|item| equal(item, part)),
        Value::Fields(fields) | Value::AnyCase(fields) => part.as_str().is_some_and(|name| fields.contains_key(name)),
        _ => false,
    }
}

/// A total order for sorting: numbers, then text, then the rest; nil comes last.
pub fn rank(left: &Value<'_>, right: &Value<'_>, fold: bool) -> Ordering {
    let class = |value: &Value<'_>| match value {
        Value::Number(_) => 0,
        Value::Text(_) | Value::Markup(_) => 1,
        Value::Bool(_) => 2,
        Value::Nil => 4,
        _ => 3,
    };
    match (left, right) {
        (Value::Number(a), Value::Number(b)) => a.real().total_cmp(&b.real()),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        _ => match (left.as_str(), right.as_str()) {
            (Some(a), Some(b)) if fold => a.to_lowercase().cmp(&b.to_lowercase()),
            (Some(a), Some(b)) => a.cmp(b),
            _ => class(left).cmp(&class(right)),
        },
    }
}
