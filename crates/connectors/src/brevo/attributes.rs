//! Attributes of contacts: which there are, how they are made, and how a value becomes what
//! Brevo takes.
//!
//! An attribute must exist, is written in capitals, and never changes its type. A value of
//! another type is dropped without a word, so it is fitted here, or refused with a reason. A
//! date holds a day; a time of day is not documented for attributes, and is cut off.

use hogwire_model::value::{as_number, as_text};
use hogwire_model::{Outcome, Time};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::errors::{failure, outcome};
use super::{Access, segment};
use crate::http::{Request, Response};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Text,
    Float,
    Boolean,
    Date,
    /// One of a list of options, which Brevo knows by number.
    Category,
    MultipleChoice,
    /// Calculated, or of a kind that this does not write.
    Unwritable,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    pub name: String,
    pub kind: Kind,
    /// What may be chosen: (what people see, what is sent).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<(String, String)>,
}

impl Kind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Float => "float",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Category => "category",
            Self::MultipleChoice => "multiple-choice",
            Self::Unwritable => "unwritable",
        }
    }
}

/// Names that Brevo keeps for itself.
const OWN: [&str; 10] = [
    "ADDED_TIME",
    "DOUBLE_OPT-IN",
    "EMAIL",
    "EXT_ID",
    "LANDLINE_NUMBER",
    "MODIFIED_TIME",
    "OPT_IN",
    "SMS",
    "UNSUBSCRIBED",
    "WHATSAPP",
];

/// Whether an attribute can have this name as it is written.
pub fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_uppercase())
        && name.len() <= 50
        && bytes.all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
        && !OWN.contains(&name)
}

pub fn all(access: Access<'_>) -> Request {
    access.request("GET", "/contacts/attributes")
}

pub fn read_all(response: &Response, now: Time) -> Result<Vec<Attribute>, Outcome> {
    match outcome(response, now) {
        Outcome::Done(_) => {}
        other => return Err(other),
    }
    let body: Value = serde_json::from_slice(&response.body)
        .map_err(|error| Outcome::Retry(format!("Brevo's attributes cannot be read: {error}")))?;
    Ok(body["attributes"].as_array().into_iter().flatten().filter_map(attribute).collect())
}

fn attribute(row: &Value) -> Option<Attribute> {
    let kind = match (row["category"].as_str().unwrap_or_default(), row["type"].as_str().unwrap_or_default()) {
        ("category", _) => Kind::Category,
        ("normal", "text") => Kind::Text,
        ("normal", "float") => Kind::Float,
        ("normal", "boolean") => Kind::Boolean,
        ("normal", "date") => Kind::Date,
        ("normal", "multiple-choice") => Kind::MultipleChoice,
        _ => Kind::Unwritable,
    };
    let options = match kind {
        Kind::Category => options(row),
        Kind::MultipleChoice => choices(row),
        _ => Vec::new(),
    };
    Some(Attribute { name: row["name"].as_str()?.to_owned(), kind, options })
}

/// Since May 2026 `value` is 0 where an option is no number; `valueStr` says what it is.
fn options(row: &Value) -> Vec<(String, String)> {
    let rows = row["enumeration"].as_array().into_iter().flatten();
    rows.map(|option| {
        let value = option["valueStr"].as_str().map_or_else(|| as_text(&option["value"]), str::to_owned);
        (as_text(&option["label"]), value)
    })
    .collect()
}

fn choices(row: &Value) -> Vec<(String, String)> {
    let rows = row["multiCategoryOptions"].as_array().into_iter().flatten();
    rows.filter_map(Value::as_str).map(|option| (option.to_owned(), option.to_owned())).collect()
}

/// Makes an attribute of a plain kind.
pub fn create(access: Access<'_>, name: &str, kind: Kind) -> Request {
    access.with_body("POST", &format!("/contacts/attributes/normal/{}", segment(name)), &json!({ "type": kind }))
}

/// Whether it is there now. That it was there before is as good; its kind is read again.
pub fn read_created(response: &Response, now: Time) -> Outcome {
    match failure(response) {
        Some(failure) if failure.status == 400 && failure.message.to_lowercase().contains("exist") => {
            Outcome::Done("400, was there".to_owned())
        }
        _ => outcome(response, now),
    }
}

