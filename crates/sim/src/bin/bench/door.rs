//! The door under load: P1 (acknowledged per second), P3 (how long one waits at half of
//! that), P4 (from the webhook to a mail), P14 (acknowledged and decided for a minute).
//!
//! Load comes from this process over 64 kept connections; the server and the yardstick are
//! processes of their own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hogwire_engine::store::{Store, events as stored};
use hogwire_model::Outcome as Said;
use hogwire_sim::smtp::{self, Postman};
use tokio::net::TcpListener;

use crate::Outcome;
use crate::child::{Served, folder};
use crate::events::uuid;
use crate::figure::{Figure, Target, median, percentile, short};
use crate::load::{Load, flush_time};

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(2);
/// What PostHog lets a webhook take before it costs, in milliseconds.
const FREE: f64 = 222.0;

fn runtime() -> Result<tokio::runtime::Runtime, String> {
    tokio::runtime::Runtime::new().map_err(|error| error.to_string())
}

/// One round of as many requests as go through: requests per second and processor
/// microseconds for each.
async fn flat_out(served: &Served, load: &Load, time: Duration) -> Result<(f64, f64), String> {
    let (began, before) = (Instant::now(), served.processor());
    let done = load.flat_out(&served.host, time).await?;
    Ok((done as f64 / began.elapsed().as_secs_f64(), (served.processor() - before) * 1e6 / done as f64))
}

/// The bare handler's rate and ours without deciding, taking turns.
async fn door() -> Result<(Figure, f64), String> {
    let folder = folder(9)?;
    let load = Load::new("page_viewed");
    let bare = Served::bare()?.ready().await?;
    let ours = Served::hogwire(folder.path(), &["--door-only"])?.ready().await?;
    let (mut a, mut b, mut cost) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let (rate, micros) = flat_out(&ours, &load, ROUND).await?;
        let (yardstick, _) = flat_out(&bare, &load, ROUND).await?;
        if round > 0 {
            a.push(rate);
            b.push(yardstick);
            cost.push(micros);
        }
    }
    let note = format!(
        "fdatasync of 64 KB {} ms, {} µs of processor for each",
        short(flush_time(folder.path()).map_err(|error| error.to_string())?),
        short(median(&mut cost))
    );
    let (a, b) = (median(&mut a), median(&mut b));
    Ok((Figure { name: "P1", a, b, unit: "requests/s", target: Target::AtLeast(0.7), note }, a))
}

pub fn acknowledged() -> Outcome {
    Ok(vec![runtime()?.block_on(door())?.0])
}

pub fn waited() -> Outcome {
    runtime()?.block_on(async {
        let (_, rate) = door().await?;
        let folder = folder(9)?;
        let load = Load::new("page_viewed");
        let served = Served::hogwire(folder.path(), &[])?.ready().await?;
        let began = Instant::now();
        let mut waits = load.paced(&served.host, rate / 2.0, Duration::from_secs(8)).await?;
        let took = began.elapsed().as_secs_f64();
        let sent = waits.len();
        let decided = decided_of(folder.path(), load.uuids())?;
        let note = format!(
            "{} requests/s reached of {} wanted; {decided} of {sent} decided at its end",
            short(sent as f64 / took),
            short(rate / 2.0)
        );
        let a = percentile(&mut waits, 0.99);
        Ok(vec![Figure { name: "P3", a, b: FREE, unit: "ms", target: Target::AtMost(0.05), note }])
    })
}

/// How many of these events stand in the index.
fn decided_of(dir: &std::path::Path, uuids: std::ops::Range<u64>) -> Result<usize, String> {
    let told = |error: hogwire_engine::Error| error.to_string();
    let store = Store::sqlite(&dir.join("data/hogwire.db")).map_err(told)?;
    let mut tx = store.read().map_err(told)?;
    let all: Vec<String> = uuids.map(uuid).collect();
    let mut decided = 0;
    for some in all.chunks(10_000) {
        decided += stored::seen(&mut tx, "posthog", some.iter().map(String::as_str).collect()).map_err(told)?.len();
    }
    Ok(decided)
}

/// When each mail came.
#[derive(Default)]
struct Sink(Mutex<HashMap<String, Instant>>);

impl Postman for Sink {
    fn take(&self, _: &str, to: &str, _: &[u8]) -> Said {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(to.to_owned(), Instant::now());
        Said::Done("250 2.0.0 queued".to_owned())
    }
}

const EVENTS_A_SECOND: f64 = 1_000.0;

pub fn mailed() -> Outcome {
    runtime()?.block_on(async {
        let sink = Arc::new(Sink::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
        let port = listener.local_addr().map_err(|error| error.to_string())?.port();
        tokio::spawn(smtp::serve(listener, sink.clone()));
        let folder = folder(port)?;
        let served = Served::hogwire(folder.path(), &[])?.ready().await?;
        let load = Load::mixed("page_viewed", "user_signed_up");
        load.paced(&served.host, EVENTS_A_SECOND, Duration::from_secs(10)).await?;
        tokio::time::sleep(Duration::from_secs(2)).await;
        let sent = load.sent();
        let came = sink.0.lock().unwrap_or_else(PoisonError::into_inner);
        let wait =
            |(address, at): (&String, &Instant)| came.get(address).map(|came| came.duration_since(*at).as_secs_f64());
        let mut waits: Vec<f64> = sent.iter().filter_map(wait).collect();
        let note = format!(
            "{} of {} mails came; median {} s; no import beside it",
            waits.len(),
            sent.len(),
            short(percentile(&mut waits, 0.5))
        );
        let a = percentile(&mut waits, 0.99);
        Ok(vec![Figure { name: "P4", a, b: 1.0, unit: "s", target: Target::AtMost(0.25), note }])
    })
}

const LONG: Duration = Duration::from_secs(60);

pub fn sustained() -> Outcome {
    runtime()?.block_on(async {
        let bare = Served::bare()?.ready().await?;
        let mut rates = Vec::new();
        for _ in 0..ROUNDS {
            rates.push(flat_out(&bare, &Load::new("page_viewed"), ROUND).await?.0);
        }
        drop(bare);
        let b = median(&mut rates);
        let folder = folder(9)?;
        let served = Served::hogwire(folder.path(), &[])?.ready().await?;
        let load = Load::new("page_viewed");
        let wanted = b * 0.3;
        let began = Instant::now();
        let sent = load.paced(&served.host, wanted, LONG).await?.len();
        let took = began.elapsed().as_secs_f64();
        let decided = decided_of(folder.path(), load.uuids())?;
        let a = decided as f64 / took;
        let note =
            format!("{} acknowledged a second, {} undecided at the end", short(sent as f64 / took), sent - decided);
        Ok(vec![Figure { name: "P14", a, b, unit: "events/s", target: Target::AtLeast(0.3), note }])
    })
}
