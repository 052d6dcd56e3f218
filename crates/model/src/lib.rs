//! What Hogwire decides with: contacts, events, filters, campaigns, policies.
//!
//! Everything here is pure. Nothing reads a clock, a file, a socket or a random
//! number: times and seeds are arguments, so that a decision can be replayed.
//! `hogwire-engine` keeps what is decided; connectors translate what vendors say.

pub mod campaign;
pub mod contact;
pub mod event;
pub mod explain;
pub mod filter;
pub mod id;
pub mod lint;
pub mod mapping;
pub mod outcome;
pub mod policy;
pub mod problem;
pub mod schedule;
pub mod template;
pub mod time;
pub mod value;

pub use outcome::Outcome;
pub use problem::{Problem, Problems};
pub use time::{Span, Time};
