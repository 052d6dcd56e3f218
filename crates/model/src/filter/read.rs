//! Reads conditions out of a parsed document and makes them ready, or says what is wrong
//! with each. Depth and count are bounded, so that no document can make asking slow.

use serde_json::{Map, Value};

use super::wanted::test;
use super::{Filter, Filters, Join, Operator, Part, Scope};
use crate::problem::{Problem, Problems, nearest};
use crate::value::as_text;

/// Groups within groups.
pub const MAX_DEPTH: usize = 10;
/// Conditions in one place.
pub const MAX_CONDITIONS: usize = 500;
const TYPES: [(&str, Scope); 7] = [
    ("event", Scope::Event),
    ("contact", Scope::Contact),
    ("person", Scope::Contact),
    ("account", Scope::Account),
    ("group", Scope::Account),
    ("campaign", Scope::Campaign),
    ("message", Scope::Message),
];

/// What PostHog can ask about and we cannot.
const TYPES_ELSEWHERE: [&str; 14] = [
    "behavioral",
    "cohort",
    "data_warehouse",
    "element",
    "event_metadata",
    "feature",
    "flag",
    "hogql",
    "log_entry",
    "precalculated-cohort",
    "recording",
    "session",
    "static-cohort",
    "workflow_variable",
];

impl Filters {
    /// Reads a list, a group `{ type: AND | OR, values: […] }` or a single condition.
    /// `path` is where it stands in the document.
    pub fn read(value: &Value, path: &str) -> Result<Self, Problems> {
        let mut reader = Reader { problems: Problems::default(), conditions: 0 };
        let read = reader.filters(value, path, 0);
        match read {
            Some(filters) if reader.problems.0.is_empty() => Ok(filters),
            _ => Err(reader.problems),
        }
    }
}

impl Filter {
    /// Reads one condition.
    pub fn read(value: &Value, path: &str) -> Result<Self, Problems> {
        condition(value, path).map_err(|problem| Problems(vec![*problem]))
    }
}

struct Reader {
    problems: Problems,
    conditions: usize,
}

impl Reader {
    fn filters(&mut self, value: &Value, path: &str, depth: usize) -> Option<Filters> {
        if depth > MAX_DEPTH {
            return self.refuse(path, format!("conditions are nested more than {MAX_DEPTH} deep"));
        }
        match value {
            Value::Array(values) => Some(Filters { join: Join::All, parts: self.parts(values, path, depth) }),
            Value::Object(object) if object.contains_key("values") => self.group(object, path, depth),
            Value::Object(_) => Some(Filters::all(vec![Part::Filter(self.leaf(value, path)?)])),
            _ => self.refuse(path, "conditions are a list, or a group { type: AND | OR, values: [...] }".to_owned()),
        }
    }

    fn group(&mut self, object: &Map<String, Value>, path: &str, depth: usize) -> Option<Filters> {
        if let Some(key) = object.keys().find(|key| !["type", "values"].contains(&key.as_str())) {
            return self.refuse(path, format!("a group has `type` and `values`, not `{key}`"));
        }
        let join = match object.get("type").and_then(Value::as_str) {
            Some(word) if word.eq_ignore_ascii_case("and") => Join::All,
            Some(word) if word.eq_ignore_ascii_case("or") => Join::Any,
            _ => return self.refuse(path, "a group's `type` is AND or OR".to_owned()),
        };
        let Some(Value::Array(values)) = object.get("values") else {
            return self.refuse(path, "a group's `values` is a list".to_owned());
        };
        if join == Join::Any && values.is_empty() {
            return self.refuse(path, "an OR group without values can never hold".to_owned());
        }
        Some(Filters { join, parts: self.parts(values, &join_path(path, "values"), depth) })
    }

