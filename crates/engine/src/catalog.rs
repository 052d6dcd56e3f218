//! What runs now, compiled: campaigns as programs, templates ready to render.
//!
//! Read from the store when the engine opens and again whenever the `catalog` stamp in the
//! settings table moves, which any node does that changes a campaign or a template. A
//! template that has not changed is not compiled again.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use hogwire_model::campaign::{self, Program, Status, Trigger};
use hogwire_model::mapping::Mapping;
use hogwire_model::template::Compiled;
use hogwire_model::{Problem, Problems};

use crate::error::{Error, Result};
use crate::settings::Settings;
use crate::store::{self, Tx};

#[derive(Default)]
pub struct Catalog {
    pub stamp: i64,
    pub campaigns: BTreeMap<String, Entry>,
    pub templates: BTreeMap<String, Template>,
    /// Field mappings that were changed by hand, by connection.
    mappings: BTreeMap<String, Mapping>,
    /// Campaigns that events may start, by event name.
    starts: HashMap<String, Vec<Arc<Running>>>,
    /// Campaigns by the event that is their goal.
    aims: HashMap<String, Vec<Arc<Running>>>,
    /// Campaigns that wait for inactivity.
    idle: Vec<Arc<Running>>,
    /// Event names that some run may wait for, exit on or convert by.
    listens: HashSet<String>,
}

pub struct Entry {
    pub campaign: store::campaigns::Campaign,
    /// The newest version and those that runs still stand in.
    pub versions: BTreeMap<i64, Arc<Running>>,
    /// Why the newest version does not run although it should.
    pub problems: Problems,
}

/// One version of a campaign, ready to run.
pub struct Running {
    pub id: String,
    pub name: String,
    pub version: i64,
    pub status: Status,
    pub program: Program,
}

pub struct Template {
    pub version: i64,
    pub kind: String,
    pub source: String,
    /// Nothing where the source does not compile; then the problems say why.
    pub compiled: Option<Arc<Compiled>>,
    pub problems: Problems,
}

impl Catalog {
    /// Reads everything; takes over what `before` has compiled already.
    pub fn load(tx: &mut Tx<'_>, stamp: i64, before: &Self) -> Result<Self> {
        let mut catalog = Self { stamp, ..Self::default() };
        let in_use = store::campaigns::in_use(tx)?;
        for campaign in store::campaigns::all(tx)? {
            catalog.add_campaign(tx, campaign, &in_use, before)?;
        }
        for row in store::templates::all(tx)? {
            let template = match before.templates.get(&row.name) {
                Some(held) if held.version == row.version => held.again(),
                _ => Template::compile(&row),
            };
            catalog.templates.insert(row.name, template);
        }
        for (connection, definition) in store::mappings::in_force(tx)? {
            let mapping = serde_json::from_str(&definition)
                .map_err(|error| Error::Corrupt { what: "mapping", why: error.to_string() })?;
            catalog.mappings.insert(connection, mapping);
        }
        Ok(catalog)
    }

    /// How a connection's events are mapped: as changed by hand, else as the settings say.
    pub fn mapping<'a>(&'a self, settings: &'a Settings, connection: &str) -> &'a Mapping {
        self.mappings.get(connection).unwrap_or_else(|| settings.mapping(connection))
    }

    fn add_campaign(
        &mut self,
        tx: &mut Tx<'_>,
        campaign: store::campaigns::Campaign,
        in_use: &[(String, i64)],
        before: &Self,
    ) -> Result<()> {
        let held = before.campaigns.get(&campaign.id);
        let mut entry = Entry { campaign, versions: BTreeMap::new(), problems: Problems::default() };
        let mut wanted: Vec<i64> =
            in_use.iter().filter(|(id, _)| *id == entry.campaign.id).map(|(_, version)| *version).collect();
        wanted.push(entry.campaign.version);
        wanted.sort_unstable();
        wanted.dedup();
        for version in wanted {
            let same = held
                .and_then(|held| held.versions.get(&version))
                .filter(|running| running.status == entry.campaign.status && running.name == entry.campaign.name);
            if let Some(running) = same {
                entry.versions.insert(version, running.clone());
                continue;
            }
            let Some(row) = store::campaigns::version(tx, &entry.campaign.id, version)? else { continue };
            match campaign::read(&row.definition) {
                Ok((definition, _)) => {
                    let running = Running {
                        id: entry.campaign.id.clone(),
                        name: entry.campaign.name.clone(),
                        version,
                        status: entry.campaign.status,
                        program: Program::compile(&definition),
                    };
                    entry.versions.insert(version, Arc::new(running));
                }
                Err(problems) => entry.problems = problems,
            }
        }
        self.index(&entry);
        self.campaigns.insert(entry.campaign.id.clone(), entry);
        Ok(())
    }