/// The kind that suits all of these values; text where they differ, nothing where none says
/// anything.
pub fn kind_of<'v>(values: impl IntoIterator<Item = &'v Value>) -> Option<Kind> {
    let mut found: Option<Kind> = None;
    for value in values {
        let kind = match value {
            Value::Null => continue,
            Value::Bool(_) => Kind::Boolean,
            Value::Number(_) => Kind::Float,
            Value::String(text) if text.is_empty() => continue,
            Value::String(text) if looks_like_date(text) => Kind::Date,
            _ => Kind::Text,
        };
        match found {
            Some(held) if held != kind => return Some(Kind::Text),
            _ => found = Some(kind),
        }
    }
    found
}

fn looks_like_date(text: &str) -> bool {
    text.len() >= 10 && text.as_bytes()[4] == b'-' && day(text).is_some()
}

/// `2026-11-25`, from a day or a time.
fn day(text: &str) -> Option<String> {
    let text = text.trim();
    let iso = text.replacen(' ', "T", 1);
    let at = Time::parse(&iso)
        .or_else(|| Time::parse(&format!("{iso}Z")))
        .or_else(|| Time::parse(&format!("{iso}T00:00:00Z")))?;
    Some(at.to_string()[..10].to_owned())
}

/// The longest text that is sent.
const MOST_TEXT: usize = 5_000;

/// The value as an attribute of this kind takes it, or why it cannot.
pub fn fit(attribute: &Attribute, value: &Value) -> Result<Value, String> {
    let unfit = |wanted: &str| Err(format!("{} holds {wanted} in Brevo, and this is {}", attribute.name, told(value)));
    match attribute.kind {
        Kind::Text => Ok(Value::String(hogwire_model::contact::key::cut(&text(value), MOST_TEXT).to_owned())),
        Kind::Float => match as_number(value) {
            Some(number) => Ok(whole(number)),
            None => unfit("numbers"),
        },
        Kind::Boolean => match flag(value) {
            Some(flag) => Ok(flag.into()),
            None => unfit("yes or no"),
        },
        Kind::Date => match date(value) {
            Some(date) => Ok(date.into()),
            None => unfit("dates"),
        },
        Kind::Category => match option(attribute, value) {
            Some(chosen) => Ok(chosen.parse::<i64>().map_or_else(|_| chosen.into(), Value::from)),
            None => unfit("one of its options"),
        },
        Kind::MultipleChoice => {
            let wanted = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
            let chosen: Option<Vec<&str>> = wanted.iter().map(|one| option(attribute, one)).collect();
            match chosen {
                Some(chosen) => Ok(json!(chosen)),
                None => unfit("some of its options"),
            }
        }
        Kind::Unwritable => Err(format!("{} is calculated by Brevo and cannot be written", attribute.name)),
    }
}

/// Several values of one attribute stand side by side, so that none wins over the others.
fn text(value: &Value) -> String {
    match value {
        Value::Array(items) => items.iter().map(as_text).collect::<Vec<_>>().join("|"),
        other => as_text(other),
    }
}

fn whole(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 9e15 { Value::from(number as i64) } else { Value::from(number) }
}

fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => match number.as_f64() {
            Some(1.0) => Some(true),
            Some(0.0) => Some(false),
            _ => None,
        },
        Value::String(text) => match text.trim().to_lowercase().as_str() {
            "true" | "yes" | "1" => Some(true),
            "false" | "no" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn date(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => day(text),
        // Seconds or milliseconds, as clients write times.
        Value::Number(number) => {
            let number = number.as_f64().filter(|number| (1e8..1e14).contains(number))?;
            let millis = if number < 1e11 { number * 1_000.0 } else { number };
            Some(Time::from_millis(millis as i64).to_string()[..10].to_owned())
        }
        _ => None,
    }
}

fn option<'a>(attribute: &'a Attribute, value: &Value) -> Option<&'a str> {
    let wanted = as_text(value);
    let same = |text: &str| text.eq_ignore_ascii_case(wanted.trim());
    attribute.options.iter().find(|(label, sent)| same(label) || same(sent)).map(|(_, sent)| sent.as_str())
}

fn told(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "another text",
        Value::Number(_) => "another number",
        Value::Bool(_) => "yes or no",
        Value::Array(_) => "a list",
        _ => "an object",
    }
}
