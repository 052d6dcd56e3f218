//! Cohorts: the list of them, and who is in one.
//!
//! A cohort that is being calculated, or whose calculation failed, says nothing about its
//! members: callers keep what they knew. The list itself is paged. Members come by HogQL from
//! the table that suits the kind of cohort, keyed by the uuid as text.

use serde::Deserialize;

use hogwire_model::Time;

use super::access::{Access, Call, Trouble, json};
use super::hogql::Query;
use super::limits::Class;
use crate::http::Response;

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Cohort {
    pub id: i64,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    pub deleted: bool,
    #[serde(default)]
    pub is_calculating: bool,
    #[serde(default)]
    pub is_static: bool,
    #[serde(default)]
    errors_calculating: Option<i64>,
    #[serde(default)]
    pub count: Option<i64>,
    #[serde(default)]
    pub last_calculation: Option<String>,
}

impl Cohort {
    pub fn name(&self) -> &str {
        self.name.as_deref().filter(|name| !name.trim().is_empty()).unwrap_or("Untitled cohort")
    }

    /// Why its members cannot be trusted now, in a sentence.
    pub fn unready(&self) -> Option<&'static str> {
        if self.is_calculating {
            Some("PostHog is calculating it; its members stay as they were.")
        } else if self.errors_calculating.unwrap_or(0) > 0 {
            Some("Its last calculation at PostHog failed; its members stay as they were.")
        } else {
            None
        }
    }
}

#[derive(Deserialize)]
struct Page {
    results: Vec<Cohort>,
    next: Option<String>,
}

pub fn list(access: &Access) -> Call {
    access.get(Class::Settings, "cohorts/?limit=100")
}

pub fn listed(response: &Response, now: Time) -> Result<(Vec<Cohort>, Option<String>), Trouble> {
    let page: Page = json(response, now)?;
    Ok((page.results.into_iter().filter(|cohort| !cohort.deleted).collect(), page.next))
}

/// A page of a cohort's members behind a uuid. One column: the uuid as text.
pub fn members(cohort: i64, is_static: bool, after: &str, limit: usize) -> Query {
    let table = if is_static { "static_cohort_people" } else { "cohort_people" };
    let sql = format!(
        "SELECT DISTINCT toString(person_id) AS key FROM {table} \
         WHERE cohort_id = {{cohort}} AND toString(person_id) > {{after}} ORDER BY key ASC LIMIT {limit}"
    );
    Query::new("cohort members", sql).with("cohort", cohort).with("after", after)
}

/// Members by the list, where HogQL is refused. Rows are read with `people::listed`.
pub fn members_listed(access: &Access, cohort: i64) -> Call {
    access.get(Class::Analytics, &format!("cohorts/{cohort}/persons/?limit=100"))
}
