//! Tokens of links in mails. One random token belongs to a message; only its hash is kept,
//! so a stolen database holds no working link, and no key is needed to find a message again:
//! unsubscribing works for as long as the message is kept, whatever became of keys.
//!
//! A tracked link is the token, the link's number and a short signature over both. Where it
//! leads is stored with the message: a link can lead nowhere else, signed or not.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Characters of the random part, 130 bits.
pub const LENGTH: usize = 26;
/// Characters of the signature, 60 bits.
const SIGNATURE: usize = 12;
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// More links than this in one mail are not tracked.
pub const MOST_LINKS: usize = 500;

/// A tracked link's parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link<'a> {
    pub token: &'a str,
    pub number: usize,
    /// The signature fits. One that does not still leads where the link leads, and is not counted.
    pub genuine: bool,
}

/// What a token is kept as: SHA-256 in hex.
pub fn hash(token: &str) -> String {
    Sha256::digest(token.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn is_token(text: &str) -> bool {
    text.len() == LENGTH && text.bytes().all(|byte| ALPHABET.contains(&byte))
}

pub fn link(token: &str, number: usize, key: &[u8; 32]) -> String {
    format!("{token}{number}-{}", signature(token, number, key))
}

/// Reads what stands behind `/t/c/`.
pub fn read_link<'a>(text: &'a str, key: &[u8; 32]) -> Option<Link<'a>> {
    let (token, rest) = text.split_at_checked(LENGTH)?;
    let (number, signed) = rest.split_once('-')?;
    if !is_token(token) || number.is_empty() || number.len() > 3 || !number.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number: usize = number.parse().ok()?;
    let expected = signature(token, number, key);
    Some(Link { token, number, genuine: bool::from(expected.as_bytes().ct_eq(signed.as_bytes())) })
}

fn signature(token: &str, number: usize, key: &[u8; 32]) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        // HMAC takes keys of any length (RFC 2104).
        return String::new();
    };
    mac.update(token.as_bytes());
    mac.update(&number.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    digest.iter().take(SIGNATURE).map(|byte| char::from(ALPHABET[usize::from(byte & 31)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "abcdefghijklmnopqrstuvwxyz";

    #[test]
    fn a_link_is_read_back_and_a_changed_one_is_not_genuine() {
        let key = [7; 32];
        let text = link(TOKEN, 3, &key);
        assert_eq!(read_link(&text, &key), Some(Link { token: TOKEN, number: 3, genuine: true }));
        let other = text.replacen("z3-", "z4-", 1);
        assert_eq!(read_link(&other, &key), Some(Link { token: TOKEN, number: 4, genuine: false }));
        assert!(!read_link(&text, &[8; 32]).expect("a link").genuine);
    }

    #[test]
    fn anything_else_is_no_link() {
        for text in ["", "abc", TOKEN, "ABCDEFGHIJKLMNOPQRSTUVWXYZ1-x", "äbcdefghijklmnopqrstuvwxyä1-x"] {
            assert_eq!(read_link(text, &[0; 32]), None, "{text}");
        }
        assert_eq!(read_link(&format!("{TOKEN}-x"), &[0; 32]), None);
        assert_eq!(read_link(&format!("{TOKEN}9999-x"), &[0; 32]), None);
    }
}
