//! The worker threads: each does one kind of work, batch after batch, and waits when there
//! is none. The only place in the whole program that sleeps.
//!
//! A bell wakes them when something arrived. A thread that found nothing does not look again
//! at once, however often the bell rings: under load one look serves many rings.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use hogwire_engine::outside::Wake;
use hogwire_engine::{Engine, Work};
use hogwire_model::Time;

use crate::adapters::clock::Clock;
use crate::telemetry::meters::Meters;

/// The longest wait: another node may have left work without ringing our bell.
const LONGEST: Duration = Duration::from_secs(1);
/// After an error.
const BACK_OFF: Duration = Duration::from_millis(500);

/// How long a thread that found nothing stays away, at least.
const fn rest(work: Work) -> Duration {
    match work {
        Work::Decide => Duration::from_millis(1),
        Work::Wake | Work::Mail | Work::Deliver => Duration::from_millis(8),
        Work::Mirror | Work::Tend => Duration::from_millis(100),
    }
}

/// Rung when there is something to do.
#[derive(Default)]
pub struct Bell {
    rings: Mutex<u64>,
    heard: Condvar,
}

impl Wake for Bell {
    fn wake(&self) {
        *self.rings.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.heard.notify_all();
    }
}

impl Bell {
    fn rings(&self) -> u64 {
        *self.rings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a ring after `known`, for a while at most.
    fn wait(&self, known: u64, longest: Duration) {
        let rings = self.rings.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.heard.wait_timeout_while(rings, longest, |rings| *rings == known);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }
}

/// When each kind of work last came round, in milliseconds of the clock.
#[derive(Default)]
pub struct Pulse {
    beats: [AtomicI64; Work::ALL.len()],
    pub running: AtomicBool,
}

impl Pulse {
    fn beat(&self, work: Work, now: Time) {
        let place = Work::ALL.iter().position(|known| *known == work).unwrap_or(0);
        self.beats[place].store(now.millis(), Ordering::Relaxed);
    }

    pub fn last(&self, work: Work) -> Time {
        let place = Work::ALL.iter().position(|known| *known == work).unwrap_or(0);
        Time::from_millis(self.beats[place].load(Ordering::Relaxed))
    }
}

/// The running threads.
pub struct Workers {
    stop: Arc<AtomicBool>,
    bell: Arc<Bell>,
    threads: Vec<JoinHandle<()>>,
}

/// What a worker thread works with.
#[derive(Clone)]
pub struct Tools {
    pub engine: Arc<Engine>,
    pub clock: Clock,
    pub bell: Arc<Bell>,
    pub meters: Arc<Meters>,
    pub pulse: Arc<Pulse>,
}

impl Workers {
    pub fn start(tools: &Tools) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let mut threads = Vec::new();
        for work in Work::ALL {
            // A thread that has not come to its first beat yet is not stuck.
            tools.pulse.beat(work, tools.clock.now());
            let (tools, stop) = (tools.clone(), stop.clone());
            let named = Builder::new().name(format!("hw-{}", work.as_str()));
            threads.push(named.spawn(move || run(&tools, work, &stop))?);
        }
        tools.pulse.running.store(true, Ordering::Relaxed);
        Ok(Self { stop, bell: tools.bell.clone(), threads })
    }

    /// Lets every thread finish its batch, and waits for it.
    pub fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.bell.wake();
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("a worker thread had panicked");
            }
        }
    }
}

fn run(tools: &Tools, work: Work, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let rings = tools.bell.rings();
        let now = tools.clock.now();
        tools.pulse.beat(work, now);
        match one(tools, work, now) {
            Some((did, _)) if did > 0 => {}
            Some((_, next_due)) => {
                let until = next_due.map_or(LONGEST, |due| tools.clock.until(due).min(LONGEST));
                let least = rest(work);
                pause(least, stop);
                tools.bell.wait(rings, until.saturating_sub(least));
            }
            None => pause(BACK_OFF, stop),
        }
    }
}

/// The one sleep.
fn pause(time: Duration, stop: &AtomicBool) {
    if !stop.load(Ordering::Relaxed) {
        std::thread::sleep(time);
    }
}

/// One batch. Nothing where it failed; a panic is a failed batch and not the thread's end.
fn one(tools: &Tools, work: Work, now: Time) -> Option<(usize, Option<Time>)> {
    let meters = tools.meters.work(work);
    let began = Instant::now();
    let stepped = catch_unwind(AssertUnwindSafe(|| tools.engine.step(work, now)));
    meters.steps.add(1);
    meters.micros.add(u64::try_from(began.elapsed().as_micros()).unwrap_or(0));
    match stepped {
        Ok(Ok(stepped)) => {
            meters.did.add(stepped.did as u64);
            Some((stepped.did, stepped.next_due))
        }
        Ok(Err(error)) => {
            meters.failed.add(1);
            tracing::error!("{} failed: {error}", work.as_str());
            None
        }
        Err(_) => {
            meters.failed.add(1);
            tools.meters.panics.add(1);
            tracing::error!("{} panicked; the batch will be tried again", work.as_str());
            None
        }
    }
}
