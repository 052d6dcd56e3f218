//! `cargo x`: every chore of the project as one command, the same on a laptop and on CI.
//!
//! Each command prints what it runs before it runs it, ends in one summary line, and exits 0 when all
//! is well, 1 when something failed and 2 when it was called wrongly. It does not know how the product
//! works: the simulator, the benchmarks and the demo are programs of their own, which it starts.

mod check;
mod counterparts;
mod generate;
mod janitor;
mod programs;
mod rules;
mod run;
mod source;
mod test;
mod tree;

use std::process::ExitCode;
use std::time::Instant;

/// Why a command did not end well.
pub enum Failure {
    /// Something that was checked or run is not in order; the sentence says what.
    Failed(String),
    /// The command line makes no sense; the sentence says why.
    Misuse(String),
}

pub type Outcome = Result<String, Failure>;

const USAGE: &str = "\
cargo x COMMAND

  check             formatting, clippy, house rules, generated files
  rules             the house rules alone: a second, no compiler
  test [ARGS]       all tests, on SQLite and on a throwaway PostgreSQL; ARGS go to the test runner
  sim [ARGS]        the simulator: --minutes N, --seed S
  bench [NAME]      one benchmark, or all of them
  crash [ARGS]      kill -9 against the real binary, again and again
  dev               the demo, from the sources as they stand
  generate          writes docs/reference again from the code
  ci                check, sim for a minute, test
";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    let started = Instant::now();
    match dispatch(&command, &rest) {
        Ok(summary) => {
            println!("{command}: ok, {summary} ({} s)", started.elapsed().as_secs());
            ExitCode::SUCCESS
        }
        Err(Failure::Failed(reason)) => {
            eprintln!("{command}: failed, {reason} ({} s)", started.elapsed().as_secs());
            ExitCode::FAILURE
        }
        Err(Failure::Misuse(reason)) => {
            eprintln!("{reason}\n\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn dispatch(command: &str, rest: &[String]) -> Outcome {
    match command {
        "bench" => programs::bench(rest),
        "check" => none(rest).and_then(|()| check::check()),
        "ci" => none(rest).and_then(|()| ci()),
        "crash" => programs::crash(rest),
        "dev" => programs::dev(rest),
        "generate" => none(rest).and_then(|()| generate::write()),
        "rules" => none(rest).and_then(|()| check::rules_only()),
        "sim" => programs::sim(rest),
        "test" => test::test(rest),
        "" | "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok("that is all there is".into())
        }
        other => Err(Failure::Misuse(format!("there is no command `{other}`"))),
    }
}

/// The tests come last, so that a log's end is the test runner's own summary.
fn ci() -> Outcome {
    let checked = check::check()?;
    programs::build_all()?;
    let simulated = programs::sim_built(&["--minutes", "1"])?;
    let tested = test::test(&[])?;
    Ok(format!("{checked}; {simulated}; {tested}"))
}

fn none(rest: &[String]) -> Result<(), Failure> {
    match rest.first() {
        None => Ok(()),
        Some(extra) => Err(Failure::Misuse(format!("`{extra}` is not understood here"))),
    }
}
