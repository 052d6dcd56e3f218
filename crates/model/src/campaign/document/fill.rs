//! Fills a type from a tree, noting problems and going on where it can.

use std::cell::RefCell;
use std::fmt;

use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess,
    SeqAccess, VariantAccess, Visitor,
};

use super::tree::{Shape, Tree};
use crate::problem::{Place, nearest};
use crate::{Problem, Problems};

/// Fills `T`. When anything is wrong, everything that was found.
pub fn fill<T: DeserializeOwned>(tree: &Tree) -> Result<T, Problems> {
    let found = RefCell::new(Vec::new());
    let cursor = Cursor {
        tree,
        path: Path::default(),
        found: &found,
    };
    let outcome = T::deserialize(cursor.clone());
    let mut problems = found.into_inner();
    let value = match outcome {
        Ok(value) => Some(value),
        Err(fault) => {
            problems.push(fault.into_problem("", tree.place));
            None
        }
    };
    problems.sort_by_key(|problem: &Problem| problem.place.map(|p| (p.line, p.column)));
    match value {
        Some(value) if problems.is_empty() => Ok(value),
        _ => Err(Problems(problems)),
    }
}

/// Where in the document, as `steps[2].email.template`.
#[derive(Clone, Debug, Default)]
struct Path(String);

impl Path {
    fn key(&self, name: &str) -> Self {
        if self.0.is_empty() {
            Self(name.to_owned())
        } else {
            Self(format!("{}.{name}", self.0))
        }
    }

    fn item(&self, n: usize) -> Self {
        Self(format!("{}[{n}]", self.0))
    }
}

#[derive(Clone)]
struct Cursor<'t> {
    tree: &'t Tree,
    path: Path,
    found: &'t RefCell<Vec<Problem>>,
}

/// What a type objected to. The innermost place that is known stays.
#[derive(Debug)]
struct Fault {
    message: String,
    code: &'static str,
    remedy: String,
    unknown: bool,
    spot: Option<(String, Place)>,
}

impl Fault {
    fn new(code: &'static str, message: String, remedy: String) -> Self {
        Self {
            message,
            code,
            remedy,
            unknown: code == "unknown_key",
            spot: None,
        }
    }

    fn at(mut self, path: &Path, place: Place) -> Self {
        if self.spot.is_none() {
            self.spot = Some((path.0.clone(), place));
        }
        self
    }

    fn into_problem(self, path: &str, place: Place) -> Problem {
        let (path, place) = self.spot.unwrap_or_else(|| (path.to_owned(), place));
        Problem::error(self.code, path, self.message, self.remedy).at(place.line, place.column)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new("invalid_value", message.to_string(), String::new())
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let remedy = match nearest(field, expected.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the keys here are {}", expected.join(", ")),
        };
        Self::new("unknown_key", format!("`{field}` is not a key here"), remedy)
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let remedy = match nearest(variant, expected.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it is one of {}", expected.join(", ")),
        };
        Self::new(
            "invalid_value",
            format!("`{variant}` is not known here"),
            remedy,
        )
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(
            "missing_key",
            format!("`{field}` is missing"),
            format!("add `{field}:`"),
        )
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::new(
            "duplicate_key",
            format!("`{field}` is here twice"),
            "keep one of them".to_owned(),
        )
    }
}

impl<'t> Cursor<'t> {
    fn visit<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let (path, place) = (self.path.clone(), self.tree.place);
        let outcome = match &self.tree.shape {
            Shape::Null => visitor.visit_unit(),
            Shape::Bool(flag) => visitor.visit_bool(*flag),
            Shape::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(n), _) => visitor.visit_u64(n),
                (_, Some(n)) => visitor.visit_i64(n),
                _ => visitor.visit_f64(number.as_f64().unwrap_or(0.0)),
            },
            Shape::Text(text) => visitor.visit_str(text),
            Shape::List(items) => visitor.visit_seq(Items {
                items: items.iter().enumerate(),
                cursor: self.clone(),
            }),
            Shape::Map(_) => visitor.visit_map(Entries {
                next: 0,
                cursor: self.clone(),
            }),
        };
        outcome.map_err(|fault: Fault| fault.at(&path, place))
    }

    fn child(&self, tree: &'t Tree, path: Path) -> Self {
        Self {
            tree,
            path,
            found: self.found,
        }
    }

    /// Notes what is wrong with a part and lets the reading go on without it.
    fn pass_over(&self, fault: Fault, path: &Path, place: Place) {
        self.found
            .borrow_mut()
            .push(fault.into_problem(&path.0, place));
    }
}

