//! The engine: one door for everything that decides and keeps.
//!
//! It owns the store and the inbox, takes time as an argument, and never sleeps, spawns or
//! polls: the server's threads call `step` for each kind of work and wait outside.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use hogwire_model::Time;

use crate::access::Inbound;
use crate::catalog::Catalog;
use crate::domains::Signers;
use crate::error::Result;
use crate::inbox::{Inbox, Record};
use crate::journal::Journal;
use crate::outside::Outside;
use crate::recent::Recent;
use crate::secrets::Keyring;
use crate::settings::Settings;
use crate::store::{Store, Tx, settings as kept};
use crate::{ingest, jobs, mirror, outbox};

pub struct Engine {
    pub(crate) store: Store,
    pub(crate) inbox: Inbox,
    pub(crate) outside: Outside,
    pub(crate) keyring: Keyring,
    pub(crate) journal: Journal,
    pub(crate) inbound: RwLock<Arc<Vec<Inbound>>>,
    settings: RwLock<Arc<Settings>>,
    catalog: RwLock<Arc<Catalog>>,
    recent: Mutex<Recent>,
    pub(crate) signers: Signers,
}

/// The kinds of work that `step` does, each on a thread of its own in the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Work {
    /// Received events become decisions.
    Decide,
    /// Waits that are over.
    Wake,
    /// Messages to the mail server.
    Mail,
    /// Webhooks and events to other systems.
    Deliver,
    /// Destinations that are kept as contacts are here.
    Mirror,
    /// Standing jobs: schedules, surveys, moved history, coverage, retention.
    Tend,
}

impl Work {
    pub const ALL: [Self; 6] = [Self::Decide, Self::Wake, Self::Mail, Self::Deliver, Self::Mirror, Self::Tend];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Decide => "decide",
            Self::Wake => "wake",
            Self::Mail => "mail",
            Self::Deliver => "deliver",
            Self::Mirror => "mirror",
            Self::Tend => "tend",
        }
    }
}

/// What one step came to. `next_due` is when the same kind of work has something to do
/// again, as far as is known; nothing where only a wake-up call can tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stepped {
    pub did: usize,
    pub next_due: Option<Time>,
}

/// The answer to a delivery: every record is on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    pub accepted: usize,
    /// Of those accepted, how many were seen a moment ago. The step is the truth.
    pub duplicates: usize,
    /// Which they were, by their place among the records, in order.
    pub repeated: Vec<usize>,
}

impl Engine {
    /// Brings the store up to date, recovers what a crash left behind, and compiles what runs.
    pub fn open(
        store: Store,
        inbox: Inbox,
        settings: Settings,
        outside: Outside,
        keyring: Keyring,
        now: Time,
    ) -> Result<Self> {
        store.migrate(now)?;
        let journal = Journal::open(outside.disk.clone())?;
        let engine = Self {
            store,
            inbox,
            outside,
            keyring,
            journal,
            inbound: RwLock::default(),
            settings: RwLock::new(Arc::new(settings)),
            catalog: RwLock::default(),
            recent: Mutex::default(),
            signers: Signers::default(),
        };
        engine.settle_connections(now)?;
        let mut tx = engine.store.read()?;
        engine.catalog(&mut tx)?;
        drop(tx);
        Ok(engine)
    }

    pub fn settings(&self) -> Arc<Settings> {
        self.settings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn store(&self) -> &Store {
        &self.store
    }

    pub fn inbox(&self) -> &Inbox {
        &self.inbox
    }

    pub fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    pub fn outside(&self) -> &Outside {
        &self.outside
    }

    /// Makes records durable. When this answers, they are on disk and will be decided.
    pub fn receive(&self, records: &[Record<'_>]) -> Result<Receipt> {
        self.inbox.append(&self.store, records)?;
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let repeated: Vec<usize> = (0..records.len()).filter(|place| recent.saw(&records[*place])).collect();
        drop(recent);
        self.outside.wake.wake();
        Ok(Receipt { accepted: records.len(), duplicates: repeated.len(), repeated })
    }

    /// Does one batch of one kind of work.
    pub fn step(&self, work: Work, now: Time) -> Result<Stepped> {
        match work {
            Work::Decide => ingest::step(self, now),
            Work::Wake => jobs::advance::step(self, now),
            Work::Mail => self.with_parts(|parts| outbox::send::step(parts, now)).map(Stepped::from),
            Work::Deliver => self.with_parts(|parts| outbox::deliver::step(parts, now)).map(Stepped::from),
            Work::Mirror => mirror::step(self, now),
            Work::Tend => jobs::tend::step(self, now),
        }
    }

    /// What runs now. Read again when another node, or this one, has changed it.
    pub fn catalog(&self, tx: &mut Tx<'_>) -> Result<Arc<Catalog>> {
        let stamp = kept::number(tx, "catalog")?.unwrap_or(1);
        let held = self.catalog.read().unwrap_or_else(PoisonError::into_inner).clone();
        if held.stamp == stamp {
            return Ok(held);
        }
        let fresh = Arc::new(Catalog::load(tx, stamp, &held)?);
        *self.catalog.write().unwrap_or_else(PoisonError::into_inner) = fresh.clone();
        Ok(fresh)
    }
}
