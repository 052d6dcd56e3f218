//! Nobody sleeps. One place may: the worker's loop between two looks at what is due.

use super::{Rule, Violation};
use crate::tree::Tree;

pub const RULE: Rule = Rule {
    name: "one-sleep",
    sentence: "In the server only `worker.rs` sleeps; everything else that waits is a row with a time.",
    check,
};

const WORDS: &[&str] = &["interval", "interval_at", "park_timeout", "sleep", "sleep_until"];

fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for source in tree.product(&["crates/server/src/"]) {
        if source.path == "crates/server/src/worker.rs" {
            continue;
        }
        for (path, line) in source.paths() {
            let last = path.last().map_or("", String::as_str);
            let of_time = path.iter().any(|segment| matches!(segment.as_str(), "thread" | "time" | "tokio"));
            if of_time && WORDS.contains(&last) {
                let message = format!("`{}`: only worker.rs may sleep", path.join("::"));
                found.push(Violation::new(&source.path, line, message));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_sleep_is_refused() {
        let text = "async fn f() { tokio::time::sleep(d).await; }";
        assert_eq!(check(&Tree::of("crates/server/src/api/a.rs", text)).len(), 1);
        assert_eq!(check(&Tree::of("crates/server/src/a.rs", "use std::thread::sleep;")).len(), 1);
        assert!(check(&Tree::of("crates/server/src/worker.rs", text)).is_empty());
    }

    #[test]
    fn other_uses_of_the_word_are_fine() {
        let text = "fn f(a: A) { a.sleep(); schedule::interval(); }";
        assert!(check(&Tree::of("crates/server/src/api/a.rs", text)).is_empty());
    }
}
