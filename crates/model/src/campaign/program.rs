//! A campaign flattened for running: nodes in reading order, each knowing the next.
//!
//! Ids are stable paths (`0`, `2.then.0`, `3.when.0.1`) or the given `id`, because a
//! waiting run is stored with the id of its node. Compiling never fails: what cannot
//! work is `validate`'s to say.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::steps::{EmailStep, EnrollStep, EventStep, RepeatStep, WaitForStep, WaitStep, WebhookStep};
use super::{Action, Campaign, Entry, Step, Trigger, Where};

/// What runs. Made once per version of a campaign and shared.
#[derive(Clone, Debug)]
pub struct Program {
    pub campaign: Campaign,
    /// The entry rule in force.
    pub entry: Entry,
    nodes: Vec<Node>,
    index: BTreeMap<String, usize>,
    named: BTreeSet<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub id: String,
    /// A few words for people.
    pub label: String,
    pub step: NodeStep,
    /// Where a run goes on that takes no other way; nothing ends it.
    pub next: Option<usize>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum NodeStep {
    Email(EmailStep),
    Webhook(WebhookStep),
    Capture(EventStep),
    SetAttribute(Map<String, Value>),
    Wait(WaitStep),
    WaitFor {
        wait: WaitForStep,
        then: Option<usize>,
        otherwise: Option<usize>,
    },
    Branch {
        arms: Vec<NodeArm>,
        otherwise: Option<usize>,
    },
    Split {
        variants: Vec<NodeVariant>,
        holdout: f64,
        experiment: Option<String>,
    },
    Repeat {
        times: u32,
        body: Option<usize>,
    },
    Enroll(EnrollStep),
    Exit(String),
    /// A kind of a later release. Validation refuses it; a run passes by.
    NotYet(&'static str),
}

#[derive(Clone, Debug, PartialEq)]
pub struct NodeArm {
    pub when: Where,
    pub first: Option<usize>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct NodeVariant {
    pub name: String,
    pub weight: f64,
    pub first: Option<usize>,
}

/// One arrow of the graph. `to` is nothing where the run ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    pub from: usize,
    pub to: Option<usize>,
    pub label: String,
}

impl NodeStep {
    /// The step's kind, by the key it is written with.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Email(_) => "email",
            Self::Webhook(_) => "webhook",
            Self::Capture(_) => "posthog_event",
            Self::SetAttribute(_) => "set_attribute",
            Self::Wait(_) => "wait",
            Self::WaitFor { .. } => "wait_for",
            Self::Branch { .. } => "branch",
            Self::Split { .. } => "split",
            Self::Repeat { .. } => "repeat",
            Self::Enroll(_) => "enroll",
            Self::Exit(_) => "exit",
            Self::NotYet(kind) => kind,
        }
    }
}

impl Program {
    /// Templates that its email steps name, each once.
    pub fn templates(&self) -> BTreeSet<&str> {
        let emails = self.nodes.iter().filter_map(|node| match &node.step {
            NodeStep::Email(email) => Some(email.template.as_str()),
            _ => None,
        });
        emails.collect()
    }

    pub fn compile(campaign: &Campaign) -> Self {
        let mut layout = Layout::default();
        let _ends = layout.lay(&campaign.steps, "");
        let index = layout.nodes.iter().enumerate();
        let index = index.map(|(n, node)| (node.id.clone(), n)).rev().collect();
        let named = named_events(campaign, &layout.nodes);
        Self { campaign: campaign.clone(), entry: campaign.entry(), nodes: layout.nodes, index, named }
    }

    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Where a run begins; nothing when there are no steps.
    pub fn first(&self) -> Option<usize> {
        (!self.nodes.is_empty()).then_some(0)
    }

    pub fn index_of(&self, id: &str) -> Option<usize> {
        self.index.get(id).copied()
    }

