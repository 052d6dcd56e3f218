//! PostHog: what its webhook destination and its capture form say, and how it is told.

pub mod webhook;
mod special;
