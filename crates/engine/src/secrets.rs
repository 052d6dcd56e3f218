//! Secrets at rest: sealed with XChaCha20-Poly1305 under a key that is not in the database.
//!
//! The envelope is `v1.<key id>.<nonce>.<ciphertext>`, base64url without padding, bound to
//! the secret's name. While a key rotates, the first key writes and every key reads.

use std::fmt;
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use hmac::Mac;
use hogwire_model::Time;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::outside::Entropy;
use crate::store::{Tx, audit, secrets as sealed, settings};

/// The keys that seal and open. Never printed.
pub struct Keyring {
    keys: Vec<(String, Zeroizing<[u8; 32]>)>,
    /// What purposes derive from. Kept in the database, sealed, so that it outlives the keys.
    root: OnceLock<Zeroizing<[u8; 32]>>,
    /// The root as it was kept beside the data, for the day when the key is a wrong one.
    spare: Option<Zeroizing<[u8; 32]>>,
}

const ROOT: &str = "root";
/// By which a root is known again, without saying what it is.
const ROOT_MARK: &str = "root_mark";

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyring of {} keys", self.keys.len())
    }
}

impl Keyring {
    /// Reads 64 hex digits, or several of them after commas: the first writes, all read.
    pub fn parse(text: &str) -> Result<Self> {
        let keys: Option<Vec<_>> = text.split(',').map(|part| key(part.trim())).collect();
        match keys {
            Some(keys) if !keys.is_empty() => Ok(Self { keys, root: OnceLock::new(), spare: None }),
            _ => Err(Error::Sealed("the key must be 64 hex digits, or several of those after commas".to_owned())),
        }
    }

    /// With a copy of the root, in 64 hex digits. It is used where the database's cannot be
    /// opened, and only where it is the same one.
    pub fn with_spare(mut self, text: &str) -> Result<Self> {
        let (_, spare) = key(text.trim()).ok_or_else(|| Error::Sealed("the root must be 64 hex digits".to_owned()))?;
        self.spare = Some(spare);
        Ok(self)
    }

    /// The root in hex, to be kept as a spare beside the data. Nothing before it is settled.
    pub fn spare(&self) -> Option<Zeroizing<String>> {
        let root = self.root.get()?;
        Some(Zeroizing::new(root.iter().map(|byte| format!("{byte:02x}")).collect()))
    }

    pub fn seal(&self, name: &str, plain: &[u8], entropy: &dyn Entropy) -> Result<String> {
        let (id, key) = &self.keys[0];
        let mut nonce = [0; 24];
        entropy.fill(&mut nonce);
        let cipher = XChaCha20Poly1305::new(&Key::from(**key));
        let payload = Payload { msg: plain, aad: name.as_bytes() };
        let sealed = cipher
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| Error::Sealed(format!("`{name}` could not be sealed")))?;
        Ok(format!("v1.{id}.{}.{}", URL_SAFE_NO_PAD.encode(nonce), URL_SAFE_NO_PAD.encode(sealed)))
    }

    pub fn open(&self, name: &str, envelope: &str) -> Result<Zeroizing<Vec<u8>>> {
        let failed = || Error::Sealed(format!("`{name}` cannot be opened with the keys that are set"));
        let mut parts = envelope.split('.');
        let (Some("v1"), Some(id), Some(nonce), Some(sealed), None) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(failed());
        };
        let (_, key) = self.keys.iter().find(|(held, _)| held == id).ok_or_else(failed)?;
        let nonce: [u8; 24] =
            URL_SAFE_NO_PAD.decode(nonce).ok().and_then(|nonce| nonce.try_into().ok()).ok_or_else(failed)?;
        let sealed = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| failed())?;
        let payload = Payload { msg: &sealed, aad: name.as_bytes() };
        let plain = XChaCha20Poly1305::new(&Key::from(**key)).decrypt(&XNonce::from(nonce), payload);
        plain.map(Zeroizing::new).map_err(|_| failed())
    }

    /// A key for one purpose: hashing addresses, signing links. It stays the same for as long
    /// as the installation lives, through every rotation, once `settle_root` was called.
    pub fn derive(&self, purpose: &[u8]) -> [u8; 32] {
        match self.root.get() {
            Some(root) => derive(&root[..], purpose),
            None => derive(&self.first_root()[..], purpose),
        }
    }

    /// What the root of a new installation is: made of its key, so that a journal can be
    /// replayed into an empty database with nothing but the key.
    fn first_root(&self) -> Zeroizing<[u8; 32]> {
        let (_, oldest) = &self.keys[self.keys.len() - 1];
        Zeroizing::new(derive(&oldest[..], b"root"))
    }

    /// Reads the root that the database keeps, or keeps the one that the key makes. Where
    /// the key does not open it the spare serves, so that a wrong key turns off what needs
    /// credentials and nothing else. With neither it is an error: no opt-out would be
    /// recognized.
    pub fn settle_root(&self, tx: &mut Tx<'_>, entropy: &dyn Entropy, now: Time) -> Result<()> {
        let mark = settings::text(tx, ROOT_MARK)?;
        let root = match sealed::get(tx, ROOT)? {
            Some(envelope) => match (self.open(ROOT, &envelope), &self.spare) {
                (Ok(plain), _) => {
                    let root = <[u8; 32]>::try_from(plain.as_slice());
                    Zeroizing::new(root.map_err(|_| Error::Sealed("the root has another length".to_owned()))?)
                }
                (Err(_), Some(spare)) if mark.as_ref() == Some(&mark_of(spare)) => spare.clone(),
                (Err(error), _) => return Err(error),
            },
            None => {
                let root = self.first_root();
                sealed::set(tx, ROOT, &self.seal(ROOT, &root[..], entropy)?, now)?;
                root
            }
        };
        if mark.is_none() {
            settings::set(tx, ROOT_MARK, &mark_of(&root), now)?;
        }
        // A second call reads what the first one read.
        let _ = self.root.set(root);
        Ok(())
    }

    /// Whether an envelope is sealed with the key that writes now.
    pub fn is_current(&self, envelope: &str) -> bool {
        envelope.split('.').nth(1) == Some(&self.keys[0].0)
    }
}

