//! What everything stands on: database, disk, clock, key, threads.

use std::sync::atomic::Ordering;

use hogwire_engine::Work;
use hogwire_engine::store::pauses;
use hogwire_engine::views::events::Search;
use hogwire_model::{Span, Time};

use super::Finding;
use crate::app::App;
use crate::config::secret::Origin;
use crate::config::{Database, secret};

const LOW: u64 = 1 << 30;
const STUCK: Span = Span::seconds(60);

pub fn examine(app: &App) -> Vec<Finding> {
    let mut findings = vec![database(app), disk(app), clock(app), key(app), worker(app)];
    findings.extend(locked(app));
    findings.extend(paused(app));
    findings.extend(set_aside(app));
    findings
}

fn database(app: &App) -> Finding {
    match app.engine.store().read().map(drop) {
        Ok(()) => Finding::ok("database", "The database answers."),
        Err(error) => Finding::failure(
            "database",
            format!("The database does not answer: {error}."),
            "Nothing can be decided or shown; received events wait.",
            "Look at the file's folder and rights, or at the PostgreSQL server.",
        ),
    }
}

fn disk(app: &App) -> Finding {
    match app.engine.outside().disk.free() {
        None => Finding::ok("disk", "Free space is not known on this system."),
        Some(free) if free >= LOW => Finding::ok("disk", format!("{} GiB are free.", free >> 30)),
        Some(free) => Finding::failure(
            "disk",
            format!("Only {} MiB are free.", free >> 20),
            "When the disk is full, webhooks are answered with 429 and PostHog tries again later.",
            "Make room, or run `hogwire prune`.",
        ),
    }
}

/// The first day on which this program can have run.
const BEGINNING: i64 = 1_735_689_600_000;

fn clock(app: &App) -> Finding {
    let now = app.now();
    let newest = app.engine.events(&Search { limit: Some(1), ..Search::default() });
    let newest = newest.ok().and_then(|page| page.items.first().map(|event| event.arrived_at));
    let is_behind = newest.is_some_and(|newest| newest.since(now) > Span::minutes(1));
    if now < Time::from_millis(BEGINNING) || is_behind {
        return Finding::failure(
            "clock",
            format!("The clock says {now}, which has passed already."),
            "Waits end late, and signatures and quiet hours are judged wrongly.",
            "Set the machine's clock, and keep it with NTP.",
        );
    }
    Finding::ok("clock", format!("The clock says {now}."))
}

fn key(app: &App) -> Finding {
    match (app.key_origin, &app.config.database) {
        (Origin::Fallback, _) => Finding::warning(
            "secret_key",
            "Credentials are sealed with BETTER_AUTH_SECRET.",
            "Rotating that secret makes stored credentials unreadable.",
            "Set HOGWIRE_SECRET_KEY to 64 hex digits, and set the credentials anew.",
        ),
        (Origin::File | Origin::Made, Database::Postgres(_)) => Finding::warning(
            "secret_key",
            format!("The key is in {}/{} on this machine.", app.config.data.display(), secret::FILE),
            "Other nodes cannot read what this one sealed.",
            "Set the same HOGWIRE_SECRET_KEY on every node.",
        ),
        (Origin::Environment, _) => Finding::ok("secret_key", "HOGWIRE_SECRET_KEY is set."),
        (Origin::File | Origin::Made, _) => {
            let found = format!("The key is in {}/{}; no backup holds it.", app.config.data.display(), secret::FILE);
            Finding::ok("secret_key", found)
        }
    }
}

/// What is sealed under a key that is not set.
fn locked(app: &App) -> Option<Finding> {
    let names = app.engine.locked_secrets().ok()?;
    if names.is_empty() {
        return None;
    }
    Some(Finding::failure(
        "locked_secrets",
        format!("No key that is set opens {}.", names.join(", ")),
        "What needs them is off; campaigns and mail go on.",
        "Add the key that sealed them (HOGWIRE_SECRET_KEY=new,old) and run `hogwire secrets rotate`; or remove the credential and connect again.",
    ))
}

fn worker(app: &App) -> Finding {
    if !app.pulse.running.load(Ordering::Relaxed) {
        return Finding::ok("worker", "No worker runs in this process.");
    }
    let now = app.now();
    let stuck = Work::ALL.into_iter().filter(|work| now.since(app.pulse.last(*work)) > STUCK);
    let stuck: Vec<&str> = stuck.map(Work::as_str).collect();
    if stuck.is_empty() {
        return Finding::ok("worker", "Every kind of work comes round.");
    }
    Finding::failure(
        "worker",
        format!("Nothing has come round for a minute: {}.", stuck.join(", ")),
        "Events are kept, and nothing is made of them.",
        "See the log, and start the server again.",
    )
}

fn paused(app: &App) -> Vec<Finding> {
    let pauses = app.engine.store().read().and_then(|mut tx| pauses::all(&mut tx)).unwrap_or_default();
    let told = pauses.into_iter().map(|pause| {
        let what = match pause.subject.as_str() {
            "*" => "all",
            other => other,
        };
        Finding::warning(
            "paused",
            format!("Stopped since {} by {}: {}", pause.at, pause.actor, pause.reason),
            "What would be sent waits, and nothing is lost.",
            match pause.subject.split_once(':') {
                Some((kind, name)) => format!("Run `hogwire resume --{kind} {name}` to let it go on."),
                None => "Run `hogwire resume --all` to let it go on.".to_owned(),
            },
        )
        .about(what)
    });
    told.collect()
}

fn set_aside(app: &App) -> Option<Finding> {
    let rows = app.engine.set_aside(100).ok()?;
    let newest = rows.first()?;
    Some(Finding::warning(
        "set_aside",
        format!("{} records could not be decided; the newest: {}", rows.len(), newest.message),
        "They are kept and have no effect.",
        "Look at them on the event log's page.",
    ))
}
