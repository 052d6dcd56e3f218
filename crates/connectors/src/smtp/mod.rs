//! Mail: the bytes of a message, and what a mail server's reply means.

pub mod dkim;
pub mod mime;
pub mod records;
pub mod reply;

#[cfg(test)]
mod tests;

use crate::manifest::Manifest;

pub use reply::{Bounce, Verdict, classify};

pub const MANIFEST: Manifest = Manifest {
    name: "smtp",
    does: "Sends mail through any server that speaks SMTP submission.",
    source: false,
    destination: true,
};
