//! What a type objected to while it was filled, with the innermost place that is known.

use std::fmt;

use serde::de;

use crate::Problem;
use crate::problem::{Place, nearest};

/// Where in the document, as `steps[2].email.template`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Path(pub Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Key(String),
    Item(usize),
}

impl Path {
    pub fn key(&self, name: &str) -> Self {
        self.with(Part::Key(name.to_owned()))
    }

    pub fn item(&self, n: usize) -> Self {
        self.with(Part::Item(n))
    }

    fn with(&self, part: Part) -> Self {
        let mut parts = self.0.clone();
        parts.push(part);
        Self(parts)
    }

    /// Whether it is `other` or lies inside it.
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, part) in self.0.iter().enumerate() {
            match part {
                Part::Key(name) if n == 0 => f.write_str(name)?,
                Part::Key(name) => write!(f, ".{name}")?,
                Part::Item(item) => write!(f, "[{item}]")?,
            }
        }
        Ok(())
    }
}

#[derive(Debug)]
pub(super) struct Fault {
    pub code: &'static str,
    message: String,
    remedy: String,
    spot: Option<(Path, Place)>,
}

impl Fault {
    fn new(code: &'static str, message: String, remedy: String) -> Self {
        Self { code, message, remedy, spot: None }
    }

    /// Says where, unless a part further inside has said so.
    pub fn at(mut self, path: &Path, place: Place) -> Self {
        self.spot.get_or_insert_with(|| (path.clone(), place));
        self
    }

    pub fn path(&self) -> Path {
        self.spot.as_ref().map(|(path, _)| path.clone()).unwrap_or_default()
    }

    pub fn into_problem(self, root: Place) -> Problem {
        let (path, place) = self.spot.unwrap_or((Path::default(), root));
        Problem::error(self.code, path.to_string(), self.message, self.remedy).at(place.line, place.column)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

/// Rust's names of numbers, in words.
fn wanted(expected: &dyn de::Expected) -> String {
    let text = expected.to_string();
    match text.as_str() {
        "u8" => "a whole number from 0 to 255".to_owned(),
        "u16" | "u32" | "u64" | "usize" => "a whole number from 0 on".to_owned(),
        "i8" | "i16" | "i32" | "i64" => "a whole number".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a sequence" => "a list".to_owned(),
        text if text.starts_with("struct ") => "a map".to_owned(),
        _ => text,
    }
}

fn given(unexpected: &de::Unexpected<'_>) -> String {
    match unexpected {
        de::Unexpected::Str(text) => format!("“{text}”"),
        de::Unexpected::Unsigned(number) => format!("the number {number}"),
        de::Unexpected::Signed(number) => format!("the number {number}"),
        de::Unexpected::Float(number) => format!("the number {number}"),
        de::Unexpected::Bool(flag) => flag.to_string(),
        de::Unexpected::Seq => "a list".to_owned(),
        de::Unexpected::Unit => "nothing".to_owned(),
        other => other.to_string(),
    }
}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new("invalid_value", message.to_string(), String::new())
    }

    fn invalid_type(unexpected: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        let message = format!("expected {}, and here is {}", wanted(expected), given(&unexpected));
        Self::new("invalid_value", message, String::new())
    }

    fn invalid_value(unexpected: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::invalid_type(unexpected, expected)
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let remedy = match nearest(field, expected.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the keys here are {}", expected.join(", ")),
        };
        let message = format!("`{field}` is not a key here");
        Self::new("unknown_key", message, remedy)
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let remedy = match nearest(variant, expected.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it is one of {}", expected.join(", ")),
        };
        let message = format!("`{variant}` is not known here");
        Self::new("invalid_value", message, remedy)
    }

    fn missing_field(field: &'static str) -> Self {
        let message = format!("`{field}` is missing");
        Self::new("missing_key", message, format!("add `{field}:`"))
    }

    fn duplicate_field(field: &'static str) -> Self {
        let message = format!("`{field}` is here twice");
        Self::new("duplicate_key", message, "keep one of them".to_owned())
    }
}
