//! The private API: who is let in, how often, and which route answers.
//!
//! Imitated with their awkward parts: scopes that are missing come as 403 with an
//! `authentication_error`, what cannot be seen is 404, limits of several windows answer 429
//! with `Retry-After`, lists are paged with an absolute `next` and drop deleted rows after
//! counting, equal queries come out of a cache, and a project has a time zone of its own.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use hogwire_connectors::http::{Request, Response};
use hogwire_model::{Span, Time};
use serde_json::{Value, json};

use super::hogql::{Refusal, Warehouse};
use super::{PostHog, funnel, not_found, path_of};

/// A cohort as its list and its members show it.
#[derive(Clone, Debug)]
pub struct Cohort {
    pub id: i64,
    pub name: String,
    pub is_static: bool,
    pub is_calculating: bool,
    pub errors: i64,
    /// Uuids.
    pub members: BTreeSet<String>,
}

/// What the private API knows beside events and persons.
#[derive(Default)]
pub struct Private {
    /// Credentials and their scopes; `*` is all of them.
    pub keys: HashMap<String, BTreeSet<String>>,
    pub cohorts: BTreeMap<i64, Cohort>,
    /// Flags as their definitions are handed out.
    pub flags: Vec<Value>,
    /// Saved insights by short id: name and node.
    pub insights: BTreeMap<String, (String, Value)>,
    pub quota_limited: bool,
    /// Flags that fail to be computed.
    pub failing_flags: BTreeSet<String>,
    /// No limits, as on an instance of one's own.
    pub unlimited: bool,
    /// HogQL is refused, as for a key without the scope.
    pub without_queries: bool,
    /// A query over more rows than this takes too long.
    pub too_heavy: Option<usize>,
    /// Everything asked: method, path with query, body.
    pub asked: Vec<(String, String, Vec<u8>)>,
    /// Whether `asked` is kept.
    pub record: bool,
    pub calls: u64,
    pub(super) warehouse: Option<Warehouse>,
    pub(super) synced: (usize, u64, u64),
    pub(super) stamp: u64,
    cache: HashMap<String, Value>,
    times: HashMap<&'static str, VecDeque<Time>>,
}

const PAGE: usize = 100;

/// Class, requests a minute, requests an hour.
const LIMITS: [(&str, usize, usize); 4] =
    [("settings", 480, 4_800), ("analytics", 240, 1_200), ("query", 240, 2_400), ("flag_definitions", 600, 36_000)];

fn answer(status: u16, body: &Value) -> Response {
    Response {
        status,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: body.to_string().into_bytes(),
    }
}

fn error(status: u16, kind: &str, code: &str, detail: &str) -> Response {
    answer(status, &json!({ "type": kind, "code": code, "detail": detail, "attr": null }))
}

impl PostHog {
    /// What the private API knows, to be arranged by whoever tells a story.
    pub fn private(&mut self) -> &mut Private {
        self.private.stamp += 1;
        &mut self.private
    }

    /// Answers below `/api/`.
    pub(super) fn api(&mut self, request: &Request, now: Time) -> Response {
        self.private.calls += 1;
        let path = path_of(&request.url).to_owned();
        let query = request.url.split_once('?').map_or("", |(_, query)| query).to_owned();
        if self.private.record {
            let whole = format!("{path}?{query}");
            self.private.asked.push((request.method.clone(), whole, request.body.clone()));
        }
        let Some((project, below)) = path.strip_prefix("/api/projects/").and_then(|rest| rest.split_once('/')) else {
            return not_found();
        };
        if let Some(refused) = self.refuses(request, below, now) {
            return refused;
        }
        if project != "@current" && project != self.project_id.to_string() {
            return not_found();
        }
        let parameters: HashMap<String, String> =
            url::form_urlencoded::parse(query.as_bytes()).map(|(name, value)| (name.into(), value.into())).collect();
        match (request.method.as_str(), below) {
            ("GET", "") => self.project(),
            ("GET", "persons/") => self.list_people(&path, &parameters, now),
            ("GET", "cohorts/") => self.list_cohorts(&path, &parameters),
            ("GET", "feature_flags/") => answer(
                200,
                &json!({
                "count": self.private.flags.len(), "next": null, "previous": null, "results": self.private.flags }),
            ),
            ("GET", "feature_flags/local_evaluation/") => {
                answer(200, &json!({ "flags": self.private.flags, "group_type_mapping": {}, "cohorts": {} }))
            }
            ("GET", "insights/") => self.list_insights(&parameters),
            ("POST", "query/") => self.query(&request.body, now),
            ("GET", members) if members.starts_with("cohorts/") && members.ends_with("/persons/") => {
                self.cohort_people(&path, members, &parameters, now)
            }
            _ => not_found(),
        }
    }

