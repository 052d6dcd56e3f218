//! Runs: the model's turns carried out. One turn of one enrollment is decided by
//! `model::campaign::advance`; this turns what it causes into rows of the same transaction.
//!
//! Called by `fanout` (an event), `jobs::advance` (a wait that is over), and the mail job
//! (a message that settled).

use std::sync::Arc;

use hogwire_model::Time;
use hogwire_model::campaign::trigger::Admission;
use hogwire_model::campaign::{self, Code, Decision, Effect, Rest, Run, Settlement, Turn, Wake, trigger};
use hogwire_model::contact::Origin;
use hogwire_model::contact::timezone::{self, ZoneSources};
use serde_json::{Value, json};

use crate::catalog::{Catalog, Running};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::facts::ContactFacts;
use crate::outbox::{self, NewDelivery, NewMessage};
use crate::settings::Settings;
use crate::store::contacts::Stored;
use crate::store::decisions::Recorded;
use crate::store::enrollments::{Enrollment, Status};
use crate::store::{Tx, decisions, enrollments};

/// How many turns one wake may take: a skipped message wakes its run at once.
const TURNS: usize = 50;
/// How deep campaigns may enroll into one another within one step.
const DEPTH: usize = 5;

pub struct Runs<'r> {
    pub engine: &'r Engine,
    pub settings: Arc<Settings>,
    pub catalog: Arc<Catalog>,
    pub now: Time,
    decided: Vec<Recorded>,
    depth: usize,
    /// Which effect of its turn is being carried out.
    place: usize,
}

/// What began a run.
#[derive(Clone)]
pub struct Began {
    /// `connection:uuid`, or what else did: `date:…`, `schedule:…`, `api:…`, `campaign:…`.
    pub event: String,
    /// When that happened: `entry + 2d` counts from here.
    pub at: Time,
    pub properties: Value,
}

impl<'r> Runs<'r> {
    pub fn new(engine: &'r Engine, catalog: Arc<Catalog>, now: Time) -> Self {
        Self { engine, settings: engine.settings(), catalog, now, decided: Vec::new(), depth: 0, place: 0 }
    }

    pub fn last_decision(&self) -> Option<&Decision> {
        self.decided.last().map(|recorded| &recorded.decision)
    }

    /// Writes the decisions taken so far.
    pub fn finish(self, tx: &mut Tx<'_>) -> Result<()> {
        decisions::record(tx, &self.decided)
    }

    /// Notes a decision about a contact that did not enter.
    pub fn refuse(&mut self, running: &Running, contact: &str, event: &str, decision: Decision) {
        self.note(running, contact, "", event, decision);
    }

    /// Notes that a run reached the campaign's goal.
    pub fn converted(&mut self, running: &Running, contact: &str, run: &str, event: &str, decision: Decision) {
        self.note(running, contact, run, event, decision);
    }

    fn note(&mut self, running: &Running, contact: &str, enrollment: &str, event: &str, decision: Decision) {
        self.decided.push(Recorded {
            contact_id: contact.to_owned(),
            at: self.now,
            campaign_id: running.id.clone(),
            version: running.version,
            enrollment_id: enrollment.to_owned(),
            event: event.to_owned(),
            decision,
        });
    }

    /// Begins a run, or a watch that may become one at `watch`.
    pub fn enter(
        &mut self,
        tx: &mut Tx<'_>,
        running: &Arc<Running>,
        stored: &mut Stored,
        began: &Began,
        watch: Option<Time>,
    ) -> Result<Enrollment> {
        let mut run = Run::new(began.at);
        run.due = watch;
        let mut enrollment = Enrollment {
            id: self.engine.outside.entropy.id("enr", self.now),
            campaign_id: running.id.clone(),
            version: running.version,
            contact_id: stored.contact.id.clone(),
            status: if watch.is_some() { Status::Watching } else { Status::Active },
            position: String::new(),
            run: encode(&run)?,
            trigger_event: began.event.clone(),
            trigger_properties: began.properties.to_string(),
            entered_at: self.now,
            due_at: watch,
            ended_at: None,
            ending: None,
        };
        if let Some(until) = watch {
            let decision = Decision::new(Code::Watching, json!({ "until": until }));
            self.note(running, &stored.contact.id, &enrollment.id, &began.event, decision);
        }
        enrollments::add(tx, &enrollment)?;
        if watch.is_none() {
            self.wake(tx, &mut enrollment, stored, Wake::Entered)?;
        }
        Ok(enrollment)
    }

    /// A watch that is over becomes a run.
    pub fn confirm(&mut self, tx: &mut Tx<'_>, enrollment: &mut Enrollment, stored: &mut Stored) -> Result<bool> {
        enrollment.status = Status::Active;
        enrollment.entered_at = self.now;
        // The run counts from the end of the watch: that is when the absence became true.
        enrollment.run = encode(&Run::new(self.now))?;
        self.wake(tx, enrollment, stored, Wake::Entered)
    }

