//! Recorded decisions in plain words, for people who write campaigns and not programs.
//!
//! It reads what was recorded and never guesses: a particular that a decision does not
//! carry is left out of the sentence. The console, the CLI and the API call this.

mod fragments;

use serde_json::Value;

use crate::Time;
use crate::campaign::{Code, Decision};
use crate::value::as_text;

use fragments::{Particulars, because};
pub use fragments::{condition, stamp};

/// One decision as one sentence. `at` is when it was taken.
pub fn sentence(decision: &Decision, at: Time, campaign_name: &str) -> String {
    let detail = Particulars(&decision.detail);
    starting(decision.code, &detail, campaign_name)
        .or_else(|| sending(decision.code, &detail))
        .or_else(|| walking(decision.code, &detail, at))
        .unwrap_or_else(|| ending(decision.code, &detail, campaign_name))
}

/// Whether and why a contact entered.
fn starting(code: Code, detail: &Particulars<'_>, campaign: &str) -> Option<String> {
    Some(match code {
        Code::Entered => match detail.text("event") {
            Some(event) => format!("Entered {campaign} because of {event}."),
            None => format!("Entered {campaign}."),
        },
        Code::ConditionFalse => match detail.failed() {
            Some(failed) => format!("Did not start: {failed}."),
            None => "Did not start: its conditions were not met.".to_owned(),
        },
        Code::TooOld => format!(
            "Did not start: the event was too old{}{}.",
            detail.phrase("age", " (", ")"),
            detail.phrase("max_age", ", and at most ", " is allowed")
        ),
        Code::CountNotReached => match (detail.text("count"), detail.text("needed")) {
            (Some(count), Some(needed)) => format!(
                "Did not start: the event had come {count} times{}, and exactly {needed} are needed.",
                detail.phrase("within", " within ", "")
            ),
            _ => "Did not start: the event has not come often enough.".to_owned(),
        },
        Code::EntryRule => entry_rule(detail, campaign),
        Code::AlreadyIn => format!("Did not start: already in {campaign}{}.", detail.moment("since", " since ", "")),
        Code::Watching => format!("Watching whether the other event comes{}.", detail.moment("until", " until ", "")),
        Code::AbsenceDisproved => {
            format!("Did not start: {} came in time.", detail.text("event").unwrap_or("the other event".into()))
        }
        Code::CoverageUnknown => {
            "Held: it is not known yet whether all events have arrived, so the absence of one proves nothing."
                .to_owned()
        }
        Code::NotTriggered => {
            format!("Did not start: no event of this contact starts {campaign}{}.", detail.phrase("reason", " (", ")"))
        }
        Code::CampaignNotActive => {
            format!("Did not start: {campaign} was not active{}.", detail.phrase("status", " (it was ", ")"))
        }
        _ => return None,
    })
}

fn entry_rule(detail: &Particulars<'_>, campaign: &str) -> String {
    let last = detail.moment("last_entry", " (on ", ")");
    match detail.text("per") {
        Some(per) => format!(
            "Did not start: the contact enters {campaign} at most once per {per} and has entered already{last}{}.",
            detail.moment("again_after", ", again from ", "")
        ),
        None => format!("Did not start: the contact enters {campaign} only once and has entered already{last}."),
    }
}

/// What became of a message.
fn sending(code: Code, detail: &Particulars<'_>) -> Option<String> {
    let mail = detail.phrase("template", "the email “", "”");
    let mail = if mail.is_empty() { "the email".to_owned() } else { mail };
    let why = because(detail);
    Some(match code {
        Code::Queued => format!("Prepared {mail}."),
        Code::Sent => format!("Sent {mail}{}.", detail.phrase("address", " to ", "")),
        Code::SendUnknown => format!(
            "It is not known whether {mail} arrived: the connection broke while it was handed over. It is not sent a second time."
        ),
        Code::SendFailed => format!("Could not send {mail}{why}."),
        Code::Skipped => format!("Did not send {mail}{why}."),
        Code::NoAddress => format!("Did not send {mail}: the contact has no email address."),
        Code::Suppressed => format!(
            "Did not send {mail}: the address is on the suppression list{}.",
            detail.phrase("reason", " (", ")")
        ),
        Code::NoConsent => {
            format!("Did not send {mail}: the contact has not agreed to{} emails.", detail.phrase("topic", " ", ""))
        }
        Code::Unverified => {
            format!("Did not send {mail}: the sending domain is not verified{}.", detail.phrase("domain", " (", ")"))
        }
        Code::ConnectionTesting => {
            format!("Did not send {mail}: the connection is in test mode.")
        }
        Code::Paused => format!("Held {mail}: sending is paused{why}."),
        Code::Held => format!("Held {mail}{}{why}.", detail.moment("until", " until ", "")),
        Code::Capped => format!(
            "Held {mail}{}: the contact has had as many emails as the cap allows{}.",
            detail.moment("until", " until ", ""),
            detail.phrase("cap", " (", ")")
        ),
        Code::QuietHours => {
            format!("Held {mail}{}: it is night for the contact.", detail.moment("until", " until ", ""))
        }
        Code::Expired => {
            format!("Did not send {mail}: it was held until it had expired{}.", detail.moment("expires", " (", ")"))
        }
        Code::TooManyMessages => {
            format!("Did not send {mail}: the address is known only from events and has had too many emails today.")
        }
        _ => return None,
    })
}

