//! What stands between the marks: paths, literals, ranges, conditions and chains of filters.

use super::filters::Filter;
use super::number::Number;

#[derive(Clone, Debug)]
pub enum Expression {
    Nil,
    Empty,
    Blank,
    Bool(bool),
    Number(Number),
    Text(Box<str>),
    Path(Path),
    Range(Box<(Expression, Expression)>),
    Logic(Box<Logic>),
}

#[derive(Clone, Debug)]
pub struct Path {
    /// As it was written, for the list of what is missing.
    pub written: Box<str>,
    pub root: Box<str>,
    pub steps: Vec<Step>,
}

#[derive(Clone, Debug)]
pub enum Step {
    Field(Box<str>),
    Index(Expression),
}

/// Conditions joined by `and` and `or`, which bind alike and from the right.
#[derive(Clone, Debug)]
pub struct Logic {
    pub terms: Vec<Term>,
    /// Between the terms: true for `and`. One less than there are terms.
    pub joints: Vec<bool>,
}

#[derive(Clone, Debug)]
pub struct Term {
    pub negated: bool,
    pub left: Expression,
    pub compared: Option<(Operator, Expression)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Equal,
    NotEqual,
    Less,
    More,
    AtMost,
    AtLeast,
    Contains,
}

#[derive(Clone, Debug)]
pub struct Chain {
    pub first: Expression,
    pub calls: Vec<Call>,
    /// One of the filters is `default`, so that nothing is missing.
    pub has_default: bool,
}

#[derive(Clone, Debug)]
pub struct Call {
    pub filter: Filter,
    pub arguments: Vec<Expression>,
    pub named: Vec<(Box<str>, Expression)>,
}

impl Expression {
    /// Calls back with every path that the expression reads.
    pub fn paths(&self, found: &mut impl FnMut(&Path)) {
        match self {
            Self::Path(path) => {
                found(path);
                for step in &path.steps {
                    if let Step::Index(index) = step {
                        index.paths(found);
                    }
                }
            }
            Self::Range(ends) => {
                ends.0.paths(found);
                ends.1.paths(found);
            }
            Self::Logic(logic) => logic.paths(found),
            _ => {}
        }
    }
}

impl Logic {
    pub fn paths(&self, found: &mut impl FnMut(&Path)) {
        for term in &self.terms {
            term.left.paths(found);
            if let Some((_, right)) = &term.compared {
                right.paths(found);
            }
        }
    }
}
