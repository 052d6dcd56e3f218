//! The loop of a turn: wake at the node where the run rests, then walk until it rests
//! again. Exit events are looked at first, whatever the run is waiting for.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::course::{CLOCK_SKEW, Course, Move};
use super::{Advance, Ending, Rest, Settlement, Turn, Waiting, Wake};
use crate::campaign::correlate::{corresponds, resolve};
use crate::campaign::steps::wait_for::Ways;
use crate::campaign::steps::{branch, exit, repeat, set_attribute, split};
use crate::campaign::surroundings::{EventFacts, TurnFacts, holds};
use crate::campaign::{Code, Decision, ExitRule, Node, NodeStep, Program};
use crate::event::Event;
use crate::filter::Facts;
use crate::{Span, Time};

/// The most nodes one turn visits.
pub const MOST_NODES: usize = 1_000;

/// The most rounds of `repeat` steps in one run.
pub const MOST_ROUNDS: u32 = 1_000;

/// Takes one turn. The run is changed in place; what it causes comes back.
pub fn advance(turn: Turn<'_>) -> Advance {
    let wake = turn.wake;
    let about = match wake {
        // The event that brought the run here is not the one that it waits for next.
        Wake::Entered => turn.run.entered_at.plus(Span::millis(1)),
        Wake::Event(event) => event.at.plus(Span::millis(1)),
        Wake::Due => turn.run.due.unwrap_or(turn.now),
        Wake::Settled(_) => turn.now,
    };
    let mut course = Course {
        program: turn.program,
        run: turn.run,
        campaign_id: turn.campaign_id,
        contact: turn.contact,
        facts: TurnFacts { base: turn.facts, trigger: turn.trigger, set: BTreeMap::new() },
        past: turn.past,
        trigger: turn.trigger,
        zone: turn.zone,
        now: turn.now,
        effects: Vec::new(),
        decisions: Vec::new(),
        about: about.min(turn.now),
        since: None,
    };
    let outcome = course.wake(wake);
    let rest = match outcome {
        Woken::Stay(rest) => rest,
        Woken::Walk(from) => course.walk(from),
        Woken::Moved(at, step) => course.settle(at, step),
    };
    Advance { effects: course.effects, decisions: course.decisions, rest }
}

/// Whether the event ends a run of this program, by `exit_on`. The engine asks again
/// when a message is claimed.
pub fn exits(program: &Program, event: &Event<'_>, trigger: &Value, facts: &dyn Facts, now: Time) -> Option<Ending> {
    let facts = EventFacts { base: facts, event };
    let rule = program.campaign.exit_on.iter().find(|rule| {
        rule.event == event.name
            && corresponds(&rule.matching, event, trigger)
            && holds(rule.filter.as_ref(), &facts, now)
    })?;
    Some(exit_event(rule))
}

fn exit_event(rule: &ExitRule) -> Ending {
    Ending { code: Code::ExitEvent, reason: rule.event.clone() }
}

enum Woken {
    /// The wake changes nothing.
    Stay(Rest),
    Walk(Option<usize>),
    /// The node where the run rests has decided.
    Moved(usize, Move),
}

