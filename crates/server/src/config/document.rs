//! `hogwire.yaml` as it is written: every key there is, each optional.
//!
//! Only shapes stand here. Defaults, the environment and what follows from one another is
//! `settle`'s business; what each key means is said in `hogwire.default.yaml`.

use std::collections::BTreeMap;

use hogwire_model::contact::consent::Topic;
use hogwire_model::mapping::Mapping;
use hogwire_model::policy::frequency_cap::Cap;
use hogwire_model::policy::quiet_hours::QuietHours;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Document {
    pub server: Option<Server>,
    pub database: Option<String>,
    pub inbox: Option<String>,
    pub connectors: Option<Connectors>,
    pub connections: Option<BTreeMap<String, Posthog>>,
    pub senders: Option<BTreeMap<String, Sender>>,
    pub domains: Option<BTreeMap<String, Domain>>,
    pub topics: Option<BTreeMap<String, Topic>>,
    pub policies: Option<Policies>,
    pub telemetry: Option<Telemetry>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    pub bind: Option<String>,
    pub public_url: Option<String>,
    pub allow_from: Option<Vec<String>>,
    pub trusted_proxies: Option<Vec<String>>,
    pub dns: Option<Vec<String>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Connectors {
    pub posthog: Option<Posthog>,
    pub brevo: Option<Brevo>,
}

/// One PostHog project. Also what stands under a name in `connections`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Posthog {
    /// Only in `connections`: which connector it is a use of.
    pub connector: Option<String>,
    pub enabled: Option<bool>,
    pub host: Option<String>,
    pub private_host: Option<String>,
    pub personal_api_key: Option<String>,
    pub project_token: Option<String>,
    pub project_id: Option<String>,
    pub webhook_secret: Option<String>,
    /// Engagement events go back to PostHog.
    pub destination: Option<bool>,
    pub mode: Option<Mode>,
    pub opt_out_property: Option<String>,
    pub event_mapping: Option<Mapping>,
    pub sync: Option<Sync>,
    pub event_filters: Option<Vec<String>>,
    pub lists: Option<Lists>,
    pub field_mapping: Option<BTreeMap<String, String>>,
    pub debug: Option<bool>,
    pub log_level: Option<LogLevel>,
    pub log_queries: Option<bool>,
    pub log_sync: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    Live,
    Test,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Verbose,
    Debug,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sync {
    pub persons: Option<bool>,
    pub events: Option<bool>,
    /// `true`, or which cohort goes to which list.
    pub cohorts: Option<serde_json::Value>,
    pub feature_flags: Option<bool>,
    pub flags: Option<Vec<String>>,
    pub funnels: Option<Vec<Funnel>>,
    pub replay: Option<bool>,
    pub schedule: Option<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Funnel {
    pub insight: String,
    pub step: u32,
    pub list: Option<i64>,
}

/// Brevo list ids.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lists {
    pub all_users: Option<i64>,
    pub active_users: Option<i64>,
    pub power_users: Option<i64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Brevo {
    pub enabled: Option<bool>,
    pub api_key: Option<String>,
    pub host: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sender {
    pub smtp: Option<String>,
    pub brevo: Option<String>,
    pub from: Option<String>,
    pub max_per: Option<MaxPer>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MaxPer {
    pub second: Option<u32>,
    pub hour: Option<u32>,
    pub day: Option<u32>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Domain {
    pub verify: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policies {
    pub test_inbox: Option<String>,
    pub caps: Option<Vec<Cap>>,
    pub quiet_hours: Option<QuietHours>,
    pub time_zone: Option<TimeZone>,
    pub ambiguous: Option<Ambiguous>,
    pub merge_by_email: Option<bool>,
    pub mint_webhook_secret: Option<bool>,
    pub link_hosts: Option<Vec<String>>,
    pub webhook_hosts: Option<Vec<String>>,
    pub allow_private_webhooks: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TimeZone {
    pub default: Option<String>,
    pub attribute: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ambiguous {
    ByKind,
    Skip,
    Ask,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Telemetry {
    pub bind: Option<String>,
    pub log: Option<String>,
    pub log_format: Option<LogFormat>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}