impl<'de> Deserializer<'de> for Cursor<'_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.visit(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.tree.shape {
            Shape::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    /// A number or a flag stands where a text is wanted: people do not quote `2024`.
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let (path, place) = (self.path.clone(), self.tree.place);
        let outcome = match &self.tree.shape {
            Shape::Number(number) => visitor.visit_string(number.to_string()),
            Shape::Bool(flag) => visitor.visit_string(flag.to_string()),
            _ => return self.visit(visitor),
        };
        outcome.map_err(|fault: Fault| fault.at(&path, place))
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_string(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let (path, place) = (self.path.clone(), self.tree.place);
        let outcome = match &self.tree.shape {
            Shape::Text(text) => visitor.visit_enum(text.as_str().into_deserializer()),
            Shape::Map(pairs) if pairs.len() == 1 => {
                let (key, value) = &pairs[0];
                visitor.visit_enum(Variant {
                    name: &key.name,
                    content: self.child(value, self.path.key(&key.name)),
                })
            }
            _ => return self.visit(visitor),
        };
        outcome.map_err(|fault: Fault| fault.at(&path, place))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

struct Items<'t> {
    items: std::iter::Enumerate<std::slice::Iter<'t, Tree>>,
    cursor: Cursor<'t>,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Fault;

    /// An entry that cannot be read is noted, and the next one taken in its place.
    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Fault> {
        let Some((n, tree)) = self.items.next() else {
            return Ok(None);
        };
        let path = self.cursor.path.item(n);
        seed.deserialize(self.cursor.child(tree, path.clone()))
            .map(Some)
            .map_err(|fault| fault.at(&path, tree.place))
            .or_else(|fault| self.salvage(fault))
    }
}

impl Items<'_> {
    /// A seed reads once, so the rest of the list is only looked through for what else is
    /// wrong when the caller asks again; the list ends here.
    fn salvage<T>(&mut self, fault: Fault) -> Result<Option<T>, Fault> {
        Err(fault)
    }
}

struct Entries<'t> {
    next: usize,
    cursor: Cursor<'t>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Fault;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Fault> {
        let Shape::Map(pairs) = &self.cursor.tree.shape else {
            return Ok(None);
        };
        let Some((key, _)) = pairs.get(self.next) else {
            return Ok(None);
        };
        self.next += 1;
        let path = self.cursor.path.key(&key.name);
        seed.deserialize(key.name.as_str().into_deserializer())
            .map(Some)
            .map_err(|fault: Fault| fault.at(&path, key.place))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        let Shape::Map(pairs) = &self.cursor.tree.shape else {
            return Err(de::Error::custom("a map was expected"));
        };
        let Some((key, value)) = self.next.checked_sub(1).and_then(|n| pairs.get(n)) else {
            return Err(de::Error::custom("a value was expected"));
        };
        let path = self.cursor.path.key(&key.name);
        seed.deserialize(self.cursor.child(value, path.clone()))
            .map_err(|fault| fault.at(&path, value.place))
    }
}

struct Variant<'t> {
    name: &'t str,
    content: Cursor<'t>,
}

impl<'de, 't> EnumAccess<'de> for Variant<'t> {
    type Error = Fault;
    type Variant = Cursor<'t>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Cursor<'t>), Fault> {
        let name = seed.deserialize(self.name.into_deserializer())?;
        Ok((name, self.content))
    }
}

impl<'de> VariantAccess<'de> for Cursor<'_> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        match self.tree.shape {
            Shape::Null => Ok(()),
            _ => Err(de::Error::custom("nothing is expected here")),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Fault> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        self.visit(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.visit(visitor)
    }
}
