//! Makes a condition's value ready to be compared with: lists, numbers, dates, versions and
//! patterns, each refused with a sentence where the operator cannot use it. Patterns are
//! bounded in size and compiled once.

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use super::Operator;
use super::compare::{compare, is_number};
use super::leaf::{Order, Test};
use super::moment::Moment;
use super::version::Range;
use crate::value::as_text;

/// Values in one condition.
pub const MAX_VALUES: usize = 1_000;
/// Bytes of one compiled pattern.
const MAX_PATTERN: usize = 1 << 20;
const LONGEST_PATTERN: usize = 2_000;

/// The test that an operator makes of its value, or a sentence on what it wants instead.
pub(super) fn test(operator: Operator, value: &Value) -> Result<Test, String> {
    use Operator as O;
    if operator.wants_no_value() {
        return Ok(Test::Known);
    }
    match operator {
        O::Exact | O::IsNot | O::In | O::NotIn => Ok(Test::Equal(values(operator, value)?)),
        O::Icontains | O::NotIcontains | O::IcontainsMulti | O::NotIcontainsMulti => {
            let texts = values(operator, value)?;
            Ok(Test::Contains(texts.iter().map(|text| as_text(text).to_lowercase()).collect()))
        }
        O::Regex | O::NotRegex => {
            let texts = values(operator, value)?;
            texts.iter().map(|text| pattern(&as_text(text))).collect::<Result<_, _>>().map(Test::Pattern)
        }
        O::Gt | O::Gte | O::Lt | O::Lte | O::Min | O::Max => {
            Ok(Test::Order(order(operator), sortable(operator, value)?))
        }
        O::Between | O::NotBetween => between(operator, value),
        O::IsDateExact | O::IsDateBefore | O::IsDateAfter => {
            let wanted = one(operator, value)?;
            let moment = Moment::read(&wanted).ok_or_else(|| {
                format!("`{}` is not a date like 2026-03-02, a time, or a while like -7d", as_text(&wanted))
            })?;
            Ok(Test::Date(order(operator), moment))
        }
        _ => {
            let wanted = as_text(&one(operator, value)?);
            let range = Range::read(operator, &wanted);
            range.map(Test::Version).ok_or_else(|| format!("`{wanted}` is not a version like 1.2.3"))
        }
    }
}

fn order(operator: Operator) -> Order {
    match operator {
        Operator::Gt | Operator::IsDateAfter => Order::Greater,
        Operator::Gte | Operator::Min => Order::GreaterOrEqual,
        Operator::Lt | Operator::IsDateBefore => Order::Less,
        Operator::Lte | Operator::Max => Order::LessOrEqual,
        _ => Order::Equal,
    }
}

/// One value or a list of them; never null, an object or a list in a list.
fn values(operator: Operator, value: &Value) -> Result<Vec<Value>, String> {
    let list = match value {
        Value::Array(list) => list.clone(),
        other => vec![other.clone()],
    };
    if list.is_empty() {
        return Err(format!("`{operator}` needs at least one value"));
    }
    if list.len() > MAX_VALUES {
        return Err(format!("`{operator}` takes at most {MAX_VALUES} values"));
    }
    match list.iter().find(|value| value.is_null() || value.is_object() || value.is_array()) {
        None => Ok(list),
        Some(Value::Null) => Err(format!("`{operator}` needs a value; for an absent property use `is_not_set`")),
        Some(_) => Err(format!("`{operator}` takes text, numbers, true or false, or a list of them")),
    }
}

fn one(operator: Operator, value: &Value) -> Result<Value, String> {
    let mut list = values(operator, value)?;
    match (list.pop(), list.is_empty()) {
        (Some(value), true) => Ok(value),
        _ => Err(format!("`{operator}` takes one value, not a list")),
    }
}

fn sortable(operator: Operator, value: &Value) -> Result<Value, String> {
    match one(operator, value)? {
        Value::Bool(_) => {
            Err(format!("`{operator}` compares numbers, or texts such as ISO dates; true and false have no order"))
        }
        value => Ok(value),
    }
}

fn between(operator: Operator, value: &Value) -> Result<Test, String> {
    let list = values(operator, value)?;
    let [low, high] = list.as_slice() else {
        return Err(format!("`{operator}` takes a list of two numbers, the lower first"));
    };
    if !is_number(low) || !is_number(high) {
        return Err(format!("`{operator}` takes two numbers"));
    }
    if compare(low, high).is_some_and(std::cmp::Ordering::is_gt) {
        return Err(format!("`{operator}` takes the lower number first"));
    }
    Ok(Test::Between(low.clone(), high.clone()))
}

fn pattern(text: &str) -> Result<Regex, String> {
    if text.len() > LONGEST_PATTERN {
        return Err(format!("a pattern has at most {LONGEST_PATTERN} characters"));
    }
    let built = RegexBuilder::new(text).size_limit(MAX_PATTERN).dfa_size_limit(MAX_PATTERN).nest_limit(50).build();
    built.map_err(|error| {
        let reason = error.to_string();
        let last = reason.lines().last().unwrap_or_default().trim();
        format!("`{text}` is not a regular expression: {}", last.trim_start_matches("error: "))
    })
}
