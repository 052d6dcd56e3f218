//! The way in from PostHog and the way back: addresses, secrets, what arrives and what is
//! turned away.

use hogwire_engine::views::events::Search;
use hogwire_model::Span;

use super::Finding;
use crate::app::App;
use crate::capabilities::is_reachable;

pub fn examine(app: &App) -> Vec<Finding> {
    let mut findings = vec![public_url(app), admin_key(app)];
    for name in app.config.posthog.keys() {
        findings.push(webhook(app, name).about(name));
        findings.push(way_back(app, name).about(name));
    }
    findings.extend(refused(app));
    findings
}

fn public_url(app: &App) -> Finding {
    let remedy = "Set API_PUBLIC_URL to the https address under which the outside reaches this server.";
    match app.config.public_url.as_deref() {
        Some(url) if is_reachable(url) && url.starts_with("https://") => {
            Finding::ok("public_url", format!("Links in mails lead to {url}."))
        }
        Some(url) if is_reachable(url) => Finding::warning(
            "public_url",
            format!("Links in mails lead to {url}, without encryption."),
            "One-click unsubscribe needs https (RFC 8058).",
            remedy,
        ),
        Some(url) => Finding::warning(
            "public_url",
            format!("Links in mails lead to {url}, which is not public."),
            "Readers elsewhere cannot unsubscribe, and PostHog cannot deliver.",
            remedy,
        ),
        None => Finding::warning(
            "public_url",
            format!("API_PUBLIC_URL is not set; links in mails lead to {}.", app.config.settings.public_url),
            "Readers elsewhere cannot unsubscribe, and PostHog cannot deliver.",
            remedy,
        ),
    }
}

fn admin_key(app: &App) -> Finding {
    if app.config.admin_key.is_some() {
        return Finding::ok("admin_key", "ADMIN_API_KEY is set.");
    }
    Finding::warning(
        "admin_key",
        "ADMIN_API_KEY is not set.",
        "Admin routes answer 401 to all but keys with scope admin.",
        "Set ADMIN_API_KEY, or make a key: `hogwire keys create NAME --scope admin`.",
    )
}

fn webhook(app: &App, name: &str) -> Finding {
    let seen = app.engine.events(&Search { connection: Some(name.to_owned()), limit: Some(1), ..Search::default() });
    let newest = seen.ok().and_then(|page| page.items.first().map(|event| event.arrived_at));
    match newest {
        Some(at) => Finding::ok("events_in", format!("The newest event came at {at}.")),
        None => Finding::warning(
            "events_in",
            "No event has come by this connection yet.",
            "No campaign starts by it.",
            "Set up PostHog's webhook with the URL and secret on the connection's page.",
        ),
    }
}

fn way_back(app: &App, name: &str) -> Finding {
    let Some(connection) = app.config.settings.connections.get(name) else {
        return Finding::ok("engagement_out", "The connection is off.");
    };
    if connection.capture {
        return Finding::ok("engagement_out", format!("Sends, opens and clicks go to {}.", connection.ingestion_host));
    }
    let token = if connection.project_token.is_some() { "" } else { " and POSTHOG_API_KEY to the project's token" };
    Finding::warning(
        "engagement_out",
        "Nothing goes back to PostHog.",
        "Opens and clicks are recorded here only.",
        format!("Set ENABLE_POSTHOG_DESTINATION to true{token}."),
    )
}

/// Deliveries turned away within the last hour, by code.
fn refused(app: &App) -> Vec<Finding> {
    let recent = app.now().minus(Span::hours(1));
    let kept = app.engine.refusals().unwrap_or_default();
    let mut counts: Vec<(String, usize, String)> = Vec::new();
    for refusal in kept.into_iter().filter(|refusal| refusal.at > recent) {
        match counts.iter_mut().find(|(code, ..)| *code == refusal.code) {
            Some((_, count, _)) => *count += 1,
            None => counts.push((refusal.code, 1, refusal.message)),
        }
    }
    let told = counts.into_iter().map(|(code, count, newest)| {
        let remedy = match code.as_str() {
            "bad_secret" => "Copy the secret from the connection's page into PostHog's destination.",
            "bad_signature" => "Sign with the connection's secret, and check both clocks.",
            "unauthorized" | "scope_missing" => "Give the sender a key with scope ingest.",
            "busy" => "Look at the disk: `hogwire doctor` names what is free.",
            _ => "Look at the refused deliveries on the event log's page.",
        };
        let found = format!("{count} deliveries were turned away within the hour; the newest: {newest}");
        Finding::warning("refused", found, "What they held is not here.", remedy).about(&code)
    });
    told.collect()
}
