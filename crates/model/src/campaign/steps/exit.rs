//! `exit: "reason"`: ends the run.

use crate::campaign::advance::course::Move;
use crate::campaign::{Code, Ending};

pub(in crate::campaign) fn arrive(reason: &str) -> Move {
    Move::End(Ending { code: Code::Exited, reason: reason.to_owned() })
}
