//! `hogwire domains`: what to publish for a sending domain, and what DNS says of it.

use clap::Subcommand;
use serde_json::{Value, json};

use super::ask::{Api, part};
use super::{Common, Screen, Stop};

#[derive(Subcommand)]
pub enum Domains {
    /// Show the sending domains there are.
    List,
    /// Make keys for a domain, and show what to publish.
    Add { name: String },
    /// Show a domain's records: what is wanted, and what was found.
    Show { name: String },
    /// Ask DNS now. Exits with 1 while mail waits for the domain.
    Check { name: String },
    /// Drop a domain that no sender writes from, with its keys.
    Remove { name: String },
}

impl Domains {
    pub fn run(self, common: &Common, screen: &Screen) -> Result<(), Stop> {
        let api = Api::open(common)?;
        match self {
            Self::List => {
                let answer = api.get("/v1/domains")?;
                screen.show(&answer, || match answer["items"].as_array().map(Vec::as_slice) {
                    None | Some([]) => {
                        "There are no sending domains. Add one: hogwire domains add example.com".to_owned()
                    }
                    Some(items) => items.iter().map(line).collect::<Vec<_>>().join("\n"),
                });
            }
            Self::Add { name } => {
                let answer = api.post("/v1/domains", &json!({ "name": name }))?;
                screen.show(&answer, || whole(&answer));
            }
            Self::Show { name } => {
                let answer = api.get(&format!("/v1/domains/{}", part(&name)))?;
                screen.show(&answer, || whole(&answer));
            }
            Self::Check { name } => {
                let answer = api.post(&format!("/v1/domains/{}/check", part(&name)), &json!({}))?;
                screen.show(&answer, || whole(&answer));
                if text(&answer, "status") != "verified" {
                    return Err(Stop::told());
                }
            }
            Self::Remove { name } => {
                api.delete(&format!("/v1/domains/{}", part(&name)))?;
                screen.show(&json!({ "removed": name }), || format!("{name} and its keys are gone."));
            }
        }
        Ok(())
    }
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

fn line(domain: &Value) -> String {
    let vouched = if domain["vouched"] == true { "  (vouched for)" } else { "" };
    format!("{:9} {}{vouched}", text(domain, "status"), text(domain, "name"))
}

fn whole(domain: &Value) -> String {
    let mut lines = vec![line(domain)];
    for record in domain["records"].as_array().into_iter().flatten() {
        let needed = if record["needed"] == true { ", needed" } else { "" };
        lines.push(format!(
            "\n{} ({}{needed})\n  {}  {}",
            text(record, "purpose"),
            text(record, "state"),
            text(record, "kind"),
            text(record, "host")
        ));
        if !text(record, "value").is_empty() {
            lines.push(format!("  {}", text(record, "value")));
        }
        lines.push(format!("  {}", text(record, "says")));
    }
    lines.join("\n")
}
