//! `hogwire campaign test`: plays the tests of the project folder in virtual time. It runs
//! in this process over a database in memory, so it needs no server and changes nothing.

use hogwire_engine::Error;
use hogwire_engine::campaigns::{Project, SourceFile};
use hogwire_engine::rehearsal::{Rehearsed, rehearse};
use hogwire_engine::settings::Settings;
use hogwire_model::Problems;
use hogwire_model::campaign::rehearsal::{self, Rehearsal};
use serde::Serialize;
use serde_json::json;

use super::{Common, Screen, Stop};
use crate::config::{project, show};

/// What became of one file of `tests/`.
#[derive(Serialize)]
struct Told {
    file: String,
    passed: bool,
    /// Why it could not be played.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(flatten)]
    rehearsed: Option<Rehearsed>,
}

/// Plays all tests, or those of one campaign.
pub fn run(common: &Common, screen: &Screen, campaign: Option<&str>) -> Result<(), Stop> {
    let unreadable =
        |bad: project::Unreadable| Stop::failed(format!("{} cannot be read: {}", bad.path.display(), bad.why));
    let project = project::read(&common.dir).map_err(unreadable)?;
    let tests = project::tests(&common.dir).map_err(unreadable)?;
    let config = super::serve::load(common)?;
    let told: Vec<Told> = tests.iter().filter_map(|test| one(&project, &config.settings, test, campaign)).collect();
    if told.is_empty() {
        let whose = campaign.map_or_else(String::new, |id| format!(" of the campaign {id}"));
        return Err(Stop::misuse(format!("there are no tests{whose} in {}", common.dir.join("tests").display())));
    }
    let passed = told.iter().filter(|told| told.passed).count();
    screen.show(&json!({ "passed": passed == told.len(), "tests": told }), || {
        let mut lines: Vec<String> = told.iter().map(written).collect();
        lines.push(format!("{passed} of {} passed.", told.len()));
        lines.join("\n")
    });
    if passed == told.len() { Ok(()) } else { Err(Stop::told()) }
}

/// Nothing where the test is of another campaign. A file that cannot be read could be of any.
fn one(project: &Project, settings: &Settings, test: &SourceFile, campaign: Option<&str>) -> Option<Told> {
    let file = format!("tests/{}.{}", test.id, test.kind);
    let read = match rehearsal::read(&test.text) {
        Ok(read) => read,
        Err(problems) => {
            let error = show::render(&file, &test.text, &problems);
            return Some(Told { file, passed: false, error: Some(error), rehearsed: None });
        }
    };
    if campaign.is_some_and(|campaign| campaign != read.campaign) {
        return None;
    }
    Some(match rehearse(project, settings, &read) {
        Ok(rehearsed) => Told { file, passed: rehearsed.passed, error: None, rehearsed: Some(rehearsed) },
        Err(error) => Told { file, passed: false, error: Some(why(project, &read, error)), rehearsed: None },
    })
}

fn why(project: &Project, read: &Rehearsal, error: Error) -> String {
    let Error::Refused(problems) = error else { return error.to_string() };
    let errors = problems.0.into_iter().filter(|problem| problem.severity == hogwire_model::problem::Severity::Error);
    let problems = Problems(errors.collect());
    let source = project.campaigns.iter().find(|file| file.id == read.campaign);
    let text = source.map_or("", |file| file.text.as_str());
    show::render(&format!("campaigns/{}", read.campaign), text, &problems)
}

fn written(told: &Told) -> String {
    let mut lines = vec![told.file.clone()];
    if let Some(error) = &told.error {
        lines.extend(error.lines().map(|line| format!("  {line}")));
    }
    if let Some(rehearsed) = &told.rehearsed {
        let after = |line: &hogwire_engine::rehearsal::Happened| line.after.to_string();
        let width = rehearsed.happened.iter().map(|line| after(line).len()).max().unwrap_or(0);
        lines.extend(rehearsed.happened.iter().map(|line| format!("  {:width$}  {}", after(line), line.sentence)));
        for verdict in &rehearsed.verdicts {
            lines.push(match verdict.passed {
                true => format!("  pass  {}", verdict.expected),
                false => format!("  FAIL  {} ({})", verdict.expected, verdict.instead),
            });
        }
    }
    lines.join("\n")
}
