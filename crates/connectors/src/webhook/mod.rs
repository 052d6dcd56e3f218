//! Plain webhooks: events that come from anywhere, and signed requests that go anywhere.

pub mod inbound;
