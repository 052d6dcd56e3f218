//! What can be bound to a statement.

use std::borrow::Cow;

use hogwire_model::Time;

#[derive(Clone, Debug, PartialEq)]
pub enum Param<'a> {
    /// NULL of a text column.
    Null,
    /// NULL of a number column.
    NullInt,
    Int(i64),
    Real(f64),
    Text(Cow<'a, str>),
    Bytes(&'a [u8]),
    /// For `column {any $n}`: membership in a list of texts.
    List(Vec<Cow<'a, str>>),
}

/// Builds a parameter list from plain values: `params![id, now, name.as_deref()]`.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => { [$($crate::store::Param::from($value)),*] };
}
pub use crate::params;

impl<'a> From<&'a str> for Param<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl<'a> From<&'a String> for Param<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Param<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl<'a> From<Cow<'a, str>> for Param<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<Option<&'a str>> for Param<'a> {
    fn from(text: Option<&'a str>) -> Self {
        text.map_or(Self::Null, Self::from)
    }
}

impl From<Option<String>> for Param<'_> {
    fn from(text: Option<String>) -> Self {
        text.map_or(Self::Null, Self::from)
    }
}

impl From<i64> for Param<'_> {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<usize> for Param<'_> {
    fn from(number: usize) -> Self {
        Self::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<u32> for Param<'_> {
    fn from(number: u32) -> Self {
        Self::Int(i64::from(number))
    }
}

impl From<bool> for Param<'_> {
    fn from(flag: bool) -> Self {
        Self::Int(i64::from(flag))
    }
}

impl From<f64> for Param<'_> {
    fn from(number: f64) -> Self {
        Self::Real(number)
    }
}

impl From<Time> for Param<'_> {
    fn from(time: Time) -> Self {
        Self::Int(time.millis())
    }
}

impl From<Option<Time>> for Param<'_> {
    fn from(time: Option<Time>) -> Self {
        time.map_or(Self::NullInt, Self::from)
    }
}

impl From<Option<i64>> for Param<'_> {
    fn from(number: Option<i64>) -> Self {
        number.map_or(Self::NullInt, Self::from)
    }
}

impl<'a> From<&'a [u8]> for Param<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'a> From<Vec<&'a str>> for Param<'a> {
    fn from(list: Vec<&'a str>) -> Self {
        Self::List(list.into_iter().map(Cow::Borrowed).collect())
    }
}

impl From<Vec<String>> for Param<'_> {
    fn from(list: Vec<String>) -> Self {
        Self::List(list.into_iter().map(Cow::Owned).collect())
    }
}
