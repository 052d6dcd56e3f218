//! HogQL through the query endpoint: how a query is asked and its rows are read.
//!
//! Constants go as `values`, never spliced into the text. Times are asked for in UTC, and the
//! answer is forced to be fresh: cached rows would make an incremental pull see yesterday. An
//! answer never has more than `limits::MOST_ROWS` rows and does not say when it was cut, so
//! callers page by a key and stop on a page that is not full.

use hogwire_model::Time;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::access::{Access, Call, Trouble, json as read_json};
use super::limits::Class;
use crate::http::Response;

/// A query with its constants.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// Lands in PostHog's own log, so that people there see who asked.
    pub name: String,
    pub sql: String,
    pub values: Map<String, Value>,
}

impl Query {
    pub fn new(name: &str, sql: impl Into<String>) -> Self {
        Self { name: format!("hogwire {name}"), sql: sql.into(), values: Map::new() }
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.values.insert(name.to_owned(), value.into());
        self
    }

    pub fn call(&self, access: &Access) -> Call {
        let mut query = json!({
            "kind": "HogQLQuery",
            "query": self.sql,
            "modifiers": { "convertToProjectTimezone": false },
        });
        if !self.values.is_empty() {
            query["values"] = Value::Object(self.values.clone());
        }
        let name: String = self.name.chars().take(128).collect();
        access.post(Class::Query, "query/", &json!({ "query": query, "refresh": "force_blocking", "name": name }))
    }

    /// The text with every constant replaced by `?`, for a log: neither values nor addresses.
    pub fn redacted(&self) -> String {
        redacted(&self.sql)
    }
}

/// Rows as they came. Each is a JSON array, read only when it is looked at: a full page of
/// wide rows is tens of megabytes.
#[derive(Debug, Default)]
pub struct Rows<'a> {
    pub columns: Vec<String>,
    pub types: Vec<String>,
    pub rows: Vec<&'a RawValue>,
}

/// What the endpoint said: rows, or that it goes on by itself under an id.
#[derive(Debug)]
pub enum Answer<'a> {
    Rows(Rows<'a>),
    Running(String),
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(default)]
    columns: Option<Vec<String>>,
    #[serde(default, borrow)]
    results: Option<Vec<&'a RawValue>>,
    #[serde(default)]
    types: Option<Vec<Value>>,
    #[serde(default, borrow)]
    error: Option<&'a RawValue>,
    #[serde(default, borrow)]
    query_status: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Status<'a> {
    #[serde(default)]
    id: String,
    #[serde(default)]
    complete: bool,
    #[serde(default)]
    error: bool,
    #[serde(default)]
    error_message: Option<String>,
    #[serde(default, borrow)]
    results: Option<&'a RawValue>,
}

pub fn read(response: &Response, now: Time) -> Result<Answer<'_>, Trouble> {
    let body: Body<'_> = read_json(response, now)?;
    if let Some(error) = body.error.filter(|error| !matches!(error.get(), "null" | "\"\"")) {
        return Err(Trouble::Odd(format!("PostHog could not run the query: {}", error.get())));
    }
    if let Some(results) = body.results {
        let types = body.types.unwrap_or_default().iter().map(type_name).collect();
        return Ok(Answer::Rows(Rows { columns: body.columns.unwrap_or_default(), types, rows: results }));
    }
    let status: Status<'_> = body
        .query_status
        .and_then(|raw| serde_json::from_str(raw.get()).ok())
        .ok_or_else(|| Trouble::Odd("PostHog's answer has neither rows nor a status".to_owned()))?;
    if status.error {
        return Err(Trouble::Odd(status.error_message.unwrap_or_else(|| "PostHog could not run the query".to_owned())));
    }
    match status.results {
        Some(results) if status.complete => {
            let inner: Body<'_> = serde_json::from_str(results.get())
                .map_err(|error| Trouble::Odd(format!("PostHog's answer cannot be read: {error}")))?;
            let types = inner.types.unwrap_or_default().iter().map(type_name).collect();
            let rows = inner.results.unwrap_or_default();
            Ok(Answer::Rows(Rows { columns: inner.columns.unwrap_or_default(), types, rows }))
        }
        _ if !status.id.is_empty() => Ok(Answer::Running(status.id)),
        _ => Err(Trouble::Odd("PostHog's answer has neither rows nor an id to ask for them".to_owned())),
    }
}

/// Asks for the rows of a query that went on by itself.
pub fn poll(access: &Access, id: &str) -> Call {
    let id: String = id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-' || *c == '_').collect();
    access.get(Class::Query, &format!("query/{id}/"))
}

/// `["email", "Nullable(String)"]`, or the bare type in older answers.
fn type_name(value: &Value) -> String {
    match value {
        Value::Array(pair) => pair.get(1).and_then(Value::as_str).unwrap_or_default().to_owned(),
        other => other.as_str().unwrap_or_default().to_owned(),
    }
}

impl Rows<'_> {
    pub fn cells(row: &RawValue) -> Vec<&RawValue> {
        serde_json::from_str(row.get()).unwrap_or_default()
    }
}

/// A cell as text; nothing where it is null.
pub fn text(cell: &RawValue) -> Option<String> {
    match serde_json::from_str(cell.get()).ok()? {
        Value::Null => None,
        value => Some(hogwire_model::value::as_text(&value)),
    }
}

/// A time as ClickHouse prints it, with an offset or without (then UTC).
pub fn time(cell: &RawValue) -> Option<Time> {
    Time::parse(&text(cell)?)
}

/// A property of a record by its name, as a text in brackets so that any name is one:
/// PostHog's parser takes no escaped backtick.
pub fn property(of: &str, name: &str) -> String {
    let name = name.replace('\\', "\\\\").replace('\'', "\\'");
    format!("{of}properties['{name}']")
}

fn redacted(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len());
    let mut chars = sql.chars().peekable();
    let mut before = ' ';
    while let Some(c) = chars.next() {
        if c == '\'' {
            while let Some(inner) = chars.next() {
                match inner {
                    '\\' => drop(chars.next()),
                    '\'' => break,
                    _ => {}
                }
            }
            out.push('?');
        } else if c.is_ascii_digit() && !(before.is_alphanumeric() || before == '_' || before == '`') {
            while chars.next_if(|next| next.is_ascii_digit() || *next == '.').is_some() {}
            out.push('?');
        } else {
            out.push(c);
        }
        before = c;
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}
