//! The stand-in's query endpoint: a stated subset of HogQL over its own data, with SQLite
//! underneath.
//!
//! What is in the subset is `parse`'s, `calls`' and `tables`' business; what is outside is
//! refused with an error of PostHog's shape. PostHog's limits hold: no LIMIT means 100 rows,
//! more than 50,000 are cut without a word, equal queries may be answered from yesterday's
//! cache, and times are in the project's zone unless the request says otherwise.

mod calls;
mod functions;
mod parse;
mod scan;
mod tables;
mod tree;
mod write;

use std::sync::{Arc, Mutex, PoisonError};

use jiff::tz::TimeZone;
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use serde_json::{Map, Value, json};

use hogwire_model::Time;

use functions::{Setting, Shared};
use tables::Kind;
use write::Statement;

/// Why a query is refused: PostHog's code and its sentence.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    pub code: &'static str,
    pub detail: String,
}

impl Refusal {
    fn syntax(what: &str) -> Self {
        Self { code: "invalid_input", detail: format!("Syntax error in query: {what}") }
    }

    fn resolve(what: &str) -> Self {
        Self { code: "invalid_input", detail: what.to_owned() }
    }
}

/// No LIMIT means this many; no answer has more than the other.
const ROWS: usize = 100;
const MOST_ROWS: usize = 50_000;

/// The data that queries run over.
pub struct Warehouse {
    pub connection: Connection,
    setting: Shared,
    pub zone: TimeZone,
}

impl Warehouse {
    pub fn new() -> rusqlite::Result<Self> {
        let connection = Connection::open_in_memory()?;
        connection.execute_batch(tables::SCHEMA)?;
        let setting: Shared = Arc::new(Mutex::new(Setting { now: 0, zone: TimeZone::UTC }));
        functions::add(&connection, &setting)?;
        // A project is seldom in UTC, and whoever forgets that reads wrong times.
        let zone = TimeZone::get("America/Sao_Paulo").unwrap_or(TimeZone::UTC);
        Ok(Self { connection, setting, zone })
    }

    /// Runs one query node and answers what the endpoint would.
    pub fn run(&self, node: &Value, now: Time) -> Result<Value, Refusal> {
        let text = node["query"].as_str().ok_or_else(|| Refusal::resolve("Field required: query"))?;
        let values = node["values"].as_object().cloned().unwrap_or_default();
        let in_zone = node["modifiers"]["convertToProjectTimezone"] != Value::Bool(false);
        let zone = if in_zone { self.zone.clone() } else { TimeZone::UTC };
        self.setting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone_from(&Setting { now: now.millis() * 1_000, zone: zone.clone() });
        let statement = statement(text, &values)?;
        let limit = statement.limit.unwrap_or(ROWS).min(MOST_ROWS);
        let (rows, more) = self.rows(&statement, limit, &zone)?;
        let columns: Vec<&String> = statement.columns.iter().map(|(name, _)| name).collect();
        let types: Vec<Value> = statement.columns.iter().map(|(name, kind)| json!([name, kind.clickhouse()])).collect();
        Ok(json!({
            "cache_key": "stand-in", "columns": columns, "error": null, "hasMore": more, "hogql": text,
            "is_cached": false, "limit": limit, "offset": 0, "query": text, "results": rows, "types": types,
            "timezone": if in_zone { self.zone.iana_name().unwrap_or("UTC") } else { "UTC" },
        }))
    }

    fn rows(&self, statement: &Statement, limit: usize, zone: &TimeZone) -> Result<(Vec<Value>, bool), Refusal> {
        let failed = |error: rusqlite::Error| Refusal { code: "illegal_type_of_argument", detail: error.to_string() };
        let sql = format!("SELECT * FROM ({}) LIMIT {}", statement.sql, limit + 1);
        let mut prepared = self.connection.prepare(&sql).map_err(failed)?;
        let mut cursor = prepared.query([]).map_err(failed)?;
        let mut rows = Vec::new();
        while let Some(row) = cursor.next().map_err(failed)? {
            if rows.len() == limit {
                return Ok((rows, true));
            }
            let mut cells = Vec::with_capacity(statement.columns.len());
            for (at, (_, kind)) in statement.columns.iter().enumerate() {
                cells.push(cell(row.get_ref(at).map_err(failed)?, *kind, zone));
            }
            rows.push(Value::Array(cells));
        }
        Ok((rows, false))
    }
}

/// Whether the subset holds a query, without running it.
pub fn statement(text: &str, values: &Map<String, Value>) -> Result<Statement, Refusal> {
    write::statement(&parse::parse(text, values)?)
}

fn cell(value: ValueRef<'_>, kind: Kind, zone: &TimeZone) -> Value {
    match (value, kind) {
        (ValueRef::Null, _) => Value::Null,
        (ValueRef::Integer(micros), Kind::Time) => functions::zoned(micros, zone).map_or(Value::Null, |at| {
            let printed = at.strftime("%Y-%m-%dT%H:%M:%S.%6f%:z").to_string();
            Value::String(printed.replace("+00:00", "Z"))
        }),
        (ValueRef::Integer(flag), Kind::Bool) => Value::Bool(flag != 0),
        (ValueRef::Integer(number), _) => json!(number),
        (ValueRef::Real(number), _) => json!(number),
        (ValueRef::Text(text), Kind::List) => serde_json::from_slice(text).unwrap_or_default(),
        (ValueRef::Text(text) | ValueRef::Blob(text), _) => Value::String(String::from_utf8_lossy(text).into_owned()),
    }
}
