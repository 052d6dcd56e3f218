//! Deliveries turned away at the door, kept where one looks for events (SPEC A4).

use hogwire_model::Time;

use crate::engine::Engine;
use crate::error::Result;
use crate::store::refusals;

/// One delivery that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedDelivery {
    pub route: String,
    /// The HTTP status it was answered with.
    pub status: u16,
    pub code: String,
    pub message: String,
    /// The sender's address; empty where it is not known.
    pub remote: String,
    /// The body's first 2 KB, as text without NUL.
    pub excerpt: String,
}

impl Engine {
    /// Keeps it among the last hundred.
    pub fn refuse(&self, refused: RefusedDelivery, now: Time) -> Result<()> {
        let refusal = refusals::Refusal {
            id: self.outside.entropy.id("ref", now),
            at: now,
            route: refused.route,
            status: i64::from(refused.status),
            code: refused.code,
            message: refused.message,
            remote: refused.remote,
            excerpt: refused.excerpt,
        };
        self.store.write(|tx| refusals::add(tx, &refusal))
    }
}