    /// Every event that the trigger, `exit_on`, the goal or a `wait_for` names. `any` of
    /// an inactivity trigger is not among them.
    pub fn trigger_events(&self) -> impl Iterator<Item = &str> {
        self.named.iter().map(String::as_str)
    }

    /// Whether `matches` would look at such an event at all.
    pub fn named_by_trigger(&self, event: &str) -> bool {
        match &self.campaign.trigger {
            Trigger::Event(t) => t.event == event,
            Trigger::Nth(t) => t.event == event,
            Trigger::Without(t) => t.event == event || t.then_not == event,
            _ => false,
        }
    }

    /// Whether it needs to know who is in a segment, cohort, flag or list.
    pub fn needs_memberships(&self) -> bool {
        matches!(self.campaign.trigger, Trigger::Membership { .. })
    }

    /// The arrows for drawing, in the order of the nodes.
    pub fn edges(&self) -> Vec<Edge> {
        let mut edges = Vec::new();
        for (from, node) in self.nodes.iter().enumerate() {
            for (label, to) in node.ways() {
                edges.push(Edge { from, to, label });
            }
        }
        edges
    }
}

impl Node {
    /// Every way out, with its label; the plain one has none.
    pub fn ways(&self) -> Vec<(String, Option<usize>)> {
        match &self.step {
            NodeStep::Exit(_) => Vec::new(),
            NodeStep::WaitFor { then, otherwise, .. } => {
                vec![("event came".to_owned(), then.or(self.next)), ("timed out".to_owned(), otherwise.or(self.next))]
            }
            NodeStep::Branch { arms, otherwise } => arms
                .iter()
                .enumerate()
                .map(|(n, arm)| (format!("when {}", n + 1), arm.first.or(self.next)))
                .chain([("else".to_owned(), otherwise.or(self.next))])
                .collect(),
            NodeStep::Split { variants, .. } => {
                variants.iter().map(|v| (v.name.clone(), v.first.or(self.next))).collect()
            }
            NodeStep::Repeat { times, body } => vec![(format!("{times} times"), *body), ("then".to_owned(), self.next)],
            _ => vec![(String::new(), self.next)],
        }
    }
}

/// Lays steps out, keeping the loose ends until the next step's place is known.
#[derive(Default)]
struct Layout {
    nodes: Vec<Node>,
}

impl Layout {
    /// Answers the nodes whose `next` is whatever follows this list.
    fn lay(&mut self, steps: &[Step], prefix: &str) -> Vec<usize> {
        let mut loose: Vec<usize> = Vec::new();
        for (n, step) in steps.iter().enumerate() {
            let path = format!("{prefix}{n}");
            let here = self.nodes.len();
            self.tie(&loose, here);
            loose = self.place(step, &path);
        }
        loose
    }

    fn tie(&mut self, loose: &[usize], next: usize) {
        for end in loose {
            self.nodes[*end].next = Some(next);
        }
    }

    fn place(&mut self, step: &Step, path: &str) -> Vec<usize> {
        let here = self.nodes.len();
        let id = step.id.clone().unwrap_or_else(|| path.to_owned());
        self.nodes.push(Node { id, label: label(&step.action), step: plain(&step.action), next: None });
        let mut loose = match &step.action {
            Action::Exit(_) => Vec::new(),
            _ => vec![here],
        };
        let mut firsts = Vec::new();
        for (part, steps) in step.action.inner() {
            let first = (!steps.is_empty()).then_some(self.nodes.len());
            firsts.push(first);
            let ends = self.lay(steps, &format!("{path}.{part}."));
            match &step.action {
                Action::Repeat(_) => self.tie(&ends, here),
                _ => loose.extend(ends),
            }
        }
        self.enter(here, &firsts);
        loose
    }