/// The way through the steps.
fn walking(code: Code, detail: &Particulars<'_>, at: Time) -> Option<String> {
    Some(match code {
        Code::Waiting => match detail.text("event") {
            Some(event) => format!("Waits for {event}{}.", detail.moment("until", ", at most until ", "")),
            None => format!("Waits{}.", detail.moment("until", " until ", "")),
        },
        Code::EventCame => format!(
            "{} came{}.",
            detail.text("event").unwrap_or("The event".into()),
            detail.moment("event_at", " on ", "")
        ),
        Code::TimedOut => format!(
            "{} did not come{}.",
            detail.text("event").unwrap_or("The event".into()),
            detail.phrase("timeout", " within ", "")
        ),
        Code::BranchTaken => match detail.text("arm").as_deref() {
            Some("else") => "Took the “else” way of the branch: no condition was met.".to_owned(),
            Some(arm) => {
                let number = arm.parse::<u64>().map_or(arm.to_owned(), |n| (n + 1).to_string());
                match detail.0.get("when").and_then(condition) {
                    Some(words) => format!("Took way {number} of the branch: {words}."),
                    None => format!("Took way {number} of the branch."),
                }
            }
            None => "Took a way of the branch.".to_owned(),
        },
        Code::SplitAssigned => {
            format!("Belongs to the variant “{}” of the experiment.", detail.text("variant").unwrap_or_default())
        }
        Code::AttributeSet => format!("Set {}.", assigned(detail.0.get("values"))),
        Code::WebhookQueued => {
            format!("Called the webhook{}.", detail.phrase("url", " ", ""))
        }
        Code::EventQueued => format!("Captured the event {}.", detail.text("event").unwrap_or_default()),
        Code::EnrolledElsewhere => {
            format!("Enrolled in {}.", detail.text("campaign").unwrap_or("another campaign".into()))
        }
        Code::Converted => format!("Reached the goal{} on {}.", detail.phrase("event", " (", ")"), stamp(at)),
        _ => return None,
    })
}

fn assigned(values: Option<&Value>) -> String {
    let Some(values) = values.and_then(Value::as_object) else {
        return "attributes".to_owned();
    };
    let pairs: Vec<_> = values
        .iter()
        .map(|(name, value)| match value {
            Value::Null => format!("{name} to nothing"),
            value => format!("{name} to {}", as_text(value)),
        })
        .collect();
    pairs.join(", ")
}

/// How it ended.
fn ending(code: Code, detail: &Particulars<'_>, campaign: &str) -> String {
    let reason = detail.phrase("reason", ": ", "");
    match code {
        Code::Holdout => {
            format!("Left {campaign}: belongs to the holdout, which gets nothing, for comparison.")
        }
        Code::Exited => format!("Left {campaign}{reason}."),
        Code::ExitEvent => match detail.text("reason") {
            Some(event) => format!("Left {campaign} because of {event}."),
            None => format!("Left {campaign} because of an exit event."),
        },
        Code::Late => format!("Left {campaign}: it is too late to go on{}.", detail.phrase("reason", " (", ")")),
        Code::Merged => format!("Left {campaign}: the contact was joined with another, who is in it."),
        Code::LoopBound => format!("Left {campaign}: its steps went round too often."),
        Code::Completed => format!("Went through all of {campaign}."),
        other => format!("{}{reason}.", other.as_str()),
    }
}

/// One line on why a contact did or did not get a message, from the decisions of one
/// campaign in any order.
pub fn verdict(decisions: &[(Time, Decision)]) -> String {
    let mut ordered: Vec<&(Time, Decision)> = decisions.iter().collect();
    ordered.sort_by_key(|(at, _)| *at);
    let sent: Vec<_> = ordered.iter().filter(|d| d.1.code == Code::Sent).collect();
    if let Some((at, _)) = sent.last() {
        let many = match sent.len() {
            1 => "Got one message".to_owned(),
            n => format!("Got {n} messages"),
        };
        return format!("{many}, {}on {}.", if sent.len() > 1 { "the last " } else { "" }, stamp(*at));
    }
    let telling = ordered.iter().rev().find(|(_, d)| tells(d.code));
    let last = telling.or(ordered.last());
    match last {
        None => "Nothing was decided about this contact: no event of theirs concerned the campaign.".to_owned(),
        Some((at, decision)) => {
            let said = sentence(decision, *at, "the campaign");
            format!("No message so far. {said}")
        }
    }
}

/// Codes that answer the question by themselves; the others only describe the way.
const fn tells(code: Code) -> bool {
    !matches!(
        code,
        Code::Entered
            | Code::Queued
            | Code::EventCame
            | Code::TimedOut
            | Code::BranchTaken
            | Code::SplitAssigned
            | Code::AttributeSet
            | Code::WebhookQueued
            | Code::EventQueued
            | Code::EnrolledElsewhere
            | Code::Converted
            | Code::Completed
    )
}

#[cfg(test)]
mod tests;
