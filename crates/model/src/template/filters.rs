//! Filters that people expect and the engine lacks, or does otherwise than they expect.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use liquid_core::model::{Value, ValueView};
use liquid_core::parser::{FilterArguments, FilterReflection, ParameterReflection, ParseFilter};
use liquid_core::runtime::{Expression, Runtime};
use liquid_core::{Error, Filter};
use sha2::{Digest, Sha256};

use super::liquid::look_up;
use super::scope::ZONE;
use crate::Time;
use crate::contact::timezone;

/// What a filter is given.
struct Input<'a> {
    value: &'a dyn ValueView,
    arguments: Vec<Value>,
    named: BTreeMap<String, Value>,
    runtime: &'a dyn Runtime,
}

type Run = fn(&Input<'_>) -> Result<Value, String>;

#[derive(Clone, Copy)]
pub struct Named {
    name: &'static str,
    run: Run,
}

/// Every filter of ours, sorted.
pub fn all() -> &'static [Named] {
    &[
        Named { name: "base64_decode", run: base64_decode },
        Named { name: "base64_encode", run: |i| Ok(text(STANDARD.encode(i.text()))) },
        Named { name: "date", run: date },
        Named { name: "default", run: default },
        Named { name: "find", run: find },
        Named { name: "hogwire_html", run: |i| Ok(text(escape_html(&i.text()))) },
        Named { name: "hogwire_line", run: |i| Ok(text(one_line(&i.text()))) },
        Named { name: "json", run: |i| Ok(text(to_json(i.value))) },
        Named { name: "json_escape", run: json_escape },
        Named { name: "money", run: money },
        Named { name: "number_with_delimiter", run: |i| Ok(text(delimited(&i.text(), ","))) },
        Named { name: "raw", run: |i| Ok(i.value.to_value()) },
        Named { name: "sha256", run: sha256 },
        Named { name: "sum", run: sum },
        Named { name: "url_encode", run: |i| Ok(text(url_encode(&i.text()))) },
    ]
}

impl Named {
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

impl Input<'_> {
    fn text(&self) -> String {
        self.value.to_kstr().into_string()
    }

    fn argument(&self, at: usize) -> Option<String> {
        self.arguments.get(at).map(|value| value.to_kstr().into_string())
    }
}

fn text(text: String) -> Value {
    Value::scalar(text)
}

/// For nil, false and what is empty; with `allow_false: true` false stays false.
fn default(i: &Input<'_>) -> Result<Value, String> {
    let otherwise = i.arguments.first().cloned().unwrap_or_else(|| text(String::new()));
    let value = i.value.to_value();
    let allows = i.named.get("allow_false").and_then(|v| v.as_scalar()?.to_bool()).unwrap_or(false);
    let is_false = value.as_scalar().and_then(|scalar| scalar.to_bool()) == Some(false);
    let is_empty = match &value {
        Value::Nil => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Scalar(scalar) => scalar.to_kstr().is_empty(),
        Value::State(_) => true,
    };
    Ok(if is_empty || (is_false && !allows) { otherwise } else { value })
}

/// `date: "%B %d, %Y"` in the contact's zone. A number is seconds since 1970, `now` and
/// `today` are the moment of rendering, and what is no date is printed as it is.
fn date(i: &Input<'_>) -> Result<Value, String> {
    let Some(format) = i.argument(0).filter(|format| !format.is_empty()) else { return Ok(i.value.to_value()) };
    let given = i.text();
    let moment = match given.as_str() {
        "now" | "today" => look_up(i.runtime, "now").and_then(|now| Time::parse(&now)),
        other => match other.parse::<i64>() {
            Ok(seconds) => Some(Time::from_millis(seconds.saturating_mul(1_000))),
            Err(_) => Time::parse(other).or_else(|| Time::parse(&format!("{other}T00:00:00"))),
        },
    };
    let Some(moment) = moment else { return Ok(i.value.to_value()) };
    let name = i.argument(1).or_else(|| look_up(i.runtime, ZONE)).unwrap_or_default();
    let zone = timezone::named(&name).unwrap_or(jiff::tz::TimeZone::UTC);
    let local = moment.to_jiff().to_zoned(zone);
    jiff::fmt::strtime::format(&format, &local).map(text).map_err(|error| format!("date: {error}"))
}

fn money(i: &Input<'_>) -> Result<Value, String> {
    let Ok(amount) = i.text().trim().parse::<f64>() else { return Ok(i.value.to_value()) };
    let digits = delimited(&format!("{:.2}", amount.abs()), ",");
    let sign = if amount < 0.0 { "-" } else { "" };
    Ok(text(match i.argument(0).as_deref() {
        None | Some("") => format!("{sign}{digits}"),
        Some("USD") => format!("{sign}${digits}"),
        Some("EUR") => format!("{sign}€{digits}"),
        Some("GBP") => format!("{sign}£{digits}"),
        Some(code) => format!("{sign}{digits} {code}"),
    }))
}

