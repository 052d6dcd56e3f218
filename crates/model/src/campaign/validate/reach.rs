//! Which steps no run can come to: what stands behind an exit that everybody takes.

use std::collections::VecDeque;

use crate::campaign::{Action, Campaign, Program, Step};

/// Where each node of the program stands in the file, in the order of the nodes.
pub fn paths(campaign: &Campaign) -> Vec<String> {
    let mut paths = Vec::new();
    collect(&campaign.steps, "steps", &mut paths);
    paths
}

fn collect(steps: &[Step], prefix: &str, paths: &mut Vec<String>) {
    for (n, step) in steps.iter().enumerate() {
        let path = format!("{prefix}[{n}]");
        paths.push(path.clone());
        for (place, inner) in step.action.places() {
            collect(inner, &format!("{path}.{place}"), paths);
        }
    }
}

/// The nodes that no run comes to.
pub fn unreachable(program: &Program) -> Vec<usize> {
    let nodes = program.nodes();
    let mut reached = vec![false; nodes.len()];
    let mut queue: VecDeque<usize> = program.first().into_iter().collect();
    while let Some(at) = queue.pop_front() {
        if std::mem::replace(&mut reached[at], true) {
            continue;
        }
        let ways = nodes[at].ways().into_iter().filter_map(|(_, to)| to);
        queue.extend(ways);
    }
    (0..nodes.len()).filter(|n| !reached[*n]).collect()
}

/// Whether anything among the steps takes time.
pub(super) fn takes_time(steps: &[Step]) -> bool {
    steps.iter().any(|step| {
        let inner = step.action.inner();
        matches!(step.action, Action::Email(_) | Action::Wait(_) | Action::WaitFor { .. })
            || inner.iter().any(|(_, steps)| takes_time(steps))
    })
}

/// The most rounds that nested loops come to together.
pub(super) fn rounds(steps: &[Step]) -> u64 {
    steps
        .iter()
        .map(|step| {
            let inner: u64 = step.action.inner().iter().map(|(_, s)| rounds(s)).sum();
            match &step.action {
                Action::Repeat(repeat) => u64::from(repeat.times).saturating_mul(inner.saturating_add(1)),
                _ => inner,
            }
        })
        .fold(0, u64::saturating_add)
}

impl Action {
    /// The lists of steps inside, as the file names their place.
    pub(super) fn places(&self) -> Vec<(String, &[Step])> {
        let inner = self.inner();
        let name = |n: usize, part: &str| match self {
            Self::Branch { arms, .. } if n < arms.len() => format!("branch[{n}].steps"),
            Self::Split(_) => format!("split.variants[{n}].steps"),
            Self::Repeat(_) => "repeat.steps".to_owned(),
            _ => part.to_owned(),
        };
        inner.into_iter().enumerate().map(|(n, (part, steps))| (name(n, &part), steps)).collect()
    }
}