    fn index(&mut self, entry: &Entry) {
        for running in entry.versions.values() {
            self.listens.extend(running.program.trigger_events().map(str::to_owned));
        }
        if let Some(newest) = entry.versions.get(&entry.campaign.version)
            && matches!(entry.campaign.status, Status::Active | Status::Test)
            && matches!(newest.program.campaign.trigger, Trigger::Inactive(_))
        {
            self.idle.push(newest.clone());
        }
        let starts = matches!(entry.campaign.status, Status::Active | Status::Test | Status::Paused);
        if let Some(newest) = entry.versions.get(&entry.campaign.version).filter(|_| starts) {
            let named: HashSet<&str> =
                newest.program.trigger_events().filter(|name| newest.program.named_by_trigger(name)).collect();
            if let Some(goal) = &newest.program.campaign.goal {
                self.aims.entry(goal.event.clone()).or_default().push(newest.clone());
            }
            for name in named {
                self.starts.entry(name.to_owned()).or_default().push(newest.clone());
            }
        }
    }

    /// Campaigns whose trigger names this event. `inactive: any` is not asked per event.
    pub fn started_by(&self, event: &str) -> &[Arc<Running>] {
        self.starts.get(event).map_or(&[], Vec::as_slice)
    }

    /// Whether some run may care about an event of this name.
    pub fn listens_to(&self, event: &str) -> bool {
        self.listens.contains(event) || self.idled_by(event).next().is_some()
    }

    /// Campaigns for which this event counts as activity.
    pub fn idled_by<'a>(&'a self, event: &'a str) -> impl Iterator<Item = &'a Arc<Running>> {
        self.idle.iter().filter(move |running| match &running.program.campaign.trigger {
            Trigger::Inactive(inactive) => inactive.named().is_none_or(|name| name == event),
            _ => false,
        })
    }

    /// Running campaigns whose goal is this event.
    pub fn aiming_at<'a>(&'a self, event: &'a str) -> impl Iterator<Item = &'a Arc<Running>> {
        self.aims.get(event).into_iter().flatten()
    }

    pub fn running(&self, campaign: &str, version: i64) -> Option<&Arc<Running>> {
        self.campaigns.get(campaign)?.versions.get(&version)
    }

    pub fn newest(&self, campaign: &str) -> Option<&Arc<Running>> {
        let entry = self.campaigns.get(campaign)?;
        entry.versions.get(&entry.campaign.version)
    }

    /// Newest versions of the campaigns that may start runs.
    pub fn active(&self) -> impl Iterator<Item = &Arc<Running>> {
        self.campaigns
            .values()
            .filter(|entry| matches!(entry.campaign.status, Status::Active | Status::Test))
            .filter_map(|entry| entry.versions.get(&entry.campaign.version))
    }
}

impl Template {
    fn compile(row: &store::templates::Template) -> Self {
        let (compiled, problems) = match compile_template(&row.name, &row.kind, &row.source) {
            Ok(compiled) => (Some(Arc::new(compiled)), Problems::default()),
            Err(problems) => (None, problems),
        };
        Self { version: row.version, kind: row.kind.clone(), source: row.source.clone(), compiled, problems }
    }

    fn again(&self) -> Self {
        Self {
            version: self.version,
            kind: self.kind.clone(),
            source: self.source.clone(),
            compiled: self.compiled.clone(),
            problems: self.problems.clone(),
        }
    }
}

/// Compiles a template's source, as `apply`, the console's preview and the catalog all do.
pub fn compile_template(name: &str, kind: &str, source: &str) -> Result<Compiled, Problems> {
    let Some(kind) = hogwire_model::template::Kind::parse(kind) else {
        return Err(Problems(vec![Problem::error(
            "unknown_template_kind",
            "",
            format!("`{kind}` is not a kind of template"),
            "Use mjml, html, md or txt.",
        )]));
    };
    Compiled::compile(name, source, kind)
}
