//! Builds the tree of a template: what is printed, asked and repeated.

use super::Escape;
use super::expression::{Chain, Expression, Logic, Path};
use super::scan::{Fault, Scan};
use super::tokens::{self, Kind, Spot, Token};
use crate::template::links::{GUARD, GUARD_END};

/// Blocks inside blocks.
const MOST_DEPTH: usize = 50;
const TAGS: [&str; 19] = [
    "assign",
    "break",
    "capture",
    "case",
    "comment",
    "continue",
    "cycle",
    "decrement",
    "echo",
    "else",
    "elsif",
    "for",
    "if",
    "increment",
    "liquid",
    "raw",
    "tablerow",
    "unless",
    "when",
];

#[derive(Debug)]
pub enum Node {
    Text(Box<str>),
    Print {
        chain: Chain,
        spot: Spot,
    },
    If {
        branches: Vec<(Logic, Vec<Node>)>,
        first_is_negated: bool,
        otherwise: Vec<Node>,
    },
    Case {
        subject: Chain,
        branches: Vec<(Vec<Expression>, Vec<Node>)>,
        otherwise: Vec<Node>,
    },
    For(Box<Loop>),
    Assign {
        name: Box<str>,
        chain: Chain,
    },
    Capture {
        name: Box<str>,
        body: Vec<Node>,
    },
    /// `increment` prints before it counts, `decrement` after.
    Count {
        name: Box<str>,
        is_up: bool,
    },
    /// A link's target, looked at when it is rendered.
    Guard(Vec<Node>),
    Cycle {
        slot: Box<str>,
        values: Vec<Expression>,
        spot: Spot,
    },
    Break,
    Continue,
}

#[derive(Debug)]
pub struct Loop {
    pub name: Box<str>,
    pub over: Expression,
    pub limit: Option<Expression>,
    pub offset: Option<Expression>,
    pub is_reversed: bool,
    /// Columns of a `tablerow`; nothing for a `for`.
    pub row: Option<Option<Expression>>,
    pub body: Vec<Node>,
    pub otherwise: Vec<Node>,
}

pub struct Tree {
    pub nodes: Vec<Node>,
    /// Paths read without a default, in the order of the source, each once.
    pub variables: Vec<String>,
    /// A value is printed that nobody escapes.
    pub has_raw: bool,
}

/// `made` sources are those that a pass of ours has written: they may guard links.
pub fn build(source: &str, escape: Escape, made: bool) -> Result<Tree, Fault> {
    let tokens = tokens::cut(source, escape)?;
    let mut builder =
        Builder { tokens: tokens.into_iter(), depth: 0, used: Vec::new(), local: Vec::new(), made, has_raw: false };
    let (nodes, _) = builder.nodes(&[], 0)?;
    let Builder { used, local, has_raw, .. } = builder;
    let mut variables: Vec<String> = Vec::new();
    for path in used {
        if !local.contains(&path.root) && !variables.iter().any(|known| *known == *path.written) {
            variables.push(path.written.into_string());
        }
    }
    Ok(Tree { nodes, variables, has_raw })
}

struct Builder<'s> {
    tokens: std::vec::IntoIter<Token<'s>>,
    depth: usize,
    used: Vec<Path>,
    /// Names that the template makes itself.
    local: Vec<Box<str>>,
    made: bool,
    has_raw: bool,
}

/// A tag that ends a list of nodes: its name, its arguments and their place.
type End<'s> = (&'s str, &'s str, usize);

impl<'s> Builder<'s> {
    /// Reads nodes up to one of the tags `ends`, which is answered; up to the end of the
    /// source where none is wanted.
    fn nodes(&mut self, ends: &[&str], opened: usize) -> Result<(Vec<Node>, End<'s>), Fault> {
        let mut nodes = Vec::new();
        while let Some(Token { kind, at, spot }) = self.tokens.next() {
            match kind {
                Kind::Text(text) => nodes.push(Node::Text(text.into())),
                Kind::Print("") => {}
                Kind::Print(inner) => {
                    let chain = self.chain(inner, at)?;
                    nodes.push(Node::Print { chain, spot });
                }
                Kind::Tag(name, arguments) if ends.contains(&name) => return Ok((nodes, (name, arguments, at))),
                Kind::Tag(name, arguments) => nodes.push(self.tag(name, arguments, at, spot)?),
            }
        }
        match ends.last() {
            None => Ok((nodes, ("", "", 0))),
            Some(end) => fault(opened, format!("a block is not closed by `{end}`")),
        }
    }

