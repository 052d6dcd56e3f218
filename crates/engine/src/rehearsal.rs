//! A campaign rehearsed: the real engine over a database in memory, one contact, the events
//! that a test file lists, and a clock that jumps from one due moment to the next.
//!
//! Nothing leaves the process and nothing is kept. Caps, quiet hours, topics and the mapping
//! are those of the project; the test inbox is left out, senders are taken as verified, and
//! all events are taken to have arrived, so that an absence is known when it is due.

mod outside;
mod verdict;

use std::sync::Arc;

use hogwire_connectors::Shape;
use hogwire_model::campaign::rehearsal::{Cue, Happens, Rehearsal};
use hogwire_model::campaign::{self, Status};
use hogwire_model::explain::sentence;
use hogwire_model::{Span, Time};
use serde_json::{Value, json};

use crate::campaigns::{Actor, Project, What};
use crate::catalog::compile_template;
use crate::engine::{Engine, Work};
use crate::error::{Error, Result};
use crate::inbox::{Inbox, Record};
use crate::outbox::letter::{domain_of, party};
use crate::secrets::Keyring;
use crate::settings::{Connection, Sender, Settings};
use crate::store::{Store, coverage, decisions, enrollments, jobs, redirects};
use outside::Hands;

pub use verdict::{Happened, Rehearsed, Verdict};

/// By this name the rehearsal knows its contact.
const WHO: &str = "rehearsal";
const CONNECTION: &str = "posthog";
/// Opens a sealed store that nobody will open again.
const KEY: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// Rounds of work at one moment, and moments of one rehearsal.
const ROUNDS: usize = 200;
const MOMENTS: usize = 20_000;
const DECISIONS: usize = 5_000;

/// Plays a test against the project's campaigns and templates. A campaign that cannot be
/// activated is `Error::Refused` with its problems.
pub fn rehearse(project: &Project, settings: &Settings, rehearsal: &Rehearsal) -> Result<Rehearsed> {
    let stage = Stage::set(project, settings, rehearsal)?;
    stage.play(rehearsal)?;
    let happened = stage.happened(rehearsal)?;
    Ok(Rehearsed::judge(happened, &rehearsal.expect))
}

struct Stage {
    engine: Engine,
    hands: Arc<Hands>,
    connection: String,
}

impl Stage {
    /// The contact is known and the campaign runs a second before the test begins.
    fn set(project: &Project, settings: &Settings, rehearsal: &Rehearsal) -> Result<Self> {
        let now = rehearsal.starts.minus(Span::seconds(1));
        let hands = Arc::new(Hands::default());
        hands.move_to(now);
        let outside = outside::outside(&hands);
        let inbox = Inbox::log(outside.disk.clone())?;
        let keyring = Keyring::parse(KEY).map_err(|error| Error::Conflict(error.to_string()))?;
        let engine = Engine::open(Store::memory()?, inbox, staged(settings, project), outside, keyring, now)?;
        let connection = connection_of(project, rehearsal, &engine.settings());
        let stage = Self { engine, hands, connection };
        stage.receive("$set", "rehearsal-contact", now, json!({ "$set": rehearsal.contact }))?;
        stage.settle(now)?;
        stage.activate(project, &rehearsal.campaign, now)?;
        stage.settle(now)?;
        Ok(stage)
    }

    fn activate(&self, project: &Project, id: &str, now: Time) -> Result<()> {
        let actor = Actor { name: "rehearsal", origin: "file" };
        let changes = self.engine.apply(project, actor, false, now)?;
        let own = |resource: &str| changes.iter().find(|change| change.resource == resource && change.id == id);
        let change = own("campaign").ok_or_else(|| Error::Missing(format!("the file campaigns/{id}.yaml")))?;
        if change.what == What::Refused {
            return Err(Error::Refused(change.problems.clone()));
        }
        let broken = changes.iter().filter(|change| change.resource == "template" && change.what == What::Refused);
        let broken: Vec<_> = broken
            .flat_map(|change| {
                change.problems.0.iter().cloned().map(|mut problem| {
                    problem.path = format!("templates/{}: {}", change.id, problem.path);
                    problem
                })
            })
            .collect();
        match self.engine.change_status(id, Status::Active, actor, now) {
            // That a template does not compile says more than that there is none.
            Err(Error::Refused(mut problems)) => {
                problems.0.extend(broken);
                Err(Error::Refused(problems))
            }
            other => other.map(|_| ()),
        }
    }

    /// Jumps from one due moment to the next, up to the last one that the test speaks of.
    fn play(&self, rehearsal: &Rehearsal) -> Result<()> {
        let ends = rehearsal.starts.plus(rehearsal.ends()).plus(verdict::NEAR);
        let mut cues = rehearsal.events.iter().enumerate().peekable();
        let mut due = Some(rehearsal.starts);
        for _ in 0..MOMENTS {
            let next = cues.peek().map(|(_, cue)| rehearsal.starts.plus(cue.at));
            let Some(now) = next.into_iter().chain(due).min().filter(|now| *now <= ends) else {
                self.settle(ends)?;
                return Ok(());
            };
            self.hands.move_to(now);
            while let Some((number, cue)) = cues.next_if(|(_, cue)| rehearsal.starts.plus(cue.at) <= now) {
                self.cue(rehearsal, number, cue, now)?;
            }
            due = self.settle(now)?;
        }
        Err(Error::Conflict(format!("the rehearsal does not come to its end within {MOMENTS} moments")))
    }

