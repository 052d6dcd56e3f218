//! Campaigns that cannot do what they are meant to: what the lint says of those that run.

use hogwire_model::campaign::Status;
use hogwire_model::problem::Severity;

use super::Finding;
use crate::app::App;

pub fn examine(app: &App) -> Vec<Finding> {
    let campaigns = match app.engine.campaigns() {
        Ok(campaigns) => campaigns,
        Err(error) => {
            let found = format!("Campaigns cannot be read: {error}.");
            return vec![Finding::failure("campaigns", found, "Nothing starts.", "Look at the database.")];
        }
    };
    let running = campaigns.into_iter().filter(|campaign| matches!(campaign.status, Status::Active | Status::Test));
    let ids: Vec<String> = running.map(|campaign| campaign.id).collect();
    if ids.is_empty() {
        return vec![Finding::ok("campaigns", "No campaign is active.")];
    }
    let mut findings = Vec::new();
    for id in &ids {
        let problems = app.engine.lint_campaign(id).map(|problems| problems.0).unwrap_or_default();
        for problem in problems {
            let found = if problem.path.is_empty() {
                problem.message.clone()
            } else {
                format!("{}: {}", problem.path, problem.message)
            };
            let finding = if problem.severity == Severity::Error {
                Finding::failure("campaign", found, "The campaign does not do what its file says.", problem.remedy)
            } else {
                Finding::warning("campaign", found, "The campaign runs; this part may never happen.", problem.remedy)
            };
            findings.push(finding.about(id));
        }
    }
    if findings.is_empty() {
        findings.push(Finding::ok("campaigns", format!("{} active, nothing to say about them.", ids.len())));
    }
    findings
}
