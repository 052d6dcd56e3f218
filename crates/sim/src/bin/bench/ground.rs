//! An engine with many contacts and twenty campaigns, and events that are to be decided.
//!
//! Of the events 40% change their contact, 10% enroll it, 20% are named by two campaigns
//! whose condition is false, which is recorded. The log lies in memory: what is measured is
//! deciding, not receiving.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use hogwire_connectors::Shape;
use hogwire_engine::campaigns::{Actor, Project, SourceFile};
use hogwire_engine::inbox::{Inbox, Record};
use hogwire_engine::outside::{NoDns, Outside};
use hogwire_engine::secrets::Keyring;
use hogwire_engine::store::Store;
use hogwire_engine::{Engine, Work};
use hogwire_model::Time;
use hogwire_sim::clock::Clock;
use hogwire_sim::disk::MemoryDisk;
use hogwire_sim::faults::Faults;
use hogwire_sim::net::Net;
use hogwire_sim::script;
use hogwire_sim::seed::{Dice, SeededEntropy};
use hogwire_sim::vendors::posthog::PostHog;
use tempfile::TempDir;

use crate::child::KEY;
use crate::events::body;

const BEGAN: i64 = 1_772_442_000_000;
const AT_ONCE: u64 = 4_000;

pub struct Ground {
    pub engine: Engine,
    pub folder: TempDir,
    pub now: Time,
    contacts: u64,
    made: u64,
    dice: Dice,
}

impl Ground {
    /// Fills it with contacts that no campaign has seen yet.
    pub fn new(contacts: u64) -> Result<Self, String> {
        Self::empty(contacts)?.filled()
    }

    pub fn filled(mut self) -> Result<Self, String> {
        let (contacts, ground) = (self.contacts, &mut self);
        ground.apply(&campaigns())?;
        for first in (0..contacts).step_by(AT_ONCE as usize) {
            let bodies = (first..(first + AT_ONCE).min(contacts)).map(|person| (person, "imported", 0)).collect();
            ground.receive(bodies)?;
            ground.decide()?;
        }
        Ok(self)
    }

    /// On a SQLite file, with the log in memory.
    pub fn empty(contacts: u64) -> Result<Self, String> {
        Self::on(contacts, |folder, disk| Ok((Store::sqlite(&folder.join("data/hogwire.db"))?, Inbox::log(disk)?)))
    }

    /// On a schema of a PostgreSQL server.
    pub fn postgres(contacts: u64, url: &str, schema: &str) -> Result<Self, String> {
        Self::on(contacts, |_, _| Ok((Store::postgres(url, schema)?, Inbox::table())))
    }

    fn on(
        contacts: u64,
        open: impl FnOnce(&Path, Arc<MemoryDisk>) -> hogwire_engine::Result<(Store, Inbox)>,
    ) -> Result<Self, String> {
        let told = |error: hogwire_engine::Error| error.to_string();
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        std::fs::create_dir_all(folder.path().join("data")).map_err(|error| error.to_string())?;
        let now = Time::from_millis(BEGAN);
        let mut dice = Dice::new(1);
        let net = Arc::new(Net::new(Clock::at(now), PostHog::new(script::POSTHOG), Faults::NONE, dice.fork()));
        let disk = Arc::new(MemoryDisk::default());
        let outside = Outside {
            http: net.clone(),
            mail: net.clone(),
            dns: Arc::new(NoDns),
            disk: disk.clone(),
            entropy: Arc::new(SeededEntropy::new(dice.fork())),
            wake: net,
        };
        let (store, inbox) = open(folder.path(), disk).map_err(told)?;
        let keyring = Keyring::parse(KEY).map_err(told)?;
        let engine = Engine::open(store, inbox, script::settings(), outside, keyring, now).map_err(told)?;
        Ok(Self { engine, folder, now, contacts, made: 0, dice })
    }

