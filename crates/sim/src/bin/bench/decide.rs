//! P2 and P10: events decided per second on one thread, against the same rows written by
//! bare statements into a copy of the same database, in as many transactions, with no
//! thinking.
//!
//! What the engine wrote in a round is found by comparing its database with the copy made
//! before; those very rows are what the yardstick writes. Reading the log is part of ours.

use std::time::Instant;

use hogwire_engine::Work;

use crate::Outcome;
use crate::figure::{Figure, Target, median, short};
use crate::ground::Ground;
use crate::rows::Rows;

const CONTACTS: u64 = 100_000;
const MANY: u64 = 3_000_000;
const ROUNDS: usize = 5;
/// Events of one round.
const ROUND: u64 = 20_000;

/// Our rate and the yardstick's, medians over rounds that take turns.
struct Measured {
    ours: f64,
    bare: f64,
    batches: usize,
    rows: usize,
}

fn measure(contacts: u64, with_bare: bool) -> Result<Measured, String> {
    let told = |error: hogwire_engine::Error| error.to_string();
    let mut ground = Ground::new(contacts)?;
    let (mut a, mut b) = (Vec::new(), Vec::new());
    let (mut batches, mut rows) = (0, 0);
    for round in 0..=ROUNDS {
        ground.events(ROUND)?;
        let before = ground.folder.path().join("before.db");
        if with_bare {
            let _ = std::fs::remove_file(&before);
            ground.engine.backup(&before, ground.now).map_err(told)?;
        }
        let began = Instant::now();
        batches = 0;
        while ground.engine.step(Work::Decide, ground.now).map_err(told)?.did > 0 {
            batches += 1;
        }
        let took = began.elapsed().as_secs_f64();
        let bare = match with_bare {
            true => {
                let written = Rows::between(&ground.database(), &before)?;
                rows = written.len();
                written.write(&before, batches)?
            }
            false => f64::NAN,
        };
        // The first round warms up.
        if round > 0 {
            a.push(ROUND as f64 / took);
            b.push(ROUND as f64 / bare);
        }
    }
    Ok(Measured { ours: median(&mut a), bare: median(&mut b), batches, rows })
}

pub fn decided() -> Outcome {
    let seen = measure(CONTACTS, true)?;
    let note = format!("{} rows in {} transactions for {ROUND} events", seen.rows, seen.batches);
    Ok(vec![Figure { name: "P2", a: seen.ours, b: seen.bare, unit: "events/s", target: Target::AtLeast(0.6), note }])
}

/// Our rate alone, for what is measured against it.
pub fn rate() -> Result<f64, String> {
    measure(CONTACTS, false).map(|seen| seen.ours)
}

pub fn many() -> Outcome {
    let few = rate()?;
    let began = Instant::now();
    let many = measure(MANY, false)?;
    let note = format!(
        "{MANY} contacts against {CONTACTS}; filled and measured in {} s",
        short(began.elapsed().as_secs_f64())
    );
    Ok(vec![Figure { name: "P10", a: many.ours, b: few, unit: "events/s", target: Target::AtLeast(0.6), note }])
}
