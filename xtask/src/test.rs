//! `cargo x test`: every test, with the real counterparts that they ask for.
//!
//! With arguments, they are handed to the runner (`cargo x test -p hogwire-engine contacts`) and the
//! browser's tests are left out.

use std::path::Path;

use crate::counterparts::{self, Running};
use crate::run::{cargo, command, find, root, run};
use crate::{Failure, Outcome};

const BROWSER: &str = "crates/server/tests/browser/run.mjs";

pub fn test(rest: &[String]) -> Outcome {
    let root = root();
    let with_browser = rest.is_empty() && root.join(BROWSER).is_file();
    let mut started: Vec<Running> = Vec::new();
    for counterpart in counterparts::all() {
        if (counterpart.wanted)(&root) && (with_browser || counterpart.name != "browser") {
            started.push(counterparts::bring_up(counterpart)?);
        }
    }
    let environment: Vec<(String, String)> =
        started.iter().flat_map(|running| running.environment.iter().cloned()).collect();
    for (name, value) in &environment {
        println!("{name}={value}");
    }
    run(runner(rest).envs(environment.iter().cloned()))?;
    if with_browser {
        browser(&root, &environment)?;
        return Ok("all tests passed, those in the browser too".into());
    }
    Ok("the tests passed".into())
}

fn runner(rest: &[String]) -> std::process::Command {
    let on_ci = std::env::var_os("CI").is_some();
    let chosen = rest.iter().any(|word| matches!(word.as_str(), "-p" | "--package" | "--workspace"));
    let home = std::env::var_os("CARGO_HOME").map(|home| Path::new(&home).join("bin"));
    let further: Vec<_> = home.into_iter().collect();
    let mut command = if find(&["cargo-nextest"], &further).is_some() {
        let mut command = cargo(["nextest", "run"]);
        if on_ci {
            command.args(["--profile", "ci"]);
        }
        command
    } else {
        cargo(["test", "--lib", "--bins", "--tests"])
    };
    if !chosen {
        command.arg("--workspace");
    }
    command.args(rest);
    command
}

fn browser(root: &Path, environment: &[(String, String)]) -> Result<(), Failure> {
    run(&mut cargo(["build", "--package", "hogwire"]))?;
    let binary = root.join("target/debug/hogwire");
    let mut node = command("node");
    node.arg(BROWSER).env("HOGWIRE_TEST_BINARY", binary).envs(environment.iter().cloned());
    run(&mut node)
}
