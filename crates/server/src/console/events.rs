//! The event log: what came, whom it was matched to, what it led to; what was refused at
//! the door; what could not be decided. The list keeps itself fresh while one looks.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::get;
use hogwire_engine::store::connections::Connection;
use hogwire_engine::store::{refusals, set_aside};
use hogwire_engine::views::Page;
use hogwire_engine::views::events::{Detail, Line, Search};
use hogwire_model::{Span, Time};
use serde::Deserialize;

use super::{Shell, Trouble, Visitor, live, page, words};
use crate::api::problem::Problem;
use crate::app::Shared;

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/console/events", get(list))
        .route("/console/events/refused", get(refused))
        .route("/console/events/rows", get(rows))
        .route("/console/events/set-aside", get(aside))
        .route("/console/events/{id}", get(detail))
}

/// What the page's fields and links say.
#[derive(Deserialize, Default, Clone)]
#[serde(default)]
struct Asked {
    name: String,
    who: String,
    connection: String,
    outcome: String,
    /// `1h`, `24h`, …: how far back.
    within: String,
    cursor: String,
    /// What the browser shows already.
    seen: String,
}

impl Asked {
    fn search(&self, now: Time) -> Search {
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        Search {
            name: given(&self.name),
            connection: given(&self.connection),
            outcome: given(&self.outcome),
            contact: given(&self.who),
            since: Span::parse(&self.within).map(|back| now.minus(back)),
            cursor: given(&self.cursor),
            ..Search::default()
        }
    }

    /// The same search as a query, without its place.
    fn query(&self) -> String {
        let fields = [
            ("name", &self.name),
            ("who", &self.who),
            ("connection", &self.connection),
            ("outcome", &self.outcome),
            ("within", &self.within),
        ];
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(fields.iter().filter(|(_, value)| !value.is_empty()));
        query.finish()
    }
}

/// The rows, and how they are asked for again. Only the newest page is live.
#[derive(Template)]
#[template(path = "event_rows.html")]
struct Rows {
    lines: Vec<Line>,
    query: String,
    fingerprint: String,
    live: bool,
    older: Option<String>,
}

impl Rows {
    fn new(found: Page<Line>, asked: &Asked) -> Self {
        let shown: Vec<_> =
            found.items.iter().map(|line| (&line.id, &line.outcome, &line.contact_id, &line.address)).collect();
        let query = asked.query();
        let older = found.next.map(|cursor| {
            let cursor: String = url::form_urlencoded::byte_serialize(cursor.as_bytes()).collect();
            format!("/console/events?{query}&cursor={cursor}")
        });
        Self { fingerprint: live::fingerprint(&shown), live: asked.cursor.is_empty(), lines: found.items, query, older }
    }
}

#[derive(Template)]
#[template(path = "events.html")]
struct List {
    shell: Shell,
    asked: Asked,
    names: Vec<String>,
    connections: Vec<Connection>,
    rows: Rows,
}

async fn list(State(app): State<Shared>, visitor: Visitor, Query(asked): Query<Asked>) -> Result<Response, Trouble> {
    let wanted = asked.clone();
    let (found, mut names, connections) = app
        .ask(move |engine, now| {
            let names: Vec<String> = engine.event_names()?.into_iter().map(|seen| seen.name).collect();
            Ok((engine.events(&wanted.search(now))?, names, engine.connections()?))
        })
        .await?;
    names.sort_unstable();
    names.dedup();
    let rows = Rows::new(found, &asked);
    Ok(page(&List { shell: Shell::new(&visitor, "events", "Events"), asked, names, connections, rows }))
}

/// The rows alone, or nothing where the browser shows them already.
async fn rows(State(app): State<Shared>, _: Visitor, Query(asked): Query<Asked>) -> Result<Response, Trouble> {
    let wanted = asked.clone();
    let found = app.ask(move |engine, now| engine.events(&wanted.search(now))).await?;
    let rows = Rows::new(found, &asked);
    Ok(if rows.fingerprint == asked.seen { live::unchanged() } else { page(&rows) })
}

#[derive(Template)]
#[template(path = "event.html")]
struct One {
    shell: Shell,
    event: Detail,
    raw: String,
    variables: String,
}

async fn detail(State(app): State<Shared>, visitor: Visitor, Path(id): Path<String>) -> Result<Response, Trouble> {
    let found = app.ask(move |engine, _| engine.event(&id)).await?;
    let event = found.ok_or_else(|| Problem::not_found("This event is not in the log, or no longer."))?;
    let shell = Shell::new(&visitor, "events", event.line.event.clone());
    let (raw, variables) = (words::pretty(&event.raw), words::pretty(&event.mapped.variables));
    Ok(page(&One { shell, raw, variables, event }))
}

#[derive(Template)]
#[template(path = "refused_rows.html")]
struct RefusedRows {
    refusals: Vec<refusals::Refusal>,
    fingerprint: String,
}

#[derive(Template)]
#[template(path = "events_refused.html")]
struct Refused {
    shell: Shell,
    rows: RefusedRows,
}

async fn refused(State(app): State<Shared>, visitor: Visitor, Query(asked): Query<Asked>) -> Result<Response, Trouble> {
    let refusals = app.ask(|engine, _| engine.refusals()).await?;
    let shown: Vec<&String> = refusals.iter().map(|refusal| &refusal.id).collect();
    let rows = RefusedRows { fingerprint: live::fingerprint(&shown), refusals };
    Ok(match asked.seen.as_str() {
        "" => page(&Refused { shell: Shell::new(&visitor, "events", "Refused deliveries"), rows }),
        seen if seen == rows.fingerprint => live::unchanged(),
        _ => page(&rows),
    })
}

#[derive(Template)]
#[template(path = "events_aside.html")]
struct Aside {
    shell: Shell,
    rows: Vec<set_aside::Row>,
}

async fn aside(State(app): State<Shared>, visitor: Visitor) -> Result<Response, Trouble> {
    let rows = app.ask(|engine, _| engine.set_aside(100)).await?;
    Ok(page(&Aside { shell: Shell::new(&visitor, "events", "Set aside"), rows }))
}
