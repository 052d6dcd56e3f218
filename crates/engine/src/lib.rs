//! Keeps: the only SQL, the inbox, jobs and the outbox.

pub mod error;
pub mod store;

pub use error::{Error, Result};
