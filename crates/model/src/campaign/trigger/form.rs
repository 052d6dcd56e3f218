//! The written form of a trigger: one map, in which one key says the kind.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{DateTrigger, EventTrigger, InactiveTrigger, NthTrigger, ScheduleTrigger, Trigger, WithoutTrigger};
use crate::campaign::Where;

/// The keys as people write them.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Trigger")]
pub struct TriggerForm {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event: Option<String>,
    #[serde(rename = "where", default, skip_serializing_if = "Option::is_none")]
    filter: Option<Where>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nth: Option<NthTrigger>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    without: Option<WithoutTrigger>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    inactive: Option<InactiveTrigger>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    entered: Option<MemberSet>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    left: Option<MemberSet>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    date: Option<DateTrigger>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    schedule: Option<ScheduleTrigger>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    api: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Entered,
    Left,
}

/// A set that contacts enter and leave. Exactly one of the names is given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberSet {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cohort: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flag: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<String>,
    /// Also enroll those who are in already, after a preview with their count.
    #[serde(default, skip_serializing_if = "crate::campaign::is_false")]
    pub include_existing: bool,
}

impl MemberSet {
    pub fn named(&self) -> Vec<(&'static str, &str)> {
        [("segment", &self.segment), ("cohort", &self.cohort), ("flag", &self.flag), ("list", &self.list)]
            .into_iter()
            .filter_map(|(kind, name)| Some((kind, name.as_deref()?)))
            .collect()
    }
}

impl TryFrom<TriggerForm> for Trigger {
    type Error = String;

    fn try_from(form: TriggerForm) -> Result<Self, String> {
        let mut kinds: Vec<(&str, Self)> = Vec::new();
        let has_filter = form.filter.is_some();
        if let Some(event) = form.event {
            let filter = form.filter;
            kinds.push(("event", Self::Event(EventTrigger { event, filter })));
        } else if has_filter {
            return Err("`where` needs an `event` beside it".to_owned());
        }
        kinds.extend(form.nth.map(|nth| ("nth", Self::Nth(nth))));
        kinds.extend(form.without.map(|t| ("without", Self::Without(t))));
        kinds.extend(form.inactive.map(|t| ("inactive", Self::Inactive(t))));
        for (word, direction, set) in
            [("entered", Direction::Entered, form.entered), ("left", Direction::Left, form.left)]
        {
            let Some(set) = set else { continue };
            if set.named().len() != 1 {
                return Err(format!("`{word}` names one of segment, cohort, flag and list"));
            }
            kinds.push((word, Self::Membership { direction, set }));
        }
        kinds.extend(form.date.map(|t| ("date", Self::Date(t))));
        kinds.extend(form.schedule.map(|t| ("schedule", Self::Schedule(t))));
        match form.api {
            Some(true) => kinds.push(("api", Self::Api)),
            Some(false) => return Err("`api` is `true` or left out".to_owned()),
            None => {}
        }
        if kinds.len() > 1 {
            let words: Vec<_> = kinds.iter().map(|(word, _)| format!("`{word}`")).collect();
            return Err(format!("a campaign has one trigger, and here are {}", words.join(" and ")));
        }
        kinds.pop().map(|(_, trigger)| trigger).ok_or_else(|| {
            "a trigger is one of event, nth, without, inactive, entered, left, date, schedule, api".to_owned()
        })
    }
}

impl From<Trigger> for TriggerForm {
    fn from(trigger: Trigger) -> Self {
        let mut form = Self::default();
        match trigger {
            Trigger::Event(EventTrigger { event, filter }) => {
                form.event = Some(event);
                form.filter = filter;
            }
            Trigger::Nth(nth) => form.nth = Some(nth),
            Trigger::Without(without) => form.without = Some(without),
            Trigger::Inactive(inactive) => form.inactive = Some(inactive),
            Trigger::Membership { direction, set } => match direction {
                Direction::Entered => form.entered = Some(set),
                Direction::Left => form.left = Some(set),
            },
            Trigger::Date(date) => form.date = Some(date),
            Trigger::Schedule(schedule) => form.schedule = Some(schedule),
            Trigger::Api => form.api = Some(true),
        }
        form
    }
}

/// Whom a schedule or a date addresses: conditions, or a segment's name.
#[derive(Clone, Debug, PartialEq)]
pub enum Audience {
    Filters(Where),
    Segment(String),
}

impl Serialize for Audience {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Filters(filters) => filters.serialize(serializer),
            Self::Segment(name) => name.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Audience {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(name) => Ok(Self::Segment(name)),
            other => serde_json::from_value(other).map(Self::Filters).map_err(de::Error::custom),
        }
    }
}

impl JsonSchema for Audience {
    fn schema_name() -> Cow<'static, str> {
        "Audience".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let filters = generator.subschema_for::<Where>();
        schemars::json_schema!({ "anyOf": [{ "type": "string" }, filters] })
    }
}
