//! `hogwire plan` and `hogwire apply`: the difference between the files and what runs, and
//! making it none.

use clap::Args;
use hogwire_engine::campaigns::{Change, What};
use hogwire_model::problem::Severity;
use serde_json::{Value, json};

use super::ask::Api;
use super::{Common, Screen, Stop};
use crate::api::project::Files;
use crate::config::project;

#[derive(Args)]
pub struct Apply {
    /// Also over versions that were made in the console or by the API.
    #[arg(long)]
    force: bool,
}

impl Apply {
    pub fn plan(&self, common: &Common, screen: &Screen) -> Result<(), Stop> {
        self.ask(common, screen, "/v1/project/plan")
    }

    pub fn apply(&self, common: &Common, screen: &Screen) -> Result<(), Stop> {
        self.ask(common, screen, "/v1/project/apply")
    }

    fn ask(&self, common: &Common, screen: &Screen, path: &str) -> Result<(), Stop> {
        let files = files(common, self.force)?;
        let answer = Api::open(common)?.post(path, &files)?;
        screen.show(&answer, || told(&answer, |_| true));
        if failed(&answer, |_| true) { Err(Stop::told()) } else { Ok(()) }
    }
}

/// The project folder's files, as the API takes them.
pub(super) fn files(common: &Common, force: bool) -> Result<Value, Stop> {
    let project = project::read(&common.dir)
        .map_err(|bad| Stop::failed(format!("{} cannot be read: {}", bad.path.display(), bad.why)))?;
    Ok(json!(Files::of(project, force)))
}

/// The changes that a condition picks, a line each.
pub(super) fn told(answer: &Value, picked: impl Fn(&Value) -> bool) -> String {
    let changes = answer["changes"].as_array().map(Vec::as_slice).unwrap_or_default();
    let lines: Vec<String> = changes.iter().filter(|change| picked(change)).map(written).collect();
    if lines.is_empty() { "There are no campaigns or templates in this folder.".to_owned() } else { lines.join("\n") }
}

pub(super) fn failed(answer: &Value, picked: impl Fn(&Value) -> bool) -> bool {
    let changes = answer["changes"].as_array().map(Vec::as_slice).unwrap_or_default();
    changes.iter().filter(|change| picked(change)).any(|change| {
        matches!(change["what"].as_str(), Some("refused" | "not_activated"))
            || change["problems"].as_array().into_iter().flatten().any(|problem| problem["severity"] == "error")
    })
}

fn written(change: &Value) -> String {
    let text = |name: &str| change[name].as_str().unwrap_or_default();
    let what = match text("what") {
        "left" => LEFT,
        "not_activated" => NOT_ACTIVATED,
        other => other,
    };
    let mut line = format!("{} {}: {what}", text("resource"), text("id"));
    if let Some(version) = change["version"].as_i64().filter(|version| *version > 0) {
        line.push_str(&format!(" (version {version})"));
    }
    for problem in change["problems"].as_array().into_iter().flatten() {
        line.push('\n');
        line.push_str(&self::problem(problem));
    }
    line
}

/// A problem as a line of its own, set in.
pub(super) fn problem(problem: &Value) -> String {
    let part = |name: &str| problem[name].as_str().unwrap_or_default();
    let at = match (problem["place"]["line"].as_i64(), problem["place"]["column"].as_i64()) {
        (Some(line), Some(column)) => format!("{line}:{column}: "),
        _ if part("path").is_empty() => String::new(),
        _ => format!("{}: ", part("path")),
    };
    let remedy = if part("remedy").is_empty() { String::new() } else { format!(" ({})", part("remedy")) };
    format!("  {}: {at}{}{remedy}", part("severity"), part("message"))
}

const LEFT: &str = "left as it runs: a newer version was made elsewhere; use --force, or write it back to the file";
const NOT_ACTIVATED: &str = "stored, but not activated";

/// One change as a line of the log.
fn line(change: &Change) -> String {
    written(&serde_json::to_value(change).unwrap_or_default())
}

/// Says it in the log, where the server applies a folder at its start.
pub fn log(change: &Change) {
    let has_errors = change.problems.0.iter().any(|problem| problem.severity == Severity::Error);
    match change.what {
        What::Unchanged => {}
        What::Refused | What::NotActivated | What::Left => tracing::warn!("{}", line(change)),
        What::Created | What::Updated if has_errors => tracing::warn!("{}", line(change)),
        What::Created | What::Updated => tracing::info!("{}", line(change)),
    }
}
