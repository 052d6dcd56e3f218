//! One row of an answer, read by position.

use hogwire_model::Time;
use rusqlite::types::ValueRef;

use crate::error::{Error, Result};

pub enum Row<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    Postgres(&'r postgres::Row),
}

impl Row<'_> {
    pub fn str(&self, at: usize) -> Result<&str> {
        self.opt_str(at)?.ok_or_else(|| unexpected(at, "text"))
    }

    pub fn opt_str(&self, at: usize) -> Result<Option<&str>> {
        match self {
            Self::Sqlite(row) => match row.get_ref(at)? {
                ValueRef::Null => Ok(None),
                ValueRef::Text(bytes) => std::str::from_utf8(bytes).map(Some).map_err(|_| unexpected(at, "text")),
                _ => Err(unexpected(at, "text")),
            },
            Self::Postgres(row) => Ok(row.try_get(at)?),
        }
    }

    pub fn text(&self, at: usize) -> Result<String> {
        self.str(at).map(str::to_owned)
    }

    pub fn opt_text(&self, at: usize) -> Result<Option<String>> {
        Ok(self.opt_str(at)?.map(str::to_owned))
    }

    pub fn int(&self, at: usize) -> Result<i64> {
        self.opt_int(at)?.ok_or_else(|| unexpected(at, "number"))
    }

    pub fn opt_int(&self, at: usize) -> Result<Option<i64>> {
        match self {
            Self::Sqlite(row) => match row.get_ref(at)? {
                ValueRef::Null => Ok(None),
                ValueRef::Integer(number) => Ok(Some(number)),
                _ => Err(unexpected(at, "number")),
            },
            Self::Postgres(row) => Ok(row.try_get(at)?),
        }
    }

    pub fn real(&self, at: usize) -> Result<f64> {
        match self {
            Self::Sqlite(row) => Ok(row.get(at)?),
            Self::Postgres(row) => Ok(row.try_get(at)?),
        }
    }

    pub fn bytes(&self, at: usize) -> Result<Vec<u8>> {
        match self {
            Self::Sqlite(row) => match row.get_ref(at)? {
                ValueRef::Blob(bytes) | ValueRef::Text(bytes) => Ok(bytes.to_vec()),
                _ => Err(unexpected(at, "bytes")),
            },
            Self::Postgres(row) => Ok(row.try_get(at)?),
        }
    }

    pub fn flag(&self, at: usize) -> Result<bool> {
        Ok(self.int(at)? != 0)
    }

    pub fn time(&self, at: usize) -> Result<Time> {
        self.int(at).map(Time::from_millis)
    }

    pub fn opt_time(&self, at: usize) -> Result<Option<Time>> {
        Ok(self.opt_int(at)?.map(Time::from_millis))
    }

    /// Parses a JSON column. `what` names it in the error.
    pub fn json<T: serde::de::DeserializeOwned>(&self, at: usize, what: &'static str) -> Result<T> {
        serde_json::from_str(self.str(at)?).map_err(|error| Error::Corrupt { what, why: error.to_string() })
    }
}

fn unexpected(at: usize, wanted: &str) -> Error {
    Error::Database(format!("column {at} does not hold a {wanted}"))
}
