//! The first start: somebody must be able to sign in, and is told how, once.

use hogwire_engine::Engine;
use hogwire_engine::outside::Entropy;
use hogwire_model::Time;

use super::Failure;
use crate::passwords;

/// The first account, shown once and kept only as a hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Welcome {
    pub email: String,
    pub password: String,
}

impl Welcome {
    /// Makes the first account, where there is none.
    pub fn prepare(engine: &Engine, now: Time) -> Result<Option<Self>, Failure> {
        if !engine.users()?.is_empty() {
            return Ok(None);
        }
        let entropy: &dyn Entropy = &*engine.outside().entropy;
        let password = entropy.token();
        let hash = passwords::hash(&password, entropy).map_err(Failure::Sentence)?;
        let email = "admin@localhost".to_owned();
        engine.add_user(&email, "admin", &hash, "first start", now)?;
        Ok(Some(Self { email, password }))
    }
}
