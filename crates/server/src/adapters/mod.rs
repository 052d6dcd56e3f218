//! The real outside: clock, randomness, disk, network and mail.
//!
//! Each file implements one trait of `hogwire_engine::outside`. Nothing here decides what is
//! sent or kept; only this folder and `boot` read a clock, entropy or a socket.

pub mod clock;
pub mod disk;
pub mod dns;
pub mod entropy;
pub mod guard;
pub mod http;
pub mod lock;
pub mod smtp;

#[cfg(test)]
mod tests;
