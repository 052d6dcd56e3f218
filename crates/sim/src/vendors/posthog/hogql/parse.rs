//! Reads the stated subset of HogQL: one SELECT, with CTEs, joins, sub-selects, UNION ALL.
//!
//! Outside it: arrays beyond lists for IN, lambdas, window functions, ARRAY JOIN, SAMPLE,
//! table functions. What is outside is refused as PostHog refuses what it cannot read.

use std::collections::HashMap;

use serde_json::{Number, Value};

use super::Refusal;
use super::scan::{Token, scan};
use super::tree::{Expr, Join, Select, Source, What};

pub fn parse(text: &str, values: &serde_json::Map<String, Value>) -> Result<Select, Refusal> {
    let tokens = scan(text)?;
    let mut parser = Parser { tokens, at: 0, depth: 0, values: values.clone().into_iter().collect() };
    let select = parser.select()?;
    parser.sign(";");
    match parser.peek() {
        Token::End => Ok(select),
        other => Err(Refusal::syntax(&format!("unexpected {other:?}"))),
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    values: HashMap<String, Value>,
}

type Parsed<T> = Result<T, Refusal>;

/// Words that end an expression or a table and so are no alias.
const RESERVED: [&str; 24] = [
    "from", "where", "group", "having", "order", "limit", "offset", "union", "left", "inner", "join", "on", "as",
    "and", "or", "then", "else", "end", "when", "asc", "desc", "is", "in", "between",
];

impl Parser {
    fn peek(&self) -> &Token {
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Token::Word(found) if found.eq_ignore_ascii_case(word))
    }

    fn word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.at += usize::from(found);
        found
    }

    fn sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Token::Sign(found) if *found == sign);
        self.at += usize::from(found);
        found
    }

    fn expect_word(&mut self, word: &str) -> Parsed<()> {
        if self.word(word) { Ok(()) } else { self.unexpected(word) }
    }

    fn expect(&mut self, sign: &str) -> Parsed<()> {
        if self.sign(sign) { Ok(()) } else { self.unexpected(sign) }
    }

    fn unexpected<T>(&self, wanted: &str) -> Parsed<T> {
        Err(Refusal::syntax(&format!("expected {wanted}, found {:?}", self.peek())))
    }

    fn name(&mut self) -> Parsed<String> {
        match self.next() {
            Token::Word(name) | Token::Quoted(name) => Ok(name),
            other => Err(Refusal::syntax(&format!("expected a name, found {other:?}"))),
        }
    }

    fn select(&mut self) -> Parsed<Select> {
        self.depth += 1;
        if self.depth > 20 {
            return Err(Refusal::syntax("the query is nested too deeply"));
        }
        let mut with = Vec::new();
        if self.word("with") {
            loop {
                let name = self.name()?;
                self.expect_word("as")?;
                self.expect("(")?;
                with.push((name, self.select()?));
                self.expect(")")?;
                if !self.sign(",") {
                    break;
                }
            }
        }
        self.expect_word("select")?;
        let mut select = Select {
            with,
            distinct: self.word("distinct"),
            items: self.items()?,
            from: None,
            joins: Vec::new(),
            filter: None,
            group: Vec::new(),
            having: None,
            order: Vec::new(),
            limit: None,
            offset: None,
            union: None,
        };
        self.tables(&mut select)?;
        self.clauses(&mut select)?;
        self.depth -= 1;
        Ok(select)
    }

    fn items(&mut self) -> Parsed<Vec<(Expr, Option<String>)>> {
        let mut items = Vec::new();
        loop {
            let expr = if self.sign("*") { Expr::Star } else { self.expr()? };
            items.push((expr, self.alias()?));
            if !self.sign(",") {
                return Ok(items);
            }
        }
    }

    fn alias(&mut self) -> Parsed<Option<String>> {
        if self.word("as") {
            return self.name().map(Some);
        }
        match self.peek() {
            Token::Word(word) if !RESERVED.contains(&word.to_lowercase().as_str()) => self.name().map(Some),
            Token::Quoted(_) => self.name().map(Some),
            _ => Ok(None),
        }
    }

    fn tables(&mut self, select: &mut Select) -> Parsed<()> {
        if !self.word("from") {
            return Ok(());
        }
        select.from = Some(self.source()?);
        loop {
            let left = self.word("left");
            if left {
                self.word("outer");
            } else {
                self.word("inner");
            }
            if !self.word("join") {
                return if left { self.unexpected("JOIN") } else { Ok(()) };
            }
            let source = self.source()?;
            self.expect_word("on")?;
            select.joins.push(Join { left, source, on: self.expr()? });
        }
    }

    fn source(&mut self) -> Parsed<Source> {
        let what = if self.sign("(") {
            let inner = self.select()?;
            self.expect(")")?;
            What::Select(Box::new(inner))
        } else {
            What::Table(self.name()?)
        };
        Ok(Source { what, alias: self.alias()? })
    }

    fn clauses(&mut self, select: &mut Select) -> Parsed<()> {
        if self.word("where") {
            select.filter = Some(self.expr()?);
        }
        if self.word("group") {
            self.expect_word("by")?;
            select.group = self.list()?;
        }
        if self.word("having") {
            select.having = Some(self.expr()?);
        }
        if self.word("order") {
            self.expect_word("by")?;
            loop {
                let expr = self.expr()?;
                let down = self.word("desc");
                if !down {
                    self.word("asc");
                }
                select.order.push((expr, down));
                if !self.sign(",") {
                    break;
                }
            }
        }
        if self.word("limit") {
            select.limit = Some(self.expr()?);
        }
        if self.word("offset") {
            select.offset = Some(self.expr()?);
        }
        if self.word("union") {
            self.expect_word("all")?;
            select.union = Some(Box::new(self.select()?));
        }
        Ok(())
    }

    fn list(&mut self) -> Parsed<Vec<Expr>> {
        let mut list = vec![self.expr()?];
        while self.sign(",") {
            list.push(self.expr()?);
        }
        Ok(list)
    }

    fn expr(&mut self) -> Parsed<Expr> {
        self.depth += 1;
        if self.depth > 60 {
            return Err(Refusal::syntax("the query is nested too deeply"));
        }
        let mut left = self.conjunction()?;
        while self.word("or") {
            left = Expr::Binary("OR", Box::new(left), Box::new(self.conjunction()?));
        }
        if self.sign("?") {
            let yes = self.expr()?;
            self.expect(":")?;
            left = Expr::Call { name: "if".into(), distinct: false, args: vec![left, yes, self.expr()?] };
        }
        self.depth -= 1;
        Ok(left)
    }

    fn conjunction(&mut self) -> Parsed<Expr> {
        let mut left = self.negation()?;
        while self.word("and") {
            left = Expr::Binary("AND", Box::new(left), Box::new(self.negation()?));
        }
        Ok(left)
    }

    fn negation(&mut self) -> Parsed<Expr> {
        if self.word("not") {
            return Ok(Expr::Unary("NOT", Box::new(self.negation()?)));
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Parsed<Expr> {
        let left = self.sum()?;
        let signs =
            [("==", "="), ("=", "="), ("!=", "!="), ("<>", "!="), ("<=", "<="), (">=", ">="), ("<", "<"), (">", ">")];
        for (sign, operator) in signs {
            if self.sign(sign) {
                return Ok(Expr::Binary(operator, Box::new(left), Box::new(self.sum()?)));
            }
        }
        if self.word("is") {
            let negated = self.word("not");
            self.expect_word("null")?;
            return Ok(Expr::IsNull { negated, what: Box::new(left) });
        }
        let negated = self.word("not");
        let what = Box::new(left);
        if self.word("in") {
            if self.word("cohort") {
                return Ok(Expr::InCohort { negated, what, cohort: Box::new(self.primary()?) });
            }
            return Ok(Expr::In { negated, what, list: Box::new(self.primary()?) });
        }
        for (word, fold) in [("like", false), ("ilike", true)] {
            if self.word(word) {
                return Ok(Expr::Like { negated, what, pattern: Box::new(self.sum()?), fold });
            }
        }
        if self.word("between") {
            let low = Box::new(self.sum()?);
            self.expect_word("and")?;
            return Ok(Expr::Between { negated, what, low, high: Box::new(self.sum()?) });
        }
        if negated { self.unexpected("IN, LIKE or BETWEEN") } else { Ok(*what) }
    }

    fn sum(&mut self) -> Parsed<Expr> {
        let mut left = self.product()?;
        loop {
            let sign = ["+", "-", "||"].into_iter().find(|sign| self.sign(sign));
            let Some(sign) = sign else { return Ok(left) };
            left = Expr::Binary(sign, Box::new(left), Box::new(self.product()?));
        }
    }

    fn product(&mut self) -> Parsed<Expr> {
        let mut left = self.unary()?;
        loop {
            let sign = ["*", "/", "%"].into_iter().find(|sign| self.sign(sign));
            let Some(sign) = sign else { return Ok(left) };
            left = Expr::Binary(sign, Box::new(left), Box::new(self.unary()?));
        }
    }

    fn unary(&mut self) -> Parsed<Expr> {
        if self.sign("-") {
            return Ok(Expr::Unary("-", Box::new(self.unary()?)));
        }
        let mut expr = self.primary()?;
        while self.sign("[") {
            let key = self.expr()?;
            self.expect("]")?;
            expr = indexed(expr, key)?;
        }
        Ok(expr)
    }

    fn primary(&mut self) -> Parsed<Expr> {
        match self.next() {
            Token::Number(text) => number(&text),
            Token::Text(text) => Ok(Expr::Constant(Value::String(text))),
            Token::Hole(name) => match self.values.get(&name) {
                Some(Value::Array(items)) => Ok(Expr::Tuple(items.iter().cloned().map(Expr::Constant).collect())),
                Some(value) => Ok(Expr::Constant(value.clone())),
                None => Err(Refusal::resolve(&format!("Unresolved placeholder: {{{name}}}"))),
            },
            Token::Sign("(") => self.parenthesis(")"),
            Token::Sign("[") => self.parenthesis("]"),
            Token::Quoted(name) => self.field(name),
            Token::Word(word) => self.worded(word),
            other => Err(Refusal::syntax(&format!("unexpected {other:?}"))),
        }
    }

    fn parenthesis(&mut self, close: &'static str) -> Parsed<Expr> {
        if self.is_word("select") || self.is_word("with") {
            let inner = self.select()?;
            self.expect(close)?;
            return Ok(Expr::Select(Box::new(inner)));
        }
        let mut list = if self.sign(close) { return Ok(Expr::Tuple(Vec::new())) } else { self.list()? };
        self.expect(close)?;
        if list.len() == 1 && close == ")" { Ok(list.remove(0)) } else { Ok(Expr::Tuple(list)) }
    }

    fn worded(&mut self, word: String) -> Parsed<Expr> {
        match word.to_lowercase().as_str() {
            "null" => return Ok(Expr::Constant(Value::Null)),
            "true" => return Ok(Expr::Constant(Value::Bool(true))),
            "false" => return Ok(Expr::Constant(Value::Bool(false))),
            "interval" => {
                let n = self.primary()?;
                return Ok(Expr::Interval(Box::new(n), self.name()?.to_lowercase()));
            }
            "case" => return self.case(),
            reserved if RESERVED.contains(&reserved) => {
                return Err(Refusal::syntax(&format!("unexpected `{word}`")));
            }
            _ => {}
        }
        if !self.sign("(") {
            return self.field(word);
        }
        let distinct = self.word("distinct");
        let args = if self.sign(")") {
            return Ok(Expr::Call { name: word, distinct, args: Vec::new() });
        } else if self.sign("*") {
            Vec::new()
        } else if self.is_word("select") {
            vec![Expr::Select(Box::new(self.select()?))]
        } else {
            self.list()?
        };
        self.expect(")")?;
        Ok(Expr::Call { name: word, distinct, args })
    }

    fn case(&mut self) -> Parsed<Expr> {
        let of = if self.is_word("when") { None } else { Some(Box::new(self.expr()?)) };
        let mut arms = Vec::new();
        while self.word("when") {
            let when = self.expr()?;
            self.expect_word("then")?;
            arms.push((when, self.expr()?));
        }
        let otherwise = if self.word("else") { Some(Box::new(self.expr()?)) } else { None };
        self.expect_word("end")?;
        Ok(Expr::Case { of, arms, otherwise })
    }

    fn field(&mut self, first: String) -> Parsed<Expr> {
        let mut path = vec![first];
        while self.sign(".") {
            if self.sign("*") {
                return Ok(Expr::Star);
            }
            path.push(self.name()?);
        }
        Ok(Expr::Field(path))
    }
}

fn indexed(expr: Expr, key: Expr) -> Parsed<Expr> {
    match (expr, key) {
        (Expr::Field(mut path), Expr::Constant(Value::String(name))) => {
            path.push(name);
            Ok(Expr::Field(path))
        }
        _ => Err(Refusal::resolve("Only properties can be indexed, by a text")),
    }
}

fn number(text: &str) -> Parsed<Expr> {
    let odd = || Refusal::syntax(&format!("`{text}` is not a number"));
    if let Ok(whole) = text.parse::<i64>() {
        return Ok(Expr::Constant(Value::Number(whole.into())));
    }
    let number = text.parse::<f64>().ok().and_then(Number::from_f64).ok_or_else(odd)?;
    Ok(Expr::Constant(Value::Number(number)))
}
