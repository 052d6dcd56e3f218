//! What happened in a rehearsal, held against what was expected.

use hogwire_model::Span;
use hogwire_model::campaign::rehearsal::{Expectation, Expected};
use hogwire_model::campaign::{Code, Decision};
use serde::Serialize;

/// What happens this near to the expected time happens then. An absence is decided two
/// minutes after it is complete, for what is still on its way.
pub(super) const NEAR: Span = Span::minutes(3);

/// One decision of the campaign about the contact.
#[derive(Clone, Debug, Serialize)]
pub struct Happened {
    /// Since the beginning of the test.
    pub after: Span,
    pub sentence: String,
    /// With it a run ended.
    pub ends: bool,
    #[serde(flatten)]
    pub decision: Decision,
}

#[derive(Clone, Debug, Serialize)]
pub struct Verdict {
    /// The expectation as one line.
    pub expected: String,
    pub passed: bool,
    /// What was there instead; empty where it passed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub instead: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct Rehearsed {
    pub passed: bool,
    pub happened: Vec<Happened>,
    pub verdicts: Vec<Verdict>,
}

impl Happened {
    fn mail(&self) -> Option<&str> {
        let template = (self.decision.code == Code::Sent).then(|| self.decision.detail["template"].as_str());
        template.map(Option::unwrap_or_default)
    }

    fn ended_with(&self, reason: &str) -> bool {
        self.ends && (self.decision.code.as_str() == reason || self.decision.detail["reason"] == reason)
    }

    fn counts(&self) -> bool {
        self.ends || self.mail().is_some()
    }
}

impl Rehearsed {
    pub(super) fn judge(happened: Vec<Happened>, expected: &[Expectation]) -> Self {
        let mut used = vec![false; happened.len()];
        let mut verdicts = Vec::new();
        for expectation in expected {
            let before = expected.iter().map(|other| other.at).filter(|at| *at < expectation.at).max();
            let instead = match &expectation.what {
                Expected::Nothing => something(&happened, before, expectation.at),
                Expected::Email(template) => {
                    let is = |line: &Happened| line.mail() == Some(template);
                    missing(&happened, &mut used, expectation.at, is)
                }
                Expected::Exit(reason) => missing(&happened, &mut used, expectation.at, |line| line.ended_with(reason)),
            };
            verdicts.push(Verdict {
                expected: expectation.to_string(),
                passed: instead.is_none(),
                instead: instead.unwrap_or_default(),
            });
        }
        Self { passed: verdicts.iter().all(|verdict| verdict.passed), happened, verdicts }
    }
}

/// Nothing where such a thing happened then that no other expectation has taken.
fn missing(happened: &[Happened], used: &mut [bool], at: Span, is: impl Fn(&Happened) -> bool) -> Option<String> {
    let near = |line: &Happened| (line.after.as_millis() - at.as_millis()).abs() < NEAR.as_millis();
    let found = happened.iter().zip(used.iter()).position(|(line, used)| !used && near(line) && is(line));
    if let Some(found) = found {
        used[found] = true;
        return None;
    }
    if let Some(other) = happened.iter().find(|line| is(line)) {
        return Some(format!("that was at {}", other.after));
    }
    let then: Vec<&str> = happened.iter().filter(|line| near(line)).map(|line| line.sentence.as_str()).collect();
    if !then.is_empty() {
        return Some(format!("then: {}", then.join(" ")));
    }
    let last = happened.iter().rev().find(|line| line.after <= at);
    Some(last.map_or_else(
        || "the campaign has decided nothing about the contact by then".to_owned(),
        |last| format!("the last before it, at {}: {}", last.after, last.sentence),
    ))
}

fn something(happened: &[Happened], before: Option<Span>, at: Span) -> Option<String> {
    let later = |line: &Happened, before: Span| line.after.as_millis() - before.as_millis() >= NEAR.as_millis();
    let within = |line: &&Happened| line.after <= at && before.is_none_or(|before| later(line, before));
    let found = happened.iter().filter(|line| line.counts()).find(within)?;
    Some(format!("at {}: {}", found.after, found.sentence))
}
