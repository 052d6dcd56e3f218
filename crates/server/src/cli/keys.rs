//! `hogwire keys`: API keys. One is shown once, when it is made.

use clap::Subcommand;
use serde_json::{Value, json};

use super::ask::{Api, part};
use super::{Common, Screen, Stop};

#[derive(Subcommand)]
pub enum Keys {
    /// Make a key, and show it once.
    Create {
        /// What it is for.
        name: String,
        /// What it may: read, write, admin, ingest. May be given more than once.
        #[arg(long = "scope", required = true, value_delimiter = ',')]
        scopes: Vec<String>,
    },
    /// Show the keys there are.
    List,
    /// Make a key worthless.
    Revoke { id: String },
}

impl Keys {
    pub fn run(self, common: &Common, screen: &Screen) -> Result<(), Stop> {
        let api = Api::open(common)?;
        match self {
            Self::Create { name, scopes } => {
                let answer = api.post("/v1/keys", &json!({ "name": name, "scopes": scopes }))?;
                screen.show(&answer, || {
                    format!("{}\nIt is shown this once.", answer["key"].as_str().unwrap_or_default())
                });
            }
            Self::List => {
                let answer = api.get("/v1/keys")?;
                screen.show(&answer, || {
                    let items = answer["items"].as_array().map(Vec::as_slice).unwrap_or_default();
                    if items.is_empty() {
                        "There are no keys.".to_owned()
                    } else {
                        items.iter().map(line).collect::<Vec<_>>().join("\n")
                    }
                });
            }
            Self::Revoke { id } => {
                api.delete(&format!("/v1/keys/{}", part(&id)))?;
                screen.show(&json!({ "revoked": id }), || format!("{id} is worthless now."));
            }
        }
        Ok(())
    }
}

fn line(key: &Value) -> String {
    let text = |name: &str| key[name].as_str().unwrap_or_default();
    let revoked =
        if text("revoked_at").is_empty() { String::new() } else { format!("  revoked {}", text("revoked_at")) };
    format!("{}  …{}  {}  [{}]{revoked}", text("id"), text("hint"), text("name"), text("scopes"))
}
