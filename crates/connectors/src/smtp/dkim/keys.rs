//! Keys that sign mail: made from randomness that is given, kept as bytes, read again.
//!
//! RSA keys are of 2,048 bits, which every receiver takes, in PKCS #1. Ed25519 keys are
//! their seed; a good many receivers pass over their signatures, so they stand beside RSA
//! and never alone.

use std::convert::Infallible;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto_bigint::{NonZero, U1024, U2048};
use crypto_primes::hazmat::{SetBits, SmallFactorsSieveFactory};
use crypto_primes::{Flavor, is_prime, sieve_and_find};
use rand_core::{TryCryptoRng, TryRng};
use ring::signature::{Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use sha2::{Digest, Sha256};

/// How a signature is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    Rsa,
    Ed25519,
}

impl Algorithm {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rsa => "rsa",
            Self::Ed25519 => "ed25519",
        }
    }

    /// The `a=` of a signature.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Rsa => "rsa-sha256",
            Self::Ed25519 => "ed25519-sha256",
        }
    }
}

/// Why a key cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signing key cannot be used: {0}")]
pub struct Unusable(String);

/// A key's two halves. The secret one is kept sealed and nowhere else.
pub struct Pair {
    pub algorithm: Algorithm,
    pub secret: Vec<u8>,
    /// The `p=` of its DNS record.
    pub public: String,
}

/// A key that is ready to sign.
pub struct Key {
    pub algorithm: Algorithm,
    pub selector: String,
    secret: Secret,
}

enum Secret {
    Rsa(Box<RsaKeyPair>),
    Ed25519(Box<Ed25519KeyPair>),
}

impl Key {
    /// Reads a secret half.
    pub fn read(algorithm: Algorithm, selector: &str, secret: &[u8]) -> Result<Self, Unusable> {
        let secret = match algorithm {
            Algorithm::Rsa => Secret::Rsa(Box::new(RsaKeyPair::from_der(secret).map_err(rejected)?)),
            Algorithm::Ed25519 => {
                Secret::Ed25519(Box::new(Ed25519KeyPair::from_seed_unchecked(secret).map_err(rejected)?))
            }
        };
        Ok(Self { algorithm, selector: selector.to_owned(), secret })
    }

    pub(super) fn sign(&self, data: &[u8]) -> Result<Vec<u8>, Unusable> {
        match &self.secret {
            Secret::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                // PKCS #1 v1.5 takes no randomness; the interface asks for a source all the same.
                let unused = ring::rand::SystemRandom::new();
                pair.sign(&RSA_PKCS1_SHA256, &unused, data, &mut signature)
                    .map_err(|_| Unusable("it does not sign".to_owned()))?;
                Ok(signature)
            }
            // RFC 8463 §3: what is signed is the hash.
            Secret::Ed25519(pair) => Ok(pair.sign(&Sha256::digest(data)).as_ref().to_vec()),
        }
    }

    fn public(&self) -> String {
        match &self.secret {
            Secret::Rsa(pair) => STANDARD.encode(subject_public_key_info(pair.public().as_ref())),
            Secret::Ed25519(pair) => STANDARD.encode(pair.public_key().as_ref()),
        }
    }
}

fn rejected(error: ring::error::KeyRejected) -> Unusable {
    Unusable(error.to_string())
}

/// The text of a key's DNS record.
pub fn public_text(algorithm: Algorithm, public: &str) -> String {
    format!("v=DKIM1; k={}; p={public}", algorithm.as_str())
}

pub fn make_ed25519(fill: &dyn Fn(&mut [u8])) -> Result<Pair, Unusable> {
    let mut seed = vec![0; 32];
    fill(&mut seed);
    let public = Key::read(Algorithm::Ed25519, "", &seed)?.public();
    Ok(Pair { algorithm: Algorithm::Ed25519, secret: seed, public })
}

