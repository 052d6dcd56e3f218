//! Fills a type from a tree. After a fault the part it lies in is taken out and the
//! filling begins again, so that one reading finds all faults; what follows merely from
//! an earlier fault is not told.

use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};

use super::fault::{Fault, Part, Path};
use super::tree::{Shape, Tree};
use crate::{Problem, Problems};

/// The most problems that one reading tells.
const MOST_PROBLEMS: usize = 30;

/// Fills `T`, or answers everything that is wrong, in the order of the text.
pub fn fill<T: DeserializeOwned>(tree: Tree) -> Result<T, Problems> {
    let mut tree = tree;
    let root = tree.place;
    let mut problems: Vec<Problem> = Vec::new();
    let mut told: Vec<Path> = Vec::new();
    loop {
        let cursor = Cursor { tree: &tree, path: Path::default() };
        let fault = match T::deserialize(cursor) {
            Ok(value) if problems.is_empty() => return Ok(value),
            Ok(_) => break,
            Err(fault) => fault,
        };
        let path = fault.path();
        if !told.iter().any(|earlier| earlier.is_within(&path)) {
            problems.push(fault.into_problem(root));
        }
        told.push(path.clone());
        if problems.len() >= MOST_PROBLEMS || !tree.take_out(&path.0) {
            break;
        }
    }
    problems.sort_by_key(|problem| problem.place.map(|place| (place.line, place.column)));
    Err(Problems(problems))
}

impl Tree {
    /// Whether there was such a part to take out; the whole document is none.
    fn take_out(&mut self, path: &[Part]) -> bool {
        let Some((first, rest)) = path.split_first() else {
            return false;
        };
        let part = match (first, &mut self.shape) {
            (Part::Item(n), Shape::List(items)) => items.get_mut(*n),
            (Part::Key(name), Shape::Map(pairs)) => pairs
                .iter_mut()
                .find(|(key, value)| key.name == *name && !matches!(value.shape, Shape::Gone))
                .map(|(_, value)| value),
            _ => None,
        };
        match part {
            None => false,
            Some(part) if rest.is_empty() => {
                let there = !matches!(part.shape, Shape::Gone);
                part.shape = Shape::Gone;
                there
            }
            Some(part) => part.take_out(rest),
        }
    }
}

#[derive(Clone)]
struct Cursor<'t> {
    tree: &'t Tree,
    path: Path,
}

impl<'t> Cursor<'t> {
    fn visit<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let (path, place) = (self.path.clone(), self.tree.place);
        let outcome = match &self.tree.shape {
            Shape::Null | Shape::Gone => visitor.visit_unit(),
            Shape::Bool(flag) => visitor.visit_bool(*flag),
            Shape::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(n), _) => visitor.visit_u64(n),
                (_, Some(n)) => visitor.visit_i64(n),
                _ => visitor.visit_f64(number.as_f64().unwrap_or(0.0)),
            },
            Shape::Text(text) => visitor.visit_str(text),
            Shape::List(items) => visitor.visit_seq(Items { items: items.iter().enumerate(), path: self.path }),
            Shape::Map(_) => visitor.visit_map(Entries { next: 0, cursor: self }),
        };
        outcome.map_err(|fault: Fault| fault.at(&path, place))
    }
}

impl<'de> Deserializer<'de> for Cursor<'_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.visit(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.tree.shape {
            Shape::Null | Shape::Gone => visitor.visit_none(),
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

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Fault> {
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
                    content: Cursor { tree: value, path: self.path.key(&key.name) },
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
    path: Path,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        let left = &mut self.items;
        let Some((n, tree)) = left.find(|(_, item)| !matches!(item.shape, Shape::Gone)) else {
            return Ok(None);
        };
        let path = self.path.item(n);
        let cursor = Cursor { tree, path: path.clone() };
        seed.deserialize(cursor).map(Some).map_err(|fault| fault.at(&path, tree.place))
    }
}

struct Entries<'t> {
    next: usize,
    cursor: Cursor<'t>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Fault;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        let Shape::Map(pairs) = &self.cursor.tree.shape else {
            return Ok(None);
        };
        while let Some((key, value)) = pairs.get(self.next) {
            self.next += 1;
            if matches!(value.shape, Shape::Gone) {
                continue;
            }
            let path = self.cursor.path.key(&key.name);
            return seed
                .deserialize(key.name.as_str().into_deserializer())
                .map(Some)
                .map_err(|fault: Fault| fault.at(&path, key.place));
        }
        Ok(None)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        let Shape::Map(pairs) = &self.cursor.tree.shape else {
            return Err(de::Error::custom("a map was expected"));
        };
        let Some((key, value)) = self.next.checked_sub(1).and_then(|n| pairs.get(n)) else {
            return Err(de::Error::custom("a value was expected"));
        };
        let path = self.cursor.path.key(&key.name);
        let cursor = Cursor { tree: value, path: path.clone() };
        seed.deserialize(cursor).map_err(|fault| fault.at(&path, value.place))
    }
}

struct Variant<'t> {
    name: &'t str,
    content: Cursor<'t>,
}

impl<'de, 't> EnumAccess<'de> for Variant<'t> {
    type Error = Fault;
    type Variant = Cursor<'t>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Cursor<'t>), Fault> {
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

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Fault> {
        self.visit(visitor)
    }
}