fn delimited(number: &str, mark: &str) -> String {
    let (whole, rest) = number.split_once('.').map_or((number, None), |(whole, rest)| (whole, Some(rest)));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push_str(mark);
        }
        out.push(digit);
    }
    match rest {
        Some(rest) => format!("{sign}{out}.{rest}"),
        None => format!("{sign}{out}"),
    }
}

fn base64_decode(i: &Input<'_>) -> Result<Value, String> {
    let bytes = STANDARD.decode(i.text()).map_err(|_| "base64_decode: not base64".to_owned())?;
    String::from_utf8(bytes).map(text).map_err(|_| "base64_decode: not text".to_owned())
}

fn sha256(i: &Input<'_>) -> Result<Value, String> {
    Ok(text(Sha256::digest(i.text().as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()))
}

fn sum(i: &Input<'_>) -> Result<Value, String> {
    let Some(items) = i.value.as_array() else { return Ok(Value::scalar(0_i64)) };
    let field = i.argument(0);
    let number = |item: &dyn ValueView| -> f64 {
        let found = match &field {
            Some(name) => item.as_object().and_then(|object| object.get(name)).map(ValueView::to_kstr),
            None => Some(item.to_kstr()),
        };
        found.and_then(|text| text.trim().parse().ok()).unwrap_or(0.0)
    };
    let total: f64 = items.values().map(number).sum();
    Ok(if total.fract() == 0.0 { Value::scalar(total as i64) } else { Value::scalar(total) })
}

fn find(i: &Input<'_>) -> Result<Value, String> {
    let (Some(items), Some(name), Some(wanted)) = (i.value.as_array(), i.argument(0), i.argument(1)) else {
        return Ok(Value::Nil);
    };
    let found = items.values().find(|item| {
        item.as_object().and_then(|object| object.get(&name)).is_some_and(|field| field.to_kstr() == wanted.as_str())
    });
    Ok(found.map_or(Value::Nil, ValueView::to_value))
}

fn json_escape(i: &Input<'_>) -> Result<Value, String> {
    let quoted = serde_json::Value::String(i.text()).to_string();
    Ok(text(quoted[1..quoted.len() - 1].to_owned()))
}

fn to_json(value: &dyn ValueView) -> String {
    serde_json::to_string(&value.to_value()).unwrap_or_else(|_| "null".to_owned())
}

pub fn escape_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// Line breaks and control characters as single spaces: what may stand in a header.
pub fn one_line(text: &str) -> String {
    let spaced: String =
        text.chars().map(|c| if c.is_control() || c == '\u{2028}' || c == '\u{2029}' { ' ' } else { c }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// As forms encode: a space becomes a plus.
fn url_encode(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

impl FilterReflection for Named {
    fn name(&self) -> &str {
        self.name
    }

    fn description(&self) -> &str {
        self.name
    }

    fn positional_parameters(&self) -> &'static [ParameterReflection] {
        &[]
    }

    fn keyword_parameters(&self) -> &'static [ParameterReflection] {
        &[]
    }
}

impl ParseFilter for Named {
    fn parse(&self, arguments: FilterArguments<'_>) -> Result<Box<dyn Filter>, Error> {
        Ok(Box::new(Ready {
            filter: *self,
            positional: arguments.positional.collect(),
            named: arguments.keyword.map(|(name, value)| (name.to_owned(), value)).collect(),
        }))
    }

    fn reflection(&self) -> &dyn FilterReflection {
        self
    }
}

/// A filter with its arguments, as it stands in a template.
struct Ready {
    filter: Named,
    positional: Vec<Expression>,
    named: Vec<(String, Expression)>,
}

impl fmt::Debug for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.filter.name)
    }
}

impl fmt::Display for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.filter.name)
    }
}

impl Filter for Ready {
    fn evaluate(&self, value: &dyn ValueView, runtime: &dyn Runtime) -> Result<Value, Error> {
        let positional = self.positional.iter().map(|e| Ok(e.evaluate(runtime)?.into_owned()));
        let named = self.named.iter().map(|(name, e)| Ok((name.clone(), e.evaluate(runtime)?.into_owned())));
        let input = Input {
            value,
            arguments: positional.collect::<Result<_, Error>>()?,
            named: named.collect::<Result<_, Error>>()?,
            runtime,
        };
        (self.filter.run)(&input).map_err(Error::with_msg)
    }
}
