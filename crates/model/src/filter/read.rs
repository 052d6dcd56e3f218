//! Reads conditions out of a parsed document and makes them ready, or says what is wrong
//! with each. Depth, count and pattern sizes are bounded, so that no document can make
//! asking slow.

use regex::{Regex, RegexBuilder};
use serde_json::{Map, Value};

use super::compare::{compare, is_number};
use super::leaf::{Order, Test};
use super::moment::Moment;
use super::version::Range;
use super::{Filter, Filters, Join, Operator, Part, Scope};
use crate::problem::{Problem, Problems, nearest};
use crate::value::as_text;

/// Groups within groups.
pub const MAX_DEPTH: usize = 10;
/// Conditions in one place.
pub const MAX_CONDITIONS: usize = 500;
/// Values in one condition.
pub const MAX_VALUES: usize = 1_000;
/// Bytes of one compiled pattern.
const MAX_PATTERN: usize = 1 << 20;
const LONGEST_PATTERN: usize = 2_000;

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
    "behavioral", "cohort", "data_warehouse", "element", "event_metadata", "feature", "flag", "hogql", "log_entry",
    "precalculated-cohort", "recording", "session", "static-cohort", "workflow_variable",
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
        condition(value, path).map_err(|problem| Problems(vec![problem]))
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
        condition(value, path).map_err(|problem| self.problems.0.push(problem)).ok()
    }

    fn refuse<T>(&mut self, path: &str, message: String) -> Option<T> {
        self.problems.0.push(problem(path, message));
        None
    }
}

fn condition(value: &Value, path: &str) -> Result<Filter, Problem> {
    let Value::Object(object) = value else {
        let message = "a condition has `key`, `value`, `operator` and `type`";
        return Err(problem(path, message.to_owned()));
    };
    fields(object).map_err(|message| problem(path, message))?;
    let key = match object.get("key") {
        Some(Value::String(key)) if !key.trim().is_empty() => key.clone(),
        _ => return Err(problem(&join_path(path, "key"), "a condition needs the `key` of a property".to_owned())),
    };
    let scope = scope(object.get("type")).map_err(|message| problem(&join_path(path, "type"), message))?;
    let operator = operator(object.get("operator")).map_err(|message| problem(&join_path(path, "operator"), message))?;
    let written = object.get("value").cloned().unwrap_or(Value::Null);
    let value = if operator.wants_no_value() { Value::Null } else { written };
    let test = test(operator, &value).map_err(|message| problem(&join_path(path, "value"), message))?;
    Ok(Filter { key, scope, operator, value, test })
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
        return Err(format!("conditions of type `{text}` are not available yet; there are event, contact, account, campaign and message"));
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

fn test(operator: Operator, value: &Value) -> Result<Test, String> {
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
        O::Gt | O::Gte | O::Lt | O::Lte | O::Min | O::Max => Ok(Test::Order(order(operator), sortable(operator, value)?)),
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
        Value::Bool(_) => Err(format!("`{operator}` compares numbers, or texts such as ISO dates; true and false have no order")),
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

fn problem(path: &str, message: String) -> Problem {
    Problem::error("condition_invalid", path, message, "")
}

fn join_path(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
