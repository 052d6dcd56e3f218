//! Writes a query's tree in SQLite's words, knowing what each expression is.
//!
//! Times are microseconds inside, so a text that is compared with one is read as a time first.
//! An alias of the select list stands for its expression wherever it is used, as in
//! ClickHouse. A sub-select is not limited; the outermost one is, by the caller.

use std::collections::HashMap;

use serde_json::Value;

use super::Refusal;
use super::calls::{self, Written, as_time};
use super::tables::{self, Kind, Table};
use super::tree::{Expr, Select, Source, What};

/// A written query and what its columns are.
#[derive(Clone, Debug)]
pub struct Statement {
    pub sql: String,
    pub columns: Vec<(String, Kind)>,
    /// The outermost limit, where one is written.
    pub limit: Option<usize>,
}

#[derive(Clone)]
enum Shape {
    Table(&'static Table),
    Select(Vec<(String, Kind)>),
}

/// What names mean at one place of the query.
#[derive(Clone, Default)]
struct Scope {
    sources: Vec<(String, Shape)>,
    aliases: HashMap<String, Written>,
    with: HashMap<String, Statement>,
}

pub fn statement(select: &Select) -> Result<Statement, Refusal> {
    outer(select, &Scope::default())
}

fn outer(select: &Select, around: &Scope) -> Result<Statement, Refusal> {
    let mut scope = Scope { with: around.with.clone(), ..Scope::default() };
    for (name, inner) in &select.with {
        let written = outer(inner, &scope)?;
        scope.with.insert(name.clone(), written);
    }
    let mut from = String::new();
    if let Some(source) = &select.from {
        from = format!(" FROM {}", scope.source(source)?);
        for join in &select.joins {
            let source = scope.source(&join.source)?;
            let on = scope.expr(&join.on)?;
            from.push_str(&format!(" {} JOIN {source} ON {}", if join.left { "LEFT" } else { "" }, on.sql));
        }
    }
    let mut items = Vec::new();
    let mut columns = Vec::new();
    for (expr, alias) in &select.items {
        if matches!(expr, Expr::Star) {
            for (name, written) in scope.everything() {
                items.push(format!("{} AS {}", written.sql, quoted(&name)));
                columns.push((name, written.kind));
            }
            continue;
        }
        let written = scope.expr(expr)?;
        let name = alias.clone().unwrap_or_else(|| named(expr));
        items.push(format!("{} AS {}", written.sql, quoted(&name)));
        columns.push((name.clone(), written.kind));
        if alias.is_some() {
            scope.aliases.insert(name, written);
        }
    }
    let distinct = if select.distinct { "DISTINCT " } else { "" };
    let mut sql = format!("SELECT {distinct}{}{from}", items.join(", "));
    let limit = clauses(&scope, select, &mut sql)?;
    if let Some(union) = &select.union {
        let second = outer(union, &scope)?;
        sql = format!("SELECT * FROM ({sql}) UNION ALL SELECT * FROM ({})", second.sql);
        return Ok(Statement { sql, columns, limit: None });
    }
    Ok(Statement { sql, columns, limit })
}

fn clauses(scope: &Scope, select: &Select, sql: &mut String) -> Result<Option<usize>, Refusal> {
    if let Some(filter) = &select.filter {
        let filter = scope.expr(filter)?;
        if filter.aggregates {
            return Err(Refusal::resolve("Aggregate function found inside WHERE"));
        }
        sql.push_str(&format!(" WHERE {}", filter.sql));
    }
    if !select.group.is_empty() {
        let keys = select.group.iter().map(|key| scope.expr(key).map(|key| key.sql)).collect::<Result<Vec<_>, _>>()?;
        sql.push_str(&format!(" GROUP BY {}", keys.join(", ")));
    }
    if let Some(having) = &select.having {
        sql.push_str(&format!(" HAVING {}", scope.expr(having)?.sql));
    }
    if !select.order.is_empty() {
        let mut keys = Vec::new();
        for (key, down) in &select.order {
            keys.push(format!("{}{}", scope.expr(key)?.sql, if *down { " DESC" } else { "" }));
        }
        sql.push_str(&format!(" ORDER BY {}", keys.join(", ")));
    }
    let whole = |expr: &Option<Expr>| match expr {
        None => Ok(None),
        Some(Expr::Constant(Value::Number(n))) => Ok(n.as_u64().and_then(|n| usize::try_from(n).ok())),
        Some(_) => Err(Refusal::resolve("LIMIT and OFFSET must be numbers")),
    };
    let limit = whole(&select.limit)?;
    let offset = whole(&select.offset)?;
    if limit.is_some() || offset.is_some() {
        let most = limit.map_or_else(|| "-1".to_owned(), |limit| limit.to_string());
        sql.push_str(&format!(" LIMIT {most} OFFSET {}", offset.unwrap_or(0)));
    }
    Ok(limit)
}

impl Scope {
    fn source(&mut self, source: &Source) -> Result<String, Refusal> {
        let (sql, shape, own) = match &source.what {
            What::Select(select) => {
                let inner = outer(select, self)?;
                (format!("({})", inner.sql), Shape::Select(inner.columns), String::new())
            }
            What::Table(name) => match (self.with.get(name), tables::find(name)) {
                (Some(with), _) => (format!("({})", with.sql), Shape::Select(with.columns.clone()), name.clone()),
                (None, Some(table)) => (table.from.to_owned(), Shape::Table(table), name.clone()),
                (None, None) => return Err(Refusal::resolve(&format!("Unknown table `{name}`."))),
            },
        };
        let number = self.sources.len();
        let alias = source.alias.clone().unwrap_or(own);
        let alias = if alias.is_empty() { format!("subquery{number}") } else { alias };
        self.sources.push((alias.clone(), shape));
        Ok(format!("{sql} AS {}", quoted(&alias)))
    }

