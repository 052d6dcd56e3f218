//! Standing jobs as rows: put, claim, settle.

use hogwire_model::Time;

use crate::error::Result;
use crate::outside::Entropy;
use crate::store::{Tx, jobs};

/// Puts a job, or moves the one with the same key to the new time and payload.
pub fn put(
    tx: &mut Tx<'_>,
    entropy: &dyn Entropy,
    kind: &str,
    key: &str,
    payload: &str,
    due: Time,
    now: Time,
) -> Result<()> {
    jobs::put(tx, &jobs::New { id: &entropy.id("job", now), kind, key, payload, due }, now)
}
