//! `hogwire users`: who may sign in to the console.

use clap::Subcommand;
use serde_json::json;

use super::ask::Api;
use super::{Common, Screen, Stop};

#[derive(Subcommand)]
pub enum Users {
    /// Add somebody. The password is made here and shown once.
    Add {
        email: String,
        /// admin, editor or viewer.
        #[arg(long, default_value = "viewer")]
        role: String,
    },
    /// Show who may sign in.
    List,
}

impl Users {
    pub fn run(self, common: &Common, screen: &Screen) -> Result<(), Stop> {
        let api = Api::open(common)?;
        match self {
            Self::Add { email, role } => {
                let answer = api.post("/v1/users", &json!({ "email": email, "role": role }))?;
                screen.show(&answer, || {
                    let password = answer["password"].as_str().unwrap_or_default();
                    format!("{email} may sign in with the password {password} (shown this once)")
                });
            }
            Self::List => {
                let answer = api.get("/v1/users")?;
                screen.show(&answer, || {
                    let items = answer["items"].as_array().map(Vec::as_slice).unwrap_or_default();
                    let text =
                        |user: &serde_json::Value, name: &str| user[name].as_str().unwrap_or_default().to_owned();
                    let lines: Vec<String> =
                        items.iter().map(|user| format!("{}  {}", text(user, "email"), text(user, "role"))).collect();
                    if lines.is_empty() { "Nobody may sign in yet.".to_owned() } else { lines.join("\n") }
                });
            }
        }
        Ok(())
    }
}
