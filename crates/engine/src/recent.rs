//! A small window of what was just received, for the `duplicates` of an answer. It may
//! forget and never decides anything: the step's own index is the truth.

use std::collections::{HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::inbox::Record;

const KEPT: usize = 100_000;

#[derive(Default)]
pub struct Recent {
    seen: HashSet<u64>,
    order: VecDeque<u64>,
}

impl Recent {
    /// Whether the same bytes came on the same connection a moment ago.
    pub fn saw(&mut self, record: &Record<'_>) -> bool {
        let mut hasher = DefaultHasher::new();
        (record.connection, record.body).hash(&mut hasher);
        let mark = hasher.finish();
        if !self.seen.insert(mark) {
            return true;
        }
        self.order.push_back(mark);
        if self.order.len() > KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.seen.remove(&oldest);
        }
        false
    }
}
