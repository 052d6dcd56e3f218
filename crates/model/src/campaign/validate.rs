//! Whether a campaign can work: errors refuse its activation, warnings do not.

use super::{Action, Campaign, Step, Trigger};
use crate::{Problem, Problems};

/// What exists around the campaign. Names only: validation reads no store.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'a> {
    pub templates: &'a [KnownTemplate<'a>],
    pub senders: &'a [&'a str],
    pub topics: &'a [&'a str],
    /// Events that were seen.
    pub events: &'a [&'a str],
    /// Attributes that some contact has.
    pub attributes: &'a [&'a str],
}

/// A template and the variables it uses without a default.
pub type KnownTemplate<'a> = (&'a str, &'a [String]);

/// Everything that is wrong or doubtful, in the order of the file.
pub fn validate(campaign: &Campaign, known: &Known<'_>) -> Problems {
    let mut problems = Vec::new();
    if matches!(campaign.trigger, Trigger::Membership { .. }) {
        problems.push(not_yet("trigger", "`entered` and `left`"));
    }
    steps(&campaign.steps, "steps", known, &mut problems);
    Problems(problems)
}

fn not_yet(path: &str, what: &str) -> Problem {
    Problem::error(
        "not_available_yet",
        path,
        format!("{what} is not available yet"),
        "leave it out until a later release",
    )
}

fn steps(steps: &[Step], path: &str, known: &Known<'_>, problems: &mut Vec<Problem>) {
    for (n, step) in steps.iter().enumerate() {
        let path = format!("{path}[{n}]");
        match &step.action {
            Action::NotYet { kind, .. } => {
                problems.push(not_yet(&format!("{path}.{kind}"), &format!("`{kind}`")));
            }
            Action::Email(email)
                if !known.templates.iter().any(|(name, _)| *name == email.template) =>
            {
                problems.push(Problem::error(
                    "template_missing",
                    format!("{path}.email.template"),
                    format!("there is no template `{}`", email.template),
                    "add it under templates/",
                ));
            }
            _ => {}
        }
    }
}