    fn everything(&self) -> Vec<(String, Written)> {
        let columns = self.sources.iter().flat_map(|(alias, shape)| {
            let columns: Vec<(String, Kind)> = match shape {
                Shape::Table(table) => table.columns.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect(),
                Shape::Select(columns) => columns.clone(),
            };
            columns.into_iter().map(move |(name, kind)| {
                let sql = format!("{}.{}", quoted(alias), quoted(&name));
                (name, Written::new(sql, kind))
            })
        });
        columns.collect()
    }

    fn expr(&self, expr: &Expr) -> Result<Written, Refusal> {
        Ok(match expr {
            Expr::Constant(value) => constant(value),
            Expr::Field(path) => self.field(path)?,
            Expr::Star => return Err(Refusal::resolve("`*` cannot stand here")),
            Expr::Unary(sign, inner) => {
                let inner = self.expr(inner)?;
                let kind = if *sign == "NOT" { Kind::Bool } else { inner.kind };
                Written { sql: format!("({sign} {})", inner.sql), kind, aggregates: inner.aggregates }
            }
            Expr::Binary(sign, left, right) => self.binary(sign, left, right)?,
            Expr::Call { name, distinct, args } => {
                let args = args.iter().map(|arg| self.expr(arg)).collect::<Result<Vec<_>, _>>()?;
                calls::write(name, *distinct, &args)?
            }
            Expr::In { negated, what, list } => self.within(*negated, what, list)?,
            Expr::InCohort { negated, what, cohort } => {
                let (what, cohort) = (self.expr(what)?, self.expr(cohort)?);
                let members = format!("(SELECT person_id FROM members WHERE cohort_id = {})", cohort.sql);
                Written::new(format!("({}{} IN {members})", what.sql, not(*negated)), Kind::Bool)
            }
            Expr::IsNull { negated, what } => {
                let what = self.expr(what)?;
                let sql = format!("({} IS{} NULL)", what.sql, not(*negated));
                Written { sql, kind: Kind::Bool, aggregates: what.aggregates }
            }
            Expr::Like { negated, what, pattern, fold } => {
                let (what, pattern) = (self.expr(what)?, self.expr(pattern)?);
                let sql =
                    format!("(hq_like({}, {}, {}) = {})", what.sql, pattern.sql, u8::from(*fold), u8::from(!negated));
                Written::new(sql, Kind::Bool)
            }
            Expr::Between { negated, what, low, high } => {
                let (above, below) = (self.binary(">=", what, low)?, self.binary("<=", what, high)?);
                let sql = format!("({} ({} AND {}))", if *negated { "NOT" } else { "" }, above.sql, below.sql);
                Written::new(sql, Kind::Bool)
            }
            Expr::Interval(n, unit) => interval(&self.expr(n)?, unit)?,
            Expr::Tuple(items) => {
                let items =
                    items.iter().map(|item| self.expr(item).map(|item| item.sql)).collect::<Result<Vec<_>, _>>()?;
                Written::new(format!("({})", items.join(", ")), Kind::Any)
            }
            Expr::Case { of, arms, otherwise } => self.case(of.as_deref(), arms, otherwise.as_deref())?,
            Expr::Select(select) => {
                let inner = outer(select, self)?;
                let kind = inner.columns.first().map_or(Kind::Any, |(_, kind)| *kind);
                Written::new(format!("({})", inner.sql), kind)
            }
        })
    }

