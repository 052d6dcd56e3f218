//! Walks the tree of a template for one reader. Everything that takes time or memory is
//! counted: rounds of loops, bytes printed, and bytes that filters touch.

use std::rc::Rc;

use super::compare::{contains, equal, order};
use super::expression::{Call, Chain, Expression, Logic, Operator, Path, Step, Term};
use super::filters::{Given, escape_html, escape_json, strip_html};
use super::number::Number;
use super::tokens::Spot;
use super::tree::{Loop, Node};
use super::value::{Text, Turn, Value};
use super::{Escape, MOST_OUTPUT, MOST_ROUNDS};
use crate::template::links;
use crate::template::markup::decode;
use crate::template::scope::Scope;

/// Bytes that one rendering may touch on its way.
const MOST_WORK: usize = 64 << 20;

type Done<T> = Result<T, String>;

pub struct Run<'a> {
    scope: &'a Scope<'a>,
    escape: Escape,
    /// Loop variables, the innermost last.
    turns: Vec<(&'a str, Value<'a>)>,
    turn: Option<Rc<Turn>>,
    /// Assigned and captured.
    made: Vec<(&'a str, Value<'a>)>,
    counters: Vec<(&'a str, i64)>,
    cycles: Vec<(&'a str, usize)>,
    missing: Vec<&'a str>,
    hosts: &'a [&'a [String]],
    taken: Vec<String>,
    work: usize,
    rounds: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    On,
    Break,
    Continue,
}

/// What a rendering has met beside the text.
pub struct Met {
    /// Paths that were printed and led to nothing.
    pub missing: Vec<String>,
    /// Targets of links that were taken out.
    pub taken: Vec<String>,
}

impl Met {
    pub fn add(&mut self, other: Self) {
        for path in other.missing {
            if !self.missing.contains(&path) {
                self.missing.push(path);
            }
        }
        self.taken.extend(other.taken);
    }
}

/// Prints the nodes. Guarded links may lead to `hosts` and to where the engine's own lead.
pub fn render<'a>(
    nodes: &'a [Node],
    scope: &'a Scope<'a>,
    escape: Escape,
    hosts: &'a [&'a [String]],
    out: &mut String,
) -> Done<Met> {
    let mut run = Run {
        scope,
        escape,
        turns: Vec::new(),
        turn: None,
        made: Vec::new(),
        counters: Vec::new(),
        cycles: Vec::new(),
        missing: Vec::new(),
        hosts,
        taken: Vec::new(),
        work: 0,
        rounds: 0,
    };
    run.nodes(nodes, out)?;
    Ok(Met { missing: run.missing.into_iter().map(str::to_owned).collect(), taken: run.taken })
}

impl<'a> Run<'a> {
    fn nodes(&mut self, nodes: &'a [Node], out: &mut String) -> Done<Flow> {
        for node in nodes {
            let flow = self.node(node, out)?;
            if out.len() > MOST_OUTPUT {
                return Err("the template prints more than 1 MB".to_owned());
            }
            if flow != Flow::On {
                return Ok(flow);
            }
        }
        Ok(Flow::On)
    }

    fn node(&mut self, node: &'a Node, out: &mut String) -> Done<Flow> {
        match node {
            Node::Text(text) => {
                out.push_str(text);
                self.spend(text.len())?;
            }
            Node::Print { chain, spot } => {
                let value = self.chain(chain)?;
                self.print(&value, *spot, out)?;
            }
            Node::If { branches, first_is_negated, otherwise } => {
                self.spend(8)?;
                for (at, (asked, body)) in branches.iter().enumerate() {
                    if self.holds(asked)? != (at == 0 && *first_is_negated) {
                        return self.nodes(body, out);
                    }
                }
                return self.nodes(otherwise, out);
            }
            Node::Case { subject, branches, otherwise } => return self.case(subject, branches, otherwise, out),
            Node::For(repeat) => self.repeat(repeat, out)?,
            Node::Assign { name, chain } => {
                let value = self.chain(chain)?;
                self.make(name, value);
            }
            Node::Capture { name, body } => {
                let mut inner = String::new();
                let flow = self.nodes(body, &mut inner)?;
                let text = Text::Shared(inner.into());
                let value = if matches!(self.escape, Escape::None | Escape::Text) {
                    Value::Text(text)
                } else {
                    Value::Markup(text)
                };
                self.make(name, value);
                return Ok(flow);
            }
            Node::Count { name, is_up } => self.count(name, *is_up, out)?,
            Node::Cycle { slot, values, spot } => self.cycle(slot, values, *spot, out)?,
            Node::Guard(body) => return self.guard(body, out),
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::On)
    }