fn mark_of(root: &[u8; 32]) -> String {
    derive(&root[..], b"mark").iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

fn derive(key: &[u8], purpose: &[u8]) -> [u8; 32] {
    // A 32-byte key is always accepted.
    let mut mac = hmac::Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(purpose);
    mac.finalize().into_bytes().into()
}

fn key(hex: &str) -> Option<(String, Zeroizing<[u8; 32]>)> {
    if hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = Zeroizing::new([0; 32]);
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).ok()?;
    }
    let id = Sha256::digest(&bytes[..]).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    Some((id, bytes))
}

/// The hash under which a token or an API key is stored and looked up.
pub fn token_hash(token: &str) -> String {
    Sha256::digest(token.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a rotation came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Rotated {
    /// Sealed anew with the first key.
    pub changed: usize,
    /// Sealed with it before.
    pub current: usize,
    /// Sealed under a key that is not set: left as they are.
    pub locked: Vec<String>,
}

impl Engine {
    /// Stores a secret, sealed.
    pub(crate) fn keep_secret(&self, tx: &mut Tx<'_>, name: &str, plain: &str, now: Time) -> Result<()> {
        let envelope = self.keyring.seal(name, plain.as_bytes(), &*self.outside.entropy)?;
        sealed::set(tx, name, &envelope, now)
    }

    /// Reads a secret; nothing where there is none of that name.
    pub(crate) fn secret(&self, tx: &mut Tx<'_>, name: &str) -> Result<Option<Zeroizing<String>>> {
        let Some(envelope) = sealed::get(tx, name)? else { return Ok(None) };
        let plain = self.keyring.open(name, &envelope)?;
        let text =
            String::from_utf8(plain.to_vec()).map_err(|_| Error::Sealed(format!("`{name}` does not hold text")))?;
        Ok(Some(Zeroizing::new(text)))
    }

    /// As `secret`, where one that the key does not open counts as none.
    pub(crate) fn open_secret(&self, tx: &mut Tx<'_>, name: &str) -> Result<Option<Zeroizing<String>>> {
        match self.secret(tx, name) {
            Err(Error::Sealed(_)) => Ok(None),
            other => other,
        }
    }

    /// Names of what is sealed under a key that is not set. Empty where all can be opened.
    pub fn locked_secrets(&self) -> Result<Vec<String>> {
        let mut tx = self.store.read()?;
        let all = sealed::all(&mut tx)?;
        Ok(all
            .into_iter()
            .filter(|(name, held)| self.keyring.open(name, held).is_err())
            .map(|(name, _)| name)
            .collect())
    }

    /// Seals everything anew with the first key; what no key opens stays as it is. The root
    /// is sealed anew in any case, because it is known.
    pub fn rotate_secrets(&self, actor: &str, now: Time) -> Result<Rotated> {
        self.store.write(|tx| {
            let mut rotated = Rotated::default();
            for (name, envelope) in sealed::all(tx)? {
                if self.keyring.is_current(&envelope) && self.keyring.open(&name, &envelope).is_ok() {
                    rotated.current += 1;
                    continue;
                }
                let plain = match (self.keyring.open(&name, &envelope), self.keyring.root.get()) {
                    (Ok(plain), _) => plain,
                    (Err(_), Some(root)) if name == ROOT => Zeroizing::new(root.to_vec()),
                    (Err(_), _) => {
                        rotated.locked.push(name);
                        continue;
                    }
                };
                let fresh = self.keyring.seal(&name, &plain, &*self.outside.entropy)?;
                sealed::set(tx, &name, &fresh, now)?;
                rotated.changed += 1;
            }
            let detail = serde_json::json!({ "changed": rotated.changed, "locked": rotated.locked }).to_string();
            audit::record(tx, &self.outside.entropy.id("aud", now), now, actor, "secrets.rotate", "", &detail)?;
            Ok(rotated)
        })
    }
}

#[cfg(test)]
mod tests;
