//! The brakes (SPEC D17): by hand, for everything, one sender or one campaign; and by
//! themselves, where a sender bounces or annoys too much.
//!
//! A brake is a row that every claim reads in its own transaction: from the moment it is
//! committed nothing more goes out. What waits stays due and goes on when it is taken away.

use hogwire_model::{Span, Time};

use super::Parts;
use crate::error::{Error, Result};
use crate::store::pauses::{self, Pause};
use crate::store::{Tx, messages};

/// What is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject<'a> {
    Everything,
    Sender(&'a str),
    Campaign(&'a str),
}

/// How the brake for everything is written.
pub const EVERYTHING: &str = "*";

impl Subject<'_> {
    fn written(self) -> String {
        match self {
            Self::Everything => EVERYTHING.to_owned(),
            Self::Sender(name) => format!("sender:{name}"),
            Self::Campaign(id) => format!("campaign:{id}"),
        }
    }
}

/// Stops it. Answers whether it was running before.
pub fn pause(parts: &Parts<'_>, subject: Subject<'_>, actor: &str, reason: &str, now: Time) -> Result<bool> {
    if let Subject::Sender(name) = subject
        && !parts.settings.senders.contains_key(name)
    {
        return Err(Error::Missing(format!("a sender called {name}")));
    }
    let pause = Pause { subject: subject.written(), at: now, actor: actor.to_owned(), reason: reason.to_owned() };
    parts.store.write(|tx| pauses::add(tx, &pause))
}

/// Lets it go on. Answers whether it was stopped.
pub fn resume(parts: &Parts<'_>, subject: Subject<'_>) -> Result<bool> {
    let was = parts.store.write(|tx| pauses::remove(tx, &subject.written()))?;
    parts.outside.wake.wake();
    Ok(was)
}

/// Pauses a sender at over 5% bounces or 0.3% complaints of a day's mail, once there is
/// enough of it to tell.
pub fn watch(tx: &mut Tx<'_>, sender: &str, at: Time) -> Result<()> {
    let (sent, bounced, complained) = messages::standing(tx, sender, at.minus(Span::days(1)))?;
    let reason = match (sent, bounced, complained) {
        (50.., bounced, _) if bounced * 100 > sent * 5 => format!("{bounced} of {sent} messages bounced today"),
        (500.., _, bad) if bad * 1_000 > sent * 3 => format!("{bad} of {sent} messages were complained about today"),
        _ => return Ok(()),
    };
    let subject = Subject::Sender(sender).written();
    pauses::add(tx, &Pause { subject, at, actor: "hogwire".to_owned(), reason }).map(|_| ())
}
