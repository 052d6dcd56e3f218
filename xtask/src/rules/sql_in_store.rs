//! SQL lives in one folder, so that two databases can be kept equal.
//!
//! A heuristic: string literals that begin like a statement. PostHog's query language begins the same
//! way, so its folder among the connectors is exempt, and so are the stand-in that answers it and tests.

use super::{Rule, Violation};
use crate::tree::Tree;

pub const RULE: Rule =
    Rule { name: "sql-in-store", sentence: "SQL is written in `crates/engine/src/store` only.", check };

const EXEMPT: &[&str] = &["crates/connectors/src/posthog/", "crates/engine/src/store/", "crates/sim/", "xtask/"];

const BEGINNINGS: &[&[&str]] = &[
    &["ALTER", "TABLE"],
    &["CREATE", "INDEX"],
    &["CREATE", "TABLE"],
    &["CREATE", "UNIQUE"],
    &["DELETE", "FROM"],
    &["DROP", "TABLE"],
    &["INSERT", "INTO"],
    &["INSERT", "OR"],
    &["PRAGMA"],
    &["SELECT"],
    &["UPDATE"],
    &["WITH"],
];

fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for source in tree.product(&["crates/"]) {
        if EXEMPT.iter().any(|folder| source.path.starts_with(folder)) {
            continue;
        }
        for (text, line) in source.texts().filter(|(text, _)| looks_like_sql(text)) {
            let start: String = text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(40).collect();
            found.push(Violation::new(&source.path, line, format!("SQL outside the store: {start}")));
        }
    }
    found
}

fn looks_like_sql(text: &str) -> bool {
    let words: Vec<String> = text.split_whitespace().take(3).map(str::to_ascii_uppercase).collect();
    let shouted = text.split_whitespace().next().is_some_and(|word| word.chars().all(|c| c.is_ascii_uppercase()));
    let begins = |beginning: &&[&str]| beginning.iter().zip(&words).filter(|(a, b)| a == b).count() == beginning.len();
    shouted && words.len() > 2 && BEGINNINGS.iter().any(begins)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATEMENT: &str = "//! a\nfn f(d: D) { d.all(\"SELECT id\n FROM contacts\", format!(\"insert {}\", 1)) }";

    #[test]
    fn a_statement_outside_the_store_is_refused() {
        let found = check(&Tree::of("crates/engine/src/people.rs", STATEMENT));
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(check(&Tree::of("crates/server/src/api/a.rs", STATEMENT)).len(), 1);
    }

    #[test]
    fn the_store_and_the_query_language_are_exempt() {
        assert!(check(&Tree::of("crates/engine/src/store/a.rs", STATEMENT)).is_empty());
        assert!(check(&Tree::of("crates/connectors/src/posthog/hogql.rs", STATEMENT)).is_empty());
    }

    #[test]
    fn prose_is_no_sql() {
        for text in ["Select a template to go on", "SELECT", "Update the file", "WITH"] {
            assert!(!looks_like_sql(text), "{text}");
        }
        assert!(looks_like_sql("PRAGMA journal_mode = WAL"));
        assert!(looks_like_sql("INSERT INTO a (b) VALUES (?1)"));
    }
}
