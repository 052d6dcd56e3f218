//! Keeps: the only SQL, the inbox, jobs and the outbox.
//!
//! `Engine` is the one door. `receive` makes what arrives durable, `step` decides and does
//! one batch of work, and the reading side (`views`, `explain`) says what was decided and
//! why. Time and randomness are arguments; sockets, disks and clocks are traits in `outside`.

pub mod access;
pub mod backup;
pub mod campaigns;
pub mod catalog;
pub mod contacts;
pub mod credentials;
pub mod domains;
pub mod engine;
pub mod error;
pub mod explain;
pub mod heard;
pub mod housekeeping;
pub mod inbox;
pub mod ingest;
pub mod journal;
pub mod lookup;
pub mod mappings;
pub mod mirror;
pub mod outbox;
pub mod outside;
pub mod quotas;
pub mod refused;
pub mod rehearsal;
pub mod secrets;
pub mod settings;
pub mod store;
pub mod suppress;
pub mod tracking;
pub mod views;

mod by_hand;
mod facts;
mod fanout;
mod hooks;
mod jobs;
mod parked;
mod people;
mod recent;
mod rendering;
mod runs;

pub use engine::{Engine, Receipt, Stepped, Work};
pub use error::{Error, Result};
