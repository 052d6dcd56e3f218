//! Destinations: whether each takes what it is told, and what a person must mend there.

use super::Finding;
use crate::app::App;

pub fn examine(app: &App) -> Vec<Finding> {
    let lines = match app.engine.destinations(app.now()) {
        Ok(lines) => lines,
        Err(error) => {
            let meaning = "Nobody can say whether contacts and opt-outs go out.";
            return vec![Finding::failure("destination", format!("{error}."), meaning, "See the server's log.")];
        }
    };
    let mut findings = Vec::new();
    for line in lines {
        let said = if line.account.is_empty() {
            "has not answered yet".to_owned()
        } else {
            format!("answers as {}", line.account)
        };
        findings.push(if line.state == "paused" {
            let remedy = if line.problem.contains("unrecognised IP") {
                "Allow this server's address at https://app.brevo.com/security/authorised_ips."
            } else {
                "Look at the key: make a new API key (v3) in Brevo under SMTP & API, and set BREVO_API_KEY."
            };
            Finding::failure("destination", line.problem.clone(), "Nothing goes there; it all waits.", remedy)
        } else {
            Finding::ok("destination", format!("It {said}."))
        });
        let rejected = line.contacts.get("rejected").copied().unwrap_or(0);
        if rejected > 0 {
            let found = format!("{rejected} contacts were not taken.");
            let remedy = format!("See the reasons under Destinations, or ask /v1/destinations/{}/rejected.", line.name);
            findings.push(Finding::warning(
                "destination_rejected",
                found,
                "They are not there as they are here.",
                remedy,
            ));
        }
        for (name, standing) in &line.attributes {
            if !standing.starts_with("ok") && !standing.starts_with("not there yet") {
                let meaning = "Its values do not arrive; everything else does.";
                let remedy = "Map the field to another attribute, or mend its type in Brevo.";
                findings.push(Finding::warning(
                    "destination_attribute",
                    format!("{name}: {standing}."),
                    meaning,
                    remedy,
                ));
            }
        }
        findings =
            findings.into_iter().map(|one| if one.subject.is_empty() { one.about(&line.name) } else { one }).collect();
    }
    findings
}
