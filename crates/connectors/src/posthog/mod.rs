//! PostHog: what its webhook destination and its capture form say, and how it is told.

pub mod access;
pub mod activity;
pub mod capture;
pub mod cohorts;
pub mod engagement;
pub mod errors;
pub mod flags;
pub mod funnels;
pub mod hogql;
pub mod hosts;
pub mod limits;
pub mod oauth;
pub mod people;
pub mod project;
pub mod replay;
mod special;
pub mod webhook;

#[cfg(test)]
mod outgoing_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::shown;

use crate::manifest::Manifest;

pub const MANIFEST: Manifest = Manifest {
    name: "posthog",
    does: "Takes events from PostHog and tells it what came of them.",
    source: true,
    destination: true,
};
