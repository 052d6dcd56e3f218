//! The way out: mail servers that answer, and domains that may send.

use hogwire_connectors::smtp::records::State as Found;
use hogwire_engine::domains::View;
use hogwire_engine::store::domains::Status;
use lettre::message::Mailbox;

use super::Finding;
use crate::app::App;

pub fn examine(app: &App) -> Vec<Finding> {
    let settings = app.engine.settings();
    if settings.senders.is_empty() {
        return vec![Finding::failure(
            "sender",
            "There is no sender.",
            "No mail goes out.",
            "Set SMTP_URL, or add a sender with `smtp` to hogwire.yaml.",
        )];
    }
    let mut findings = Vec::new();
    for (name, sender) in &settings.senders {
        findings.push(server(app, name).about(name));
        findings.push(domain(app, &sender.from).about(name));
    }
    findings
}

fn server(app: &App, name: &str) -> Finding {
    match app.post.reach(name) {
        Ok(()) => Finding::ok("mail_server", "The mail server greets and lets us in."),
        Err(why) => Finding::failure(
            "mail_server",
            why,
            "This sender's messages wait or are refused.",
            "Check the sender's URL, login and firewall.",
        ),
    }
}

fn domain(app: &App, from: &str) -> Finding {
    let Ok(mailbox) = from.parse::<Mailbox>() else {
        return Finding::failure("domain", format!("`{from}` is no address."), "No mail goes out.", "Mend `from`.");
    };
    let domain = mailbox.email.domain().to_lowercase();
    let settings = app.engine.settings();
    if settings.vouched_domains.contains(&domain) {
        return Finding::ok("domain", format!("You vouch for {domain}."));
    }
    let held = app.engine.domain(&domain).ok();
    if let Some(held) = held.as_ref().filter(|held| held.status == Status::Verified) {
        return records(held);
    }
    if let Some(inbox) = &settings.policies.test_inbox {
        return Finding::warning(
            "domain",
            format!("{domain} is not verified; every mail goes to {inbox}."),
            "Nobody but the test inbox gets mail.",
            "Where your relay signs for the domain, say so (`domains: { NAME: { verify: false } }`), then take policies.test_inbox out.",
        );
    }
    Finding::failure(
        "domain",
        format!("{domain} is not verified."),
        "Messages of this sender are held.",
        match held.as_ref().and_then(|held| held.records.iter().find(|record| record.needed)) {
            Some(record) => format!(
                "{} Publish {} TXT `{}`; `hogwire domains check {domain}` looks again.",
                record.says, record.host, record.value
            ),
            None => format!("Publish its DNS records: `hogwire domains add {domain}` shows them."),
        },
    )
}

/// What is verified sends; what else is amiss with its records is worth a look.
fn records(held: &View) -> Finding {
    let amiss = held.records.iter().find(|record| matches!(record.state, Found::Missing | Found::Wrong));
    match amiss {
        None => Finding::ok("domain", format!("The records of {} are right, and its mail is signed.", held.name)),
        Some(record) => Finding::warning(
            "domain",
            format!("{} is verified. {}: {}", held.name, record.host, record.says),
            "Mail goes out signed; some receivers trust it less.",
            format!("See `hogwire domains show {}`.", held.name),
        ),
    }
}
