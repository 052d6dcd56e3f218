//! Passwords of people who sign in: hashed with Argon2id, slowly on purpose. Call from a
//! thread that may block.

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use hogwire_engine::outside::Entropy;

/// The PHC text of a password.
pub fn hash(password: &str, entropy: &dyn Entropy) -> Result<String, String> {
    let mut salt = [0; 16];
    entropy.fill(&mut salt);
    let hashed = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt);
    hashed.map(|hash| hash.to_string()).map_err(|error| format!("the password cannot be hashed: {error}"))
}

pub fn verify(password: &str, hash: &str) -> bool {
    Argon2::default().verify_password(password.as_bytes(), hash).is_ok()
}
