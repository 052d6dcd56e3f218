//! Feature flags: the list, their definitions, and which value a contact gets.
//!
//! Where a definition rests on properties and a rollout alone it is evaluated here, by
//! PostHog's own rule: a hash of flag and id, so that everybody lands where PostHog puts them.
//! What it cannot decide (cohorts, groups, other flags, a property that is not known) is asked
//! of `/flags` one contact at a time. An answer may be partial: a flag that is missing there,
//! or all of them where the quota is used up, keeps its old value.

use std::collections::BTreeMap;

use hogwire_model::Time;
use hogwire_model::filter::{Facts, Filters, Operator, Scope};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::access::{Access, Call, Trouble, json as read_json};
use super::limits::Class;
use crate::http::{Request, Response};

/// A flag in the list.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Flag {
    pub key: String,
    #[serde(default)]
    pub active: bool,
    #[serde(default)]
    pub deleted: bool,
}

#[derive(Deserialize)]
struct Page {
    results: Vec<Flag>,
    next: Option<String>,
}

pub fn list(access: &Access) -> Call {
    access.get(Class::Settings, "feature_flags/?limit=100&active=true")
}

pub fn listed(response: &Response, now: Time) -> Result<(Vec<Flag>, Option<String>), Trouble> {
    let page: Page = read_json(response, now)?;
    Ok((page.results.into_iter().filter(|flag| flag.active && !flag.deleted).collect(), page.next))
}

pub fn definitions(access: &Access) -> Call {
    let token = access.project_token.as_deref().unwrap_or_default();
    access.get(Class::FlagDefinitions, &format!("feature_flags/local_evaluation/?token={token}&send_cohorts"))
}

/// One flag, ready to be decided, or the reason why only PostHog can.
#[derive(Clone, Debug)]
pub struct Definition {
    pub key: String,
    pub version: i64,
    rule: Result<Rule, &'static str>,
}

#[derive(Clone, Debug)]
struct Rule {
    groups: Vec<Group>,
    variants: Vec<(String, f64)>,
}

#[derive(Clone, Debug)]
struct Group {
    filters: Filters,
    rollout: f64,
    variant: Option<String>,
}

/// What a contact gets of a flag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Off,
    On,
    Variant(String),
    /// Only PostHog knows.
    Ask,
}

#[derive(Deserialize)]
struct Definitions {
    flags: Vec<Value>,
}

pub fn read_definitions(response: &Response, now: Time) -> Result<Vec<Definition>, Trouble> {
    let body: Definitions = read_json(response, now)?;
    Ok(body.flags.iter().filter_map(definition).collect())
}

fn definition(flag: &Value) -> Option<Definition> {
    if flag["active"] != Value::Bool(true) || flag["deleted"] == Value::Bool(true) {
        return None;
    }
    let rule = rule(flag);
    Some(Definition { key: flag["key"].as_str()?.to_owned(), version: flag["version"].as_i64().unwrap_or(0), rule })
}

fn rule(flag: &Value) -> Result<Rule, &'static str> {
    let filters = &flag["filters"];
    if filters["aggregation_group_type_index"].is_number() {
        return Err("it is decided per account");
    }
    if flag["ensure_experience_continuity"] == Value::Bool(true) {
        return Err("it keeps what each contact first got");
    }
    if filters["super_groups"].as_array().is_some_and(|groups| !groups.is_empty())
        || filters["holdout_groups"].is_array()
    {
        return Err("it has early access or a holdout");
    }
    let groups = filters["groups"].as_array().ok_or("it has no conditions")?;
    let variants = filters["multivariate"]["variants"].as_array();
    let variants = variants.into_iter().flatten().filter_map(|variant| {
        Some((variant["key"].as_str()?.to_owned(), variant["rollout_percentage"].as_f64().unwrap_or(0.0)))
    });
    Ok(Rule { groups: groups.iter().map(group).collect::<Result<_, _>>()?, variants: variants.collect() })
}

fn group(group: &Value) -> Result<Group, &'static str> {
    let properties = group["properties"].as_array().cloned().unwrap_or_default();
    if properties.iter().any(|filter| filter.get("type").is_some_and(|kind| kind != "person")) {
        return Err("it rests on a cohort, an account or another flag");
    }
    let filters = Filters::read(&Value::Array(properties), "").map_err(|_| "it has a condition that is not known")?;
    Ok(Group {
        filters,
        rollout: group["rollout_percentage"].as_f64().unwrap_or(100.0),
        variant: group["variant"].as_str().map(str::to_owned),
    })
}