    fn cue(&self, rehearsal: &Rehearsal, number: usize, cue: &Cue, now: Time) -> Result<()> {
        let properties = Value::Object(cue.properties.clone());
        match &cue.what {
            Happens::Event(name) => self.receive(name, &format!("rehearsal-{number}"), now, properties),
            Happens::Enroll => {
                let contact = format!("distinct_id:{WHO}");
                // Where the campaign does not take the contact, that is recorded.
                self.engine.enroll(&rehearsal.campaign, &contact, properties, &number.to_string(), now).map(|_| ())
            }
        }
    }

    fn receive(&self, name: &str, uuid: &str, at: Time, properties: Value) -> Result<()> {
        let body =
            json!({ "event": name, "distinct_id": WHO, "uuid": uuid, "timestamp": at, "properties": properties });
        let body = body.to_string().into_bytes();
        hogwire_connectors::check(Shape::Capture, &body).map_err(|refusal| Error::Conflict(refusal.to_string()))?;
        let record = Record {
            connection: &self.connection,
            shape: Shape::Capture.as_str(),
            arrived: at,
            body: &body,
            lane_hint: 0,
        };
        self.engine.receive(&[record]).map(|_| ())
    }

    /// Does all the work there is now, and answers when there is more.
    fn settle(&self, now: Time) -> Result<Option<Time>> {
        for _ in 0..ROUNDS {
            self.engine.store().write(|tx| {
                coverage::beat(tx, crate::settings::Policies::default().bridged_silence, now)?;
                coverage::close_gaps(tx, &self.connection, now)
            })?;
            let (mut did, mut due) = (0, None);
            for work in Work::ALL {
                let stepped = self.engine.step(work, now)?;
                did += stepped.did;
                // The house's own jobs come round every few seconds and change nothing here.
                let next = if work == Work::Tend { self.planned()? } else { stepped.next_due };
                due = due.into_iter().chain(next.filter(|next| *next > now)).min();
            }
            if did == 0 {
                return Ok(due);
            }
        }
        Err(Error::Conflict(format!("the campaign does not rest at {now}")))
    }

    fn planned(&self) -> Result<Option<Time>> {
        let mut tx = self.engine.store().read()?;
        let due = [jobs::next_of(&mut tx, "schedule")?, jobs::next_of(&mut tx, "survey")?];
        Ok(due.into_iter().flatten().min())
    }

    /// What the campaign decided about the contact, in its order.
    fn happened(&self, rehearsal: &Rehearsal) -> Result<Vec<Happened>> {
        let mut tx = self.engine.store().read()?;
        let Some(contact) = self.engine.find_contact(&mut tx, &format!("distinct_id:{WHO}"))? else {
            return Ok(Vec::new());
        };
        let family = redirects::family(&mut tx, &contact)?;
        let since = rehearsal.starts.minus(Span::days(1));
        let recorded = decisions::about(&mut tx, &family, Some(&rehearsal.campaign), since, DECISIONS)?;
        let runs = enrollments::of_contact(&mut tx, &contact, DECISIONS)?;
        let catalog = self.engine.catalog(&mut tx)?;
        let name = catalog.campaigns.get(&rehearsal.campaign).map_or("", |entry| entry.campaign.name.as_str());
        let told = recorded.into_iter().map(|line| {
            let word = line.decision.code.as_str();
            let ends = runs.iter().any(|run| {
                run.id == line.enrollment_id && run.ended_at == Some(line.at) && run.ending.as_deref() == Some(word)
            });
            Happened {
                after: line.at.since(rehearsal.starts).max(Span::ZERO),
                sentence: sentence(&line.decision, line.at, name),
                ends,
                decision: line.decision,
            }
        });
        Ok(told.collect())
    }
}

/// The project's settings, as far as they hold on a stage.
fn staged(settings: &Settings, project: &Project) -> Settings {
    let mut settings = settings.clone();
    settings.policies.test_inbox = None;
    if settings.public_url.is_empty() {
        "https://hogwire.invalid".clone_into(&mut settings.public_url);
    }
    if settings.senders.is_empty() {
        let from = "Rehearsal <rehearsal@hogwire.invalid>".to_owned();
        settings.senders.insert(
            "default".to_owned(),
            Sender { from, relay: None, per_second: None, per_hour: None, per_day: None },
        );
    }
    settings.connections.entry(CONNECTION.to_owned()).or_insert_with(connection);
    for connection in settings.connections.values_mut() {
        connection.test_mode = false;
        connection.starts_active = true;
    }
    let mut vouched: Vec<String> = settings.senders.values().map(|sender| domain_of(&party(&sender.from).1)).collect();
    for file in &project.templates {
        let compiled = compile_template(&file.id, &file.kind, &file.text);
        vouched.extend(compiled.ok().and_then(|compiled| Some(domain_of(&party(compiled.from()?).1))));
    }
    settings.vouched_domains.extend(vouched);
    settings
}

fn connection() -> Connection {
    Connection {
        connector: "posthog".to_owned(),
        ingestion_host: "https://hogwire.invalid".to_owned(),
        app_host: "https://hogwire.invalid".to_owned(),
        starts_active: true,
        ..Connection::default()
    }
}

/// The connection whose events the campaign counts.
fn connection_of(project: &Project, rehearsal: &Rehearsal, settings: &Settings) -> String {
    let file = project.campaigns.iter().find(|file| file.id == rehearsal.campaign);
    let named = file.and_then(|file| campaign::read(&file.text).ok()).and_then(|(campaign, _)| campaign.connection);
    named.filter(|name| settings.connections.contains_key(name)).unwrap_or_else(|| CONNECTION.to_owned())
}

#[cfg(test)]
mod tests;
