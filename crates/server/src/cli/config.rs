//! `hogwire config`: what can be set, and whether what is set can be read.

use clap::Subcommand;
use serde_json::json;

use super::{Common, Screen, Stop};
use crate::config;

#[derive(Subcommand)]
pub enum Config {
    /// Print every setting with its meaning and default.
    Show,
    /// Check hogwire.yaml and the environment.
    Check,
}

impl Config {
    pub fn run(self, common: &Common, screen: &Screen) -> Result<(), Stop> {
        match self {
            Self::Show => {
                screen.show(&json!({ "default": config::DEFAULT }), || config::DEFAULT.trim_end().to_owned());
                Ok(())
            }
            Self::Check => check(common, screen),
        }
    }
}

fn check(common: &Common, screen: &Screen) -> Result<(), Stop> {
    match config::load(&common.dir, config::environment()) {
        Ok(config) => {
            let told = json!({
                "ok": true,
                "warnings": config.warnings,
                "capabilities": crate::capabilities::all(&config),
            });
            let text = std::fs::read_to_string(common.dir.join(config::FILE)).unwrap_or_default();
            screen.show(&told, || {
                let warnings = config.warnings.iter();
                let mut lines: Vec<String> =
                    warnings.map(|warning| config::show::one(config::FILE, &text, warning)).collect();
                lines.push("The settings can be used.".to_owned());
                lines.join("\n")
            });
            Ok(())
        }
        Err(unusable) => {
            if screen.is_json() {
                screen.show(&json!({ "ok": false, "problems": unusable.problems }), String::new);
                return Err(Stop::told());
            }
            Err(Stop::failed(unusable))
        }
    }
}
