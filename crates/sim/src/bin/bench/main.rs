//! `bench [NAME]`: speed as ratios, each measured in one run against a yardstick on the same
//! machine, taking turns. Prints a line per figure; without a name it measures everything
//! and writes the table in `BENCH.md` again.
//!
//! What each name means stands in `BENCH.md`. Run it in release, with the release binary of
//! the server beside it. Figures are what was measured, short of the target or not.

mod bare;
mod child;
mod decide;
mod door;
mod events;
mod figure;
mod ground;
mod load;
mod postgres_rows;
mod render;
mod rows;
mod sleepers;
mod start;
mod table;

use std::process::ExitCode;

use figure::Figure;

type Outcome = Result<Vec<Figure>, String>;
type Bench = (&'static str, fn() -> Outcome);

/// Every benchmark by its name, in the order of the table.
const ALL: [Bench; 10] = [
    ("P1", door::acknowledged),
    ("P2", decide::decided),
    ("P3", door::waited),
    ("P4", door::mailed),
    ("P5", sleepers::asleep),
    ("P9", start::cold),
    ("P10", decide::many),
    ("P11", render::rendered),
    ("P12", postgres_rows::decided),
    ("P14", door::sustained),
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == bare::NAME) {
        return bare::run();
    }
    let wanted: Vec<&Bench> = ALL
        .iter()
        .filter(|(name, _)| words.is_empty() || words.iter().any(|word| word.eq_ignore_ascii_case(name)))
        .collect();
    if wanted.is_empty() {
        eprintln!("bench [NAME], where NAME is one of {}", ALL.map(|(name, _)| name).join(", "));
        return ExitCode::from(2);
    }
    let mut figures = Vec::new();
    let mut failed = false;
    for (name, measure) in wanted {
        match measure() {
            Ok(measured) => {
                for figure in &measured {
                    println!("{figure}");
                }
                figures.extend(measured);
            }
            Err(why) => {
                failed = true;
                eprintln!("{name} could not be measured: {why}");
            }
        }
    }
    if words.is_empty()
        && let Err(why) = table::write(&figures)
    {
        eprintln!("BENCH.md could not be written: {why}");
        failed = true;
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