    fn parts(&mut self, values: &[Value], path: &str, depth: usize) -> Vec<Part> {
        let mut parts = Vec::with_capacity(values.len().min(MAX_CONDITIONS));
        for (n, value) in values.iter().enumerate() {
            if self.problems.0.len() >= 20 {
                break;
            }
            let path = format!("{path}[{n}]");
            let is_group = value.is_array() || value.get("values").is_some();
            let part = if is_group {
                self.filters(value, &path, depth + 1).map(Part::Group)
            } else {
                self.leaf(value, &path).map(Part::Filter)
            };
            parts.extend(part);
        }
        parts
    }

    fn leaf(&mut self, value: &Value, path: &str) -> Option<Filter> {
        self.conditions += 1;
        if self.conditions > MAX_CONDITIONS {
            return self.refuse(path, format!("there are more than {MAX_CONDITIONS} conditions"));
        }
        condition(value, path).map_err(|problem| self.problems.0.push(*problem)).ok()
    }

    fn refuse<T>(&mut self, path: &str, message: String) -> Option<T> {
        self.problems.0.push(*problem(path, message));
        None
    }
}

fn condition(value: &Value, path: &str) -> Result<Filter, Box<Problem>> {
    let Value::Object(object) = value else {
        let message = "a condition has `key`, `value`, `operator` and `type`";
        return Err(problem(path, message.to_owned()));
    };
    fields(object).map_err(|message| problem(path, message))?;
    let key = match object.get("key") {
        Some(Value::String(key)) if !key.trim().is_empty() => key.clone(),
        _ => {
            return Err(problem(&join_path(path, "key"), "a condition needs the `key` of a property".to_owned()));
        }
    };
    let scope = scope(object.get("type")).map_err(|message| problem(&join_path(path, "type"), message))?;
    let operator =
        operator(object.get("operator")).map_err(|message| problem(&join_path(path, "operator"), message))?;
    let written = object.get("value").cloned().unwrap_or(Value::Null);
    let value = if operator.wants_no_value() { Value::Null } else { written };
    let test = test(operator, &value).map_err(|message| problem(&join_path(path, "value"), message))?;
    Ok(Filter { key, scope, operator, value, test: Box::new(test) })
}

/// `label` and `negation: false` are what PostHog's own screens write along.
fn fields(object: &Map<String, Value>) -> Result<(), String> {
    if object.get("negation").is_some_and(|negation| negation == &Value::Bool(true)) {
        return Err("`negation` is not known here; use the negated operator, such as `is_not`".to_owned());
    }
    let known = ["key", "value", "operator", "type", "label", "negation"];
    match object.keys().find(|key| !known.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) => Err(match nearest(key, known) {
            Some(near) => format!("a condition has no `{key}`; did you mean `{near}`?"),
            None => format!("a condition has `key`, `value`, `operator` and `type`, not `{key}`"),
        }),
    }
}

fn scope(written: Option<&Value>) -> Result<Scope, String> {
    let text = match written {
        None | Some(Value::Null) => return Ok(Scope::Event),
        Some(value) => as_text(value),
    };
    if let Some((_, scope)) = TYPES.iter().find(|(name, _)| *name == text) {
        return Ok(*scope);
    }
    if TYPES_ELSEWHERE.contains(&text.as_str()) {
        return Err(format!(
            "conditions of type `{text}` are not available yet; there are event, contact, account, campaign and message"
        ));
    }
    Err(match nearest(&text, TYPES.map(|(name, _)| name)) {
        Some(near) => format!("there is no type `{text}`; did you mean `{near}`?"),
        None => format!("there is no type `{text}`; there are event, contact, account, campaign and message"),
    })
}

fn operator(written: Option<&Value>) -> Result<Operator, String> {
    match written {
        None | Some(Value::Null) => Ok(Operator::Exact),
        Some(Value::String(text)) => Operator::parse(text),
        Some(_) => Err("an operator is a word such as `exact`".to_owned()),
    }
}

fn problem(path: &str, message: String) -> Box<Problem> {
    Box::new(Problem::error("condition_invalid", path, message, ""))
}

fn join_path(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