    fn within(&self, negated: bool, what: &Expr, list: &Expr) -> Result<Written, Refusal> {
        let what = self.expr(what)?;
        let list = match list {
            Expr::Tuple(items) => {
                let items = items.iter().map(|item| self.expr(item)).collect::<Result<Vec<_>, _>>()?;
                let items =
                    items.iter().map(|item| if what.kind == Kind::Time { as_time(item) } else { item.sql.clone() });
                format!("({})", items.collect::<Vec<_>>().join(", "))
            }
            Expr::Select(_) => self.expr(list)?.sql,
            single => format!("({})", self.expr(single)?.sql),
        };
        let sql = format!("({}{} IN {list})", what.sql, not(negated));
        Ok(Written { sql, kind: Kind::Bool, aggregates: what.aggregates })
    }

    fn binary(&self, sign: &str, left: &Expr, right: &Expr) -> Result<Written, Refusal> {
        let (left, right) = (self.expr(left)?, self.expr(right)?);
        let aggregates = left.aggregates || right.aggregates;
        let timed = left.kind == Kind::Time || right.kind == Kind::Time;
        let (sql, kind) = match sign {
            "AND" | "OR" => (format!("({} {sign} {})", left.sql, right.sql), Kind::Bool),
            "=" | "!=" | "<" | "<=" | ">" | ">=" if timed => {
                (format!("({} {sign} {})", as_time(&left), as_time(&right)), Kind::Bool)
            }
            "=" | "!=" | "<" | "<=" | ">" | ">=" => (format!("({} {sign} {})", left.sql, right.sql), Kind::Bool),
            "||" => (format!("({} || {})", left.sql, right.sql), Kind::Text),
            "+" | "-" if timed => (format!("({} {sign} {})", left.sql, right.sql), Kind::Time),
            "/" => (format!("(1.0 * {} / {})", left.sql, right.sql), Kind::Number),
            _ => (format!("({} {sign} {})", left.sql, right.sql), Kind::Number),
        };
        Ok(Written { sql, kind, aggregates })
    }

    fn case(&self, of: Option<&Expr>, arms: &[(Expr, Expr)], otherwise: Option<&Expr>) -> Result<Written, Refusal> {
        let mut sql = "(CASE".to_owned();
        if let Some(of) = of {
            sql.push_str(&format!(" {}", self.expr(of)?.sql));
        }
        let mut kind = Kind::Any;
        for (when, then) in arms {
            let then = self.expr(then)?;
            kind = then.kind;
            sql.push_str(&format!(" WHEN {} THEN {}", self.expr(when)?.sql, then.sql));
        }
        if let Some(otherwise) = otherwise {
            sql.push_str(&format!(" ELSE {}", self.expr(otherwise)?.sql));
        }
        Ok(Written::new(format!("{sql} END)"), kind))
    }