impl Course<'_> {
    fn wake(&mut self, wake: Wake<'_>) -> Woken {
        if let Wake::Event(event) = wake
            && event.at >= self.run.entered_at.minus(CLOCK_SKEW)
            && let Some(ending) = exits(self.program, event, self.trigger, self.facts.base, self.now)
        {
            return Woken::Stay(self.end(ending, None));
        }
        let Some(id) = self.run.position.clone() else {
            return match wake {
                Wake::Entered => {
                    let detail = json!({ "entered_at": self.run.entered_at });
                    self.decisions.push(Decision::new(Code::Entered, detail));
                    match self.left_already() {
                        Some(ending) => Woken::Stay(self.end(ending, None)),
                        None => Woken::Walk(self.program.first()),
                    }
                }
                // It has ended already: there is nothing to do, and nothing to record.
                _ => Woken::Stay(Rest::Ended(completed())),
            };
        };
        let Some(at) = self.program.index_of(&id) else {
            let ending =
                Ending { code: Code::Exited, reason: format!("the step {id} is no longer part of the campaign") };
            return Woken::Stay(self.end(ending, None));
        };
        let program = self.program;
        let node = &program.nodes()[at];
        match (self.run.waiting, wake) {
            (Some(Waiting::Message), Wake::Settled(settlement)) => self.settled(settlement, node),
            (Some(Waiting::Until), Wake::Due) => self.due(at, node, None),
            (Some(Waiting::Event { since }), Wake::Due) => self.due(at, node, Some(since)),
            (Some(Waiting::Event { since }), Wake::Event(event)) => self.event(event, since, at, node),
            _ => Woken::Stay(self.same_rest()),
        }
    }

    /// Deliveries overtake one another: the exit event may have been decided before the
    /// event that starts the run, although it happened after.
    fn left_already(&self) -> Option<Ending> {
        let since = self.run.entered_at.plus(Span::millis(1));
        let gone = self.program.campaign.exit_on.iter().find(|rule| {
            let wanted = resolve(&rule.matching, self.trigger);
            wanted.is_some_and(|wanted| self.past.happened(&rule.event, since, &wanted, rule.filter.as_ref()).is_some())
        });
        gone.map(exit_event)
    }

    fn settled(&mut self, settlement: Settlement, node: &Node) -> Woken {
        match settlement {
            Settlement::Skipped(code @ (Code::ExitEvent | Code::Exited | Code::Late)) => {
                let ending = Ending { code, reason: "before the message was sent".to_owned() };
                Woken::Stay(self.end(ending, Some(node)))
            }
            _ => Woken::Walk(node.next),
        }
    }

    fn due(&mut self, at: usize, node: &Node, since: Option<Time>) -> Woken {
        let due = self.run.due.unwrap_or(self.now);
        if due > self.now {
            return Woken::Stay(self.same_rest());
        }
        match &node.step {
            NodeStep::Wait(wait) => Woken::Moved(at, wait.due(due, self, node)),
            NodeStep::WaitFor { wait, then, otherwise } => {
                let ways = Ways { then: *then, otherwise: *otherwise };
                let since = since.unwrap_or(self.run.entered_at);
                Woken::Moved(at, wait.due(due, since, ways, self, node))
            }
            // The version was changed under the run: go on from what stands there now.
            _ => Woken::Walk(Some(at)),
        }
    }

    fn event(&mut self, event: &Event<'_>, since: Time, at: usize, node: &Node) -> Woken {
        if let NodeStep::WaitFor { wait, then, otherwise } = &node.step {
            let ways = Ways { then: *then, otherwise: *otherwise };
            if let Some(step) = wait.event(event, since, ways, self, node) {
                return Woken::Moved(at, step);
            }
        }
        Woken::Stay(self.same_rest())
    }

    fn same_rest(&mut self) -> Rest {
        match (self.run.waiting, self.run.due) {
            (Some(Waiting::Message), _) => Rest::Message,
            (Some(Waiting::Event { .. }), Some(deadline)) => Rest::Event { deadline },
            (Some(_), Some(due)) => Rest::Until(due),
            _ => Rest::Until(self.now),
        }
    }

    /// Does what a resting node decided, walking on where it says so.
    fn settle(&mut self, at: usize, step: Move) -> Rest {
        let program = self.program;
        match step {
            Move::Go(to) => self.walk(to),
            Move::Rest(rest) => self.park(&program.nodes()[at], rest),
            Move::End(ending) => self.end(ending, Some(&program.nodes()[at])),
        }
    }

    fn walk(&mut self, from: Option<usize>) -> Rest {
        let program = self.program;
        let mut at = from;
        for _ in 0..MOST_NODES {
            let Some(node) = at.and_then(|n| program.nodes().get(n)) else {
                return self.end(completed(), None);
            };
            if self.run.rounds > MOST_ROUNDS {
                break;
            }
            match self.arrive(node) {
                Move::Go(to) => at = to,
                Move::Rest(rest) => return self.park(node, rest),
                Move::End(ending) => return self.end(ending, Some(node)),
            }
        }
        let ending = Ending { code: Code::LoopBound, reason: "the steps go round too often".to_owned() };
        self.end(ending, None)
    }

    fn arrive(&mut self, node: &Node) -> Move {
        match &node.step {
            NodeStep::Email(step) => step.arrive(self, node),
            NodeStep::Webhook(step) => step.arrive(self, node),
            NodeStep::Capture(step) => step.arrive(self, node),
            NodeStep::SetAttribute(values) => set_attribute::arrive(values, self, node),
            NodeStep::Wait(step) => step.arrive(self, node),
            NodeStep::WaitFor { wait, then, otherwise } => {
                let ways = Ways { then: *then, otherwise: *otherwise };
                wait.arrive(ways, self, node)
            }
            NodeStep::Branch { arms, otherwise } => branch::arrive(arms, *otherwise, self, node),
            NodeStep::Split { variants, holdout, .. } => split::arrive(variants, *holdout, self, node),
            NodeStep::Repeat { times, body } => repeat::arrive(*times, *body, self, node),
            NodeStep::Enroll(step) => step.arrive(self, node),
            NodeStep::Exit(reason) => exit::arrive(reason),
            NodeStep::NotYet(_) => Move::Go(node.next),
        }
    }

    fn park(&mut self, node: &Node, rest: Rest) -> Rest {
        self.run.position = Some(node.id.clone());
        (self.run.waiting, self.run.due) = match &rest {
            Rest::Until(due) => (Some(Waiting::Until), Some(*due)),
            Rest::Event { deadline } => {
                let since = self.since.unwrap_or(self.now);
                (Some(Waiting::Event { since }), Some(*deadline))
            }
            Rest::Message => (Some(Waiting::Message), None),
            Rest::Ended(_) => (None, None),
        };
        rest
    }

    fn end(&mut self, ending: Ending, node: Option<&Node>) -> Rest {
        self.decisions.push(Decision {
            code: ending.code,
            step: node.map(|node| node.id.clone()).or_else(|| self.run.position.clone()),
            detail: json!({ "reason": ending.reason }),
        });
        self.run.position = None;
        self.run.waiting = None;
        self.run.due = None;
        self.run.loops.clear();
        Rest::Ended(ending)
    }
}

fn completed() -> Ending {
    Ending { code: Code::Completed, reason: "all steps are done".to_owned() }
}
