//! Which fields of a connection's events say who somebody is: tried on the newest events
//! before it is saved.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use hogwire_engine::mappings::{InForce, Read, Tried};
use hogwire_model::mapping::Mapping;
use serde::Deserialize;

use super::{Shell, Submitted, Trouble, Visitor, page, words};
use crate::api::auth::Scope;
use crate::app::Shared;

pub fn routes() -> Router<Shared> {
    Router::new().route("/console/connections/{name}/mapping", get(show).post(submit))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Asked {
    said: Option<String>,
}

#[derive(Template)]
#[template(path = "mapping.html")]
struct Editor {
    shell: Shell,
    held: InForce,
    text: String,
    /// Why the text is not a mapping.
    trouble: Option<String>,
    tried: Option<Vec<Tried>>,
    changed: usize,
}

impl Editor {
    fn told(&self, read: &Read) -> String {
        let parts: Vec<&str> =
            [&read.address, &read.name, &read.zone].into_iter().filter_map(Option::as_deref).collect();
        if parts.is_empty() { "nothing".to_owned() } else { parts.join(" · ") }
    }
}

async fn show(
    State(app): State<Shared>,
    visitor: Visitor,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let held = app.ask(move |engine, _| engine.mapping(&name)).await?;
    let text = serde_json::to_string_pretty(&held.mapping).unwrap_or_default();
    let shell = Shell::new(&visitor, "health", "Fields").saying(asked.said.as_deref());
    Ok(page(&Editor { shell, held, text, trouble: None, tried: None, changed: 0 }))
}

/// Tries or saves. What was typed stays on the page where it is not a mapping.
async fn submit(State(app): State<Shared>, Path(name): Path<String>, sent: Submitted) -> Result<Response, Trouble> {
    let text = sent.field("mapping").to_owned();
    let save = sent.field("act") == "save";
    sent.visitor.caller.require(if save { Scope::Write } else { Scope::Read })?;
    let (mapping, trouble) = match serde_json::from_str::<Mapping>(&text) {
        Ok(mapping) => (Some(mapping), None),
        Err(error) => (None, Some(format!("This is not a mapping: {error}."))),
    };
    if let (true, Some(mapping)) = (save, &mapping) {
        let (mapping, by, wanted) = (mapping.clone(), sent.visitor.email, name.clone());
        app.ask(move |engine, now| engine.save_mapping(&wanted, &mapping, &by, now)).await?;
        let back = words::segment(&name);
        return Ok(Redirect::to(&format!("/console/connections/{back}/mapping?said=mapped")).into_response());
    }
    let (held, tried) = app
        .ask(move |engine, _| {
            let tried = mapping.map(|mapping| engine.try_mapping(&name, &mapping)).transpose()?;
            Ok((engine.mapping(&name)?, tried))
        })
        .await?;
    let changed = tried.iter().flatten().filter(|one| one.now != one.then).count();
    let shell = Shell::new(&sent.visitor, "health", "Fields");
    Ok(page(&Editor { shell, held, text, trouble, tried, changed }))
}