    /// Ends a run or a watch outside its own course.
    pub fn end(&mut self, tx: &mut Tx<'_>, enrollment: &mut Enrollment, decision: Decision) -> Result<()> {
        close(enrollment, decision.code, self.now);
        if let Some(running) = self.catalog.running(&enrollment.campaign_id, enrollment.version).cloned() {
            let (contact, id, event) =
                (enrollment.contact_id.clone(), enrollment.id.clone(), enrollment.trigger_event.clone());
            self.note(&running, &contact, &id, &event, decision);
        }
        enrollments::update(tx, enrollment)
    }

    /// Wakes a run and lets it walk until it rests. Answers whether the contact changed.
    pub fn wake(
        &mut self,
        tx: &mut Tx<'_>,
        enrollment: &mut Enrollment,
        stored: &mut Stored,
        first: Wake<'_>,
    ) -> Result<bool> {
        let Some(running) = self.catalog.running(&enrollment.campaign_id, enrollment.version).cloned() else {
            let decision = Decision::new(Code::CampaignNotActive, json!({ "reason": "its version cannot be read" }));
            self.end(tx, enrollment, decision)?;
            return Ok(false);
        };
        let mut changed = false;
        let mut skipped = self.turn(tx, &running, enrollment, stored, first, &mut changed)?;
        for _ in 0..TURNS {
            let Some(code) = skipped else { break };
            let wake = Wake::Settled(Settlement::Skipped(code));
            skipped = self.turn(tx, &running, enrollment, stored, wake, &mut changed)?;
        }
        enrollments::update(tx, enrollment)?;
        Ok(changed)
    }

    /// One turn. Answers the code of a message that cannot even be queued, so that the run
    /// goes on at once.
    fn turn(
        &mut self,
        tx: &mut Tx<'_>,
        running: &Arc<Running>,
        enrollment: &mut Enrollment,
        stored: &mut Stored,
        wake: Wake<'_>,
        changed: &mut bool,
    ) -> Result<Option<Code>> {
        let mut run: Run = decode(&enrollment.run, "run")?;
        let began: Value = decode(&enrollment.trigger_properties, "trigger")?;
        let zone = self.zone(stored);
        let facts = ContactFacts::new(
            tx,
            (&self.engine.store, &self.engine.inbox),
            &stored.contact,
            stored.name.as_deref(),
            self.now,
        );
        let advance = campaign::advance(Turn {
            program: &running.program,
            run: &mut run,
            campaign_id: &running.id,
            contact: &stored.contact,
            facts: &facts,
            past: &facts,
            trigger: &began,
            zone: &zone,
            now: self.now,
            wake,
        });
        facts.finish()?;
        enrollment.position = run.position.clone().unwrap_or_default();
        enrollment.run = encode(&run)?;
        // That a mail was queued is told with the message's id, where it is queued.
        for decision in advance.decisions.into_iter().filter(|decision| decision.code != Code::Queued) {
            let (id, event) = (enrollment.id.clone(), enrollment.trigger_event.clone());
            self.note(running, &stored.contact.id, &id, &event, decision);
        }
        match &advance.rest {
            Rest::Until(at) | Rest::Event { deadline: at } => enrollment.due_at = Some(*at),
            Rest::Message => enrollment.due_at = None,
            Rest::Ended(ending) => close(enrollment, ending.code, self.now),
        }
        let mut skipped = None;
        for (place, effect) in advance.effects.into_iter().enumerate() {
            self.place = place;
            *changed |= matches!(effect, Effect::SetAttributes { .. });
            skipped = self.effect(tx, running, enrollment, stored, effect, &began)?.or(skipped);
        }
        Ok(skipped)
    }

    fn effect(
        &mut self,
        tx: &mut Tx<'_>,
        running: &Arc<Running>,
        enrollment: &Enrollment,
        stored: &mut Stored,
        effect: Effect,
        began: &Value,
    ) -> Result<Option<Code>> {
        match effect {
            Effect::Email { step, template, sender, topic, expires } => {
                let mail = Email { step, template, sender, topic, expires };
                return self.email(tx, running, enrollment, stored, mail);
            }
            Effect::SetAttributes { step, values } => {
                let values = self.rendered(Value::Object(values), stored, enrollment)?;
                self.set_attributes(tx, running, enrollment, stored, &step, values)?;
            }
            Effect::Enroll { campaign, properties, .. } => {
                self.enroll_elsewhere(tx, &campaign, properties, enrollment, stored)?;
            }
            Effect::Webhook { step, method, url, headers, body } => {
                let payload = json!({ "method": method, "url": url, "headers": headers, "body": body });
                self.delivery(tx, "webhook", "webhook", running, enrollment, &step, payload)?;
            }
            Effect::Capture { step, event, properties } => {
                let connection = self.connection_of(running, enrollment);
                let payload = json!({ "event": event, "properties": properties, "trigger": began });
                self.delivery(tx, "capture", &connection, running, enrollment, &step, payload)?;
            }
        }
        Ok(None)
    }

