//! `hogwire prune`: remove what is older than retention says, or tell what that would be.

use clap::Args;

use super::ask::Api;
use super::{Common, Screen, Stop};

#[derive(Args)]
pub struct Prune {
    /// Only tell.
    #[arg(long)]
    dry_run: bool,
}

impl Prune {
    pub fn run(self, common: &Common, screen: &Screen) -> Result<(), Stop> {
        let api = Api::open(common)?;
        let answer = if self.dry_run { api.get("/v1/retention")? } else { api.delete("/v1/retention")? };
        let done = if self.dry_run { "would go" } else { "are gone" };
        screen.show(&answer, || {
            let classes = answer["classes"].as_array().map(Vec::as_slice).unwrap_or_default();
            let lines: Vec<String> = classes
                .iter()
                .map(|class| {
                    let (name, before) =
                        (class["name"].as_str().unwrap_or("?"), class["before"].as_str().unwrap_or("?"));
                    format!("{name}: {} rows before {before} {done}", class["rows"].as_i64().unwrap_or(0))
                })
                .collect();
            lines.join("\n")
        });
        Ok(())
    }
}
