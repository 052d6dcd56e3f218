//! Randomness from the operating system's generator.

use hogwire_engine::outside::Entropy;
use rand::Rng as _;

pub struct Dice;

impl Entropy for Dice {
    fn fill(&self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }
}
