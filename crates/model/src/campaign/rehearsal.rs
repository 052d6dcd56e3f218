//! What a test of a campaign says: who the contact is, what they do and when, and what is to
//! come of it.
//!
//! It only reads and orders; the engine plays it in virtual time. All times count from the
//! beginning of the test. Any text is safe: what is wrong comes back as problems with their
//! lines.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::document;
use crate::{Problem, Problems, Span, Time};

/// Events and expectations of one test, at most.
const MOST_ENTRIES: usize = 1_000;
/// The last moment of a test.
const LONGEST: Span = Span::days(3_660);
/// A Monday morning, where the test names no beginning.
const BEGINS: Time = Time::from_millis(1_772_442_000_000);

/// One file of `tests/`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rehearsal {
    /// Id of the campaign that is tested.
    pub campaign: String,
    /// When the test begins; it matters to campaigns that name hours and days.
    #[serde(default = "begins")]
    pub starts: Time,
    /// The contact's attributes, `email` among them.
    #[serde(default)]
    pub contact: Map<String, Value>,
    /// In the order of their times.
    #[serde(default)]
    pub events: Vec<Cue>,
    pub expect: Vec<Expectation>,
}

/// Something that the contact does, or that is done to them.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "WrittenCue")]
pub struct Cue {
    pub at: Span,
    pub what: Happens,
    pub properties: Map<String, Value>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Happens {
    Event(String),
    /// The API asks the campaign to take the contact.
    Enroll,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "WrittenExpectation")]
pub struct Expectation {
    pub at: Span,
    pub what: Expected,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Expected {
    /// A mail of this template goes out then.
    Email(String),
    /// The run ends then, with this reason or code.
    Exit(String),
    /// Since the expectation before, and up to then, no mail goes out and no run ends.
    Nothing,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenCue {
    at: Span,
    #[serde(default)]
    event: Option<String>,
    #[serde(default)]
    enroll: Option<bool>,
    #[serde(default)]
    properties: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenExpectation {
    at: Span,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    exit: Option<String>,
    #[serde(default)]
    nothing: Option<bool>,
}

impl TryFrom<WrittenCue> for Cue {
    type Error = String;

    fn try_from(written: WrittenCue) -> Result<Self, String> {
        let what = match (written.event, written.enroll) {
            (Some(event), None) => Happens::Event(event),
            (None, Some(true)) => Happens::Enroll,
            _ => return Err("here belongs either `event: NAME` or `enroll: true`".to_owned()),
        };
        Ok(Self { at: bounded(written.at)?, what, properties: written.properties })
    }
}

impl TryFrom<WrittenExpectation> for Expectation {
    type Error = String;

    fn try_from(written: WrittenExpectation) -> Result<Self, String> {
        let what = match (written.email, written.exit, written.nothing) {
            (Some(template), None, None) => Expected::Email(template),
            (None, Some(reason), None) => Expected::Exit(reason),
            (None, None, Some(true)) => Expected::Nothing,
            _ => return Err("here belongs one of `email: TEMPLATE`, `exit: REASON` and `nothing: true`".to_owned()),
        };
        Ok(Self { at: bounded(written.at)?, what })
    }
}

impl std::fmt::Display for Expectation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.what {
            Expected::Email(template) => write!(f, "{}: email {template}", self.at),
            Expected::Exit(reason) => write!(f, "{}: exit {reason}", self.at),
            Expected::Nothing => write!(f, "{}: nothing", self.at),
        }
    }
}

/// Reads one test. What it holds comes in the order of its times.
pub fn read(text: &str) -> Result<Rehearsal, Problems> {
    let mut rehearsal: Rehearsal = document::read(text)?;
    for (path, entries) in [("events", rehearsal.events.len()), ("expect", rehearsal.expect.len())] {
        if entries > MOST_ENTRIES {
            let message = format!("{entries} entries are too many for one test");
            let remedy = format!("keep to {MOST_ENTRIES}, or make several tests");
            return Err(Problems(vec![Problem::error("too_many", path, message, remedy)]));
        }
    }
    if rehearsal.expect.is_empty() {
        let message = "the test expects nothing, so it could not fail";
        return Err(Problems(vec![Problem::error("no_expectation", "expect", message, "add an entry to `expect`")]));
    }
    rehearsal.events.sort_by_key(|cue| cue.at);
    rehearsal.expect.sort_by_key(|expectation| expectation.at);
    Ok(rehearsal)
}

impl Rehearsal {
    /// The last moment that the test speaks of.
    pub fn ends(&self) -> Span {
        let events = self.events.iter().map(|cue| cue.at);
        events.chain(self.expect.iter().map(|expectation| expectation.at)).max().unwrap_or(Span::ZERO)
    }
}

fn bounded(at: Span) -> Result<Span, String> {
    match at {
        at if at < Span::ZERO => Err("`at` counts from the beginning of the test, so it is not negative".to_owned()),
        at if at > LONGEST => Err("a test ends within ten years".to_owned()),
        at => Ok(at),
    }
}

const fn begins() -> Time {
    BEGINS
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEST: &str = "
campaign: welcome
contact: { email: ada@example.com, seats: 3 }
events:
  - { at: 1d, enroll: true }
  - { at: 0s, event: signed_up, properties: { plan: pro } }
expect:
  - { at: 2d, exit: paid }
  - { at: 0s, email: welcome }
  - at: 1d
    nothing: true
";

    #[test]
    fn a_test_is_read_in_the_order_of_its_times() {
        let read = read(TEST).expect("a test");
        assert_eq!(read.starts.to_string(), "2026-03-02T09:00:00.000Z");
        assert_eq!(read.contact["seats"], 3);
        assert_eq!(read.events[0].what, Happens::Event("signed_up".to_owned()));
        assert_eq!(read.events[0].properties["plan"], "pro");
        assert_eq!(read.events[1].what, Happens::Enroll);
        let expected: Vec<String> = read.expect.iter().map(ToString::to_string).collect();
        assert_eq!(expected, ["0s: email welcome", "1d: nothing", "2d: exit paid"]);
        assert_eq!(read.ends(), Span::days(2));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let told = |text: &str| {
            let problems = read(text).expect_err("a problem").0;
            let lines: Vec<_> =
                problems.iter().map(|p| (p.place.map_or(0, |place| place.line), p.message.clone())).collect();
            lines
        };
        let both = told("campaign: a\nexpect:\n  - { at: 0s, email: a, exit: b }\n");
        assert_eq!(both[0].0, 3, "{both:?}");
        assert!(both[0].1.contains("one of"), "{both:?}");
        let wrong = told("campaign: a\nevents:\n  - { at: soon, event: x }\n  - { at: -1d, event: x }\nexpct: []\n");
        assert_eq!(wrong.iter().map(|(line, _)| *line).collect::<Vec<_>>()[..2], [3, 4], "{wrong:?}");
        assert!(wrong.iter().any(|(line, text)| *line == 5 && text.contains("expct")), "{wrong:?}");
        assert!(told("campaign: a\nexpect: []\n")[0].1.contains("could not fail"));
        assert!(told("").len() == 1);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_safe(text in "\\PC{0,200}") {
            let _ = read(&text);
        }
    }
}
