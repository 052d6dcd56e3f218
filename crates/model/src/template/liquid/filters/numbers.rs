//! Arithmetic, and numbers as people read them.

use super::{Answer, Given, Run};
use crate::template::liquid::number::Number;
use crate::template::liquid::value::Value;

pub const FILTERS: &[(&str, Run)] = &[
    ("abs", |g| Ok(Value::Number(number(g).combine(Number::ZERO, |a, _| a.checked_abs(), |a, _| a.abs())))),
    ("at_least", |g| Ok(bounded_by(g, |value, bound| value < bound))),
    ("at_most", |g| Ok(bounded_by(g, |value, bound| value > bound))),
    ("ceil", |g| Ok(rounded(number(g), 0, f64::ceil))),
    ("divided_by", divided_by),
    ("floor", |g| Ok(rounded(number(g), 0, f64::floor))),
    ("minus", |g| Ok(Value::Number(number(g).combine(operand(g), i64::checked_sub, |a, b| a - b)))),
    ("modulo", modulo),
    ("money", money),
    ("number_with_delimiter", |g| Ok(Value::from(delimited(&g.text(), &g.word(0, ","))))),
    ("plus", |g| Ok(Value::Number(number(g).combine(operand(g), i64::checked_add, |a, b| a + b)))),
    ("round", |g| Ok(rounded(number(g), g.count(0, 0), f64::round))),
    ("times", |g| Ok(Value::Number(number(g).combine(operand(g), i64::checked_mul, |a, b| a * b)))),
];

fn number(g: &Given<'_, '_>) -> Number {
    g.value.number().unwrap_or(Number::ZERO)
}

fn operand(g: &Given<'_, '_>) -> Number {
    g.argument(0).number().unwrap_or(Number::ZERO)
}

fn bounded_by<'a>(g: &Given<'_, 'a>, beyond: impl Fn(f64, f64) -> bool) -> Value<'a> {
    let (value, bound) = (number(g), operand(g));
    Value::Number(if beyond(value.real(), bound.real()) { bound } else { value })
}

fn rounded<'a>(number: Number, places: i64, round: impl Fn(f64) -> f64) -> Value<'a> {
    if matches!(number, Number::Whole(_)) && places >= 0 {
        return Value::Number(number);
    }
    let scale = 10_f64.powi(i32::try_from(places.clamp(-15, 15)).unwrap_or(0));
    let result = round(number.real() * scale) / scale;
    Value::Number(if result.fract() == 0.0 && result.abs() < 9e15 {
        Number::Whole(result as i64)
    } else {
        Number::Real(result)
    })
}

/// Whole numbers stay whole, rounded down, as in the language's own documentation.
fn divided_by<'a>(g: &Given<'_, 'a>) -> Answer<'a> {
    let (value, by) = (number(g), operand(g));
    if by.real() == 0.0 {
        return Err("divided_by: nothing can be divided by zero".to_owned());
    }
    Ok(Value::Number(value.combine(by, floor_division, |a, b| a / b)))
}

fn floor_division(a: i64, b: i64) -> Option<i64> {
    let quotient = a.checked_div(b)?;
    Some(if a % b != 0 && (a < 0) != (b < 0) { quotient - 1 } else { quotient })
}

fn modulo<'a>(g: &Given<'_, 'a>) -> Answer<'a> {
    if operand(g).real() == 0.0 {
        return Err("modulo: nothing can be divided by zero".to_owned());
    }
    Ok(Value::Number(number(g).combine(operand(g), i64::checked_rem, |a, b| a % b)))
}

/// `money: "EUR"`. With `minor: true` the amount is in cents, or what the currency has.
fn money<'a>(g: &Given<'_, 'a>) -> Answer<'a> {
    let Some(amount) = g.value.number() else { return Ok(g.value.clone()) };
    let currency = g.word(0, "").to_uppercase();
    let places = match currency.as_str() {
        "JPY" | "KRW" | "VND" | "CLP" | "ISK" | "XAF" | "XOF" => 0,
        "BHD" | "KWD" | "OMR" | "TND" | "JOD" => 3,
        _ => 2,
    };
    let scale = if g.flag("minor") { 10_f64.powi(places) } else { 1.0 };
    let amount = amount.real() / scale;
    let places = usize::try_from(places).unwrap_or(2);
    let digits = delimited(&format!("{:.places$}", amount.abs()), ",");
    let sign = if amount < 0.0 { "-" } else { "" };
    Ok(Value::from(match currency.as_str() {
        "" => format!("{sign}{digits}"),
        "USD" => format!("{sign}${digits}"),
        "EUR" => format!("{sign}€{digits}"),
        "GBP" => format!("{sign}£{digits}"),
        "JPY" => format!("{sign}¥{digits}"),
        "INR" => format!("{sign}₹{digits}"),
        code => format!("{sign}{digits} {code}"),
    }))
}

/// Groups the digits before the point by three.
fn delimited(number: &str, mark: &str) -> String {
    let (whole, fraction) = number.split_once('.').map_or((number, None), |(whole, rest)| (whole, Some(rest)));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return number.to_owned();
    }
    let mut out = String::from(sign);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push_str(mark);
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}
