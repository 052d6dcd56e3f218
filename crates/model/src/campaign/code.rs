//! What was decided about a contact, as a stable word with its particulars.
//!
//! `explain` turns these into sentences; nothing else may guess at a reason. A code is
//! stored as its `as_str`, so a word never changes its meaning once released.

use serde::{Deserialize, Serialize};
use serde_json::Value;

macro_rules! codes {
    ($($variant:ident => $word:literal,)*) => {
        /// Why something happened or did not.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Code {
            $($variant,)*
        }

        impl Code {
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }
    };
}

codes! {
    Entered => "entered",
    ConditionFalse => "condition_false",
    TooOld => "too_old",
    CountNotReached => "count_not_reached",
    EntryRule => "entry_rule",
    AlreadyIn => "already_in",
    Watching => "watching",
    AbsenceDisproved => "absence_disproved",
    CoverageUnknown => "coverage_unknown",
    NoAddress => "no_address",
    Suppressed => "suppressed",
    NoConsent => "no_consent",
    Unverified => "unverified",
    ConnectionTesting => "connection_testing",
    Paused => "paused",
    Queued => "queued",
    Held => "held",
    Capped => "capped",
    QuietHours => "quiet_hours",
    Sent => "sent",
    SendUnknown => "send_unknown",
    SendFailed => "send_failed",
    Skipped => "skipped",
    Waiting => "waiting",
    EventCame => "event_came",
    TimedOut => "timed_out",
    BranchTaken => "branch_taken",
    SplitAssigned => "split_assigned",
    Holdout => "holdout",
    AttributeSet => "attribute_set",
    WebhookQueued => "webhook_queued",
    EventQueued => "event_queued",
    EnrolledElsewhere => "enrolled_elsewhere",
    Exited => "exited",
    ExitEvent => "exit_event",
    Converted => "converted",
    Late => "late",
    Merged => "merged",
    LoopBound => "loop_bound",
    Completed => "completed",
    NotTriggered => "not_triggered",
    CampaignNotActive => "campaign_not_active",
    Expired => "expired",
    TooManyMessages => "too_many_messages",
}

impl Code {
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == word)
    }
}

/// One decision: recorded when it is taken, read by `explain`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    pub code: Code,
    /// The node of the program, where the decision belongs to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The particulars: the filter that failed, the dates, the event's name.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub detail: Value,
}

impl Decision {
    pub fn new(code: Code, detail: Value) -> Self {
        Self { code, step: None, detail }
    }

    pub fn at_step(code: Code, step: &str, detail: Value) -> Self {
        Self { code, step: Some(step.to_owned()), detail }
    }
}