/// Takes some tenths of a second.
pub fn make_rsa(fill: &dyn Fn(&mut [u8])) -> Result<Pair, Unusable> {
    loop {
        let (p, q) = (prime(fill)?, prime(fill)?);
        if p == q {
            continue;
        }
        let (p, q) = if p > q { (p, q) } else { (q, p) };
        let Some(secret) = pkcs1(&p, &q) else { continue };
        let public = Key::read(Algorithm::Rsa, "", &secret)?.public();
        return Ok(Pair { algorithm: Algorithm::Rsa, secret, public });
    }
}

/// 1,024 bits, the upper two set: two of them make 2,048.
fn prime(fill: &dyn Fn(&mut [u8])) -> Result<U1024, Unusable> {
    let told = |error: &dyn std::fmt::Display| Unusable(error.to_string());
    let factory =
        SmallFactorsSieveFactory::<U1024>::new(Flavor::Any, 1_024, SetBits::TwoMsb).map_err(|error| told(&error))?;
    let found = sieve_and_find(&mut Dice(fill), factory, |_, candidate| is_prime(Flavor::Any, candidate));
    found.map_err(|error| told(&error))?.ok_or_else(|| Unusable("no prime was found".to_owned()))
}

/// RFC 8017 A.1.2. Nothing where 65,537 divides p-1 or q-1.
fn pkcs1(p: &U1024, q: &U1024) -> Option<Vec<u8>> {
    let one = U1024::ONE;
    let (p_less, q_less) = (p.wrapping_sub(&one), q.wrapping_sub(&one));
    let n: U2048 = p.concatenating_mul(q);
    let phi: U2048 = p_less.concatenating_mul(&q_less);
    let e = U2048::from_u32(65_537);
    let d = e.invert_mod(&Option::<NonZero<U2048>>::from(NonZero::new(phi))?);
    let d: U2048 = Option::from(d)?;
    let small = U1024::from_u32(65_537);
    let inverse = |of: &U1024, modulus: U1024| -> Option<U1024> {
        Option::from(of.invert_mod(&Option::<NonZero<U1024>>::from(NonZero::new(modulus))?))
    };
    let (dp, dq, qinv) = (inverse(&small, p_less)?, inverse(&small, q_less)?, inverse(q, *p)?);
    let mut body = integer(&[0]);
    for number in [n.to_be_bytes().as_ref(), &[1, 0, 1], d.to_be_bytes().as_ref()] {
        body.extend(integer(number));
    }
    for number in [p, q, &dp, &dq, &qinv] {
        body.extend(integer(number.to_be_bytes().as_ref()));
    }
    Some(tagged(0x30, &body))
}

/// An RSA key's public half as DNS holds it.
fn subject_public_key_info(key: &[u8]) -> Vec<u8> {
    /// `rsaEncryption`, with its NULL.
    const RSA: [u8; 15] = [0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 1, 5, 0];
    let mut bits = vec![0];
    bits.extend_from_slice(key);
    let mut body = RSA.to_vec();
    body.extend(tagged(3, &bits));
    tagged(0x30, &body)
}

/// A DER integer, which is never negative here.
fn integer(bytes: &[u8]) -> Vec<u8> {
    let begin = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len() - 1);
    let mut value = Vec::with_capacity(bytes.len() + 1);
    if bytes[begin] >= 0x80 {
        value.push(0);
    }
    value.extend_from_slice(&bytes[begin..]);
    tagged(2, &value)
}

fn tagged(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = value.len();
    let mut out = vec![tag];
    match length {
        0..0x80 => out.push(length.to_le_bytes()[0]),
        0x80..0x100 => out.extend([0x81, length.to_le_bytes()[0]]),
        _ => out.extend([0x82, length.to_le_bytes()[1], length.to_le_bytes()[0]]),
    }
    out.extend_from_slice(value);
    out
}

/// Given randomness, in the form that the search for primes asks for.
struct Dice<'f>(&'f dyn Fn(&mut [u8]));

impl TryRng for Dice<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        (self.0)(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        (self.0)(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        (self.0)(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Dice<'_> {}
