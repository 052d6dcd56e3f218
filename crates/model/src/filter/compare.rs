//! How two JSON values are compared when clients disagree on types: `10` and `"10"` are
//! one number, `true` and `"True"` one answer. Two texts stay texts, so that the postal
//! codes `01234` and `1234` are two.

use std::cmp::Ordering;

use serde_json::Value;

use crate::value::as_text;

/// Whether a found value is the wanted one.
pub(super) fn equal(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (Value::String(found), Value::String(wanted)) => found == wanted,
        (Value::Bool(flag), other) | (other, Value::Bool(flag)) => {
            as_text(other).trim().eq_ignore_ascii_case(if *flag { "true" } else { "false" })
        }
        (Value::Number(_), _) | (_, Value::Number(_)) => numbers(found, wanted) == Some(Ordering::Equal),
        _ => as_text(found) == as_text(wanted),
    }
}

/// Whether one of the texts (in lower case) occurs, whatever the case.
pub(super) fn contains(found: &Value, wanted: &[String]) -> bool {
    let found = as_text(found).to_lowercase();
    wanted.iter().any(|wanted| found.contains(wanted.as_str()))
}

/// Numbers by size; two texts that are not both numbers by their characters, which puts
/// ISO dates in order. Anything else cannot be compared.
pub(super) fn compare(found: &Value, wanted: &Value) -> Option<Ordering> {
    match (is_number(wanted), found, wanted) {
        (false, Value::String(found), Value::String(wanted)) => Some(found.as_str().cmp(wanted.as_str())),
        _ => numbers(found, wanted),
    }
}

/// A number, or text that is one.
pub(super) fn is_number(value: &Value) -> bool {
    fraction(value).is_some()
}

/// Whole numbers are compared exactly, so that ids beyond 2^53 do not run together.
fn numbers(a: &Value, b: &Value) -> Option<Ordering> {
    match (whole(a), whole(b)) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => fraction(a)?.partial_cmp(&fraction(b)?),
    }
}

fn whole(value: &Value) -> Option<i128> {
    match value {
        Value::Number(number) => number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn fraction(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok().filter(|n: &f64| n.is_finite()),
        _ => None,
    }
}
