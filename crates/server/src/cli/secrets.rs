//! `hogwire secrets rotate`: seal everything anew with the newest key. Exits with 1 where
//! something is sealed under a key that is not set.

use clap::Subcommand;
use serde_json::json;

use super::ask::Api;
use super::{Common, Screen, Stop};

#[derive(Subcommand)]
pub enum Secrets {
    /// Seal every secret anew with the first key of HOGWIRE_SECRET_KEY (`new,old`).
    Rotate,
}

impl Secrets {
    pub fn run(self, common: &Common, screen: &Screen) -> Result<(), Stop> {
        let answer = Api::open(common)?.post("/v1/admin/secrets/rotate", &json!({}))?;
        let locked: Vec<&str> = answer["locked"].as_array().into_iter().flatten().filter_map(|n| n.as_str()).collect();
        screen.show(&answer, || {
            let mut text = format!(
                "{} secrets are sealed anew, {} were sealed with this key before.",
                answer["changed"], answer["current"]
            );
            if locked.is_empty() {
                text.push_str("\nThe old key is not needed any more: leave it out of HOGWIRE_SECRET_KEY.");
            } else {
                text.push_str(&format!(
                    "\nNo key that is set opens these: {}.\nAdd the key that sealed them, or remove and set them anew.",
                    locked.join(", ")
                ));
            }
            text
        });
        if locked.is_empty() { Ok(()) } else { Err(Stop::told()) }
    }
}
