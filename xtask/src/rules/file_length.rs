//! Long files hide things. 500 lines, 800 for tests.

use super::{Rule, Violation};
use crate::tree::Tree;

pub const RULE: Rule =
    Rule { name: "file-length", sentence: "A Rust file has at most 500 lines; a file of tests at most 800.", check };

fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for source in &tree.sources {
        let (lines, cap) = (source.text.lines().count(), if source.is_test { 800 } else { 500 });
        if lines > cap {
            found.push(Violation::new(&source.path, 1, format!("{lines} lines, the cap is {cap}")));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_above_the_cap_is_refused() {
        let text = "// line\n".repeat(501);
        assert_eq!(check(&Tree::of("crates/model/src/a.rs", &text)).len(), 1);
        assert!(check(&Tree::of("crates/model/src/a.rs", &text[8..])).is_empty());
        assert!(check(&Tree::of("crates/model/src/a/tests.rs", &text)).is_empty());
        assert_eq!(check(&Tree::of("crates/model/src/a/tests.rs", &"\n".repeat(801))).len(), 1);
    }
}
