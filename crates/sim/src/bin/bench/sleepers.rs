//! P5: a million sleeping runs. What they cost an idle server in memory; then a hundred
//! thousand that are due at once: how fast they wake, and what that takes.

use std::time::{Duration, Instant};

use hogwire_engine::Work;
use hogwire_model::Span;
use tempfile::TempDir;

use crate::Outcome;
use crate::child::{self, Served, memory_of};
use crate::decide;
use crate::figure::{Figure, Target, median};
use crate::ground::Ground;

const SLEEPING: u64 = 1_000_000;
const DUE: u64 = 100_000;
const MEGABYTE: f64 = 1_048_576.0;

pub fn asleep() -> Outcome {
    let rate = decide::rate()?;
    let mut ground = Ground::empty(SLEEPING)?;
    let campaign = |id: &str, wait: &str| {
        let text = format!(
            "name: {id}\nstatus: active\ntrigger: {{ event: {id} }}\nentry: {{ every: true }}\nsteps: [ {{ wait: {wait} }}, {{ exit: done }} ]\n"
        );
        (id.to_owned(), text)
    };
    ground.apply(&[campaign("long", "3000d"), campaign("short", "1d")])?;
    for first in (0..SLEEPING).step_by(4_000) {
        let name = |person: u64| if person < DUE { "short" } else { "long" };
        ground.receive((first..first + 4_000).map(|person| (person, name(person), 0)).collect())?;
        ground.decide()?;
    }
    let (woken, meanwhile) = wake(&ground)?;
    let Ground { engine, folder, .. } = ground;
    drop(engine);
    let kept = held(folder)?;
    let note = |text: &str| text.to_owned();
    Ok(vec![
        Figure {
            name: "P5 asleep",
            a: kept / MEGABYTE,
            b: 10.0,
            unit: "MB",
            target: Target::AtMost(1.0),
            note: note("a million runs, over an empty server"),
        },
        Figure {
            name: "P5 woken",
            a: woken,
            b: rate,
            unit: "runs/s",
            target: Target::AtLeast(2.0),
            note: note("against events/s of P2"),
        },
        Figure {
            name: "P5 waking",
            a: meanwhile / MEGABYTE,
            b: 100.0,
            unit: "MB",
            target: Target::AtMost(1.0),
            note: note("most while waking, over before"),
        },
    ])
}

/// Runs woken per second, and the most memory that it took.
fn wake(ground: &Ground) -> Result<(f64, f64), String> {
    let now = ground.now.plus(Span::hours(25));
    let before = memory_of(std::process::id());
    let (mut did, mut most) = (0, 0.0_f64);
    let began = Instant::now();
    loop {
        let some = ground.engine.step(Work::Wake, now).map_err(|error| error.to_string())?.did;
        if some == 0 {
            break;
        }
        did += some;
        most = most.max(memory_of(std::process::id()) - before);
    }
    Ok((did as f64 / began.elapsed().as_secs_f64(), most))
}

/// What an idle server holds with these sleepers, over one that has none.
fn held(folder: TempDir) -> Result<f64, String> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    let empty = child::folder(9)?;
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        with.push(runtime.block_on(idle(folder.path()))?);
        without.push(runtime.block_on(idle(empty.path()))?);
    }
    Ok(median(&mut with) - median(&mut without))
}

async fn idle(dir: &std::path::Path) -> Result<f64, String> {
    let served = Served::hogwire(dir, &["--no-apply"])?.ready().await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    Ok(served.memory())
}
