//! The functions of the subset: how each is written for SQLite, and what it answers.

use super::Refusal;
use super::tables::Kind;

/// A written expression and what it is.
#[derive(Clone, Debug)]
pub struct Written {
    pub sql: String,
    pub kind: Kind,
    pub aggregates: bool,
}

impl Written {
    pub fn new(sql: impl Into<String>, kind: Kind) -> Self {
        Self { sql: sql.into(), kind, aggregates: false }
    }
}

const STARTS: [(&str, &str); 6] = [
    ("tostartofminute", "minute"),
    ("tostartofhour", "hour"),
    ("tostartofday", "day"),
    ("tostartofweek", "week"),
    ("tostartofmonth", "month"),
    ("tostartofyear", "year"),
];

/// A time out of anything: texts are read in the query's zone.
pub fn as_time(value: &Written) -> String {
    match value.kind {
        Kind::Time => value.sql.clone(),
        _ => format!("hq_time({})", value.sql),
    }
}

fn as_text(value: &Written) -> String {
    match value.kind {
        Kind::Text | Kind::Day => value.sql.clone(),
        Kind::Time => format!("hq_print({})", value.sql),
        _ => format!("CAST({} AS TEXT)", value.sql),
    }
}

pub fn write(name: &str, distinct: bool, args: &[Written]) -> Result<Written, Refusal> {
    let lower = name.to_lowercase();
    if let Some(written) = aggregate(&lower, distinct, args) {
        return Ok(Written { aggregates: true, ..written });
    }
    let inherited = args.iter().any(|arg| arg.aggregates);
    scalar(&lower, args)
        .map(|written| Written { aggregates: inherited, ..written })
        .ok_or_else(|| Refusal::resolve(&format!("Unsupported function call '{name}(...)'")))
}

fn aggregate(name: &str, distinct: bool, args: &[Written]) -> Option<Written> {
    let one = || args.first().map(|arg| arg.sql.clone());
    let first_kind = args.first().map_or(Kind::Any, |arg| arg.kind);
    let number = |sql: String| Written::new(sql, Kind::Number);
    Some(match (name, args.len()) {
        ("count", 0) => number("count(*)".into()),
        ("count", 1) if distinct => number(format!("count(DISTINCT {})", one()?)),
        ("count", 1) => number(format!("count({})", one()?)),
        ("countif", 1) => number(format!("coalesce(sum(CASE WHEN {} THEN 1 ELSE 0 END), 0)", one()?)),
        ("sumif", 2) => number(format!("coalesce(sum(CASE WHEN {} THEN {} END), 0)", args[1].sql, one()?)),
        ("uniq" | "uniqexact", 1) => number(format!("count(DISTINCT {})", one()?)),
        ("sum", 1) => number(format!("coalesce(sum({}), 0)", one()?)),
        ("avg", 1) => number(format!("avg({})", one()?)),
        ("min" | "max", 1) => Written::new(format!("{name}({})", one()?), first_kind),
        ("any" | "anylast", 1) => Written::new(format!("min({})", one()?), first_kind),
        ("argmax", 2) => Written::new(format!("hq_argmax({}, {})", one()?, args[1].sql), first_kind),
        ("argmin", 2) => Written::new(format!("hq_argmax({}, -({}))", one()?, args[1].sql), first_kind),
        ("grouparray", 1) => Written::new(format!("json_group_array({})", one()?), Kind::List),
        ("groupuniqarray", 1) => Written::new(format!("json_group_array(DISTINCT {})", one()?), Kind::List),
        _ => return None,
    })
}

