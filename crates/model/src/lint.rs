//! What only shows when campaigns and event names are looked at together: two campaigns
//! that would mail one person for one event, names that look alike, steps that no run
//! comes to. Everything here is a warning; `campaign::validate` says what cannot work.

mod disjoint;
mod lookalike;

pub use lookalike::lookalikes;

use crate::campaign::validate::{paths, unreachable};
use crate::campaign::{Action, Campaign, Program, Status, Step, Trigger};
use crate::{Problem, Problems};

/// Looks at all campaigns, by id, and at the names of all events seen.
pub fn lint(campaigns: &[(&str, &Campaign)], events: &[&str]) -> Problems {
    let mut problems = overlaps(campaigns).0;
    problems.extend(lookalikes(events).0);
    for (id, campaign) in campaigns {
        problems.extend(dead_steps(id, campaign));
    }
    Problems(problems)
}

/// Pairs of campaigns of which one event may start both, and both send mail.
pub fn overlaps(campaigns: &[(&str, &Campaign)]) -> Problems {
    let mailing: Vec<_> =
        campaigns.iter().filter(|(_, c)| c.status != Some(Status::Archived) && mails(&c.steps)).collect();
    let mut problems = Vec::new();
    for (n, (first_id, first)) in mailing.iter().enumerate() {
        for (second_id, second) in mailing.iter().skip(n + 1) {
            let Some(event) = shared_event(first, second) else {
                continue;
            };
            problems.push(Problem::warning(
                "campaigns_overlap",
                *second_id,
                format!("`{first_id}` and `{second_id}` both mail a person for one `{event}`"),
                "tell them apart with `where`, or set a cap and priorities",
            ));
        }
    }
    Problems(problems)
}

fn shared_event<'a>(first: &'a Campaign, second: &Campaign) -> Option<&'a str> {
    let (event, filter) = starts(first)?;
    let (other, other_filter) = starts(second)?;
    let apart = match (&first.connection, &second.connection) {
        (Some(a), Some(b)) => a != b,
        _ => false,
    };
    let apart = apart || disjoint::disjoint(filter, other_filter);
    (event == other && !apart).then_some(event)
}

fn starts(campaign: &Campaign) -> Option<(&str, Option<&crate::campaign::Where>)> {
    match &campaign.trigger {
        Trigger::Event(t) => Some((&t.event, t.filter.as_ref())),
        Trigger::Nth(t) => Some((&t.event, t.filter.as_ref())),
        Trigger::Without(t) => Some((&t.event, t.filter.as_ref())),
        _ => None,
    }
}

fn mails(steps: &[Step]) -> bool {
    steps.iter().any(|step| {
        matches!(step.action, Action::Email(_)) || step.action.inner().iter().any(|(_, inner)| mails(inner))
    })
}

fn dead_steps(id: &str, campaign: &Campaign) -> Vec<Problem> {
    let program = Program::compile(campaign);
    let paths = paths(campaign);
    let dead = unreachable(&program).into_iter();
    dead.map(|n| {
        let place = paths.get(n).map_or("steps", String::as_str);
        Problem::warning(
            "unreachable_step",
            format!("{id}: {place}"),
            format!("no run comes to “{}”", program.nodes()[n].label),
            "remove it, or the exit before it",
        )
    })
    .collect()
}

#[cfg(test)]
mod tests;
