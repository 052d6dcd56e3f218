//! Plain webhooks: events that come from anywhere, and signed requests that go anywhere.

pub mod inbound;
pub mod outbound;

#[cfg(test)]
mod tests;

use crate::manifest::Manifest;

pub const MANIFEST: Manifest = Manifest {
    name: "webhook",
    does: "Takes events from anywhere and sends signed requests anywhere.",
    source: true,
    destination: true,
};