    fn tag(&mut self, name: &'s str, arguments: &'s str, at: usize, spot: Spot) -> Result<Node, Fault> {
        self.depth += 1;
        if self.depth > MOST_DEPTH {
            return Err(Fault {
                at,
                code: "too_deep",
                message: "blocks are nested more than 50 deep".to_owned(),
                remedy: "Flatten the template.".to_owned(),
            });
        }
        let mut scan = Scan::new(arguments);
        let node = match name {
            "if" | "unless" => self.condition(name, arguments, at),
            "case" => self.case(arguments, at),
            "for" | "tablerow" => self.repeat(name, &mut scan, at),
            "assign" => self.assign(&mut scan),
            "capture" => self.capture(&mut scan, at),
            "increment" | "decrement" => {
                self.made(&mut scan).map(|name_| Node::Count { name: name_, is_up: name == "increment" })
            }
            "cycle" => self.cycle(&mut scan, spot),
            "break" => Ok(Node::Break),
            "continue" => Ok(Node::Continue),
            GUARD if self.made => self.nodes(&[GUARD_END], at).map(|(body, _)| Node::Guard(body)),
            _ => Err(unknown(name)),
        };
        self.depth -= 1;
        node.map_err(|fault| match fault.at >= RELATIVE {
            true => Fault { at: at + fault.at - RELATIVE, ..fault },
            false => fault,
        })
    }

    fn chain(&mut self, inner: &str, at: usize) -> Result<Chain, Fault> {
        let mut scan = Scan::new(inner);
        let chain = scan.chain().and_then(|chain| scan.expect_end().map(|()| chain));
        let chain = chain.map_err(|fault| Fault { at: at + fault.at, ..fault })?;
        self.note_chain(&chain);
        Ok(chain)
    }

    fn note_chain(&mut self, chain: &Chain) {
        self.has_raw |= chain.calls.iter().any(|call| call.filter.name == "raw");
        if !chain.has_default {
            self.note(&chain.first);
        }
        for argument in chain.calls.iter().flat_map(|call| &call.arguments) {
            self.note(argument);
        }
    }

    fn note(&mut self, expression: &Expression) {
        expression.paths(&mut |path| self.used.push(path.clone()));
    }

    fn logic(&mut self, arguments: &str, at: usize) -> Result<Logic, Fault> {
        let mut scan = Scan::new(arguments);
        let logic = scan.logic().and_then(|logic| scan.expect_end().map(|()| logic));
        let logic = logic.map_err(|fault| Fault { at: at + fault.at, ..fault })?;
        logic.paths(&mut |path| self.used.push(path.clone()));
        Ok(logic)
    }

    fn condition(&mut self, name: &str, arguments: &'s str, at: usize) -> Result<Node, Fault> {
        let end = if name == "if" { "endif" } else { "endunless" };
        let (mut branches, mut otherwise) = (Vec::new(), Vec::new());
        let mut asked = self.logic(arguments, at)?;
        loop {
            let (body, (closing, more, place)) = self.nodes(&["elsif", "else", end], at)?;
            branches.push((asked, body));
            match closing {
                "elsif" => asked = self.logic(more, place)?,
                "else" => {
                    (otherwise, _) = self.nodes(&[end], at)?;
                    break;
                }
                _ => break,
            }
        }
        Ok(Node::If { branches, first_is_negated: name == "unless", otherwise })
    }

    fn case(&mut self, arguments: &'s str, at: usize) -> Result<Node, Fault> {
        let subject = self.chain(arguments, at)?;
        let (mut branches, mut otherwise) = (Vec::new(), Vec::new());
        // What stands before the first `when` is never shown.
        let (_, mut ending) = self.nodes(&["when", "else", "endcase"], at)?;
        loop {
            let (name, arguments, place) = ending;
            if name == "endcase" {
                return Ok(Node::Case { subject, branches, otherwise });
            }
            let wanted = if name == "when" { self.alternatives(arguments, place)? } else { Vec::new() };
            let (body, next) = self.nodes(&["when", "else", "endcase"], at)?;
            match name {
                "when" => branches.push((wanted, body)),
                _ => otherwise = body,
            }
            ending = next;
        }
    }

    /// `when 1, 2 or 3`.
    fn alternatives(&mut self, arguments: &str, at: usize) -> Result<Vec<Expression>, Fault> {
        let mut scan = Scan::new(arguments);
        let mut wanted = Vec::new();
        let read = loop {
            match scan.value(0) {
                Ok(value) => wanted.push(value),
                Err(fault) => break Err(fault),
            }
            if !scan.take(",") && !scan.take_word("or") {
                break scan.expect_end();
            }
        };
        read.map_err(|fault| Fault { at: at + fault.at, ..fault })?;
        wanted.iter().for_each(|value| self.note(value));
        Ok(wanted)
    }

