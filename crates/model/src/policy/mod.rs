//! Rules about when something may be done: retries, ceilings, quiet hours, caps.
//!
//! All of them answer "now" or "not before", from plain values; the engine keeps the
//! state they ask about, and nothing here waits.

pub mod frequency_cap;
pub mod quiet_hours;
pub mod quota;
pub mod rate_limit;
pub mod retry;

#[cfg(test)]
mod tests;
