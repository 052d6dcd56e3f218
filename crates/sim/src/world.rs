//! One world: an engine, what it stands on, what surrounds it, and the clock.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::Arc;

use hogwire_connectors::Shape;
use hogwire_engine::campaigns::Actor;
use hogwire_engine::inbox::{Inbox, Record};
use hogwire_engine::outbox::brakes::{self, Subject};
use hogwire_engine::outside::Outside;
use hogwire_engine::secrets::Keyring;
use hogwire_engine::store::Store;
use hogwire_engine::{Engine, Work};
use hogwire_model::{Span, Time};
use serde_json::Value;
use tempfile::TempDir;

use crate::checks::{self, Ledger, Verdict};
use crate::clock::Clock;
use crate::disk::MemoryDisk;
use crate::faults::{DoorFate, Faults};
use crate::net::{Break, Crash, Net};
use crate::readers::{self, Act, Readers};
use crate::script;
use crate::seed::{Dice, SeededEntropy};
use crate::traffic::{Traffic, captured};
use crate::vendors::mailbox::Mail;
use crate::vendors::posthog::{Captured, Delivery, Destination, PostHog};

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

    /// PostHog's deliveries on their way to our door.
    fn deliver(&mut self) {
        let now = self.now();
        let due = self.net.ends().posthog.due(now);
        for (delivery, _) in due {
            let faults = self.net.ends().faults;
            let fate = faults.door(&mut self.dice);
            let later = now.plus(Span::seconds(1 + self.dice.below(7_200) as i64));
            if fate == DoorFate::Delayed {
                self.net.ends().posthog.double(&delivery, later);
                continue;
            }
            let status = match fate {
                DoorFate::Lost => None,
                _ => self.knock(&delivery),
            };
            let heard = if fate == DoorFate::AnswerLost { None } else { status };
            let jitter = Span::millis(self.dice.below(1_000) as i64);
            let mut ends = self.net.ends();
            if fate == DoorFate::Doubled {
                ends.posthog.double(&delivery, later);
            }
            ends.posthog.settle(delivery, heard, jitter, now);
        }
    }

    /// One delivery at the door: what the route does, without sockets.
    fn knock(&mut self, delivery: &Delivery) -> Option<u16> {
        let engine = self.engine.as_ref()?;
        let shape = hogwire_connectors::detect(&delivery.body);
        if hogwire_connectors::check(shape, &delivery.body).is_err() {
            return Some(400);
        }
        let body: Value = serde_json::from_slice(&delivery.body).unwrap_or_default();
        let text = |name: &str| body["event"][name].as_str().unwrap_or_default().to_owned();
        let record = Record {
            connection: "posthog",
            shape: Shape::as_str(shape),
            arrived: self.clock.now(),
            body: &delivery.body,
            lane_hint: 0,
        };
        let loses = self.net.ends().broken == Some(Break::Lose) && self.ledger.accepted % 10 == 9;
        let (torn, received) = (self.disk.torn(), if loses { Ok(()) } else { engine.receive(&[record]).map(|_| ()) });
        match received {
            Ok(()) => {
                self.ledger.acknowledged(&text("uuid"), &text("event"));
                Some(202)
            }
            Err(_) if self.disk.torn() > torn => {
                if self.dice.chance(0.3) {
                    self.crash();
                }
                Some(503)
            }
            Err(error) => self.fail(&format!("an event could not be taken: {error}")),
        }
    }

    /// Readers hear of new mails.
    fn meet(&mut self) {
        if self.mails_read == usize::MAX {
            return;
        }
        let (now, ends) = (self.clock.now(), self.net.ends());
        for mail in &ends.mailbox.all()[self.mails_read..] {
            self.readers.got(mail, now);
        }
        self.mails_read = ends.mailbox.all().len();
    }

    fn read(&mut self) {
        while self.engine.is_some()
            && let Some(act) = self.readers.next(self.clock.now())
        {
            self.act(&act);
        }
    }

    /// A reader does something with a mail.
    pub fn act(&mut self, act: &Act) {
        let (now, torn) = (self.now(), self.disk.torn());
        let forgets = self.net.ends().broken == Some(Break::Forget);
        if forgets && let Act::Leave { address, .. } = act {
            self.ledger.opted_out(readers::OptOut { address: address.clone(), list: None, at: now });
            return;
        }
        match readers::act(self.engine(), act, now) {
            Ok(Ok(None)) => {}
            Ok(Ok(Some(word))) => self.ledger.opted_out(word),
            Ok(Err(why)) => self.fail(&why),
            Err(_) if self.disk.torn() > torn => self.readers.plan(now.plus(Span::minutes(1)), act.clone()),
            Err(error) => self.fail(&format!("a reader was turned away: {error}")),
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

    /// Somebody does something in the product, now.
    pub fn does(&mut self, id: &str, name: &str, properties: Value) {
        let event = captured(self.dice.uuid(), name, id, properties, self.now());
        self.take(event);
    }

    /// PostHog takes an event, now.
    pub fn take(&mut self, event: Captured) {
        self.net.ends().posthog.take(event);
    }

    /// Nobody opens or clicks but the story.
    pub fn without_readers(mut self) -> Self {
        self.mails_read = usize::MAX;
        self
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
