//! Signed requests that were seen already. A copy of one within the tolerance of its
//! timestamp is answered like the first and has no effect; past it the signature is too old.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use hogwire_connectors::signature::{Signed, TOLERANCE};
use hogwire_engine::secrets::token_hash;
use hogwire_model::Time;

#[derive(Default)]
pub struct Replays {
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    marks: HashMap<String, Time>,
    order: VecDeque<(Time, String)>,
}

impl Replays {
    /// Whether this very request was kept before. A sender that tries again signs anew, with
    /// another timestamp, and is not a copy.
    pub fn is_copy(&self, signed: &Signed) -> bool {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.marks.contains_key(&mark(signed))
    }

    /// Remembers a request that is durable now.
    pub fn remember(&self, signed: &Signed, now: Time) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // Early timestamps are good for as long as the tolerance before and after them.
        let until = now.plus(TOLERANCE).plus(TOLERANCE);
        while seen.order.front().is_some_and(|(until, _)| *until < now) {
            if let Some((_, mark)) = seen.order.pop_front() {
                seen.marks.remove(&mark);
            }
        }
        let mark = mark(signed);
        if seen.marks.insert(mark.clone(), until).is_none() {
            seen.order.push_back((until, mark));
        }
    }
}

fn mark(signed: &Signed) -> String {
    token_hash(&format!("{}.{}", signed.id, signed.timestamp))
}