    fn refuses(&mut self, request: &Request, below: &str, now: Time) -> Option<Response> {
        let kind = "authentication_error";
        let Some(token) = request.get("authorization").and_then(|held| held.strip_prefix("Bearer ")) else {
            let detail = "Authentication credentials were not provided.";
            return Some(error(401, kind, "not_authenticated", detail));
        };
        let Some(scopes) = self.private.keys.get(token) else {
            let detail = "Personal API key found in request Authorization header is invalid.";
            return Some(error(401, kind, "authentication_failed", detail));
        };
        let (class, needed): (&str, &[&str]) = match below.split('/').next().unwrap_or_default() {
            "query" => ("query", &["query:read"]),
            "persons" => ("analytics", &["person:read"]),
            "insights" => ("analytics", &["insight:read"]),
            "cohorts" if below.ends_with("/persons/") => ("analytics", &["cohort:read", "person:read"]),
            "cohorts" => ("settings", &["cohort:read"]),
            "feature_flags" if below.contains("local_evaluation") => ("flag_definitions", &["feature_flag:read"]),
            "feature_flags" => ("settings", &["feature_flag:read"]),
            _ => ("settings", &["project:read"]),
        };
        for scope in needed {
            if !scopes.contains(*scope) && !scopes.contains("*") || (class == "query" && self.private.without_queries) {
                let detail = format!("API key missing required scope '{scope}'");
                return Some(error(403, kind, "permission_denied", &detail));
            }
        }
        self.throttled(class, now)
    }

    /// Counts the request, unless one of the class's windows is full.
    fn throttled(&mut self, class: &str, now: Time) -> Option<Response> {
        if self.private.unlimited {
            return None;
        }
        let (name, minute, hour) = LIMITS.into_iter().find(|(name, ..)| *name == class)?;
        let times = self.private.times.entry(name).or_default();
        while times.front().is_some_and(|at| now.since(*at) >= Span::hours(1)) {
            times.pop_front();
        }
        let full = |window: Span, most: usize| {
            let within = times.iter().filter(|at| now.since(**at) < window);
            let held: Vec<Time> = within.copied().collect();
            (held.len() >= most).then(|| held[held.len() - most].plus(window).since(now))
        };
        let wait = full(Span::minutes(1), minute).into_iter().chain(full(Span::hours(1), hour)).max();
        if let Some(wait) = wait {
            let seconds = (wait.as_millis() + 999) / 1_000;
            let detail = format!("Request was throttled. Expected available in {seconds} seconds.");
            let mut response = error(429, "throttled_error", "throttled", &detail);
            response.headers.push(("Retry-After".to_owned(), seconds.to_string()));
            return Some(response);
        }
        times.push_back(now);
        None
    }

    fn project(&self) -> Response {
        let zone =
            self.private.warehouse.as_ref().and_then(|held| held.zone.iana_name()).unwrap_or("America/Sao_Paulo");
        answer(
            200,
            &json!({
            "id": self.project_id, "name": "Acme", "api_token": "phc_sim", "timezone": zone, "is_demo": false,
            "test_account_filters": [], "has_group_types": false }),
        )
    }

    fn query(&mut self, body: &[u8], now: Time) -> Response {
        let Ok(body) = serde_json::from_slice::<Value>(body) else {
            return error(400, "validation_error", "parse_error", "JSON parse error");
        };
        let node = &body["query"];
        let key = node.to_string();
        let forced = body["refresh"].as_str().is_some_and(|refresh| refresh.starts_with("force"));
        if !forced && let Some(held) = self.private.cache.get(&key) {
            let mut held = held.clone();
            held["is_cached"] = json!(true);
            return answer(200, &held);
        }
        self.sync_warehouse(now);
        let answered = match node["kind"].as_str() {
            Some("HogQLQuery") => self.hogql(node, now),
            Some("ActorsQuery") => funnel::actors(self, node, now),
            Some(kind) => Err(Refusal { code: "invalid_input", detail: format!("Unsupported query kind {kind}") }),
            None => Err(Refusal { code: "required", detail: "This field is required.".to_owned() }),
        };
        match answered {
            Ok(answered) if self.private.too_heavy.is_some_and(|most| rows(&answered) > most) => {
                let detail = "Query has hit the max execution time before completing. Try a smaller date range.";
                error(504, "server_error", "error", detail)
            }
            Ok(answered) => {
                // Large answers are not worth a stand-in's memory.
                if rows(&answered) <= 1_000 {
                    self.private.cache.insert(key, answered.clone());
                }
                answer(200, &answered)
            }
            Err(refusal) => error(400, "validation_error", refusal.code, &refusal.detail),
        }
    }

