//! A reader who opens a file learns first what it is for.

use super::{Rule, Violation};
use crate::tree::Tree;

pub const RULE: Rule = Rule {
    name: "head-comment",
    sentence: "A Rust file of the product begins by saying what it is for, in a `//!` comment.",
    check,
};

fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for source in tree.sources.iter().filter(|source| !source.is_test) {
        let first = source.text.lines().find(|line| !line.trim().is_empty()).unwrap_or("//!");
        if !first.starts_with("//!") {
            found.push(Violation::new(&source.path, 1, "no `//!` comment at the head"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_file_is_refused() {
        assert_eq!(check(&Tree::of("crates/model/src/a.rs", "use b::c;\n")).len(), 1);
        assert!(check(&Tree::of("crates/model/src/a.rs", "//! What it is for.\n\nuse b::c;\n")).is_empty());
    }
}