    fn repeat(&mut self, tag: &str, scan: &mut Scan<'_>, at: usize) -> Result<Node, Fault> {
        let mut head = loop_head(tag, scan).map_err(relative)?;
        self.local.push(head.name.clone());
        self.local.push("forloop".into());
        self.local.push("tablerowloop".into());
        self.note(&head.over);
        let end = if tag == "for" { "endfor" } else { "endtablerow" };
        let (body, (closing, ..)) = self.nodes(&["else", end], at)?;
        head.body = body;
        if closing == "else" {
            (head.otherwise, _) = self.nodes(&[end], at)?;
        }
        Ok(Node::For(Box::new(head)))
    }

    fn assign(&mut self, scan: &mut Scan<'_>) -> Result<Node, Fault> {
        let name = self.made(scan)?;
        if !scan.take("=") {
            return scan.fault("`=` is missing").map_err(relative);
        }
        let chain = scan.chain().and_then(|chain| scan.expect_end().map(|()| chain)).map_err(relative)?;
        self.note_chain(&chain);
        Ok(Node::Assign { name, chain })
    }

    fn capture(&mut self, scan: &mut Scan<'_>, at: usize) -> Result<Node, Fault> {
        let quoted = scan.rest().starts_with(['"', '\'']);
        let name = if quoted {
            match scan.value(0).map_err(relative)? {
                Expression::Text(name) => name,
                _ => return scan.fault("a name is missing").map_err(relative),
            }
        } else {
            self.made(scan)?
        };
        self.local.push(name.clone());
        let (body, _) = self.nodes(&["endcapture"], at)?;
        Ok(Node::Capture { name, body })
    }

    fn made(&mut self, scan: &mut Scan<'_>) -> Result<Box<str>, Fault> {
        let Some(name) = scan.word() else { return scan.fault("a name is missing").map_err(relative) };
        self.local.push(name.into());
        Ok(name.into())
    }

    fn cycle(&mut self, scan: &mut Scan<'_>, spot: Spot) -> Result<Node, Fault> {
        let written = scan.rest();
        let mut values = vec![scan.value(0).map_err(relative)?];
        let mut slot: Box<str> = written.into();
        if scan.take(":") {
            slot = format!("{:?}", values[0]).into();
            values = vec![scan.value(0).map_err(relative)?];
        }
        while scan.take(",") {
            values.push(scan.value(0).map_err(relative)?);
        }
        scan.expect_end().map_err(relative)?;
        values.iter().for_each(|value| self.note(value));
        Ok(Node::Cycle { slot, values, spot })
    }
}

fn loop_head(tag: &str, scan: &mut Scan<'_>) -> Result<Loop, Fault> {
    let Some(name) = scan.word() else { return scan.fault("a name is missing behind the tag") };
    if !scan.take_word("in") {
        return scan.fault("`in` is missing");
    }
    let over = scan.value(0)?;
    let mut head = Loop {
        name: name.into(),
        over,
        limit: None,
        offset: None,
        is_reversed: false,
        row: (tag == "tablerow").then_some(None),
        body: Vec::new(),
        otherwise: Vec::new(),
    };
    while !scan.is_done() {
        // Some put commas between them.
        scan.take(",");
        let word = scan.word().unwrap_or_default();
        if word == "reversed" {
            head.is_reversed = true;
            continue;
        }
        let value = if scan.take(":") {
            scan.value(0)?
        } else {
            return scan.fault("`limit`, `offset` or `reversed` expected");
        };
        match (word, &mut head.row) {
            ("limit", _) => head.limit = Some(value),
            ("offset", _) => head.offset = Some(value),
            ("cols", Some(columns)) => *columns = Some(value),
            _ => return scan.fault("`limit`, `offset` or `reversed` expected"),
        }
    }
    Ok(head)
}

/// Marks a place as counted from the tag's arguments, not from the source.
const RELATIVE: usize = usize::MAX / 2;

fn relative(fault: Fault) -> Fault {
    Fault { at: RELATIVE + fault.at, ..fault }
}

fn fault<T>(at: usize, message: String) -> Result<T, Fault> {
    Err(Fault { at, code: "liquid_syntax", message, remedy: String::new() })
}

fn unknown(name: &str) -> Fault {
    if matches!(name, "include" | "render" | "layout" | "block" | "section") {
        let message = format!("`{name}` is not available: a template is one file");
        return Fault { at: RELATIVE, code: "unknown_tag", message, remedy: "Put the text in its place.".to_owned() };
    }
    let stray = name.starts_with("end") || matches!(name, "else" | "elsif" | "when");
    let message = if stray { format!("`{name}` closes nothing") } else { format!("there is no tag `{name}`") };
    let near = (!stray).then(|| crate::problem::nearest(name, TAGS)).flatten();
    let remedy = near.map_or_else(String::new, |near| format!("Did you mean `{near}`?"));
    Fault { at: RELATIVE, code: "unknown_tag", message, remedy }
}
