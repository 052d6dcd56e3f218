//! Stateful stand-ins of what Hogwire talks to. They answer as the real ones are known to,
//! the awkward parts included, and never as would be convenient.
//!
//! Each is plain state with time as an argument; `World` drives them in one thread under
//! seeded faults, `serve` puts the same code behind sockets on loopback.

pub mod brevo;
pub mod mailbox;
pub mod posthog;
