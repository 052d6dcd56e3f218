//! Rates per group of endpoints, with Brevo's own headers.

use hogwire_connectors::http::Response;
use hogwire_model::{Span, Time};
use serde_json::json;
use std::collections::BTreeMap;

use super::ok;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    Contacts,
    Events,
    Mail,
    Rest,
}

pub fn group(path: &str) -> Group {
    match path.trim_start_matches('/').split('/').next() {
        Some("contacts") => Group::Contacts,
        Some("events") => Group::Events,
        Some("smtp") => Group::Mail,
        // Files that reports lie in are no endpoint.
        Some("reports") => Group::Mail,
        _ => Group::Rest,
    }
}

impl Group {
    const fn most(self) -> (u32, Span) {
        match self {
            Self::Contacts | Self::Events => (10, Span::seconds(1)),
            Self::Mail => (1_000, Span::seconds(1)),
            Self::Rest => (100, Span::hours(1)),
        }
    }
}

/// How much of the running stretch each group has used.
#[derive(Default)]
pub struct Rates(BTreeMap<Group, (i64, u32)>);

impl Rates {
    pub fn take(&mut self, group: Group, now: Time) -> Option<Response> {
        let (most, window) = group.most();
        let stretch = now.millis().div_euclid(window.as_millis());
        let used = self.0.entry(group).or_insert((stretch, 0));
        if used.0 != stretch {
            *used = (stretch, 0);
        }
        used.1 += 1;
        if used.1 <= most {
            return None;
        }
        let mut refused = ok(429, &json!({ "code": "too_many_requests", "message": "Too many requests" }));
        self.mark(group, &mut refused, now);
        Some(refused)
    }

    pub fn mark(&self, group: Group, response: &mut Response, now: Time) {
        let (most, window) = group.most();
        let used = self.0.get(&group).map_or(0, |used| used.1);
        let left = window.as_millis() - now.millis().rem_euclid(window.as_millis());
        let seconds = (left + 999) / 1_000;
        for (name, value) in [
            ("x-sib-ratelimit-limit", most.to_string()),
            ("x-sib-ratelimit-remaining", most.saturating_sub(used).to_string()),
            ("x-sib-ratelimit-reset", seconds.to_string()),
        ] {
            response.headers.push((name.to_owned(), value));
        }
    }
}
