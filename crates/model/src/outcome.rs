//! What a try at something outside came to. A value, not an error: the outside saying
//! "no" or "not now" is an answer that the engine acts on.

use crate::Time;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Accepted. The text is what the other side called it (an id, an SMTP reply), for the log.
    Done(String),
    /// Not now: try again after the usual pause.
    Retry(String),
    /// Not before the given time (a `Retry-After`, a budget that is spent).
    Snooze(Time, String),
    /// No, and asking again will not help.
    Refused(String),
    /// The credential is not accepted; a person must mend it.
    Unauthorized(String),
    /// It may or may not have happened (the connection broke after the last byte).
    Unknown(String),
}