    fn hogql(&self, node: &Value, now: Time) -> Result<Value, Refusal> {
        let missing = || Refusal { code: "error", detail: "no data".to_owned() };
        self.private.warehouse.as_ref().ok_or_else(missing)?.run(node, now)
    }

    /// The list: deleted and unsynced rows are dropped after the page was cut, so a page may
    /// be short while `next` is set. Every seventh row here is such a one.
    fn list_people(&mut self, path: &str, parameters: &HashMap<String, String>, now: Time) -> Response {
        self.sync_warehouse(now);
        let all = self.people_json(None);
        self.page(path, parameters, &all)
    }

    fn cohort_people(&mut self, path: &str, below: &str, parameters: &HashMap<String, String>, now: Time) -> Response {
        self.sync_warehouse(now);
        let id = below.split('/').nth(1).and_then(|id| id.parse::<i64>().ok());
        let Some(cohort) = id.and_then(|id| self.private.cohorts.get(&id)) else { return not_found() };
        let all = self.people_json(Some(&cohort.members));
        self.page(path, parameters, &all)
    }

    fn page(&self, path: &str, parameters: &HashMap<String, String>, all: &[Value]) -> Response {
        let number = |name: &str, default: usize| parameters.get(name).and_then(|n| n.parse().ok()).unwrap_or(default);
        let (limit, offset) = (number("limit", PAGE).min(1_000), number("offset", 0));
        let cut: Vec<&Value> = all.iter().skip(offset).take(limit).collect();
        let more = cut.len() == limit && offset + limit < all.len();
        // A proxied instance names its inner host here.
        let next = more.then(|| format!("http://posthog-web:8000{path}?limit={limit}&offset={}", offset + limit));
        let shown: Vec<&Value> = cut.into_iter().filter(|row| !row.is_null()).collect();
        answer(200, &json!({ "results": shown, "next": next, "previous": null }))
    }

    fn list_cohorts(&self, path: &str, parameters: &HashMap<String, String>) -> Response {
        let all: Vec<Value> = self.private.cohorts.values().map(|cohort| json!({
            "id": cohort.id, "name": cohort.name, "description": "", "deleted": false, "is_static": cohort.is_static,
            "is_calculating": cohort.is_calculating, "errors_calculating": cohort.errors,
            "count": cohort.members.len(), "last_calculation": "2026-03-02T08:00:00Z", "filters": null, "groups": [],
        })).collect();
        self.page(path, parameters, &all)
    }

    fn list_insights(&self, parameters: &HashMap<String, String>) -> Response {
        let wanted = parameters.get("short_id").map(String::as_str).unwrap_or_default();
        let found: Vec<Value> = self
            .private
            .insights
            .iter()
            .filter(|(id, _)| id.as_str() == wanted)
            .map(|(id, held)| {
                json!({
            "id": 1, "short_id": id, "name": held.0, "query": { "kind": "InsightVizNode", "source": held.1 } })
            })
            .collect();
        answer(200, &json!({ "count": found.len(), "next": null, "previous": null, "results": found }))
    }

    /// The flags service's own endpoint. Its errors are plain text.
    pub(super) fn evaluate_flags(&mut self, body: &[u8]) -> Response {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let Some(id) = body["distinct_id"].as_str().filter(|id| !id.is_empty()) else {
            return super::text(400, "distinct_id field is missing or empty");
        };
        if body["token"].as_str().or(body["api_key"].as_str()) != Some("phc_sim") {
            return super::text(401, "The provided API key is invalid or has expired. Please check your API key.");
        }
        if self.private.quota_limited {
            return answer(
                200,
                &json!({
                "errorsWhileComputingFlags": false, "flags": {}, "quotaLimited": ["feature_flags"], "requestId": "r" }),
            );
        }
        let mut flags = serde_json::Map::new();
        for flag in &self.private.flags {
            let key = flag["key"].as_str().unwrap_or_default();
            if self.private.failing_flags.contains(key) {
                continue;
            }
            let (enabled, variant, reason) = funnel::flag(flag, id, self.people.of(id));
            flags.insert(
                key.to_owned(),
                json!({
                "key": key, "enabled": enabled, "variant": variant, "reason": { "code": reason, "condition_index": 0 },
                "metadata": { "id": 1, "version": 1, "description": null, "payload": null } }),
            );
        }
        let partial = !self.private.failing_flags.is_empty();
        answer(200, &json!({ "errorsWhileComputingFlags": partial, "flags": flags, "requestId": "r" }))
    }
}

fn rows(answered: &Value) -> usize {
    answered["results"].as_array().map_or(0, Vec::len)
}
