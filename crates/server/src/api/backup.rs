//! A copy of the database, written to a file on this machine. Only for the command line of
//! whoever owns the data folder: a key from the network must not choose where files go.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use hogwire_engine::Error;
use serde::Deserialize;
use serde_json::json;

use super::auth::Caller;
use super::input::Json;
use super::problem::Problem;
use crate::app::Shared;

pub fn routes() -> Router<Shared> {
    Router::new().route("/v1/backup", post(backup))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// An absolute path at which nothing is yet.
    file: PathBuf,
}

async fn backup(State(app): State<Shared>, caller: Caller, Json(wanted): Json<Wanted>) -> Result<Response, Problem> {
    if !caller.is_command_line() {
        let remedy = "Run `hogwire backup FILE` on the server's machine.";
        let detail = "Backups are made by the command line of the machine that has the data.";
        return Err(Problem::new(StatusCode::FORBIDDEN, "not_here", detail, remedy));
    }
    let (file, bytes) = app
        .ask(move |engine, now| {
            // Made by us, so that nobody else can read it while it is written.
            let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&wanted.file);
            match made {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    return Err(Error::Conflict(format!("{} is there already", wanted.file.display())));
                }
                Err(error) => return Err(Error::Conflict(format!("{}: {error}", wanted.file.display()))),
            }
            engine.backup(&wanted.file, now)?;
            let bytes = std::fs::metadata(&wanted.file)?.len();
            Ok((wanted.file, bytes))
        })
        .await?;
    Ok(axum::Json(json!({ "file": file.display().to_string(), "bytes": bytes })).into_response())
}