    /// Sets attributes, and tells every source that takes events back what has changed
    /// (SPEC G2). Our own mark on the event keeps it from coming in again.
    fn set_attributes(
        &self,
        tx: &mut Tx<'_>,
        running: &Running,
        enrollment: &Enrollment,
        stored: &mut Stored,
        step: &str,
        values: Value,
    ) -> Result<()> {
        let (mut set, mut unset) = (serde_json::Map::new(), Vec::new());
        for (name, value) in values.as_object().cloned().unwrap_or_default() {
            let changed = stored.contact.attributes.set(&name, &value, self.now, Origin::Campaign);
            match (changed, value) {
                (false, _) => {}
                (true, Value::Null) => unset.push(name),
                (true, value) => drop(set.insert(name, value)),
            }
        }
        if set.is_empty() && unset.is_empty() {
            return Ok(());
        }
        let properties = json!({ "$set": set, "$unset": unset });
        let payload = json!({ "event": "$set", "properties": properties, "filled": true });
        for (name, _) in self.settings.connections.iter().filter(|(_, connection)| connection.capture) {
            let step = format!("{step}:{name}");
            self.delivery(tx, "capture", name, running, enrollment, &step, payload.clone())?;
        }
        Ok(())
    }

    fn email(
        &mut self,
        tx: &mut Tx<'_>,
        running: &Running,
        enrollment: &Enrollment,
        stored: &Stored,
        mail: Email,
    ) -> Result<Option<Code>> {
        let Some(address) = &stored.contact.address else {
            let decision = Decision::at_step(Code::NoAddress, &mail.step, Value::Null);
            self.note(running, &stored.contact.id, &enrollment.id, &enrollment.trigger_event, decision);
            return Ok(Some(Code::NoAddress));
        };
        let message = NewMessage {
            contact_id: &stored.contact.id,
            campaign_id: &running.id,
            version: running.version,
            enrollment_id: &enrollment.id,
            step: &mail.step,
            template: &mail.template,
            topic: mail.topic.as_deref().or(running.program.campaign.topic.as_deref()).unwrap_or(""),
            sender: mail.sender.as_deref().unwrap_or("default"),
            address,
            expires: mail.expires,
            due: self.now,
            priority: running.program.campaign.priority,
            test: running.status == campaign::Status::Test || self.is_test(enrollment),
        };
        let id = outbox::queue_message(tx, &message, &*self.engine.outside.entropy, self.now)?;
        let decision = Decision::at_step(Code::Queued, &mail.step, json!({ "message": id, "template": mail.template }));
        self.note(running, &stored.contact.id, &enrollment.id, &enrollment.trigger_event, decision);
        Ok(None)
    }

    #[allow(clippy::too_many_arguments, reason = "one row's columns, given once")]
    fn delivery(
        &self,
        tx: &mut Tx<'_>,
        kind: &str,
        destination: &str,
        running: &Running,
        enrollment: &Enrollment,
        step: &str,
        payload: Value,
    ) -> Result<()> {
        let run: Run = decode(&enrollment.run, "run")?;
        let delivery = NewDelivery {
            // A step inside `repeat` is visited once a round, and one turn may hold several
            // rounds; each visit is an effect of its own.
            idempotency_key: &format!("{}:{step}:{}:{}", enrollment.id, run.rounds, self.place),
            destination,
            kind,
            contact_id: &enrollment.contact_id,
            campaign_id: &running.id,
            enrollment_id: &enrollment.id,
            step,
            payload: &payload.to_string(),
        };
        outbox::queue_delivery(tx, &delivery, &*self.engine.outside.entropy, self.now)?;
        Ok(())
    }

    /// Enrolls the contact in another campaign, by that campaign's own rules.
    fn enroll_elsewhere(
        &mut self,
        tx: &mut Tx<'_>,
        campaign: &str,
        properties: serde_json::Map<String, Value>,
        from: &Enrollment,
        stored: &mut Stored,
    ) -> Result<()> {
        if self.depth >= DEPTH {
            return Ok(());
        }
        let properties = self.rendered(Value::Object(properties), stored, from)?;
        let began = Began { event: format!("campaign:{}", from.id), at: self.now, properties };
        self.depth += 1;
        let entered = self.ask_to_enter(tx, campaign, stored, &began);
        self.depth -= 1;
        entered.map(|_| ())
    }

