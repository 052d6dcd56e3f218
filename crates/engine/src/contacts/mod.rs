//! Contacts as people and programs change them: written by hand or by the API, exported
//! whole, erased. What events and pulls change is `ingest`'s business.

mod erase;
mod export;
mod write;

pub use erase::{ANYBODY, Erased};
pub(crate) use erase::{again_after_restore, blank_log};
pub use export::Export;
pub use write::{Given, Wrote};
