//! The first page: what comes and goes, minute by minute; what waits; how far each
//! connection is complete; and what needs somebody's attention.

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use hogwire_engine::views::overview::{Overview, Window};
use serde::Deserialize;

use super::{Shell, Trouble, Visitor, chart, live, page, words};
use crate::api::problem::Problem;
use crate::app::Shared;
use crate::doctor::{self, Finding, State as Found};

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/console", get(show))
        .route("/console/attention", get(attention))
        .route("/console/now", get(now))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Asked {
    window: String,
    seen: String,
}

/// One chart with its figures.
struct Chart {
    title: &'static str,
    total: i64,
    latest: i64,
    svg: String,
}

#[derive(Template)]
#[template(path = "overview_now.html")]
struct Now {
    window: &'static str,
    since: &'static str,
    charts: Vec<Chart>,
    state: Overview,
    fingerprint: String,
}

impl Now {
    fn new(state: Overview) -> Self {
        let since = match state.stats.window {
            "24h" => "a day ago",
            "7d" => "a week ago",
            _ => "an hour ago",
        };
        let charts: Vec<Chart> = state
            .stats
            .series
            .iter()
            .map(|series| {
                let title = match series.name {
                    "events" => "Events received",
                    "sent" => "Messages sent",
                    "opened" => "Opens by people",
                    _ => "Clicks by people",
                };
                let said = format!("{title}: {} since {since}", series.total);
                let latest = series.points.last().copied().unwrap_or(0);
                Chart { title, total: series.total, latest, svg: chart::bars(&series.points, &said) }
            })
            .collect();
        let drawn: Vec<&String> = charts.iter().map(|chart| &chart.svg).collect();
        let lines = format!("{:?}{:?}", state.connections, state.pauses);
        let backlog = (state.backlog_bytes, state.backlog_since);
        let fingerprint = live::fingerprint(&(drawn, backlog, format!("{:?}", state.messages), lines));
        Self { window: state.stats.window, since, charts, fingerprint, state }
    }

    /// How long the oldest of what is not decided has waited.
    fn lag(&self) -> String {
        self.state.backlog_since.map_or_else(|| "0 s".to_owned(), |since| words::span(self.state.stats.at.since(since)))
    }
}

#[derive(Template)]
#[template(path = "overview.html")]
struct Whole {
    shell: Shell,
    now: Now,
}

async fn show(State(app): State<Shared>, visitor: Visitor, Query(asked): Query<Asked>) -> Result<Response, Trouble> {
    let now = state(&app, &asked).await?;
    Ok(page(&Whole { shell: Shell::new(&visitor, "overview", "Overview"), now }))
}

async fn now(State(app): State<Shared>, _: Visitor, Query(asked): Query<Asked>) -> Result<Response, Trouble> {
    let now = state(&app, &asked).await?;
    Ok(if now.fingerprint == asked.seen { live::unchanged() } else { page(&now) })
}

async fn state(app: &Shared, asked: &Asked) -> Result<Now, Problem> {
    let window = Window::parse(&asked.window).unwrap_or_default();
    app.ask(move |engine, now| engine.overview(window, now)).await.map(Now::new)
}

#[derive(Template)]
#[template(path = "attention.html")]
struct Attention {
    findings: Vec<Finding>,
    more: usize,
}

/// The first page shows the worst few; the rest is on the page of checks.
const SHOWN: usize = 5;

/// What is not well, worst first. Asked for apart from the page, because some checks take
/// longer than a page should.
async fn attention(State(app): State<Shared>, _: Visitor) -> Result<Response, Trouble> {
    let mut findings = examined(&app).await?;
    findings.retain(|finding| finding.state != Found::Ok);
    findings.sort_by_key(|finding| finding.state != Found::Failure);
    let more = findings.len().saturating_sub(SHOWN);
    findings.truncate(SHOWN);
    Ok(page(&Attention { findings, more }))
}

pub(super) async fn examined(app: &Shared) -> Result<Vec<Finding>, Problem> {
    let asked = app.clone();
    let findings = tokio::task::spawn_blocking(move || doctor::examine(&asked)).await;
    findings.map_err(|_| Problem::internal("a check panicked"))
}