    fn field(&self, path: &[String]) -> Result<Written, Refusal> {
        let unresolved = || Refusal::resolve(&format!("Unable to resolve field: {}", path.join(".")));
        if path.len() == 1
            && let Some(alias) = self.aliases.get(&path[0])
        {
            return Ok(alias.clone());
        }
        // `p.properties.email`: the first part may name a table.
        if path.len() > 1
            && let Some((alias, shape)) = self.sources.iter().find(|(alias, _)| *alias == path[0])
        {
            return column(alias, shape, &path[1..]).ok_or_else(unresolved);
        }
        self.sources.iter().find_map(|(alias, shape)| column(alias, shape, path)).ok_or_else(unresolved)
    }
}

fn column(alias: &str, shape: &Shape, path: &[String]) -> Option<Written> {
    let of = quoted(alias);
    let (first, rest) = path.split_first()?;
    if let Shape::Table(table) = shape {
        let has = |name: &str| table.columns.iter().any(|(known, _)| *known == name);
        match (first.as_str(), rest) {
            ("person", [field]) if field == "id" && has("person_id") => {
                return Some(Written::new(format!("{of}.person_id"), Kind::Text));
            }
            ("person", [field, name]) if field == "properties" && has("person_id") => {
                let properties = format!("(SELECT properties FROM persons WHERE id = {of}.person_id)");
                return Some(Written::new(format!("hq_property({properties}, {})", text(name)), Kind::Any));
            }
            ("pdi", [field]) if field == "person_id" && has("person_id") => {
                return Some(Written::new(format!("{of}.person_id"), Kind::Text));
            }
            _ => {}
        }
    }
    let kind = match shape {
        Shape::Table(table) => table.columns.iter().find(|(name, _)| name == first).map(|(_, kind)| *kind),
        Shape::Select(columns) => columns.iter().find(|(name, _)| name == first).map(|(_, kind)| *kind),
    }?;
    let sql = format!("{of}.{}", quoted(first));
    match rest {
        [] => Some(Written::new(sql, kind)),
        [name] if kind == Kind::Properties => {
            Some(Written::new(format!("hq_property({sql}, {})", text(name)), Kind::Any))
        }
        _ => None,
    }
}

fn interval(n: &Written, unit: &str) -> Result<Written, Refusal> {
    let micros: i64 = match unit.trim_end_matches('s') {
        "second" => 1_000_000,
        "minute" => 60_000_000,
        "hour" => 3_600_000_000,
        "day" => 86_400_000_000,
        "week" => 604_800_000_000,
        "month" => 2_592_000_000_000,
        _ => return Err(Refusal::syntax(&format!("`{unit}` is not a unit of time"))),
    };
    Ok(Written::new(format!("({} * {micros})", n.sql), Kind::Number))
}

fn constant(value: &Value) -> Written {
    match value {
        Value::Null => Written::new("NULL", Kind::Any),
        Value::Bool(flag) => Written::new(u8::from(*flag).to_string(), Kind::Bool),
        Value::Number(number) => Written::new(number.to_string(), Kind::Number),
        Value::String(held) => Written::new(text(held), Kind::Text),
        other => Written::new(text(&other.to_string()), Kind::Text),
    }
}

fn named(expr: &Expr) -> String {
    match expr {
        Expr::Field(path) => path.last().cloned().unwrap_or_default(),
        Expr::Call { name, args, .. } => {
            format!("{name}({})", args.iter().map(named).collect::<Vec<_>>().join(", "))
        }
        Expr::Constant(value) => value.to_string(),
        _ => "expression".to_owned(),
    }
}

fn not(negated: bool) -> &'static str {
    if negated { " NOT" } else { "" }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn text(held: &str) -> String {
    format!("'{}'", held.replace('\'', "''").replace('\0', ""))
}
