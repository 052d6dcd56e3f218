//! Ids are TEXT that we make: a short prefix that says what the thing is, then 26
//! characters of Crockford base32 over a 48-bit time and 80 random bits, so that ids
//! sort by the time they were made. The random bits are an argument.

use crate::Time;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Makes an id such as `con_01jd…`. `random` supplies the low 80 bits.
pub fn make(prefix: &str, at: Time, random: u128) -> String {
    let millis = at.millis().max(0) as u128 & 0xffff_ffff_ffff;
    let bits = (millis << 80) | (random & ((1 << 80) - 1));
    let mut id = String::with_capacity(prefix.len() + 27);
    id.push_str(prefix);
    id.push('_');
    for place in (0..26).rev() {
        id.push(ALPHABET[((bits >> (place * 5)) & 31) as usize] as char);
    }
    id
}

/// A number in [0, 1) that depends on the parts alone: the same contact falls on the
/// same side of a split on every node and in every replay.
pub fn stable_fraction(parts: &[&str]) -> f64 {
    use sha2::{Digest, Sha256};
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    let digest = hasher.finalize();
    let mut first = [0u8; 8];
    first.copy_from_slice(&digest[..8]);
    (u64::from_be_bytes(first) >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time() {
        let early = make("con", Time::from_millis(1_000), u128::MAX);
        let late = make("con", Time::from_millis(1_001), 0);
        assert!(early < late);
        assert_eq!(early.len(), 30);
    }

    #[test]
    fn fractions_are_stable_and_spread() {
        assert_eq!(stable_fraction(&["a", "b"]), stable_fraction(&["a", "b"]));
        assert_ne!(stable_fraction(&["ab", ""]), stable_fraction(&["a", "b"]));
        let below = (0..10_000).filter(|n| stable_fraction(&["split", &n.to_string()]) < 0.3).count();
        assert!((2_800..3_200).contains(&below), "{below}");
    }
}
