//! Values as a rendering passes them around: borrowed from the contact and the event
//! wherever nothing had to be made. Asking a value for what it does not have gives nil,
//! at any depth.

use std::borrow::Cow;
use std::ops::Deref;
use std::rc::Rc;

use serde_json::{Map, Value as Json};

use super::number::Number;

#[derive(Clone, Debug)]
pub enum Value<'a> {
    Nil,
    Bool(bool),
    Number(Number),
    Text(Text<'a>),
    /// Text that needs no escaping any more: captured, or passed through `raw`.
    Markup(Text<'a>),
    Items(&'a [Json]),
    List(Rc<[Value<'a>]>),
    Fields(&'a Map<String, Json>),
    /// Fields whose names are found in any case: `Profile.Email` is `email`.
    AnyCase(&'a Map<String, Json>),
    Turn(Rc<Turn>),
    Range(i64, i64),
    /// The words `empty` and `blank`, which are only compared with.
    Empty,
    Blank,
}

/// Text, borrowed or shared, so that no copy is made when a value is passed on.
#[derive(Clone, Debug)]
pub enum Text<'a> {
    Borrowed(&'a str),
    Shared(Rc<str>),
}

/// What a template sees as `forloop`.
#[derive(Clone, Debug)]
pub struct Turn {
    pub at: usize,
    pub length: usize,
    pub outer: Option<Rc<Self>>,
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Shared(text) => text,
        }
    }
}

impl<'a> From<&'a Json> for Value<'a> {
    fn from(json: &'a Json) -> Self {
        match json {
            Json::Null => Self::Nil,
            Json::Bool(flag) => Self::Bool(*flag),
            Json::Number(number) => Self::Number(number.into()),
            Json::String(text) => Self::Text(Text::Borrowed(text)),
            Json::Array(items) => Self::Items(items),
            Json::Object(fields) => Self::Fields(fields),
        }
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(Text::Shared(text.into()))
    }
}

impl From<usize> for Value<'_> {
    fn from(count: usize) -> Self {
        Self::Number(Number::Whole(i64::try_from(count).unwrap_or(i64::MAX)))
    }
}

impl<'a> Value<'a> {
    pub fn list(items: Vec<Self>) -> Self {
        Self::List(items.into())
    }

    pub fn markup(text: String) -> Self {
        Self::Markup(Text::Shared(text.into()))
    }

    pub fn is_nil(&self) -> bool {
        matches!(self, Self::Nil)
    }

    /// Only nil and false are not true.
    pub fn is_true(&self) -> bool {
        !matches!(self, Self::Nil | Self::Bool(false))
    }

    pub fn is_empty(&self) -> bool {
        match self {
            Self::Text(text) | Self::Markup(text) => text.is_empty(),
            Self::Items(items) => items.is_empty(),
            Self::List(items) => items.is_empty(),
            Self::Fields(fields) | Self::AnyCase(fields) => fields.is_empty(),
            Self::Range(from, to) => from > to,
            _ => false,
        }
    }

    pub fn is_blank(&self) -> bool {
        match self {
            Self::Nil | Self::Bool(false) => true,
            Self::Text(text) | Self::Markup(text) => text.trim().is_empty(),
            other => other.is_empty(),
        }
    }

    /// The field of a name, `size`, `first` and `last` included.
    pub fn field(&self, name: &str) -> Self {
        let own = match self {
            Self::Fields(fields) => fields.get(name).map(Self::from),
            Self::AnyCase(fields) => fields
                .get(name)
                .or_else(|| {
                    fields.iter().find(|(held, _)| held.to_lowercase() == name.to_lowercase()).map(|(_, value)| value)
                })
                .map(Self::from),
            Self::Turn(turn) => return turn.field(name),
            _ => None,
        };
        match (own, name) {
            (Some(own), _) => own,
            (None, "size") => self.size().map_or(Self::Nil, Self::from),
            (None, "first") => self.item(0),
            (None, "last") => self.item(-1),
            _ => Self::Nil,
        }
    }

    /// The item at a place, from the end where it is negative.
    pub fn item(&self, at: i64) -> Self {
        let place = |length: usize| {
            let at = if at < 0 { at.checked_add(i64::try_from(length).ok()?)? } else { at };
            usize::try_from(at).ok()
        };
        match self {
            Self::Items(items) => place(items.len()).and_then(|at| items.get(at)).map_or(Self::Nil, Self::from),
            Self::List(items) => place(items.len()).and_then(|at| items.get(at)).cloned().unwrap_or(Self::Nil),
            Self::Range(from, to) => match at < 0 {
                true => to.checked_add(at + 1),
                false => from.checked_add(at),
            }
            .filter(|n| (from..=to).contains(&n))
            .map_or(Self::Nil, |n| Self::Number(Number::Whole(n))),
            _ => Self::Nil,
        }
    }

    pub fn size(&self) -> Option<usize> {
        Some(match self {
            Self::Text(text) | Self::Markup(text) => text.chars().count(),
            Self::Items(items) => items.len(),
            Self::List(items) => items.len(),
            Self::Fields(fields) | Self::AnyCase(fields) => fields.len(),
            Self::Range(from, to) => usize::try_from(to.saturating_sub(*from).saturating_add(1)).unwrap_or(0),
            _ => return None,
        })
    }

    /// The items of a list. Anything else than a list is one item; nil is none.
    pub fn items(&self) -> Vec<Self> {
        match self {
            Self::Nil => Vec::new(),
            Self::Items(items) => items.iter().map(Self::from).collect(),
            Self::List(items) => items.to_vec(),
            other => vec![other.clone()],
        }
    }

    /// As it is printed: lists run together, nil is nothing, and fields are JSON.
    pub fn print(&self, out: &mut String) {
        match self {
            Self::Text(text) | Self::Markup(text) => out.push_str(text),
            Self::Number(number) => number.print(out),
            Self::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
            Self::Items(items) => items.iter().for_each(|item| Self::from(item).print(out)),
            Self::List(items) => items.iter().for_each(|item| item.print(out)),
            Self::Fields(_) | Self::AnyCase(_) => out.push_str(&self.to_json().to_string()),
            Self::Range(from, to) => out.push_str(&format!("{from}..{to}")),
            Self::Nil | Self::Turn(_) | Self::Empty | Self::Blank => {}
        }
    }

    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Markup(text) => Some(text),
            _ => None,
        }
    }

    pub fn text(&self) -> Cow<'_, str> {
        match self.as_str() {
            Some(text) => Cow::Borrowed(text),
            None => {
                let mut out = String::new();
                self.print(&mut out);
                Cow::Owned(out)
            }
        }
    }

    pub fn to_json(&self) -> Json {
        match self {
            Self::Nil | Self::Turn(_) | Self::Empty | Self::Blank => Json::Null,
            Self::Bool(flag) => Json::Bool(*flag),
            Self::Number(number) => number.to_json(),
            Self::Text(text) | Self::Markup(text) => Json::String(text.to_string()),
            Self::Items(items) => Json::Array(items.to_vec()),
            Self::List(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Self::Fields(fields) | Self::AnyCase(fields) => Json::Object((*fields).clone()),
            Self::Range(..) => Json::String(self.text().into_owned()),
        }
    }

    /// The number that a value is or that its text reads as.
    pub fn number(&self) -> Option<Number> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) | Self::Markup(text) => Number::parse(text),
            Self::Bool(flag) => Some(Number::Whole(i64::from(*flag))),
            _ => None,
        }
    }

    /// About how many bytes a step over this value touches.
    pub fn weight(&self) -> usize {
        match self {
            Self::Text(text) | Self::Markup(text) => text.len(),
            Self::Items(items) => items.iter().map(json_weight).sum(),
            Self::List(items) => items.iter().map(|item| 16 + item.weight()).sum(),
            Self::Fields(fields) | Self::AnyCase(fields) => fields.values().map(json_weight).sum(),
            _ => 8,
        }
    }
}

fn json_weight(json: &Json) -> usize {
    16 + match json {
        Json::String(text) => text.len(),
        Json::Array(items) => items.iter().map(json_weight).sum(),
        Json::Object(fields) => fields.values().map(json_weight).sum(),
        _ => 0,
    }
}

impl Turn {
    fn field<'a>(&self, name: &str) -> Value<'a> {
        match name {
            "index" => Value::from(self.at + 1),
            "index0" => Value::from(self.at),
            "rindex" => Value::from(self.length - self.at),
            "rindex0" => Value::from(self.length - self.at - 1),
            "length" => Value::from(self.length),
            "first" => Value::Bool(self.at == 0),
            "last" => Value::Bool(self.at + 1 == self.length),
            "parentloop" => self.outer.clone().map_or(Value::Nil, Value::Turn),
            _ => Value::Nil,
        }
    }
}
