//! `for`, in place of the language's own, which copies every item into a form that is strict
//! about missing names. Here items are borrowed, and rounds are counted over the whole
//! rendering.

use std::collections::HashMap;
use std::fmt;
use std::io::Write;

use liquid_core::model::{KStringRef, ValueView};
use liquid_core::parser::{BlockElement, BlockReflection, ParseBlock, TagBlock, TagTokenIter, TryMatchToken};
use liquid_core::runtime::{Expression, Interrupt, InterruptRegister, Renderable, Runtime, StackFrame};
use liquid_core::{Error, Language, Template};
use serde_json::json;

use super::liquid::MOST_ROUNDS;
use super::scope::Node;

#[derive(Clone, Copy, Debug)]
pub struct ForBlock;

struct For {
    name: String,
    over: Over,
    limit: Option<Expression>,
    offset: Option<Expression>,
    reversed: bool,
    body: Template,
    otherwise: Option<Template>,
}

enum Over {
    List(Expression),
    Range(Expression, Expression),
}

/// Rounds of all loops of one rendering.
#[derive(Default)]
struct Rounds(usize);

impl BlockReflection for ForBlock {
    fn start_tag(&self) -> &str {
        "for"
    }

    fn end_tag(&self) -> &str {
        "endfor"
    }

    fn description(&self) -> &str {
        "Repeats its body for each item of a list."
    }
}

impl ParseBlock for ForBlock {
    fn parse(
        &self,
        mut arguments: TagTokenIter<'_>,
        mut block: TagBlock<'_, '_>,
        options: &Language,
    ) -> Result<Box<dyn Renderable>, Error> {
        let name = arguments.expect_next("a name is missing")?.expect_identifier().into_result()?.to_owned();
        let word = arguments.expect_next("`in` is missing")?;
        if word.as_str() != "in" {
            return Err(word.raise_custom_error("`in` expected"));
        }
        let over = match arguments.expect_next("a list is missing")?.expect_value() {
            TryMatchToken::Matches(list) => Over::List(list),
            TryMatchToken::Fails(token) => {
                let (from, to) = token.expect_range().into_result()?;
                Over::Range(from, to)
            }
        };
        let (mut limit, mut offset, mut reversed) = (None, None, false);
        while let Some(token) = arguments.next() {
            match token.as_str() {
                "limit" => limit = Some(number(&mut arguments)?),
                "offset" => offset = Some(number(&mut arguments)?),
                "reversed" => reversed = true,
                _ => return Err(token.raise_custom_error("`limit`, `offset` or `reversed` expected")),
            }
        }
        let (mut body, mut otherwise) = (Vec::new(), None);
        while let Some(element) = block.next()? {
            match element {
                BlockElement::Tag(tag) if tag.name() == "else" => {
                    otherwise = Some(Template::new(block.parse_all(options)?));
                    break;
                }
                element => body.push(element.parse(&mut block, options)?),
            }
        }
        block.assert_empty();
        Ok(Box::new(For { name, over, limit, offset, reversed, body: Template::new(body), otherwise }))
    }

    fn reflection(&self) -> &dyn BlockReflection {
        self
    }
}

fn number(arguments: &mut TagTokenIter<'_>) -> Result<Expression, Error> {
    arguments.expect_next("`:` is missing")?.expect_str(":").into_result_custom_msg("`:` expected")?;
    arguments.expect_next("a number is missing")?.expect_value().into_result()
}

impl fmt::Debug for For {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "for {}", self.name)
    }
}

impl Renderable for For {
    fn render_to(&self, writer: &mut dyn Write, runtime: &dyn Runtime) -> Result<(), Error> {
        match &self.over {
            Over::Range(from, to) => {
                let numbers: Vec<Node> = (whole(from, runtime)?..=whole(to, runtime)?)
                    .take(MOST_ROUNDS + 1)
                    .map(|n| Node::from(&json!(n)))
                    .collect();
                self.walk(numbers.iter().map(|node| node as &dyn ValueView).collect(), writer, runtime)
            }
            Over::List(list) => {
                // What is missing is an empty list; text is a list of itself, as elsewhere.
                let Some(found) = list.try_evaluate(runtime) else { return self.nothing(writer, runtime) };
                if let Some(items) = found.as_array() {
                    return self.walk(items.values().collect(), writer, runtime);
                }
                if let Some(object) = found.as_object() {
                    let pairs: Vec<Node> = object.iter().map(|(name, value)| Node::pair(&name, value)).collect();
                    return self.walk(pairs.iter().map(|node| node as &dyn ValueView).collect(), writer, runtime);
                }
                let empty = found.is_nil() || found.to_kstr().is_empty();
                if empty { self.nothing(writer, runtime) } else { self.walk(vec![found.as_view()], writer, runtime) }
            }
        }
    }
}

impl For {
    fn nothing(&self, writer: &mut dyn Write, runtime: &dyn Runtime) -> Result<(), Error> {
        self.otherwise.as_ref().map_or(Ok(()), |otherwise| otherwise.render_to(writer, runtime))
    }

    fn walk(&self, items: Vec<&dyn ValueView>, writer: &mut dyn Write, runtime: &dyn Runtime) -> Result<(), Error> {
        let skip = count(self.offset.as_ref(), runtime)?.unwrap_or(0);
        let take = count(self.limit.as_ref(), runtime)?.unwrap_or(usize::MAX);
        let mut items: Vec<&dyn ValueView> = items.into_iter().skip(skip).take(take).collect();
        if self.reversed {
            items.reverse();
        }
        if items.is_empty() {
            return self.nothing(writer, runtime);
        }
        let length = items.len();
        for (at, item) in items.into_iter().enumerate() {
            count_round(runtime)?;
            let turn = Node::from(&json!({
                "index": at + 1, "index0": at, "rindex": length - at, "rindex0": length - at - 1,
                "first": at == 0, "last": at + 1 == length, "length": length,
            }));
            let mut names: HashMap<KStringRef<'_>, &dyn ValueView> = HashMap::new();
            names.insert("forloop".into(), &turn);
            names.insert(self.name.as_str().into(), &item);
            self.body.render_to(writer, &StackFrame::new(runtime, &names))?;
            if runtime.registers().get_mut::<InterruptRegister>().reset() == Some(Interrupt::Break) {
                break;
            }
        }
        Ok(())
    }
}

fn count_round(runtime: &dyn Runtime) -> Result<(), Error> {
    let mut rounds = runtime.registers().get_mut::<Rounds>();
    rounds.0 += 1;
    if rounds.0 > MOST_ROUNDS {
        return Err(Error::with_msg("the template's loops run more than 10,000 rounds"));
    }
    Ok(())
}

fn whole(expression: &Expression, runtime: &dyn Runtime) -> Result<i64, Error> {
    let value = expression.evaluate(runtime)?;
    let number = value.as_scalar().and_then(|scalar| scalar.to_integer());
    number.ok_or_else(|| Error::with_msg("a whole number is needed here"))
}

fn count(expression: Option<&Expression>, runtime: &dyn Runtime) -> Result<Option<usize>, Error> {
    expression.map(|e| Ok(usize::try_from(whole(e, runtime)?).unwrap_or(0))).transpose()
}