    /// Asks a campaign to take the contact now, as the API and other campaigns do.
    pub fn ask_to_enter(
        &mut self,
        tx: &mut Tx<'_>,
        campaign: &str,
        stored: &mut Stored,
        began: &Began,
    ) -> Result<Option<Enrollment>> {
        let Some(running) = self.catalog.newest(campaign).cloned() else {
            return Err(Error::Missing(format!("campaign {campaign}")));
        };
        let contact = stored.contact.id.clone();
        if !matches!(running.status, campaign::Status::Active | campaign::Status::Test) {
            let detail = json!({ "status": running.status });
            self.refuse(&running, &contact, &began.event, Decision::new(Code::CampaignNotActive, detail));
            return Ok(None);
        }
        let history = self.history(tx, &running, &contact, self.now)?;
        match trigger::admit(&running.program, self.now, self.now, &history) {
            Admission::Refuse(decision) if decision.code != Code::CountNotReached => {
                self.refuse(&running, &contact, &began.event, decision);
                Ok(None)
            }
            _ => self.enter(tx, &running, stored, began, None).map(Some),
        }
    }

    /// What a campaign's entry rule needs to know of a contact.
    pub fn history(&self, tx: &mut Tx<'_>, running: &Running, contact: &str, until: Time) -> Result<trigger::History> {
        let past = enrollments::history(tx, contact, &running.id)?;
        let hits = match trigger::hit_window(&running.program) {
            Some(window) => crate::store::hits::within(tx, &running.id, contact, until.minus(window), until)?,
            None => Vec::new(),
        };
        Ok(trigger::History {
            entries: past.iter().filter(|(_, status)| *status != Status::Watching).map(|(at, _)| *at).collect(),
            live: past.iter().any(|(_, status)| *status == Status::Active),
            hits,
        })
    }

    /// The contact's time zone by SPEC D8.
    pub fn zone(&self, stored: &Stored) -> jiff::tz::TimeZone {
        let policies = &self.settings.policies;
        let attribute = policies.time_zone_attribute.as_deref().and_then(|name| stored.contact.attributes.get(name));
        let sources = ZoneSources {
            attribute: attribute.as_ref().and_then(Value::as_str),
            derived: stored.zone.as_deref(),
            default: policies.time_zone.as_deref(),
            ..ZoneSources::default()
        };
        timezone::zone_of(&sources).0
    }

    /// Fills Liquid in the strings of a value, with the contact and the trigger in scope.
    fn rendered(&self, value: Value, stored: &Stored, enrollment: &Enrollment) -> Result<Value> {
        crate::rendering::fill(value, stored, &enrollment.trigger_properties, self.now)
            .map_err(|why| Error::Conflict(format!("a step's values cannot be filled: {why}")))
    }

    fn connection_of(&self, running: &Running, enrollment: &Enrollment) -> String {
        let own = running.program.campaign.connection.clone();
        let from_event = || {
            let (connection, _) = enrollment.trigger_event.split_once(':')?;
            self.settings.connections.contains_key(connection).then(|| connection.to_owned())
        };
        own.or_else(from_event)
            .or_else(|| self.settings.connections.keys().next().cloned())
            .unwrap_or_else(|| "posthog".to_owned())
    }

    fn is_test(&self, enrollment: &Enrollment) -> bool {
        enrollment
            .trigger_event
            .split_once(':')
            .and_then(|(connection, _)| self.settings.connections.get(connection))
            .is_some_and(|connection| connection.test_mode)
    }
}

/// Until when a watch waits. Its row may be asked earlier or later than that.
pub fn watched_until(enrollment: &Enrollment) -> Result<Time> {
    let run: Run = decode(&enrollment.run, "run")?;
    Ok(run.due.or(enrollment.due_at).unwrap_or(enrollment.entered_at))
}

/// Lets a watch wait until another time.
pub fn watch_until(enrollment: &mut Enrollment, until: Time) -> Result<()> {
    let mut run: Run = decode(&enrollment.run, "run")?;
    run.due = Some(until);
    enrollment.run = encode(&run)?;
    enrollment.due_at = Some(until);
    Ok(())
}

struct Email {
    step: String,
    template: String,
    sender: Option<String>,
    topic: Option<String>,
    expires: Option<Time>,
}

fn close(enrollment: &mut Enrollment, code: Code, now: Time) {
    enrollment.status = Status::Ended;
    enrollment.due_at = None;
    enrollment.ended_at = Some(now);
    enrollment.ending = Some(code.as_str().to_owned());
}

fn encode(run: &Run) -> Result<String> {
    serde_json::to_string(run).map_err(|error| Error::Corrupt { what: "run", why: error.to_string() })
}

fn decode<T: serde::de::DeserializeOwned>(text: &str, what: &'static str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| Error::Corrupt { what, why: error.to_string() })
}
