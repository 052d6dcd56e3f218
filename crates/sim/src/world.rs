//! One world: an engine, what it stands on, what surrounds it, and the clock.

mod door;

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::Arc;

use hogwire_engine::campaigns::Actor;
use hogwire_engine::inbox::Inbox;
use hogwire_engine::outbox::brakes::{self, Subject};
use hogwire_engine::outside::{NoDns, Outside};
use hogwire_engine::secrets::Keyring;
use hogwire_engine::store::Store;
use hogwire_engine::{Engine, Work};
use hogwire_model::{Span, Time};
use tempfile::TempDir;

use crate::checks::{self, Ledger, Verdict};
use crate::clock::Clock;
use crate::disk::MemoryDisk;
use crate::faults::Faults;
use crate::net::{Break, Crash, Net};
use crate::readers::Readers;
use crate::script;
use crate::seed::{Dice, SeededEntropy};
use crate::traffic::Traffic;
use crate::vendors::mailbox::Mail;
use crate::vendors::posthog::{Destination, PostHog};

/// Segments small enough that a story rolls and archives some.
const SEGMENT_BYTES: u64 = 128 << 10;
const BEGAN: i64 = 1_772_442_000_000;

pub struct World {
    pub seed: u64,
    pub clock: Clock,
    pub net: Arc<Net>,
    pub disk: Arc<MemoryDisk>,
    pub traffic: Traffic,
    pub ledger: Ledger,
    /// Nothing while the process is dead.
    engine: Option<Engine>,
    outside: Outside,
    folder: TempDir,
    dice: Dice,
    readers: Readers,
    mails_read: usize,
    back_at: Time,
    turns: u64,
    crashes: u64,
}

/// What became of a world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub seed: u64,
    pub turns: u64,
    pub events: u64,
    pub mails: usize,
    pub captures: usize,
    pub crashes: u64,
    pub opt_outs: usize,
    /// A hash of everything that left the house: equal worlds have equal ones.
    pub mark: u64,
}

impl World {
    /// A rough world, the same for the same seed.
    pub fn new(seed: u64) -> Self {
        let faults = Faults::thrown(&mut Dice::new(seed).fork());
        Self::with(seed, faults)
    }

    /// A world in which nothing goes wrong.
    pub fn clean(seed: u64) -> Self {
        Self::with(seed, Faults::NONE)
    }

    pub fn with(seed: u64, faults: Faults) -> Self {
        let mut dice = Dice::new(seed);
        let clock = Clock::at(Time::from_millis(BEGAN));
        let mut posthog = PostHog::new(script::POSTHOG);
        posthog.add_destination(Destination {
            url: format!("{}/v1/webhooks/posthog", script::PUBLIC_URL),
            headers: Vec::new(),
            signing_secret: None,
            only: Vec::new(),
            // Nobody filtered our own events out: they all come back.
            never: Vec::new(),
        });
        let net = Arc::new(Net::new(clock.clone(), posthog, faults, dice.fork()));
        let disk = Arc::new(MemoryDisk::default());
        let outside = Outside {
            http: net.clone(),
            mail: net.clone(),
            dns: Arc::new(NoDns),
            disk: disk.clone(),
            entropy: Arc::new(SeededEntropy::new(dice.fork())),
            wake: net.clone(),
        };
        let mut world = Self {
            seed,
            clock,
            net,
            disk,
            traffic: Traffic::new(dice.fork()),
            ledger: Ledger::default(),
            engine: None,
            outside,
            folder: folder(seed),
            readers: Readers::new(dice.fork()),
            dice,
            mails_read: 0,
            back_at: Time::default(),
            turns: 0,
            crashes: 0,
        };
        world.open();
        world.apply();
        world
    }

    /// Breaks a promise on purpose.
    pub fn breaking(self, broken: Break) -> Self {
        self.net.ends().broken = Some(broken);
        self
    }

    pub fn now(&self) -> Time {
        self.clock.now()
    }

    pub fn engine(&self) -> &Engine {
        self.engine.as_ref().unwrap_or_else(|| self.fail("the process is dead"))
    }

    pub fn mails(&self) -> Vec<Mail> {
        self.net.ends().mailbox.all().to_vec()
    }

    fn fail(&self, why: &str) -> ! {
        panic!("seed={} turn={} at {}: {why}", self.seed, self.turns, self.now());
    }

    fn open(&mut self) {
        let opened = (|| {
            let store = Store::sqlite(&self.folder.path().join("hogwire.db"))?;
            let inbox = Inbox::log_of(self.outside.disk.clone(), SEGMENT_BYTES)?;
            let keyring = Keyring::parse(&"5a".repeat(32))?;
            Engine::open(store, inbox, script::settings(), self.outside.clone(), keyring, self.now())
        })();
        match opened {
            Ok(engine) => self.engine = Some(engine),
            Err(error) => self.fail(&format!("the database does not open: {error}")),
        }
    }

    fn apply(&self) {
        let actor = Actor { name: "simulator", origin: "file" };
        match self.engine().apply(&script::project(), actor, false, self.now()) {
            Ok(changes) if changes.iter().any(|change| change.problems.has_errors()) => {
                self.fail(&format!("the campaigns are not good: {changes:?}"));
            }
            Ok(_) => {}
            Err(error) => self.fail(&format!("the campaigns cannot be applied: {error}")),
        }
    }

    /// The process dies. Disk and database stay as they are.
    pub fn crash(&mut self) {
        self.engine = None;
        self.crashes += 1;
        self.back_at = self.now().plus(Span::seconds(self.dice.below(900) as i64));
    }

