//! `hogwire doctor`: every check, what it means, what to do. Exits with 1 on a failure.

use clap::Args;
use serde_json::{Value, json};

use super::ask::Api;
use super::{Common, Screen, Stop};
use crate::config;

#[derive(Args)]
pub struct Doctor {
    /// Only the checks of this name.
    #[arg(long, value_name = "CHECK")]
    only: Vec<String>,
}

impl Doctor {
    pub fn run(self, common: &Common, screen: &Screen) -> Result<(), Stop> {
        let mut report = match settings(common) {
            Some(finding) => json!({ "ok": false, "findings": [finding] }),
            None => Api::open(common)?.get("/v1/doctor")?,
        };
        if !self.only.is_empty() {
            self.pick(&mut report)?;
        }
        screen.show(&report, || told(&report));
        if report["ok"] == true { Ok(()) } else { Err(Stop::told()) }
    }

    fn pick(&self, report: &mut Value) -> Result<(), Stop> {
        let findings = report["findings"].as_array().cloned().unwrap_or_default();
        let wanted = |finding: &&Value| self.only.iter().any(|name| finding["check"] == name.as_str());
        let picked: Vec<Value> = findings.iter().filter(wanted).cloned().collect();
        if picked.is_empty() {
            let mut known: Vec<&str> = findings.iter().filter_map(|finding| finding["check"].as_str()).collect();
            known.dedup();
            return Err(Stop::misuse(format!("there is no such check; the checks are {}", known.join(", "))));
        }
        report["ok"] = (!picked.iter().any(|finding| finding["state"] == "failure")).into();
        report["findings"] = picked.into();
        Ok(())
    }
}

/// Settings that cannot be read stop everything else.
fn settings(common: &Common) -> Option<Value> {
    if common.server.is_some() {
        return None;
    }
    let unusable = config::load(&common.dir, config::environment()).err()?;
    Some(json!({
        "check": "settings",
        "state": "failure",
        "found": unusable.to_string(),
        "meaning": "Nothing can start.",
        "remedy": "Mend hogwire.yaml and the environment as it says.",
    }))
}

fn told(report: &Value) -> String {
    let findings = report["findings"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut lines = Vec::new();
    for finding in findings {
        let part = |name: &str| finding[name].as_str().unwrap_or_default();
        let mark = match part("state") {
            "failure" => "FAIL",
            "warning" => "warn",
            _ => "ok  ",
        };
        let subject = if part("subject").is_empty() { String::new() } else { format!(" ({})", part("subject")) };
        lines.push(format!("{mark}  {}{subject}: {}", part("check"), part("found")));
        for more in [part("meaning"), part("remedy")].into_iter().filter(|text| !text.is_empty()) {
            lines.push(format!("        {more}"));
        }
    }
    let count = |state: &str| findings.iter().filter(|finding| finding["state"] == state).count();
    lines.push(format!("failures: {}, warnings: {}", count("failure"), count("warning")));
    lines.join("\n")
}
