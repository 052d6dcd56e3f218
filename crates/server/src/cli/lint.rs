//! `hogwire campaign lint`: what is wrong or doubtful about the folder's campaigns, one by
//! one as `apply` would find it, and together: two that mail one person for one event, and
//! event names that look alike. It changes nothing.

use hogwire_model::campaign::{self, Campaign, Program};
use hogwire_model::{Problem, lint};
use serde_json::{Value, json};

use super::ask::Api;
use super::{Common, Screen, Stop, apply};

/// `names` picks campaigns; none means all, and the templates too.
pub fn run(common: &Common, screen: &Screen, names: &[String]) -> Result<(), Stop> {
    // By force, because what is unchanged is to be looked at too.
    let files = apply::files(common, true)?;
    let texts: Vec<(&str, &str)> =
        items(&files, "campaigns").filter_map(|file| Some((file["id"].as_str()?, file["text"].as_str()?))).collect();
    if let Some(unknown) = names.iter().find(|name| !texts.iter().any(|(id, _)| id == name)) {
        return Err(Stop::misuse(format!("there is no file campaigns/{unknown}.yaml")));
    }
    let api = Api::open(common)?;
    let mut answer = api.post("/v1/project/plan", &files)?;
    let seen = api.get("/v1/event-names")?;
    let seen: Vec<&str> = items(&seen, "items").filter_map(|seen| seen["name"].as_str()).collect();
    answer["together"] = json!(together(&texts, &seen, names));
    let picked = |change: &Value| {
        names.is_empty() || (change["resource"] == "campaign" && names.iter().any(|name| change["id"] == name.as_str()))
    };
    screen.show(&answer, || {
        let mut lines: Vec<String> = items(&answer, "changes").filter(|change| picked(change)).map(one).collect();
        if lines.is_empty() {
            lines.push("There are no campaigns or templates in this folder.".to_owned());
        }
        let together: Vec<String> = items(&answer, "together").map(apply::problem).collect();
        if !together.is_empty() {
            lines.push(format!("together:\n{}", together.join("\n")));
        }
        lines.join("\n")
    });
    if apply::failed(&answer, picked) { Err(Stop::told()) } else { Ok(()) }
}

fn items<'a>(answer: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    answer[name].as_array().into_iter().flatten()
}

fn one(change: &Value) -> String {
    let text = |name: &str| change[name].as_str().unwrap_or_default();
    let problems: Vec<String> = items(change, "problems").map(apply::problem).collect();
    let head = format!("{} {}:", text("resource"), text("id"));
    if problems.is_empty() { format!("{head} fine") } else { format!("{head}\n{}", problems.join("\n")) }
}

/// What shows only when all campaigns are looked at, beside the events seen so far.
fn together(texts: &[(&str, &str)], seen: &[&str], names: &[String]) -> Vec<Problem> {
    let read: Vec<(&str, Campaign)> =
        texts.iter().filter_map(|(id, text)| Some((*id, campaign::read(text).ok()?.0))).collect();
    let all: Vec<(&str, &Campaign)> = read.iter().map(|(id, campaign)| (*id, campaign)).collect();
    let programs: Vec<Program> = read.iter().map(|(_, campaign)| Program::compile(campaign)).collect();
    let mut events: Vec<&str> = programs.iter().flat_map(Program::trigger_events).chain(seen.iter().copied()).collect();
    events.sort_unstable();
    events.dedup();
    // Names of events that look alike concern whoever is asked about.
    let own = |problem: &Problem| {
        names.is_empty()
            || problem.code != "campaigns_overlap"
            || names.iter().any(|name| problem.message.contains(&format!("`{name}`")))
    };
    let found = lint::lint(&all, &events).0.into_iter();
    // A step that no run comes to is told with its campaign.
    found.filter(|problem| problem.code != "unreachable_step" && own(problem)).collect()
}
