//! A project folder's campaigns and templates, planned and applied as one.

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::routing::post;
use hogwire_engine::campaigns::{Actor, Change, Project, SourceFile};
use serde::{Deserialize, Serialize};

use super::auth::{Caller, Scope};
use super::input::Json;
use super::problem::Problem;
use crate::app::Shared;

const MOST_BYTES: usize = 64 << 20;

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/v1/project/plan", post(plan))
        .route("/v1/project/apply", post(apply))
        .layer(DefaultBodyLimit::max(MOST_BYTES))
}

/// The files, as whoever has the folder read them.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Files {
    pub campaigns: Vec<File>,
    pub templates: Vec<File>,
    /// Over versions that were made elsewhere, too.
    #[serde(default)]
    pub force: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// The file's stem.
    pub id: String,
    /// The file's ending.
    #[serde(default)]
    pub kind: String,
    pub text: String,
}

#[derive(Serialize)]
struct Changes {
    changes: Vec<Change>,
}

impl Files {
    pub fn of(project: Project, force: bool) -> Self {
        let files = |files: Vec<SourceFile>| {
            files.into_iter().map(|file| File { id: file.id, kind: file.kind, text: file.text }).collect()
        };
        Self { campaigns: files(project.campaigns), templates: files(project.templates), force }
    }

    fn project(self) -> Project {
        let files = |files: Vec<File>| {
            files.into_iter().map(|file| SourceFile { id: file.id, kind: file.kind, text: file.text }).collect()
        };
        Project { campaigns: files(self.campaigns), templates: files(self.templates) }
    }
}

async fn plan(
    State(app): State<Shared>,
    caller: Caller,
    Json(files): Json<Files>,
) -> Result<axum::Json<Changes>, Problem> {
    caller.require(Scope::Read)?;
    let force = files.force;
    let changes = app.ask(move |engine, now| engine.plan(&files.project(), force, now)).await?;
    Ok(axum::Json(Changes { changes }))
}

async fn apply(
    State(app): State<Shared>,
    caller: Caller,
    Json(files): Json<Files>,
) -> Result<axum::Json<Changes>, Problem> {
    caller.require(Scope::Write)?;
    let force = files.force;
    let changes = app
        .ask(move |engine, now| {
            let actor = Actor { name: &caller.name, origin: "file" };
            engine.apply(&files.project(), actor, force, now)
        })
        .await?;
    Ok(axum::Json(Changes { changes }))
}
