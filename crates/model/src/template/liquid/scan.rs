//! Reads expressions. Recursion is bounded by a depth, everything else by the length of
//! the text.

use super::expression::{Call, Chain, Expression, Logic, Operator, Path, Step, Term};
use super::filters;
use super::number::Number;

/// Brackets within brackets.
const DEEPEST: usize = 8;
/// Filters behind one another, and terms of one condition.
const MOST_PARTS: usize = 100;

/// A place in the text between two marks.
pub struct Scan<'s> {
    text: &'s str,
    pub at: usize,
}

/// What is wrong, and how many bytes into the text.
#[derive(Debug)]
pub struct Fault {
    pub at: usize,
    pub code: &'static str,
    pub message: String,
    pub remedy: String,
}

type Read<T> = Result<T, Fault>;

impl<'s> Scan<'s> {
    pub fn new(text: &'s str) -> Self {
        Self { text, at: 0 }
    }

    pub fn rest(&self) -> &'s str {
        &self.text[self.at..]
    }

    pub fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    pub fn is_done(&mut self) -> bool {
        self.skip_space();
        self.rest().is_empty()
    }

    pub fn fault<T>(&self, message: impl Into<String>) -> Read<T> {
        Err(Fault { at: self.at, code: "liquid_syntax", message: message.into(), remedy: String::new() })
    }

    pub fn expect_end(&mut self) -> Read<()> {
        if self.is_done() {
            return Ok(());
        }
        let word: String = self.rest().chars().take(20).collect();
        self.fault(format!("`{}` is not understood here", word.trim_end()))
    }

    /// Takes `mark` if it stands here.
    pub fn take(&mut self, mark: &str) -> bool {
        self.skip_space();
        let found = self.rest().starts_with(mark);
        if found {
            self.at += mark.len();
        }
        found
    }

    pub fn peek_word(&mut self) -> &'s str {
        self.skip_space();
        let rest = self.rest();
        if !rest.starts_with(is_name_start) {
            return "";
        }
        let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
        // A hyphen is part of a name, but `a -%}` has left one behind only by mistake.
        rest[..end].trim_end_matches('-')
    }

    pub fn word(&mut self) -> Option<&'s str> {
        let word = self.peek_word();
        self.at += word.len();
        (!word.is_empty()).then_some(word)
    }

    pub fn take_word(&mut self, wanted: &str) -> bool {
        let found = self.peek_word() == wanted;
        if found {
            self.at += wanted.len();
        }
        found
    }

    pub fn chain(&mut self) -> Read<Chain> {
        let logic = self.logic()?;
        let mut chain = Chain { first: logic.into_expression(), calls: Vec::new(), has_default: false };
        while self.take("|") {
            if chain.calls.len() == MOST_PARTS {
                return self.fault("there are more than 100 filters behind one another");
            }
            chain.calls.push(self.call(&mut chain.has_default)?);
        }
        Ok(chain)
    }

    fn call(&mut self, has_default: &mut bool) -> Read<Call> {
        self.skip_space();
        let start = self.at;
        let Some(name) = self.word() else { return self.fault("the name of a filter is missing behind `|`") };
        *has_default |= name == "default";
        let Some(filter) = filters::find(name) else {
            let remedy = filters::nearest(name).map_or_else(String::new, |near| format!("Did you mean `{near}`?"));
            return Err(Fault {
                at: start,
                code: "unknown_filter",
                message: format!("there is no filter `{name}`"),
                remedy,
            });
        };
        let mut call = Call { filter, arguments: Vec::new(), named: Vec::new() };
        if !self.take(":") {
            return Ok(call);
        }
        loop {
            let before = self.at;
            match self.word() {
                Some(name) if self.take(":") => call.named.push((name.into(), self.value(0)?)),
                _ => {
                    self.at = before;
                    call.arguments.push(self.value(0)?);
                }
            }
            if !self.take(",") {
                return Ok(call);
            }
        }
    }

    pub fn logic(&mut self) -> Read<Logic> {
        let mut logic = Logic { terms: vec![self.term()?], joints: Vec::new() };
        loop {
            let is_and = match self.peek_word() {
                "and" => true,
                "or" => false,
                _ => return Ok(logic),
            };
            self.word();
            if logic.terms.len() == MOST_PARTS {
                return self.fault("a condition has more than 100 parts");
            }
            logic.joints.push(is_and);
            logic.terms.push(self.term()?);
        }
    }

    fn term(&mut self) -> Read<Term> {
        let mut negated = false;
        while self.take_word("not") {
            negated = !negated;
        }
        let left = self.value(0)?;
        let operator = self.operator();
        let compared = operator.map(|operator| Ok((operator, self.value(0)?))).transpose()?;
        Ok(Term { negated, left, compared })
    }

    fn operator(&mut self) -> Option<Operator> {
        const MARKS: [(&str, Operator); 7] = [
            ("==", Operator::Equal),
            ("!=", Operator::NotEqual),
            ("<>", Operator::NotEqual),
            ("<=", Operator::AtMost),
            (">=", Operator::AtLeast),
            ("<", Operator::Less),
            (">", Operator::More),
        ];
        let found = MARKS.iter().find(|(mark, _)| self.take(mark));
        match found {
            Some((_, operator)) => Some(*operator),
            None => self.take_word("contains").then_some(Operator::Contains),
        }
    }

    /// One value: a literal, a path or a range.
    pub fn value(&mut self, depth: usize) -> Read<Expression> {
        if depth > DEEPEST {
            return self.fault("brackets are nested more than 8 deep");
        }
        self.skip_space();
        match self.rest().chars().next() {
            Some(quote @ ('"' | '\'')) => self.quoted(quote).map(|text| Expression::Text(text.into())),
            Some('(') => self.range(depth),
            Some(c) if c.is_ascii_digit() || c == '-' || c == '+' => self.number(),
            Some(c) if is_name_start(c) => self.path(depth),
            _ => self.fault("a value is missing here"),
        }
    }

    fn quoted(&mut self, quote: char) -> Read<&'s str> {
        let inner = &self.rest()[1..];
        let Some(end) = inner.find(quote) else { return self.fault("a quote is not closed") };
        self.at += end + 2;
        Ok(&inner[..end])
    }

    fn range(&mut self, depth: usize) -> Read<Expression> {
        self.take("(");
        let from = self.value(depth + 1)?;
        if !self.take("..") {
            return self.fault("`..` is missing in a range");
        }
        let to = self.value(depth + 1)?;
        if !self.take(")") {
            return self.fault("`)` is missing behind a range");
        }
        Ok(Expression::Range(Box::new((from, to))))
    }

    fn number(&mut self) -> Read<Expression> {
        let rest = self.rest();
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let mut end = usize::from(rest.starts_with(['-', '+']));
        end += digits(&rest[end..]);
        if rest[end..].starts_with('.') && digits(&rest[end + 1..]) > 0 {
            end += 1 + digits(&rest[end + 1..]);
        }
        match Number::parse(&rest[..end]) {
            Some(number) => {
                self.at += end;
                Ok(Expression::Number(number))
            }
            None => self.fault("a number is not written as one"),
        }
    }

    fn path(&mut self, depth: usize) -> Read<Expression> {
        let start = self.at;
        let root = self.name()?;
        let mut steps = Vec::new();
        loop {
            let rest = self.rest();
            if rest.starts_with('[') {
                self.at += 1;
                let index = self.value(depth + 1)?;
                if !self.take("]") {
                    return self.fault("`]` is missing");
                }
                steps.push(match index {
                    Expression::Text(name) => Step::Field(name),
                    other => Step::Index(other),
                });
            } else if rest.starts_with('.') && !rest.starts_with("..") {
                self.at += 1;
                steps.push(Step::Field(self.name()?.into()));
            } else {
                break;
            }
        }
        Ok(match (root, steps.is_empty()) {
            ("nil" | "null", true) => Expression::Nil,
            ("true", true) => Expression::Bool(true),
            ("false", true) => Expression::Bool(false),
            ("empty", true) => Expression::Empty,
            ("blank", true) => Expression::Blank,
            _ => {
                let written = self.text[start..self.at].into();
                Expression::Path(Path { written, root: root.into(), steps })
            }
        })
    }

    /// A name; Braze writes its own as `${name}`.
    fn name(&mut self) -> Read<&'s str> {
        let rest = self.rest();
        if let Some(inner) = rest.strip_prefix("${") {
            let Some(end) = inner.find('}') else { return self.fault("`}` is missing") };
            self.at += end + 3;
            return Ok(&inner[..end]);
        }
        let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
        if end == 0 {
            return self.fault("a name is missing here");
        }
        self.at += end;
        Ok(&rest[..end])
    }
}

impl Logic {
    /// A condition that is only a value is that value.
    fn into_expression(mut self) -> Expression {
        let plain = self.terms.len() == 1 && !self.terms[0].negated && self.terms[0].compared.is_none();
        match self.terms.pop() {
            Some(term) if plain => term.left,
            Some(term) => {
                self.terms.push(term);
                Expression::Logic(Box::new(self))
            }
            None => Expression::Nil,
        }
    }
}

fn is_name_start(c: char) -> bool {
    c.is_alphabetic() || c == '_' || c == '$'
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '$' | '?')
}
