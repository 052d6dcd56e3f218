//! The simulator: the real engine over a real SQLite, a clock that we turn, and stand-ins of
//! everything outside, all from one seed.
//!
//! `World::new(seed)` is the same world on every machine, faults included, so that a broken
//! promise is reported by its number. `serve` puts the same stand-ins behind sockets on
//! loopback for `hogwire demo`. Nothing here is part of the running product.

pub mod checks;
pub mod clock;
pub mod disk;
pub mod faults;
pub mod net;
pub mod readers;
pub mod script;
pub mod seed;
pub mod serve;
pub mod smtp;
pub mod traffic;
pub mod vendors;

mod world;

pub use world::{Report, World};
