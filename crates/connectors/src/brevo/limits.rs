//! Brevo's published limits in one place: rates per group of endpoints, sizes, page lengths.
//!
//! They are those of its general tier, which every plan has. Contacts and events are asked a
//! little more slowly than allowed, because other programs use the same account. Whether
//! a batch of events counts like one event is not published; it is counted as one here.

use hogwire_model::{Span, Time};

use crate::http::Response;

/// Which budget of the account a request draws from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Contacts, lists, folders, attributes, imports.
    Contacts,
    Events,
    /// Sending, and the list of blocked addresses.
    Mail,
    /// Everything else, processes and webhooks among it: a hundred an hour in all.
    Rest,
}

impl Class {
    pub const ALL: [Self; 4] = [Self::Contacts, Self::Events, Self::Mail, Self::Rest];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Contacts => "contacts",
            Self::Events => "events",
            Self::Mail => "mail",
            Self::Rest => "rest",
        }
    }

    /// How many requests fit into each stretch of time; all of them must hold.
    pub fn budget(self) -> Vec<(Span, u32)> {
        match self {
            Self::Contacts | Self::Events => vec![(Span::seconds(1), 8), (Span::hours(1), 34_000)],
            Self::Mail => vec![(Span::seconds(1), 900), (Span::hours(1), 3_500_000)],
            Self::Rest => vec![(Span::hours(1), 80)],
        }
    }
}

/// Contacts in one call that adds to a list or removes from it.
pub const MEMBERS_AT_ONCE: usize = 150;
/// Contacts of one import, and its bytes: Brevo takes 10 MB and asks to stay below 8.
pub const IMPORT_ROWS: usize = 5_000;
pub const IMPORT_BYTES: usize = 5_000_000;
/// With fewer changed contacts than this, one call for each is as fast and says more.
pub const WORTH_IMPORTING: usize = 500;
/// Events of one batch; the most that Brevo takes is not published.
pub const EVENTS_AT_ONCE: usize = 100;
pub const EVENT_BYTES: usize = 50_000;
/// Page lengths.
pub const LISTS_PAGE: usize = 50;
pub const BLOCKED_PAGE: usize = 100;

/// When Brevo says that there is room again: `Retry-After` where it sends one, else its own
/// header, which counts the seconds that are left.
pub fn back_at(response: &Response, now: Time) -> Option<Time> {
    response.retry_after(now).or_else(|| {
        let left: f64 = response.get("x-sib-ratelimit-reset")?.trim().parse().ok()?;
        (0.0..=86_400.0).contains(&left).then(|| now.plus(Span::millis((left * 1_000.0) as i64 + 250)))
    })
}

/// Nothing is left of this stretch's budget; the time when there is again.
pub fn spent_until(response: &Response, now: Time) -> Option<Time> {
    let left: i64 = response.get("x-sib-ratelimit-remaining")?.trim().parse().ok()?;
    if left > 0 { None } else { back_at(response, now) }
}