    fn guard(&mut self, body: &'a [Node], out: &mut String) -> Done<Flow> {
        let from = out.len();
        let flow = self.nodes(body, out)?;
        let printed = &out[from..];
        let target = if self.escape == Escape::Html { decode(printed) } else { printed.to_owned() };
        if !self.scope.allows(&target, self.hosts) {
            out.truncate(from);
            if self.escape == Escape::Html {
                out.push_str(links::NOWHERE);
            }
            if !self.taken.contains(&target) {
                self.taken.push(target);
            }
        }
        Ok(flow)
    }

    fn spend(&mut self, work: usize) -> Done<()> {
        self.work = self.work.saturating_add(work);
        match self.work > MOST_WORK {
            true => Err("the template works through more than 64 MB".to_owned()),
            false => Ok(()),
        }
    }

    /// Every value goes to the output through here, and only `Markup` goes as it is.
    fn print(&mut self, value: &Value<'a>, spot: Spot, out: &mut String) -> Done<()> {
        self.spend(16 + value.weight())?;
        match (spot, value) {
            (Spot::Plain, Value::Markup(text)) if self.escape == Escape::Text => {
                out.push_str(&decode(&strip_html(text)))
            }
            (Spot::Plain, _) | (_, Value::Markup(_) | Value::Bool(_)) | (Spot::Html, Value::Number(_)) => {
                value.print(out)
            }
            (Spot::Html, Value::Text(text)) => out.push_str(&escape_html(text)),
            (Spot::Html, _) => out.push_str(&escape_html(&value.text())),
            (Spot::JsonString, _) => out.push_str(&escape_json(&value.text())),
            (Spot::JsonValue, Value::Text(text)) if is_json_number(text) => out.push_str(text),
            (Spot::JsonValue, _) => out.push_str(&value.to_json().to_string()),
        }
        Ok(())
    }

    fn case(
        &mut self,
        subject: &'a Chain,
        branches: &'a [(Vec<Expression>, Vec<Node>)],
        otherwise: &'a [Node],
        out: &mut String,
    ) -> Done<Flow> {
        let subject = self.chain(subject)?;
        self.spend(subject.weight())?;
        for (wanted, body) in branches {
            for value in wanted {
                if equal(&subject, &self.value(value)?) {
                    return self.nodes(body, out);
                }
            }
        }
        self.nodes(otherwise, out)
    }

    fn make(&mut self, name: &'a str, value: Value<'a>) {
        match self.made.iter_mut().find(|(known, _)| *known == name) {
            Some((_, held)) => *held = value,
            None => self.made.push((name, value)),
        }
    }

