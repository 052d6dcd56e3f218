//! Model, connectors and engine are given time, chance and settings as arguments, and hold no thread.

use super::{Rule, Violation};
use crate::tree::Tree;

pub const RULE: Rule = Rule {
    name: "below-the-adapters",
    sentence: "Model, connectors and engine read no clock, entropy, environment or file, open no socket, and start or stop no thread.",
    check,
};

/// Neighbouring segments of a path, and what the path reaches for.
const FORBIDDEN: &[(&[&str], &str)] = &[
    (&["Instant", "now"], "the clock"),
    (&["SystemTime", "now"], "the clock"),
    (&["Timestamp", "now"], "the clock"),
    (&["Uuid", "new_v4"], "entropy"),
    (&["Uuid", "now_v7"], "entropy"),
    (&["Zoned", "now"], "the clock"),
    (&["net", "TcpListener"], "a socket"),
    (&["net", "TcpStream"], "a socket"),
    (&["net", "UdpSocket"], "a socket"),
    (&["std", "env"], "the environment"),
    (&["std", "fs"], "files"),
    (&["thread", "sleep"], "a pause"),
    (&["thread", "spawn"], "a thread"),
];

const FOREIGN: &[&str] = &["getrandom", "rand", "tokio"];

fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for source in tree.product(&["crates/model/src/", "crates/connectors/src/", "crates/engine/src/"]) {
        for (path, line) in source.paths() {
            if let Some(what) = reaches_for(&path) {
                let message = format!("`{}` reaches for {what}; take it as an argument", path.join("::"));
                found.push(Violation::new(&source.path, line, message));
            }
        }
    }
    found
}

fn reaches_for(path: &[String]) -> Option<&'static str> {
    if FOREIGN.contains(&path[0].as_str()) {
        return Some("entropy or a runtime");
    }
    let holds = |wanted: &[&str]| path.windows(wanted.len()).any(|window| window == wanted);
    FORBIDDEN.iter().find(|(wanted, _)| holds(wanted)).map(|(_, what)| *what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str) -> usize {
        check(&Tree::of("crates/engine/src/a.rs", text)).len()
    }

    #[test]
    fn each_reach_for_the_outside_is_refused() {
        assert_eq!(count("fn f() { let now = std::time::Instant::now(); }"), 1);
        assert_eq!(count("fn f() { let now = jiff::Timestamp::now(); }"), 1);
        assert_eq!(count("use std::{fs, collections::BTreeMap};"), 1);
        assert_eq!(count("fn f() { std::env::var(\"A\") }"), 1);
        assert_eq!(count("use std::thread;\nfn f() { thread::sleep(d) }"), 1);
        assert_eq!(count("use rand::Rng;"), 1);
        assert_eq!(count("fn f() { std::net::TcpStream::connect(a) }"), 1);
    }

    #[test]
    fn types_tests_and_the_server_are_fine() {
        assert_eq!(count("use std::net::IpAddr;\nuse std::time::Duration;\nfn f() { env!(\"A\") }"), 0);
        assert_eq!(count("#[cfg(test)]\nmod tests { use std::fs; }"), 0);
        assert!(check(&Tree::of("crates/server/src/adapters/clock.rs", "use std::fs;")).is_empty());
    }
}
