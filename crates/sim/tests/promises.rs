//! Worlds from seeds: their promises hold, they replay, and a promise that is broken on
//! purpose is noticed and named with its seed.

use std::panic::{AssertUnwindSafe, catch_unwind};

use hogwire_sim::net::Break;
use hogwire_sim::{Report, World};

fn live(mut world: World, turns: u64) -> Report {
    for _ in 0..turns {
        world.turn();
    }
    world.rest()
}

#[test]
fn a_clean_world_keeps_its_promises() {
    let report = live(World::clean(1), 120);
    assert!(report.mails > 5 && report.captures > 5 && report.events > 100, "{report:?}");
    assert_eq!(report.crashes, 0);
}

#[test]
fn rough_worlds_keep_them_too() {
    for seed in [2, 3, 5] {
        let report = live(World::new(seed), 120);
        assert!(report.events > 50, "{report:?}");
    }
}

#[test]
fn the_same_seed_is_the_same_world() {
    assert_eq!(live(World::new(7), 80), live(World::new(7), 80));
}

#[test]
fn what_is_broken_on_purpose_is_found_and_told_with_the_seed() {
    for broken in [Break::Resend, Break::Lose, Break::Forget] {
        let found = catch_unwind(AssertUnwindSafe(|| live(World::clean(11).breaking(broken), 300)));
        let why = found.expect_err("a broken promise must be found");
        let why = why.downcast_ref::<String>().expect("a sentence");
        assert!(why.starts_with("seed=11 "), "{broken:?}: {why}");
    }
}

#[test]
fn the_program_fails_with_the_seed_that_plays_it_again() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_simulate"))
        .args(["--clean", "--seed", "21", "--turns", "200"])
        .env("HOGWIRE_SIM_BREAK", "resend")
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("seed=21 ") && said.contains("0 passed, 1 failed"), "{said}");
}