impl Definition {
    /// Why contacts must be asked for one by one; nothing where they need not.
    pub fn only_posthog_knows(&self) -> Option<&'static str> {
        self.rule.as_ref().err().copied()
    }

    /// The properties that the conditions look at.
    pub fn properties(&self) -> impl Iterator<Item = &str> {
        let groups = self.rule.as_ref().map(|rule| rule.groups.as_slice()).unwrap_or_default();
        groups.iter().flat_map(|group| group.filters.keys(Scope::Contact))
    }

    pub fn evaluate(&self, visitor: &str, facts: &dyn Facts, now: Time) -> Verdict {
        let Ok(rule) = &self.rule else { return Verdict::Ask };
        for group in &rule.groups {
            if unsure(&group.filters, facts) {
                return Verdict::Ask;
            }
            if !group.filters.matches(facts, now) {
                continue;
            }
            if group.rollout < 100.0 && share(&self.key, visitor, "") > group.rollout / 100.0 {
                continue;
            }
            return rule.variant(&self.key, visitor, group.variant.as_deref());
        }
        Verdict::Off
    }
}

/// A property that we do not hold may well be known to PostHog.
fn unsure(filters: &Filters, facts: &dyn Facts) -> bool {
    filters.leaves().iter().any(|leaf| {
        !matches!(leaf.operator(), Operator::IsSet | Operator::IsNotSet)
            && facts.property(leaf.scope(), leaf.key()).is_none_or(|value| value.is_null())
    })
}

impl Rule {
    fn variant(&self, key: &str, visitor: &str, fixed: Option<&str>) -> Verdict {
        if let Some(fixed) = fixed.filter(|fixed| self.variants.iter().any(|(known, _)| known == fixed)) {
            return Verdict::Variant(fixed.to_owned());
        }
        let at = share(key, visitor, "variant");
        let mut until = 0.0;
        for (variant, percent) in &self.variants {
            until += percent / 100.0;
            if at < until {
                return Verdict::Variant(variant.clone());
            }
        }
        Verdict::On
    }
}

/// Where an id lands in [0, 1]: the first 15 hex digits of sha1("flag.id" + salt).
pub fn share(flag: &str, visitor: &str, salt: &str) -> f64 {
    let digest = sha1_smol::Sha1::from(format!("{flag}.{visitor}{salt}")).digest().bytes();
    let first: [u8; 8] = [digest[0], digest[1], digest[2], digest[3], digest[4], digest[5], digest[6], digest[7]];
    (u64::from_be_bytes(first) >> 4) as f64 / 0xFFF_FFFF_FFFF_FFFF_u64 as f64
}

/// Asks the public endpoint for one contact. Properties given here override stored ones, so
/// none are given.
pub fn ask(access: &Access, visitor: &str, keys: &[String]) -> Request {
    let body = json!({
        "token": access.project_token,
        "distinct_id": visitor,
        "geoip_disable": true,
        "flag_keys_to_evaluate": keys,
    });
    Request::new("POST", format!("{}/flags?v=2", access.ingestion)).json(body.to_string().into_bytes())
}

#[derive(Deserialize)]
struct Evaluated {
    #[serde(default, rename = "errorsWhileComputingFlags")]
    partial: bool,
    #[serde(default)]
    flags: Option<BTreeMap<String, Map<String, Value>>>,
    #[serde(default, rename = "featureFlags")]
    older: Option<BTreeMap<String, Value>>,
    #[serde(default, rename = "quotaLimited")]
    limited: Vec<String>,
}

/// The values that the answer really knows. A flag that failed, and everything where the quota
/// is used up, is left out: absence is not `false`.
pub fn answered(response: &Response, now: Time) -> Result<BTreeMap<String, Verdict>, Trouble> {
    let body: Evaluated = read_json(response, now)?;
    if body.limited.iter().any(|what| what == "feature_flags") {
        return Ok(BTreeMap::new());
    }
    let mut known = BTreeMap::new();
    for (key, flag) in body.flags.into_iter().flatten() {
        let failed = flag.get("failed") == Some(&Value::Bool(true));
        let off = flag.get("enabled") != Some(&Value::Bool(true));
        // In a partial answer a flag that is off without a reason was not computed.
        let reason = flag.get("reason").and_then(|reason| reason["code"].as_str());
        if failed || (body.partial && off && reason.is_none()) {
            continue;
        }
        let verdict = match flag.get("variant").and_then(Value::as_str) {
            _ if off => Verdict::Off,
            Some(variant) => Verdict::Variant(variant.to_owned()),
            None => Verdict::On,
        };
        known.insert(key, verdict);
    }
    for (key, value) in body.older.into_iter().flatten() {
        let verdict = match value {
            Value::String(variant) => Verdict::Variant(variant),
            Value::Bool(true) => Verdict::On,
            _ if body.partial => continue,
            _ => Verdict::Off,
        };
        known.entry(key).or_insert(verdict);
    }
    Ok(known)
}
