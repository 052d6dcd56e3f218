//! A document as a tree in which everything knows its line and column.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Number;
use serde_saphyr::Spanned;

use super::{MOST_BYTES, MOST_DEPTH};
use crate::Problem;
use crate::problem::Place;

/// One value and where it stands.
#[derive(Clone, Debug)]
pub struct Tree {
    pub place: Place,
    pub shape: Shape,
}

#[derive(Clone, Debug)]
pub enum Shape {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Tree>),
    Map(Vec<(Key, Tree)>),
    /// Taken out, because it could not be read.
    Gone,
}

#[derive(Clone, Debug)]
pub struct Key {
    pub place: Place,
    pub name: String,
}

impl Tree {
    /// Reads YAML, of which JSON is a part.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        if text.len() > MOST_BYTES {
            return Err(Problem::error(
                "document_too_large",
                "",
                format!("the document has {} bytes", text.len()),
                format!("keep it below {MOST_BYTES} bytes"),
            ));
        }
        let options = serde_saphyr::options! {
            budget: serde_saphyr::budget! {
                max_depth: MOST_DEPTH,
                flow_nesting_limit: MOST_DEPTH,
                max_nodes: 100_000,
                max_events: 400_000,
                max_documents: 1,
            },
            with_snippet: false,
            // As YAML 1.2 has it: a country `NO` and a property `n` are texts.
            strict_booleans: true,
        };
        let read = serde_saphyr::from_str_with_options::<Spanned<Shape>>(text, options);
        read.map(Self::from).map_err(|error| unreadable(&error))
    }
}

fn unreadable(error: &serde_saphyr::Error) -> Problem {
    let message = error.to_string();
    let message = message.lines().next().unwrap_or("it is not YAML");
    let problem = Problem::error("unreadable_document", "", message, "mend the YAML at this place");
    match error.location() {
        Some(location) => problem.at(position(location.line()), position(location.column())),
        None => problem,
    }
}

fn position(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

impl From<Spanned<Shape>> for Tree {
    fn from(spanned: Spanned<Shape>) -> Self {
        Self {
            place: Place { line: position(spanned.referenced.line()), column: position(spanned.referenced.column()) },
            shape: spanned.value,
        }
    }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Shape;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Shape, E> {
        Ok(Shape::Null)
    }

    fn visit_none<E>(self) -> Result<Shape, E> {
        Ok(Shape::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Shape, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Shape, E> {
        Ok(Shape::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Shape, E> {
        Ok(Shape::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Shape, E> {
        Ok(Shape::Number(number.into()))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Shape, E> {
        Number::from_f64(number).map(Shape::Number).ok_or_else(|| E::custom("a number must be finite"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Shape, E> {
        Ok(Shape::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Shape, E> {
        Ok(Shape::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Shape, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = seq.next_element::<Spanned<Shape>>()? {
            list.push(Tree::from(item));
        }
        Ok(Shape::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Shape, A::Error> {
        let mut pairs = Vec::new();
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            let place = Place { line: position(key.referenced.line()), column: position(key.referenced.column()) };
            let value = map.next_value::<Spanned<Shape>>()?;
            let name = key.value;
            pairs.push((Key { place, name }, Tree::from(value)));
        }
        Ok(Shape::Map(pairs))
    }
}
