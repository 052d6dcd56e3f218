//! Which of the known forms a body has, and what is said when it has none.
//!
//! The shape is stored beside every inbox record, so that a record can be read long after
//! the route that took it has changed.

use std::fmt;

/// The form of one inbound record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// What PostHog's webhook destination sends: `event`, `person`, `groups` as objects.
    PosthogWebhook,
    /// PostHog's flat capture form: `event` is the name.
    Capture,
    /// One item of `POST /v1/events`: the flat form, with `external_id` and `email` understood.
    Event,
    SegmentTrack,
    SegmentIdentify,
    SegmentGroup,
}

impl Shape {
    pub const ALL: [Self; 6] = [
        Self::PosthogWebhook,
        Self::Capture,
        Self::Event,
        Self::SegmentTrack,
        Self::SegmentIdentify,
        Self::SegmentGroup,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PosthogWebhook => "posthog_webhook",
            Self::Capture => "capture",
            Self::Event => "event",
            Self::SegmentTrack => "segment_track",
            Self::SegmentIdentify => "segment_identify",
            Self::SegmentGroup => "segment_group",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|shape| shape.as_str() == text)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a body cannot be an event. Answered as 400 at the door, listed in the event log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// `not_json`, `not_an_object`, `too_deep`, `no_event_name`, `wrong_type`, `no_batch`,
    /// `too_many`, `unknown_type`.
    pub code: &'static str,
    pub message: String,
}

impl Refusal {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}
