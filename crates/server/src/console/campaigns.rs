//! Campaigns: what runs, drawn, with where people stand and what came of it; and the
//! buttons that change its state. `explain` answers why one person got it or not.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use hogwire_engine::campaigns::Actor;
use hogwire_engine::explain::Explanation;
use hogwire_engine::views::campaigns::{Detail, Line, Resting};
use hogwire_model::campaign::Status;
use serde::Deserialize;

use super::{Shell, Submitted, Trouble, Visitor, drawing, live, page, words};
use crate::api::auth::Scope;
use crate::api::problem::Problem;
use crate::app::Shared;

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/console/campaigns", get(list))
        .route("/console/campaigns/{id}", get(detail))
        .route("/console/campaigns/{id}/explain", get(explain))
        .route("/console/campaigns/{id}/live", get(fresh))
        .route("/console/campaigns/{id}/status", post(change))
        .route("/console/campaigns/{id}/steps/{step}", get(step))
}

#[derive(Template)]
#[template(path = "campaigns.html")]
struct List {
    shell: Shell,
    lines: Vec<Line>,
}

async fn list(State(app): State<Shared>, visitor: Visitor) -> Result<Response, Trouble> {
    let mut lines = app.ask(|engine, _| engine.campaigns()).await?;
    lines.sort_by_key(|line| (line.status == Status::Archived, line.status != Status::Active));
    Ok(page(&List { shell: Shell::new(&visitor, "campaigns", "Campaigns"), lines }))
}

/// The drawing and the figures, which keep themselves fresh.
#[derive(Template)]
#[template(path = "campaign_live.html")]
struct Fresh {
    id: String,
    svg: String,
    line: Line,
    mail: hogwire_engine::store::messages::Tally,
    endings: Vec<(String, i64)>,
    fingerprint: String,
}

impl Fresh {
    fn new(campaign: &mut Detail) -> Self {
        let svg = drawing::svg(&campaign.graph, &campaign.line.id);
        let line = campaign.line.clone();
        let mail = campaign.mail.clone();
        let endings: Vec<(String, i64)> = std::mem::take(&mut campaign.endings).into_iter().collect();
        let shown = (&svg, line.entered, line.live, line.watching, line.converted, format!("{mail:?}"), &endings);
        Self { fingerprint: live::fingerprint(&shown), id: line.id.clone(), svg, line, mail, endings }
    }

    /// What became of the mail that was not sent well.
    fn others(&self) -> Vec<(&'static str, i64)> {
        let mail = &self.mail;
        let all = [
            ("Skipped", mail.skipped),
            ("Failed", mail.failed),
            ("Bounced", mail.bounced),
            ("Complained", mail.complained),
            ("Unknown", mail.unknown),
        ];
        all.into_iter().filter(|(_, n)| *n > 0).collect()
    }
}

#[derive(Template)]
#[template(path = "campaign.html")]
struct One {
    shell: Shell,
    campaign: Detail,
    fresh: Fresh,
    /// (button's word, status wanted, whether it is the main one, what is asked first).
    acts: Vec<(&'static str, &'static str, &'static str, &'static str)>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Asked {
    said: Option<String>,
    contact: String,
    seen: String,
}

async fn found(app: &Shared, id: String) -> Result<Detail, Problem> {
    let asked = id.clone();
    let found = app.ask(move |engine, _| engine.campaign(&asked)).await?;
    found.ok_or_else(|| Problem::not_found(format!("There is no campaign {id}.")))
}

async fn detail(
    State(app): State<Shared>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let mut campaign = found(&app, id).await?;
    let fresh = Fresh::new(&mut campaign);
    let shell = Shell::new(&visitor, "campaigns", campaign.line.name.clone()).saying(asked.said.as_deref());
    Ok(page(&One { shell, acts: acts(campaign.line.status), fresh, campaign }))
}

async fn fresh(
    State(app): State<Shared>,
    _: Visitor,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let fresh = Fresh::new(&mut found(&app, id).await?);
    Ok(if fresh.fingerprint == asked.seen { live::unchanged() } else { page(&fresh) })
}

/// What can be done with a campaign in this state.
fn acts(status: Status) -> Vec<(&'static str, &'static str, &'static str, &'static str)> {
    const ARCHIVE: (&str, &str, &str, &str) =
        ("Archive", "archived", "", "Archive this campaign? Nobody enters it any more, and runs in it stop.");
    const ACTIVATE: (&str, &str, &str, &str) = ("Activate", "active", "main", "");
    const TEST: (&str, &str, &str, &str) = ("Test", "test", "", "");
    match status {
        Status::Active => vec![("Pause", "paused", "", ""), ARCHIVE],
        Status::Paused => vec![("Resume", "active", "main", ""), ARCHIVE],
        Status::Test => vec![ACTIVATE, ("Pause", "paused", "", ""), ARCHIVE],
        Status::Draft => vec![ACTIVATE, TEST, ARCHIVE],
        Status::Archived => vec![("Activate again", "active", "", "Bring this campaign back?")],
    }
}

async fn change(State(app): State<Shared>, Path(id): Path<String>, sent: Submitted) -> Result<Response, Trouble> {
    sent.visitor.caller.require(Scope::Write)?;
    let status = Status::parse(sent.field("status"))
        .ok_or_else(|| Problem::bad_request("unknown_status", "No campaign can be so.", "Use the buttons."))?;
    let back = words::segment(&id);
    let by = sent.visitor.email;
    app.ask(move |engine, now| engine.change_status(&id, status, Actor { name: &by, origin: "console" }, now)).await?;
    let said = match status {
        Status::Active => "activated",
        Status::Paused => "paused",
        Status::Archived => "archived",
        _ => "tested",
    };
    Ok(Redirect::to(&format!("/console/campaigns/{back}?said={said}")).into_response())
}

#[derive(Template)]
#[template(path = "explain.html")]
struct Explained {
    shell: Shell,
    contact: String,
    answer: Explanation,
}

async fn explain(
    State(app): State<Shared>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let contact = asked.contact.trim().to_owned();
    let wanted = contact.clone();
    let answer = app.ask(move |engine, now| engine.explain(&id, &wanted, now)).await?;
    let shell = Shell::new(&visitor, "campaigns", format!("Why: {}", answer.campaign_name));
    Ok(page(&Explained { shell, contact, answer }))
}

#[derive(Template)]
#[template(path = "campaign_step.html")]
struct Step {
    shell: Shell,
    id: String,
    name: String,
    label: String,
    runs: Vec<Resting>,
}

async fn step(
    State(app): State<Shared>,
    visitor: Visitor,
    Path((id, step)): Path<(String, String)>,
) -> Result<Response, Trouble> {
    let campaign = found(&app, id.clone()).await?;
    let node = campaign.graph.nodes.iter().find(|node| node.id == step);
    let label = node.map_or_else(|| format!("Step {step}"), |node| node.label.clone());
    let asked = id.clone();
    let runs = app.ask(move |engine, _| engine.campaign_runs(&asked, Some(&step), Some(200))).await?;
    let shell = Shell::new(&visitor, "campaigns", label.clone());
    Ok(page(&Step { shell, id, name: campaign.line.name, label, runs }))
}
