//! `hogwire campaign`: look at one, change its state, ask why somebody got it or not.

use clap::Subcommand;
use serde_json::{Value, json};

use super::ask::{Api, part};
use super::{Common, Screen, Stop, apply};

#[derive(Subcommand)]
pub enum Campaign {
    /// Start it: events begin to enroll contacts.
    Activate { name: String },
    /// Put it away for good.
    Archive { name: String },
    /// Take a contact into it now.
    Enroll {
        name: String,
        /// An id, an address, or distinct_id:… or external:….
        contact: String,
        /// The trigger's properties, as JSON.
        #[arg(long, default_value = "{}")]
        properties: String,
        /// The same id again is the same enrollment.
        #[arg(long)]
        id: Option<String>,
    },
    /// Say why a contact got it, or did not.
    Explain { name: String, contact: String },
    /// Check campaigns of the folder: all, or those named.
    Lint { names: Vec<String> },
    /// Stop enrolling; what runs waits.
    Pause { name: String },
    /// Go on after a pause.
    Resume { name: String },
}

impl Campaign {
    pub fn run(self, common: &Common, screen: &Screen) -> Result<(), Stop> {
        match self {
            Self::Activate { name } => act(common, screen, &name, "activate"),
            Self::Archive { name } => act(common, screen, &name, "archive"),
            Self::Pause { name } => act(common, screen, &name, "pause"),
            Self::Resume { name } => act(common, screen, &name, "resume"),
            Self::Lint { names } => lint(common, screen, &names),
            Self::Explain { name, contact } => explain(common, screen, &name, &contact),
            Self::Enroll { name, contact, properties, id } => {
                let properties: Value = serde_json::from_str(&properties)
                    .map_err(|error| Stop::misuse(format!("--properties is not JSON: {error}")))?;
                let mut body = json!({ "contact": contact, "properties": properties });
                if let Some(id) = id {
                    body["id"] = id.into();
                }
                let answer = Api::open(common)?.post(&format!("/v1/campaigns/{}/enroll", part(&name)), &body)?;
                screen.show(&answer, || format!("Enrolled as {}.", answer["enrollment"].as_str().unwrap_or("?")));
                Ok(())
            }
        }
    }
}

fn act(common: &Common, screen: &Screen, name: &str, act: &str) -> Result<(), Stop> {
    let answer = Api::open(common)?.post(&format!("/v1/campaigns/{}/{act}", part(name)), &json!({}))?;
    screen.show(&answer, || {
        let mut text = format!("{name} is {}.", answer["status"].as_str().unwrap_or("changed"));
        for warning in answer["warnings"].as_array().into_iter().flatten() {
            text.push_str(&format!("\n  warning: {}", warning["message"].as_str().unwrap_or_default()));
        }
        text
    });
    Ok(())
}

/// What `apply` would say of the files, written over whatever runs.
fn lint(common: &Common, screen: &Screen, names: &[String]) -> Result<(), Stop> {
    let files = apply::files(common, true)?;
    let known: Vec<&str> =
        files["campaigns"].as_array().into_iter().flatten().filter_map(|file| file["id"].as_str()).collect();
    if let Some(unknown) = names.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(Stop::misuse(format!("there is no file campaigns/{unknown}.yaml")));
    }
    let answer = Api::open(common)?.post("/v1/project/plan", &files)?;
    let picked = |change: &Value| {
        names.is_empty() || (change["resource"] == "campaign" && names.iter().any(|name| change["id"] == name.as_str()))
    };
    screen.show(&answer, || apply::told(&answer, picked));
    if apply::failed(&answer, picked) { Err(Stop::told()) } else { Ok(()) }
}

fn explain(common: &Common, screen: &Screen, name: &str, contact: &str) -> Result<(), Stop> {
    let path = format!("/v1/campaigns/{}/explain?contact={}", part(name), part(contact));
    let answer = Api::open(common)?.get(&path)?;
    screen.show(&answer, || {
        let mut text = answer["verdict"].as_str().unwrap_or_default().to_owned();
        for line in answer["lines"].as_array().into_iter().flatten() {
            let part = |name: &str| line[name].as_str().unwrap_or_default();
            text.push_str(&format!("\n{}  {}", part("at"), part("sentence")));
        }
        text
    });
    Ok(())
}
