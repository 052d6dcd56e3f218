//! `hogwire campaign`: look at one, change its state, ask why somebody got it or not, check
//! and test what the folder holds.

use clap::Subcommand;
use serde_json::{Value, json};

use super::ask::{Api, part};
use super::{Common, Screen, Stop, lint, rehearse};

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
    /// Play the folder's tests in virtual time: all, or those of one campaign.
    Test {
        /// A campaign's name, which is its file's.
        name: Option<String>,
    },
}

impl Campaign {
    pub fn run(self, common: &Common, screen: &Screen) -> Result<(), Stop> {
        match self {
            Self::Activate { name } => act(common, screen, &name, "activate"),
            Self::Archive { name } => act(common, screen, &name, "archive"),
            Self::Pause { name } => act(common, screen, &name, "pause"),
            Self::Resume { name } => act(common, screen, &name, "resume"),
            Self::Lint { names } => lint::run(common, screen, &names),
            Self::Test { name } => rehearse::run(common, screen, name.as_deref()),
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
