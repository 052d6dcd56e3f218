//! Reads YAML or JSON that people write, and says everything that is wrong with it at
//! once: the place, the path, and the nearest key that would be right.
//!
//! The text is first read into a tree that knows its lines. A serde deserializer over
//! that tree then fills any type. A part that cannot be read is noted and left out, so
//! that the errors after it are found too. Size and depth are bounded, so any bytes are
//! safe. It knows nothing of campaigns.

mod fault;
mod fill;
mod tree;

pub use fill::fill;
pub use tree::{Key, Shape, Tree};

use serde::de::DeserializeOwned;

use crate::Problems;

/// The largest text that is looked at.
pub const MOST_BYTES: usize = 1 << 20;

/// How deep lists and maps may nest. Each level takes up to 30 KB of stack while it is
/// read, and threads have 2 MB: this leaves half.
pub const MOST_DEPTH: usize = 32;

/// Reads a whole document. Errors come in the order of the text.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, Problems> {
    let tree = Tree::parse(text).map_err(|problem| Problems(vec![problem]))?;
    fill(tree)
}

#[cfg(test)]
mod tests;
