//! The commands that only start a program of the workspace: simulator, benchmarks, crash test, demo.

use crate::run::{cargo, command, root, run};
use crate::{Failure, Outcome, counterparts};

pub fn sim(rest: &[String]) -> Outcome {
    start(&["run", "--package", "hogwire-sim", "--bin", "simulate", "--"], rest)?;
    Ok("no check was broken".into())
}

/// In release, beside a server in release: the benchmarks start it themselves.
pub fn bench(rest: &[String]) -> Outcome {
    start(&["build", "--release", "--package", "hogwire"], &[])?;
    start(&["run", "--release", "--package", "hogwire-sim", "--bin", "bench", "--"], rest)?;
    Ok("measured".into())
}

/// On SQLite and on a throwaway PostgreSQL. Only our own program is killed, so that server may do
/// without its fsync.
pub fn crash(rest: &[String]) -> Outcome {
    start(&["build", "--package", "hogwire"], &[])?;
    let postgres = counterparts::bring_up(&counterparts::postgres::COUNTERPART)?;
    let mut command = cargo(["run", "--package", "hogwire-sim", "--bin", "crash", "--"]);
    run(command.args(rest).envs(postgres.environment.iter().cloned()))?;
    Ok("nothing acknowledged was lost".into())
}

pub fn dev(rest: &[String]) -> Outcome {
    start(&["run", "--package", "hogwire", "--", "demo"], rest)?;
    Ok("the demo ended".into())
}

/// Builds the whole workspace once, with the features that the tests use, so that what follows builds
/// nothing a second time.
pub fn build_all() -> Result<(), Failure> {
    run(&mut cargo(["build", "--workspace", "--all-targets"]))
}

/// The simulator as `build_all` left it.
pub fn sim_built(arguments: &[&str]) -> Outcome {
    let mut simulate = command(root().join("target/debug/simulate"));
    run(simulate.args(arguments))?;
    Ok("simulated for a minute".into())
}

fn start(words: &[&str], rest: &[String]) -> Result<(), Failure> {
    let mut command = cargo(words.iter().copied());
    run(command.args(rest))
}