    /// Starts the process again, where it is dead.
    pub fn reopen(&mut self) {
        if self.engine.is_none() {
            self.open();
        }
    }

    /// One turn: time passes, people do things, everything due is done, promises are checked.
    pub fn turn(&mut self) {
        self.turns += 1;
        // Mostly moments, sometimes hours.
        let most = if self.dice.chance(0.05) { 14_400_000 } else { 300_000 };
        self.clock.turn(Span::millis(1 + self.dice.below(most) as i64));
        if self.now() >= self.back_at {
            self.reopen();
        }
        for event in self.traffic.at(self.clock.now(), 4) {
            self.net.ends().posthog.take(event);
        }
        self.work();
    }

    /// Everything due now is done, and the promises are checked.
    pub fn work(&mut self) {
        self.throw_tear();
        self.deliver();
        self.read();
        let mut order = Work::ALL;
        for place in (1..order.len()).rev() {
            order.swap(place, self.dice.below(place as u64 + 1) as usize);
        }
        let mut decided = false;
        for work in order {
            for _ in 0..50 {
                match self.step(work) {
                    Some(0) => {
                        decided |= work == Work::Decide;
                        break;
                    }
                    Some(_) => {}
                    None => break,
                }
            }
        }
        self.meet();
        self.check(decided);
    }

    /// Works on at this moment until nothing is left to do.
    pub fn settle(&mut self) {
        for _ in 0..12 {
            self.work();
        }
    }

    /// Lets time pass in small pieces, with all the work that falls due.
    pub fn pass(&mut self, span: Span) {
        let end = self.now().plus(span);
        while self.now() < end {
            let left = end.since(self.now()).as_millis();
            self.clock.turn(Span::millis(left.min(1_800_000)));
            if self.now() >= self.back_at {
                self.reopen();
            }
            self.work();
        }
    }

    /// The faults stop and nobody does anything new; everything settles, and the last
    /// promises are checked.
    pub fn rest(&mut self) -> Report {
        self.net.ends().faults = Faults::NONE;
        self.reopen();
        self.pass(Span::days(3));
        for _ in 0..30 {
            self.clock.turn(Span::hours(12));
            self.take_brakes_off();
            self.work();
        }
        let verdict = checks::at_rest(self.engine(), &self.net.ends());
        self.hold(verdict);
        self.report()
    }

    /// A person looks at a sender that stopped itself for its bounces, and lets it go on.
    fn take_brakes_off(&self) {
        let resumed = self.engine().with_parts(|parts| brakes::resume(parts, Subject::Sender("default")));
        if let Err(error) = resumed {
            self.fail(&format!("a sender cannot be resumed: {error}"));
        }
    }

    pub fn report(&self) -> Report {
        let ends = self.net.ends();
        let mut mark = DefaultHasher::new();
        for mail in ends.mailbox.all() {
            (mail.at.millis(), &mail.to, &mail.message_id, &mail.bytes).hash(&mut mark);
        }
        for event in ends.posthog.events() {
            (&event.uuid, &event.event, &event.distinct_id, event.timestamp.millis()).hash(&mut mark);
        }
        let captures = ends.posthog.events().iter().filter(|event| event.event.starts_with("hogwire_")).count();
        Report {
            seed: self.seed,
            turns: self.turns,
            events: self.ledger.accepted,
            mails: ends.mailbox.all().len(),
            captures,
            crashes: self.crashes,
            opt_outs: self.ledger.opt_outs(),
            mark: mark.finish(),
        }
    }

    fn throw_tear(&mut self) {
        let torn = self.net.ends().faults.torn;
        if self.dice.chance(torn) {
            self.disk.tear_next(self.dice.below(2_000) as usize);
        }
    }

    /// One step of one kind. Nothing where the process is dead or the step failed by a fault.
    fn step(&mut self, work: Work) -> Option<usize> {
        let engine = self.engine.as_ref()?;
        let (now, torn) = (self.clock.now(), self.disk.torn());
        match catch_unwind(AssertUnwindSafe(|| engine.step(work, now))) {
            Ok(Ok(stepped)) => Some(stepped.did),
            Ok(Err(_)) if self.disk.torn() > torn => {
                if self.dice.chance(0.5) {
                    self.crash();
                }
                None
            }
            Ok(Err(error)) => self.fail(&format!("{} failed: {error}", work.as_str())),
            Err(payload) if payload.is::<Crash>() => {
                self.crash();
                None
            }
            Err(payload) => resume_unwind(payload),
        }
    }

    fn check(&mut self, decided: bool) {
        let outside = self.ledger.ends(&self.net.ends());
        self.hold(Ok(outside));
        let Some(engine) = &self.engine else { return };
        let inside = checks::always(engine, self.clock.now());
        self.hold(inside);
        if decided && let Some(engine) = &self.engine {
            let kept = self.ledger.nothing_lost(engine);
            self.hold(kept);
        }
    }

    fn hold(&self, verdict: Verdict) {
        match verdict {
            Ok(Ok(())) => {}
            Ok(Err(why)) => self.fail(&why),
            Err(error) => self.fail(&format!("a check could not be made: {error}")),
        }
    }
}

/// In memory where the machine has such a place: a simulated disk needs no real one.
fn folder(seed: u64) -> TempDir {
    let memory = Path::new("/dev/shm");
    let prefix = format!("hogwire-sim-{seed}-");
    let made = tempfile::Builder::new().prefix(&prefix).tempdir_in(memory);
    match made.or_else(|_| tempfile::Builder::new().prefix(&prefix).tempdir()) {
        Ok(folder) => folder,
        Err(error) => panic!("there is no place for a world: {error}"),
    }
}
