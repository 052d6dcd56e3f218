//! A query as a tree: what the parser makes and the writer turns into SQLite's words.

use serde_json::Value;

#[derive(Clone, Debug)]
pub struct Select {
    pub with: Vec<(String, Select)>,
    pub distinct: bool,
    pub items: Vec<(Expr, Option<String>)>,
    pub from: Option<Source>,
    pub joins: Vec<Join>,
    pub filter: Option<Expr>,
    pub group: Vec<Expr>,
    pub having: Option<Expr>,
    pub order: Vec<(Expr, bool)>,
    pub limit: Option<Expr>,
    pub offset: Option<Expr>,
    pub union: Option<Box<Select>>,
}

#[derive(Clone, Debug)]
pub struct Source {
    pub what: What,
    pub alias: Option<String>,
}

#[derive(Clone, Debug)]
pub enum What {
    Table(String),
    Select(Box<Select>),
}

#[derive(Clone, Debug)]
pub struct Join {
    pub left: bool,
    pub source: Source,
    pub on: Expr,
}

#[derive(Clone, Debug)]
pub enum Expr {
    Constant(Value),
    /// `a.b.c`, each part a name.
    Field(Vec<String>),
    Star,
    Unary(&'static str, Box<Expr>),
    Binary(&'static str, Box<Expr>, Box<Expr>),
    Call {
        name: String,
        distinct: bool,
        args: Vec<Expr>,
    },
    In {
        negated: bool,
        what: Box<Expr>,
        list: Box<Expr>,
    },
    InCohort {
        negated: bool,
        what: Box<Expr>,
        cohort: Box<Expr>,
    },
    IsNull {
        negated: bool,
        what: Box<Expr>,
    },
    Like {
        negated: bool,
        what: Box<Expr>,
        pattern: Box<Expr>,
        fold: bool,
    },
    Between {
        negated: bool,
        what: Box<Expr>,
        low: Box<Expr>,
        high: Box<Expr>,
    },
    Interval(Box<Expr>, String),
    Tuple(Vec<Expr>),
    Case {
        of: Option<Box<Expr>>,
        arms: Vec<(Expr, Expr)>,
        otherwise: Option<Box<Expr>>,
    },
    Select(Box<Select>),
}