    pub fn apply(&self, campaigns: &[(String, String)]) -> Result<(), String> {
        let file =
            |(id, text): &(String, String)| SourceFile { id: id.clone(), kind: "yaml".into(), text: text.clone() };
        let project = Project { campaigns: campaigns.iter().map(file).collect(), templates: Vec::new() };
        let actor = Actor { name: "bench", origin: "file" };
        let changes = self.engine.apply(&project, actor, false, self.now).map_err(|error| error.to_string())?;
        match changes.iter().find(|change| change.problems.has_errors()) {
            Some(change) => Err(format!("{change:?}")),
            None => Ok(()),
        }
    }

    pub fn database(&self) -> PathBuf {
        self.folder.path().join("data/hogwire.db")
    }

    /// Puts that many events into the log, a second later.
    pub fn events(&mut self, number: u64) -> Result<(), String> {
        let some = self.some(number);
        self.receive(some)
    }

    /// What that many people do, a second later.
    pub fn some(&mut self, number: u64) -> Vec<(u64, &'static str, u64)> {
        self.now = self.now.plus(hogwire_model::Span::seconds(1));
        let mut some = Vec::new();
        for _ in 0..number {
            let person = self.dice.below(self.contacts);
            let name: &'static str = match self.dice.below(10) {
                0 => STARTED[self.dice.below(10) as usize],
                1 | 2 => "viewed",
                _ => PAGES[self.dice.below(7) as usize],
            };
            let visits = if self.dice.chance(0.4) { 1 + self.dice.below(1_000_000) } else { 0 };
            some.push((person, name, visits));
        }
        some
    }

    /// People, what they do, and how often they came: 0 changes nothing.
    pub fn receive(&mut self, some: Vec<(u64, &'static str, u64)>) -> Result<(), String> {
        let at = self.now.to_string();
        let mut bodies = Vec::new();
        for (person, name, visits) in some {
            bodies.push((1 + person, body(self.made, person, name, visits, &at)));
            self.made += 1;
        }
        let record = |body: &'_ Vec<u8>| Shape::as_str(hogwire_connectors::detect(body));
        for group in bodies.chunks(500) {
            let records: Vec<Record<'_>> = group
                .iter()
                // A person's events share a lane, as the door has it.
                .map(|(lane_hint, body)| Record {
                    connection: "posthog",
                    shape: record(body),
                    arrived: self.now,
                    body,
                    lane_hint: *lane_hint,
                })
                .collect();
            self.engine.receive(&records).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    pub fn decide(&self) -> Result<(), String> {
        while self.engine.step(Work::Decide, self.now).map_err(|error| error.to_string())?.did > 0 {}
        while self.engine.inbox().tidy().map_err(|error| error.to_string())? {}
        Ok(())
    }
}

const STARTED: [&str; 10] = [
    "started_0",
    "started_1",
    "started_2",
    "started_3",
    "started_4",
    "started_5",
    "started_6",
    "started_7",
    "started_8",
    "started_9",
];
const PAGES: [&str; 7] = ["$pageview", "$pageleave", "$autocapture", "searched", "exported", "invited", "renamed"];

/// Ten that events start, two whose condition is false, eight that nothing names.
fn campaigns() -> Vec<(String, String)> {
    let campaign = |n: usize, trigger: &str| {
        let text = format!(
            "name: C{n}\nstatus: active\ntrigger: {{ {trigger} }}\nentry: {{ every: true }}\nsteps: [ {{ wait: 30d }}, {{ exit: done }} ]\n"
        );
        (format!("c{n}"), text)
    };
    let never = "where: [ { key: plan, operator: exact, value: none, type: event } ]";
    (0..20)
        .map(|n| match n {
            0..10 => campaign(n, &format!("event: {}", STARTED[n])),
            10 | 11 => campaign(n, &format!("event: viewed, {never}")),
            _ => campaign(n, &format!("event: rare_{n}")),
        })
        .collect()
}
