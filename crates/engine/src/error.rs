//! What the engine could not do. Answers of the outside are `model::Outcome`, and what a
//! person asked for in vain is `model::Problems`; neither is an error of this kind.

use thiserror::Error;

#[derive(Debug, Error)]
pub enum Error {
    #[error("database: {0}")]
    Database(String),
    /// The database or the disk cannot take more right now; the caller may try again.
    #[error("not now: {0}")]
    Busy(String),
    #[error("{0} is not there")]
    Missing(String),
    #[error("{0}")]
    Conflict(String),
    #[error("stored {what} cannot be read: {why}")]
    Corrupt { what: &'static str, why: String },
    #[error("disk: {0}")]
    Disk(#[from] std::io::Error),
    #[error("sealed value cannot be opened: {0}")]
    Sealed(String),
    #[error("{0:?}")]
    Refused(hogwire_model::Problems),
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked, DiskFull};
        match error.sqlite_error_code() {
            Some(DatabaseBusy | DatabaseLocked | DiskFull) => Self::Busy(error.to_string()),
            _ => Self::Database(error.to_string()),
        }
    }
}

impl From<postgres::Error> for Error {
    fn from(error: postgres::Error) -> Self {
        use postgres::error::SqlState;
        let busy = [
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::LOCK_NOT_AVAILABLE,
            SqlState::DISK_FULL,
        ];
        let text = error.as_db_error().map_or_else(|| error.to_string(), ToString::to_string);
        match error.code() {
            Some(code) if busy.contains(code) => Self::Busy(text),
            _ if error.is_closed() => Self::Busy(text),
            _ => Self::Database(text),
        }
    }
}
