//! The key that seals credentials: from the environment, or made once beside the data.
//!
//! It is never in the database and in no backup, so that neither is worth stealing alone.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use hogwire_engine::outside::Entropy;
use hogwire_engine::secrets::Keyring;
use sha2::{Digest, Sha256};

use super::read::Environment;

pub const FILE: &str = "secret.key";

/// A copy of what address hashes and links derive from. It opens no credential; it lets mail
/// and opt-outs go on where the key is a wrong one. Like the key, no backup holds it.
pub const SPARE: &str = "root.key";

/// Where the key came from, for `doctor`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    Environment,
    Fallback,
    File,
    Made,
}

/// The keyring. Makes `secret.key`, readable by the owner alone, where nothing is set.
pub fn keyring(data: &Path, environment: &Environment, entropy: &dyn Entropy) -> Result<(Keyring, Origin), String> {
    let (keyring, origin) = key(data, environment, entropy)?;
    match fs::read_to_string(data.join(SPARE)) {
        // A damaged spare is of no use, and is written again where the key is right.
        Ok(text) if key_like(&text) => {
            keyring.with_spare(&text).map_err(|why| why.to_string()).map(|ring| (ring, origin))
        }
        _ => Ok((keyring, origin)),
    }
}

fn key_like(text: &str) -> bool {
    text.trim().len() == 64 && Keyring::parse(text.trim()).is_ok()
}

/// Keeps the root beside the data, where it is not there yet.
pub fn keep_spare(data: &Path, keyring: &Keyring) -> io::Result<()> {
    let path = data.join(SPARE);
    let Some(spare) = keyring.spare() else { return Ok(()) };
    match fs::read_to_string(&path) {
        Ok(held) if held.trim() == spare.as_str() => Ok(()),
        Ok(_) => fs::remove_file(&path).and_then(|()| write(&path, &spare)),
        Err(_) => write(&path, &spare),
    }
}

fn key(data: &Path, environment: &Environment, entropy: &dyn Entropy) -> Result<(Keyring, Origin), String> {
    if let Some(keys) = environment.get("HOGWIRE_SECRET_KEY").filter(|keys| !keys.is_empty()) {
        return parsed(keys, "HOGWIRE_SECRET_KEY").map(|keyring| (keyring, Origin::Environment));
    }
    if let Some(secret) = environment.get("BETTER_AUTH_SECRET").filter(|secret| !secret.is_empty()) {
        let keys = if Keyring::parse(secret).is_ok() { secret.clone() } else { hex(&Sha256::digest(secret)) };
        return parsed(&keys, "BETTER_AUTH_SECRET").map(|keyring| (keyring, Origin::Fallback));
    }
    let path = data.join(FILE);
    match fs::read_to_string(&path) {
        Ok(keys) => parsed(keys.trim(), &path.display().to_string()).map(|keyring| (keyring, Origin::File)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut bytes = [0; 32];
            entropy.fill(&mut bytes);
            let keys = hex(&bytes);
            write(&path, &keys).map_err(|error| format!("{} cannot be written: {error}", path.display()))?;
            parsed(&keys, FILE).map(|keyring| (keyring, Origin::Made))
        }
        Err(error) => Err(format!("{} cannot be read: {error}", path.display())),
    }
}

fn parsed(keys: &str, from: &str) -> Result<Keyring, String> {
    Keyring::parse(keys).map_err(|_| format!("{from} must be 64 hex digits, or several of those after commas"))
}

fn write(path: &Path, keys: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(keys.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