    fn count(&mut self, name: &'a str, is_up: bool, out: &mut String) -> Done<()> {
        self.spend(8)?;
        let at = self.counters.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
            self.counters.push((name, 0));
            self.counters.len() - 1
        });
        let held = &mut self.counters[at].1;
        let printed = if is_up { *held } else { held.saturating_sub(1) };
        *held = held.saturating_add(if is_up { 1 } else { -1 });
        Number::Whole(printed).print(out);
        Ok(())
    }

    fn cycle(&mut self, slot: &'a str, values: &'a [Expression], spot: Spot, out: &mut String) -> Done<()> {
        let at = match self.cycles.iter_mut().find(|(known, _)| *known == slot) {
            Some((_, next)) => std::mem::replace(next, *next + 1),
            None => {
                self.cycles.push((slot, 1));
                0
            }
        };
        let value = self.value(&values[at % values.len()])?;
        self.print(&value, spot, out)
    }

    fn repeat(&mut self, repeat: &'a Loop, out: &mut String) -> Done<()> {
        let mut items = self.items(&repeat.over)?;
        let skip = self.number(repeat.offset.as_ref())?.unwrap_or(0);
        let take = self.number(repeat.limit.as_ref())?.unwrap_or(usize::MAX);
        items.drain(..skip.min(items.len()));
        items.truncate(take);
        if repeat.is_reversed {
            items.reverse();
        }
        if items.is_empty() {
            self.nodes(&repeat.otherwise, out)?;
            return Ok(());
        }
        let columns = match &repeat.row {
            Some(columns) => Some(self.number(columns.as_ref())?.filter(|n| *n > 0).unwrap_or(items.len())),
            None => None,
        };
        let length = items.len();
        let outer = self.turn.take();
        for (at, item) in items.into_iter().enumerate() {
            self.rounds += 1;
            if self.rounds > MOST_ROUNDS {
                return Err("the template's loops run more than 10,000 rounds".to_owned());
            }
            self.turn = Some(Rc::new(Turn { at, length, outer: outer.clone() }));
            self.turns.push((&repeat.name, item));
            let flow = match columns {
                Some(columns) => self.cell(repeat, at, length, columns, out),
                None => self.nodes(&repeat.body, out),
            };
            self.turns.pop();
            if flow? == Flow::Break {
                break;
            }
        }
        self.turn = outer;
        Ok(())
    }

    fn cell(&mut self, repeat: &'a Loop, at: usize, length: usize, columns: usize, out: &mut String) -> Done<Flow> {
        if at.is_multiple_of(columns) {
            out.push_str(&format!("<tr class=\"row{}\">", at / columns + 1));
        }
        out.push_str(&format!("<td class=\"col{}\">", at % columns + 1));
        let flow = self.nodes(&repeat.body, out)?;
        out.push_str("</td>");
        if (at + 1).is_multiple_of(columns) || at + 1 == length {
            out.push_str("</tr>");
        }
        Ok(flow)
    }

    /// What a loop goes over: a list, numbers, or the fields of an object as pairs. Text is
    /// one item; nothing else has any.
    fn items(&mut self, over: &'a Expression) -> Done<Vec<Value<'a>>> {
        let value = self.value(over)?;
        if let (Value::Nil, Expression::Path(path)) = (&value, over) {
            self.miss(path);
        }
        self.spend(value.size().unwrap_or(0).min(MOST_ROUNDS) * 16)?;
        Ok(match &value {
            Value::Items(_) | Value::List(_) => value.items(),
            // One more than allowed, so that the limit says so.
            Value::Range(from, to) => {
                (*from..=*to).take(MOST_ROUNDS + 1).map(|n| Value::Number(Number::Whole(n))).collect()
            }
            Value::Fields(fields) | Value::AnyCase(fields) => fields
                .iter()
                .map(|(name, field)| Value::list(vec![Value::Text(Text::Borrowed(name)), Value::from(field)]))
                .collect(),
            Value::Text(_) | Value::Markup(_) if !value.is_empty() => vec![value],
            _ => Vec::new(),
        })
    }

    fn number(&mut self, expression: Option<&'a Expression>) -> Done<Option<usize>> {
        let Some(expression) = expression else { return Ok(None) };
        let number = self.value(expression)?.number();
        Ok(number.map(|number| usize::try_from(number.whole()).unwrap_or(0)))
    }

    fn miss(&mut self, path: &'a Path) {
        let is_own = self.made.iter().any(|(name, _)| *name == &*path.root)
            || self.turns.iter().any(|(name, _)| *name == &*path.root);
        if !is_own && !self.missing.contains(&&*path.written) {
            self.missing.push(&path.written);
        }
    }

    fn chain(&mut self, chain: &'a Chain) -> Done<Value<'a>> {
        let mut value = self.value(&chain.first)?;
        if let (Value::Nil, false, Expression::Path(path)) = (&value, chain.has_default, &chain.first) {
            self.miss(path);
        }
        for call in &chain.calls {
            value = self.call(call, value)?;
        }
        Ok(value)
    }

    fn call(&mut self, call: &'a Call, value: Value<'a>) -> Done<Value<'a>> {
        let mut weight = value.weight();
        let mut arguments = Vec::with_capacity(call.arguments.len());
        for argument in &call.arguments {
            let argument = self.value(argument)?;
            weight = weight.saturating_add(argument.weight());
            arguments.push(argument);
        }
        let mut named = Vec::with_capacity(call.named.len());
        for (name, value) in &call.named {
            named.push((&**name, self.value(value)?));
        }
        self.spend(weight)?;
        let given = Given {
            value,
            arguments: &arguments,
            named: &named,
            escape: self.escape,
            now: self.scope.now(),
            zone: self.scope.zone(),
        };
        let made = (call.filter.run)(&given)?;
        let size = made.weight();
        if made.as_str().is_some() && size > MOST_OUTPUT {
            return Err("a filter makes more than 1 MB".to_owned());
        }
        self.spend(size)?;
        Ok(made)
    }

    fn value(&mut self, expression: &'a Expression) -> Done<Value<'a>> {
        Ok(match expression {
            Expression::Nil => Value::Nil,
            Expression::Empty => Value::Empty,
            Expression::Blank => Value::Blank,
            Expression::Bool(flag) => Value::Bool(*flag),
            Expression::Number(number) => Value::Number(*number),
            Expression::Text(text) => Value::Text(Text::Borrowed(text)),
            Expression::Path(path) => self.path(path)?,
            Expression::Range(ends) => {
                let (from, to) = (self.value(&ends.0)?.number(), self.value(&ends.1)?.number());
                Value::Range(from.map_or(0, Number::whole), to.map_or(0, Number::whole))
            }
            Expression::Logic(logic) => Value::Bool(self.holds(logic)?),
        })
    }

    fn path(&mut self, path: &'a Path) -> Done<Value<'a>> {
        let mut value = self.root(&path.root);
        for step in &path.steps {
            value = match step {
                Step::Field(name) => value.field(name),
                Step::Index(index) => match self.value(index)? {
                    Value::Number(at) => value.item(at.whole()),
                    name => match name.as_str() {
                        Some(name) => value.field(name),
                        None => Value::Nil,
                    },
                },
            };
        }
        Ok(value)
    }

    /// Loop variables come first, then what the template made, then the scope.
    fn root(&self, name: &str) -> Value<'a> {
        if let Some((_, value)) = self.turns.iter().rev().find(|(known, _)| *known == name) {
            return value.clone();
        }
        if let (Some(turn), "forloop" | "tablerowloop") = (&self.turn, name) {
            return Value::Turn(turn.clone());
        }
        if let Some((_, value)) = self.made.iter().find(|(known, _)| *known == name) {
            return value.clone();
        }
        match self.counters.iter().find(|(known, _)| *known == name) {
            Some((_, count)) => Value::Number(Number::Whole(*count)),
            None => self.scope.find(name),
        }
    }

    /// From the right, as the language has it: `a and b or c` is `a and (b or c)`.
    fn holds(&mut self, logic: &'a Logic) -> Done<bool> {
        let mut terms = logic.terms.iter().rev();
        let mut held = match terms.next() {
            Some(last) => self.term(last)?,
            None => false,
        };
        for (term, is_and) in terms.zip(logic.joints.iter().rev()) {
            let left = self.term(term)?;
            held = if *is_and { left && held } else { left || held };
        }
        Ok(held)
    }

    fn term(&mut self, term: &'a Term) -> Done<bool> {
        let left = self.value(&term.left)?;
        let held = match &term.compared {
            None => left.is_true(),
            Some((operator, right)) => {
                let right = self.value(right)?;
                self.spend(left.weight().saturating_add(right.weight()))?;
                compare(&left, *operator, &right)
            }
        };
        Ok(held != term.negated)
    }
}

fn compare(left: &Value<'_>, operator: Operator, right: &Value<'_>) -> bool {
    match operator {
        Operator::Equal => equal(left, right),
        Operator::NotEqual => !equal(left, right),
        Operator::Less => order(left, right).is_some_and(std::cmp::Ordering::is_lt),
        Operator::More => order(left, right).is_some_and(std::cmp::Ordering::is_gt),
        Operator::AtMost => order(left, right).is_some_and(std::cmp::Ordering::is_le),
        Operator::AtLeast => order(left, right).is_some_and(std::cmp::Ordering::is_ge),
        Operator::Contains => contains(left, right),
    }
}

/// Text that is a number in JSON's own writing may stand as one.
fn is_json_number(text: &str) -> bool {
    text.len() <= 32
        && text.starts_with(|c: char| c == '-' || c.is_ascii_digit())
        && text.parse::<serde_json::Number>().is_ok()
}