    /// Writes where the inner lists begin into the node that leads to them.
    fn enter(&mut self, here: usize, firsts: &[Option<usize>]) {
        let at = |n: usize| firsts.get(n).copied().flatten();
        match &mut self.nodes[here].step {
            NodeStep::WaitFor { then, otherwise, .. } => (*then, *otherwise) = (at(0), at(1)),
            NodeStep::Branch { arms, otherwise } => {
                for (n, arm) in arms.iter_mut().enumerate() {
                    arm.first = at(n);
                }
                *otherwise = at(arms.len());
            }
            NodeStep::Split { variants, .. } => {
                for (n, variant) in variants.iter_mut().enumerate() {
                    variant.first = at(n);
                }
            }
            NodeStep::Repeat { body, .. } => *body = at(0),
            _ => {}
        }
    }
}

fn plain(action: &Action) -> NodeStep {
    match action {
        Action::Email(step) => NodeStep::Email(step.clone()),
        Action::Webhook(step) => NodeStep::Webhook(step.clone()),
        Action::Capture(step) => NodeStep::Capture(step.clone()),
        Action::SetAttribute(values) => NodeStep::SetAttribute(values.clone()),
        Action::Wait(step) => NodeStep::Wait(step.clone()),
        Action::WaitFor { wait, .. } => NodeStep::WaitFor { wait: wait.clone(), then: None, otherwise: None },
        Action::Branch { arms, .. } => NodeStep::Branch {
            arms: arms.iter().map(|arm| NodeArm { when: arm.when.clone(), first: None }).collect(),
            otherwise: None,
        },
        Action::Split(split) => NodeStep::Split {
            variants: split
                .variants
                .iter()
                .map(|variant| NodeVariant { name: variant.name.clone(), weight: variant.weight, first: None })
                .collect(),
            holdout: split.holdout,
            experiment: split.experiment.clone(),
        },
        Action::Repeat(RepeatStep { times, .. }) => NodeStep::Repeat { times: *times, body: None },
        Action::Enroll(step) => NodeStep::Enroll(step.clone()),
        Action::Exit(reason) => NodeStep::Exit(reason.clone()),
        Action::NotYet { kind, .. } => NodeStep::NotYet(kind),
    }
}

fn label(action: &Action) -> String {
    match action {
        Action::Email(step) => format!("Email {}", step.template),
        Action::Webhook(step) => format!("{} {}", step.method, step.url),
        Action::Capture(step) => format!("Capture {}", step.event),
        Action::SetAttribute(values) => {
            let names: Vec<_> = values.keys().map(String::as_str).collect();
            format!("Set {}", names.join(", "))
        }
        Action::Wait(step) => step.to_string(),
        Action::WaitFor { wait, .. } => {
            format!("Wait for {}, at most {}", wait.event, wait.timeout)
        }
        Action::Branch { .. } => "Branch".to_owned(),
        Action::Split(split) => {
            let names: Vec<_> = split.variants.iter().map(|v| v.name.as_str()).collect();
            format!("Split {}", names.join(" / "))
        }
        Action::Repeat(repeat) => format!("Repeat {} times", repeat.times),
        Action::Enroll(step) => format!("Enroll in {}", step.campaign),
        Action::Exit(reason) => format!("Exit: {reason}"),
        Action::NotYet { kind, .. } => (*kind).to_owned(),
    }
}

fn named_events(campaign: &Campaign, nodes: &[Node]) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    match &campaign.trigger {
        Trigger::Event(t) => {
            named.insert(t.event.clone());
        }
        Trigger::Nth(t) => {
            named.insert(t.event.clone());
        }
        Trigger::Without(t) => {
            named.insert(t.event.clone());
            named.insert(t.then_not.clone());
        }
        Trigger::Inactive(t) => named.extend(t.named().map(str::to_owned)),
        _ => {}
    }
    named.extend(campaign.exit_on.iter().map(|rule| rule.event.clone()));
    named.extend(campaign.goal.iter().map(|goal| goal.event.clone()));
    for node in nodes {
        if let NodeStep::WaitFor { wait, .. } = &node.step {
            named.insert(wait.event.clone());
        }
    }
    named
}
