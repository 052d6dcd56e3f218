//! `wait`: for a length of time, until a moment, or into a window of days and hours.
//!
//! `3d` counts from the arrival; `entry + 2d` from the entry; `until` names a local time
//! or a date. A moment that has passed already does not wait, but a date that passed
//! longer ago than the campaign's `max_late` ends the run: the message would come too late.

use std::borrow::Cow;
use std::fmt;

use jiff::tz::TimeZone;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::json;

use crate::campaign::advance::course::{Course, Move};
use crate::campaign::correlate::pick;
use crate::campaign::when::{Until, Window, Zone, instant, next, read_date, shift};
use crate::campaign::{Code, Ending, Node, Rest};
use crate::filter::{Facts, Scope};
use crate::{Span, Time};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct WaitStep {
    pub length: Option<Span>,
    pub until: Option<Until>,
    /// Applied last: the wait ends at the first moment inside.
    pub window: Option<Window>,
    /// Absent: the contact's.
    pub zone: Option<Zone>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WaitForm {
    #[serde(rename = "for", default, skip_serializing_if = "Option::is_none")]
    length: Option<Span>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<Until>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    window: Option<Window>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    zone: Option<Zone>,
}

impl WaitStep {
    fn is_date(&self) -> bool {
        use Until::{Attribute, Instant, Local, Property};
        matches!(self.until, Some(Attribute(..) | Property(..) | Instant(..) | Local(..)))
    }

    fn zone(&self, course: &Course<'_>) -> TimeZone {
        match &self.zone {
            Some(zone) => zone.resolve(course.zone),
            None => course.zone.clone(),
        }
    }

    /// When the wait ends for this run, or why that cannot be said.
    fn plan(&self, course: &Course<'_>) -> Result<Time, String> {
        let zone = self.zone(course);
        let due = match (&self.until, self.length) {
            (Some(until), _) => moment(until, course, &zone)?,
            (None, Some(length)) => course.now.plus(length),
            (None, None) => course.now,
        };
        Ok(match &self.window {
            Some(window) => window.admit(due.max(course.now), &zone),
            None => due,
        })
    }

    /// A wait for a time of day that was missed has a next one: the next such time, or
    /// the window's next opening, which may be now. Any other wait is late.
    fn again(&self, course: &Course<'_>) -> Option<Time> {
        match (&self.until, &self.window) {
            (Some(until), _) if until.recurs() => self.plan(course).ok(),
            (_, Some(window)) if !self.is_date() => Some(window.admit(course.now, &self.zone(course))),
            _ => None,
        }
    }

    pub(in crate::campaign) fn arrive(&self, course: &mut Course<'_>, node: &Node) -> Move {
        let due = match self.plan(course) {
            Ok(due) => due,
            Err(reason) => {
                return Move::End(Ending { code: Code::Skipped, reason });
            }
        };
        let passed = course.now.since(due);
        if self.is_date() && passed > course.program.campaign.max_late {
            return Move::End(Ending {
                code: Code::Late,
                reason: format!("the date it waits for passed {passed} ago"),
            });
        }
        if due <= course.now {
            return Move::Go(node.next);
        }
        course.note(Code::Waiting, node, json!({ "until": due }));
        Move::Rest(Rest::Until(due))
    }

    /// The wait came due.
    pub(in crate::campaign) fn due(&self, due: Time, course: &mut Course<'_>, node: &Node) -> Move {
        let late = course.now.since(due);
        if late <= course.program.campaign.max_late {
            return Move::Go(node.next);
        }
        if let Some(again) = self.again(course) {
            if again <= course.now {
                return Move::Go(node.next);
            }
            let detail = json!({ "until": again, "missed": due, "late_by": late });
            course.note(Code::Waiting, node, detail);
            return Move::Rest(Rest::Until(again));
        }
        Move::End(late_ending(due, late))
    }
}

pub(in crate::campaign) fn late_ending(due: Time, late: Span) -> Ending {
    Ending { code: Code::Late, reason: format!("the wait was due at {due} and came {late} late") }
}

fn moment(until: &Until, course: &Course<'_>, zone: &TimeZone) -> Result<Time, String> {
    let (value, span, name) = match until {
        Until::Next(day, clock) => return Ok(next(*day, *clock, course.now, zone)),
        Until::Local(local) => return Ok(instant(*local, zone)),
        Until::Instant(time) => return Ok(*time),
        Until::Entry(span) => return Ok(course.run.entered_at.plus(*span)),
        Until::Attribute(name, span) => {
            let value = course.facts.property(Scope::Contact, name);
            (value, *span, format!("contact.{name}"))
        }
        Until::Property(name, span) => {
            let value = pick(course.trigger, name).cloned();
            (value, *span, format!("trigger.{name}"))
        }
    };
    let value = value.ok_or_else(|| format!("`{name}` is not known, so there is no date"))?;
    let (local, _) = read_date(&value, zone).ok_or_else(|| format!("`{name}` is {value}, not a date"))?;
    Ok(shift(local, span, zone))
}

impl WaitStep {
    fn parse(text: &str) -> Option<Self> {
        if let Some(length) = Span::parse(text) {
            return Some(Self { length: Some(length), ..Self::default() });
        }
        Some(Self { until: Some(Until::parse(text)?), ..Self::default() })
    }

    fn form(&self) -> WaitForm {
        WaitForm {
            length: self.length,
            until: self.until.clone(),
            window: self.window.clone(),
            zone: self.zone.clone(),
        }
    }
}

impl<'de> Deserialize<'de> for WaitStep {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = WaitStep;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a wait like `3d`, `entry + 2d` or { until: next weekday 09:00 }")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<WaitStep, E> {
                WaitStep::parse(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<WaitStep, A::Error> {
                let form = WaitForm::deserialize(de::value::MapAccessDeserializer::new(map))?;
                if form.length.is_some() == form.until.is_some() && form.window.is_none() {
                    return Err(de::Error::custom(
                        "a wait says `for`, `until` or `window`, and not both of the first two",
                    ));
                }
                Ok(WaitStep { length: form.length, until: form.until, window: form.window, zone: form.zone })
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

impl Serialize for WaitStep {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self.length, &self.window, &self.zone) {
            (Some(length), None, None) => length.serialize(serializer),
            _ => self.form().serialize(serializer),
        }
    }
}

impl JsonSchema for WaitStep {
    fn schema_name() -> Cow<'static, str> {
        "Wait".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let form = WaitForm::json_schema(generator);
        schemars::json_schema!({ "anyOf": [{ "type": "string" }, form] })
    }
}

impl fmt::Display for WaitStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.length, &self.until) {
            (Some(length), _) => write!(f, "Wait {length}"),
            (None, Some(until)) => write!(f, "Wait until {until}"),
            (None, None) => f.write_str("Wait for the hours"),
        }
    }
}
