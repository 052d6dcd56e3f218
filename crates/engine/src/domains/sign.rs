//! The keys by which a domain's mail is signed, opened once and kept for as long as the same
//! ones are in force: an RSA key takes longer to open than to use.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hogwire_connectors::smtp::dkim::{Algorithm, Key};

use super::secret_name;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::store::Tx;
use crate::store::domains::{self, Status};

/// Opened keys, with the selectors that they are.
type Opened = (String, Arc<[Key]>);

/// Opened keys by domain.
#[derive(Default)]
pub(crate) struct Signers(Mutex<HashMap<String, Opened>>);

impl Engine {
    /// The keys that sign a domain's mail; none where its records are not right.
    pub(crate) fn signers(&self, tx: &mut Tx<'_>, domain: &str) -> Result<Arc<[Key]>> {
        let Some((Status::Verified, signing)) = domains::standing(tx, domain)? else { return Ok(Arc::new([])) };
        let held = |signers: &Signers| {
            let held = signers.0.lock().unwrap_or_else(PoisonError::into_inner);
            held.get(domain).filter(|(known, _)| *known == signing).map(|(_, keys)| keys.clone())
        };
        if let Some(keys) = held(&self.signers) {
            return Ok(keys);
        }
        let Some(row) = domains::find(tx, domain)? else { return Ok(Arc::new([])) };
        let mut keys = Vec::new();
        for published in row.keys.iter().filter(|key| signing.split(' ').any(|selector| selector == key.selector)) {
            keys.push(self.open_key(tx, domain, published.algorithm, &published.selector)?);
        }
        let keys: Arc<[Key]> = keys.into();
        let mut cache = self.signers.0.lock().unwrap_or_else(PoisonError::into_inner);
        cache.insert(domain.to_owned(), (signing, keys.clone()));
        Ok(keys)
    }

    fn open_key(&self, tx: &mut Tx<'_>, domain: &str, algorithm: Algorithm, selector: &str) -> Result<Key> {
        let name = secret_name(domain, selector);
        let secret = self.secret(tx, &name)?.ok_or_else(|| Error::Sealed(format!("`{name}` is gone")))?;
        let bytes = STANDARD.decode(secret.as_bytes()).map_err(|error| Error::Sealed(format!("`{name}`: {error}")))?;
        Key::read(algorithm, selector, &bytes).map_err(|error| Error::Sealed(format!("`{name}`: {error}")))
    }
}