fn scalar(name: &str, args: &[Written]) -> Option<Written> {
    let first = args.first();
    let sql = |at: usize| args.get(at).map(|arg| arg.sql.clone());
    if let Some((_, unit)) = STARTS.iter().find(|(known, _)| *known == name) {
        return Some(Written::new(format!("hq_start('{unit}', {})", as_time(first?)), Kind::Time));
    }
    let listed = args.iter().map(|arg| arg.sql.clone()).collect::<Vec<_>>().join(", ");
    let kind = first.map_or(Kind::Any, |arg| arg.kind);
    Some(match (name, args.len()) {
        ("now", 0) => Written::new("hq_now()", Kind::Time),
        ("today", 0) => Written::new("hq_day(hq_now())", Kind::Day),
        ("tostring", 1) => Written::new(as_text(first?), Kind::Text),
        ("todatetime" | "todatetime64" | "parsedatetimebesteffort", 1 | 2) => Written::new(as_time(first?), Kind::Time),
        ("todate", 1) => Written::new(format!("hq_day({})", as_time(first?)), Kind::Day),
        ("toint" | "toint64" | "touint64", 1) => Written::new(format!("CAST({} AS INTEGER)", sql(0)?), Kind::Number),
        ("tofloat" | "tofloat64", 1) => Written::new(format!("CAST({} AS REAL)", sql(0)?), Kind::Number),
        ("datediff", 3) => {
            let difference = format!("({} - {})", as_time(&args[2]), as_time(&args[1]));
            Written::new(format!("hq_length({}, {difference})", sql(0)?), Kind::Number)
        }
        ("coalesce" | "ifnull", 2..) => Written::new(format!("coalesce({listed})"), kind),
        ("nullif", 2) => Written::new(format!("nullif({listed})"), kind),
        ("if", 3) => {
            Written::new(format!("(CASE WHEN {} THEN {} ELSE {} END)", sql(0)?, sql(1)?, sql(2)?), args[1].kind)
        }
        ("multiif", 3..) if args.len() % 2 == 1 => {
            let arms = args.chunks_exact(2).map(|arm| format!(" WHEN {} THEN {}", arm[0].sql, arm[1].sql));
            let arms: String = arms.collect();
            Written::new(format!("(CASE{arms} ELSE {} END)", args.last()?.sql), args[1].kind)
        }
        ("lower" | "upper" | "trim", 1) => Written::new(format!("{name}({})", sql(0)?), Kind::Text),
        ("length", 1) => Written::new(format!("length({})", sql(0)?), Kind::Number),
        ("concat", 1..) => {
            let parts = args.iter().map(|arg| format!("coalesce({}, '')", as_text(arg))).collect::<Vec<_>>();
            Written::new(format!("({})", parts.join(" || ")), Kind::Text)
        }
        ("startswith", 2) => Written::new(format!("(substr({0}, 1, length({1})) = {1})", sql(0)?, sql(1)?), Kind::Bool),
        ("endswith", 2) => Written::new(format!("(substr({0}, -length({1})) = {1})", sql(0)?, sql(1)?), Kind::Bool),
        ("position", 2) => Written::new(format!("instr({listed})"), Kind::Number),
        ("jsonextractstring", 2) => Written::new(format!("hq_property({listed})"), Kind::Text),
        ("jsonextractint" | "jsonextractfloat", 2) => {
            Written::new(format!("CAST(hq_property({listed}) AS REAL)"), Kind::Number)
        }
        ("round", 1 | 2) => Written::new(format!("round({listed})"), Kind::Number),
        ("abs", 1) => Written::new(format!("abs({listed})"), Kind::Number),
        ("greatest", 2..) => Written::new(format!("max({listed})"), kind),
        ("least", 2..) => Written::new(format!("min({listed})"), kind),
        ("empty", 1) => Written::new(format!("(coalesce({}, '') = '')", sql(0)?), Kind::Bool),
        ("notempty", 1) => Written::new(format!("(coalesce({}, '') != '')", sql(0)?), Kind::Bool),
        ("isnull", 1) => Written::new(format!("({} IS NULL)", sql(0)?), Kind::Bool),
        ("isnotnull", 1) => Written::new(format!("({} IS NOT NULL)", sql(0)?), Kind::Bool),
        ("not", 1) => Written::new(format!("(NOT {})", sql(0)?), Kind::Bool),
        ("tuple", 1..) => Written::new(format!("({listed})"), Kind::Any),
        _ => return None,
    })
}
