//! `simulate [--minutes N] [--seeds N] [--seed S]`: world after world until the time is up.
//!
//! Prints a line per seed and a summary. A broken promise prints its seed and the process
//! ends with 1; `--seed S` plays that world again.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hogwire_sim::net::Break;
use hogwire_sim::{Report, World};

const TURNS: u64 = 250;
const USAGE: &str = "simulate [--minutes N] [--seeds N] [--seed S] [--turns N] [--clean]";

struct Wanted {
    minutes: f64,
    seeds: u64,
    seed: Option<u64>,
    turns: u64,
    clean: bool,
    broken: Option<Break>,
}

fn main() -> ExitCode {
    let wanted = match read(std::env::args().skip(1)) {
        Ok(wanted) => wanted,
        Err(why) => {
            eprintln!("{why}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    if wanted.seed.is_none() {
        // The first failing seed says it again; the panic of every world would say it twice.
        std::panic::set_hook(Box::new(|_| {}));
    }
    let began = Instant::now();
    let first = wanted.seed.unwrap_or_else(fresh);
    let (mut passed, mut failed, mut events) = (0_u64, 0_u64, 0_u64);
    let mut seed = first;
    loop {
        match catch_unwind(AssertUnwindSafe(|| live(&wanted, seed))) {
            Ok(report) => {
                passed += 1;
                events += report.events;
                tell(&report);
            }
            Err(payload) => {
                failed += 1;
                println!("FAILED {}", sentence(&*payload));
                println!("play it again: simulate --seed {seed} --turns {}", wanted.turns);
            }
        }
        seed = seed.wrapping_add(1);
        let late = began.elapsed() >= Duration::from_secs_f64(wanted.minutes * 60.0);
        let enough = wanted.seeds > 0 && passed + failed >= wanted.seeds;
        if wanted.seed.is_some() || failed > 0 || enough || (wanted.seeds == 0 && late) {
            break;
        }
    }
    println!("{events} events, {passed} passed, {failed} failed, {} s", began.elapsed().as_secs());
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn live(wanted: &Wanted, seed: u64) -> Report {
    let mut world = if wanted.clean { World::clean(seed) } else { World::new(seed) };
    if let Some(broken) = wanted.broken {
        world = world.breaking(broken);
    }
    for _ in 0..wanted.turns {
        world.turn();
    }
    world.rest()
}

fn tell(report: &Report) {
    println!(
        "seed {}: {} turns, {} events, {} mails, {} captures, {} opt-outs, {} crashes, mark {:016x}",
        report.seed,
        report.turns,
        report.events,
        report.mails,
        report.captures,
        report.opt_outs,
        report.crashes,
        report.mark
    );
}

fn sentence(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().cloned();
    text.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

/// A number that no run before had.
fn fresh() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs() * 1_000
}

fn read(mut words: impl Iterator<Item = String>) -> Result<Wanted, String> {
    let broken = std::env::var("HOGWIRE_SIM_BREAK").ok();
    let broken = match broken {
        Some(name) => Some(Break::parse(&name).ok_or_else(|| format!("`{name}` is not a promise to break"))?),
        None => None,
    };
    let mut wanted = Wanted { minutes: 1.0, seeds: 0, seed: None, turns: TURNS, clean: false, broken };
    while let Some(word) = words.next() {
        let mut number = || {
            let text = words.next().ok_or_else(|| format!("{word} needs a number"))?;
            text.parse::<f64>().map_err(|_| format!("`{text}` is not a number"))
        };
        match word.as_str() {
            "--minutes" => wanted.minutes = number()?,
            "--seeds" => wanted.seeds = number()? as u64,
            "--turns" => wanted.turns = number()? as u64,
            "--seed" => wanted.seed = Some(number()? as u64),
            "--clean" => wanted.clean = true,
            other => return Err(format!("`{other}` is not understood")),
        }
    }
    Ok(wanted)
}
